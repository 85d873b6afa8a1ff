//! Certificates outside their dates, and what was served once.

use super::*;
use crate::model::plan::CertificateSource;

#[test]
fn not_valid_yet_is_not_expired() {
    let mut world = simple();
    let chain = ROOT.issue_from(&[MAIL], 2027);
    world.forget("10.0.0.10");
    world.serve("in", "10.0.0.10", MAIL, &chain);
    let judgement = world.judge();
    assert_eq!(&*judgement.obligations[3].cell, "not valid yet");
    let finding = judgement.findings.iter().find(|f| f.rule == "certificate-not-currently-valid").unwrap();
    assert!(finding.title.contains("not valid before 2027-01-01"), "{}", finding.title);
    assert!(finding.remedy.cure[0].starts_with("check the clock"), "{:?}", finding.remedy.cure);
}

#[test]
fn an_expired_declared_certificate_is_told_beside_the_server_that_serves_it_wrongly() {
    let old = ROOT.issue_until(&["shop.domain.com"], 2025);
    let mut world = simple();
    let shop = world.server("shop", "10.0.0.20", "");
    let name = world.name(Table::Internet, "shop.domain.com", Target::Server(shop));
    let certificate = world.certificate("old", &old);
    world.covers(name, certificate);
    world.forget("10.0.0.10");
    world.serve("in", "10.0.0.10", MAIL, &old);
    let rules = world.rules();
    assert!(rules.contains(&"certificate-not-currently-valid".to_string()), "{rules:?}");
    assert!(rules.contains(&"endpoint-serves-wrong-certificate".to_string()), "{rules:?}");
}

#[test]
fn what_a_server_served_to_an_older_run_is_not_its_certificate() {
    let (old, new) = (ROOT.issue(&[MAIL]), ROOT.issue(&[MAIL]));
    let mut world = World::empty();
    let (donor, taker) = (world.server("ex2010", "10.0.0.10", ""), world.server("ex2003", "10.0.0.3", ""));
    let certificate = world.certificate("san", &new);
    world.plan.certificates[0].source = CertificateSource::From(donor);
    world.plan.certificates[0].match_mode = MatchMode::Leaf;
    let name = world.name(Table::Internet, MAIL, Target::Server(taker));
    world.serves(name, taker, &[certificate]);
    world.serve("in", "10.0.0.10", MAIL, &new);
    world.serve("in", "10.0.0.3", MAIL, &old);
    let mut run = world.recording.runs["in"].clone();
    run.id = "older".into();
    run.started = "2026-11-22T18:00:00Z".parse().unwrap();
    world.recording.runs.insert("older".into(), run);
    world.serve("older", "10.0.0.10", MAIL, &old);
    assert_eq!(world.rules(), ["endpoint-serves-wrong-certificate"]);
}
