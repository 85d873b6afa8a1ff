//! Let names lead to other addresses: A and AAAA together, each view on its own.

use super::{blank, check, of_records};
use crate::cutover::draft::Draft;
use crate::cutover::words::{answer, list};
use crate::model::cutover::{CacheKey, CacheKind, Change, StepKind, Undo};
use crate::model::name::Name;
use crate::model::plan::ViewId;

pub(in crate::cutover) fn add(draft: &mut Draft, view: ViewId) {
    let owners: Vec<Name> = owners(draft, view);
    let changes: Vec<Change> = owners.iter().flat_map(|owner| of_owner(draft, view, owner)).collect();
    if changes.is_empty() {
        return;
    }
    let keys: Vec<CacheKey> = owners.iter().flat_map(|o| moving(view, o)).collect();
    let mut on_the_way = keys;
    on_the_way.extend(super::change_tlsa::keys_of(draft, view, &owners));
    let (waits, not_before) = draft.forgetting(&on_the_way);
    let moves = list(owners.iter().map(|o| moved(draft, view, o)));
    let step = blank(
        StepKind::Flip,
        format!("{}: {moves}", draft.label(view)),
        "from now on new answers lead to the new servers; both serve until the old answers are gone",
    );
    let mut step = of_records(draft, step, view, changes);
    (step.waits, step.not_before, step.in_window) = (waits, not_before, true);
    if super::change_spf::are_exchanges(draft, &owners) {
        step.waits.extend(super::change_spf::waits(draft, view));
    }
    step.verify =
        Some(check(draft, &format!("--phase {} --view {}", draft.facts.to, crate::commands::posix(draft.label(view)))));
    step.undo = step.undo.map(|u| Undo { how: "flip back".into(), ..u });
    draft.push(step);
}

/// Names that are there, and lead elsewhere in the end.
fn owners(draft: &Draft, view: ViewId) -> Vec<Name> {
    let unsettled = draft.unsettled(view).into_iter();
    unsettled.filter(|o| draft.stands(view, o) && draft.is_wanted(view, o)).collect()
}

fn of_owner(draft: &Draft, view: ViewId, owner: &Name) -> Vec<Change> {
    let keys = moving(view, owner).into_iter().filter(|k| draft.differs(k));
    let low = draft.low_ttl(owner);
    let new = |key: &CacheKey| draft.facts.goal.sets.get(key).cloned().map(|data| (data, low));
    keys.map(|key| draft.becomes(&key, new(&key))).collect()
}

/// What moves together: addresses, and the hints at them (RFC 9460 section 7.3).
fn moving(view: ViewId, owner: &Name) -> Vec<CacheKey> {
    let hints = CacheKey { view, owner: owner.clone(), kind: CacheKind::Https };
    Draft::address_keys(view, owner).into_iter().chain([hints]).collect()
}

fn moved(draft: &Draft, view: ViewId, owner: &Name) -> String {
    let keys = Draft::address_keys(view, owner);
    let all = |of: &dyn Fn(&CacheKey) -> Option<String>| {
        let texts: Vec<String> = keys.iter().filter_map(of).collect();
        texts.join(", ")
    };
    let old = all(&|k| draft.now(k).map(|set| answer(&Some(set))));
    let new = all(&|k| draft.facts.goal.sets.get(k).map(crate::cutover::words::data));
    format!("{owner} {old} -> {new}")
}

/// The keys that flips of this plan have changed, and of which caches may remember what was there before.
pub(in crate::cutover) fn flipped(draft: &Draft) -> Vec<CacheKey> {
    let kinds = [StepKind::Flip, StepKind::ChangeMx, StepKind::RemoveRecord];
    let steps = draft.steps.iter().filter(|s| kinds.contains(&s.kind));
    let keys = steps.flat_map(|s| &s.changes).filter_map(|c| match c {
        Change::Records { key, .. } => Some(key.clone()),
        _ => None,
    });
    // What browsers remember of a site leads nowhere of itself.
    keys.chain(draft.remembered().cloned()).filter(|key| key.kind != CacheKind::Hsts).collect()
}

/// True if some name of the view leads elsewhere in the end.
pub(in crate::cutover) fn is_due(draft: &Draft, view: ViewId) -> bool {
    !owners(draft, view).is_empty()
}
