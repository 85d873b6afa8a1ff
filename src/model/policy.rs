//! What a run asks for: which obligations are due, and what fails it.

use super::finding::Severity;
use super::obligation::{Claim, Obligation};
use super::phase::{Moment, MomentSet, Phase};
use super::plan::{Plan, Pool, ServerId, Target, ViewId};

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

    /// True if the obligation must hold at the moment that is asked about, within what was asked for. Whether an old
    /// target has drained by then is the judge's to say.
    pub fn asks_for(&self, plan: &Plan, obligation: &Obligation) -> bool {
        let in_view = |view: ViewId| self.views.as_ref().is_none_or(|views| views.contains(&view));
        let holds =
            |(view, moments): &(ViewId, MomentSet)| in_view(*view) && moments.contains(self.moment(plan, *view));
        obligation.holds.iter().any(holds)
            && (self.only.is_empty() || self.only.iter().any(|word| concerns(plan, obligation, word)))
    }

    /// True if a view is among those that are asked about.
    pub fn looks_at(&self, view: ViewId) -> bool {
        self.views.as_ref().is_none_or(|views| views.contains(&view))
    }

    /// True if questions are asked, and judged, that no obligation demands: mail, records, zones.
    pub fn asks_beside(&self) -> bool {
        self.scope == Scope::All && (self.only.is_empty() || self.only.iter().any(|word| word == "dns"))
    }

    /// True if a finding about no obligation is asked for: `labels` are its name, server or pool.
    pub fn asks_about(&self, kind: &str, labels: &[&str]) -> bool {
        let is = |word: &String| {
            let name = word.trim_end_matches('.');
            word == kind || labels.iter().any(|l| *l == word || l.eq_ignore_ascii_case(name))
        };
        self.only.is_empty() || self.only.iter().any(is)
    }

    /// True if less was asked for than the plan holds.
    pub fn is_narrowed(&self) -> bool {
        self.views.is_some() || !self.only.is_empty()
    }
}

/// The words of `--only` that stand for kinds of obligations.
pub const KIND_WORDS: [&str; 3] = ["san", "dns", "tls"];

/// True if a pool of this label has the server as a member in some phase.
fn is_member(plan: &Plan, server: ServerId, label: &str) -> bool {
    let has = |pool: &Pool| Phase::ALL.into_iter().any(|phase| pool.servers(phase).contains(&server));
    plan.pools.iter().any(|pool| *pool.label == *label && has(pool))
}

/// True if a word of `--only` means this obligation: its kind, its name, or the certificate, server or pool that it is about.
fn concerns(plan: &Plan, obligation: &Obligation, word: &str) -> bool {
    let claim = &*obligation.claim;
    let label = match claim {
        Claim::Covers { certificate, .. } => Some(&plan.certificate(*certificate).label),
        Claim::Serves { server, .. } if is_member(plan, *server, word) => return true,
        Claim::Serves { server, .. } => Some(plan.target_label(Target::Server(*server))),
        Claim::Path { target, .. } => Some(plan.target_label(*target)),
        Claim::Resolves { .. } | Claim::Lowered { .. } => None,
    };
    let kind = match claim {
        Claim::Covers { .. } => "san",
        Claim::Resolves { .. } | Claim::Lowered { .. } => "dns",
        Claim::Serves { .. } | Claim::Path { .. } => "tls",
    };
    let name = plan.name(obligation.name).name.as_str();
    word == kind || label.is_some_and(|l| **l == *word) || name.eq_ignore_ascii_case(word.trim_end_matches('.'))
}
