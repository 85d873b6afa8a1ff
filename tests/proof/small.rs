//! Small worlds in which steps follow each other within a second: what is there between them may be fetched, and is kept.

use std::collections::BTreeSet;

use coexist::model::cutover::{
    CacheKey, CacheKind, Change, ClientPath, Datum, Ending, HarmClass, NodeId, RecordSet, Serving, Step, StepKind,
    Timeline, Undo, ViewFacts,
};
use coexist::model::name::Name;
use coexist::model::plan::ViewId;
use coexist::model::service::services_of;
use coexist::model::source::Span;

use crate::{by_class, counted, simulate};

const VIEW: ViewId = ViewId(0);

fn name(text: &str) -> Name {
    Name::parse_owner(&format!("{text}.example.com")).unwrap()
}

fn datum(address: &str) -> Datum {
    Datum::Address(address.parse().unwrap())
}

fn created(owner: &str, kind: CacheKind, ttl: u32, datum: Datum) -> Change {
    let key = CacheKey { view: VIEW, owner: name(owner), kind };
    Change::Records { key, old: None, new: Some(RecordSet { ttl, data: BTreeSet::from([datum]) }) }
}

fn step(change: Change, reversible: bool) -> Step {
    Step {
        kind: StepKind::Flip,
        what: "".into(),
        why: "".into(),
        places: Vec::new(),
        view: None,
        changes: vec![change],
        waits: Vec::new(),
        not_before: None,
        at: None,
        in_window: false,
        ending: Ending::Observed(1),
        gate: None,
        verify: None,
        undo: Some(Undo { how: "".into(), settles: 0, commands: Vec::new() }),
        reversible,
        commands: Vec::new(),
        span: Span::default(),
    }
}

/// Clients of `mail`; resolvers keep what they are told for so many seconds at least.
fn world(floor: u32, service: &str, steps: Vec<Step>) -> Timeline {
    let service = services_of(service).unwrap().remove(0);
    let path = ClientPath { view: VIEW, name: name("mail"), entry: CacheKind::A, service, sni: true, by_hsts: false };
    Timeline {
        views: vec![ViewFacts { label: "v0".into(), floor }],
        nodes: vec!["s0".into()],
        paths: vec![path],
        steps,
        ..Timeline::default()
    }
}

#[test]
fn what_held_until_second_0_is_in_caches() {
    let created_first = created("mx", CacheKind::A, 4, datum("10.0.0.2"));
    let then_led_to = created("mail", CacheKind::Cname, 5, Datum::Host(name("mx")));
    let mut timeline = world(1, "https", vec![step(created_first, false), step(then_led_to, false)]);
    let before = CacheKey { view: VIEW, owner: name("mail"), kind: CacheKind::A };
    timeline.world.records.insert(before, RecordSet { ttl: 0, data: BTreeSet::from([datum("10.0.0.2")]) });
    if let Change::Records { key, .. } = &timeline.steps[1].changes[0] {
        let gone = CacheKey { kind: CacheKind::A, ..key.clone() };
        let old = timeline.world.records.get(&gone).cloned();
        timeline.steps[1].changes.push(Change::Records { key: gone, old, new: None });
    }
    timeline.world.used.insert((VIEW, name("mail")));
    let seen = simulate::every_harm(&timeline);
    assert_eq!(seen, BTreeSet::from([(0, HarmClass::NothingListens), (0, HarmClass::BelievedAbsent)]));
    assert_eq!(by_class(&seen), counted(&timeline));
}

#[test]
fn what_is_undone_within_the_second_is_in_caches() {
    let route = Change::Route {
        view: VIEW,
        address: "10.0.0.2".parse().unwrap(),
        old: BTreeSet::new(),
        new: [NodeId(0)].into(),
    };
    let record = created("mail", CacheKind::A, 2, datum("10.0.0.2"));
    let mut timeline = world(0, "smtp", vec![step(route, true), step(record, true)]);
    timeline.world.serving.insert((NodeId(0), 25), Serving::default());
    assert_eq!(simulate::every_harm(&timeline), BTreeSet::new());
    let back = simulate::turned_back(&timeline, 1).unwrap();
    assert_eq!(simulate::every_harm(&back), BTreeSet::from([(0, HarmClass::NothingListens)]));
    assert_eq!(by_class(&simulate::every_harm(&back)), counted(&timeline));
}
