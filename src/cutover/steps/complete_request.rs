//! Complete the request: on the server that made it, for only there is the key.

use super::{WORK, blank};
use crate::commands::CertificateAct;
use crate::cutover::draft::Draft;
use crate::cutover::needs::Need;
use crate::cutover::typing;
use crate::cutover::words::list;
use crate::model::cutover::{Ending, StepKind};

pub(in crate::cutover) fn add(draft: &mut Draft, needs: &[Need]) {
    let new: Vec<&Need> = needs.iter().filter(|n| n.is_new(draft)).collect();
    if new.is_empty() {
        return;
    }
    let at =
        |n: &&Need| format!("{} on {}", draft.facts.credentials[n.credential].label, draft.nodes[n.requester(draft).0]);
    let mut step = blank(
        StepKind::CompleteRequest,
        list(new.iter().map(at)),
        "what the authority issued is joined with its key, which is nowhere else",
    );
    step.places = new.iter().map(|n| draft.nodes[n.requester(draft).0].clone()).collect();
    let act = |n: &&Need| typing::certificate(draft, n.requester(draft), CertificateAct::Complete);
    step.commands = new.iter().flat_map(act).collect();
    step.ending = Ending::Observed(WORK);
    draft.push(step);
}
