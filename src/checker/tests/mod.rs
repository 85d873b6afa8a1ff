//! One small cutover, and what becomes of it when one thing is wrong: `mail` moves from an old server to a new one, and the old
//! users are sent to `legacy`.

use std::collections::BTreeSet;

use super::{mend, prove};
use crate::model::cutover::{
    CacheKey, CacheKind, Change, ClientPath, Credential, Datum, Ending, HarmClass, Moved, NodeId, RecordSet, Serving,
    Step, StepKind, Timeline, Undo, Verdict, ViewFacts, Wait, ZoneFacts,
};
use crate::model::name::Name;
use crate::model::plan::ViewId;
use crate::model::service::services_of;
use crate::model::source::Span;

const VIEW: ViewId = ViewId(0);
const OLD: NodeId = NodeId(0);
const NEW: NodeId = NodeId(1);
/// Covers mail alone; covers both names.
const SINGLE: usize = 0;
const BOTH: usize = 1;

fn name(text: &str) -> Name {
    Name::parse(&format!("{text}.domain.com")).unwrap()
}

fn a(address: &str, ttl: u32) -> RecordSet {
    RecordSet { ttl, data: BTreeSet::from([Datum::Address(address.parse().unwrap())]) }
}

fn key(owner: &str) -> CacheKey {
    CacheKey { view: VIEW, owner: name(owner), kind: CacheKind::A }
}

fn serves(certificate: usize) -> Option<Serving> {
    Some(Serving { default: vec![certificate], ..Serving::default() })
}

fn step(kind: StepKind, changes: Vec<Change>, waits: &[(usize, u32)]) -> Step {
    let wait = |(after, seconds): &(usize, u32)| Wait { after: *after, seconds: *seconds, why: "".into() };
    Step {
        kind,
        what: kind.word().into(),
        why: "".into(),
        places: Vec::new(),
        view: Some(VIEW),
        changes,
        waits: waits.iter().map(wait).collect(),
        not_before: None,
        at: None,
        in_window: false,
        ending: Ending::Observed(60),
        gate: None,
        verify: None,
        undo: Some(Undo { how: "".into(), settles: 4000, commands: Vec::new() }),
        reversible: true,
        commands: Vec::new(),
        span: Span::default(),
    }
}

const IMPORT: usize = 1;
const CREATE: usize = 2;
const REDIRECT: usize = 3;
const FLIP: usize = 4;
const RETIRE: usize = 5;

/// TTL 3600 to 300; import; create legacy, believed after 900 s; redirect; flip after the old TTL; the old certificate goes
/// when caches have drained.
fn cutover() -> Timeline {
    let records = |owner, old, new| Change::Records { key: key(owner), old, new };
    let old = |ttl| Some(a("10.0.0.3", ttl));
    let path = |owner, service: &str| ClientPath {
        view: VIEW,
        name: name(owner),
        entry: CacheKind::A,
        service: services_of(service).unwrap().remove(0),
        sni: true,
        by_hsts: false,
    };
    let credential = |label: &str, names: &[&str]| Credential {
        label: label.into(),
        names: Some(names.iter().map(|n| format!("{n}.domain.com")).collect()),
        valid_from: None,
        valid_until: None,
        trusted: Some(BTreeSet::from([VIEW])),
    };
    let serving = |old, new| Change::Serving { node: OLD, port: 443, old, new };
    let mut timeline = Timeline {
        views: vec![ViewFacts { label: "external".into(), floor: 0 }],
        zones: vec![ZoneFacts { view: VIEW, apex: Name::parse("domain.com").unwrap(), negative_ttl: 900 }],
        nodes: vec!["ex2003-fe".into(), "ex2010".into()],
        credentials: vec![credential("old", &["mail"]), credential("san", &["mail", "legacy"])],
        paths: vec![path("mail", "https"), path("legacy", "https")],
        steps: vec![
            step(StepKind::LowerTtl, vec![records("mail", old(3600), old(300))], &[]),
            step(StepKind::ImportCertificate, vec![serving(serves(SINGLE), serves(BOTH))], &[]),
            step(StepKind::CreateRecord, vec![records("legacy", None, old(300))], &[]),
            step(
                StepKind::SetRedirect,
                vec![Change::Redirect { node: NEW, old: BTreeSet::new(), new: BTreeSet::from([name("legacy")]) }],
                &[(CREATE, 900)],
            ),
            step(StepKind::Flip, vec![records("mail", old(300), Some(a("10.0.0.10", 300)))], &[(0, 3600)]),
            step(StepKind::RetireCertificate, vec![serving(serves(BOTH), None)], &[(FLIP, 300)]),
        ],
        ..Timeline::default()
    };
    timeline.world.records.insert(key("mail"), a("10.0.0.3", 3600));
    timeline.world.used.insert((VIEW, name("mail")));
    for (address, node) in [("10.0.0.3", OLD), ("10.0.0.10", NEW)] {
        timeline.world.routes.insert((VIEW, address.parse().unwrap()), BTreeSet::from([node]));
    }
    timeline.world.serving.insert((OLD, 443), serves(SINGLE).unwrap());
    timeline.world.serving.insert((NEW, 443), serves(BOTH).unwrap());
    timeline
}

