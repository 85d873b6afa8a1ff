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
