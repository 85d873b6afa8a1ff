//! Faults of answers: addresses of the other side, of another time, or of one resolver only.

use std::net::IpAddr;

use super::super::world::World;
use super::super::zone::told;
use super::names::{addresses_of, elsewhere, find, pairs, put, to, views_of, wanted};
use crate::model::phase::{Moment, Phase};
use crate::model::plan::{PlannedName, Table, Target, ViewId, ViewKind, Wanted};
use crate::model::probes::is_private;

/// How long absence is cached where nobody thought of it, in seconds.
const DAY: u32 = 86_400;

/// The addresses that a name has on the other side, if all of them are private, or public, and the view has others.
fn across(world: &World, view: ViewId, name: &PlannedName, private: bool) -> Option<Vec<IpAddr>> {
    let own = addresses_of(world, view, name.name.as_str());
    let (kind, there) = match private {
        true => (ViewKind::External, ViewKind::Internal),
        false => (ViewKind::Internal, ViewKind::External),
    };
    let fits = |all: &Vec<IpAddr>| !all.is_empty() && all.iter().all(|a| is_private(*a) == private && !own.contains(a));
    let sets = views_of(world, there).into_iter().map(|v| addresses_of(world, v, name.name.as_str()));
    let split = own.iter().any(|a| is_private(*a) != private);
    sets.filter(|_| world.plan.view(view).kind == kind && split).find(fits)
}

fn lead_across(world: &mut World, argument: &str, private: bool) {
    let found = find(world, argument).and_then(|(view, name)| across(world, view, name, private));
    if let Some(addresses) = found {
        put(world, argument, Some(to(addresses)));
    }
}

pub(super) fn private_inside(world: &World) -> Vec<String> {
    pairs(world, |view, name| across(world, view, name, true).is_some())
}

pub(super) fn publish_private(world: &mut World, argument: &str) {
    lead_across(world, argument, true);
}

pub(super) fn public_outside(world: &World) -> Vec<String> {
    pairs(world, |view, name| across(world, view, name, false).is_some())
}

pub(super) fn hairpin(world: &mut World, argument: &str) {
    lead_across(world, argument, false);
}

/// The addresses of a phase that is not that of a steady moment, where they are others.
fn other_generation(world: &World, view: ViewId, name: &PlannedName) -> Option<Vec<IpAddr>> {
    let Moment::Steady(_) = world.moments[view.0] else { return None };
    let own = addresses_of(world, view, name.name.as_str());
    let sets = Phase::ALL.into_iter().map(|phase| wanted(world, view, name, phase));
    sets.filter(|_| !own.is_empty()).find(|all| !all.is_empty() && all.iter().all(|a| !own.contains(a)))
}

pub(super) fn with_other_generation(world: &World) -> Vec<String> {
    pairs(world, |view, name| other_generation(world, view, name).is_some())
}

pub(super) fn mix(world: &mut World, argument: &str) {
    let both = find(world, argument).and_then(|(view, name)| {
        let mut all = addresses_of(world, view, name.name.as_str());
        all.extend(other_generation(world, view, name)?);
        Some(all)
    });
    if let Some(addresses) = both {
        put(world, argument, Some(to(addresses)));
    }
}

/// Where a name of [legacy] led before it was to be gone.
fn left_behind(world: &World, view: ViewId, name: &PlannedName) -> Option<Vec<IpAddr>> {
    let gone = *name.wanted(view, Phase::After) == Wanted::Absent;
    let after = world.moments[view.0] == Moment::Steady(Phase::After);
    let addresses = wanted(world, view, name, Phase::Coexistence);
    (gone && after && name.table == Table::Legacy && !addresses.is_empty()).then_some(addresses)
}

pub(super) fn retired(world: &World) -> Vec<String> {
    let names = world.plan.names.iter();
    let left = names.filter(|n| world.plan.view_ids().any(|v| left_behind(world, v, n).is_some()));
    left.map(|n| n.name.to_string()).collect()
}

pub(super) fn keep_retired(world: &mut World, name: &str) {
    let Some(planned) = world.plan.names.iter().find(|n| n.name.as_str() == name) else { return };
    let all: Vec<(ViewId, Vec<IpAddr>)> =
        world.plan.view_ids().filter_map(|v| Some((v, left_behind(world, v, planned)?))).collect();
    for (view, addresses) in all {
        world.views[view.0].zone.entries.insert(name.to_string(), to(addresses));
    }
}

/// What one resolver may still, or already, say: in a change of phases the other side's answer, else a wrong one.
fn other_answer(world: &World, view: ViewId, name: &PlannedName) -> Option<Vec<IpAddr>> {
    let own = addresses_of(world, view, name.name.as_str());
    let target = |t: &Target| !matches!(t, Target::Server(id) if world.plan.server(*id).host.is_some());
    let (_, second) = world.moments[view.0].phases();
    match second {
        None => elsewhere(world, view, name),
        Some(phase) => {
            let new = wanted(world, view, name, phase);
            let ours = told(name, view, world.moments[view.0]).is_some_and(|(targets, _)| targets.iter().all(target));
            (ours && !new.is_empty() && new.iter().all(|a| !own.contains(a))).then_some(new)
        }
    }
}

pub(super) fn of_several(world: &World) -> Vec<String> {
    let several = |view: ViewId| world.views[view.0].resolvers.len() > 1;
    pairs(world, |view, name| several(view) && other_answer(world, view, name).is_some())
}

pub(super) fn answer_apart(world: &mut World, argument: &str) {
    let found = find(world, argument).and_then(|(view, name)| {
        let addresses = other_answer(world, view, name)?;
        Some((view, name.name.to_string(), addresses))
    });
    if let Some((view, name, addresses)) = found {
        world.views[view.0].apart.insert(name, to(addresses));
    }
}

pub(super) fn cache_absence(world: &mut World, view: &str) {
    for (planned, made) in world.plan.views.iter().zip(&mut world.views) {
        if *planned.label == *view {
            made.zone.negative_ttl = DAY;
        }
    }
}
