//! Lower TTLs: the values stay, so that caches forget the old ones soon after the flip. It takes as long as the old TTL
//! until every cache has the short one.

use super::{blank, check, of_records};
use crate::cutover::draft::Draft;
use crate::cutover::words::list;
use crate::model::cutover::{CacheKey, CacheKind, Change, StepKind};
use crate::model::plan::ViewId;

pub(in crate::cutover) fn add(draft: &mut Draft, view: ViewId) {
    let changes = lowered(draft, view);
    if changes.is_empty() {
        return;
    }
    let what = format!("{}: {}; values stay", draft.label(view), list(changes.iter().map(|c| short(draft, c))));
    let step =
        blank(StepKind::LowerTtl, what, "after the flip caches forget the old values soon, and the way back is short");
    let mut step = of_records(draft, step, view, changes);
    step.verify = Some(check(
        draft,
        &format!("--ready-for {} --only dns --view {}", draft.facts.to, crate::commands::posix(draft.label(view))),
    ));
    draft.push(step);
}

/// The records that will change, and live longer than they should then: whatever an owner has, for its addresses move
/// together.
fn lowered(draft: &Draft, view: ViewId) -> Vec<Change> {
    let owners = draft.unsettled(view);
    let moves = |key: &CacheKey| match key.kind {
        CacheKind::A | CacheKind::Aaaa | CacheKind::Cname | CacheKind::Https => owners.contains(&key.owner),
        CacheKind::Mx | CacheKind::Srv => draft.differs(key),
        _ => false,
    };
    let all = draft.world.records.iter().filter(|(k, _)| k.view == view && moves(k));
    let low = |(key, set): (&CacheKey, &crate::model::cutover::RecordSet)| {
        let ttl = draft.low_ttl(&key.owner);
        (ttl < set.ttl).then(|| draft.becomes(key, Some((set.data.clone(), ttl))))
    };
    all.filter_map(low).collect()
}

fn short(draft: &Draft, change: &Change) -> String {
    match change {
        Change::Records { key, old: Some(old), new: Some(new) } => {
            format!("{} {} {} -> {}", key.owner, key.kind.word(), old.ttl, new.ttl)
        }
        other => draft.line(other),
    }
}
