//! Change who takes a domain's mail: only to hosts that are there and ready.

use super::{blank, check, of_records};
use crate::cutover::draft::Draft;
use crate::cutover::words::{data, list};
use crate::model::cutover::{CacheKey, CacheKind, Change, StepKind, Undo};
use crate::model::plan::ViewId;

/// The RRsets of the view that lead to other hosts in the end.
fn keys(draft: &Draft, view: ViewId) -> Vec<CacheKey> {
    let all = draft.world.records.keys().chain(draft.facts.goal.sets.keys());
    let mut keys: Vec<CacheKey> = all
        .filter(|k| k.view == view && matches!(k.kind, CacheKind::Mx | CacheKind::Srv))
        .filter(|k| draft.differs(k) && draft.facts.goal.sets.contains_key(k))
        .cloned()
        .collect();
    keys.sort();
    keys.dedup();
    keys
}

/// True if mail of the view goes elsewhere in the end.
pub(in crate::cutover) fn is_due(draft: &Draft, view: ViewId) -> bool {
    !keys(draft, view).is_empty()
}

pub(in crate::cutover) fn add(draft: &mut Draft, view: ViewId) {
    let keys = keys(draft, view);
    if keys.is_empty() {
        return;
    }
    let goal = &draft.facts.goal.sets;
    let change = |k: &CacheKey| draft.becomes(k, goal.get(k).cloned().map(|d| (d, draft.low_ttl(&k.owner))));
    let changes: Vec<Change> = keys.iter().map(change).collect();
    let moved = |k: &CacheKey| {
        let old = draft.now(k).map_or("absent".into(), |s| data(&s.data));
        format!("{} {old} -> {}", k.owner, goal.get(k).map(data).unwrap_or_default())
    };
    let what = format!("{}: {}", draft.label(view), list(keys.iter().map(moved)));
    let mut on_the_way = keys.clone();
    for datum in keys.iter().filter_map(|k| goal.get(k)).flatten() {
        if let crate::model::cutover::Datum::Host(host) = datum {
            on_the_way.extend(Draft::address_keys(view, host));
            on_the_way.extend(super::change_tlsa::keys_of(draft, view, [host]));
        }
    }
    on_the_way.extend(super::change_mta_sts::keys_of(view, keys.iter().map(|k| &k.owner)));
    let (waits, not_before) = draft.forgetting(&on_the_way);
    let step = blank(StepKind::ChangeMx, what, "mail goes to the new hosts, which are there and ready");
    let mut step = of_records(draft, step, view, changes);
    (step.waits, step.not_before, step.in_window) = (waits, not_before, true);
    step.waits.extend(super::change_spf::waits(draft, view));
    step.verify = Some(check(draft, &format!("--phase {}", draft.facts.to)));
    step.undo = step.undo.map(|u| Undo { how: "the old MX again".into(), ..u });
    draft.push(step);
}
