//! What a picture of a cutover shows: for each name and view what clients are told and when, and when caches mix old and new.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::cutover::{Answer, CacheKey, CacheKind, Change, Cutover, Datum, RecordSet, Second, Step, Timeline};
use crate::model::name::Name;
use crate::model::plan::ViewId;

/// More lanes than this are no picture any more.
pub(super) const MOST: usize = 400;
/// So many stand in one picture.
pub(super) const PICTURE: usize = 40;

/// What a lane is about: a kind of record or policy; addresses of both families and aliases are one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct About(CacheKind);

impl About {
    fn of(kind: CacheKind) -> Self {
        match kind {
            CacheKind::A | CacheKind::Aaaa | CacheKind::Cname => Self(CacheKind::A),
            kind => Self(kind),
        }
    }

    /// What stands behind the name of its lane; nothing for addresses.
    pub fn word(self) -> &'static str {
        match self.0 {
            CacheKind::A => "",
            kind => kind.word(),
        }
    }

    fn kinds(self) -> &'static [CacheKind] {
        match self.0 {
            CacheKind::Mx => &[CacheKind::Mx],
            CacheKind::Srv => &[CacheKind::Srv],
            CacheKind::Https => &[CacheKind::Https],
            CacheKind::Tlsa => &[CacheKind::Tlsa],
            CacheKind::MtaSts => &[CacheKind::MtaSts],
            CacheKind::Hsts => &[CacheKind::Hsts],
            CacheKind::Url => &[CacheKind::Url],
            CacheKind::A | CacheKind::Aaaa | CacheKind::Cname => &[CacheKind::Cname, CacheKind::A, CacheKind::Aaaa],
        }
    }
}

/// One name in one view, and what is told of it.
pub(super) struct Lane {
    pub view: ViewId,
    pub name: Name,
    pub about: About,
    /// What clients are told, from which second on; the first begins at 0.
    pub values: Vec<(Second, String)>,
    /// From when until when caches may return old answers beside the new.
    pub mixed: Vec<(Second, Second)>,
}

/// Whose lane it is.
type Whose = (Name, About, ViewId);

/// A lane for each name and view of which clients are told something new, in the order of the names.
pub(super) fn lanes(cutover: &Cutover) -> Vec<Lane> {
    let timeline = &cutover.timeline;
    let mut lanes: BTreeMap<Whose, Lane> = BTreeMap::new();
    let mut world = timeline.world.clone();
    for (step, when) in timeline.steps.iter().zip(&cutover.schedule) {
        let touched = touched(step);
        for whose in &touched {
            let lane = lanes.entry(whose.clone()).or_insert_with(|| Lane {
                view: whose.2,
                name: whose.0.clone(),
                about: whose.1,
                values: vec![(0, value(timeline, &world.records, whose))],
                mixed: Vec::new(),
            });
            lane.mixed.extend(mixed(timeline, step, whose).map(|hold| (when.start, when.end + hold)));
        }
        step.changes.iter().for_each(|change| world.apply(change));
        for whose in &touched {
            let now = value(timeline, &world.records, whose);
            if let Some(lane) = lanes.get_mut(whose).filter(|l| l.values.last().is_none_or(|v| v.1 != now)) {
                lane.values.push((when.start, now));
            }
        }
    }
    lanes.into_values().filter(|lane| lane.values.len() > 1).collect()
}

fn touched(step: &Step) -> BTreeSet<Whose> {
    let of = |change: &Change| match change {
        Change::Records { key, .. } => Some((key.owner.clone(), About::of(key.kind), key.view)),
        _ => None,
    };
    step.changes.iter().filter_map(of).collect()
}

/// For how long the old answers may be kept, where a step changes more than their TTL.
fn mixed(timeline: &Timeline, step: &Step, (name, about, view): &Whose) -> Option<Second> {
    let data = |answer: &Answer| answer.as_ref().map(|set| set.data.clone());
    let is_mine = |key: &CacheKey| key.view == *view && key.owner == *name && About::of(key.kind) == *about;
    let holds = step.changes.iter().filter_map(|change| match change {
        Change::Records { key, old, new } if is_mine(key) && data(old) != data(new) => match old {
            Some(old) => Some(old.ttl),
            None if key.kind.is_dns() => Some(negative(timeline, *view, name)),
            // Nobody keeps that there is no policy.
            None => None,
        },
        _ => None,
    });
    let floor = timeline.views.get(view.0).filter(|_| about.0.is_dns()).map_or(0, |v| v.floor);
    holds.max().map(|ttl| Second::from(ttl.max(floor)) + Second::from(timeline.slack))
}

fn negative(timeline: &Timeline, view: ViewId, name: &Name) -> u32 {
    let zones = timeline.zones.iter().filter(|z| z.view == view && name.is_under(z.apex.as_str()));
    zones.max_by_key(|z| z.apex.as_str().len()).map_or(timeline.negative_ttl, |z| z.negative_ttl)
}

/// What clients are told: the nodes behind addresses, or the addresses; hosts; certificates; or `absent`.
fn value(timeline: &Timeline, records: &BTreeMap<CacheKey, RecordSet>, (name, about, view): &Whose) -> String {
    let of = |kind: &CacheKind| records.get(&CacheKey { view: *view, owner: name.clone(), kind: *kind });
    let mut all: Vec<String> = Vec::new();
    for datum in about.kinds().iter().filter_map(of).flat_map(|s| &s.data) {
        let text = match datum {
            Datum::Address(address) => match timeline.world.routes.get(&(*view, *address)) {
                Some(nodes) if (1..=2).contains(&nodes.len()) => {
                    nodes.iter().map(|n| timeline.node(*n)).collect::<Vec<_>>().join(" and ")
                }
                _ => address.to_string(),
            },
            Datum::Host(host) | Datum::Elsewhere(host) => host.as_str().to_string(),
            Datum::Certificate(index) => {
                timeline.credentials.get(*index).map_or_else(String::new, |c| c.label.to_string())
            }
        };
        if !all.contains(&text) {
            all.push(text);
        }
    }
    if all.is_empty() { "absent".into() } else { all.join(", ") }
}
