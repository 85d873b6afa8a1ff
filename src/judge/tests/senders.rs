//! Names of the addresses of new mail servers.

use super::*;
use crate::model::name::Name;
use crate::model::phase::Phase;
use crate::model::plan::{MailDomain, NameId, Wanted};

const REVERSE: &str = "9.113.0.203.in-addr.arpa";

/// A mail host that moves from one server to another, seen after the move.
fn moved(helo: Option<&str>) -> World {
    let mut world = World::empty();
    let smtp = services_of("smtp").unwrap().remove(0);
    let servers = [("old", "203.0.113.7"), ("new", "203.0.113.9")].map(|(label, ip)| world.server(label, "", ip));
    world.plan.servers.iter_mut().for_each(|s| s.services = vec![Located::new(smtp.clone(), Span::default())]);
    world.name(Table::Internet, MAIL, Target::Server(servers[1]));
    for wanted in world.plan.names[0].wanted.iter_mut() {
        wanted[Phase::Before as usize].value = Wanted::Targets(vec![Target::Server(servers[0])].into());
    }
    world.resolves(NameId(0), EXTERNAL, &["203.0.113.9"]);
    world.answer(EXTERNAL, MAIL, &["203.0.113.9"]);
    let located = |text: &str| Located::new(Name::parse(text).unwrap(), Span::default());
    world.plan.mail = vec![MailDomain { helo: helo.map(located), ..mail_domain(&[]) }];
    world
}

fn told(world: &World) -> Vec<String> {
    let of = |f: &crate::model::finding::Finding| format!("{}: {}", f.severity, f.title);
    world.judge().findings.iter().filter(|f| f.rule == "ptr-helo-mismatch").map(of).collect()
}

fn called(helo: Option<&str>, names: &[&str]) -> World {
    let mut world = moved(helo);
    world.say_of(EXTERNAL, REVERSE, RecordType::Ptr, &records(RecordType::Ptr, names));
    world.answer(EXTERNAL, "pool.provider.example", &["203.0.113.99"]);
    world.say(EXTERNAL, "gone.domain.com", &nxdomain());
    world
}

#[test]
fn a_name_of_the_address_leads_back_to_it() {
    let none = Vec::<String>::new();
    assert_eq!(told(&called(None, &[MAIL])), none);
    assert_eq!(told(&called(None, &["pool.provider.example", MAIL])), none, "one is enough");
    assert_eq!(told(&called(Some(MAIL), &[MAIL])), none);
    assert_eq!(told(&called(None, &[])), ["info: 203.0.113.9 (new) has no name in DNS"]);
    let astray = |name: &str| [format!("info: 203.0.113.9 (new) is called {name}, which does not lead back to it")];
    assert_eq!(told(&called(None, &["pool.provider.example"])), astray("pool.provider.example"));
    assert_eq!(told(&called(None, &["gone.domain.com"])), astray("gone.domain.com"));
    let other = "info: 203.0.113.9 (new) is called mail.domain.com, and says another name in EHLO";
    assert_eq!(told(&called(Some("out.domain.com"), &[MAIL])), [other]);
}

#[test]
fn what_was_not_answered_is_no_fault() {
    let mut world = moved(None);
    assert_eq!(told(&world), Vec::<String>::new());
    assert!(world.judge().not_looked_at.iter().any(|l| l.contains(&format!("PTR of {REVERSE}"))));
    world.say_of(EXTERNAL, REVERSE, RecordType::Ptr, &DnsOutcome::ServFail);
    assert_eq!(told(&world), Vec::<String>::new());
    assert_eq!(told(&called(None, &["unknown.domain.com"])), Vec::<String>::new(), "nobody knows its address");
}

#[test]
fn only_new_senders_are_asked_about() {
    let mut world = moved(None);
    let asked = |world: &World| {
        let all = crate::model::questions::questions(&world.plan, &world.policy);
        all.into_iter().filter(|q| q.kind == RecordType::Ptr).map(|q| q.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(asked(&world), [REVERSE]);
    world.plan.mail.clear();
    assert_eq!(asked(&world), Vec::<String>::new());
    let six = crate::model::mail_hosts::reverse("2001:db8::9".parse().unwrap()).unwrap();
    assert_eq!(six.as_str(), "9.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
}
