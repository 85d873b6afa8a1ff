//! What resolvers answer.

use super::*;

#[test]
fn a_missing_name_tells_what_was_said() {
    let mut world = simple();
    world.unsay(INTERNAL, MAIL);
    world.say(INTERNAL, MAIL, &nxdomain());
    assert_eq!(world.rules(), ["name-unresolved-in-view"]);
    let finding = world.judge().findings.remove(0);
    assert_eq!(finding.seen, ["NXDOMAIN from 10.0.0.53, 2026-11-22 21:04Z; authority SOA ns1.domain.com"]);
    assert_eq!(finding.remedy.cure[0], "internal zone: mail.domain.com. 300 IN A 10.0.0.10");
    assert_eq!(
        finding.remedy.cure[1],
        "caches may say \"absent\" for 30 min more (negative TTL 900 s + 15 min propagation)"
    );
}

#[test]
fn servfail_fails_what_must_resolve_and_refused_does_not() {
    let word = |outcome: DnsOutcome| {
        broken(|w| {
            w.unsay(INTERNAL, MAIL);
            w.say(INTERNAL, MAIL, &outcome);
        })
    };
    assert_eq!(word(DnsOutcome::ServFail), ["name-unresolved-in-view"]);
    assert_eq!(word(DnsOutcome::Refused), ["evidence-missing"]);
    assert_eq!(word(DnsOutcome::Timeout), ["evidence-missing"]);
}

#[test]
fn a_resolver_that_fails_for_every_name_is_one_finding() {
    let mut world = simple();
    let server = Target::Server(crate::model::plan::ServerId(0));
    let www = world.name(Table::Internet, "www.domain.com", server);
    world.resolves(www, INTERNAL, &["10.0.0.10"]);
    world.unsay(INTERNAL, MAIL);
    world.say(INTERNAL, MAIL, &DnsOutcome::ServFail);
    world.say(INTERNAL, "www.domain.com", &DnsOutcome::ServFail);
    assert_eq!(world.rules(), ["name-unresolved-in-view"]);
    assert_eq!(world.judge().findings[0].title, "resolver 10.0.0.53 of internal fails whatever it is asked");
}

#[test]
fn a_view_whose_resolvers_all_fail_is_one_finding() {
    let mut world = simple();
    let server = Target::Server(crate::model::plan::ServerId(0));
    let www = world.name(Table::Internet, "www.domain.com", server);
    world.resolves(www, EXTERNAL, &["203.0.113.10"]);
    let inside = world.name(Table::Intranet, "ex2010.domain.com", server);
    world.expects(inside, EXTERNAL, DnsExpectation { absent: true, forbidden: true, ..Default::default() });
    world.unsay(EXTERNAL, MAIL);
    for name in [MAIL, "www.domain.com", "ex2010.domain.com"] {
        world.say(EXTERNAL, name, &DnsOutcome::ServFail);
    }
    assert_eq!(world.rules(), ["name-unresolved-in-view", "evidence-missing<name-unresolved-in-view"]);
    let judgement = world.judge();
    assert_eq!(judgement.findings[0].title, "all resolvers of external fail whatever they are asked");
    assert_eq!(judgement.seen_from.resolvers[1].answered, 2);
    assert_eq!((judgement.counts.failed, judgement.counts.unobserved), (2, 1));
}

#[test]
fn without_split_dns_nothing_looks_intercepted() {
    let mut world = World::empty();
    let server = world.server("new", "203.0.113.10", "203.0.113.10");
    for text in [MAIL, "autodiscover.domain.com"] {
        let name = world.name(Table::Internet, text, Target::Server(server));
        for view in [INTERNAL, EXTERNAL] {
            world.resolves(name, view, &["203.0.113.10"]);
            world.answer(view, text, &["203.0.113.3"]);
        }
    }
    assert_eq!(world.rules(), ["resolves-to-unexpected-target"; 4]);
}

#[test]
fn a_forgotten_aaaa_leads_elsewhere() {
    let rules = broken(|w| {
        w.unsay(INTERNAL, MAIL);
        w.answer(INTERNAL, MAIL, &["10.0.0.10", "2001:db8::3"]);
    });
    assert_eq!(rules, ["stale-or-unplanned-aaaa"]);
}

#[test]
fn half_an_answer_is_no_answer() {
    let mut world = simple();
    let label = world.plan.views[0].label.clone();
    world.recording.observations.retain(|o| {
        !matches!(&o.probe, crate::model::observation::Probe::Dns(p) if p.view == label && p.kind == RecordType::Aaaa)
    });
    world.says(INTERNAL, 0, MAIL, RecordType::Aaaa, DnsOutcome::Timeout);
    assert_eq!((world.verdict(1), world.rules()), (Verdict::Unobserved, vec!["evidence-missing".to_string()]));
}

#[test]
fn one_silent_resolver_is_named_once_and_leaves_nothing_open() {
    let mut world = simple();
    world.unsay(EXTERNAL, MAIL);
    world.answer_of(EXTERNAL, 0, MAIL, &["203.0.113.10"]);
    RecordType::ALL.into_iter().for_each(|k| world.says(EXTERNAL, 1, MAIL, k, DnsOutcome::Timeout));
    let judgement = world.judge();
    assert_eq!(judgement.findings.len(), 1);
    assert!(!judgement.findings[0].open_question && judgement.findings[0].title.contains("1.1.1.1"));
    assert_eq!((judgement.outcome, judgement.counts.passed), (RunOutcome::Pass, 5));
    assert_eq!(judgement.seen_from.resolvers[1].answered, 1);
}