/// Without its last step.
pub(crate) fn coexistence() -> Timeline {
    let mut timeline = cutover();
    timeline.steps.truncate(RETIRE);
    timeline
}

fn classes(timeline: &Timeline) -> Vec<HarmClass> {
    prove(timeline).harms.iter().map(|w| w.class).collect()
}

#[test]
fn the_clean_cutover_is_safe_and_says_how_safe() {
    let proof = prove(&coexistence());
    assert_eq!((proof.verdict, proof.misfits.as_slice()), (Verdict::Safe, [].as_slice()), "{:#?}", proof.harms);
    assert_eq!((proof.paths, proof.intervals, proof.ways_back), (2, 11, 5));
    assert_eq!(proof.unknown, [""; 0]);
}

#[test]
fn a_wait_that_is_a_second_too_short_hurts_and_is_told_with_its_cure() {
    let mut timeline = coexistence();
    timeline.steps[REDIRECT].waits[0].seconds = 899;
    timeline.steps[FLIP].waits[0].seconds = 0;
    timeline.steps.iter_mut().for_each(|s| s.reversible = false);
    let proof = prove(&timeline);
    let [witness] = proof.harms.as_slice() else { panic!("{:#?}", proof.harms) };
    assert_eq!((witness.class, witness.step), (HarmClass::BelievedAbsent, Some(FLIP)));
    let says = "a client of view external for legacy.domain.com, sent by ex2010, whose cache still says \
                legacy.domain.com A = absent is told that legacy.domain.com does not exist";
    assert_eq!(&*witness.words, says);
    assert_eq!(mend(&timeline).unwrap().moves, [Moved::Later { step: FLIP, by: 1 }]);
    timeline.steps[REDIRECT].waits[0].seconds = 900;
    assert_eq!(prove(&timeline).verdict, Verdict::Safe);
    assert_eq!(mend(&timeline), None);
}

#[test]
fn an_old_answer_leads_to_a_server_that_has_lost_its_certificate() {
    let mut timeline = cutover();
    timeline.paths.remove(1);
    timeline.steps.iter_mut().for_each(|s| s.reversible = false);
    assert_eq!(prove(&timeline).verdict, Verdict::Safe, "{:#?}", prove(&timeline).harms);
    timeline.steps[RETIRE].waits[0].seconds = 299;
    assert_eq!(classes(&timeline), [HarmClass::NothingListens]);
    assert_eq!(mend(&timeline).unwrap().moves, [Moved::Later { step: RETIRE, by: 1 }]);
    // The TTL that was lowered just before is still kept by caches that were filled before.
    timeline.steps[RETIRE].waits[0].seconds = 300;
    timeline.steps[FLIP].waits[0].seconds = 3299;
    timeline.steps[REDIRECT].waits.clear();
    assert_eq!(classes(&timeline), [HarmClass::NothingListens]);
    timeline.steps[FLIP].waits[0].seconds = 3300;
    assert_eq!(classes(&timeline), []);
}

#[test]
fn a_server_forgotten_is_named() {
    let mut timeline = coexistence();
    timeline.steps[IMPORT].changes.clear();
    let proof = prove(&timeline);
    let [witness] = proof.harms.as_slice() else { panic!("{:#?}", proof.harms) };
    assert_eq!((witness.class, witness.step, witness.node), (HarmClass::WrongName, Some(CREATE), Some(OLD)));
    assert_eq!(witness.credential, Some(SINGLE));
    let import = Moved::Serve { before: CREATE, node: OLD, port: 443, credential: BOTH };
    assert_eq!(mend(&timeline).unwrap().moves, [import]);
}

