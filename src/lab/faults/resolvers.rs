//! Faults of resolvers: whether and how they answer.

use super::super::world::{Mood, ViewWorld, World};
use crate::model::dns::Transport;
use crate::model::plan::ViewKind;

fn labels(world: &World, fits: impl Fn(&ViewWorld) -> bool) -> Vec<String> {
    let views = world.plan.views.iter().zip(&world.views);
    views.filter(|(_, w)| fits(w)).map(|(v, _)| v.label.to_string()).collect()
}

fn set(world: &mut World, view: &str, mood: Mood, how_many: usize) {
    for (planned, made) in world.plan.views.iter().zip(&mut world.views) {
        if *planned.label == *view {
            made.resolvers.iter_mut().take(how_many).for_each(|(_, m)| *m = mood);
        }
    }
}

pub(super) fn views(world: &World) -> Vec<String> {
    labels(world, |view| !view.resolvers.is_empty())
}

pub(super) fn views_with_several(world: &World) -> Vec<String> {
    labels(world, |view| view.resolvers.len() > 1)
}

/// Views all of whose resolvers are asked over UDP.
pub(super) fn views_in_clear(world: &World) -> Vec<String> {
    let clear = |view: &ViewWorld| view.resolvers.iter().all(|(r, _)| r.transport == Transport::Udp);
    labels(world, |view| !view.resolvers.is_empty() && clear(view))
}

pub(super) fn silence_all(world: &mut World, view: &str) {
    set(world, view, Mood::Silent, usize::MAX);
}

pub(super) fn silence_one(world: &mut World, view: &str) {
    set(world, view, Mood::Silent, 1);
}

pub(super) fn refuse(world: &mut World, view: &str) {
    set(world, view, Mood::Refuses, usize::MAX);
}

pub(super) fn fail(world: &mut World, view: &str) {
    set(world, view, Mood::Fails, usize::MAX);
}

pub(super) fn garble(world: &mut World, view: &str) {
    set(world, view, Mood::Garbles, usize::MAX);
}

pub(super) fn truncate(world: &mut World, view: &str) {
    set(world, view, Mood::Truncates, usize::MAX);
}

fn first(world: &World, kind: ViewKind) -> Option<usize> {
    world.plan.views.iter().position(|v| v.kind == kind)
}

pub(super) fn two_sides(world: &World) -> Vec<String> {
    let both = first(world, ViewKind::Internal).and(first(world, ViewKind::External));
    both.map(|_| String::new()).into_iter().collect()
}

pub(super) fn intercept(world: &mut World, _: &str) {
    let inside = first(world, ViewKind::Internal);
    for (planned, made) in world.plan.views.iter().zip(&mut world.views) {
        if planned.kind == ViewKind::External {
            made.intercepted_by = inside;
        }
    }
}
