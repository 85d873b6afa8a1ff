//! Certificates that end too early, or live too long.

use std::sync::Arc;

use rcgen::date_time_ymd;

use super::*;
use crate::model::finding::Judgement;
use crate::model::phase::{Moment, Phase};
use crate::model::plan::{CertId, PhaseDates};

/// The coexistence lasts until before this instant.
fn until(world: &mut World, until: &str) {
    let dates = PhaseDates { from: None, until: Some(until.parse().unwrap()), span: Span::default() };
    world.plan.phases.insert(Phase::Coexistence, dates);
}

/// The simple world, whose certificate is valid until 2027-04-01 00:00:00.
fn dated(end: &str) -> World {
    let mut world = simple();
    until(&mut world, end);
    world
}

fn said(world: &World) -> Vec<(String, Severity)> {
    world.judge().findings.iter().map(|f| (f.rule.to_string(), f.severity)).collect()
}

#[test]
fn a_certificate_outlives_its_phase_by_a_margin() {
    let rule = "expires-inside-phase".to_string();
    for (end, want) in [
        ("2027-04-01T00:00:02Z", Some(Severity::Error)),
        ("2027-04-01T00:00:01Z", Some(Severity::Warning)),
        ("2027-03-02T00:00:02Z", Some(Severity::Warning)),
        ("2027-03-02T00:00:01Z", None),
    ] {
        let want: Vec<_> = want.into_iter().map(|s| (rule.clone(), s)).collect();
        assert_eq!(said(&dated(end)), want, "{end}");
    }
}

#[test]
fn one_finding_says_it_of_file_and_servers_and_names_the_day() {
    let world = dated("2027-06-01T00:00:00Z");
    let judgement = world.judge();
    let finding = &judgement.findings[0];
    assert_eq!((judgement.findings.len(), finding.obligations.len()), (1, 3));
    assert_eq!(finding.subject.certificate.as_deref(), Some("san"));
    assert!(finding.title.contains("expires on 2027-04-01"), "{}", finding.title);
    assert!(finding.title.contains("until 2027-05-31"), "{}", finding.title);
    assert!(finding.remedy.cure[0].contains("ex2010 before 2027-04-01"), "{:?}", finding.remedy.cure);
    assert_eq!(judgement.obligations[0].verdict, Verdict::Fail);
}

#[test]
fn lint_judges_the_file() {
    let mut world = dated("2027-06-01T00:00:00Z");
    world.policy.scope = Scope::Files;
    assert_eq!(world.rules(), ["expires-inside-phase"]);
}

#[test]
fn what_is_expired_already_is_not_said_twice() {
    let mut world = dated("2028-01-01T00:00:00Z");
    world.now = "2027-05-01T00:00:00Z".parse().unwrap();
    assert_eq!(world.rules(), ["certificate-not-currently-valid"]);
}

#[test]
fn an_old_target_need_only_last_until_it_has_drained() {
    let mut world = dated("2027-06-01T00:00:00Z");
    world.obligations.iter_mut().for_each(|o| o.drain = Some(crate::model::obligation::Drain { hold: 60 }));
    assert_eq!(world.rules(), [""; 0]);
}

#[test]
fn only_the_phase_that_is_asked_about_counts() {
    let mut world = dated("2027-06-01T00:00:00Z");
    let dates = PhaseDates { from: None, until: "2026-12-01T00:00:00Z".parse().ok(), span: Span::default() };
    world.plan.phases.insert(Phase::Before, dates);
    world.plan.standing = vec![Moment::Steady(Phase::Before); 2];
    for obligation in &mut world.obligations {
        Arc::make_mut(&mut obligation.holds).iter_mut().for_each(|(_, m)| m.insert(Moment::Steady(Phase::Before)));
    }
    assert_eq!(world.rules(), [""; 0]);
}

#[test]
fn on_the_way_into_a_phase_without_an_end_the_one_before_counts() {
    for moment in [Moment::Ready, Moment::Transition].map(|m| m(Phase::Coexistence, Phase::After)) {
        let mut world = dated("2027-06-01T00:00:00Z");
        world.plan.standing = vec![moment; 2];
        for obligation in &mut world.obligations {
            Arc::make_mut(&mut obligation.holds).iter_mut().for_each(|(_, m)| m.insert(moment));
        }
        assert_eq!(world.rules(), ["expires-inside-phase"], "{moment:?}");
    }
}

#[test]
fn a_phase_without_an_end_ends_where_the_next_one_begins() {
    let judged = |from: &str| {
        let mut world = simple();
        let dates = PhaseDates { from: from.parse().ok(), until: None, span: Span::default() };
        world.plan.phases.insert(Phase::After, dates);
        world.rules()
    };
    assert_eq!(judged("2027-06-01T00:00:00Z"), ["expires-inside-phase"]);
    assert_eq!(judged("2027-03-02T00:00:01Z"), [""; 0]);
}

