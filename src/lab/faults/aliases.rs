//! Faults of aliases: circles, long ways, and where none can stand.

use super::super::world::World;
use super::super::zone::Entry;
use super::names::{addresses_of, find, pairs, put};
use crate::model::plan::{PlannedName, ViewId};

const TTL: u32 = 300;
/// Links that make a chain longer than every resolver follows.
const LONG: usize = 9;

fn alias(target: &str) -> Entry {
    Entry::Alias { ttl: TTL, target: target.into() }
}

/// A name for what stands behind an alias; wildcards have none below them.
fn behind(name: &str, label: &str) -> String {
    format!("{label}.{}", name.trim_start_matches("*."))
}

fn insert(world: &mut World, view: ViewId, name: String, entry: Entry) {
    world.views[view.0].zone.entries.insert(name, entry);
}

pub(super) fn in_a_circle(world: &mut World, argument: &str) {
    let Some((view, name)) = find(world, argument).map(|(v, n)| (v, n.name.to_string())) else { return };
    let (one, two) = (behind(&name, "one"), behind(&name, "two"));
    put(world, argument, Some(alias(&one)));
    insert(world, view, one.clone(), alias(&two));
    insert(world, view, two, alias(&one));
}

fn has_addresses(world: &World, view: ViewId, name: &PlannedName) -> bool {
    !addresses_of(world, view, name.name.as_str()).is_empty()
}

pub(super) fn resolving(world: &World) -> Vec<String> {
    pairs(world, |view, name| has_addresses(world, view, name))
}

pub(super) fn the_long_way(world: &mut World, argument: &str) {
    lead_through(world, argument, LONG);
}

/// Puts so many aliases before a name's addresses.
fn lead_through(world: &mut World, argument: &str, links: usize) {
    let Some((view, name)) = find(world, argument).map(|(v, n)| (v, n.name.to_string())) else { return };
    let addresses = addresses_of(world, view, &name);
    let hop = |i: usize| behind(&name, &format!("hop{i}"));
    put(world, argument, Some(alias(&hop(1))));
    (1..links).for_each(|i| insert(world, view, hop(i), alias(&hop(i + 1))));
    insert(world, view, hop(links), Entry::Addresses { ttl: TTL, addresses });
}

/// Names that are the apex of a zone of the view, or a mail domain.
pub(super) fn apexes(world: &World) -> Vec<String> {
    pairs(world, |view, name| {
        let zone = world.plan.zones.iter().any(|z| z.views.contains(&view) && z.apex == name.name);
        let mail = world.plan.mail.iter().any(|m| m.domain == name.name);
        (zone || mail) && has_addresses(world, view, name)
    })
}

pub(super) fn at_apex(world: &mut World, argument: &str) {
    lead_through(world, argument, 1);
}
