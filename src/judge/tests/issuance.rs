//! What public authorities certify, and which names a certificate is to have.

use super::*;
use crate::model::plan::{TrustSource, ViewKind};

/// A plan of one server that serves names with a certificate that is not ordered yet.
fn ordered(names: &[&str], listed: &[&str], issuer: Option<&str>) -> World {
    let mut world = World::empty();
    let server = world.server("ex2010", "10.0.0.10", "");
    let certificate = world.planned_certificate("san", listed);
    world.plan.certificates[0].issuer = issuer.map(|i| Located::new(i.to_string(), Span::default()));
    for name in names {
        let name = world.name(Table::Internet, name, Target::Server(server));
        world.covers(name, certificate);
    }
    world.policy.scope = Scope::Files;
    world
}

fn inside_only(mut world: World) -> World {
    world.plan.views[1].kind = ViewKind::Internal;
    world
}

#[test]
fn a_name_that_no_public_authority_certifies() {
    let names = &["portal.corp.local"];
    assert_eq!(
        ordered(names, names, None).rules(),
        ["uncertifiable-name"],
        "clients outside trust the public program only"
    );
    assert_eq!(inside_only(ordered(names, names, None)).rules(), [""; 0]);
    assert_eq!(inside_only(ordered(names, names, Some("our own CA"))).rules(), [""; 0]);
    assert_eq!(inside_only(ordered(names, names, Some("digicert.com"))).rules(), ["uncertifiable-name"]);
    let mut world = ordered(names, names, None);
    let file = TrustSource::File("corp.pem".into());
    world.plan.views[1].trust.push(Located::new(file, Span::default()));
    assert_eq!(world.rules(), [""; 0], "clients outside trust a private authority too");
}

#[test]
fn a_name_that_only_the_order_has_refuses_it_too() {
    let listed = &[MAIL, "mail", "mail.corp.local"];
    let judgement = ordered(&[MAIL], listed, Some("digicert.com")).judge();
    let finding = judgement.findings.iter().find(|f| f.rule == "uncertifiable-name").unwrap();
    assert_eq!(finding.title, "no public authority certifies mail and mail.corp.local (certificate \"san\")");
    assert_eq!(finding.subject.certificate.as_deref(), Some("san"));
    let says = |issuer| ordered(&[MAIL], listed, issuer).rules().contains(&"uncertifiable-name".to_string());
    assert!(!says(Some("our own CA")) && !says(None));
    let mut world = ordered(&[MAIL], listed, Some("digicert.com"));
    world.waive("uncertifiable-name", Some("mail"), None);
    let titles: Vec<_> = world.judge().findings.into_iter().filter(|f| f.rule == "uncertifiable-name").collect();
    assert_eq!(titles.iter().filter(|f| f.waived.is_some()).count(), 1);
    assert!(titles.iter().any(|f| f.waived.is_none() && f.title.contains("certifies mail.corp.local")));
}

#[test]
fn a_top_level_domain_that_is_not_known_is_a_warning() {
    let names = &["mail.contoso"];
    let judgement = ordered(names, names, None).judge();
    assert_eq!((judgement.findings.len(), judgement.findings[0].severity), (1, Severity::Warning));
    assert_eq!(judgement.outcome, RunOutcome::Pass);
}

#[test]
fn it_explains_why_such_a_name_is_missing() {
    let rules = ordered(&[MAIL, "ex2010"], &[MAIL], Some("digicert.com")).rules();
    assert_eq!(rules, ["uncertifiable-name", "san-missing-name<uncertifiable-name"]);
    let rules = ordered(&[MAIL, "www.domain.com", "ex2010"], &[MAIL], Some("digicert.com")).rules();
    assert_eq!(rules, ["san-missing-name", "uncertifiable-name"], "another name is missing for no such reason");
}

#[test]
fn a_slip_of_the_pen_is_told_beside_the_missing_name() {
    let world = ordered(&[MAIL, "autodiscover.domain.com"], &[MAIL, "autdiscover.domain.com"], None);
    assert_eq!(world.rules(), ["san-missing-name", "san-near-miss<san-missing-name"]);
    let judgement = world.judge();
    let seen = &judgement.findings[0].seen;
    let slip = "autdiscover.domain.com looks like a slip for autodiscover.domain.com";
    assert!(seen.iter().any(|s| s == slip), "{seen:?}");
    assert_eq!(
        judgement.findings[1].remedy.cure,
        ["write autodiscover.domain.com instead of autdiscover.domain.com in `names`"]
    );
    let world = ordered(&[MAIL, "mail2.domain.com"], &[MAIL], None);
    assert_eq!(world.rules(), ["san-missing-name"], "a name of the plan is no slip for another");
}

#[test]
fn what_nothing_wants_is_a_note() {
    let superfluous = |names: &[&str]| ordered(&[MAIL, "domain.com"], names, None).rules();
    assert_eq!(superfluous(&[MAIL, "domain.com", "owa.domain.com"]), ["superfluous-san"]);
    assert_eq!(superfluous(&[MAIL, "domain.com", "*.other.com"]), ["superfluous-san"]);
    for wanted in ["www.domain.com", "autodiscover.domain.com", "*.domain.com"] {
        assert_eq!(superfluous(&[MAIL, "domain.com", wanted]), [""; 0], "{wanted}");
    }
    assert_eq!(ordered(&["*.apps.domain.com"], &["*.apps.domain.com", "a.apps.domain.com"], None).rules(), [""; 0]);
}

