//! A clean world passes; with one real thing broken, exactly that is found.

use crate::certificates::{Authority, Identity, Leaf};
use crate::run::{Report, check};
use crate::world::{WEB, World};

/// Breaks the clean world, looks, and expects these causes and nothing else.
fn expect_causes(break_it: impl FnOnce(&mut World), causes: &[&str]) -> Report {
    let mut world = World::clean();
    break_it(&mut world);
    let report = check(&world.start(), &[]);
    assert_eq!(report.causes(), causes, "{}", report.text);
    assert_eq!(report.open_questions(), Vec::<String>::new(), "{}", report.text);
    assert_eq!((report.status, &report.json["outcome"]), (1, &"fail".into()));
    report
}

/// A certificate for the web names, with one of its parts changed.
fn web(world: &World, change: impl FnOnce(&mut Leaf)) -> Identity {
    let mut leaf = Leaf::of(&WEB);
    change(&mut leaf);
    world.authority.issue(&leaf)
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn the_clean_world_passes() {
    let report = check(&World::clean().start(), &[]);
    assert_eq!((report.status, report.causes()), (0, Vec::new()), "{}", report.text);
    assert_eq!(report.json["outcome"], "pass");
    let counts = &report.json["counts"];
    assert_eq!((&counts["failed"], &counts["unobserved"]), (&0.into(), &0.into()));
    assert!(counts["passed"].as_u64() > Some(30), "{counts}");
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_legacy_name_that_the_outer_zone_lacks() {
    expect_causes(|w| w.forget("external", "legacy.www"), &["legacy-name-single-view legacy.www.example.com external"]);
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_wrong_address_in_the_inner_zone() {
    expect_causes(
        |w| w.answer("internal", "www", [10, 0, 3, 10]),
        &["resolves-to-unexpected-target www.example.com internal"],
    );
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_second_node_with_its_default_certificate() {
    expect_causes(|w| w.serve("web-2", Leaf::of(&["web-2"]).self_signed()), &["default-certificate-served web-2"]);
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn an_old_server_that_still_serves_its_old_certificate() {
    expect_causes(
        |w| w.serve("old", w.authority.issue(&Leaf::of(&["www.example.com"]))),
        &["endpoint-serves-wrong-certificate old"],
    );
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_certificate_ordered_without_the_legacy_name() {
    expect_causes(
        |w| w.web_certificate(&web(w, |leaf| leaf.names = &WEB[..4])),
        &["legacy-name-uncovered legacy.www.example.com"],
    );
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_wildcard_where_a_name_is_deeper() {
    expect_causes(
        |w| w.web_certificate(&web(w, |leaf| leaf.names = &["*.example.com", "shop.example.net"])),
        &["wildcard-depth-mismatch legacy.www.example.com"],
    );
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn an_expired_certificate() {
    expect_causes(
        |w| w.web_certificate(&web(w, |leaf| leaf.days = (-100, -1))),
        &["certificate-not-currently-valid web"],
    );
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_server_that_does_not_send_its_intermediate() {
    expect_causes(
        |w| {
            let old = w.serves.get_mut("old").expect("the old server");
            old.chain = old.leaf.clone();
        },
        &["chain-incomplete old"],
    );
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_certificate_of_an_authority_that_nobody_trusts() {
    expect_causes(
        |w| w.serve("mail", Authority::new("Stranger").issue_rsa(&Leaf::of(&["mail.example.com"]))),
        &["untrusted-issuer-for-view mail"],
    );
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn an_imaps_port_that_was_not_reloaded() {
    expect_causes(
        |w| w.serve("imaps", w.authority.issue_rsa(&Leaf::of(&["post.example.com"]))),
        &["mail-tls-endpoint-wrong mail"],
    );
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_mail_server_without_starttls() {
    expect_causes(|w| w.starttls = false, &["mail-tls-endpoint-wrong mail"]);
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_closed_port() {
    expect_causes(|w| w.closed = vec![("10.0.3.10", 443), ("203.0.113.30", 443)], &["endpoint-unreachable old"]);
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn an_intranet_name_that_leaks_is_a_warning() {
    let mut world = World::clean();
    world.answer("external", "wiki", [203, 0, 113, 10]);
    let report = check(&world.start(), &["--fail-on", "warning"]);
    assert_eq!(report.causes(), ["intranet-name-in-external-view wiki.example.com external"], "{}", report.text);
    assert_eq!((report.status, &report.json["counts"]["warned"]), (1, &1.into()));
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_legacy_name_that_leads_to_the_new_servers() {
    expect_causes(
        |w| {
            w.answer("internal", "legacy.www", [10, 0, 1, 10]);
            w.answer("external", "legacy.www", [203, 0, 113, 10]);
        },
        &[
            "resolves-to-unexpected-target legacy.www.example.com external",
            "resolves-to-unexpected-target legacy.www.example.com internal",
        ],
    );
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_zone_that_cannot_be_loaded() {
    let report = expect_causes(
        |w| w.lose_zone("external", "example.net"),
        &["name-unresolved-in-view shop.example.net external"],
    );
    assert!(report.text.contains("SERVFAIL"), "{}", report.text);
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_resolver_that_refuses_is_not_known() {
    let mut world = World::clean();
    world.refuses = Some("external");
    let report = check(&world.start(), &[]);
    assert_eq!(report.causes(), Vec::<String>::new(), "{}", report.text);
    assert!(!report.open_questions().is_empty(), "{}", report.text);
    assert_eq!((report.status, &report.json["outcome"]), (3, &"incomplete".into()));
}
