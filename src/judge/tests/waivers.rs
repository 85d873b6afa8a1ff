//! Waivers and severities.

use super::*;

fn refused() -> World {
    let mut world = simple();
    world.forget("10.0.0.10");
    world.fail("in", "10.0.0.10", MAIL, TlsOutcome::Refused);
    world
}

#[test]
fn one_in_force_accepts_what_it_names() {
    for on in [None, Some("ex2010"), Some(MAIL)] {
        let mut world = refused();
        world.waive("endpoint-unreachable", on, Some("2027-04-01T00:00:00Z"));
        let judgement = world.judge();
        assert_eq!((judgement.outcome, judgement.counts.waived), (RunOutcome::Pass, 1), "{on:?}");
        let waived = judgement.findings[0].waived.clone().unwrap();
        assert_eq!((waived.reason.as_str(), waived.until.as_deref()), ("because", Some("2027-03-31")));
    }
}

#[test]
fn one_that_names_something_else_accepts_nothing() {
    let mut world = refused();
    world.waive("endpoint-unreachable", Some("ex2003"), None);
    assert_eq!(world.rules(), ["endpoint-unreachable", "waiver-matched-nothing"]);
    assert_eq!(world.judge().outcome, RunOutcome::Fail);
}

#[test]
fn an_expired_one_accepts_nothing() {
    let mut world = refused();
    world.waive("endpoint-unreachable", None, Some("2026-11-22T00:00:00Z"));
    assert_eq!(world.rules(), ["endpoint-unreachable", "waiver-expired"]);
    assert_eq!(world.judge().outcome, RunOutcome::Fail);
}

#[test]
fn one_for_a_name_does_not_accept_its_neighbour() {
    let mut world = simple();
    let server = crate::model::plan::ServerId(0);
    let other = world.name(Table::Internet, "www.domain.com", Target::Server(server));
    world.serves(other, server, &[]);
    world.forget("10.0.0.10");
    world.fail("in", "10.0.0.10", MAIL, TlsOutcome::Refused);
    world.fail("in", "10.0.0.10", "www.domain.com", TlsOutcome::Refused);
    world.waive("endpoint-unreachable", Some(MAIL), None);
    let judgement = world.judge();
    assert_eq!((judgement.counts.failed, judgement.counts.waived), (1, 1));
    assert_eq!(judgement.outcome, RunOutcome::Fail);
}

#[test]
fn none_makes_a_pass_of_what_was_not_told() {
    let mut world = simple();
    world.forget("10.0.0.10");
    world.waive("evidence-missing", None, None);
    assert_eq!((world.verdict(3), world.judge().outcome), (Verdict::Unobserved, RunOutcome::Incomplete));
}

#[test]
fn severities_are_the_plans() {
    let judged = |severity: Option<Severity>| {
        let mut world = refused();
        world.plan.severity.insert("endpoint-unreachable".into(), Located::new(severity, Span::default()));
        let judgement = world.judge();
        (judgement.outcome, judgement.counts.warned, judgement.findings.len())
    };
    assert_eq!(judged(Some(Severity::Warning)), (RunOutcome::Pass, 1, 1));
    assert_eq!(judged(Some(Severity::Info)), (RunOutcome::Pass, 1, 1));
    assert_eq!(judged(None), (RunOutcome::Pass, 1, 0));
    let mut strict = refused();
    strict.plan.severity.insert("endpoint-unreachable".into(), Located::new(Some(Severity::Warning), Span::default()));
    strict.policy.fail_on = Severity::Warning;
    assert_eq!(strict.judge().outcome, RunOutcome::Fail);
}

#[test]
fn one_whose_subject_could_be_two_things_accepts_nothing() {
    let mut world = refused();
    world.plan.certificates[0].label = "ex2010".into();
    world.waive("endpoint-unreachable", Some("ex2010"), None);
    assert_eq!(world.rules(), ["endpoint-unreachable", "plan-inconsistent"]);
    let judgement = world.judge();
    assert_eq!((judgement.outcome, judgement.counts.waived), (RunOutcome::Fail, 0));
    let finding = judgement.findings.iter().find(|f| f.rule == "plan-inconsistent").unwrap();
    assert_eq!(finding.title, "`on = \"ex2010\"` could be a server or a certificate");
}

#[test]
fn one_of_a_cause_accepts_what_follows_from_it() {
    let lacking = ROOT.issue(&["www.domain.com"]);
    let mut world = World::empty();
    let server = world.server("ex2010", "10.0.0.10", "");
    let name = world.name(Table::Internet, MAIL, Target::Server(server));
    let certificate = world.certificate("san", &lacking);
    world.covers(name, certificate);
    world.serves(name, server, &[certificate]);
    world.serve("in", "10.0.0.10", MAIL, &lacking);
    world.waive("san-missing-name", None, None);
    let judgement = world.judge();
    assert_eq!((judgement.outcome, judgement.counts.waived), (RunOutcome::Pass, 2), "{:#?}", judgement.findings);
    assert!(judgement.findings.iter().all(|f| f.waived.is_some()));
}

