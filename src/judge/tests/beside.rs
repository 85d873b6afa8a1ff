//! Mail and records that the plan lists, as DNS has them.

use super::*;
use crate::model::name::Name;
use crate::model::plan::{Autodiscover, MailDomain, PlannedRecord};

const DOMAIN: &str = "domain.com";

fn located(name: &str) -> Located<Name> {
    Located::new(Name::parse(name).unwrap(), Span::default())
}

/// The simple world with a mail domain and its hosts, by phase.
fn mail(before: &[&str], coexistence: &[&str], autodiscover: Autodiscover) -> World {
    let mut world = simple();
    let mx = |hosts: &[&str]| (!hosts.is_empty()).then(|| hosts.iter().map(|h| located(h)).collect());
    world.plan.mail = vec![MailDomain {
        domain: Name::parse(DOMAIN).unwrap(),
        mx: [mx(before), mx(coexistence), mx(coexistence)],
        autodiscover,
        mta_sts: None,
        helo: None,
        span: Span::default(),
    }];
    world
}

/// What is found where DNS names these hosts.
fn with_mx(texts: &[&str]) -> Vec<String> {
    let mut world = mail(&["old.domain.com"], &[MAIL], Autodiscover::None);
    world.say_of(EXTERNAL, DOMAIN, RecordType::Mx, &records(RecordType::Mx, texts));
    world.answer(EXTERNAL, "old.domain.com", &["203.0.113.3"]);
    world.say(EXTERNAL, "gone.domain.com", &nxdomain());
    let alias = |kind| answer(kind, &["203.0.113.10"], &[("alias.domain.com", MAIL)]);
    RecordType::ALL.into_iter().for_each(|k| world.say_of(EXTERNAL, "alias.domain.com", k, &alias(k)));
    world.rules()
}

#[test]
fn mx_hosts_are_those_of_the_phase_whatever_their_preference() {
    for (texts, rules) in [
        (&["10 mail.domain.com."][..], &[][..]),
        (&["0 mail.domain.com.", "5 mail.domain.com."], &[]),
        (&[], &["record-differs"]),
        (&["10 old.domain.com."], &["record-differs"]),
        (&["10 mail.domain.com.", "20 old.domain.com."], &["mx-left-behind"]),
        (&["10 mail.domain.com.", "20 stranger.example."], &["record-differs"]),
        (&["0 ."], &["record-differs"]),
    ] {
        assert_eq!(with_mx(texts), rules, "{texts:?}");
    }
}

#[test]
fn an_mx_host_of_a_later_phase_is_not_left_behind() {
    let mut world = mail(&["old.domain.com"], &[MAIL], Autodiscover::None);
    world.answer(EXTERNAL, "old.domain.com", &["203.0.113.3"]);
    let both = records(RecordType::Mx, &["10 old.domain.com.", "20 mail.domain.com."]);
    world.say_of(EXTERNAL, DOMAIN, RecordType::Mx, &both);
    let judged = |world: &mut World, phase| {
        world.plan.standing = vec![crate::model::phase::Moment::Steady(phase); 2];
        world.rules().into_iter().filter(|r| r.contains("mx-") || r.contains("record")).collect::<Vec<_>>()
    };
    assert_eq!(judged(&mut world, crate::model::phase::Phase::Before), ["record-differs"]);
    assert_eq!(judged(&mut world, crate::model::phase::Phase::Coexistence), ["mx-left-behind"]);
}

#[test]
fn an_mx_host_is_a_host_with_addresses_of_its_own() {
    for (host, title) in [
        ("gone.domain.com", "the MX host gone.domain.com of domain.com has no address"),
        ("alias.domain.com", "the MX host alias.domain.com of domain.com is an alias"),
        ("10.0.0.1", "the MX host 10.0.0.1 of domain.com is an address, not a host name"),
        (".", "the MX host . of domain.com stands beside others, and says that the domain takes no mail"),
    ] {
        let mut world = mail(&[], &[], Autodiscover::None);
        let texts = [format!("10 {host}"), "20 mail.domain.com.".to_string()];
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        world.say_of(EXTERNAL, DOMAIN, RecordType::Mx, &records(RecordType::Mx, &texts));
        world.say(EXTERNAL, "gone.domain.com", &nxdomain());
        let alias = |kind| answer(kind, &["203.0.113.10"], &[("alias.domain.com", MAIL)]);
        RecordType::ALL.into_iter().for_each(|k| world.say_of(EXTERNAL, "alias.domain.com", k, &alias(k)));
        let findings = world.judge().findings;
        assert_eq!(findings.iter().map(|f| f.title.as_str()).collect::<Vec<_>>(), [title]);
    }
}

