//! Weak certificates, and such as are not for servers.

use std::sync::Arc;

use rcgen::ExtendedKeyUsagePurpose::{ClientAuth, ServerAuth};

use super::*;

fn fixture(pem: &str) -> Arc<[u8]> {
    let base64: String = pem.lines().filter(|l| !l.starts_with("-----")).collect();
    data_encoding::BASE64.decode(base64.as_bytes()).unwrap().into()
}

/// A chain of the fixtures, declared by a file, whose root both views trust if one is given.
fn declared(chain: &[&str], anchor: Option<&str>) -> World {
    let chain: Chain = chain.iter().map(|pem| fixture(pem)).collect();
    let mut world = World::empty();
    world.now = "2026-12-01T00:00:00Z".parse().unwrap();
    let server = world.server("ex2003", "10.0.0.3", "");
    let name = world.name(Table::Internet, MAIL, Target::Server(server));
    let certificate = world.certificate("old", &chain);
    world.covers(name, certificate);
    world.serves(name, server, &[certificate]);
    world.serve("in", "10.0.0.3", MAIL, &chain);
    let anchors: Vec<_> = anchor.map(|pem| world.blob(&fixture(pem))).into_iter().collect();
    for view in &mut world.plan.views {
        view.trust = vec![Located::new(crate::model::plan::TrustSource::File("corp.pem".into()), Span::default())];
    }
    for run in world.recording.runs.values_mut() {
        run.anchors.values_mut().for_each(|a| a.clone_from(&anchors));
    }
    world
}

fn said(chain: &[&str], anchor: Option<&str>) -> Vec<String> {
    declared(chain, anchor).rules()
}

const OLD_CA: &str = include_str!("../../pki/path/fixtures/old-ca.pem");
const WEAK_CA: &str = include_str!("../../pki/path/fixtures/weak-ca.pem");
const WEAK_LEAF: &str = include_str!("../../pki/path/fixtures/weak-leaf.pem");
const SHA1_LEAF: &str = include_str!("../../pki/path/fixtures/sha1-leaf.pem");
const MD5_LEAF: &str = include_str!("../../pki/path/fixtures/md5-leaf.pem");
const STRONG_ROOT: &str = include_str!("fixtures/strong-root.pem");
const WEAK_INTERMEDIATE: &str = include_str!("fixtures/weak-intermediate.pem");
const LEAF_BELOW_WEAK: &str = include_str!("fixtures/leaf-below-weak.pem");

#[test]
fn an_intermediate_is_named_by_whom_its_leaves_are_refused() {
    let chain = &[LEAF_BELOW_WEAK, WEAK_INTERMEDIATE];
    let world = declared(chain, Some(STRONG_ROOT));
    assert_eq!(world.rules(), ["weak-key-or-signature", "untrusted-issuer-for-view<weak-key-or-signature"]);
    assert!(world.judge().findings[0].title.starts_with("the intermediate CN=Weak Issuing CA"));
    assert_eq!(said(chain, None), ["untrusted-issuer-for-view"], "it may be no part of the way to another anchor");
}

#[test]
fn without_anchors_the_issuer_of_a_file_s_leaf_is_judged_and_a_root_is_not() {
    let lint = |chain: &[&str]| {
        let mut world = declared(chain, None);
        world.recording.runs.values_mut().for_each(|r| r.anchors.clear());
        world.policy.scope = Scope::Files;
        world.rules()
    };
    assert_eq!(lint(&[LEAF_BELOW_WEAK, WEAK_INTERMEDIATE, STRONG_ROOT]), ["weak-key-or-signature"]);
    assert_eq!(lint(&[WEAK_LEAF, WEAK_CA]), [""; 0]);
    assert_eq!(lint(&[SHA1_LEAF, OLD_CA]), ["weak-key-or-signature"]);
}

