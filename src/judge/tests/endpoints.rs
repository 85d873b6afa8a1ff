//! What servers and ways to them serve.

use super::*;
use crate::model::proxy::ProxyFault;

#[test]
fn another_certificate_is_wrong() {
    assert_eq!(serving(ROOT.issue(&["www.domain.com"])), ["endpoint-serves-wrong-certificate"]);
}

#[test]
fn a_renewed_certificate_is_right_unless_the_very_leaf_is_demanded() {
    assert_eq!(serving(ROOT.issue(&[MAIL])), [""; 0]);
    let rules = broken(|w| {
        w.plan.certificates[0].match_mode = MatchMode::Leaf;
        w.forget("10.0.0.10");
        w.serve("in", "10.0.0.10", MAIL, &ROOT.issue(&[MAIL]));
    });
    assert_eq!(rules, ["endpoint-serves-wrong-certificate"]);
}

#[test]
fn a_key_that_is_not_the_certificates_is_wrong() {
    let rules = broken(|w| {
        w.forget("10.0.0.10");
        let outcome = w.served(&ROOT.issue(&[MAIL]), Possession::Failed("bad signature".into()));
        w.see("in", tls_probe("10.0.0.10", MAIL), outcome);
    });
    assert_eq!(rules, ["endpoint-serves-wrong-certificate"]);
}

#[test]
fn an_expired_chain_from_an_unknown_issuer_says_both() {
    let rules = serving(STRANGER.issue_until(&[MAIL], 2025));
    assert_eq!(rules.len(), 2, "{rules:?}");
    assert!(rules.contains(&"certificate-not-currently-valid".to_string()), "{rules:?}");
    assert!(rules.contains(&"untrusted-issuer-for-view".to_string()), "{rules:?}");
}

#[test]
fn a_missing_intermediate_is_told_from_an_unknown_issuer() {
    let below = ROOT.below("Issuing CA");
    let leaf = below.issue(&[MAIL]);
    let whole: Chain = vec![leaf[0].clone(), below.der.clone()];
    assert_eq!(serving(whole.clone()), [""; 0]);
    let rules = broken(|w| {
        w.forget("10.0.0.10");
        w.serve("in", "10.0.0.10", MAIL, &leaf);
        w.forget("203.0.113.10");
        w.serve("out", "203.0.113.10", MAIL, &whole);
    });
    assert_eq!(rules, ["chain-incomplete"]);
}

#[test]
fn a_default_certificate_is_the_cause_of_all_else() {
    let rules = serving(self_signed("EX2010", &["EX2010", "ex2010.domain.local"]));
    assert_eq!(rules[0], "default-certificate-served", "{rules:?}");
    assert_eq!(
        rules[1..].iter().collect::<std::collections::BTreeSet<_>>(),
        [
            &"endpoint-serves-wrong-certificate<default-certificate-served".to_string(),
            &"untrusted-issuer-for-view<default-certificate-served".to_string(),
        ]
        .into()
    );
}

#[test]
fn a_default_certificate_may_have_a_planned_name() {
    let fqdn = "ex2010.domain.com";
    let mut world = World::empty();
    let server = world.server("ex2010", "10.0.0.10", "");
    let certificate = world.planned_certificate("san", &[MAIL, fqdn]);
    let name = world.name(Table::Internet, MAIL, Target::Server(server));
    world.serves(name, server, &[certificate]);
    world.serve("in", "10.0.0.10", MAIL, &self_signed("EX2010", &["EX2010", fqdn]));
    assert_eq!(world.rules()[0], "default-certificate-served");
}

#[test]
fn an_older_certificate_beside_the_right_one_is_not_the_one_to_reissue() {
    let auto = "autodiscover.domain.com";
    let mut world = World::empty();
    let certificate = world.planned_certificate("san", &[MAIL, auto]);
    let one = world.server("one", "10.0.0.1", "");
    let two = world.server("two", "10.0.0.2", "");
    let name = world.name(Table::Internet, auto, Target::Server(one));
    world.serves(name, one, &[certificate]);
    world.serves(name, two, &[certificate]);
    world.serve("in", "10.0.0.1", auto, &ROOT.issue(&[MAIL, auto]));
    world.serve("in", "10.0.0.2", auto, &ROOT.issue(&[MAIL]));
    assert_eq!(world.rules(), ["endpoint-serves-wrong-certificate"]);
    assert!(world.judge().findings[0].remedy.cure[0].contains("from one"));
}

#[test]
fn a_certificate_without_the_name_explains_every_server_that_serves_it() {
    let chain = ROOT.issue(&["www.domain.com"]);
    let mut world = World::empty();
    let server = world.server("ex2010", "10.0.0.10", "");
    let name = world.name(Table::Internet, MAIL, Target::Server(server));
    let certificate = world.certificate("san", &chain);
    world.covers(name, certificate);
    world.serves(name, server, &[certificate]);
    world.serve("in", "10.0.0.10", MAIL, &chain);
    assert_eq!(world.rules(), ["san-missing-name", "endpoint-serves-wrong-certificate<san-missing-name"]);
}

