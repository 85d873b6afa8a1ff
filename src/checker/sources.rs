//! Who comes to a name: clients who use it, and clients whom a server sends there.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::answers::Reply;
use super::course::{Course, Slot};
use super::follow::{Follower, Group};
use super::history::History;
use crate::model::cutover::{CacheKind, Datum, NodeId, Second, Timeline};
use crate::model::name::Name;

/// For each name that some server sends its web clients to: the servers.
pub(super) struct Sources<'a> {
    timeline: &'a Timeline,
    history: &'a History<'a>,
    course: &'a Course,
    groups: &'a [Group],
    targets: BTreeMap<&'a Name, Vec<NodeId>>,
    /// True if a certificate begins or ends before all is done: then clients are hurt by the mere passing of time.
    pub time_matters: bool,
}

impl<'a> Sources<'a> {
    pub fn of(timeline: &'a Timeline, history: &'a History<'a>, groups: &'a [Group], course: &'a Course) -> Self {
        let mut targets: BTreeMap<&Name, Vec<NodeId>> = BTreeMap::new();
        for (node, values) in history.redirects() {
            for name in values.all().flatten() {
                let nodes = targets.entry(name).or_default();
                if !nodes.contains(&node) {
                    nodes.push(node);
                }
            }
        }
        let (first, last) = (timeline.zero, timeline.at(course.earliest(Slot::End)));
        let is_within = |at: &Timestamp| first.is_some_and(|f| f < *at) && last.is_some_and(|l| *at <= l);
        let ends = timeline.credentials.iter().flat_map(|c| c.valid_from.into_iter().chain(c.valid_until));
        let time_matters = ends.into_iter().any(|at| is_within(&at));
        Self { timeline, history, course, groups, targets, time_matters }
    }

    /// True if some server sends clients to the name at any time.
    pub fn is_redirect_target(&self, name: &Name) -> bool {
        self.targets.contains_key(name)
    }

    /// The least cost at which somebody uses the name of a group in a slot, and the server that sent them; `None` if nobody.
    pub fn uses(&self, follower: &Follower, slot: Slot) -> Option<(Second, Option<NodeId>)> {
        let used = self.history.used(follower.group.view, &follower.group.name);
        if used.is_some_and(|u| follower.states(slot).any(|s| *u.at(s))) {
            return Some((0, None));
        }
        let nodes = self.senders(follower, slot);
        nodes.into_iter().map(|(node, costs)| (costs, Some(node))).min()
    }

    /// The servers that send clients in a slot to the name of a group, which leads to that server again, as authoritative
    /// servers have it; and the least cost at which clients come to it.
    pub fn loops(&self, follower: &Follower, slot: Slot) -> Vec<(NodeId, Second)> {
        if !self.targets.contains_key(&follower.group.name) {
            return Vec::new();
        }
        let leads_back = |node: NodeId| {
            follower.states(slot).any(|state| {
                let sends = self.history.redirect(node).is_some_and(|r| r.at(state).contains(&follower.group.name));
                sends
                    && [CacheKind::A, CacheKind::Aaaa]
                        .into_iter()
                        .any(|kind| self.leads_to(follower, kind, node, state))
            })
        };
        self.senders(follower, slot).into_iter().filter(|(node, _)| leads_back(*node)).collect()
    }

    fn leads_to(&self, follower: &Follower, kind: CacheKind, node: NodeId, state: usize) -> bool {
        let mut name = follower.group.name.clone();
        for _ in 0..16 {
            match follower.steady(&name, kind, state) {
                Reply::Alias(target, _) => name = target,
                Reply::Absent(_) => return false,
                Reply::Data(data, _) => {
                    return data.iter().any(|datum| match datum {
                        Datum::Address(address) => {
                            let route = self.history.route(follower.group.view, *address);
                            route.is_some_and(|r| r.at(state).contains(&node))
                        }
                        _ => false,
                    });
                }
            }
        }
        false
    }

    /// The servers that send clients of the view to the name in a slot, each with the least cost at which any come to it.
    fn senders(&self, follower: &Follower, slot: Slot) -> Vec<(NodeId, Second)> {
        let name = &follower.group.name;
        let Some(nodes) = self.targets.get(name) else { return Vec::new() };
        let sends = |node: &NodeId| {
            self.history.redirect(*node).is_some_and(|r| follower.states(slot).any(|s| r.at(s).contains(name)))
        };
        let costs = |node: NodeId| Some((node, self.costs_to(follower, node, slot)?));
        nodes.iter().copied().filter(sends).filter_map(costs).collect()
    }

    /// The least cost at which any web client of the view, who began with another name that is used, comes to a node.
    fn costs_to(&self, follower: &Follower, node: NodeId, slot: Slot) -> Option<Second> {
        let mut least: Option<Second> = None;
        for group in self.groups {
            let is_other = group.view == follower.group.view && group.name != follower.group.name;
            let used = self.history.used(group.view, &group.name);
            let is_used = used.is_some_and(|u| follower.states(slot).any(|s| *u.at(s)));
            if !is_other || !is_used {
                continue;
            }
            let other = Follower::new(self.timeline, self.history, self.course, self, group);
            if !other.is_web_group() || !other.ever_reaches(node) {
                continue;
            }
            least = [least, other.costs_to(node, slot)].into_iter().flatten().min();
            if least == Some(0) {
                return least;
            }
        }
        least
    }
}
