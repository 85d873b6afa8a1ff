//! What a certificate's successor drops.

use super::*;
use crate::model::phase::{Moment, Phase};
use crate::model::plan::{CertId, CertificateChoice, CertificatePart, ServerId, Wanted};

const WEBMAIL: &str = "webmail.domain.com";

fn choice(parts: &[(Phase, CertId)]) -> Option<CertificateChoice> {
    let part =
        |(from, id): &(Phase, CertId)| CertificatePart { from: Some(*from), word: None, certificates: vec![*id] };
    Some(CertificateChoice { parts: parts.iter().map(part).collect(), span: Span::default() })
}

/// A server that serves one certificate before, and is to serve another in the coexistence; the files are read.
fn replaced(before: &Chain, after: &[&str]) -> World {
    let mut world = World::empty();
    let server = world.server("ex2003-fe", "10.0.0.3", "");
    let old = world.certificate("old", before);
    let new = world.planned_certificate("san", after);
    world.plan.servers[0].certificate = choice(&[(Phase::Before, old), (Phase::Coexistence, new)]);
    world.name(Table::Internet, MAIL, Target::Server(server));
    world.policy.scope = Scope::Files;
    world.plan.standing = vec![Moment::Steady(Phase::Before); 2];
    world
}

fn rules(before: &Chain, after: &[&str]) -> Vec<String> {
    replaced(before, after).rules()
}

#[test]
fn every_name_of_the_one_before_is_kept() {
    assert_eq!(rules(&ROOT.issue(&[MAIL, WEBMAIL]), &[MAIL, WEBMAIL]), [""; 0]);
    assert_eq!(rules(&ROOT.issue(&[MAIL, WEBMAIL]), &["*.domain.com"]), [""; 0]);
    assert_eq!(rules(&ROOT.issue(&[MAIL, WEBMAIL]), &[MAIL]), ["replacement-drops-name"]);
    let world = replaced(&ROOT.issue(&[MAIL, "WebMail.Domain.com"]), &[MAIL]);
    let finding = &world.judge().findings[0];
    assert_eq!((finding.severity, finding.subject.name.as_deref()), (Severity::Error, Some(WEBMAIL)));
    assert_eq!(finding.remedy.cure[0], "order \"san\" with 2 names: mail.domain.com, webmail.domain.com");
}

#[test]
fn what_no_public_authority_certifies_is_not_to_be_ordered() {
    let cure = |issuer: &str, before: &[&str]| {
        let mut world = replaced(&ROOT.issue(before), &[MAIL]);
        world.plan.certificates[1].issuer = Some(Located::new(issuer.into(), Span::default()));
        let judgement = world.judge();
        judgement.findings.iter().find(|f| f.rule == INFO_NAME).unwrap().remedy.cure.clone()
    };
    let public = cure("letsencrypt.org", &[MAIL, WEBMAIL, "mail.corp.local", "mail"]);
    assert_eq!(public[0], "order \"san\" with 2 names: mail.domain.com, webmail.domain.com");
    assert!(public[1].starts_with("mail and mail.corp.local: no public authority"), "{public:?}");
    let public = cure("letsencrypt.org", &[MAIL, "mail.corp.local"]);
    assert!(!public.iter().any(|c| c.starts_with("order")), "{public:?}");
    let private = cure("our own CA", &[MAIL, "mail.corp.local"]);
    assert_eq!(private[0], "order \"san\" with 2 names: mail.domain.com, mail.corp.local");
}

#[test]
fn a_balancer_without_services_of_its_own_has_those_of_its_members() {
    let mut world = replaced(&ROOT.issue(&[MAIL, WEBMAIL]), &[MAIL]);
    let own = world.plan.servers[0].certificate.take();
    let pool = world.pool("vip", "10.0.0.30", &[ServerId(0)]);
    world.plan.pools[pool.0].services = None;
    world.plan.pools[pool.0].certificate = own;
    assert_eq!(world.rules(), [INFO_NAME]);
}

#[test]
fn what_is_over_is_told_from_the_plan_and_what_is_two_phases_ahead_is_not() {
    let world = |phase| {
        let mut world = replaced(&ROOT.issue(&[MAIL, WEBMAIL]), &[MAIL]);
        world.plan.standing = vec![Moment::Steady(phase); 2];
        world.rules()
    };
    assert_eq!(world(Phase::Coexistence), ["replacement-drops-name"]);
    assert_eq!(world(Phase::After), [""; 0]);
}

