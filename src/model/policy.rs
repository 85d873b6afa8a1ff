//! What a run asks for: which obligations are due, and what fails it.

use super::finding::Severity;
use super::phase::{Moment, Phase};
use super::plan::{Plan, ViewId};

/// Which moment is asked about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ask {
    /// Where the plan says that each view stands.
    #[default]
    Standing,
    /// A phase or transition, for all views.
    Phase(Moment),
    /// The eve of the flip into a phase.
    ReadyFor(Phase),
}

/// Which evidence is to be had at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// Files, DNS and TLS.
    #[default]
    All,
    /// The plan and the certificate files, without a network (`lint`).
    Files,
}

/// What is asked, and what fails.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The moment.
    pub ask: Ask,
    /// Only these views; `None` is all.
    pub views: Option<Vec<ViewId>>,
    /// Only obligations about these names, servers, pools or kinds (`san`, `dns`, `tls`); empty is all.
    pub only: Vec<String>,
    /// Which evidence is to be had.
    pub scope: Scope,
    /// The least severity of a finding that fails the run.
    pub fail_on: Severity,
}

impl Default for Policy {
    fn default() -> Self {
        Self { ask: Ask::default(), views: None, only: Vec::new(), scope: Scope::default(), fail_on: Severity::Error }
    }
}

impl Policy {
    /// The moment that is due in a view.
    pub fn moment(&self, plan: &Plan, view: ViewId) -> Moment {
        let standing = plan.standing[view.0];
        match self.ask {
            Ask::Standing => standing,
            Ask::Phase(moment) => moment,
            Ask::ReadyFor(to) => match standing.phases().0 {
                from if from < to => Moment::Ready(from, to),
                _ => Moment::Steady(to),
            },
        }
    }

    /// True if less was asked for than the plan holds.
    pub fn is_narrowed(&self) -> bool {
        self.views.is_some() || !self.only.is_empty()
    }
}
