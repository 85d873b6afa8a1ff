//! The proof's word and what clients meet: the same classes of harm, for a cutover whose steps are left out or swapped.

use super::{Execution, Rehearsal, rehearse};
use crate::checker::{self, tests::coexistence};
use crate::model::cutover::{CacheKey, CacheKind, Change, Datum, HarmClass, NodeId, RecordSet, Timeline, Wait};
use crate::model::name::Name;
use crate::model::plan::ViewId;
use crate::model::service::{Service, services_of};

/// The proof on the way forth, without ways back, which the play does not go.
fn predicted(timeline: &Timeline) -> Vec<HarmClass> {
    let mut forth = timeline.clone();
    forth.steps.iter_mut().for_each(|s| s.reversible = false);
    let proof = checker::prove(&forth);
    HarmClass::ALL.into_iter().zip(proof.hurt).filter(|(_, n)| *n > 0).map(|(class, _)| class).collect()
}

/// Every execution in which harm of some step can be met, each step's parts in both orders.
fn played(timeline: &Timeline) -> Rehearsal {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let mut all = Rehearsal::default();
        for step in 0..timeline.steps.len() {
            for reversed in [false, true] {
                let times = checker::execution(timeline, step);
                all.join(rehearse(timeline, &Execution { times, reversed, spread: false }).await.unwrap());
            }
        }
        all
    })
}

#[test]
fn a_safe_cutover_hurts_nobody() {
    let all = played(&coexistence());
    assert!(all.failures.is_empty(), "{:#?}", all.failures);
    assert!(all.tries > 300 && all.questions > 100, "{all:?}");
}

#[test]
fn without_any_one_step_clients_meet_what_the_proof_predicts() {
    for step in 0..coexistence().steps.len() {
        let broken = checker::without(&coexistence(), step);
        assert_eq!(played(&broken).classes(), predicted(&broken), "without step {step}");
    }
}

#[test]
fn a_wait_that_is_a_second_too_short_is_met() {
    let mut timeline = coexistence();
    for (step, wait) in [(3, 899), (4, 0)] {
        timeline.steps[step].waits[0].seconds = wait;
    }
    assert_eq!(predicted(&timeline), [HarmClass::BelievedAbsent]);
    assert_eq!(played(&timeline).classes(), [HarmClass::BelievedAbsent]);
}

/// The clean cutover of another kind of client; and without each of its steps, and turned back after each.
fn agrees_however_it_is_broken(timeline: &Timeline) {
    assert_eq!(predicted(timeline), [], "{:#?}", checker::prove(timeline).harms);
    assert_eq!(played(timeline).classes(), []);
    let mut harmed = 0;
    for step in 0..timeline.steps.len() {
        let broken = checker::without(timeline, step);
        let classes = predicted(&broken);
        assert_eq!(played(&broken).classes(), classes, "without step {step}");
        harmed += usize::from(!classes.is_empty());
    }
    assert!(harmed > 0, "no step matters");
}

fn service(word: &str) -> Service {
    services_of(word).unwrap().remove(0)
}

/// All that is served at 443 is served at another port instead.
fn at_port(timeline: &mut Timeline, service: &Service) {
    timeline.paths.iter_mut().for_each(|path| path.service = service.clone());
    timeline.world.serving = std::mem::take(&mut timeline.world.serving)
        .into_iter()
        .map(|((node, _), serving)| ((node, service.port), serving))
        .collect();
    for change in timeline.steps.iter_mut().flat_map(|s| &mut s.changes) {
        if let Change::Serving { port, .. } = change {
            *port = service.port;
        }
    }
}

#[test]
fn behind_a_dialogue_clients_meet_the_same() {
    for word in ["imap", "pop3", "smtp"] {
        let mut timeline = coexistence();
        at_port(&mut timeline, &service(word));
        // Nobody sends such clients elsewhere: they use the legacy name from the beginning of the redirect on.
        let legacy = timeline.paths[1].name.clone();
        timeline.steps[3].changes = vec![Change::Used { view: ViewId(0), name: legacy, new: true }];
        agrees_however_it_is_broken(&timeline);
    }
}

