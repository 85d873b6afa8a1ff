//! Something between answers in the place of servers.

use super::*;

/// Two servers, two names each, one planned certificate.
fn planned(chain: impl Fn(&str) -> Chain) -> World {
    let names = [MAIL, "www.domain.com"];
    let mut world = World::empty();
    let certificate = world.planned_certificate("san", &names);
    for (label, address) in [("one", "10.0.0.1"), ("two", "10.0.0.2")] {
        let server = world.server(label, address, "");
        for text in names {
            let name = world.name(Table::Internet, text, Target::Server(server));
            world.serves(name, server, &[certificate]);
            world.serve("in", address, text, &chain(text));
        }
    }
    world
}

#[test]
fn one_planned_certificate_that_shows_as_many_was_made_on_the_way() {
    assert_eq!(planned(|name| STRANGER.issue(&[name])).rules(), ["tls-interception-suspected"]);
    let one = STRANGER.issue(&[MAIL, "www.domain.com"]);
    assert_eq!(planned(|_| one.clone()).rules(), ["untrusted-issuer-for-view"]);
    assert_eq!(planned(|name| ROOT.issue(&[name])).rules(), [""; 0]);
}

#[test]
fn servers_that_share_an_unplanned_issuer_are_not_believed() {
    let mut world = simple();
    let www = world.server("www", "10.0.0.20", "203.0.113.20");
    let name = world.name(Table::Internet, "www.domain.com", Target::Server(www));
    let certificate = world.certificate("www", &ROOT.issue(&["www.domain.com"]));
    world.serves(name, www, &[certificate]);
    world.forget("10.0.0.10");
    world.serve("in", "10.0.0.10", MAIL, &STRANGER.issue(&[MAIL]));
    assert!(world.rules().contains(&"untrusted-issuer-for-view".to_string()), "one server alone is the server's fault");
    world.serve("in", "10.0.0.20", "www.domain.com", &STRANGER.issue(&["www.domain.com"]));
    assert_eq!(world.rules(), ["tls-interception-suspected"]);
    assert_eq!((world.verdict(3), world.judge().outcome), (Verdict::Unobserved, RunOutcome::Incomplete));
}

#[test]
fn servers_of_planned_certificates_that_show_one_leaf_per_name_are_not_believed() {
    let seen = |issuer: &Authority| {
        let mut world = World::empty();
        for (label, address) in [("mail", "10.0.0.1"), ("www", "10.0.0.2")] {
            let text = format!("{label}.domain.com");
            let certificate = world.planned_certificate(label, &[&text]);
            let server = world.server(label, address, "");
            let name = world.name(Table::Internet, &text, Target::Server(server));
            world.serves(name, server, &[certificate]);
            world.serve("in", address, &text, &issuer.issue(&[&text]));
        }
        world
    };
    assert_eq!(seen(&STRANGER).rules(), ["tls-interception-suspected"]);
    // An authority that one view trusts is no proxy's.
    let mut corporate = seen(&STRANGER);
    let anchor = corporate.blob(&STRANGER.der);
    for run in corporate.recording.runs.values_mut() {
        run.anchors.get_mut("internal").unwrap().push(anchor);
    }
    let rules = corporate.rules();
    assert!(!rules.is_empty() && rules.iter().all(|r| r == "untrusted-issuer-for-view"), "{rules:?}");
}

/// Two names at two servers, in both views; a resolver outside is `outside`.
fn everywhere(given: &str, second: &str, outside: &str) -> World {
    let mut world = World::empty();
    world.plan.views[1].resolvers[1].value = crate::model::dns::ResolverAddr::parse(outside).unwrap();
    for (text, here, out) in [(MAIL, "10.0.0.10", "203.0.113.10"), ("www.domain.com", second, "203.0.113.20")] {
        let server = world.server(text, here, out);
        let name = world.name(Table::Internet, text, Target::Server(server));
        for (view, right) in [(INTERNAL, here), (EXTERNAL, out)] {
            world.resolves(name, view, &[right]);
            world.answer(view, text, &[given]);
        }
    }
    world
}

#[test]
fn one_answer_for_every_name_is_a_portals() {
    let world = everywhere("198.18.0.1", "10.0.0.20", "1.1.1.1");
    let judgement = world.judge();
    assert_eq!(world.rules(), ["dns-interception-suspected"; 2]);
    assert_eq!((judgement.outcome, judgement.counts.unobserved), (RunOutcome::Incomplete, 4));
    assert!(judgement.findings[0].seen[0].starts_with("198.18.0.1 for every name"), "{:?}", judgement.findings[0].seen);
}

#[test]
fn one_answer_that_has_another_reason_is_judged() {
    let unexpected = |world: World| {
        let rules = world.rules();
        let of_answers = ["resolves-to-unexpected-target", "private-address-in-external-view"];
        assert!(!rules.is_empty() && rules.iter().all(|r| of_answers.contains(&r.as_str())), "{rules:?}");
    };
    // an encrypted resolver says the same
    unexpected(everywhere("198.18.0.1", "10.0.0.20", "tls://1.1.1.1"));
    // a server of the plan has the address
    unexpected(everywhere("10.0.0.20", "10.0.0.20", "1.1.1.1"));
    // one right answer is enough
    let mut one_right = everywhere("198.18.0.1", "10.0.0.20", "1.1.1.1");
    one_right.unsay(INTERNAL, MAIL);
    one_right.answer(INTERNAL, MAIL, &["10.0.0.10"]);
    unexpected(one_right);
}

#[test]
fn one_answer_of_who_knows_what_does_not_exist_is_no_portal_s() {
    let mut parked = everywhere("198.18.0.1", "10.0.0.20", "1.1.1.1");
    let nowhere = format!("{}.invalid", crate::model::questions::unlikely_label(&parked.plan));
    for view in [INTERNAL, EXTERNAL] {
        parked.say(view, &nowhere, &nxdomain());
    }
    assert_eq!(parked.judge().outcome, RunOutcome::Fail);
    let mut portal = everywhere("198.18.0.1", "10.0.0.20", "1.1.1.1");
    for view in [INTERNAL, EXTERNAL] {
        portal.answer(view, &nowhere, &["198.18.0.1"]);
    }
    assert_eq!(portal.judge().outcome, RunOutcome::Incomplete);
}
