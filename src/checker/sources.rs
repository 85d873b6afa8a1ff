//! Who comes to a name: clients who use it, and clients whom a server sends there.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use smallvec::SmallVec;

use super::answers::Reply;
use super::closure::{Closure, Group};
use super::course::{Course, Slot};
use super::follow::{Follower, KeptUrl};
use super::history::{History, Values};
use crate::model::cutover::{CacheKind, Datum, NodeId, Second, Timeline};
use crate::model::name::Name;
use crate::model::plan::ViewId;

/// For each name that some server sends its web clients to: the servers.
pub(super) struct Targets<'a>(HashMap<&'a Name, Vec<NodeId>>);

impl<'a> Targets<'a> {
    pub fn of(history: &History<'a>) -> Self {
        let mut targets: HashMap<&Name, Vec<NodeId>> = HashMap::new();
        for (node, values) in history.redirects() {
            for name in values.all().copied().flatten() {
                let nodes = targets.entry(name).or_default();
                if nodes.last() != Some(&node) {
                    nodes.push(node);
                }
            }
        }
        Self(targets)
    }

    /// True if some server sends clients to the name at any time.
    pub fn contains(&self, name: &Name) -> bool {
        self.0.contains_key(name)
    }
}

/// Whatever changes for those who are sent to a name changes something for the name.
pub(super) fn linked(
    history: &History,
    targets: &Targets,
    groups: &[Group],
    closures: &mut [Closure],
    comers: &Comers,
) {
    let steps = |group: &Group, closures: &[Closure]| {
        let mut steps: Vec<usize> = Vec::new();
        for node in targets.0.get(group.name).into_iter().flatten() {
            steps.extend(history.redirect(*node).into_iter().flat_map(Values::steps));
            let others = comers.get(&(group.view, *node)).into_iter().flatten();
            others.for_each(|other| steps.extend(&closures[*other].steps));
        }
        steps
    };
    let is_target = |i: &usize| closures[*i].is_redirect_target;
    let more: Vec<_> = (0..groups.len()).filter(is_target).map(|i| (i, steps(&groups[i], closures))).collect();
    more.into_iter().for_each(|(i, steps)| closures[i].depends(&steps));
}

/// No resolver follows a longer chain; a circle ends here.
const LONGEST_CHAIN: usize = 16;

/// For clients of a view: the web groups that are ever led to a server that sends clients elsewhere.
pub(super) type Comers = BTreeMap<(ViewId, NodeId), Vec<usize>>;

/// Reads them off.
pub(super) fn comers(history: &History, groups: &[Group], closures: &[Closure]) -> Comers {
    let mut out = Comers::new();
    for (i, (group, closure)) in groups.iter().zip(closures).enumerate().filter(|(_, (_, c))| c.is_web) {
        for node in closure.nodes().filter(|node| history.redirect(*node).is_some()) {
            let all = out.entry((group.view, node)).or_default();
            if all.last() != Some(&i) {
                all.push(i);
            }
        }
    }
    out
}

/// The least cost at which clients come to a server, and the name that they began with; and the same for another name.
type Cheapest<'a> = SmallVec<[(Second, &'a Name); 2]>;

/// Who comes to which name on one course.
pub(super) struct Sources<'f, 'a> {
    pub timeline: &'a Timeline,
    pub history: &'f History<'a>,
    pub course: &'f Course<'f>,
    pub groups: &'f [Group<'a>],
    pub closures: &'f [Closure<'f, 'a>],
    pub targets: &'f Targets<'a>,
    pub comers: &'f Comers,
    /// What was found already.
    known: Mutex<HashMap<(ViewId, NodeId, Slot), Cheapest<'a>>>,
}

