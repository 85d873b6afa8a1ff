//! Aliases that lead nowhere, too far, or stand where none can.

use super::*;
use crate::model::name::Name;
use crate::model::plan::{MailDomain, PlannedRecord, ServerId, ViewId, Zone};

/// `a0 -> a1 -> …`, the first link from the name.
fn chain(links: usize, end: Option<&str>) -> Vec<(String, String)> {
    let owner = |i: usize| if i == 0 { MAIL.to_string() } else { format!("a{i}.domain.com") };
    let target =
        |i: usize| if i + 1 == links { end.map_or_else(|| owner(i + 1), str::to_string) } else { owner(i + 1) };
    (0..links).map(|i| (owner(i), target(i))).collect()
}

/// The external view answers behind a chain.
fn led(chain: &[(String, String)], addresses: &[&str]) -> World {
    let mut world = simple();
    world.unsay(EXTERNAL, MAIL);
    let chain: Vec<(&str, &str)> = chain.iter().map(|(o, t)| (o.as_str(), t.as_str())).collect();
    for resolver in 0..2 {
        for kind in RecordType::ALL {
            world.says(EXTERNAL, resolver, MAIL, kind, answer(kind, addresses, &chain));
        }
    }
    world
}

#[test]
fn a_chain_of_eight_links_is_followed_and_one_of_nine_is_an_error() {
    let eight = led(&chain(8, None), &["203.0.113.10"]);
    assert_eq!(eight.rules(), [""; 0]);
    let nine = led(&chain(9, None), &["203.0.113.10"]);
    assert_eq!((nine.rules(), nine.verdict(2)), (vec!["cname-conflict".to_string()], Verdict::Fail));
    let finding = nine.judge().findings.remove(0);
    assert_eq!(finding.title, "mail.domain.com leads through 9 aliases in external");
    assert_eq!(finding.remedy.cure, ["let mail.domain.com. CNAME lead to a9.domain.com. at once"]);
}

#[test]
fn a_circle_is_told_from_a_missing_target() {
    for (links, end) in [(1, MAIL), (2, MAIL), (3, "a1.domain.com")] {
        let world = led(&chain(links, Some(end)), &[]);
        assert_eq!(world.rules(), ["cname-conflict", "name-unresolved-in-view<cname-conflict"]);
        let finding = world.judge().findings.remove(0);
        assert_eq!(finding.title, "the alias mail.domain.com leads in a circle in external");
        assert!(finding.seen[0].contains(&format!("-> {end} from 1.1.1.1 and 9.9.9.9")), "{:?}", finding.seen);
    }
    let dangling = led(&chain(1, Some("gone.example")), &[]);
    assert_eq!(dangling.judge().findings[0].title, "mail.domain.com is an alias that leads nowhere in external");
}

#[test]
fn what_a_resolver_says_of_itself_is_cut_in_a_finding() {
    let long = led(&chain(60, None), &["203.0.113.10"]);
    let finding = long.judge().findings.remove(0);
    assert!(finding.seen[0].len() < 500 && finding.seen[0].contains("and 45 more"), "{:?}", finding.seen);
}

#[test]
fn a_missing_name_beside_a_dangling_alias_stays_a_finding() {
    let mut world = led(&chain(1, Some("gone.example")), &[]);
    for kind in RecordType::ALL {
        world.recording.observations.retain(|o| {
            !matches!(&o.probe, crate::model::observation::Probe::Dns(p)
                if p.kind == kind && p.resolver.to_string() == "1.1.1.1")
        });
        world.says(EXTERNAL, 1, MAIL, kind, nxdomain());
    }
    assert_eq!(world.rules(), ["cname-conflict", "name-unresolved-in-view"]);
}

fn zone(apex: &str, views: &[ViewId]) -> Zone {
    let apex = Name::parse(apex).unwrap();
    Zone { apex, views: views.to_vec(), servers: Vec::new(), product: None, span: Span::default() }
}

#[test]
fn an_alias_at_an_apex_of_its_view_is_an_error() {
    let at = |apex: &str, view| {
        let mut world = led(&chain(1, None), &["203.0.113.10"]);
        world.plan.zones = vec![zone(apex, &[view])];
        world.rules()
    };
    assert_eq!(at(MAIL, EXTERNAL), ["cname-conflict"]);
    assert_eq!(at(MAIL, INTERNAL), [""; 0]);
    assert_eq!(at("domain.com", EXTERNAL), [""; 0]);
}

