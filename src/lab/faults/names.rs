//! Faults of names: what the views' resolvers know.

use std::net::{IpAddr, Ipv6Addr};

use super::super::world::World;
use super::super::zone::{Entry, flips, nothing};
use crate::model::plan::{PlannedName, PoolId, ServerId, Table, Target, ViewId, ViewKind, Wanted};

/// A documentation address (RFC 3849) that no plan uses.
const STRAY: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0xdead, 0, 0, 0, 0, 1));
/// TTL that nobody lowered, where the plan does not say what it was.
const LONG_TTL: u32 = 3600;

/// `VIEW/NAME` for every name that has records in a view, if they fit.
pub(super) fn pairs(world: &World, fits: impl Fn(ViewId, &PlannedName) -> bool) -> Vec<String> {
    let mut out = Vec::new();
    for view in world.plan.view_ids() {
        let there = |n: &&PlannedName| world.views[view.0].zone.entries.contains_key(n.name.as_str());
        for name in world.plan.names.iter().filter(there).filter(|n| fits(view, n)) {
            out.push(format!("{}/{}", world.plan.view(view).label, name.name));
        }
    }
    out
}

/// Names that fit.
fn names(world: &World, fits: impl Fn(&PlannedName) -> bool) -> Vec<String> {
    world.plan.names.iter().filter(|n| fits(n)).map(|n| n.name.to_string()).collect()
}

pub(super) fn find<'a>(world: &'a World, argument: &str) -> Option<(ViewId, &'a PlannedName)> {
    let (view, name) = argument.rsplit_once('/')?;
    let view = world.plan.views.iter().position(|v| *v.label == *view)?;
    Some((ViewId(view), world.plan.names.iter().find(|n| n.name.as_str() == name)?))
}

pub(super) fn put(world: &mut World, argument: &str, entry: Option<Entry>) {
    let Some((view, name)) = find(world, argument).map(|(v, n)| (v, n.name.to_string())) else { return };
    let entries = &mut world.views[view.0].zone.entries;
    match entry {
        Some(entry) => entries.insert(name, entry),
        None => entries.remove(&name),
    };
}

pub(super) fn addresses_of(world: &World, view: ViewId, name: &str) -> Vec<IpAddr> {
    world.views[view.0].zone.addresses_of(&name.replacen("*.", "coexist-probe.", 1))
}

pub(super) fn views_of(world: &World, kind: ViewKind) -> Vec<ViewId> {
    world.plan.view_ids().filter(|v| world.plan.view(*v).kind == kind).collect()
}

fn is_in(world: &World, view: ViewId, name: &PlannedName) -> bool {
    world.views[view.0].zone.entries.contains_key(name.name.as_str())
}

pub(super) fn to(addresses: Vec<IpAddr>) -> Entry {
    Entry::Addresses { ttl: 300, addresses }
}

pub(super) fn resolving(world: &World) -> Vec<String> {
    pairs(world, |_, _| true)
}

pub(super) fn remove(world: &mut World, argument: &str) {
    put(world, argument, None);
}

pub(super) fn empty(world: &mut World, argument: &str) {
    put(world, argument, Some(nothing()));
}

pub(super) fn fail(world: &mut World, argument: &str) {
    put(world, argument, Some(Entry::Fails));
}

pub(super) fn dangle(world: &mut World, argument: &str) {
    put(world, argument, Some(Entry::Alias { ttl: 300, target: "gone.invalid".into() }));
}

/// Where the name leads in no phase of the moment: a target of another phase first, as after a forgotten flip.
pub(super) fn elsewhere(world: &World, view: ViewId, name: &PlannedName) -> Option<Vec<IpAddr>> {
    let (p, q) = world.moments[view.0].phases();
    let right: Vec<IpAddr> = [Some(p), q].into_iter().flatten().flat_map(|f| wanted(world, view, name, f)).collect();
    let present = addresses_of(world, view, name.name.as_str());
    let others = crate::model::phase::Phase::ALL.into_iter().map(|f| wanted(world, view, name, f));
    let servers = (0..world.plan.servers.len()).map(|i| Target::Server(ServerId(i)));
    let pools = (0..world.plan.pools.len()).map(|i| Target::Pool(PoolId(i)));
    let any = servers.chain(pools).map(|t| world.plan.target_addresses(t, view, p));
    let wrong = |a: &IpAddr| !right.contains(a) && !present.contains(a);
    others.chain(any).find(|set| !set.is_empty() && set.iter().all(wrong))
}

pub(super) fn wanted(
    world: &World,
    view: ViewId,
    name: &PlannedName,
    phase: crate::model::phase::Phase,
) -> Vec<IpAddr> {
    match name.wanted(view, phase) {
        Wanted::Targets(targets) => targets.iter().flat_map(|t| world.plan.target_addresses(*t, view, phase)).collect(),
        _ => Vec::new(),
    }
}

