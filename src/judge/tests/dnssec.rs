//! Zones that are signed: DS at the parent, keys outside and inside, and resolvers that validate.

use super::*;
use crate::model::dns::{AddressRecord, Reply};
use crate::model::dnssec::Dnskey;
use crate::model::name::Name;
use crate::model::observation::{DnsProbe, Outcome, Probe};
use crate::model::plan::ViewId;
use crate::model::records::{DataRecord, RecordData};

pub(super) const ZONE: &str = "domain.com";

pub(super) fn key(seed: u8) -> Dnskey {
    Dnskey { flags: 257, protocol: 3, algorithm: 13, key: vec![seed; 64] }
}

pub(super) fn reply(data: Vec<RecordData>) -> DnsOutcome {
    let records: Vec<_> = data.into_iter().map(|data| DataRecord { data, ttl: 300 }).collect();
    let reply = Reply { records, ..Reply::default() };
    if reply.records.is_empty() { DnsOutcome::NoData(reply) } else { DnsOutcome::Answer(reply) }
}

impl World {
    /// All resolvers of a view, told not to validate.
    pub(super) fn say_unchecked(&mut self, view: ViewId, name: &str, kind: RecordType, outcome: &DnsOutcome) {
        let declared = self.plan.view(view);
        let (label, resolvers) = (declared.label.clone(), declared.resolvers.clone());
        for resolver in resolvers {
            let name = Name::parse_owner(name).unwrap();
            let probe = DnsProbe {
                view: label.clone(),
                resolver: resolver.value.into(),
                name,
                kind,
                unchecked: true,
                direct: false,
            };
            self.see("in", Probe::Dns(probe), Outcome::Dns(outcome.clone()));
        }
    }
}

/// The simple world, its zone signed at the parent for these keys, with those keys outside and inside.
fn signed(ds: &[u8], outside: &[u8], inside: &[u8]) -> World {
    let mut world = simple();
    let zone = Name::parse(ZONE).unwrap();
    let ds = ds.iter().map(|k| RecordData::Ds(key(*k).ds(&zone).unwrap())).collect();
    world.say_of(EXTERNAL, ZONE, RecordType::Ds, &reply(ds));
    for (view, keys) in [(EXTERNAL, outside), (INTERNAL, inside)] {
        let keys = keys.iter().map(|k| RecordData::Dnskey(key(*k))).collect();
        world.say_unchecked(view, ZONE, RecordType::Dnskey, &reply(keys));
    }
    world
}

pub(super) fn told(world: &World) -> Vec<String> {
    world.judge().findings.into_iter().map(|f| format!("{} {}: {}", f.severity, f.rule, f.title)).collect()
}

#[test]
fn one_ds_fits_one_key() {
    let none = Vec::<String>::new();
    assert_eq!(told(&signed(&[1], &[1], &[1])), none);
    assert_eq!(told(&signed(&[1, 2], &[3, 2], &[2])), none, "a rollover");
    assert_eq!(told(&signed(&[], &[1], &[])), none, "not signed for anybody");
    let other = "error ds-dnskey-mismatch: no DS of domain.com fits its keys";
    assert_eq!(told(&signed(&[1], &[2], &[2])), [other]);
    let gone = "error ds-dnskey-mismatch: domain.com has a DS at its parent, and no keys";
    assert_eq!(told(&signed(&[1], &[], &[])), [gone]);
}

#[test]
fn the_ds_to_publish_is_printed() {
    let findings = signed(&[1], &[2], &[2]).judge().findings;
    let ds = key(2).ds(&Name::parse(ZONE).unwrap()).unwrap();
    assert!(findings[0].remedy.cure.contains(&format!("  domain.com. 3600 IN DS {ds}")), "{:?}", findings[0].remedy);
}

