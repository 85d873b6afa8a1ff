//! What a picture of a cutover shows: for each name and view where it leads and when, and when caches mix old and new.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::cutover::{Answer, CacheKey, CacheKind, Change, Cutover, Datum, RecordSet, Second, Step, Timeline};
use crate::model::name::Name;
use crate::model::plan::ViewId;

/// More lanes than this are no picture any more.
pub(super) const MOST: usize = 60;

/// One name in one view.
pub(super) struct Lane {
    pub view: ViewId,
    pub name: Name,
    /// Where it leads, from which second on; the first begins at 0.
    pub values: Vec<(Second, String)>,
    /// From when until when caches may return old answers beside the new.
    pub mixed: Vec<(Second, Second)>,
}

/// A lane for each name and view whose addresses or alias change, in the order of the names.
pub(super) fn lanes(cutover: &Cutover) -> Vec<Lane> {
    let timeline = &cutover.timeline;
    let mut lanes: BTreeMap<(Name, ViewId), Lane> = BTreeMap::new();
    let mut world = timeline.world.clone();
    for (step, when) in timeline.steps.iter().zip(&cutover.schedule) {
        for (view, name) in touched(step) {
            let lane = lanes.entry((name.clone(), view)).or_insert_with(|| Lane {
                view,
                name: name.clone(),
                values: vec![(0, value(timeline, &world.records, view, &name))],
                mixed: Vec::new(),
            });
            lane.mixed.extend(mixed(timeline, step, view, &name).map(|hold| (when.start, when.end + hold)));
        }
        step.changes.iter().for_each(|change| world.apply(change));
        for (view, name) in touched(step) {
            let now = value(timeline, &world.records, view, &name);
            if let Some(lane) = lanes.get_mut(&(name, view)).filter(|l| l.values.last().is_none_or(|v| v.1 != now)) {
                lane.values.push((when.start, now));
            }
        }
    }
    lanes.into_values().filter(|lane| lane.values.len() > 1).collect()
}

/// The names whose addresses or alias a step touches.
fn touched(step: &Step) -> BTreeSet<(ViewId, Name)> {
    let of = |change: &Change| match change {
        Change::Records { key, .. } if leads(key.kind) => Some((key.view, key.owner.clone())),
        _ => None,
    };
    step.changes.iter().filter_map(of).collect()
}

fn leads(kind: CacheKind) -> bool {
    matches!(kind, CacheKind::A | CacheKind::Aaaa | CacheKind::Cname)
}

/// For how long the old answers may be kept, where a step changes more than their TTL.
fn mixed(timeline: &Timeline, step: &Step, view: ViewId, name: &Name) -> Option<Second> {
    let data = |answer: &Answer| answer.as_ref().map(|set| set.data.clone());
    let holds = step.changes.iter().filter_map(|change| match change {
        Change::Records { key, old, new } if key.view == view && key.owner == *name && leads(key.kind) => {
            (data(old) != data(new)).then(|| old.as_ref().map_or_else(|| negative(timeline, view, name), |o| o.ttl))
        }
        _ => None,
    });
    let floor = timeline.views.get(view.0).map_or(0, |v| v.floor);
    holds.max().map(|ttl| Second::from(ttl.max(floor)) + Second::from(timeline.slack))
}

fn negative(timeline: &Timeline, view: ViewId, name: &Name) -> u32 {
    let zones = timeline.zones.iter().filter(|z| z.view == view && name.is_under(z.apex.as_str()));
    zones.max_by_key(|z| z.apex.as_str().len()).map_or(timeline.negative_ttl, |z| z.negative_ttl)
}

/// Where a name leads: the nodes behind its addresses, or the addresses, an alias, or `absent`.
fn value(timeline: &Timeline, records: &BTreeMap<CacheKey, RecordSet>, view: ViewId, name: &Name) -> String {
    let of = |kind| records.get(&CacheKey { view, owner: name.clone(), kind });
    let mut all: Vec<String> = Vec::new();
    for datum in [CacheKind::Cname, CacheKind::A, CacheKind::Aaaa].into_iter().filter_map(of).flat_map(|s| &s.data) {
        let text = match datum {
            Datum::Address(address) => match timeline.world.routes.get(&(view, *address)) {
                Some(nodes) if (1..=2).contains(&nodes.len()) => {
                    nodes.iter().map(|n| timeline.node(*n)).collect::<Vec<_>>().join(" and ")
                }
                _ => address.to_string(),
            },
            Datum::Host(host) | Datum::Elsewhere(host) => host.as_str().to_string(),
            Datum::Certificate(_) => continue,
        };
        if !all.contains(&text) {
            all.push(text);
        }
    }
    if all.is_empty() { "absent".into() } else { all.join(", ") }
}
