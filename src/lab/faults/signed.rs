//! Faults of DNSSEC: what the parent says, what the zone has, and who validates.

use super::super::signed::{self, Flaw};
use super::super::world::{ViewWorld, World};
use crate::model::dns::RecordType;
use crate::model::name::Name;
use crate::model::plan::ViewKind;
use crate::model::records::RecordData;

/// Signed zones with names of the plan that are told of somewhere outside.
pub(super) fn zones(world: &World) -> Vec<String> {
    let has = |zone: &Name| {
        let has = |v: &ViewWorld| has(v, zone, RecordType::Ds);
        outside(world).into_iter().any(|v| world.views.get(v).is_some_and(has))
    };
    signed::declared(&world.plan).into_iter().filter(has).map(|z| z.to_string()).collect()
}

/// Signed zones of which there is one inside and one outside.
pub(super) fn split_zones(world: &World) -> Vec<String> {
    let has = |zone: &String| {
        let name = Name::parse(zone).ok();
        let here = |v: &ViewWorld| name.as_ref().is_some_and(|n| has(v, n, RecordType::Dnskey));
        inside(world).into_iter().any(|v| world.views.get(v).is_some_and(here))
    };
    zones(world).into_iter().filter(has).collect()
}

fn has(view: &ViewWorld, zone: &Name, kind: RecordType) -> bool {
    view.zone.records.get(zone.as_str()).is_some_and(|all| all.iter().any(|r| r.data.kind() == kind))
}

fn of(world: &World, kind: ViewKind) -> Vec<usize> {
    let views = world.plan.views.iter().enumerate();
    views.filter(|(_, v)| v.kind == kind).map(|(i, _)| i).collect()
}

/// The views in which the world outside is seen.
fn outside(world: &World) -> Vec<usize> {
    match of(world, ViewKind::External) {
        none if none.is_empty() => (0..world.plan.views.len()).collect(),
        some => some,
    }
}

fn inside(world: &World) -> Vec<usize> {
    if of(world, ViewKind::External).is_empty() { Vec::new() } else { of(world, ViewKind::Internal) }
}

pub(super) fn keep_old_ds(world: &mut World, zone: &str) {
    let Some(ds) = Name::parse(zone).ok().and_then(|name| signed::ds_of_another(&name)) else { return };
    for view in &mut world.views {
        for record in view.zone.records.get_mut(zone).into_iter().flatten() {
            if matches!(record.data, RecordData::Ds(_)) {
                record.data = RecordData::Ds(ds.clone());
            }
        }
    }
    break_validation(world, zone);
}

/// Whoever validates gets nothing of the zone.
fn break_validation(world: &mut World, zone: &str) {
    for view in outside(world) {
        if let Some(made) = world.views.get_mut(view) {
            made.zone.bogus.insert(zone.to_string());
        }
    }
}

fn sign_badly(world: &mut World, views: Vec<usize>, zone: &str, flaw: Flaw) {
    for view in views {
        if let Some(made) = world.views.get_mut(view) {
            made.zone.flaws.insert(zone.to_string(), flaw);
        }
    }
}

pub(super) fn break_signatures(world: &mut World, zone: &str) {
    break_validation(world, zone);
    sign_badly(world, outside(world), zone, Flaw::Over);
}

pub(super) fn let_expire(world: &mut World, zone: &str) {
    sign_badly(world, outside(world), zone, Flaw::Over);
}

pub(super) fn let_records_expire(world: &mut World, zone: &str) {
    sign_badly(world, outside(world), zone, Flaw::OverButForKeys);
}

pub(super) fn sign_ahead(world: &mut World, zone: &str) {
    sign_badly(world, outside(world), zone, Flaw::Ahead);
}

pub(super) fn forge(world: &mut World, zone: &str) {
    sign_badly(world, outside(world), zone, Flaw::Forged);
}

pub(super) fn forge_addresses(world: &mut World, zone: &str) {
    sign_badly(world, outside(world), zone, Flaw::ForgedAddresses);
}

pub(super) fn let_expire_inside(world: &mut World, zone: &str) {
    sign_badly(world, inside(world), zone, Flaw::Over);
}

pub(super) fn leave_inside_unsigned(world: &mut World, zone: &str) {
    for view in inside(world) {
        let Some(made) = world.views.get_mut(view) else { continue };
        made.zone.bogus.insert(zone.to_string());
        let of_zone = made.zone.records.get_mut(zone);
        of_zone
            .into_iter()
            .for_each(|all| all.retain(|r| !matches!(r.data, RecordData::Dnskey(_) | RecordData::Ds(_))));
    }
}
