//! Take a node out of rotation while its certificate changes: a pool shows one certificate at a time, and a restart drops
//! nobody.

use std::collections::BTreeSet;

use super::{blank, repoint_address};
use crate::commands::ServerAct;
use crate::cutover::draft::Draft;
use crate::cutover::typing;
use crate::model::cutover::{Change, NodeId, Step, StepKind};

pub(in crate::cutover) fn add(draft: &mut Draft, node: NodeId) {
    let changes = moves(draft, node, |set| set.contains(&node) && set.len() > 1, |set| _ = set.remove(&node));
    let why = "its certificate changes now; the other members take its clients";
    push(draft, node, blank(StepKind::TakeOutOfRotation, draft.nodes[node.0].clone(), why), changes);
}

/// Changes of the addresses behind which some set of nodes stands.
pub(super) fn moves(
    draft: &Draft,
    node: NodeId,
    is_meant: impl Fn(&BTreeSet<NodeId>) -> bool,
    change: impl Fn(&mut BTreeSet<NodeId>),
) -> Vec<Change> {
    let pooled = draft.facts.world.routes.iter().filter(|(_, set)| set.contains(&node) && set.len() > 1);
    let mut out = Vec::new();
    for ((view, address), _) in pooled {
        let old = draft.world.routes.get(&(*view, *address)).cloned().unwrap_or_default();
        if is_meant(&old) {
            let mut new = old.clone();
            change(&mut new);
            out.push(Change::Route { view: *view, address: *address, old, new });
        }
    }
    out
}

pub(super) fn push(draft: &mut Draft, node: NodeId, step: Step, changes: Vec<Change>) {
    if changes.is_empty() {
        return;
    }
    let is_out = step.kind == StepKind::TakeOutOfRotation;
    let mut step = repoint_address::routed(draft, step, changes);
    if let Some(member) = typing::member(draft, node) {
        let [out, back] =
            [ServerAct::TakeOut { node: member.clone(), pool: None }, ServerAct::PutBack { node: member, pool: None }];
        let (act, undo) = if is_out { (out, back) } else { (back, out) };
        step.commands.extend(typing::at_node(draft, node, act));
        if let Some(way_back) = &mut step.undo {
            way_back.commands.extend(typing::at_node(draft, node, undo));
        }
    }
    step.places = vec![draft.nodes[node.0].clone()];
    draft.push(step);
}
