//! A zone that is signed outside and has a copy inside: one BIND with a view for each, a BIND in front of each that may validate.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use tempfile::TempDir;

use crate::bind::{OWN, has_own};
use crate::daemon::{Daemon, free_port};
use crate::dnssec::{Made, Signed, named, sign, zones};
use crate::run::{Report, coexist};

const PLAN: &str = r#"
title = "example.org: signed outside, and a copy inside"
[views.internal]
resolvers = ["10.0.0.53"]
[views.external]
resolvers = ["203.0.113.53"]
[servers.web]
address = { internal = "10.0.1.20", external = "203.0.113.20" }
services = []
[internet]
"www.example.org" = "web"
"#;

const INSIDE: &str = "$TTL 300\n@ SOA ns admin 1 3600 600 86400 300\n@ NS ns\nns A 127.0.0.1\nwww A 10.0.1.20\n";

/// What the resolver inside does about signatures.
#[derive(Clone, Copy, PartialEq)]
enum Resolver {
    Validates,
    /// But for this zone (RFC 7646).
    Excepts,
    Believes,
}

/// Looks at the world with a copy inside that is signed with the zone's own key, or not at all.
fn look(is_signed_inside: bool, inside: Resolver) -> Report {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path();
    fs::write(path.join("plan.toml"), PLAN).expect("a plan can be written");
    let Signed { trust, key } = zones(path, Made::Well);
    fs::write(path.join("inside"), INSIDE).expect("a zone can be written");
    if is_signed_inside {
        sign(path, &["-f", "inside.signed"], "example.org", "inside", &key);
    }
    let file = if is_signed_inside { "inside.signed" } else { "inside" };
    let (at, _authorities) = authorities(path, file);
    let ip = Ipv4Addr::LOCALHOST.into();
    let [within, without] = [(); 2].map(|()| SocketAddr::new(ip, free_port(ip)));
    let to = |at: SocketAddr| format!("forwarders {{ {} port {}; }};", at.ip(), at.port());
    let front =
        |validation: &str| format!("recursion yes; forward only; {} dnssec-validation {validation}; ", to(at[1]));
    let anchors = format!("trust-anchors {{ org. static-key {trust}; }};");
    let options = match inside {
        Resolver::Validates => format!("{}}}; {anchors}", front("yes")),
        Resolver::Excepts => format!("{}validate-except {{ \"example.org\"; }}; }}; {anchors}", front("yes")),
        Resolver::Believes => format!("{}}};", front("no")),
    };
    let copy = format!("zone \"example.org\" {{ type forward; forward only; {} }};", to(at[0]));
    let _within = named(path, "within", within, &format!("{options} {copy}"));
    let _without = named(path, "without", without, &format!("{}}}; {anchors}", front("yes")));
    let detours = [format!("10.0.0.53:53:{within}"), format!("203.0.113.53:53:{without}")];
    let from = ["check", "plan.toml", "--from", "internal,external", "--format", "json"];
    let args = [&from[..], &["--connect-to", &detours[0], "--connect-to", &detours[1]]].concat();
    Report::of(&coexist(path, &args))
}

/// Where the zones are asked for that are seen inside and outside: one server, as far as loopback has two addresses.
fn authorities(folder: &Path, inside: &str) -> ([SocketAddr; 2], Vec<Daemon>) {
    let zone = |name: &str, file: &str| format!("zone \"{name}\" {{ type primary; file \"{file}\"; }};");
    let within = zone("example.org", inside);
    let without = format!("{} {}", zone("org", "org.signed"), zone("example.org", "example"));
    let options = "recursion no; dnssec-validation no;";
    let socket = |ip: Ipv4Addr| SocketAddr::new(ip.into(), free_port(ip.into()));
    if !has_own() {
        let at = [(); 2].map(|()| socket(Ipv4Addr::LOCALHOST));
        let one = |label, at, zones: &str| named(folder, label, at, &format!("{options} }}; {zones}"));
        return (at, vec![one("inner", at[0], &within), one("outer", at[1], &without)]);
    }
    let at = OWN.map(socket);
    let view =
        |label: &str, ip: Ipv4Addr, zones: &str| format!("view {label} {{ match-destinations {{ {ip}; }}; {zones} }};");
    let listens = format!("listen-on port {} {{ {}; }};", at[1].port(), at[1].ip());
    let views = format!("{} {}", view("inside", OWN[0], &within), view("outside", OWN[1], &without));
    (at, vec![named(folder, "both", at[0], &format!("{options} {listens} }}; {views}"))])
}

const FOUND: &str = "split-view-dnssec-bogus example.org internal";

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_copy_that_is_signed_with_the_same_key_passes() {
    for inside in [Resolver::Validates, Resolver::Believes] {
        let report = look(true, inside);
        assert_eq!((report.status, report.causes()), (0, Vec::new()), "{}", report.text);
        assert!(!report.text.contains("could not tell whether the keys"), "{}", report.text);
    }
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn an_unsigned_copy_is_gone_for_who_validates() {
    let report = look(false, Resolver::Validates);
    assert_eq!((report.status, report.causes()), (1, vec![FOUND.to_string()]), "{}", report.text);
    assert!(report.text.contains("example.org is signed outside, and not in internal"), "{}", report.text);
    assert!(report.text.contains("SERVFAIL for www.example.org from 10.0.0.53"), "{}", report.text);
    assert!(report.text.contains("name-unresolved-in-view"), "folded under it: {}", report.text);
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn an_unsigned_copy_is_a_warning_while_nobody_inside_validates() {
    for inside in [Resolver::Believes, Resolver::Excepts] {
        let report = look(false, inside);
        assert_eq!((report.status, report.causes()), (0, vec![FOUND.to_string()]), "{}", report.text);
        assert!(!report.text.contains("name-unresolved-in-view"), "{}", report.text);
    }
}