#[test]
fn what_follows_from_another_cause_too_is_not_accepted() {
    let lacking = ROOT.issue(&["www.domain.com"]);
    let auto = "autodiscover.domain.com";
    let mut world = World::empty();
    let server = world.server("ex2010", "10.0.0.10", "");
    let certificate = world.certificate("san", &lacking);
    for text in [MAIL, auto] {
        let name = world.name(Table::Internet, text, Target::Server(server));
        world.covers(name, certificate);
        world.serves(name, server, &[certificate]);
        world.serve("in", "10.0.0.10", text, &lacking);
    }
    world.waive("san-missing-name", Some(MAIL), None);
    let judgement = world.judge();
    assert_eq!(judgement.outcome, RunOutcome::Fail);
    let wrong = judgement.findings.iter().find(|f| f.rule == "endpoint-serves-wrong-certificate").unwrap();
    assert!(wrong.waived.is_none() && wrong.caused_by.is_some_and(|c| judgement.findings[c].waived.is_none()));
}

/// The findings of a rule: all, and those that no waiver accepts.
fn counted(world: &World, rule: &str) -> (usize, usize) {
    let all = world.judge().findings;
    let of_rule: Vec<_> = all.iter().filter(|f| f.rule == rule).collect();
    (of_rule.len(), of_rule.iter().filter(|f| f.waived.is_none()).count())
}

#[test]
fn a_waiver_of_one_name_of_a_certificate_leaves_what_caa_says_of_the_others() {
    for (rule, caa) in [
        ("caa-forbids-issuer", records(RecordType::Caa, &["0 issue \"digicert.com\""])),
        ("caa-or-dcv-lookup-fails", DnsOutcome::ServFail),
    ] {
        let mut world = simple();
        let certificate = world.planned_certificate("new", &["a.domain.com", "b.domain.com"]);
        world.plan.certificates[certificate.0].issuer = Some(Located::new("letsencrypt.org".into(), Span::default()));
        for name in ["a.domain.com", "b.domain.com"] {
            world.say_of(EXTERNAL, name, RecordType::Caa, &records(RecordType::Caa, &[]));
        }
        world.say_of(EXTERNAL, "domain.com", RecordType::Caa, &caa);
        assert_eq!(counted(&world, rule), (1, 1), "{rule}");
        world.waive(rule, Some("a.domain.com"), None);
        assert_eq!(counted(&world, rule), (2, 1), "{rule}");
        world.waive(rule, Some("new"), None);
        assert_eq!(counted(&world, rule).1, 0, "{rule}");
    }
}

#[test]
fn a_waiver_of_one_name_leaves_the_others_that_a_zone_hides() {
    let mut world = simple();
    world.plan.zones = vec![crate::model::plan::Zone {
        apex: Name::parse("domain.com").unwrap(),
        views: vec![INTERNAL],
        servers: Vec::new(),
        product: None,
        span: Span::default(),
    }];
    for name in ["www.domain.com", "autodiscover.domain.com"] {
        world.answer(EXTERNAL, name, &["203.0.113.80"]);
        world.say(INTERNAL, name, &nxdomain());
    }
    let rule = "internal-zone-shadows-public";
    assert_eq!(counted(&world, rule), (1, 1));
    world.waive(rule, Some("www.domain.com"), None);
    assert_eq!(counted(&world, rule), (2, 1));
}

#[test]
fn a_waiver_of_one_view_leaves_the_mail_of_another() {
    let mut world = simple();
    world.plan.views[0].kind = crate::model::plan::ViewKind::External;
    let name = |text: &str| Name::parse(text).unwrap();
    let mx = || Some(vec![Located::new(name(MAIL), Span::default())]);
    world.plan.mail = vec![MailDomain {
        domain: name("domain.com"),
        mx: [mx(), mx(), mx()],
        autodiscover: Autodiscover::None,
        mta_sts: None,
        helo: None,
        span: Span::default(),
    }];
    for view in [INTERNAL, EXTERNAL] {
        world.say_of(view, "domain.com", RecordType::Mx, &records(RecordType::Mx, &["10 stranger.example."]));
    }
    assert_eq!(counted(&world, "record-differs"), (1, 1));
    world.waive("record-differs", Some("internal"), None);
    assert_eq!(counted(&world, "record-differs"), (2, 1));
}
