//! Create records that did not exist. Caches that remember their absence believe it for as long as the zone's negative TTL.

use super::{blank, check, of_records};
use crate::cutover::draft::Draft;
use crate::cutover::words::list;
use crate::model::cutover::{CacheKey, CacheKind, Change, StepKind, Undo};
use crate::model::plan::ViewId;

/// Names that have no address and no alias in the view yet.
pub(in crate::cutover) fn add(draft: &mut Draft, view: ViewId) {
    let wanted =
        draft.facts.goal.sets.keys().filter(|k| k.view == view && (is_address(k.kind) || k.kind == CacheKind::Https));
    let new = wanted.filter(|k| !draft.stands(view, &k.owner)).cloned().collect();
    add_keys(draft, view, new, "whoever is told the name has to find it");
}

/// Records of services that do not exist yet; they lead to hosts that do.
pub(in crate::cutover) fn add_services(draft: &mut Draft, view: ViewId) {
    let wanted = draft.facts.goal.sets.keys().filter(|k| k.view == view && k.kind == CacheKind::Srv);
    let new = wanted.filter(|k| !draft.world.records.contains_key(k)).cloned().collect();
    add_keys(draft, view, new, "clients look for the service there");
}

fn is_address(kind: CacheKind) -> bool {
    matches!(kind, CacheKind::A | CacheKind::Aaaa | CacheKind::Cname)
}

fn add_keys(draft: &mut Draft, view: ViewId, new: Vec<CacheKey>, why: &'static str) {
    if new.is_empty() {
        return;
    }
    let change = |key: &CacheKey| {
        let data = draft.facts.goal.sets.get(key).cloned().unwrap_or_default();
        draft.becomes(key, Some((data, draft.low_ttl(&key.owner))))
    };
    let changes: Vec<Change> = new.iter().map(change).collect();
    let mut owners: Vec<_> = new.iter().map(|k| k.owner.clone()).collect();
    owners.dedup();
    let hosts: Vec<CacheKey> = changes.iter().flat_map(|c| leads_to(view, c)).collect();
    let (waits, not_before) = draft.forgetting(&hosts);
    let step = blank(StepKind::CreateRecord, format!("{}: {}", draft.label(view), list(owners)), why);
    let mut step = of_records(draft, step, view, changes);
    (step.waits, step.not_before) = (waits, not_before);
    step.verify = Some(check(draft, &format!("--ready-for {} --only dns", draft.facts.to)));
    step.undo = step.undo.map(|u| Undo { how: "delete them; nobody has been told of them yet".into(), ..u });
    draft.push(step);
}

/// The keys of the hosts that a record leads to.
fn leads_to(view: ViewId, change: &Change) -> Vec<CacheKey> {
    let Change::Records { new: Some(set), .. } = change else { return Vec::new() };
    let hosts = set.data.iter().filter_map(|d| match d {
        crate::model::cutover::Datum::Host(host) => Some(Draft::address_keys(view, host)),
        _ => None,
    });
    hosts.flatten().collect()
}