fn key(owner: &str, kind: CacheKind) -> CacheKey {
    CacheKey { view: ViewId(0), owner: Name::parse_owner(owner).unwrap(), kind }
}

fn set(ttl: u32, data: impl IntoIterator<Item = Datum>) -> RecordSet {
    RecordSet { ttl, data: data.into_iter().collect() }
}

/// Puts a change into a step, and its old value into what holds.
fn changes(timeline: &mut Timeline, step: usize, key: CacheKey, old: Option<RecordSet>, new: Option<RecordSet>) {
    if !timeline.steps.iter().flat_map(|s| &s.changes).any(|c| matches!(c, Change::Records { key: k, .. } if *k == key))
        && let Some(old) = &old
    {
        timeline.world.records.insert(key.clone(), old.clone());
    }
    timeline.steps[step].changes.push(Change::Records { key, old, new });
}

#[test]
fn hints_of_https_records_lead_clients_as_addresses_do() {
    let mut timeline = coexistence();
    let old = Datum::Address("10.0.0.3".parse().unwrap());
    let new = Datum::Address("10.0.0.10".parse().unwrap());
    let hints = key("mail.domain.com", CacheKind::Https);
    changes(&mut timeline, 4, hints.clone(), Some(set(300, [old])), Some(set(300, [new])));
    // The old server is out of use once every cache has forgotten it; the hint is kept longer than the address.
    let mut last = timeline.steps[4].clone();
    last.changes = vec![Change::Serving {
        node: NodeId(0),
        port: 443,
        old: timeline.steps[1].changes.iter().find_map(|c| match c {
            Change::Serving { new, .. } => new.clone(),
            _ => None,
        }),
        new: None,
    }];
    last.waits = vec![Wait { after: 4, seconds: 300, why: "".into() }];
    timeline.steps.push(last);
    timeline.paths.remove(1);
    timeline.steps[3].changes.clear();
    assert_eq!((predicted(&timeline), played(&timeline).classes()), (vec![], vec![]));
    timeline.world.records.insert(hints.clone(), set(900, timeline.world.records[&hints].data.clone()));
    for change in &mut timeline.steps[4].changes {
        if let Change::Records { key, old: Some(old), .. } = change
            && *key == hints
        {
            old.ttl = 900;
        }
    }
    assert_eq!(predicted(&timeline), [HarmClass::NothingListens]);
    assert_eq!(played(&timeline).classes(), [HarmClass::NothingListens]);
}

/// Mail moves from one host to another; senders believe TLSA records and a policy.
fn mail() -> Timeline {
    let mut timeline = coexistence();
    let smtp = service("smtp");
    at_port(&mut timeline, &smtp);
    let host = |name: &str| Datum::Host(Name::parse(name).unwrap());
    let [old, new] = ["mail.domain.com", "legacy.domain.com"];
    timeline.paths.truncate(1);
    timeline.paths[0].name = Name::parse("domain.com").unwrap();
    timeline.paths[0].entry = CacheKind::Mx;
    timeline.world.used = [(ViewId(0), Name::parse("domain.com").unwrap())].into();
    timeline.steps.iter_mut().for_each(|step| step.changes.retain(|c| matches!(c, Change::Serving { .. })));
    let address = |a: &str| set(3600, [Datum::Address(a.parse().unwrap())]);
    timeline.world.records = [
        (key(old, CacheKind::A), address("10.0.0.3")),
        (key(new, CacheKind::A), address("10.0.0.10")),
        (key(&format!("_25._tcp.{new}"), CacheKind::Tlsa), set(3600, [Datum::Certificate(1)])),
    ]
    .into();
    let (single, both) = (Datum::Certificate(0), Datum::Certificate(1));
    let tlsa = key(&format!("_25._tcp.{old}"), CacheKind::Tlsa);
    // 0: both keys stand in DNS; 1: the new certificate on the old host; 2: the policy names both; 4: MX.
    changes(&mut timeline, 0, tlsa, Some(set(3600, [single.clone()])), Some(set(3600, [single, both])));
    let policy = key("domain.com", CacheKind::MtaSts);
    changes(&mut timeline, 2, policy, Some(set(7200, [host(old)])), Some(set(7200, [host(old), host(new)])));
    let mx = key("domain.com", CacheKind::Mx);
    changes(&mut timeline, 4, mx, Some(set(300, [host(old)])), Some(set(300, [host(new)])));
    timeline.steps[1].waits = vec![Wait { after: 0, seconds: 3600, why: "".into() }];
    timeline.steps[4].waits = vec![Wait { after: 2, seconds: 7200, why: "".into() }];
    timeline
}

