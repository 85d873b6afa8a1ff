//! What is said to be done mends what is broken, and breaks nothing else.

use std::sync::Arc;

use super::*;
use crate::model::phase::{Moment, Phase};
use crate::model::plan::{ServerId, Wanted};

fn cure(world: &World) -> Vec<String> {
    world.judge().findings.remove(0).remedy.cure
}

#[test]
fn a_key_that_is_not_the_certificate_s_is_brought_and_not_the_certificate_again() {
    let chain = ROOT.issue(&[MAIL]);
    let keyless = |world: &mut World| {
        let id = world.certificate("own", &chain);
        world.obligations.clear();
        world.serves(crate::model::plan::NameId(0), ServerId(0), &[id]);
        world.forget("10.0.0.10");
        let outcome = world.served(&chain, Possession::Failed("bad signature".into()));
        world.see("in", tls_probe("10.0.0.10", MAIL), outcome);
        world.plan.servers[0].product = Some(Located::new("exchange-2019".into(), Span::default()));
    };
    let mut alone = simple();
    keyless(&mut alone);
    let lines = cure(&alone);
    assert!(lines.iter().any(|l| l.contains("certutil -repairstore my")), "{lines:?}");
    assert!(!lines.iter().any(|l| l.contains("Import-ExchangeCertificate")), "nobody holds the key: {lines:?}");
    let mut with_another = simple();
    with_another.server("ex2", "10.0.0.11", "");
    with_another.plan.servers[1].product = Some(Located::new("exchange-2019".into(), Span::default()));
    with_another.serve("in", "10.0.0.11", MAIL, &chain);
    keyless(&mut with_another);
    let lines = cure(&with_another);
    let place = |word: &str| lines.iter().position(|l| l.contains(word));
    assert!(place("Remove-ExchangeCertificate -Server ex2010").is_some(), "{lines:?}");
    assert!(place("Remove-ExchangeCertificate") < place("Import-ExchangeCertificate -Server ex2010"), "{lines:?}");
}

#[test]
fn a_server_without_the_key_is_no_source_of_the_certificate() {
    let chain = ROOT.issue(&[MAIL]);
    let mut world = simple();
    let id = world.certificate("own", &chain);
    world.plan.servers[0].product = Some(Located::new("exchange-2019".into(), Span::default()));
    world.server("ex2", "10.0.0.11", "");
    let outcome = world.served(&chain, Possession::Failed("bad signature".into()));
    world.see("in", tls_probe("10.0.0.11", MAIL), outcome);
    world.forget("10.0.0.10");
    world.serve("in", "10.0.0.10", MAIL, &ROOT.issue(&["other.domain.com"]));
    world.obligations.truncate(0);
    world.serves(crate::model::plan::NameId(0), ServerId(0), &[id]);
    let lines = cure(&world);
    assert!(!lines.iter().any(|l| l.contains("-Server ex2 ")), "{lines:?}");
}

#[test]
fn an_expired_root_is_called_one() {
    let old = |params: &mut rcgen::CertificateParams| params.not_after = rcgen::date_time_ymd(2026, 11, 1);
    let root = Authority::root_with("Old", old);
    let mut world = simple();
    let anchor = world.blob(&root.der);
    for run in world.recording.runs.values_mut() {
        run.anchors.values_mut().for_each(|all| all.push(anchor));
    }
    let chain = root.issue(&[MAIL]);
    for (run, address) in [("in", "10.0.0.10"), ("out", "203.0.113.10")] {
        world.forget(address);
        world.serve(run, address, MAIL, &chain);
    }
    let finding = world.judge().findings.remove(0);
    assert_eq!(finding.title, "the trust anchor expired on 2026-11-01");
    assert!(finding.remedy.cure[0].contains("another root in the place of CN=Old"), "{:?}", finding.remedy);
}

