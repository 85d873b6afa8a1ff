//! Servers that speak no TLS from 1.2 on.

use super::*;
use crate::judge::judge;
use crate::model::name::Name;
use crate::model::plan::CertificateSource;

const RULE: &str = "tls-version-below-floor";

fn old() -> TlsOutcome {
    TlsOutcome::OldVersion("TLS 1.0".into())
}

fn alert(name: &str) -> TlsOutcome {
    TlsOutcome::Alert(name.into())
}

/// A certificate of which only the name is known: what an old product makes of its key is another matter.
fn planned() -> CertificateSource {
    CertificateSource::Names(vec![Located::new(Name::parse(MAIL).unwrap(), Span::default())])
}

/// The simple world, in which the server itself does this.
fn doing(outcome: TlsOutcome, product: Option<&str>) -> World {
    let mut world = simple();
    world.forget("10.0.0.10");
    world.fail("in", "10.0.0.10", MAIL, outcome);
    world.plan.servers[0].product = product.map(|p| Located::new(p.into(), Span::default()));
    world.plan.certificates[0].source = planned();
    world
}

#[test]
fn an_old_version_is_a_fault_and_what_it_serves_is_unknown() {
    for outcome in [old(), alert("protocol_version")] {
        let world = doing(outcome, None);
        assert_eq!(world.rules(), [RULE, "evidence-missing"]);
        let judgement = world.judge();
        assert_eq!((judgement.outcome, judgement.findings[1].open_question), (RunOutcome::Fail, true));
        assert!(
            judgement.findings[1].remedy.next[1].contains("openssl s_client -connect 10.0.0.10:443 -servername mail")
        );
    }
}

#[test]
fn a_refusal_says_so_only_of_a_product_that_is_known_to_be_old() {
    for outcome in [alert("handshake_failure"), alert("insufficient_security"), TlsOutcome::Closed(Stage::Handshake)] {
        assert_eq!(doing(outcome.clone(), Some("exchange-2003")).rules(), [RULE, "evidence-missing"]);
        let other = doing(outcome, Some("exchange-2016")).rules();
        assert!(!other.contains(&RULE.to_string()), "{other:?}");
    }
    for outcome in [TlsOutcome::Refused, TlsOutcome::Timeout(Stage::Handshake), alert("unrecognized_name")] {
        let rules = doing(outcome, Some("exchange-2003")).rules();
        assert!(!rules.contains(&RULE.to_string()), "{rules:?}");
    }
}

#[test]
fn nothing_that_the_plan_says_makes_a_pass_of_an_unknown_certificate() {
    let mut world = doing(old(), Some("exchange-2003"));
    world.waive(RULE, Some("ex2010"), None);
    assert_eq!(world.judge().outcome, RunOutcome::Incomplete);
    world.waive("evidence-missing", Some("ex2010"), None);
    assert_eq!(world.judge().outcome, RunOutcome::Incomplete);
    for rule in ["evidence-missing", RULE] {
        world.plan.severity.insert(rule.into(), Located::new(None, Span::default()));
        let judgement = judge(&world.plan, &world.obligations, &world.recording, &world.policy, world.now);
        assert_eq!(judgement.outcome, RunOutcome::Incomplete, "{rule} is off");
    }
}

#[test]
fn what_is_served_in_an_old_version_is_judged_beside_it() {
    let mut world = simple();
    world.forget("10.0.0.10");
    let mut outcome = world.served(&ROOT.issue(&[MAIL]), Possession::Proved);
    if let crate::model::observation::Outcome::Tls(TlsOutcome::Certificate(served)) = &mut outcome {
        served.version = Some("TLS 1.1".into());
    }
    world.see("in", tls_probe("10.0.0.10", MAIL), outcome);
    assert_eq!(world.rules(), [RULE]);
    assert_eq!(world.judge().findings[0].title, "ex2010 speaks TLS 1.1 at most");
    world.waive(RULE, Some("ex2010"), None);
    assert_eq!(world.judge().outcome, RunOutcome::Pass);
}

/// The simple world, in which the server declined a current client, and an older one read this.
fn in_the_clear(version: &str, suite: &str, change: impl FnOnce(&mut crate::model::tls::Served)) -> World {
    let mut world = simple();
    world.forget("10.0.0.10");
    let not_proved = Possession::NotProved("RSA key exchange signs nothing".into());
    let mut outcome = world.served(&ROOT.issue(&[MAIL]), not_proved);
    if let crate::model::observation::Outcome::Tls(TlsOutcome::Certificate(served)) = &mut outcome {
        served.version = Some(version.into());
        served.cipher = Some(suite.into());
        served.declined = Some(Box::new(alert("handshake_failure")));
        change(served);
    }
    world.see("in", tls_probe("10.0.0.10", MAIL), outcome);
    world
}