pub(super) fn misleadable(world: &World) -> Vec<String> {
    pairs(world, |view, name| elsewhere(world, view, name).is_some())
}

pub(super) fn mislead(world: &mut World, argument: &str) {
    let wrong = find(world, argument).and_then(|(view, name)| elsewhere(world, view, name));
    if let Some(addresses) = wrong {
        put(world, argument, Some(to(addresses)));
    }
}

pub(super) fn with_addresses(world: &World) -> Vec<String> {
    pairs(world, |view, name| {
        matches!(world.views[view.0].zone.entries.get(name.name.as_str()), Some(Entry::Addresses { .. }))
    })
}

pub(super) fn add_stray(world: &mut World, argument: &str) {
    let Some((view, name)) = find(world, argument).map(|(v, n)| (v, n.name.to_string())) else { return };
    if let Some(Entry::Addresses { addresses, .. }) = world.views[view.0].zone.entries.get_mut(&name) {
        addresses.push(STRAY);
    }
}

pub(super) fn legacy_both_sides(world: &World) -> Vec<String> {
    let there = |name: &PlannedName, kind| views_of(world, kind).into_iter().any(|v| is_in(world, v, name));
    let both = |n: &PlannedName| there(n, ViewKind::Internal) && there(n, ViewKind::External);
    names(world, |n| n.table == Table::Legacy && both(n))
}

pub(super) fn keep_inside(world: &mut World, name: &str) {
    for view in views_of(world, ViewKind::External) {
        world.views[view.0].zone.entries.remove(name);
    }
}

/// Where a primary name leads in the view, if that is elsewhere than the legacy name.
fn primary(world: &World, view: ViewId, legacy: &PlannedName) -> Option<Vec<IpAddr>> {
    if !is_in(world, view, legacy) {
        return None;
    }
    let own = addresses_of(world, view, legacy.name.as_str());
    let primaries = world.plan.names.iter().filter(|n| n.table == Table::Internet);
    let lead = |n: &PlannedName| addresses_of(world, view, n.name.as_str());
    primaries.map(lead).find(|a| !a.is_empty() && a.iter().all(|a| !own.contains(a)))
}

pub(super) fn legacy_apart(world: &World) -> Vec<String> {
    let apart = |n: &PlannedName| world.plan.view_ids().any(|v| primary(world, v, n).is_some());
    names(world, |n| n.table == Table::Legacy && apart(n))
}

pub(super) fn join_primary(world: &mut World, legacy: &str) {
    for view in world.plan.view_ids() {
        let name = world.plan.names.iter().find(|n| n.name.as_str() == legacy);
        if let Some(addresses) = name.and_then(|n| primary(world, view, n)) {
            world.views[view.0].zone.entries.insert(legacy.to_string(), to(addresses));
        }
    }
}

fn is_forbidden(world: &World, view: ViewId, name: &PlannedName) -> bool {
    *name.wanted(view, world.moments[view.0].phases().0) == Wanted::Forbidden
}

/// The addresses of a name inside, if it is forbidden somewhere outside.
fn inside(world: &World, name: &PlannedName) -> Vec<IpAddr> {
    let forbidden = world.plan.view_ids().any(|v| is_forbidden(world, v, name));
    let views = views_of(world, ViewKind::Internal).into_iter().filter(|_| forbidden);
    views.map(|v| addresses_of(world, v, name.name.as_str())).find(|a| !a.is_empty()).unwrap_or_default()
}

pub(super) fn forbidden_outside(world: &World) -> Vec<String> {
    names(world, |n| !inside(world, n).is_empty())
}

pub(super) fn leak(world: &mut World, name: &str) {
    let Some(planned) = world.plan.names.iter().find(|n| n.name.as_str() == name) else { return };
    let addresses = inside(world, planned);
    let views: Vec<ViewId> = world.plan.view_ids().filter(|v| is_forbidden(world, *v, planned)).collect();
    for view in views {
        world.views[view.0].zone.entries.insert(name.to_string(), to(addresses.clone()));
    }
}

pub(super) fn flipping(world: &World) -> Vec<String> {
    let flips = |n: &PlannedName| {
        world.plan.view_ids().any(|v| flips(&world.plan, n, v, world.moments[v.0]) && is_in(world, v, n))
    };
    names(world, flips)
}

pub(super) fn keep_long_ttl(world: &mut World, name: &str) {
    let Some(planned) = world.plan.names.iter().find(|n| n.name.as_str() == name) else { return };
    let low = world.plan.cutover.low_ttl;
    let declared = planned.ttl_before.as_ref().or(planned.ttl.as_ref()).map_or(LONG_TTL, |t| t.value);
    let long = if declared > low { declared } else { low.saturating_mul(10).max(LONG_TTL) };
    let views: Vec<ViewId> =
        world.plan.view_ids().filter(|v| flips(&world.plan, planned, *v, world.moments[v.0])).collect();
    for view in views {
        world.views[view.0].zone.set_ttls(name, |_| long);
    }
}
