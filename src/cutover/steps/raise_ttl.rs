//! Raise TTLs again, once nobody will want to go back soon.

use super::{blank, of_records};
use crate::cutover::draft::Draft;
use crate::cutover::words::list;
use crate::model::cutover::{CacheKey, CacheKind, Change, RecordSet, StepKind, Undo, Wait};
use crate::model::plan::ViewId;

/// So long everything has to be well first, in seconds.
const GOOD_DAYS: u32 = 3 * 86_400;
/// The TTL that a record gets of which nobody knows what it had, in seconds.
const USUAL: u32 = 3_600;

pub(in crate::cutover) fn add(draft: &mut Draft, view: ViewId, after: Option<usize>) {
    let all = draft.world.records.iter().filter(|(k, _)| k.view == view);
    let changes: Vec<Change> = all.filter_map(|(key, set)| raised(draft, key, set)).collect();
    if changes.is_empty() {
        return;
    }
    let what = format!("{}: {}", draft.label(view), list(changes.iter().map(|c| short(draft, c))));
    let step =
        blank(StepKind::RaiseTtl, what, "short TTLs cost queries; the way back is as long as the TTL from now on");
    let mut step = of_records(draft, step, view, changes);
    let why = "three good days";
    step.waits = after.map(|after| Wait { after, seconds: GOOD_DAYS, why: why.into() }).into_iter().collect();
    step.undo = step.undo.map(|u| Undo { how: "lower them again".into(), ..u });
    draft.push(step);
}

/// What was lowered for the change, by this plan or before it.
fn raised(draft: &Draft, key: &CacheKey, set: &RecordSet) -> Option<Change> {
    let name = draft.name(&key.owner);
    if name.is_some_and(|n| n.ttl.is_some()) || key.kind == CacheKind::Hsts {
        return None;
    }
    let touched = draft.facts.world.records.get(key) != Some(set);
    let old = draft.facts.memory.old_ttl.get(key).filter(|o| o.known).map(|o| o.ttl);
    let before = name.and_then(|n| n.ttl_before.as_ref()).map(|t| t.value);
    let ttl = match (touched, before.max(old)) {
        (_, Some(ttl)) => ttl,
        (true, None) => USUAL,
        (false, None) => return None,
    };
    (ttl > set.ttl).then(|| draft.becomes(key, Some((set.data.clone(), ttl))))
}

fn short(draft: &Draft, change: &Change) -> String {
    match change {
        Change::Records { key, old: Some(old), new: Some(new) } => {
            format!("{} {} {} -> {}", key.owner, key.kind.word(), old.ttl, new.ttl)
        }
        other => draft.line(other),
    }
}
