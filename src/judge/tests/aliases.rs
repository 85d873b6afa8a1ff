//! Names that lead to others' hosts, aliases, and several targets.

use super::*;
use crate::model::finding::Finding;
use crate::model::name::Name;
use crate::model::obligation::Alternative;
use crate::model::plan::{ServerId, Wanted};

const AUTO: &str = "autodiscover.domain.com";
const HOST: &str = "autodiscover.outlook.com";

/// A name that leads to another's host.
fn hosted() -> World {
    let mut world = World::empty();
    let server = world.server("m365", "", "");
    world.plan.servers[server.0].host = Some(Located::new(Name::parse(HOST).unwrap(), Span::default()));
    let name = world.name(Table::Internet, AUTO, Target::Server(server));
    let like = vec![Name::parse(HOST).unwrap()];
    world.expects(name, EXTERNAL, DnsExpectation { like, ..Default::default() });
    world
}

/// The name's answers for A and AAAA.
fn said(world: &mut World, a: &DnsOutcome, aaaa: &DnsOutcome) {
    for resolver in 0..2 {
        world.says(EXTERNAL, resolver, AUTO, RecordType::A, a.clone());
        world.says(EXTERNAL, resolver, AUTO, RecordType::Aaaa, aaaa.clone());
    }
}

fn alias(kind: RecordType, addresses: &[&str]) -> DnsOutcome {
    answer(kind, addresses, &[(AUTO, HOST)])
}

fn dangling() -> DnsOutcome {
    match alias(RecordType::A, &[]) {
        DnsOutcome::NoData(reply) => DnsOutcome::NxDomain(reply),
        other => other,
    }
}

#[test]
fn an_alias_to_the_host_excuses_strays_and_nothing_else() {
    let nodata = alias(RecordType::Aaaa, &[]);
    let judged = |a: &DnsOutcome, aaaa: &DnsOutcome| {
        let mut world = hosted();
        said(&mut world, a, aaaa);
        world.verdict(0)
    };
    assert_eq!(judged(&alias(RecordType::A, &["198.51.100.7"]), &nodata), Verdict::Pass);
    assert_eq!(judged(&dangling(), &dangling()), Verdict::Fail);
    assert_eq!(judged(&alias(RecordType::A, &[]), &nodata), Verdict::Fail);
    assert_eq!(judged(&DnsOutcome::ServFail, &nodata), Verdict::Fail);
    assert_eq!(judged(&DnsOutcome::Timeout, &nodata), Verdict::Unobserved);
    // The alias in the other type's answer says nothing of this one.
    let stray = answer(RecordType::A, &["198.51.100.99"], &[]);
    assert!(judged(&stray, &nodata) != Verdict::Pass);
}

#[test]
fn a_dangling_alias_is_shown_and_its_cure_is_possible() {
    let mut world = hosted();
    said(&mut world, &dangling(), &dangling());
    let finding = world.judge().findings.remove(0);
    assert_eq!(world.rules(), ["cname-conflict", "name-unresolved-in-view<cname-conflict"]);
    assert!(finding.seen[0].starts_with("autodiscover.domain.com -> autodiscover.outlook.com: NXDOMAIN from"));
    assert_eq!(finding.remedy.cure, ["replace the CNAME, or create its target autodiscover.outlook.com"]);
    assert_eq!(&*world.judge().obligations[0].cell, "NXDOMAIN");
}

#[test]
fn of_own_and_others_targets_each_must_be_there() {
    let judged = |addresses: &[&str]| {
        let mut world = hosted();
        let own = world.server("new", "", "203.0.113.10");
        let both = vec![Target::Server(ServerId(0)), Target::Server(own)];
        let addresses_of = |a: &str| Alternative { targets: both.clone(), addresses: [a.parse().unwrap()].into() };
        let like = vec![Name::parse(HOST).unwrap()];
        let present = vec![addresses_of("203.0.113.10")];
        world.obligations.clear();
        let name = crate::model::plan::NameId(0);
        world.expects(name, EXTERNAL, DnsExpectation { present, like, ..Default::default() });
        world.answer(EXTERNAL, HOST, &["198.51.100.7", "198.51.100.8"]);
        world.answer(EXTERNAL, AUTO, addresses);
        world.verdict(0)
    };
    assert_eq!(judged(&["203.0.113.10", "198.51.100.8"]), Verdict::Pass);
    assert_eq!(judged(&["203.0.113.10"]), Verdict::Fail);
    assert_eq!(judged(&["198.51.100.7", "198.51.100.8"]), Verdict::Fail);
    assert_eq!(judged(&["203.0.113.10", "198.51.100.9"]), Verdict::Fail);
}

