//! Demands on one name, gathered over views and moments, and made into obligations.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use crate::model::name::Name;
use crate::model::obligation::{Claim, DnsExpectation, Drain, Obligation};
use crate::model::phase::{Moment, MomentSet, Phase};
use crate::model::plan::{CertId, NameId, Plan, PlannedName, ServerId, Target, ViewId};
use crate::model::service::Service;
use crate::model::source::Span;

/// The TTL that an old answer is taken to have had where the plan does not say `ttl-before`: a day, the longest in common
/// use. The planned `ttl` says nothing of the record that was there before.
const UNKNOWN_TTL: u32 = 86_400;

/// What makes two demands on the same name one obligation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Covers(CertId),
    Dns(ViewId, DnsExpectation),
    Lowered(ViewId, u32),
    Serves(ServerId, Service, Vec<CertId>, bool),
    Path(ViewId, Target, Service, Vec<IpAddr>, Vec<CertId>, bool),
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

    /// The obligation's id as far as its subject makes it.
    fn base(&self, plan: &Plan, name: &Name) -> String {
        let view = |v: &ViewId| &plan.view(*v).label;
        let drain = |d: &bool| if *d { "/draining" } else { "" };
        match self {
            Self::Covers(c) => format!("san/{}/{name}", plan.certificate(*c).label),
            Self::Dns(v, _) => format!("dns/{}/{name}", view(v)),
            Self::Lowered(v, _) => format!("ttl/{}/{name}", view(v)),
            Self::Serves(server, s, _, d) => {
                format!("tls/{}/{}:{}/{name}{}", plan.server(*server).label, s.word, s.port, drain(d))
            }
            Self::Path(v, target, s, _, _, d) => {
                let target = plan.target_label(*target);
                format!("path/{}/{target}/{}:{}/{name}{}", view(v), s.word, s.port, drain(d))
            }
        }
    }

    fn claim(self, name: NameId) -> Claim {
        match self {
            Self::Covers(certificate) => Claim::Covers { name, certificate },
            Self::Dns(view, expected) => Claim::Resolves { name, view, expected },
            Self::Lowered(view, at_most) => Claim::Lowered { name, view, at_most },
            Self::Serves(server, service, certificates, _) => Claim::Serves { name, server, service, certificates },
            Self::Path(view, target, service, addresses, certificates, _) => {
                Claim::Path { name, view, target, service, addresses, certificates }
            }
        }
    }

    fn is_draining(&self) -> bool {
        matches!(self, Self::Serves(.., true) | Self::Path(.., true))
    }
}

struct Demand {
    key: Key,
    /// Views in the plan's order.
    holds: Vec<(ViewId, MomentSet)>,
    span: Span,
}

/// An endpoint that a moment asks for: the target in a view, in which phase it is so, which phase's certificates count, and
/// whether it drains.
pub(super) type Question = (ViewId, Target, Phase, Phase, bool);

/// The demands on one name, in the order in which they were first met.
pub(super) struct Demands {
    name: NameId,
    all: Vec<Demand>,
    /// The places in `all` of what was added since the last question.
    added: Vec<usize>,
    /// The places of what each question demands.
    asked: Vec<(Question, Vec<usize>)>,
}

impl Demands {
    pub(super) fn of(name: NameId) -> Self {
        Self { name, all: Vec::new(), added: Vec::new(), asked: Vec::new() }
    }

    pub(super) fn add(&mut self, key: Key, view: ViewId, moment: Moment, span: Span) {
        let at = match self.all.iter().position(|d| d.key == key) {
            Some(at) => at,
            None => self.push(key, span),
        };
        self.holds(at, view, moment);
        self.added.push(at);
    }

    /// Adds what DNS should answer.
    pub(super) fn add_answer(&mut self, expected: Cow<DnsExpectation>, view: ViewId, moment: Moment, span: Span) {
        let same = |d: &Demand| matches!(&d.key, Key::Dns(v, e) if *v == view && *e == *expected);
        let at = match self.all.iter().position(same) {
            Some(at) => at,
            None => self.push(Key::Dns(view, expected.into_owned()), span),
        };
        self.holds(at, view, moment);
    }

    fn push(&mut self, key: Key, span: Span) -> usize {
        self.all.push(Demand { key, holds: Vec::with_capacity(1), span });
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

    pub(super) fn into_obligations(mut self, plan: &Plan) -> Vec<Obligation> {
        let id = self.name;
        self.all.sort_by_key(|d| d.key.rank());
        let name = plan.name(id);
        let bases: Vec<String> = self.all.iter().map(|d| d.key.base(plan, &name.name)).collect();
        let mut count: BTreeMap<&str, usize> = BTreeMap::new();
        bases.iter().for_each(|b| *count.entry(b).or_default() += 1);
        let unique = |base: &String| count.get(base.as_str()) == Some(&1);
        let mut ids: Vec<Arc<str>> = Vec::with_capacity(bases.len());
        for (base, demand) in bases.iter().zip(&self.all) {
            let full = if unique(base) { base.clone() } else { format!("{base}@{}", moments(demand)) };
            // A round robin whose members change has two address sets in the moment of the change.
            let earlier = ids.iter().filter(|i| i.split('#').next() == Some(full.as_str())).count();
            ids.push(if earlier == 0 { full.into() } else { format!("{full}#{}", earlier + 1).into() });
        }
        let obligation = |(demand, obligation_id): (Demand, Arc<str>)| Obligation {
            id: obligation_id,
            drain: demand.key.is_draining().then(|| Drain { hold: hold(plan, name, &demand.holds) }),
            holds: demand.holds,
            span: demand.span,
            claim: demand.key.claim(id),
        };
        self.all.into_iter().zip(ids).map(obligation).collect()
    }
}

/// The moments in words; the changes between phases only where no steady phase tells the obligation from its siblings.
fn moments(demand: &Demand) -> String {
    let all = demand.holds.iter().fold(MomentSet::EMPTY, |all, (_, moments)| all.union(*moments));
    let words = |steady: bool| -> Vec<String> {
        let wanted = all.iter().filter(|m| matches!(m, Moment::Steady(_)) == steady);
        wanted.map(|m| m.to_string().replace(' ', ":")).collect()
    };
    let phases = words(true);
    if phases.is_empty() { words(false).join(",") } else { phases.join(",") }
}

/// How long after the flip a cache may hold the old answer, as far as the plan says.
fn hold(plan: &Plan, name: &PlannedName, holds: &[(ViewId, MomentSet)]) -> u32 {
    let declared = name.ttl_before.as_ref().map(|t| t.value.max(name.ttl.as_ref().map_or(0, |t| t.value)));
    let propagation = holds.iter().filter_map(|(v, _)| plan.cutover.propagation.get(v.0)).max().copied().unwrap_or(0);
    declared.unwrap_or(UNKNOWN_TTL).saturating_add(propagation).saturating_add(plan.cutover.slack)
}
