//! One answer for every question: what a captive portal says until somebody logs in.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::assess::hear_planned;
use super::beside::told_by;
use super::case::Case;
use super::suspicion::is_encrypted;
use crate::model::dns::RecordType;
use crate::model::name::Name;
use crate::model::obligation::{Claim, DnsExpectation};
use crate::model::plan::{NameId, ViewId};
use crate::model::questions;

/// Resolvers that seem to be one portal, and what it says; empty if there is none.
#[derive(Default)]
pub(super) struct Portal {
    pub(super) resolvers: BTreeSet<(ViewId, usize)>,
    pub(super) addresses: BTreeSet<IpAddr>,
}

/// A name that is due in a view, and what is wanted there.
type Wanted<'a> = (NameId, ViewId, &'a DnsExpectation);

/// What one resolver gave for one name.
struct Given<'a> {
    view: ViewId,
    resolver: usize,
    addresses: BTreeSet<IpAddr>,
    wanted: &'a DnsExpectation,
}

/// Suspected if every answer in the clear, in every view, has the same addresses, which no target of the plan has, though
/// some resolver was asked for names that have nothing in common; and no encrypted resolver says the same, and none of them
/// knows a name that does not exist. A wrong record
/// changes one name, and a wrong address in the plan those names that share it.
pub(super) fn portal(case: &Case) -> Portal {
    let is_planned = |a: &IpAddr| case.plan.view_ids().any(|v| case.owner(v, *a).is_some()) || case.is_own(*a);
    let mut given: Vec<Given> = Vec::new();
    for next in heard(case, false) {
        // Mostly the first answer is a planned one.
        let differs = given.first().is_some_and(|first| first.addresses != next.addresses);
        if differs || next.addresses.is_empty() || next.addresses.iter().any(is_planned) {
            return Portal::default();
        }
        given.push(next);
    }
    let Some(one) = given.first().map(|g| g.addresses.clone()) else { return Portal::default() };
    // Whoever says that a name does not exist is no portal: an expired domain whose every name is parked at one place.
    if given.iter().any(|g| denies(case, g.view, g.resolver)) {
        return Portal::default();
    }
    let confirmed = || heard(case, true).any(|g| !g.addresses.is_disjoint(&one));
    if !have_nothing_in_common(&given) || confirmed() {
        return Portal::default();
    }
    Portal { resolvers: given.iter().map(|g| (g.view, g.resolver)).collect(), addresses: one }
}

/// True if a resolver says that nothing exists below `invalid`.
fn denies(case: &Case, view: ViewId, resolver: usize) -> bool {
    let nowhere = Name::parse(&format!("{}.invalid", questions::unlikely_label(case.plan))).ok();
    let declared = case.plan.view(view).resolvers.get(resolver);
    let told = nowhere.zip(declared).map(|(name, r)| told_by(case, view, &r.value, &name, RecordType::A));
    told.is_some_and(|t| t.replies().any(|(_, reply)| reply.addresses.is_empty()))
}

/// What the resolvers said of the names that are due; of the encrypted ones, or of the others. Silence is no word.
fn heard<'a>(case: &'a Case<'_>, encrypted: bool) -> impl Iterator<Item = Given<'a>> {
    due(case).flat_map(move |(name, view, wanted)| {
        let asked =
            (0..case.plan.view(view).resolvers.len()).filter(move |r| is_encrypted(case, view, *r) == encrypted);
        asked.filter_map(move |resolver| {
            let word = hear_planned(case, name, view, resolver);
            let spoke = word.outcomes.iter().any(|(_, _, o)| o.reply().is_some());
            spoke.then(|| Given { view, resolver, addresses: word.addresses(), wanted })
        })
    })
}

fn due<'a>(case: &'a Case<'_>) -> impl Iterator<Item = Wanted<'a>> {
    let due = case.obligations.iter().enumerate().filter(|(i, _)| case.is_due(*i));
    due.filter_map(|(_, o)| match &*o.claim {
        Claim::Resolves { view, expected } => Some((o.name, *view, &**expected)),
        _ => None,
    })
}

/// True if a resolver was asked for two names of which no right answer has an address that the other's has.
fn have_nothing_in_common(given: &[Given]) -> bool {
    let mut first: BTreeMap<(ViewId, usize), BTreeSet<IpAddr>> = BTreeMap::new();
    given.iter().filter(|g| g.wanted.like.is_empty()).any(|g| {
        let right: BTreeSet<IpAddr> = g.wanted.present.iter().flat_map(|p| p.addresses.iter().copied()).collect();
        match first.get(&(g.view, g.resolver)) {
            Some(other) => !right.is_empty() && right.is_disjoint(other),
            // A name that should be absent answers where a wildcard record stands, too.
            None if right.is_empty() => false,
            None => {
                first.insert((g.view, g.resolver), right);
                false
            }
        }
    })
}