#[test]
fn two_steps_in_the_wrong_order_are_told_with_the_right_one() {
    let mut timeline = coexistence();
    timeline.steps.swap(IMPORT, CREATE);
    timeline.steps[REDIRECT].waits[0].after = IMPORT;
    assert_eq!(classes(&timeline), [HarmClass::WrongName]);
    assert_eq!(mend(&timeline).unwrap().moves, [Moved::Before { step: CREATE, other: IMPORT }]);
}

#[test]
fn the_way_back_is_proved_too() {
    let mut timeline = coexistence();
    // Undoing the import while caches still lead to legacy.
    timeline.steps[CREATE].undo.as_mut().unwrap().settles = 299;
    let proof = prove(&timeline);
    assert_eq!(proof.verdict, Verdict::Harm);
    assert_eq!(proof.harms[0].class, HarmClass::WrongName);
    assert!(proof.harms[0].undoing.is_some());
    assert_eq!(mend(&timeline).unwrap().moves, [Moved::Settle { step: CREATE, by: 1 }]);
}

#[test]
fn what_nobody_has_seen_is_no_pass() {
    let mut timeline = coexistence();
    timeline.credentials[BOTH].trusted = None;
    let proof = prove(&timeline);
    assert_eq!(proof.verdict, Verdict::CouldNotTell);
    assert_eq!(proof.unknown, ["whether clients trust certificate \"san\""]);
}

#[test]
fn steps_that_do_not_fit_what_holds_are_no_pass() {
    let mut timeline = coexistence();
    timeline.world.records.insert(key("mail"), a("10.0.0.3", 7200));
    timeline.steps[FLIP].waits[0].seconds = 7200;
    let proof = prove(&timeline);
    assert_eq!(proof.verdict, Verdict::CouldNotTell);
    let what = "the A records of mail.domain.com in view external are not what this step takes for old";
    assert_eq!(proof.misfits, [(0, what.to_string())]);
}

#[test]
fn a_certificate_that_ends_is_a_deadline_or_a_harm() {
    let mut timeline = coexistence();
    timeline.zero = Some("2026-12-01T20:00:00Z".parse().unwrap());
    let end = |at: &str| Some(at.parse().unwrap());
    timeline.credentials[SINGLE].valid_until = end("2026-12-02T20:00:00Z");
    timeline.credentials[BOTH].valid_until = end("2027-12-01T20:00:00Z");
    let deadlines = prove(&timeline).deadlines;
    let told: Vec<_> = deadlines.iter().map(|d| (d.credential, d.until_step)).collect();
    assert_eq!(told, [(SINGLE, Some(IMPORT)), (BOTH, None)]);
    // Before the flip may happen.
    timeline.credentials[BOTH].valid_until = end("2026-12-01T20:30:00Z");
    assert_eq!(classes(&timeline), [HarmClass::Expired]);
}

#[test]
fn the_slack_that_is_left_is_exact() {
    let mut timeline = coexistence();
    timeline.steps[FLIP].waits.push(Wait { after: CREATE, seconds: 1000, why: "".into() });
    timeline.steps.iter_mut().for_each(|s| s.reversible = false);
    let spare = prove(&timeline).spare.unwrap();
    (timeline.slack, timeline.clock_error) = (spare, spare);
    assert_eq!(prove(&timeline).verdict, Verdict::Safe);
    timeline.slack = spare + 1;
    assert_eq!(prove(&timeline).verdict, Verdict::Harm);
}