#[test]
fn a_waiver_and_a_severity_count() {
    let mut world = dated("2027-06-01T00:00:00Z");
    world.waive("expires-inside-phase", Some("san"), None);
    let judgement = world.judge();
    assert_eq!(judgement.outcome, RunOutcome::Pass);
    assert!(judgement.findings[0].waived.is_some());
    let mut world = dated("2027-06-01T00:00:00Z");
    world.plan.severity.insert("expires-inside-phase".into(), Located::new(None, Span::default()));
    assert_eq!(world.judge().outcome, RunOutcome::Pass);
}

/// The simple world on a server of a product, dated.
fn on(product: &str, issuer: Option<&str>) -> Judgement {
    let mut world = World::empty();
    let server = world.server("old", "10.0.0.3", "");
    world.plan.servers[0].product = Some(Located::new(product.into(), Span::default()));
    let name = world.name(Table::Internet, MAIL, Target::Server(server));
    let certificate = world.planned_certificate("san", &[MAIL]);
    world.plan.certificates[0].issuer = issuer.map(|i| Located::new(i.to_string(), Span::default()));
    world.covers(name, certificate);
    world.serves(name, server, &[certificate]);
    let chain = ROOT.issue_with(&[MAIL], |p| p.not_after = date_time_ymd(2027, 8, 1));
    world.serve("in", "10.0.0.3", MAIL, &chain);
    let dates = PhaseDates {
        from: "2026-12-01T00:00:00Z".parse().ok(),
        until: "2027-05-01T00:00:00Z".parse().ok(),
        span: Span::default(),
    };
    world.plan.phases.insert(Phase::Coexistence, dates);
    world.judge()
}

#[test]
fn a_renewal_inside_the_coexistence_concerns_who_cannot_renew() {
    let rules = |product, issuer| on(product, issuer).findings.iter().map(|f| f.rule).collect::<Vec<_>>();
    assert_eq!(rules("exchange-2003", Some("letsencrypt.org")), ["renewal-inside-coexistence"]);
    assert_eq!(rules("exchange-2003", Some("digicert.com")), [""; 0], "200 days reach beyond");
    assert_eq!(rules("exchange-2003", Some("our own CA")), [""; 0]);
    assert_eq!(rules("exchange-2003", None), [""; 0]);
    assert_eq!(rules("nginx", Some("letsencrypt.org")), [""; 0]);
    let finding = &on("exchange-2003", Some("letsencrypt.org")).findings[0];
    assert!(finding.title.contains("renewed by 2027-03-01"), "{}", finding.title);
    assert_eq!(finding.severity, Severity::Warning);
}

#[test]
fn what_expires_inside_is_renewed_for_that_reason() {
    let mut world = dated("2027-06-01T00:00:00Z");
    world.plan.servers[0].product = Some(Located::new("exchange-2003".into(), Span::default()));
    assert_eq!(world.rules(), ["expires-inside-phase", "renewal-inside-coexistence<expires-inside-phase"]);
}

type Change<'a> = &'a dyn Fn(&mut rcgen::CertificateParams);

fn living(days: i64, chain: fn(Change) -> Chain) -> Vec<String> {
    let change = |p: &mut rcgen::CertificateParams| {
        p.not_before = date_time_ymd(2026, 11, 1);
        p.not_after = p.not_before + ::time::Duration::days(days) - ::time::Duration::SECOND;
    };
    serving(chain(&change))
}

#[test]
fn a_public_certificate_lives_no_longer_than_is_allowed() {
    let public = |change: Change| ROOT.issue_with(&[MAIL], change);
    assert_eq!(living(200, public), [""; 0]);
    assert_eq!(living(201, public), ["validity-exceeds-limit"]);
    let private = |change: Change| STRANGER.issue_with(&[MAIL], change);
    assert_eq!(living(2000, private), ["untrusted-issuer-for-view"]);
}

#[test]
fn who_trusts_more_than_the_public_program_cannot_tell_what_is_public() {
    let mut world = simple();
    let chain = ROOT.issue_with(&[MAIL], |p| p.not_after = date_time_ymd(2036, 1, 1));
    world.forget("10.0.0.10");
    world.serve("in", "10.0.0.10", MAIL, &chain);
    assert_eq!(world.rules(), ["validity-exceeds-limit"]);
    for view in &mut world.plan.views {
        view.trust.push(Located::new(crate::model::plan::TrustSource::System, Span::default()));
    }
    assert_eq!(world.rules(), [""; 0]);
    assert_eq!(world.plan.certificate(CertId(0)).label.as_ref(), "san");
}
