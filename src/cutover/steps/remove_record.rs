//! Remove records that nobody is told of any more.

use super::{blank, check, of_records};
use crate::cutover::draft::Draft;
use crate::cutover::words::list;
use crate::model::cutover::{CacheKey, CacheKind, Change, StepKind, Undo};
use crate::model::plan::ViewId;

/// The records of the view that are there and not wanted.
fn gone(draft: &Draft, view: ViewId) -> Vec<CacheKey> {
    let all = draft.world.records.keys().filter(|k| k.view == view && !draft.facts.goal.sets.contains_key(k));
    all.filter(|k| k.kind != CacheKind::Hsts).cloned().collect()
}

/// True if something is to be removed.
pub(in crate::cutover) fn is_due(draft: &Draft, view: ViewId) -> bool {
    !gone(draft, view).is_empty()
}

pub(in crate::cutover) fn add(draft: &mut Draft, view: ViewId) {
    let gone = gone(draft, view);
    if gone.is_empty() {
        return;
    }
    let changes: Vec<Change> = gone.iter().map(|k| draft.becomes(k, None)).collect();
    let mut owners: Vec<_> = gone.iter().map(|k| k.owner.clone()).collect();
    owners.dedup();
    let (waits, not_before) = draft.forgetting(&gone);
    let step = blank(
        StepKind::RemoveRecord,
        format!("{}: {}", draft.label(view), list(owners)),
        "nobody is told of it any more",
    );
    let mut step = of_records(draft, step, view, changes);
    (step.waits, step.not_before, step.in_window) = (waits, not_before, true);
    step.waits.extend(draft.forgetting_urls(&gone));
    step.verify = Some(check(draft, &format!("--phase {} --only dns", draft.facts.to)));
    step.undo =
        step.undo.map(|u| Undo { how: "create them again; caches may believe them absent for a while".into(), ..u });
    draft.push(step);
}