impl<'f, 'a> Sources<'f, 'a> {
    pub fn new(
        timeline: &'a Timeline,
        history: &'f History<'a>,
        course: &'f Course<'f>,
        (groups, closures): (&'f [Group<'a>], &'f [Closure<'f, 'a>]),
        (targets, comers): (&'f Targets<'a>, &'f Comers),
    ) -> Self {
        let known = Mutex::default();
        Self { timeline, history, course, groups, closures, targets, comers, known }
    }

    /// A group, on this course.
    pub fn follower(&'f self, group: usize) -> Follower<'f, 'a> {
        let Self { timeline, history, course, .. } = *self;
        Follower {
            timeline,
            history,
            course,
            sources: self,
            group: &self.groups[group],
            closure: &self.closures[group],
        }
    }

    /// The least cost at which somebody uses the name of a group in a slot, the URL that they keep, and the server that
    /// sent them; `None` if nobody.
    pub fn uses(&self, follower: &Follower, slot: Slot) -> Option<(Second, Option<KeptUrl>, Option<NodeId>)> {
        let own = follower.use_of(slot).map(|(costs, url)| (costs, url, None));
        if own.is_some_and(|(costs, ..)| costs == 0) {
            return own;
        }
        let nodes = self.senders(follower, slot).into_iter();
        let sent = nodes.filter_map(|node| Some((self.costs_to(follower, node, slot)?, None, Some(node))));
        sent.chain(own).min()
    }

    /// The servers that send clients in a slot to the name of a group, which leads to that server again, as authoritative
    /// servers have it; and the least cost at which clients come to it.
    pub fn loops(&self, follower: &Follower, slot: Slot) -> Vec<(NodeId, Second)> {
        // In the middle of a step a server may send clients already, and the name lead where it led before.
        let leads_back = |node: &NodeId| {
            let kinds = [CacheKind::A, CacheKind::Aaaa];
            kinds.into_iter().any(|kind| leads_to(follower, (follower.group.name, kind), *node, slot, 0))
        };
        let nodes = self.senders(follower, slot).into_iter().filter(leads_back);
        nodes.filter_map(|node| Some((node, self.costs_to(follower, node, slot)?))).collect()
    }

    /// The servers that send clients to the name of a group in a slot.
    fn senders(&self, follower: &Follower, slot: Slot) -> Vec<NodeId> {
        let name = follower.group.name;
        let nodes = self.targets.0.get(name).into_iter().flatten().copied();
        let states = follower.states(slot);
        let sends = |node: &NodeId| {
            self.history.redirect(*node).is_some_and(|r| r.over(&states).any(|names| names.contains(name)))
        };
        nodes.filter(sends).collect()
    }

    /// The least cost at which any web client of the view, who began with another name that is used, comes to a node.
    fn costs_to(&self, follower: &Follower, node: NodeId, slot: Slot) -> Option<Second> {
        let key = (follower.group.view, node, slot);
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let others = |cheapest: &Cheapest| {
            cheapest.iter().find(|(_, name)| *name != follower.group.name).map(|(costs, _)| *costs)
        };
        if let Some(cheapest) = known().get(&key) {
            return others(cheapest);
        }
        let cheapest = self.cheapest(key);
        let costs = others(&cheapest);
        known().insert(key, cheapest);
        costs
    }

    fn cheapest(&self, (view, node, slot): (ViewId, NodeId, Slot)) -> Cheapest<'a> {
        let mut best = Cheapest::new();
        for group in self.comers.get(&(view, node)).into_iter().flatten() {
            let other = Follower {
                timeline: self.timeline,
                history: self.history,
                course: self.course,
                sources: self,
                group: &self.groups[*group],
                closure: &self.closures[*group],
            };
            let costs = other.use_of(slot).and_then(|(uses, _)| Some(other.costs_to(node, slot)?.max(uses)));
            let Some(costs) = costs else { continue };
            best.push((costs, other.group.name));
            best.sort();
            // A name is in no group of web clients but one.
            best.truncate(2);
            if best.len() == 2 && best.iter().all(|(costs, _)| *costs == 0) {
                break;
            }
        }
        best
    }
}

/// True if a name leads to a node in a slot by what authoritative servers say, each of the answers in any state of it.
fn leads_to(follower: &Follower, (name, kind): (&Name, CacheKind), node: NodeId, slot: Slot, depth: usize) -> bool {
    let Some(asked) = follower.closure.find(name, kind).filter(|_| depth < LONGEST_CHAIN) else { return false };
    let states = follower.states(slot);
    let leads = |datum: &Datum| match datum {
        Datum::Address(address) => {
            let route = follower.closure.route(*address);
            route.is_some_and(|r| r.over(&states).any(|nodes| nodes.contains(&node)))
        }
        _ => false,
    };
    let mut said = asked.possible(follower.course, slot).into_iter().filter(|p| p.kept_until.is_none());
    said.any(|possible| match possible.reply {
        Reply::Alias(target, _) => leads_to(follower, (target, kind), node, slot, depth + 1),
        Reply::Absent(_) => false,
        Reply::Data(data, _) => data.iter().any(leads),
    })
}
