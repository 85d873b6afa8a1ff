//! Which sets of addresses are right for a name: the targets' own addresses whole, and of each other's host at least one.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::model::dns::RecordType;
use crate::model::name::Name;
use crate::model::obligation::DnsExpectation;
use crate::model::phase::Phase;
use crate::model::plan::{NameId, Plan, Target, ViewId, Wanted};

/// One right answer, A and AAAA together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Right {
    /// Addresses that must all be there.
    own: BTreeSet<IpAddr>,
    /// Others' hosts, of each of which something must be there.
    hosts: Vec<Name>,
}

/// The right answers that an expectation leaves: one in a phase, several in a transition.
pub(super) fn rights(plan: &Plan, name: NameId, view: ViewId, expected: &DnsExpectation) -> Vec<Right> {
    let mut out = Vec::new();
    let mut rest: Vec<Name> = expected.like.clone();
    for alternative in &expected.present {
        let hosts: Vec<Name> =
            hosts(plan, &alternative.targets).filter(|h| expected.like.contains(h)).cloned().collect();
        rest.retain(|h| !hosts.contains(h));
        out.push(Right { own: alternative.addresses.iter().copied().collect(), hosts });
    }
    match rest.len() > 1 && are_together(plan, name, view, &rest) {
        true => out.push(Right { hosts: rest, ..Right::default() }),
        false => out.extend(rest.into_iter().map(|h| Right { hosts: vec![h], ..Right::default() })),
    }
    out
}

fn hosts<'a>(plan: &'a Plan, targets: &'a [Target]) -> impl Iterator<Item = &'a Name> {
    targets.iter().filter_map(|target| match target {
        Target::Server(id) => plan.server(*id).host.as_ref().map(|h| &h.value),
        Target::Pool(_) => None,
    })
}

/// True if one phase wants all of these hosts; else they are the sides of a transition.
fn are_together(plan: &Plan, name: NameId, view: ViewId, all: &[Name]) -> bool {
    Phase::ALL.iter().any(|phase| match plan.name(name).wanted(view, *phase) {
        Wanted::Targets(targets) => all.iter().all(|h| hosts(plan, targets).any(|o| o == h)),
        _ => false,
    })
}

/// True if an answer is one of the right ones. In a transition A and AAAA are cached, and so change, apart: then each
/// type must be of some right answer, or of all together.
pub(super) fn is_right(
    rights: &[Right],
    addresses: &BTreeSet<IpAddr>,
    hosts: &BTreeMap<Name, BTreeSet<IpAddr>>,
    part: bool,
) -> bool {
    if addresses.is_empty() {
        return false;
    }
    let all = Right {
        own: rights.iter().flat_map(|r| r.own.iter().copied()).collect(),
        hosts: rights.iter().flat_map(|r| r.hosts.iter().cloned()).collect(),
    };
    let of_type = |kind: RecordType| {
        let given: BTreeSet<IpAddr> = addresses.iter().copied().filter(|a| kind.holds(*a)).collect();
        rights.iter().chain([&all]).any(|r| r.of_type(kind).holds(&given, hosts, part))
    };
    rights.iter().any(|r| r.holds(addresses, hosts, part) && (part || r.is_whole(addresses, hosts)))
        || (rights.len() > 1 && RecordType::ALL.into_iter().all(of_type))
}

/// True if one answer holds addresses of several right ones, and is no part of any: the records of one type change as a
/// whole.
pub(super) fn is_mixed(rights: &[Right], answer: &BTreeSet<IpAddr>, hosts: &BTreeMap<Name, BTreeSet<IpAddr>>) -> bool {
    RecordType::ALL.into_iter().any(|kind| {
        let given: BTreeSet<IpAddr> = answer.iter().copied().filter(|a| kind.holds(*a)).collect();
        !rights.iter().any(|r| r.of_type(kind).holds(&given, hosts, true))
    })
}

impl Right {
    fn of_type(&self, kind: RecordType) -> Self {
        Self { own: self.own.iter().copied().filter(|a| kind.holds(*a)).collect(), hosts: self.hosts.clone() }
    }

    /// Nothing else is there, and unless a part will do, all of its own addresses are.
    fn holds(&self, given: &BTreeSet<IpAddr>, hosts: &BTreeMap<Name, BTreeSet<IpAddr>>, part: bool) -> bool {
        let theirs = |a: &IpAddr| self.hosts.iter().filter_map(|h| hosts.get(h)).any(|set| set.contains(a));
        given.iter().all(|a| self.own.contains(a) || theirs(a)) && (part || self.own.is_subset(given))
    }

    /// Of each host something is there.
    fn is_whole(&self, given: &BTreeSet<IpAddr>, hosts: &BTreeMap<Name, BTreeSet<IpAddr>>) -> bool {
        self.hosts.iter().all(|h| hosts.get(h).is_some_and(|set| !set.is_disjoint(given)))
    }
}
