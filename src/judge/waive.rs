//! What the plan makes of findings: waivers that accept them, severities that it changes.

use super::case::Case;
use super::draft::Draft;
use super::wording;
use crate::model::finding::WaivedBy;

/// Applies the plan's severities. What is `off` is left out of the report, but is remembered: obligations that only it
/// names do not hold, and no error says so.
pub(super) fn severities(case: &Case, drafts: Vec<Draft>) -> (Vec<Draft>, Vec<Draft>) {
    let off = |draft: &Draft| case.plan.severity.get(draft.rule.name).is_some_and(|s| s.value.is_none());
    let (off, mut on): (Vec<Draft>, Vec<Draft>) = drafts.into_iter().partition(off);
    for draft in &mut on {
        if let Some(severity) = case.plan.severity.get(draft.rule.name).and_then(|s| s.value) {
            draft.severity = severity;
        }
    }
    (on, off)
}

/// The waiver that accepts a finding, in words. `until` is its last day, the one before the first instant after it.
pub(super) fn waived(case: &Case, draft: &Draft) -> Option<WaivedBy> {
    let waiver = case.plan.waivers.get(draft.waiver?)?;
    let last = waiver.until.as_ref().and_then(|u| u.value.checked_sub(jiff::SignedDuration::from_secs(1)).ok());
    Some(WaivedBy { reason: waiver.reason.value.clone(), until: last.map(wording::day) })
}