#[test]
fn two_hosts_of_one_phase_are_both_wanted_and_those_of_two_are_not() {
    let judged = |together: bool| {
        let mut world = hosted();
        let other = world.server("other", "", "");
        world.plan.servers[other.0].host =
            Some(Located::new(Name::parse("mail.example.net").unwrap(), Span::default()));
        if together {
            let wanted = Wanted::Targets(vec![Target::Server(ServerId(0)), Target::Server(other)].into());
            world.plan.names[0].wanted[1][1].value = wanted;
        }
        let like = [HOST, "mail.example.net"].map(|h| Name::parse(h).unwrap()).to_vec();
        world.obligations.clear();
        let name = crate::model::plan::NameId(0);
        world.expects(name, EXTERNAL, DnsExpectation { like, ..Default::default() });
        world.answer(EXTERNAL, HOST, &["198.51.100.7"]);
        world.answer(EXTERNAL, "mail.example.net", &["198.51.100.17"]);
        world.answer(EXTERNAL, AUTO, &["198.51.100.7"]);
        world.verdict(0)
    };
    assert_eq!((judged(false), judged(true)), (Verdict::Pass, Verdict::Fail));
}

#[test]
fn the_alias_must_show_in_every_answer() {
    let judged = |a: DnsOutcome, aaaa: DnsOutcome| {
        let mut world = hosted();
        let present = vec![Alternative {
            targets: vec![Target::Server(ServerId(0))],
            addresses: ["198.51.100.7".parse().unwrap()].into(),
        }];
        world.obligations.clear();
        let name = crate::model::plan::NameId(0);
        let cname = Some(Name::parse(HOST).unwrap());
        world.expects(name, EXTERNAL, DnsExpectation { present, cname, ..Default::default() });
        said(&mut world, &a, &aaaa);
        world.verdict(0)
    };
    let (a, aaaa) = (RecordType::A, RecordType::Aaaa);
    assert_eq!(judged(alias(a, &["198.51.100.7"]), alias(aaaa, &[])), Verdict::Pass);
    assert_eq!(judged(answer(a, &["198.51.100.7"], &[]), alias(aaaa, &[])), Verdict::Fail);
}

#[test]
fn in_a_transition_each_type_is_cached_apart() {
    let judged = |addresses: &[&str]| {
        let mut world = World::empty();
        let server = world.server("ex2010", "10.0.0.10", "");
        let name = world.name(Table::Internet, MAIL, Target::Server(server));
        let set = |all: [&str; 2]| Alternative {
            targets: vec![Target::Server(server)],
            addresses: all.map(|a| a.parse().unwrap()).into(),
        };
        let present = vec![set(["10.0.0.3", "2001:db8::3"]), set(["10.0.0.10", "2001:db8::10"])];
        world.expects(name, INTERNAL, DnsExpectation { present, ..Default::default() });
        world.answer(INTERNAL, MAIL, addresses);
        world.verdict(0)
    };
    assert_eq!(judged(&["10.0.0.10", "2001:db8::3"]), Verdict::Pass);
    assert_eq!(judged(&["10.0.0.3", "2001:db8::10"]), Verdict::Pass);
    assert_eq!(judged(&["10.0.0.10"]), Verdict::Fail);
    assert_eq!(judged(&["10.0.0.10", "2001:db8::4"]), Verdict::Fail);
}

#[test]
fn the_cure_is_the_difference() {
    let found = |addresses: &[&str]| -> Finding {
        let mut world = simple();
        world.unsay(INTERNAL, MAIL);
        world.answer(INTERNAL, MAIL, addresses);
        world.judge().findings.remove(0)
    };
    let stray = found(&["10.0.0.10", "2001:db8:dead::1"]);
    assert_eq!(stray.title, "mail.domain.com has an AAAA in internal that the plan does not know: 2001:db8:dead::1");
    assert_eq!(stray.remedy.cure, ["internal zone: delete mail.domain.com. AAAA 2001:db8:dead::1"]);
    let other = found(&["10.0.0.3"]);
    assert_eq!(other.title, "mail.domain.com leads elsewhere in internal");
    assert_eq!(
        other.remedy.cure,
        ["internal zone: delete mail.domain.com. A 10.0.0.3", "internal zone: mail.domain.com. 300 IN A 10.0.0.10"]
    );
}