#[test]
fn where_another_resolver_is_right_nothing_is_deleted_unasked() {
    let mut world = simple();
    world.unsay(EXTERNAL, MAIL);
    world.answer_of(EXTERNAL, 0, MAIL, &["203.0.113.99"]);
    world.answer_of(EXTERNAL, 1, MAIL, &["203.0.113.10"]);
    let lines = cure(&world);
    assert!(lines[0].starts_with("1.1.1.1 answers as planned: ask the zone's own servers"), "{lines:?}");
    assert!(lines[1].contains("flush the cache of 9.9.9.9, or wait 5 min"), "{lines:?}");
    assert_eq!(lines[2], "if it is not:");
    let mut both = simple();
    both.unsay(EXTERNAL, MAIL);
    both.answer(EXTERNAL, MAIL, &["203.0.113.99"]);
    assert!(cure(&both)[0].starts_with("public zone: delete mail.domain.com. A 203.0.113.99"), "{:?}", cure(&both));
    let mut silent = simple();
    silent.unsay(EXTERNAL, MAIL);
    silent.answer_of(EXTERNAL, 0, MAIL, &["203.0.113.99"]);
    for kind in RecordType::ALL {
        silent.says(EXTERNAL, 1, MAIL, kind, DnsOutcome::Timeout);
    }
    let findings = silent.judge().findings;
    let wrong = findings.iter().find(|f| f.rule == "resolves-to-unexpected-target").unwrap();
    assert!(wrong.remedy.cure[0].starts_with("public zone: delete"), "silence is no right answer: {wrong:?}");
}

#[test]
fn out_of_a_circle_leads_what_the_plan_says() {
    let looped = |links: &[(&str, &str)]| {
        let mut world = simple();
        world.unsay(EXTERNAL, MAIL);
        for resolver in 0..2 {
            for kind in RecordType::ALL {
                world.says(EXTERNAL, resolver, MAIL, kind, answer(kind, &[], links));
            }
        }
        world
    };
    let ring = [(MAIL, "one.domain.com"), ("one.domain.com", "two.domain.com"), ("two.domain.com", "one.domain.com")];
    let planned = "public zone: mail.domain.com. 300 IN A 203.0.113.10";
    let delete = "public zone: delete mail.domain.com. CNAME one.domain.com.";
    assert_eq!(cure(&looped(&ring)), [delete, planned]);
    let mut alias = looped(&ring);
    for obligation in &mut alias.obligations {
        if let crate::model::obligation::Claim::Resolves { expected, .. } = Arc::make_mut(&mut obligation.claim) {
            Arc::make_mut(expected).cname = Some(Name::parse("one.domain.com").unwrap());
        }
    }
    let lines = alias.judge().findings.into_iter().find(|f| f.title.contains("circle")).unwrap().remedy.cure;
    assert_eq!(lines[0], "public zone: delete one.domain.com. CNAME two.domain.com.");
}

#[test]
fn a_final_dot_is_one_cause() {
    let mut world = World::empty();
    let server = world.server("ex2010", "10.0.0.10", "");
    let autodiscover = "autodiscover.domain.com";
    let certificate = world.planned_certificate("san", &[MAIL, autodiscover]);
    let chain = ROOT.issue_cn(MAIL, &["mail.domain.com.", "autodiscover.domain.com."]);
    for text in [MAIL, autodiscover] {
        let name = world.name(Table::Internet, text, Target::Server(server));
        world.serves(name, server, &[certificate]);
        world.serve("in", "10.0.0.10", text, &chain);
    }
    let rules = world.rules();
    assert!(rules[0] == "idn-or-syntax" && rules[1..].iter().all(|r| r.ends_with("<idn-or-syntax")), "{rules:?}");
}

#[test]
fn a_slip_is_neither_missed_nor_ordered_again() {
    let slip = "autdiscover.domain.com";
    let mut world = World::empty();
    let server = world.server("ex2010", "10.0.0.10", "");
    let old = world.certificate("old", &ROOT.issue(&[MAIL, slip, "webmail.domain.com"]));
    let new = world.planned_certificate("new", &[MAIL, "autdisover.domain.com"]);
    let part = |from, id| crate::model::plan::CertificatePart { from: Some(from), word: None, certificates: vec![id] };
    let parts = vec![part(Phase::Before, old), part(Phase::Coexistence, new)];
    world.plan.servers[0].certificate = Some(crate::model::plan::CertificateChoice { parts, span: Span::default() });
    for text in [MAIL, "autodiscover.domain.com"] {
        world.name(Table::Internet, text, Target::Server(server));
    }
    world.policy.scope = Scope::Files;
    world.plan.standing = vec![Moment::Steady(Phase::Before); 2];
    let finding = world.judge().findings.remove(0);
    assert_eq!(finding.rule, "replacement-drops-name");
    assert_eq!(finding.subject.name.as_deref(), Some("webmail.domain.com"), "{:?}", finding.title);
    let order = "order \"new\" with 3 names: mail.domain.com, autodiscover.domain.com, webmail.domain.com";
    assert_eq!(finding.remedy.cure[0], order);
}