#[test]
fn senders_believe_tlsa_records_and_policies_that_they_have_cached() {
    let timeline = mail();
    agrees_however_it_is_broken(&timeline);
    for (step, class) in [(0, HarmClass::Untrusted), (2, HarmClass::WrongName)] {
        assert!(predicted(&checker::without(&timeline, step)).contains(&class), "without step {step}");
    }
    let mut hasty = mail();
    hasty.steps[1].waits[0].seconds = 3599;
    assert_eq!((predicted(&hasty), played(&hasty).classes()), (vec![HarmClass::Untrusted], vec![HarmClass::Untrusted]));
    let mut hasty = mail();
    hasty.steps[4].waits[0].seconds = 7199;
    assert_eq!((predicted(&hasty), played(&hasty).classes()), (vec![HarmClass::WrongName], vec![HarmClass::WrongName]));
}

#[test]
fn who_remembers_hsts_comes_by_tls_and_nobody_else_does() {
    let mut timeline = coexistence();
    let mut plain = timeline.paths[0].clone();
    plain.by_hsts = true;
    timeline.paths = vec![plain];
    timeline.steps.iter_mut().for_each(|step| {
        step.changes.retain(|c| matches!(c, Change::Records { key, .. } if key.owner.as_str() == "mail.domain.com"))
    });
    // The old server has no TLS at all.
    timeline.world.serving.remove(&(NodeId(0), 443));
    assert_eq!((predicted(&timeline), played(&timeline).paths.len()), (vec![], 0), "nobody comes");
    let below = Datum::Host(Name::parse_owner("*.domain.com").unwrap());
    for (owner, data) in
        [("mail.domain.com", Datum::Host(Name::parse("mail.domain.com").unwrap())), ("domain.com", below)]
    {
        let mut strict = timeline.clone();
        changes(&mut strict, 2, key(owner, CacheKind::Hsts), None, Some(set(86_400, [data])));
        assert_eq!(predicted(&strict), [HarmClass::NothingListens], "{owner}");
        assert_eq!(played(&strict).classes(), [HarmClass::NothingListens], "{owner}");
    }
}

#[test]
fn who_turns_back_meets_what_the_proof_predicts() {
    let whole = coexistence();
    for done in 1..=whole.steps.len() {
        let turned = checker::turned_back(&whole, done).unwrap();
        assert_eq!((predicted(&turned), played(&turned).classes()), (vec![], vec![]), "after {done}");
    }
    // Undoing the import while caches still lead to legacy.
    let mut hasty = coexistence();
    hasty.steps[2].undo.as_mut().unwrap().settles = 299;
    let turned = checker::turned_back(&hasty, 3).unwrap();
    assert_eq!(
        (predicted(&turned), played(&turned).classes()),
        (vec![HarmClass::WrongName], vec![HarmClass::WrongName])
    );
    hasty.steps[2].reversible = false;
    assert!(checker::turned_back(&hasty, 3).is_none());
}
