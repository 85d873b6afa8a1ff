//! Faults of the proxies that lead into views.

use super::super::proxies::Leading;
use super::super::world::World;

/// Views that are reached through a proxy.
pub(super) fn views(world: &World) -> Vec<String> {
    let led = world.plan.views.iter().zip(&world.views).filter(|(_, w)| w.proxy.is_some());
    led.map(|(v, _)| v.label.to_string()).collect()
}

pub(super) fn die(world: &mut World, view: &str) {
    set(world, view, Leading::Dead);
}

pub(super) fn refuse(world: &mut World, view: &str) {
    set(world, view, Leading::Refuses);
}

fn set(world: &mut World, view: &str, leading: Leading) {
    for (planned, made) in world.plan.views.iter().zip(&mut world.views) {
        if *planned.label == *view {
            made.proxy = made.proxy.map(|(kind, _)| (kind, leading));
        }
    }
}
