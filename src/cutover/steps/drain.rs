//! Wait until no cache can return an old answer any more; until then the old servers serve on.

use super::blank;
use crate::cutover::draft::Draft;
use crate::model::cutover::{CacheKey, Ending, StepKind};

pub(in crate::cutover) fn add(draft: &mut Draft, keys: &[CacheKey]) {
    let (waits, not_before) = draft.forgetting(keys);
    if waits.is_empty() && not_before.is_none() {
        return;
    }
    let longest = waits.iter().map(|w| w.seconds).max().unwrap_or(0);
    let what = format!("no cache returns an old answer any more ({longest} s after the last change)");
    let mut step =
        blank(StepKind::Drain, what, "old answers still lead to the old servers, which must serve on until then");
    (step.waits, step.not_before, step.ending) = (waits, not_before, Ending::Observed(0));
    draft.push(step);
}
