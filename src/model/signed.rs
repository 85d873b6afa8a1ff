//! Zones whose DNSSEC is looked at: the parent's DS records, and where there are some, the keys.

use std::collections::BTreeSet;

use super::name::Name;
use super::phase::Phase;
use super::plan::{Plan, PlannedName, ViewId, ViewKind, Wanted};
use super::questions;

/// Zones whose DS records are asked for, at most.
pub const ZONES: usize = 64;

/// The zones of the plan that a parent can sign for: its zones and mail domains, and the registrable domains of its names, in
/// the plan's order.
pub fn zones(plan: &Plan) -> Vec<Name> {
    let mut out: Vec<Name> = Vec::new();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    // Below a suffix that nobody registers there is no parent to ask.
    let public = |n: &Name| psl::suffix(n.as_str().as_bytes()).is_some_and(|s| s.is_known());
    for zone in questions::domains(plan).into_iter().filter(public) {
        if seen.insert(zone.to_string()) {
            out.push(zone);
        }
    }
    // Many names have few parents: each is looked at once.
    let mut above: BTreeSet<&str> = BTreeSet::new();
    let names = plan.names.iter().filter(|n| n.wanted.iter().flatten().any(|w| w.value != Wanted::Unconstrained));
    for name in names {
        let new = name.name.parent().is_none_or(|parent| above.insert(parent));
        let domain = psl::domain_str(name.name.as_str()).filter(|_| new).and_then(|d| Name::parse(d).ok());
        out.extend(domain.filter(|d| public(d) && seen.insert(d.to_string())));
    }
    out.truncate(ZONES);
    out
}

/// Names of a zone whose own signatures are looked at in a view, at most.
pub const NAMES: usize = 16;

/// The first names of the plan in or below a zone that lead somewhere in a view at some time, in the plan's order.
pub fn names<'a>(plan: &'a Plan, view: ViewId, zone: &'a Name) -> impl Iterator<Item = Name> + 'a {
    let leads = move |n: &&PlannedName| Phase::ALL.into_iter().any(|p| matches!(n.wanted(view, p), Wanted::Targets(_)));
    let below = plan.names.iter().filter(|n| n.name.is_under(zone.as_str()));
    below.filter(leads).map(|n| n.name.probe()).take(NAMES)
}

/// The zone of a name among some, the nearest.
pub fn zone_of<'a>(zones: &'a [Name], name: &Name) -> Option<&'a Name> {
    zones.iter().filter(|z| name == *z || name.is_under(z.as_str())).max_by_key(|z| z.as_str().len())
}

/// The views whose own keys are held against what the world outside is told: the internal ones, where there are both.
pub fn inward(plan: &Plan) -> Vec<ViewId> {
    let of = |kind| plan.view_ids().filter(|v| plan.view(*v).kind == kind).collect::<Vec<_>>();
    if of(ViewKind::External).is_empty() { Vec::new() } else { of(ViewKind::Internal) }
}
