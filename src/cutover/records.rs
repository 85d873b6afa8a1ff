//! What DNS says by the plan in a phase.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use super::policies;
use crate::model::cutover::{CacheKey, CacheKind, Datum};
use crate::model::dns::RecordType;
use crate::model::name::Name;
use crate::model::phase::Phase;
use crate::model::plan::{Plan, PlannedName, Target, ViewId, Wanted};
use crate::model::questions;
use crate::model::records::RecordData;

/// Data by what they are about.
pub(super) type Sets = BTreeMap<CacheKey, BTreeSet<Datum>>;

/// What DNS says in each view, whose phase is told by index.
pub(super) fn declared(plan: &Plan, phases: &[Phase]) -> Sets {
    let mut sets = Sets::new();
    let known = names(plan);
    for (view, phase) in plan.view_ids().zip(phases) {
        for name in &plan.names {
            sets.extend(of_name(plan, &known, name, view, *phase));
        }
        of_mail(plan, &known, view, *phase, &mut sets);
        of_records(plan, &known, view, *phase, &mut sets);
        policies::https(plan, &known, view, *phase, &mut sets);
        policies::mta_sts(plan, view, *phase, &mut sets);
    }
    sets
}

/// The plan's names, to be looked up.
pub(super) type Names<'a> = HashMap<&'a Name, &'a PlannedName>;

/// All of them.
pub(super) fn names(plan: &Plan) -> Names<'_> {
    plan.names.iter().map(|n| (&n.name, n)).collect()
}

/// The kind of an address.
pub(super) fn kind_of(address: IpAddr) -> CacheKind {
    if address.is_ipv4() { CacheKind::A } else { CacheKind::Aaaa }
}

fn of_name(plan: &Plan, known: &Names, name: &PlannedName, view: ViewId, phase: Phase) -> Sets {
    let Wanted::Targets(targets) = name.wanted(view, phase) else { return Sets::new() };
    let mut sets = Sets::new();
    let mut add = |owner: &Name, kind, datum| {
        sets.entry(CacheKey { view, owner: owner.clone(), kind }).or_default().insert(datum);
    };
    let addresses = targets.iter().flat_map(|t| plan.target_addresses(*t, view, phase));
    let foreign = targets.iter().find_map(|t| foreign_host(plan, *t));
    match (&name.cname, foreign) {
        (Some(alias), foreign) => {
            add(&name.name, CacheKind::Cname, host(known, &alias.value, foreign == Some(&alias.value)));
            let stands_alone = !known.contains_key(&alias.value);
            for address in addresses.filter(|_| stands_alone) {
                add(&alias.value, kind_of(address), Datum::Address(address));
            }
        }
        (None, Some(foreign)) => add(&name.name, CacheKind::Cname, Datum::Elsewhere(foreign.clone())),
        (None, None) => addresses.for_each(|a| add(&name.name, kind_of(a), Datum::Address(a))),
    }
    sets
}

fn host(known: &Names, name: &Name, foreign: bool) -> Datum {
    match foreign && !known.contains_key(name) {
        true => Datum::Elsewhere(name.clone()),
        false => Datum::Host(name.clone()),
    }
}

/// Somebody else's host, where the target is one.
pub(super) fn foreign_host(plan: &Plan, target: Target) -> Option<&Name> {
    match target {
        Target::Server(id) => plan.server(id).host.as_ref().map(|h| &h.value),
        Target::Pool(_) => None,
    }
}

fn of_mail(plan: &Plan, known: &Names, view: ViewId, phase: Phase, sets: &mut Sets) {
    if !questions::outward(plan).contains(&view) {
        return;
    }
    for mail in &plan.mail {
        for host in policies::exchanges(mail, phase) {
            let key = CacheKey { view, owner: mail.domain.clone(), kind: CacheKind::Mx };
            sets.entry(key).or_default().insert(known_host(known, host));
        }
    }
}

/// A host of the plan, or one of whose addresses nothing is known.
pub(super) fn known_host(known: &Names, name: &Name) -> Datum {
    match known.contains_key(name) {
        true => Datum::Host(name.clone()),
        false => Datum::Elsewhere(name.clone()),
    }
}

/// `[records]` has no phases: a record that leads to a host of the plan is there once the host is.
fn of_records(plan: &Plan, known: &Names, view: ViewId, phase: Phase, sets: &mut Sets) {
    for record in plan.records.iter().filter(|r| r.kind == RecordType::Srv.word()) {
        let values = record.values.get(view.0).into_iter().flatten().flatten();
        let parsed: Vec<RecordData> = values.filter_map(|v| RecordData::parse(RecordType::Srv, v)).collect();
        let hosts: BTreeSet<Name> =
            parsed.iter().filter_map(|r| r.host()).filter_map(|(h, _)| Name::parse(h).ok()).collect();
        let stands = |host: &Name| known.get(host).is_none_or(|n| matches!(n.wanted(view, phase), Wanted::Targets(_)));
        if !hosts.is_empty() && hosts.iter().all(stands) {
            let key = CacheKey { view, owner: record.owner.clone(), kind: CacheKind::Srv };
            sets.insert(key, hosts.iter().map(|h| known_host(known, h)).collect());
        }
    }
}