#[test]
fn a_wildcard_that_only_covered_planned_names_is_a_warning() {
    let severity = |before: &Chain, after: &[&str]| {
        let judgement = replaced(before, after).judge();
        judgement.findings.iter().map(|f| (f.rule, f.severity)).collect::<Vec<_>>()
    };
    let rule = INFO_NAME;
    assert_eq!(severity(&ROOT.issue(&["*.domain.com"]), &[MAIL]), [(rule, Severity::Warning)]);
    assert_eq!(severity(&ROOT.issue(&["*.domain.com"]), &["www.domain.com"]), [(rule, Severity::Error)]);
    assert_eq!(severity(&ROOT.issue(&[MAIL, "*.other.com"]), &[MAIL]), [(rule, Severity::Error)]);
    assert_eq!(severity(&ROOT.issue(&["*.domain.com"]), &["*.domain.com"]), []);
}

const INFO_NAME: &str = "replacement-drops-name";

#[test]
fn a_name_that_is_retired_or_leads_elsewhere_need_not_be_kept() {
    let both = ROOT.issue(&[MAIL, WEBMAIL]);
    let with = |wanted: [Wanted; 3]| {
        let mut world = replaced(&both, &[MAIL]);
        world.server("other", "10.0.0.4", "");
        let name = world.name(Table::Legacy, WEBMAIL, Target::Server(ServerId(0)));
        let phases = wanted.map(|w| Located::new(w, Span::default()));
        world.plan.names[name.0].wanted = vec![phases.clone(), phases].into();
        world.rules()
    };
    let at = |server| Wanted::Targets(vec![Target::Server(ServerId(server))].into());
    assert!(with([at(0), at(0), at(0)]).contains(&INFO_NAME.to_string()));
    assert_eq!(with([at(0), at(1), at(1)]), [INFO_NAME], "caches lead to it still");
    assert_eq!(with([at(0), Wanted::Absent, Wanted::Absent]), [""; 0]);
    assert_eq!(with([at(1), at(1), at(1)]), [""; 0]);
}

#[test]
fn what_is_served_today_counts_more_than_what_was_planned_once() {
    let mut world = replaced(&ROOT.issue(&[MAIL]), &[MAIL]);
    world.policy.scope = Scope::All;
    world.serve("in", "10.0.0.3", MAIL, &ROOT.issue(&[MAIL, WEBMAIL]));
    assert!(world.rules().contains(&INFO_NAME.to_string()));
    world.forget("10.0.0.3");
    world.serve("in", "10.0.0.3", MAIL, &ROOT.issue(&[MAIL, "www.mail.domain.com"]));
    assert!(!world.rules().contains(&INFO_NAME.to_string()), "what was ordered, with what the authority added");
}

#[test]
fn a_host_s_own_names_on_what_it_made_itself_are_nobodys() {
    assert_eq!(rules(&self_signed("EX2003-FE", &["EX2003-FE", "ex2003-fe.corp.local"]), &[MAIL]), [""; 0]);
    assert_eq!(rules(&self_signed("EX2003-FE", &["EX2003-FE", WEBMAIL]), &[MAIL]), [INFO_NAME]);
    assert_eq!(rules(&ROOT.issue(&["ex2003-fe.corp.local"]), &[MAIL]), [INFO_NAME]);
}

#[test]
fn a_waiver_on_one_name_accepts_that_name_only() {
    let mut world = replaced(&ROOT.issue(&[MAIL, WEBMAIL, "scan.domain.com"]), &[MAIL]);
    world.waive(INFO_NAME, Some(WEBMAIL), None);
    let judgement = world.judge();
    let shown: Vec<_> = judgement.findings.iter().map(|f| (f.subject.name.as_deref(), f.waived.is_some())).collect();
    assert_eq!(shown, [(Some("scan.domain.com"), false), (Some(WEBMAIL), true)]);
}

#[test]
fn a_planned_name_is_told_as_missing_where_that_is_due() {
    let mut world = replaced(&ROOT.issue(&[MAIL]), &["www.domain.com"]);
    world.plan.standing = vec![Moment::Steady(Phase::Coexistence); 2];
    world.covers(crate::model::plan::NameId(0), CertId(1));
    assert_eq!(world.rules(), ["san-missing-name", "replacement-drops-name<san-missing-name"]);
}