#[test]
fn a_copy_inside_without_the_keys_is_a_warning_until_somebody_validates() {
    let unsigned = "split-view-dnssec-bogus: domain.com is signed outside, and not in internal";
    assert_eq!(told(&signed(&[1], &[1], &[])), [format!("warning {unsigned}")]);
    let other =
        "warning split-view-dnssec-bogus: domain.com has other keys in internal than those that are signed for outside";
    assert_eq!(told(&signed(&[1], &[1], &[2])), [other]);
    let mut world = signed(&[1], &[1], &[]);
    world.unsay(INTERNAL, MAIL);
    world.say(INTERNAL, MAIL, &DnsOutcome::ServFail);
    world.say_unchecked(INTERNAL, MAIL, RecordType::A, &answer(RecordType::A, &["10.0.0.10"], &[]));
    let judgement = world.judge();
    let causes: Vec<_> = judgement.findings.iter().filter(|f| f.caused_by.is_none()).map(|f| &f.title).collect();
    assert_eq!(causes, ["domain.com is signed outside, and not in internal"]);
    assert_eq!(judgement.findings[0].severity, Severity::Error);
    assert!(judgement.findings.iter().any(|f| f.rule == "name-unresolved-in-view" && f.caused_by.is_some()));
}

#[test]
fn a_name_that_does_not_validate_is_not_missing() {
    let mut world = signed(&[1], &[1], &[1]);
    world.unsay(EXTERNAL, MAIL);
    world.say(EXTERNAL, MAIL, &DnsOutcome::ServFail);
    assert_eq!(world.rules(), ["name-unresolved-in-view"], "nobody knows why");
    world.say_unchecked(EXTERNAL, MAIL, RecordType::A, &DnsOutcome::ServFail);
    assert_eq!(world.rules(), ["name-unresolved-in-view"], "it fails for another reason");
    world.unsay(EXTERNAL, MAIL);
    world.say(EXTERNAL, MAIL, &DnsOutcome::ServFail);
    let address = AddressRecord { address: "203.0.113.10".parse().unwrap(), ttl: 300 };
    let given = DnsOutcome::Answer(Reply { addresses: vec![address], ..Reply::default() });
    world.say_unchecked(EXTERNAL, MAIL, RecordType::A, &given);
    let judgement = world.judge();
    let causes: Vec<_> = judgement.findings.iter().filter(|f| f.caused_by.is_none()).map(|f| &f.title).collect();
    assert_eq!(causes, ["the answers of domain.com do not validate in external"]);
    assert_eq!(judgement.outcome, RunOutcome::Fail);
}

#[test]
fn an_answer_without_validation_is_no_answer() {
    let mut world = simple();
    world.unsay(EXTERNAL, MAIL);
    world.say_unchecked(EXTERNAL, MAIL, RecordType::A, &answer(RecordType::A, &["203.0.113.10"], &[]));
    assert_eq!(world.rules(), ["evidence-missing"]);
}

#[test]
fn keys_that_were_not_given_are_not_told_apart() {
    let mut world = simple();
    let ds = RecordData::Ds(key(1).ds(&Name::parse(ZONE).unwrap()).unwrap());
    world.say_of(EXTERNAL, ZONE, RecordType::Ds, &reply(vec![ds]));
    let line = "could not tell whether the keys of domain.com fit its DS in internal and external";
    for outcome in [None, Some(DnsOutcome::ServFail), Some(DnsOutcome::Timeout), Some(DnsOutcome::Refused)] {
        for view in [INTERNAL, EXTERNAL] {
            outcome.iter().for_each(|o| world.say_unchecked(view, ZONE, RecordType::Dnskey, o));
        }
        let judgement = world.judge();
        assert_eq!(told(&world), Vec::<String>::new());
        assert!(judgement.not_looked_at.iter().any(|l| l == line), "{:?}", judgement.not_looked_at);
    }
}

#[test]
fn each_zone_is_asked_about_once() {
    let mut world = simple();
    world.name(Table::Internet, "autodiscover.domain.com", Target::Server(crate::model::plan::ServerId(0)));
    world.name(Table::Intranet, "portal.corp.local", Target::Server(crate::model::plan::ServerId(0)));
    let all = crate::model::questions::questions(&world.plan, &world.policy);
    let asked: Vec<_> =
        all.into_iter().filter(|q| q.kind == RecordType::Ds).map(|q| (q.view, q.name.to_string())).collect();
    assert_eq!(asked, [(EXTERNAL, ZONE.to_string())]);
}
