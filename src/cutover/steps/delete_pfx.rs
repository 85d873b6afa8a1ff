//! Delete the files in which a key travelled.

use super::{QUICK, blank};
use crate::commands::CertificateAct;
use crate::cutover::draft::Draft;
use crate::cutover::typing;
use crate::cutover::words::list;
use crate::model::cutover::{Ending, NodeId, StepKind};

pub(in crate::cutover) fn add(draft: &mut Draft) {
    let travelled = |kind| draft.last(kind).map(|i| draft.steps[i].places.clone()).unwrap_or_default();
    let mut places = travelled(StepKind::ExportCertificate);
    places.extend(travelled(StepKind::ImportCertificate));
    places.sort();
    places.dedup();
    if places.is_empty() {
        return;
    }
    let what = format!("delete the files with keys on {}", list(&places));
    let mut step = blank(StepKind::DeletePfx, what, "whoever finds the file has the key");
    let node = |p: &std::sync::Arc<str>| draft.nodes.iter().position(|n| n == p).map(NodeId);
    let act = |n| typing::certificate(draft, n, CertificateAct::DeleteCopies);
    step.commands = places.iter().filter_map(node).flat_map(act).collect();
    step.places = places;
    step.ending = Ending::Observed(QUICK);
    draft.push(step);
}
