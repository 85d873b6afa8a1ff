//! What the plan and certificate files say without a network.

use super::*;

fn with_file(chain: Chain) -> Vec<String> {
    let mut world = World::empty();
    let server = world.server("ex2010", "10.0.0.10", "");
    let name = world.name(Table::Internet, MAIL, Target::Server(server));
    let certificate = world.certificate("san", &chain);
    world.covers(name, certificate);
    world.policy.scope = Scope::Files;
    world.rules()
}

#[test]
fn a_covering_one_passes() {
    assert_eq!(with_file(ROOT.issue(&[MAIL])), [""; 0]);
    assert_eq!(with_file(ROOT.issue(&["*.domain.com"])), [""; 0]);
}

#[test]
fn a_missing_name_is_named_with_the_list_to_order() {
    assert_eq!(with_file(ROOT.issue(&["www.domain.com"])), ["san-missing-name"]);
    let mut world = simple();
    let server = Target::Server(crate::model::plan::ServerId(0));
    let extra = world.name(Table::Internet, "autodiscover.domain.com", server);
    world.covers(extra, crate::model::plan::CertId(0));
    let judgement = world.judge();
    assert_eq!(judgement.findings[0].rule, "san-missing-name");
    assert!(judgement.findings[0].remedy.cure[0].contains("mail.domain.com, autodiscover.domain.com"));
    assert_eq!(judgement.findings[0].subject.certificate.as_deref(), Some("san"));
}

#[test]
fn a_misread_wildcard_is_its_own_fault() {
    assert_eq!(with_file(ROOT.issue(&["*.mail.domain.com", "*.com.domain.com"])), ["wildcard-depth-mismatch"]);
}

#[test]
fn a_lone_common_name_is_its_own_fault() {
    assert_eq!(with_file(ROOT.issue_cn(MAIL, &[])), ["cn-only-certificate"]);
    assert_eq!(with_file(ROOT.issue_cn(MAIL, &["www.domain.com"])), ["cn-only-certificate"]);
}

#[test]
fn nothing_but_a_common_name_explains_every_missing_name() {
    let chain = ROOT.issue_cn(MAIL, &[]);
    let mut world = World::empty();
    let server = world.server("ex2010", "10.0.0.10", "");
    let certificate = world.planned_certificate("san", &[MAIL, "www.domain.com"]);
    for text in [MAIL, "www.domain.com"] {
        let name = world.name(Table::Internet, text, Target::Server(server));
        world.serves(name, server, &[certificate]);
        world.serve("in", "10.0.0.10", text, &chain);
    }
    let want = ["cn-only-certificate", "endpoint-serves-wrong-certificate<cn-only-certificate"];
    assert_eq!(world.rules(), want);
}

#[test]
fn dates_are_judged() {
    assert_eq!(with_file(ROOT.issue_until(&[MAIL], 2025)), ["certificate-not-currently-valid"]);
}

#[test]
fn a_self_signed_file_is_trusted_by_nobody() {
    assert_eq!(with_file(self_signed(MAIL, &[MAIL])), ["untrusted-issuer-for-view"]);
}

#[test]
fn planned_names_are_judged_without_a_file() {
    let mut world = World::empty();
    let server = world.server("ex2010", "10.0.0.10", "");
    let mail = world.name(Table::Internet, MAIL, Target::Server(server));
    let auto = world.name(Table::Internet, "autodiscover.domain.com", Target::Server(server));
    let certificate = world.planned_certificate("san", &[MAIL]);
    let (mail, auto) = (world.covers(mail, certificate), world.covers(auto, certificate));
    assert_eq!(world.rules(), ["san-missing-name"]);
    assert_eq!((world.verdict(mail), world.verdict(auto)), (Verdict::Pass, Verdict::Fail));
}

#[test]
fn a_file_that_was_not_read_is_an_open_question() {
    let mut world = simple();
    world.recording.observations.retain(|o| !matches!(o.probe, crate::model::observation::Probe::File(_)));
    assert_eq!(world.rules(), ["evidence-missing"]);
    assert_eq!(world.judge().outcome, RunOutcome::Incomplete);
}

#[test]
fn another_thumbprint_makes_the_plan_inconsistent() {
    let rules = broken(|w| {
        let other = crate::model::certificate::Thumbprint::Sha1([1; 20]);
        w.plan.certificates[0].thumbprint = Some(Located::new(other, Span::default()));
    });
    assert_eq!(rules, ["plan-inconsistent"]);
}