/// Each name an alias of the next by the plan; the last of what is said.
fn planned(names: &[&str], last: &str) -> World {
    let mut world = World::empty();
    let server = world.server("ex2010", "10.0.0.10", "203.0.113.10");
    for (i, name) in names.iter().enumerate() {
        let id = world.name(Table::Internet, name, Target::Server(server));
        let target = names.get(i + 1).copied().unwrap_or(last);
        world.plan.names[id.0].cname = Some(Box::new(Located::new(Name::parse(target).unwrap(), Span::new(6, 7))));
    }
    world.policy.scope = Scope::Files;
    world
}

#[test]
fn a_circle_of_the_plan_is_one_finding_and_needs_no_network() {
    let names = ["a.domain.com", "b.domain.com", "c.domain.com"];
    for (last, found) in [("a.domain.com", 1), ("b.domain.com", 1), ("c.domain.com", 1), ("www.example", 0)] {
        let judgement = planned(&names, last).judge();
        assert_eq!(judgement.findings.len(), found, "{last}: {:#?}", judgement.findings);
    }
    let judgement = planned(&names, "b.domain.com").judge();
    assert_eq!(judgement.findings[0].seen, ["b.domain.com -> c.domain.com -> b.domain.com"]);
    assert_eq!(judgement.findings[0].at.as_ref().map(|p| p.line), Some(4));
}

#[test]
fn a_long_way_of_the_plan_is_told_from_its_beginning_in_any_order() {
    let mut names: Vec<String> = (0..9).map(|i| format!("a{i}.domain.com")).collect();
    let count = |names: &[String]| {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        planned(&names, "end.domain.com").judge().findings.len()
    };
    assert_eq!((count(&names), count(&names[1..])), (1, 0));
    names.reverse();
    assert_eq!((count(&names), count(&names[1..])), (1, 0));
}

#[test]
fn many_aliases_of_the_plan_take_no_time() {
    let names: Vec<String> = (0..3000).map(|i| format!("a{i}.domain.com")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(planned(&names, "a0.domain.com").judge().findings.len(), 1);
}

#[test]
fn a_host_that_is_the_name_itself_agrees_with_nothing() {
    let mut world = World::empty();
    let server = world.server("m365", "", "");
    world.plan.servers[server.0].host = Some(Located::new(Name::parse(MAIL).unwrap(), Span::default()));
    let name = world.name(Table::Internet, MAIL, Target::Server(ServerId(0)));
    let like = vec![Name::parse(MAIL).unwrap()];
    world.expects(name, EXTERNAL, DnsExpectation { like, ..Default::default() });
    world.answer(EXTERNAL, MAIL, &["198.51.100.7"]);
    let judgement = world.judge();
    assert_eq!(judgement.outcome, RunOutcome::Fail);
    assert_eq!(judgement.findings[0].title, "the plan leads mail.domain.com in a circle");
}

#[test]
fn the_plan_wants_no_alias_at_an_apex_nor_beside_other_records() {
    let judged = |settle: fn(&mut World)| {
        let mut world = planned(&[MAIL], "owa.domain.com");
        settle(&mut world);
        let judgement = world.judge();
        judgement.findings.iter().filter(|f| f.rule == "cname-conflict").map(|f| f.title.clone()).collect::<Vec<_>>()
    };
    let record = |kind: &str| PlannedRecord {
        owner: Name::parse(MAIL).unwrap(),
        kind: kind.into(),
        values: vec![None, None],
        span: Span::default(),
    };
    assert!(judged(|_| ()).is_empty());
    assert_eq!(
        judged(|w| w.plan.zones = vec![zone(MAIL, &[INTERNAL])]),
        ["the plan wants a CNAME for mail.domain.com, a zone's apex"]
    );
    let mut world = planned(&[MAIL], "owa.domain.com");
    world.plan.records = vec![record("TXT"), record("RRSIG")];
    let finding = world.judge().findings.remove(0);
    assert_eq!(finding.title, "the plan wants a CNAME for mail.domain.com, and TXT beside it");
    world.plan.records = vec![record("CNAME"), record("NSEC")];
    assert_eq!(world.rules(), [""; 0]);
    let domain = Name::parse(MAIL).unwrap();
    let autodiscover = Autodiscover::None;
    world.plan.mail = vec![MailDomain {
        domain,
        mx: [None, None, None],
        autodiscover,
        mta_sts: None,
        helo: None,
        span: Span::default(),
    }];
    assert_eq!(world.judge().findings[0].title, "the plan wants a CNAME for mail.domain.com, a mail domain");
    world.waive("cname-conflict", Some(MAIL), None);
    assert_eq!(world.judge().outcome, RunOutcome::Pass);
}