#[test]
fn what_was_not_answered_is_neither_found_nor_passed_over() {
    let mut world = mail(&[], &[MAIL], Autodiscover::None);
    world.policy.views = Some(vec![EXTERNAL]);
    let told = |world: &World| world.judge().not_looked_at.into_iter().any(|l| l.contains("MX/SOA/TXT of domain.com"));
    assert_eq!((world.rules(), told(&world)), (vec![], true));
    world.say_of(EXTERNAL, DOMAIN, RecordType::Mx, &DnsOutcome::Timeout);
    assert_eq!((world.rules(), told(&world)), (vec![], true));
    world.unsay(EXTERNAL, DOMAIN);
    world.say_of(EXTERNAL, DOMAIN, RecordType::Mx, &records(RecordType::Mx, &["10 mail.domain.com."]));
    assert_eq!((world.rules(), told(&world)), (vec![], false));
}

#[test]
fn who_asks_about_one_name_is_told_nothing_beside() {
    let mut world = mail(&[], &[MAIL], Autodiscover::None);
    world.say_of(EXTERNAL, DOMAIN, RecordType::Mx, &records(RecordType::Mx, &[]));
    assert_eq!(world.rules(), ["record-differs"]);
    world.policy.only = vec!["dns".into()];
    assert_eq!(world.rules(), ["record-differs"]);
    world.policy.only = vec![MAIL.into()];
    assert_eq!(world.rules(), [""; 0]);
    world.policy = crate::model::policy::Policy { views: Some(vec![INTERNAL]), ..Default::default() };
    assert_eq!(world.rules(), [""; 0]);
}

#[test]
fn a_waiver_names_the_domain() {
    let mut world = mail(&[], &[MAIL], Autodiscover::None);
    world.say_of(EXTERNAL, DOMAIN, RecordType::Mx, &records(RecordType::Mx, &[]));
    world.waive("record-differs", Some(DOMAIN), None);
    assert!(world.judge().findings.iter().all(|f| f.waived.is_some()));
    assert_eq!(world.judge().outcome, RunOutcome::Pass);
}

/// What is found where the plan lists these texts outside, and DNS has those.
fn with_records(kind: RecordType, planned: &[&str], seen: &[&str]) -> Vec<String> {
    let mut world = simple();
    let values = planned.iter().map(|t| t.to_string()).collect();
    world.plan.records = vec![PlannedRecord {
        owner: Name::parse_owner("_x.domain.com").unwrap(),
        kind: kind.to_string(),
        values: vec![None, Some(values)],
        span: Span::default(),
    }];
    world.say_of(EXTERNAL, "_x.domain.com", kind, &records(kind, seen));
    world.say(EXTERNAL, "gone.domain.com", &nxdomain());
    world.rules()
}

#[test]
fn records_are_as_planned_but_other_texts_may_stand_beside() {
    const SPF: &str = "v=spf1 mx -all";
    for (kind, planned, seen, differs) in [
        (RecordType::Txt, &[SPF][..], &[SPF][..], false),
        (RecordType::Txt, &[SPF], &[SPF, "site-verification=1"], false),
        (RecordType::Txt, &[SPF], &[SPF, "v=spf1 -all"], true),
        (RecordType::Txt, &[SPF], &["V=SPF1 mx -all"], true),
        (RecordType::Txt, &["\"v=spf1 \" \"mx -all\""], &[SPF], false),
        (RecordType::Txt, &["x"], &["x", "v=spf1 -all"], false),
        (RecordType::Txt, &["x"], &[], true),
        (RecordType::Mx, &["10 a.example."], &["10 A.example"], false),
        (RecordType::Mx, &["10 a.example."], &["20 a.example."], true),
        (RecordType::Cname, &["a.example."], &["b.example."], true),
        (RecordType::Https, &["1 . alpn=h2"], &["1 . alpn=\"h2\""], false),
        (RecordType::Https, &["1 . alpn=h2"], &["1 . alpn=h3"], true),
        // Hints follow the addresses of the name, which are judged themselves.
        (RecordType::Https, &["1 . ipv4hint=192.0.2.1"], &["1 . ipv4hint=192.0.2.9"], false),
        (RecordType::Caa, &["0 issue \"a.example\""], &["0 issue \"a.example\"", "0 issue \"b.example\""], true),
    ] {
        let expected: &[&str] = if differs { &["record-differs"] } else { &[] };
        assert_eq!(with_records(kind, planned, seen), expected, "{kind} {planned:?} {seen:?}");
    }
}