#[test]
fn more_names_than_the_authority_takes() {
    let hosts = |n: usize| (0..n).map(|i| format!("h{i}.domain.com")).collect::<Vec<_>>();
    let count = |n: usize, issuer: Option<&str>, max: Option<u32>| {
        let hosts = hosts(n);
        let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
        let mut world = ordered(&hosts, &hosts, issuer);
        world.plan.certificates[0].max_names = max.map(|m| Located::new(m, Span::default()));
        let found = world.judge().findings;
        found.iter().map(|f| (f.rule, f.severity)).collect::<Vec<_>>()
    };
    let over = |severity| vec![("san-count-over-limit", severity)];
    assert_eq!(count(25, Some("letsencrypt.org"), Some(25)), []);
    assert_eq!(count(26, Some("letsencrypt.org"), Some(25)), over(Severity::Error));
    assert_eq!(count(100, Some("letsencrypt.org"), None), []);
    assert_eq!(count(101, Some("letsencrypt.org"), None), over(Severity::Error));
    assert_eq!(count(101, None, None), over(Severity::Warning));
    assert_eq!(count(250, Some("digicert.com"), None), []);
    assert_eq!(count(251, Some("digicert.com"), None), over(Severity::Error));
}

#[test]
fn wanted_names_that_are_not_listed_count_too_unless_a_wildcard_has_them() {
    let mut world = ordered(&[MAIL, "a.domain.com"], &["*.domain.com"], None);
    world.plan.certificates[0].max_names = Some(Located::new(1, Span::default()));
    assert_eq!(world.rules(), [""; 0]);
    let mut world = ordered(&[MAIL, "a.domain.com"], &[MAIL], None);
    world.plan.certificates[0].max_names = Some(Located::new(1, Span::default()));
    assert_eq!(world.rules(), ["san-count-over-limit", "san-missing-name"]);
}

/// A name of [intranet] that must not resolve outside, on a certificate.
fn intranet(issuer: Option<&str>) -> World {
    let mut world = ordered(&[MAIL], &[MAIL, "ex2010.domain.com"], issuer);
    let server = Target::Server(crate::model::plan::ServerId(0));
    let name = world.name(Table::Intranet, "ex2010.domain.com", server);
    world.covers(name, crate::model::plan::CertId(0));
    for wanted in &mut world.plan.names[name.0].wanted[1] {
        wanted.value = crate::model::plan::Wanted::Forbidden;
    }
    world
}

#[test]
fn a_name_for_inside_on_a_public_certificate() {
    assert_eq!(intranet(Some("letsencrypt.org")).rules(), ["intranet-name-in-public-certificate"]);
    assert_eq!(intranet(Some("our own CA")).rules(), [""; 0]);
    assert_eq!(intranet(None).rules(), [""; 0]);
    let mut allowed = intranet(Some("letsencrypt.org"));
    for wanted in &mut allowed.plan.names[1].wanted[1] {
        wanted.value = crate::model::plan::Wanted::Unconstrained;
    }
    assert_eq!(allowed.rules(), [""; 0]);
    let mut waived = intranet(Some("letsencrypt.org"));
    waived.waive("intranet-name-in-public-certificate", Some("san"), None);
    assert!(waived.judge().findings[0].waived.is_some());
}

fn presenting(names: &[&str]) -> Vec<(String, Severity)> {
    let chain = ROOT.issue(names);
    let mut world = World::empty();
    let server = world.server("ex2010", "10.0.0.10", "");
    let name = world.name(Table::Internet, MAIL, Target::Server(server));
    let certificate = world.certificate("san", &chain);
    world.covers(name, certificate);
    world.policy.scope = Scope::Files;
    world.judge().findings.iter().map(|f| (f.rule.to_string(), f.severity)).collect()
}

#[test]
fn an_entry_that_matches_nothing_weighs_what_it_would_have_matched() {
    let idn = |severity| ("idn-or-syntax".to_string(), severity);
    assert_eq!(presenting(&[MAIL, "Mail.DOMAIN.com"]), []);
    assert_eq!(presenting(&[MAIL, "other.domain.com."]), [idn(Severity::Info)]);
    let wrong = presenting(&["x.domain.com", "mail.domain.com."]);
    assert_eq!(wrong, [idn(Severity::Error), ("san-missing-name".to_string(), Severity::Error)]);
    let long = format!("{}.domain.com", "a".repeat(60));
    assert_eq!(presenting(&[&long, MAIL])[0], idn(Severity::Warning));
}

#[test]
fn a_name_that_the_plan_writes_in_another_form_is_a_note() {
    let mut world = ordered(&[MAIL], &[MAIL], None);
    let at = |world: &mut World, text: &str| {
        world.plan.source.text = text.into();
        world.plan.names[0].span = Span::new(0, text.len());
        let found = world.judge().findings;
        found.iter().map(|f| (f.rule, f.severity, f.remedy.cure.clone())).collect::<Vec<_>>()
    };
    assert_eq!(at(&mut world, "\"mail.domain.com\""), []);
    let note = vec![("idn-or-syntax", Severity::Info, vec!["write mail.domain.com".to_string()])];
    assert_eq!(at(&mut world, "\"Mail.Domain.com.\""), note);
    assert_eq!(at(&mut world, "\"something else\""), []);
    assert_eq!(at(&mut world, "\"mail\\u002edomain.com\""), []);
}