#[test]
fn clocks_that_are_wrong_take_from_both_ends_of_a_certificate_and_slack_does_not() {
    let mut timeline = coexistence();
    timeline.steps.iter_mut().for_each(|s| s.reversible = false);
    timeline.zero = Some("2026-12-01T20:00:00Z".parse().unwrap());
    // The flip is at 21:00:00 at the earliest.
    timeline.credentials[BOTH].valid_until = Some("2026-12-01T21:10:00Z".parse().unwrap());
    let at = |timeline: &Timeline| {
        let all = prove(timeline).deadlines;
        all.iter().find(|d| d.credential == BOTH).map(|d| d.at.to_string())
    };
    timeline.slack = 0;
    assert_eq!(at(&timeline).as_deref(), Some("2026-12-01T21:10:00Z"));
    timeline.clock_error = 599;
    assert_eq!(at(&timeline).as_deref(), Some("2026-12-01T21:00:01Z"));
    assert_eq!(classes(&timeline), []);
    assert_eq!(prove(&timeline).spare, Some(0));
    timeline.clock_error = 600;
    assert_eq!(classes(&timeline), [HarmClass::Expired]);
    // Caches that go beyond their times do not make clocks wrong.
    timeline.clock_error = 0;
    timeline.credentials[BOTH].valid_from = Some("2026-12-01T19:59:00Z".parse().unwrap());
    timeline.slack = 0;
    assert_eq!(classes(&timeline), []);
    timeline.clock_error = 60;
    assert_eq!(classes(&timeline), []);
    timeline.clock_error = 61;
    assert_eq!(classes(&timeline), [HarmClass::Expired], "a clock that is behind does not take it yet");
}

/// The flip is done, nobody tells the legacy name any more, and it is removed.
fn removed(wait: u32) -> Timeline {
    let mut timeline = coexistence();
    let names = |all: &[&str]| all.iter().map(|n| name(n)).collect::<BTreeSet<_>>();
    timeline.steps[REDIRECT].changes.push(Change::Used { view: VIEW, name: name("legacy"), new: true });
    let end = timeline.steps.len();
    let redirect = Change::Redirect { node: NEW, old: names(&["legacy"]), new: names(&[]) };
    let told = Change::Used { view: VIEW, name: name("legacy"), new: false };
    timeline.steps.push(step(StepKind::SetUrl, vec![redirect, told], &[]));
    let gone = Change::Records { key: key("legacy"), old: Some(a("10.0.0.3", 300)), new: None };
    timeline.steps.push(step(StepKind::RemoveRecord, vec![gone], &[(end, wait)]));
    timeline.steps.iter_mut().for_each(|s| s.reversible = false);
    timeline
}

#[test]
fn a_name_stays_until_no_client_keeps_a_url_with_it() {
    assert_eq!(classes(&removed(0)), []);
    let mut timeline = removed(3599);
    timeline.cached_urls = 3600;
    let proof = prove(&timeline);
    let [witness] = proof.harms.as_slice() else { panic!("{:#?}", proof.harms) };
    assert_eq!(witness.class, HarmClass::BelievedAbsent);
    let says = "a client of view external for legacy.domain.com whose cache still says legacy.domain.com URL = in use \
                is told that legacy.domain.com does not exist";
    assert_eq!(&*witness.words, says);
    assert_eq!(mend(&timeline).unwrap().moves, [Moved::Later { step: FLIP + 2, by: 1 }]);
    let mut timeline = removed(3600);
    timeline.cached_urls = 3600;
    assert_eq!(classes(&timeline), []);
    // The slack is for clients' URLs, too.
    timeline.slack = 1;
    assert!(classes(&timeline).contains(&HarmClass::BelievedAbsent));
}

#[test]
fn a_loop_in_the_middle_of_a_step_is_told() {
    let mut timeline = cutover();
    let wildcard = CacheKey { owner: Name::parse_owner("*.domain.com").unwrap(), ..key("mail") };
    // While the name is gone already and its wildcard not moved yet, it leads where its clients are sent from.
    timeline.world.records.extend([(key("legacy"), a("10.0.0.10", 0)), (wildcard.clone(), a("10.0.0.3", 0))]);
    timeline.world.redirects.insert(OLD, BTreeSet::from([name("legacy")]));
    timeline.world.serving.insert((OLD, 443), serves(BOTH).unwrap());
    let gone = Change::Records { key: key("legacy"), old: Some(a("10.0.0.10", 0)), new: None };
    let moved = Change::Records { key: wildcard, old: Some(a("10.0.0.3", 0)), new: Some(a("10.0.0.10", 0)) };
    timeline.steps = vec![step(StepKind::Flip, vec![gone.clone(), moved.clone()], &[])];
    timeline.steps[0].reversible = false;
    assert_eq!(classes(&timeline), [HarmClass::RedirectLoop]);
    timeline.steps = vec![step(StepKind::Flip, vec![moved], &[]), step(StepKind::RemoveRecord, vec![gone], &[])];
    timeline.steps.iter_mut().for_each(|s| s.reversible = false);
    assert_eq!(classes(&timeline), []);
}
