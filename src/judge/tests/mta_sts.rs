//! MTA-STS policies against the hosts that take mail.

use super::*;
use crate::model::http::{HttpHead, HttpOutcome, HttpProbe, Page};
use crate::model::name::Name;
use crate::model::observation::{Outcome, Probe};

const STS: &str = "mta-sts.domain.com";
const OWNER: &str = "_mta-sts.domain.com";

/// The simple world with a mail domain, its record, and what the policy's host answers.
fn world(hosts: &[&str], texts: &[&str], outcome: Option<HttpOutcome>) -> World {
    let mut world = simple();
    world.plan.mail = vec![mail_domain(hosts)];
    world.say_of(EXTERNAL, OWNER, RecordType::Txt, &records(RecordType::Txt, texts));
    world.answer(EXTERNAL, STS, &["203.0.113.40"]);
    world.serve("out", "203.0.113.40", STS, &ROOT.issue(&[STS]));
    if let Some(outcome) = outcome {
        let probe = HttpProbe {
            address: "203.0.113.40:443".parse().unwrap(),
            name: Name::parse(STS).unwrap(),
            page: Page::MtaSts,
        };
        world.see("out", Probe::Http(probe), Outcome::Http(outcome));
    }
    world
}

fn page(status: u16, body: &str) -> Option<HttpOutcome> {
    Some(HttpOutcome::Head(HttpHead { status, body: Some(body.into()), ..HttpHead::default() }))
}

fn policy(mode: &str, mx: &str) -> Option<HttpOutcome> {
    page(200, &format!("version: STSv1\nmode: {mode}\n{mx}max_age: 86400\n"))
}

fn told(world: &World) -> Vec<String> {
    let of = |f: &crate::model::finding::Finding| format!("{}: {}", f.severity, f.title);
    world.judge().findings.iter().filter(|f| f.rule == "mta-sts-mismatch").map(of).collect()
}

const RECORD: &[&str] = &["v=STSv1; id=1"];

#[test]
fn the_policy_lists_each_host_of_the_phase() {
    let of = |hosts: &[&str], outcome| told(&world(hosts, RECORD, outcome));
    let none = Vec::<String>::new();
    assert_eq!(of(&[MAIL], policy("enforce", "mx: mail.domain.com\n")), none);
    assert_eq!(of(&[MAIL], policy("enforce", "mx: *.domain.com\n")), none);
    assert_eq!(of(&[MAIL], policy("none", "")), none);
    let title = "the MTA-STS policy of domain.com does not list new.domain.com";
    let hosts = &[MAIL, "new.domain.com"];
    assert_eq!(of(hosts, policy("enforce", "mx: mail.domain.com\n")), [format!("error: {title}")]);
    assert_eq!(of(hosts, policy("testing", "mx: mail.domain.com\n")), [format!("warning: {title}")]);
    assert_eq!(of(&["a.b.domain.com"], policy("enforce", "mx: *.domain.com\n")).len(), 1, "one label");
}

#[test]
fn what_to_write_is_printed() {
    let findings = world(&["new.domain.com"], RECORD, policy("enforce", "mx: mail.domain.com\n")).judge().findings;
    let finding = findings.iter().find(|f| f.rule == "mta-sts-mismatch").unwrap();
    assert!(finding.remedy.cure.contains(&"  mx: new.domain.com".to_string()), "{:?}", finding.remedy.cure);
    let record = "  _mta-sts.domain.com. 300 IN TXT \"v=STSv1; id=20261122211000\"".to_string();
    assert!(finding.remedy.cure.contains(&record), "{:?}", finding.remedy.cure);
}

#[test]
fn a_policy_that_cannot_be_had_is_a_warning() {
    let title = "warning: the MTA-STS policy of domain.com cannot be had";
    for outcome in [
        page(404, ""),
        page(301, ""),
        page(200, "<html>"),
        Some(HttpOutcome::TooLarge),
        Some(HttpOutcome::NotHttp("220 mail".into())),
    ] {
        assert_eq!(told(&world(&[MAIL], RECORD, outcome.clone())), [title], "{outcome:?}");
    }
    let void = "warning: senders take the MTA-STS record of domain.com for none: ";
    assert_eq!(told(&world(&[MAIL], &["v=STSv1; id=1", "v=STSv1; id=2"], None)), [format!("{void}there are several")]);
    let mut gone = world(&[MAIL], RECORD, None);
    gone.unsay(EXTERNAL, STS);
    gone.say(EXTERNAL, STS, &nxdomain());
    let title = "warning: domain.com says that it has an MTA-STS policy, and mta-sts.domain.com does not exist";
    assert_eq!(told(&gone), [title]);
    let mut other = world(&[MAIL], RECORD, policy("enforce", "mx: mail.domain.com\n"));
    other.forget("203.0.113.40");
    other.serve("out", "203.0.113.40", STS, &ROOT.issue(&["www.domain.com"]));
    assert_eq!(told(&other), ["warning: senders do not accept the certificate of mta-sts.domain.com"]);
}

#[test]
fn what_was_not_answered_is_neither_found_nor_passed_over() {
    let line = |world: &World| world.judge().not_looked_at.into_iter().find(|l| l.contains("MTA-STS policy"));
    for outcome in [None, Some(HttpOutcome::Timeout), Some(HttpOutcome::Closed), Some(HttpOutcome::NoTls("x".into()))] {
        let world = world(&[MAIL], RECORD, outcome.clone());
        assert_eq!(told(&world), Vec::<String>::new(), "{outcome:?}");
        assert!(line(&world).is_some(), "{outcome:?}: {:?}", world.judge().not_looked_at);
    }
    assert_eq!(line(&world(&[MAIL], RECORD, policy("none", ""))), None);
    assert_eq!(line(&world(&[MAIL], &["other"], None)), None, "no policy is claimed");
    let mut silent = world(&[MAIL], &[], None);
    silent.say_of(EXTERNAL, OWNER, RecordType::Txt, &DnsOutcome::ServFail);
    assert!(silent.judge().not_looked_at.iter().any(|l| l.contains(&format!("TXT of {OWNER}"))));
}