#[test]
fn a_newer_file_is_the_successor_of_what_is_served() {
    let world = |served: &Chain, file: &Chain| {
        let mut world = World::empty();
        let server = world.server("ex2010", "10.0.0.10", "");
        let name = world.name(Table::Internet, MAIL, Target::Server(server));
        let certificate = world.certificate("san", file);
        world.plan.servers[0].certificate = choice(&[(Phase::Before, certificate)]);
        world.serves(name, server, &[certificate]);
        world.serve("in", "10.0.0.10", MAIL, served);
        world.judge().findings.iter().map(|f| f.rule).collect::<Vec<_>>()
    };
    let newer = |p: &mut rcgen::CertificateParams| p.not_before = rcgen::date_time_ymd(2026, 11, 1);
    let (old, new) = (ROOT.issue(&[MAIL, WEBMAIL]), ROOT.issue_with(&[MAIL], newer));
    assert_eq!(world(&old, &new), [INFO_NAME]);
    let (old, new) = (ROOT.issue(&[MAIL]), ROOT.issue_with(&[MAIL, WEBMAIL], newer));
    assert_eq!(world(&new, &old), [""; 0]);
}

/// As [`replaced`], where the name has the two certificates and the server a third.
fn replaced_by_name(before: &Chain, after: &[&str], server: &[&str]) -> World {
    let mut world = replaced(before, after);
    let other = world.planned_certificate("other", server);
    let own = world.plan.servers[0].certificate.take();
    world.plan.names[0].certificate = own.map(Box::new);
    world.plan.servers[0].certificate = choice(&[(Phase::Before, other)]);
    world
}

#[test]
fn a_name_s_own_certificate_is_compared_with_the_one_before_it() {
    let both = ROOT.issue(&[MAIL, WEBMAIL]);
    assert_eq!(replaced_by_name(&both, &[MAIL], &["ex.domain.com"]).rules(), [INFO_NAME]);
    assert_eq!(replaced_by_name(&both, &[MAIL, WEBMAIL], &["ex.domain.com"]).rules(), [""; 0]);
    assert_eq!(replaced_by_name(&both, &[MAIL], &["ex.domain.com", WEBMAIL]).rules(), [""; 0], "the server's has it");
    let judgement = replaced_by_name(&both, &[MAIL], &["ex.domain.com"]).judge();
    let finding = &judgement.findings[0];
    assert_eq!(finding.subject.name.as_deref(), Some(WEBMAIL));
    assert!(finding.title.starts_with("certificate \"san\" drops webmail.domain.com"), "{}", finding.title);
}

#[test]
fn a_name_that_moves_to_another_server_replaces_nothing() {
    let mut world = replaced_by_name(&ROOT.issue(&[MAIL, WEBMAIL]), &[MAIL], &["ex.domain.com"]);
    world.server("ex2010", "10.0.0.10", "");
    let at = |server| Located::new(Wanted::Targets(vec![Target::Server(ServerId(server))].into()), Span::default());
    let phases = [at(0), at(1), at(1)];
    world.plan.names[0].wanted = vec![phases.clone(), phases].into();
    assert_eq!(world.rules(), [""; 0]);
}

#[test]
fn what_a_name_is_served_of_its_own_is_not_taken_for_the_server_s() {
    let mut world = replaced_by_name(&ROOT.issue(&[MAIL]), &[MAIL], &["ex.domain.com"]);
    let after = world.planned_certificate("next", &["ex.domain.com"]);
    world.plan.servers[0].certificate = choice(&[(Phase::Before, CertId(2)), (Phase::Coexistence, after)]);
    let other = world.name(Table::Internet, "ex.domain.com", Target::Server(ServerId(0)));
    for name in [crate::model::plan::NameId(0), other] {
        let index = world.serves(name, ServerId(0), &[]);
        std::sync::Arc::make_mut(&mut world.obligations[index].holds)
            .iter_mut()
            .for_each(|(_, m)| *m = [Moment::Steady(Phase::Before)].into_iter().collect());
    }
    world.policy.scope = Scope::All;
    world.serve("in", "10.0.0.3", MAIL, &ROOT.issue(&[MAIL, WEBMAIL]));
    world.serve("in", "10.0.0.3", "ex.domain.com", &ROOT.issue(&["ex.domain.com"]));
    let titles: Vec<_> = world.judge().findings.into_iter().map(|f| f.title).collect();
    assert!(!titles.iter().any(|t| t.contains("\"next\" drops")), "{titles:?}");
}