#[test]
fn nothing_to_connect_to_fails_and_a_silent_handshake_is_open() {
    let rules = |outcome: TlsOutcome| {
        broken(|w| {
            w.forget("10.0.0.10");
            w.fail("in", "10.0.0.10", MAIL, outcome);
        })
    };
    assert_eq!(rules(TlsOutcome::Refused), ["endpoint-unreachable"]);
    assert_eq!(rules(TlsOutcome::StarttlsNotOffered), ["endpoint-unreachable"]);
    assert_eq!(rules(TlsOutcome::Timeout(Stage::Handshake)), ["evidence-missing"]);
    assert_eq!(rules(TlsOutcome::Alert("handshake_failure".into())), ["evidence-missing"]);
}

#[test]
fn one_vantage_that_gets_through_proves_the_server() {
    let rules = broken(|w| w.fail("out", "10.0.0.10", MAIL, TlsOutcome::Timeout(Stage::Connect)));
    assert_eq!(rules, [""; 0]);
}

#[test]
fn every_own_address_must_be_seen() {
    let rules = broken(|w| w.plan.servers[0].addresses[0].push("2001:db8::10".parse().unwrap()));
    assert_eq!(rules, ["evidence-missing"]);
}

#[test]
fn a_path_is_proved_only_from_its_view() {
    let mut world = simple();
    world.recording.runs.retain(|id, _| &**id == "in");
    world.recording.observations.retain(|o| &*o.run == "in");
    let chain = ROOT.issue(&[MAIL]);
    world.serve("in", "203.0.113.10", MAIL, &chain);
    let judgement = world.judge();
    assert_eq!(judgement.outcome, RunOutcome::Incomplete);
    assert_eq!(judgement.findings[0].title, "1 external path to 203.0.113.10 (NAT or firewall not proved)");
    assert_eq!(judgement.seen_from.paths_not_seen, ["external"]);
}

#[test]
fn what_a_wrong_record_leads_to_follows_from_the_record() {
    let rules = broken(|w| {
        w.unsay(EXTERNAL, MAIL);
        w.answer(EXTERNAL, MAIL, &["198.51.100.9"]);
        w.serve("out", "198.51.100.9", MAIL, &ROOT.issue(&["www.example.net"]));
    });
    let want = ["resolves-to-unexpected-target", "endpoint-serves-wrong-certificate<resolves-to-unexpected-target"];
    assert_eq!(rules, want);
}

#[test]
fn what_is_not_known_of_where_a_wrong_record_leads_follows_from_the_record() {
    const RECORD: &str = "resolves-to-unexpected-target";
    let rules = |outcome: Option<TlsOutcome>| {
        broken(|w| {
            w.unsay(EXTERNAL, MAIL);
            w.answer(EXTERNAL, MAIL, &["198.51.100.9"]);
            outcome.into_iter().for_each(|o| w.fail("out", "198.51.100.9", MAIL, o));
        })
    };
    let (silent, refused) = (TlsOutcome::Timeout(Stage::Handshake), ProxyFault::NotAllowed("403".into()));
    for outcome in [None, Some(silent), Some(TlsOutcome::Proxy(ProxyFault::NoWord)), Some(TlsOutcome::Proxy(refused))] {
        let follows = format!("evidence-missing<{RECORD}");
        assert_eq!(rules(outcome.clone()), [RECORD, &follows], "{outcome:?}");
    }
    // A way that is broken as such is to be mended whatever the record says.
    let dead = ProxyFault::NotReached("connection refused".into());
    for outcome in [TlsOutcome::Proxy(dead), TlsOutcome::CannotLook("no route".into())] {
        assert_eq!(rules(Some(outcome.clone())), [RECORD, "evidence-missing"], "{outcome:?}");
    }
}

#[test]
fn untrusted_anchors_that_could_not_be_read_leave_it_open() {
    let mut world = simple();
    world.forget("10.0.0.10");
    world.serve("in", "10.0.0.10", MAIL, &STRANGER.issue(&[MAIL]));
    for run in world.recording.runs.values_mut() {
        for view in ["internal", "external"] {
            run.trust_errors.insert(view.into(), vec!["corp.pem: not found".into()]);
        }
    }
    assert!(world.rules().iter().all(|r| r == "evidence-missing"));
}

#[test]
fn clear_text_behind_the_go_ahead_is_an_injection_and_nothing_else() {
    let injected = || TlsOutcome::BytesAfterGoAhead(b"250 ok\r\n".to_vec());
    let mut world = simple();
    world.forget("10.0.0.10");
    world.fail("in", "10.0.0.10", MAIL, injected());
    assert_eq!(world.rules(), ["starttls-injection"]);
    // the way of one view alone
    let mut world = simple();
    world.forget("203.0.113.10");
    world.fail("out", "203.0.113.10", MAIL, injected());
    let judgement = world.judge();
    let title = &judgement.findings[0].title;
    assert_eq!(judgement.outcome, RunOutcome::Fail);
    assert!(title.starts_with("clients of external"), "{title}");
}
