//! Take a node out of rotation while its certificate changes: a pool shows one certificate at a time, and a restart drops
//! nobody.

use std::collections::BTreeSet;

use super::{blank, repoint_address};
use crate::commands::ServerAct;
use crate::cutover::draft::Draft;
use crate::cutover::{nodes, typing};
use crate::model::cutover::{Change, NodeId, Script, Step, StepKind};
use crate::model::plan::PoolId;

/// Versions without component states.
const OLDER: [&str; 3] = ["exchange-2003", "exchange-2007", "exchange-2010"];

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
    let pools = pools(draft, &changes);
    let mut step = repoint_address::routed(draft, step, changes);
    let (there, back) = (scripts(draft, node, &pools, is_out), scripts(draft, node, &pools, !is_out));
    step.commands.extend(there);
    if let Some(way_back) = &mut step.undo {
        way_back.commands.extend(back);
    }
    step.places = vec![draft.nodes[node.0].clone()];
    draft.push(step);
}

/// The pools behind whose addresses something changes.
fn pools(draft: &Draft, changes: &[Change]) -> Vec<PoolId> {
    let leads = |pool: &PoolId| {
        changes.iter().any(|c| match c {
            Change::Route { view, address, .. } => draft.plan.pool(*pool).addresses[view.0].contains(address),
            _ => false,
        })
    };
    (0..draft.plan.pools.len()).map(PoolId).filter(leads).collect()
}

/// What to type on the node itself, where its product has a word for it, and what is done at each balancer.
fn scripts(draft: &Draft, node: NodeId, pools: &[PoolId], is_out: bool) -> Vec<Script> {
    let Some(member) = typing::member(draft, node) else { return Vec::new() };
    let act = |pool: Option<String>| match is_out {
        true => ServerAct::TakeOut { node: member.clone(), pool },
        false => ServerAct::PutBack { node: member.clone(), pool },
    };
    let mut out = Vec::new();
    // Exchange has component states since 2013; others are told at the balancer alone.
    let knows = |p: &str| p.starts_with("exchange-") && !OLDER.contains(&p);
    if nodes::product(draft.plan, node).is_some_and(knows) {
        out.extend(typing::at_node(draft, node, act(None)));
    }
    for pool in pools {
        let label = draft.plan.pool(*pool).label.to_string();
        out.extend(typing::at_node(draft, nodes::of_pool(draft.plan, *pool), act(Some(label))));
    }
    out
}