#[test]
fn what_must_be_absent_passes_by_absence_only() {
    let judged = |outcome: DnsOutcome, forbidden: bool| {
        let mut world = World::empty();
        let server = world.server("ex2010", "10.0.0.10", "");
        let name = world.name(Table::Intranet, "ex2010.domain.com", Target::Server(server));
        let expected = DnsExpectation { absent: true, forbidden, ..Default::default() };
        let obligation = world.expects(name, EXTERNAL, expected);
        world.say(EXTERNAL, "ex2010.domain.com", &outcome);
        (world.verdict(obligation), world.rules(), world.judge().obligations[0].cell.clone())
    };
    assert_eq!(judged(nxdomain(), true), (Verdict::Pass, vec![], "absent".into()));
    assert_eq!(judged(DnsOutcome::ServFail, true).0, Verdict::Unobserved);
    let answer = || {
        let address = "10.0.0.10".parse().unwrap();
        let addresses = vec![crate::model::dns::AddressRecord { address, ttl: 60 }];
        DnsOutcome::Answer(crate::model::dns::Reply { addresses, ..Default::default() })
    };
    let leaked = judged(answer(), true);
    assert_eq!((leaked.0, leaked.1), (Verdict::Warn, vec!["intranet-name-in-external-view".to_string()]));
    let left = judged(answer(), false);
    assert_eq!((left.0, left.1), (Verdict::Fail, vec!["resolves-to-unexpected-target".to_string()]));
}

#[test]
fn in_a_transition_either_target_or_both_are_right() {
    let judged = |addresses: &[&str]| {
        let mut world = World::empty();
        let server = world.server("ex2010", "10.0.0.10", "");
        let name = world.name(Table::Internet, MAIL, Target::Server(server));
        let set = |a: &str| crate::model::obligation::Alternative {
            targets: vec![Target::Server(server)],
            addresses: [a.parse().unwrap()].into(),
        };
        let present = vec![set("10.0.0.3"), set("10.0.0.10")];
        let obligation = world.expects(name, INTERNAL, DnsExpectation { present, ..Default::default() });
        world.answer(INTERNAL, MAIL, addresses);
        world.verdict(obligation)
    };
    assert_eq!(judged(&["10.0.0.3"]), Verdict::Pass);
    assert_eq!(judged(&["10.0.0.10"]), Verdict::Pass);
    assert_eq!(judged(&["10.0.0.3", "10.0.0.10"]), Verdict::Pass);
    assert_eq!(judged(&["10.0.0.4"]), Verdict::Fail);
    assert_eq!(judged(&["10.0.0.3", "10.0.0.4"]), Verdict::Fail);
}

#[test]
fn others_hosts_are_compared_in_the_same_view() {
    let judged = |host: &[&str], own: &[&str]| {
        let mut world = World::empty();
        let server = world.server("m365", "", "");
        let name = world.name(Table::Internet, "autodiscover.domain.com", Target::Server(server));
        let like = vec![Name::parse("autodiscover.outlook.com").unwrap()];
        let obligation = world.expects(name, EXTERNAL, DnsExpectation { like, ..Default::default() });
        if !host.is_empty() {
            world.answer(EXTERNAL, "autodiscover.outlook.com", host);
        }
        world.answer(EXTERNAL, "autodiscover.domain.com", own);
        world.verdict(obligation)
    };
    assert_eq!(judged(&["203.0.113.7", "203.0.113.8"], &["203.0.113.8"]), Verdict::Pass);
    assert_eq!(judged(&["203.0.113.7"], &["203.0.113.9"]), Verdict::Fail);
    assert_eq!(judged(&[], &["203.0.113.9"]), Verdict::Unobserved);
}

#[test]
fn a_ttl_above_the_bound_fails() {
    let judged = |at_most: u32| {
        let mut world = simple();
        let name = crate::model::plan::NameId(0);
        let claim = crate::model::obligation::Claim::Lowered { view: EXTERNAL, at_most };
        world.oblige("ttl/external/mail.domain.com", name, claim, &[EXTERNAL]);
        world.rules()
    };
    assert_eq!(judged(300), [""; 0]);
    assert_eq!(judged(299), ["ttl-too-high-at-flip"]);
}

/// Two names whose external answers are as inside.
fn redirected(resolver: &str) -> World {
    let mut world = World::empty();
    world.plan.views[1].resolvers =
        vec![Located::new(crate::model::dns::ResolverAddr::parse(resolver).unwrap(), Span::default())];
    let server = world.server("ex2010", "10.0.0.10", "203.0.113.10");
    for text in [MAIL, "autodiscover.domain.com"] {
        let name = world.name(Table::Internet, text, Target::Server(server));
        world.resolves(name, INTERNAL, &["10.0.0.10"]);
        world.resolves(name, EXTERNAL, &["203.0.113.10"]);
        world.answer(INTERNAL, text, &["10.0.0.10"]);
        world.answer(EXTERNAL, text, &["10.0.0.10"]);
    }
    world
}

#[test]
fn answers_of_inside_from_outside_are_believed_only_encrypted() {
    let judgement = redirected("9.9.9.9").judge();
    assert_eq!(judgement.findings.iter().map(|f| f.rule).collect::<Vec<_>>(), ["dns-interception-suspected"]);
    assert_eq!((judgement.outcome, judgement.counts.unobserved), (RunOutcome::Incomplete, 2));
    assert_eq!(redirected("tls://9.9.9.9").rules(), ["private-address-in-external-view"; 2]);
}