#[test]
fn what_the_world_asks_for_need_not_stand_inside_unless_the_plan_says_so() {
    let judged = |kind: RecordType, inside: &str| {
        let mut world = simple();
        let texts = |text: &str| Some(vec![text.to_string()]);
        world.plan.records = vec![PlannedRecord {
            owner: Name::parse(DOMAIN).unwrap(),
            kind: kind.to_string(),
            values: vec![texts(inside), texts("0 0 443 mail.domain.com.")],
            span: Span::default(),
        }];
        world.say_of(INTERNAL, DOMAIN, kind, &records(kind, &[]));
        world.rules()
    };
    assert_eq!(judged(RecordType::Txt, "0 0 443 mail.domain.com."), [""; 0]);
    assert_eq!(judged(RecordType::Txt, "another"), ["record-differs"]);
    assert_eq!(judged(RecordType::Srv, "0 0 443 mail.domain.com."), ["srv-target-invalid"]);
}

#[test]
fn a_service_leads_to_a_host_with_addresses() {
    for (planned, seen, found) in [
        ("0 0 443 mail.domain.com.", &["0 0 443 mail.domain.com."][..], false),
        ("0 0 443 mail.domain.com.", &["0 0 444 mail.domain.com."], true),
        ("0 0 443 mail.domain.com.", &[], true),
        ("0 0 443 gone.domain.com.", &["0 0 443 gone.domain.com."], true),
        ("0 0 0 .", &["0 0 0 ."], true),
    ] {
        let expected: &[&str] = if found { &["srv-target-invalid"] } else { &[] };
        assert_eq!(with_records(RecordType::Srv, &[planned], seen), expected, "{planned} {seen:?}");
    }
}

#[test]
fn autodiscover_by_srv_needs_the_record() {
    let owner = "_autodiscover._tcp.domain.com";
    let mut world = mail(&[], &[], Autodiscover::Srv);
    world.say_of(EXTERNAL, owner, RecordType::Srv, &records(RecordType::Srv, &[]));
    assert_eq!(world.rules(), ["srv-target-invalid"]);
    world.unsay(EXTERNAL, owner);
    world.say_of(EXTERNAL, owner, RecordType::Srv, &records(RecordType::Srv, &["0 0 443 mail.domain.com."]));
    assert_eq!(world.rules(), [""; 0]);
}

#[test]
fn a_candidate_that_answers_covers_its_name() {
    let judged = |chain: Option<&[&str]>, run: &str| {
        let mut world = mail(&[], &[], Autodiscover::Name(located("autodiscover.domain.com")));
        world.plan.severity.insert("plan-inconsistent".into(), Located::new(None, Span::default()));
        world.answer(EXTERNAL, DOMAIN, &["198.51.100.80"]);
        match chain {
            Some(names) => world.serve(run, "198.51.100.80", DOMAIN, &ROOT.issue(names)),
            None => world.fail(run, "198.51.100.80", DOMAIN, TlsOutcome::Refused),
        }
        world.rules()
    };
    assert_eq!(judged(Some(&["www.hoster.example"]), "out"), ["autodiscover-candidate-uncovered"]);
    assert_eq!(judged(Some(&["www.hoster.example"]), "in"), [""; 0], "nobody stood outside");
    assert_eq!(judged(Some(&[DOMAIN]), "out"), [""; 0]);
    assert_eq!(judged(None, "out"), [""; 0]);
}

#[test]
fn a_waiver_of_one_mx_host_says_nothing_of_another() {
    let mut world = mail(&["old.domain.com", "older.domain.com"], &[MAIL], Autodiscover::None);
    let texts = ["10 mail.domain.com.", "20 old.domain.com.", "30 older.domain.com."];
    world.say_of(EXTERNAL, DOMAIN, RecordType::Mx, &records(RecordType::Mx, &texts));
    for host in ["old.domain.com", "older.domain.com"] {
        world.answer(EXTERNAL, host, &["203.0.113.3"]);
    }
    assert_eq!(world.rules(), ["mx-left-behind"]);
    world.waive("mx-left-behind", Some("old.domain.com"), None);
    let judgement = world.judge();
    let found: Vec<_> = judgement.findings.iter().map(|f| (f.title.as_str(), f.waived.is_some())).collect();
    let (open, waived) =
        ("older.domain.com still takes mail of domain.com", "old.domain.com still takes mail of domain.com");
    assert_eq!(found, [(open, false), (waived, true)]);
}
