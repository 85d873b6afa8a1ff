//! Names for what stays on the old servers.

use super::*;
use crate::model::plan::{ServerId, Wanted};

const LEGACY: &str = "legacy.mail.domain.com";

/// The old server with its legacy name in both views.
fn world(chain: &Chain) -> World {
    let mut world = World::empty();
    let old = world.server("ex2003-fe", "10.0.0.3", "203.0.113.3");
    let name = world.name(Table::Legacy, LEGACY, Target::Server(old));
    let certificate = world.certificate("san", chain);
    world.covers(name, certificate);
    world.resolves(name, INTERNAL, &["10.0.0.3"]);
    world.resolves(name, EXTERNAL, &["203.0.113.3"]);
    world.answer(INTERNAL, LEGACY, &["10.0.0.3"]);
    world.answer(EXTERNAL, LEGACY, &["203.0.113.3"]);
    world
}

#[test]
fn a_name_in_one_view_is_one_finding() {
    let mut world = world(&ROOT.issue(&[LEGACY]));
    assert_eq!(world.rules(), [""; 0]);
    world.unsay(EXTERNAL, LEGACY);
    world.say(EXTERNAL, LEGACY, &nxdomain());
    assert_eq!(world.rules(), ["legacy-name-single-view", "name-unresolved-in-view<legacy-name-single-view"]);
    let judgement = world.judge();
    let finding = &judgement.findings[0];
    assert_eq!(finding.title, "legacy.mail.domain.com exists inside only");
    assert_eq!(finding.expected, ["external: A 203.0.113.3 (ex2003-fe)"]);
    assert_eq!(finding.seen[0], "NXDOMAIN from 9.9.9.9 and 1.1.1.1, 2026-11-22 21:04Z; authority SOA ns1.domain.com");
    assert_eq!(finding.remedy.cure[0], "public zone: legacy.mail.domain.com. 300 IN A 203.0.113.3");
    assert!(finding.remedy.cure[1].contains("20 min more"), "{:?}", finding.remedy.cure);
    assert_eq!(&*judgement.obligations[2].cell, "NXDOMAIN");
}

#[test]
fn an_uncovered_legacy_name_has_a_rule_of_its_own() {
    assert_eq!(world(&ROOT.issue(&[MAIL])).rules(), ["legacy-name-uncovered"]);
    let wildcard = ROOT.issue(&["*.domain.com"]);
    let want = ["wildcard-depth-mismatch", "legacy-name-uncovered<wildcard-depth-mismatch"];
    assert_eq!(world(&wildcard).rules(), want);
}

#[test]
fn a_served_wildcard_is_recognised_where_only_names_are_planned() {
    let chain = ROOT.issue(&["*.domain.com"]);
    let mut world = World::empty();
    let old = world.server("ex2003-fe", "10.0.0.3", "");
    let name = world.name(Table::Legacy, LEGACY, Target::Server(old));
    let certificate = world.planned_certificate("san", &[LEGACY]);
    world.covers(name, certificate);
    world.serves(name, old, &[certificate]);
    world.serve("in", "10.0.0.3", LEGACY, &chain);
    let rules = world.rules();
    assert_eq!(rules[0], "wildcard-depth-mismatch");
    assert!(rules[1..].iter().all(|r| r.ends_with("<wildcard-depth-mismatch")), "{rules:?}");
    assert_eq!(rules.len(), 3, "{rules:?}");
}

#[test]
fn the_old_certificate_is_wrong_and_not_lacking() {
    let mut world = World::empty();
    let old = world.server("ex2003-fe", "10.0.0.3", "");
    let name = world.name(Table::Legacy, LEGACY, Target::Server(old));
    world.planned_certificate("old", &[MAIL]);
    let san = world.planned_certificate("san", &[LEGACY]);
    world.serves(name, old, &[san]);
    world.serve("in", "10.0.0.3", LEGACY, &ROOT.issue(&[MAIL]));
    assert_eq!(world.rules(), ["endpoint-serves-wrong-certificate"]);
}

#[test]
fn both_names_at_one_address_are_a_loop() {
    let mut world = world(&ROOT.issue(&[LEGACY]));
    let new = world.server("ex2010", "10.0.0.10", "203.0.113.10");
    let mail = world.name(Table::Internet, MAIL, Target::Server(new));
    for phases in world.plan.names[mail.0].wanted.iter_mut() {
        phases[0].value = Wanted::Targets(vec![Target::Server(ServerId(0))].into());
    }
    world.resolves(mail, INTERNAL, &["10.0.0.10"]);
    world.answer(INTERNAL, MAIL, &["10.0.0.10"]);
    assert_eq!(world.rules(), [""; 0]);
    world.unsay(INTERNAL, LEGACY);
    world.answer(INTERNAL, LEGACY, &["10.0.0.10"]);
    let want = ["resolves-to-unexpected-target", "legacy-equals-primary-target<resolves-to-unexpected-target"];
    assert_eq!(world.rules(), want);
    world.plan.names[mail.0].wanted[0][1].value = Wanted::Targets(vec![Target::Server(ServerId(0))].into());
    assert!(world.rules().contains(&"legacy-equals-primary-target".to_string()));
}
