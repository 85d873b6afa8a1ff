//! Switch servers off that no answer leads to any more: the point of no return.

use std::collections::BTreeSet;

use super::{WORK, blank};
use crate::commands::ServerAct;
use crate::cutover::draft::Draft;
use crate::cutover::typing;
use crate::cutover::words::list;
use crate::model::cutover::{Change, Ending, NodeId, StepKind};
use crate::model::phase::Phase;

/// Servers that names led to in an earlier phase, and lead to no more once only the new ones are used.
pub(in crate::cutover) fn add(draft: &mut Draft) {
    if draft.facts.to != Phase::After {
        return;
    }
    let reached = |led: &crate::cutover::reach::Led| led.keys().map(|(n, _)| *n).collect::<BTreeSet<NodeId>>();
    let still = reached(&draft.facts.led[1]);
    let old: Vec<NodeId> = draft
        .earlier_nodes()
        .into_iter()
        .filter(|n| !still.contains(n) && draft.world.serving.keys().any(|(node, _)| node == n))
        .collect();
    if old.is_empty() {
        return;
    }
    let serving = draft.world.serving.iter().filter(|((n, _), _)| old.contains(n));
    let off = |((node, port), serving): (&(NodeId, u16), &crate::model::cutover::Serving)| Change::Serving {
        node: *node,
        port: *port,
        old: Some(serving.clone()),
        new: None,
    };
    let changes: Vec<Change> = serving.map(off).collect();
    let labels: Vec<_> = old.iter().map(|n| draft.nodes[n.0].clone()).collect();
    let keys = super::flip::flipped(draft);
    let mut step = blank(StepKind::DecommissionServer, list(&labels), "no cache leads there any more");
    (step.waits, step.not_before) = draft.forgetting(&keys);
    step.commands = old.iter().flat_map(|n| typing::at_node(draft, *n, ServerAct::Decommission)).collect();
    step.places = labels;
    step.in_window = true;
    step.ending = Ending::Observed(WORK);
    step.reversible = false;
    step.changes = changes;
    draft.push(step);
}
