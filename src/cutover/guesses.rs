//! Times that nobody said or saw, for which the worst case is taken: named in every report.

use std::collections::{BTreeMap, BTreeSet};

use super::draft::Draft;
use super::words::list;
use crate::model::cutover::{CacheKey, CacheKind, Change};
use crate::model::name::Name;
use crate::model::plan::ViewId;

/// Those on which some wait of the steps rests, one line for each view.
pub(super) fn lines(draft: &Draft) -> Vec<String> {
    let mut old: BTreeMap<ViewId, BTreeSet<&Name>> = BTreeMap::new();
    let mut negative: BTreeMap<ViewId, BTreeSet<&Name>> = BTreeMap::new();
    for change in draft.steps.iter().flat_map(|s| &s.changes) {
        let Change::Records { key, old: before, .. } = change else { continue };
        if key.kind == CacheKind::Hsts {
            continue;
        }
        let first = draft.facts.world.records.get(key);
        match before {
            None if !is_seen(draft, key) => drop(negative.entry(key.view).or_default().insert(&key.owner)),
            // Later changes replace what this plan has made.
            Some(set) if first == Some(set) && is_guessed(draft, key) => {
                old.entry(key.view).or_default().insert(&key.owner);
            }
            _ => {}
        }
    }
    let label = |view: &ViewId| draft.label(*view).clone();
    let old = old.iter().map(|(view, owners)| {
        format!(
            "the old TTL in {} of {}: a day is taken, the longest in common use (`ttl-before`, or a recording of an authoritative answer, says better)",
            label(view),
            list(owners)
        )
    });
    let negative = negative.keys().map(|view| {
        format!(
            "the negative TTL in {}: 3 h are taken, the longest that common resolvers keep (a recording in which a name is absent says better)",
            label(view)
        )
    });
    old.chain(negative).collect()
}

fn is_guessed(draft: &Draft, key: &CacheKey) -> bool {
    draft.facts.memory.old_ttl.get(key).is_some_and(|o| !o.known)
}

fn is_seen(draft: &Draft, key: &CacheKey) -> bool {
    let mut zones = draft.facts.zones.iter().filter(|z| z.view == key.view && key.owner.is_under(z.apex.as_str()));
    zones.any(|z| draft.facts.negative_seen.contains(&(z.view, z.apex.clone())))
}
