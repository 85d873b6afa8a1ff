//! Let a server send its web clients on: only to names that are there, and believed to be there, in every view.

use std::collections::BTreeSet;

use super::{QUICK, blank, words};
use crate::commands::ServerAct;
use crate::cutover::draft::Draft;
use crate::cutover::typing;
use crate::cutover::words::list;
use crate::model::cutover::{CacheKey, Change, Ending, NodeId, Script, StepKind, Undo};
use crate::model::name::Name;

/// Redirects that begin.
pub(in crate::cutover) fn add(draft: &mut Draft) {
    change(draft, true);
}

/// Redirects that end.
pub(in crate::cutover) fn end(draft: &mut Draft) {
    change(draft, false);
}

/// The names that redirects of the goal lead to.
pub(in crate::cutover) fn targets(draft: &Draft) -> Vec<Name> {
    let all: BTreeSet<Name> = draft.facts.goal.redirects.values().flatten().cloned().collect();
    all.into_iter().collect()
}

fn change(draft: &mut Draft, begins: bool) {
    let (now, goal) = (&draft.world.redirects, &draft.facts.goal.redirects);
    let nodes: BTreeSet<NodeId> = now.keys().chain(goal.keys()).copied().collect();
    let mut changes = Vec::new();
    for node in nodes {
        let old = now.get(&node).cloned().unwrap_or_default();
        let wanted = goal.get(&node).cloned().unwrap_or_default();
        let new: BTreeSet<Name> = match begins {
            true => old.union(&wanted).cloned().collect(),
            false => old.intersection(&wanted).cloned().collect(),
        };
        if old != new {
            changes.push(Change::Redirect { node, old, new });
        }
    }
    if !changes.is_empty() {
        push(draft, changes, begins);
    }
}

fn push(draft: &mut Draft, mut changes: Vec<Change>, begins: bool) {
    let names: BTreeSet<Name> = changes.iter().flat_map(|c| moved(c, begins)).collect();
    let places: Vec<std::sync::Arc<str>> = changes.iter().filter_map(|c| node(draft, c)).collect();
    let commands = changes.iter().flat_map(|c| scripts(draft, c)).collect();
    let undo = changes.iter().flat_map(|c| scripts(draft, &c.undone())).collect();
    let (verb, why) = match begins {
        true => ("to", "users whose data is still on the old servers are sent there"),
        false => ("no longer to", "the old servers are left"),
    };
    let mut step = blank(StepKind::SetRedirect, format!("{} sends users {verb} {}", list(&places), list(&names)), why);
    if begins {
        let views: Vec<_> = draft.plan.view_ids().collect();
        let keys: Vec<CacheKey> =
            views.iter().flat_map(|v| names.iter().flat_map(|n| super::set_url::keys(draft, *v, n))).collect();
        (step.waits, step.not_before) = draft.forgetting(&keys);
        changes.extend(used(draft, &names));
    }
    step.in_window = true;
    step.places = places;
    step.ending = Ending::Observed(QUICK);
    step.commands = commands;
    step.span = names.iter().find_map(|n| draft.name(n)).map(|n| n.span).unwrap_or_default();
    let is_used = changes.iter().any(|c| matches!(c, Change::Used { .. }));
    let settles = if is_used { QUICK.max(draft.url_hold()) } else { QUICK };
    step.undo = Some(Undo { how: "set back the redirect that was there".into(), settles, commands: undo });
    step.changes = changes;
    draft.push(step);
}

/// Clients who are sent to a name use it.
fn used(draft: &Draft, names: &BTreeSet<Name>) -> Vec<Change> {
    let new = draft.facts.goal.used.iter().filter(|u| names.contains(&u.1) && !draft.world.used.contains(u));
    new.map(|(view, name)| Change::Used { view: *view, name: name.clone(), new: true }).collect()
}

fn moved(change: &Change, begins: bool) -> Vec<Name> {
    match change {
        Change::Redirect { old, new, .. } if begins => new.difference(old).cloned().collect(),
        Change::Redirect { old, new, .. } => old.difference(new).cloned().collect(),
        _ => Vec::new(),
    }
}

fn node(draft: &Draft, change: &Change) -> Option<std::sync::Arc<str>> {
    match change {
        Change::Redirect { node, .. } => draft.nodes.get(node.0).cloned(),
        _ => None,
    }
}

/// One redirect of a server: to the first of its names, for products know one; and the whole in words.
fn scripts(draft: &Draft, change: &Change) -> Vec<Script> {
    let Change::Redirect { node: at, new, .. } = change else { return Vec::new() };
    let mut out = typing::at_node(draft, *at, ServerAct::SetRedirect { host: new.first().cloned() });
    if new.len() > 1 {
        out.push(words(&draft.nodes[at.0], [draft.line(change)]));
    }
    out
}
