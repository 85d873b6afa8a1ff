//! Handshakes that did not come to their end, and machines that could not look.

use super::*;
use crate::model::observation::Outcome;

/// The simple world, where the server's own handshake ends so.
fn ended(possession: Possession, ended: Option<&str>, mtls: bool) -> World {
    let mut world = simple();
    let chain = ROOT.issue(&[MAIL]);
    world.plan.servers[0].settings.mtls = mtls;
    world.forget("10.0.0.10");
    let mut outcome = world.served(&chain, possession);
    if let Outcome::Tls(TlsOutcome::Certificate(served)) = &mut outcome {
        served.ended = ended.map(Into::into);
    }
    world.see("in", tls_probe("10.0.0.10", MAIL), outcome);
    world
}

#[test]
fn a_handshake_that_failed_after_the_certificate_is_no_pass() {
    for (possession, end) in [
        (Possession::Proved, Some("alert handshake_failure")),
        (Possession::NotProved("the handshake ended before".into()), Some("closed by the server")),
        (Possession::NotProved("alert".into()), None),
    ] {
        let world = ended(possession, end, false);
        assert_eq!(world.rules(), ["evidence-missing"], "{end:?}");
        assert_eq!((world.verdict(3), world.judge().outcome), (Verdict::Unobserved, RunOutcome::Incomplete));
        let title = world.judge().findings[0].title.clone();
        assert!(title.starts_with("ex2010 served ") && title.contains("but the handshake did not finish: "), "{title}");
    }
}

#[test]
fn a_demand_for_a_client_certificate_is_the_end_where_the_plan_says_so() {
    assert_eq!(ended(Possession::Proved, Some("alert certificate_required"), true).rules(), [""; 0]);
    assert_eq!(ended(Possession::Proved, Some("alert internal_error"), true).rules(), ["evidence-missing"]);
    let unproved = Possession::NotProved("the handshake ended before".into());
    assert_eq!(ended(unproved, Some("alert certificate_required"), true).rules(), ["evidence-missing"]);
}

#[test]
fn what_this_machine_cannot_do_is_not_the_servers_fault() {
    let cannot = || TlsOutcome::CannotLook("this machine has no route there".into());
    let mut world = simple();
    world.forget("10.0.0.10");
    world.fail("in", "10.0.0.10", MAIL, cannot());
    assert_eq!((world.rules(), world.verdict(3)), (vec!["evidence-missing".to_string()], Verdict::Unobserved));
    world.serve("out", "10.0.0.10", MAIL, &ROOT.issue(&[MAIL]));
    assert_eq!(world.rules(), [""; 0], "another vantage got through");
}

#[test]
fn each_way_of_telling_nothing_has_its_words() {
    for (outcome, words) in [
        (TlsOutcome::Timeout(Stage::Dialogue), "says nothing"),
        (TlsOutcome::Timeout(Stage::Handshake), "does not answer the TLS handshake in time"),
        (TlsOutcome::TryLater("454".into()), "says to try later"),
        (TlsOutcome::Alert("handshake_failure".into()), "refuses the handshake before it shows a certificate"),
        (TlsOutcome::Protocol("x".into()), "speaks no TLS that this release understands"),
    ] {
        let mut world = simple();
        world.forget("10.0.0.10");
        world.fail("in", "10.0.0.10", MAIL, outcome);
        let finding = world.judge().findings.remove(0);
        assert!(finding.title.contains(words), "{}", finding.title);
        assert!(finding.remedy.next[1].starts_with("  coexist check "), "{:?}", finding.remedy.next);
    }
}

#[test]
fn each_reason_of_silence_has_its_cure() {
    for (outcome, words) in [
        (TlsOutcome::Refused, ":443: on ex2010, start the listener"),
        (TlsOutcome::NotTls(b"HTTP/1.1 400".to_vec()), "turn TLS on at this port"),
        (TlsOutcome::NotThisProtocol(b"SSH-2.0".to_vec()), "another service answers"),
        (TlsOutcome::StarttlsNotOffered, "so that it offers STARTTLS"),
    ] {
        let mut world = simple();
        world.forget("10.0.0.10");
        world.fail("in", "10.0.0.10", MAIL, outcome);
        let finding = world.judge().findings.remove(0);
        assert!(finding.remedy.cure[0].contains(words), "{:?}", finding.remedy.cure);
    }
}

#[test]
fn ways_that_fail_for_different_reasons_are_told_apart() {
    let mut world = simple();
    world.plan.servers[0].addresses[0].push("2001:db8::10".parse().unwrap());
    world.fail("in", "2001:db8::10", MAIL, TlsOutcome::Refused);
    world.forget("203.0.113.10");
    world.fail("out", "203.0.113.10", MAIL, TlsOutcome::Timeout(Stage::Connect));
    assert_eq!(world.rules(), ["endpoint-unreachable", "endpoint-unreachable"]);
}
