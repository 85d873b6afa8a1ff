//! What the plan makes of findings: waivers that accept them, severities that it changes.

use std::collections::BTreeSet;

use super::case::Case;
use super::draft::Draft;
use super::wording;
use crate::model::finding::WaivedBy;
use crate::model::plan::{Plan, Waiver};

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

/// What a waiver's `on` may stand for: a waiver names one thing, and one that could mean several accepts nothing.
pub(super) fn meanings(plan: &Plan, waiver: &Waiver) -> Vec<&'static str> {
    let Some(on) = waiver.on.as_ref().map(|on| on.value.as_str()) else { return Vec::new() };
    let kinds = [
        ("a server", plan.servers.iter().any(|s| *s.label == *on)),
        ("a pool", plan.pools.iter().any(|p| *p.label == *on)),
        ("a certificate", plan.certificates.iter().any(|c| *c.label == *on)),
        ("a view", plan.views.iter().any(|v| *v.label == *on)),
        ("a name", plan.names.iter().any(|n| n.name.as_str() == on)),
    ];
    kinds.into_iter().filter(|(_, is)| *is).map(|(kind, _)| kind).collect()
}

/// Who follows from what is waived is waived with it, by the same waiver: `reasons` are the drafts that explain each
/// draft wholly, and all of them must be waived.
pub(super) fn with_their_cause(drafts: &mut [Draft], reasons: &[BTreeSet<usize>]) {
    // Each round reaches one step further; there are no longer ways than there are drafts.
    for _ in 0..drafts.len() {
        let follows: Vec<(usize, usize)> = (0..drafts.len())
            .filter(|i| drafts[*i].waiver.is_none() && !drafts[*i].open_question)
            .filter_map(|i| {
                let waivers: Option<Vec<usize>> = reasons[i].iter().map(|cause| drafts[*cause].waiver).collect();
                Some((i, *waivers?.first()?))
            })
            .collect();
        if follows.is_empty() {
            return;
        }
        follows.into_iter().for_each(|(i, waiver)| drafts[i].waiver = Some(waiver));
    }
}

/// The waiver that accepts a finding, in words. `until` is its last day, the one before the first instant after it.
pub(super) fn waived(case: &Case, draft: &Draft) -> Option<WaivedBy> {
    let waiver = case.plan.waivers.get(draft.waiver?)?;
    let last = waiver.until.as_ref().and_then(|u| u.value.checked_sub(jiff::SignedDuration::from_secs(1)).ok());
    Some(WaivedBy { reason: waiver.reason.value.clone(), until: last.map(wording::day) })
}