const RC4: &str = "TLS_RSA_WITH_RC4_128_SHA";
const CBC: &str = "TLS_RSA_WITH_AES_128_CBC_SHA";
const SUITES: &str = "modern-clients-cannot-connect";

#[test]
fn what_was_read_in_the_clear_is_judged_and_that_the_key_is_not_proved_is_said() {
    let mut world = in_the_clear("TLS 1.0", RC4, |_| {});
    let judgement = world.judge();
    assert_eq!((world.rules(), judgement.outcome), (vec![RULE.to_string()], RunOutcome::Fail));
    let seen = &judgement.findings[0].seen;
    for line in [
        "TLS 1.0 with TLS_RSA_WITH_RC4_128_SHA: https 10.0.0.10:443",
        "a current client: TLS alert before a certificate: handshake_failure",
        "possession of the key not proved: RSA key exchange signs nothing",
    ] {
        assert!(seen.iter().any(|l| l == line), "{line}: {seen:?}");
    }
    let unknown = "whether ex2010 holds the key (its handshake shows that only at its end)";
    assert!(judgement.not_looked_at.iter().any(|l| l == unknown), "{:?}", judgement.not_looked_at);
    world.waive(RULE, Some("ex2010"), None);
    assert_eq!(world.judge().outcome, RunOutcome::Pass);
    let tls = world.judge().obligations.into_iter().find(|o| o.verdict == Verdict::Waived);
    assert_eq!(tls.map(|o| o.cell), Some("TLS1.0".into()));
}

#[test]
fn old_suites_warn_and_those_that_browsers_refuse_fail() {
    for (suite, severity, outcome) in
        [(CBC, Severity::Warning, RunOutcome::Pass), (RC4, Severity::Error, RunOutcome::Fail)]
    {
        let judgement = in_the_clear("TLS 1.2", suite, |_| {}).judge();
        let shown: Vec<_> = judgement.findings.iter().map(|f| (f.rule, f.severity)).collect();
        assert_eq!((shown, judgement.outcome), (vec![(SUITES, severity)], outcome), "{suite}");
    }
}

#[test]
fn the_clear_part_proves_no_more_than_it_shows() {
    let failed = |s: &mut crate::model::tls::Served| s.possession = Possession::Failed("another key".into());
    let rules = in_the_clear("TLS 1.2", CBC, failed).rules();
    assert_eq!(rules, ["endpoint-serves-wrong-certificate", SUITES]);
    let ended = |s: &mut crate::model::tls::Served| s.ended = Some("closed by the server".into());
    let world = in_the_clear("TLS 1.0", CBC, ended);
    assert_eq!(world.rules(), [RULE, "evidence-missing"]);
    let proved = |s: &mut crate::model::tls::Served| s.possession = Possession::Proved;
    let judgement = in_the_clear("TLS 1.2", CBC, proved).judge();
    assert!(!judgement.not_looked_at.iter().any(|l| l.contains("holds the key")));
}

#[test]
fn the_remedy_has_a_waiver_to_paste() {
    let judgement = doing(old(), None).judge();
    let typed: Vec<&str> = judgement.findings[0].remedy.cure.iter().filter_map(|l| l.strip_prefix("  ")).collect();
    let waiver: toml::Table = typed.join("\n").parse().unwrap();
    let waiver = &waiver["waivers"][0];
    assert_eq!((waiver["rule"].as_str(), waiver["on"].as_str()), (Some(RULE), Some("ex2010")));
    assert_eq!(waiver["until"].as_datetime().map(ToString::to_string).as_deref(), Some("2027-02-20"));
}

#[test]
fn without_a_network_the_product_says_it_as_a_warning() {
    let mut world = simple();
    world.policy.scope = Scope::Files;
    world.plan.certificates[0].source = planned();
    assert_eq!(world.rules(), [""; 0]);
    world.plan.servers[0].product = Some(Located::new("exchange-2003".into(), Span::default()));
    let judgement = world.judge();
    let shown: Vec<_> = judgement.findings.iter().map(|f| (f.rule, f.severity)).collect();
    assert_eq!(shown, [(RULE, Severity::Warning)]);
    assert_eq!(judgement.outcome, RunOutcome::Pass);
}
