//! Put a node back into rotation once it serves its new certificate.

use super::blank;
use super::take_out_of_rotation::{moves, push};
use crate::cutover::draft::Draft;
use crate::model::cutover::{NodeId, StepKind};

pub(in crate::cutover) fn add(draft: &mut Draft, node: NodeId) {
    let changes = moves(draft, node, |set| !set.contains(&node), |set| _ = set.insert(node));
    let why = "it serves the new certificate";
    push(draft, node, blank(StepKind::PutIntoRotation, draft.nodes[node.0].clone(), why), changes);
}
