//! Take a certificate out of use, once no client is led there under a name that only it covers.

use super::{bind_certificate, blank};
use crate::cutover::draft::Draft;
use crate::cutover::needs;
use crate::cutover::words::list;
use crate::model::cutover::StepKind;

pub(in crate::cutover) fn add(draft: &mut Draft) {
    let changes = needs::left_over(draft);
    if changes.is_empty() {
        return;
    }
    let what = list(changes.iter().map(|c| draft.line(c)));
    let step = blank(StepKind::RetireCertificate, what, "no answer leads here under its names any more");
    let keys = super::flip::flipped(draft);
    let mut step = bind_certificate::serving(draft, step, changes);
    (step.waits, step.not_before) = draft.forgetting(&keys);
    (step.undo, step.reversible) = (None, false);
    draft.push(step);
}
