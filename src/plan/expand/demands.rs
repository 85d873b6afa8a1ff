//! Demands on one name, gathered over views and moments.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use super::pattern::{Origin, Pattern};
use crate::model::obligation::{Claim, DnsExpectation};
use crate::model::phase::{Moment, MomentSet, Phase};
use crate::model::plan::{CertId, Plan, PlannedName, ServerId, Target, ViewId};
use crate::model::service::Service;

/// What makes two demands on the same name one obligation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Covers(CertId),
    Dns(ViewId, Arc<DnsExpectation>),
    Lowered(ViewId, u32),
    Serves(ServerId, Service, Arc<[CertId]>, bool),
    Path(ViewId, Target, Service, Arc<[IpAddr]>, Arc<[CertId]>, bool),
}

impl Key {
    fn rank(&self) -> u8 {
        match self {
            Self::Covers(_) => 0,
            Self::Dns(..) => 1,
            Self::Lowered(..) => 2,
            Self::Serves(..) => 3,
            Self::Path(..) => 4,
        }
    }

    /// The obligation's id as far as its subject makes it, before and behind the name.
    pub(super) fn id(&self, plan: &Plan) -> (String, &'static str) {
        let view = |v: &ViewId| &plan.view(*v).label;
        let drain = |d: &bool| if *d { "/draining" } else { "" };
        match self {
            Self::Covers(c) => (format!("san/{}/", plan.certificate(*c).label), ""),
            Self::Dns(v, _) => (format!("dns/{}/", view(v)), ""),
            Self::Lowered(v, _) => (format!("ttl/{}/", view(v)), ""),
            Self::Serves(server, s, _, d) => {
                (format!("tls/{}/{}:{}/", plan.server(*server).label, s.word, s.port), drain(d))
            }
            Self::Path(v, target, s, _, _, d) => {
                let target = plan.target_label(*target);
                (format!("path/{}/{target}/{}:{}/", view(v), s.word, s.port), drain(d))
            }
        }
    }

    pub(super) fn claim(&self) -> Claim {
        match self.clone() {
            Self::Covers(certificate) => Claim::Covers { certificate },
            Self::Dns(view, expected) => Claim::Resolves { view, expected },
            Self::Lowered(view, at_most) => Claim::Lowered { view, at_most },
            Self::Serves(server, service, certificates, _) => Claim::Serves { server, service, certificates },
            Self::Path(view, target, service, addresses, certificates, _) => {
                Claim::Path { view, target, service, addresses, certificates }
            }
        }
    }

    pub(super) fn is_draining(&self) -> bool {
        matches!(self, Self::Serves(.., true) | Self::Path(.., true))
    }
}

/// One of the things that are demanded.
pub(super) struct Demand {
    pub(super) key: Key,
    /// Views in the plan's order.
    pub(super) holds: Vec<(ViewId, MomentSet)>,
    pub(super) origin: Origin,
}

/// An endpoint that a moment asks for: the target in a view, in which phase it is so, which phase's certificates count, and
/// whether it drains.
pub(super) type Question = (ViewId, Target, Phase, Phase, bool);

/// The demands on one name, in the order in which they were first met.
#[derive(Default)]
pub(super) struct Demands {
    all: Vec<Demand>,
    /// The places in `all` of what was added since the last question.
    added: Vec<usize>,
    /// The places of what each question demands.
    asked: Vec<(Question, Vec<usize>)>,
}

impl Demands {
    pub(super) fn add(&mut self, key: Key, view: ViewId, moment: Moment, origin: Origin) {
        let at = match self.all.iter().position(|d| d.key == key) {
            Some(at) => at,
            None => self.push(key, origin),
        };
        self.holds(at, view, moment);
        self.added.push(at);
    }

    /// Adds what DNS should answer.
    pub(super) fn add_answer(&mut self, expected: Cow<DnsExpectation>, view: ViewId, moment: Moment, origin: Origin) {
        let same = |d: &Demand| matches!(&d.key, Key::Dns(v, e) if *v == view && **e == *expected);
        let at = match self.all.iter().position(same) {
            Some(at) => at,
            None => self.push(Key::Dns(view, Arc::new(expected.into_owned())), origin),
        };
        self.holds(at, view, moment);
    }

    fn push(&mut self, key: Key, origin: Origin) -> usize {
        self.all.push(Demand { key, holds: Vec::with_capacity(1), origin });
        self.all.len() - 1
    }

    fn holds(&mut self, at: usize, view: ViewId, moment: Moment) {
        let holds = &mut self.all[at].holds;
        match holds.iter_mut().find(|(v, _)| *v == view) {
            Some((_, moments)) => moments.insert(moment),
            None => holds.push((view, MomentSet::from_iter([moment]))),
        }
    }

    /// True if another moment asked the same: what was demanded then is demanded in this moment too.
    pub(super) fn asks_again(&mut self, question: Question, moment: Moment) -> bool {
        self.added.clear();
        let Some(known) = self.asked.iter().position(|(q, _)| *q == question) else { return false };
        let places = std::mem::take(&mut self.asked[known].1);
        places.iter().for_each(|at| self.holds(*at, question.0, moment));
        self.asked[known].1 = places;
        true
    }

    /// Keeps what was added for a question that nobody asked before.
    pub(super) fn has_asked(&mut self, question: Question) {
        let added = std::mem::take(&mut self.added);
        self.asked.push((question, added));
    }

    /// What each name has to bear of which the same is demanded as of this one.
    pub(super) fn into_pattern(mut self, plan: &Plan, name: &PlannedName) -> Pattern {
        self.all.sort_by_key(|d| d.key.rank());
        Pattern::of(plan, name, self.all)
    }
}