#[test]
fn a_weak_signature_explains_that_nobody_trusts_it() {
    let want = ["weak-key-or-signature", "untrusted-issuer-for-view<weak-key-or-signature"];
    assert_eq!(said(&[SHA1_LEAF], Some(OLD_CA)), want);
}

#[test]
fn an_unknown_issuer_is_another_fault_than_a_weak_signature() {
    assert_eq!(said(&[SHA1_LEAF], None), ["weak-key-or-signature", "untrusted-issuer-for-view"]);
    assert!(said(&[MD5_LEAF], None).contains(&"weak-key-or-signature".to_string()));
}

#[test]
fn a_root_is_not_judged_by_its_signature_nor_reported_as_an_intermediate() {
    let rules = said(&[WEAK_LEAF, WEAK_CA], Some(WEAK_CA));
    assert_eq!(rules, ["untrusted-issuer-for-view"], "the anchor's key is weak, and no certificate below it");
}

fn purposes(purposes: &[rcgen::ExtendedKeyUsagePurpose]) -> Vec<String> {
    serving(ROOT.issue_with(&[MAIL], |p| p.extended_key_usages = purposes.to_vec()))
}

#[test]
fn a_certificate_that_says_what_it_is_for_must_be_for_servers() {
    assert_eq!(purposes(&[]), [""; 0]);
    assert_eq!(purposes(&[ServerAuth, ClientAuth]), [""; 0]);
    // What counts for any purpose is not taken for servers by all clients.
    assert_eq!(purposes(&[rcgen::ExtendedKeyUsagePurpose::Any]), ["untrusted-issuer-for-view"]);
    assert_eq!(purposes(&[ClientAuth]), ["eku-missing-serverauth", "untrusted-issuer-for-view<eku-missing-serverauth"]);
}

#[test]
fn what_an_out_of_box_certificate_is_goes_with_it() {
    let chain = self_signed("EX2010", &["EX2010"]);
    let mut world = simple();
    world.forget("10.0.0.10");
    world.serve("in", "10.0.0.10", MAIL, &chain);
    let dates = crate::model::plan::PhaseDates { until: "2027-06-01T00:00:00Z".parse().ok(), ..Default::default() };
    world.plan.phases.insert(crate::model::phase::Phase::Coexistence, dates);
    let rules = world.rules();
    assert!(rules.contains(&"expires-inside-phase<default-certificate-served".to_string()), "{rules:?}");
}

/// The simple world, in which the server demands client certificates and shows one that is for clients too.
fn mtls(until: (i32, u8, u8), issuer: &str) -> Vec<String> {
    let chain = ROOT.issue_with(&[MAIL], |p| {
        p.extended_key_usages = vec![ServerAuth, ClientAuth];
        p.not_after = rcgen::date_time_ymd(until.0, until.1, until.2);
    });
    let mut world = World::empty();
    let server = world.server("edge", "10.0.0.10", "");
    world.plan.servers[0].settings.mtls = true;
    let name = world.name(Table::Internet, MAIL, Target::Server(server));
    let certificate = match issuer {
        "" => world.certificate("san", &chain),
        _ => world.planned_certificate("san", &[MAIL]),
    };
    world.plan.certificates[0].issuer = Some(Located::new(issuer.to_string(), Span::default()));
    world.covers(name, certificate);
    world.serves(name, server, &[certificate]);
    world.serve("in", "10.0.0.10", MAIL, &chain);
    world.rules()
}

#[test]
fn a_renewal_after_the_last_day_for_clients_is_told_ahead() {
    assert_eq!(mtls((2027, 3, 14), ""), [""; 0]);
    assert_eq!(mtls((2027, 3, 15), ""), ["clientauth-ending"]);
    assert_eq!(mtls((2027, 1, 1), "letsencrypt.org"), ["clientauth-ending"], "nothing for clients is issued any more");
    assert_eq!(mtls((2027, 1, 1), "our own CA"), [""; 0]);
    assert_eq!(mtls((2027, 1, 1), "globalsign.com"), ["clientauth-ending"], "the renewal after 200 days");
}