#[test]
fn what_the_plan_does_not_know_is_not_dropped_by_a_new_order() {
    let cures = |names: &[&str]| {
        let mut world = World::empty();
        let server = world.server("ex2010", "10.0.0.10", "");
        let autodiscover = world.name(Table::Internet, "autodiscover.domain.com", Target::Server(server));
        world.name(Table::Internet, MAIL, Target::Server(server));
        let certificate = world.certificate("san", &ROOT.issue(names));
        world.covers(autodiscover, certificate);
        world.policy.scope = Scope::Files;
        let found = world.judge().findings.into_iter().find(|f| f.rule == "san-missing-name").unwrap();
        found.remedy.cure.into_iter().filter(|l| l.starts_with("it has")).collect::<Vec<_>>()
    };
    assert_eq!(cures(&[MAIL]), [""; 0]);
    assert_eq!(cures(&[MAIL, "autdiscover.domain.com"]), [""; 0], "a slip is nobody's name");
    let kept =
        "it has webmail.domain.com too, which the plan does not know: order it again, unless nobody uses it any more";
    assert_eq!(cures(&[MAIL, "webmail.domain.com"]), [kept]);
}

/// A transition into the coexistence in which the name leads to the server, and nothing is said of it before.
fn ahead(view: crate::model::plan::ViewId, outcome: &DnsOutcome) -> World {
    let mut world = simple();
    world.obligations.clear();
    let moment = Moment::Transition(Phase::Before, Phase::Coexistence);
    world.plan.standing = vec![moment; 2];
    let span = Span::default();
    for wanted in world.plan.names[0].wanted.iter_mut() {
        wanted[0] = Located::new(Wanted::Unconstrained, span);
    }
    for other in [INTERNAL, EXTERNAL] {
        world.unsay(other, MAIL);
        world.say(other, MAIL, &nxdomain());
    }
    world.unsay(view, MAIL);
    world.say(view, MAIL, outcome);
    world
}

#[test]
fn what_stands_there_before_a_name_is_due_must_be_of_use() {
    let rules = |world: World| {
        let found: Vec<_> = world.judge().findings.into_iter().map(|f| f.rule).collect();
        found.into_iter().filter(|r| *r != "evidence-missing").collect::<Vec<_>>()
    };
    let a = |addresses: &[&str]| answer(RecordType::A, addresses, &[]);
    assert_eq!(rules(ahead(EXTERNAL, &nxdomain())), [""; 0]);
    assert_eq!(rules(ahead(EXTERNAL, &a(&["198.51.100.1"]))), [""; 0]);
    assert_eq!(rules(ahead(INTERNAL, &a(&["10.0.0.99"]))), [""; 0]);
    assert_eq!(rules(ahead(EXTERNAL, &a(&["10.0.0.99"]))), ["private-address-in-external-view"]);
    let dangling = answer(RecordType::A, &[], &[(MAIL, "gone.example")]);
    assert_eq!(rules(ahead(EXTERNAL, &dangling)), ["cname-conflict"]);
    assert_eq!(rules(ahead(INTERNAL, &dangling)), ["cname-conflict"]);
    let lines = cure(&ahead(EXTERNAL, &dangling));
    let planned = "public zone: mail.domain.com. 300 IN A 203.0.113.10";
    assert_eq!(lines, ["public zone: delete mail.domain.com. CNAME gone.example.", planned]);
    let unasked = ahead(EXTERNAL, &DnsOutcome::Timeout).judge().not_looked_at;
    assert!(
        unasked.iter().any(|l| l.contains("could not tell what external has for A/AAAA of mail.domain.com")),
        "{unasked:?}"
    );
}
