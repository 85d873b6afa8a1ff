//! A parent zone and a zone below it on BINDs of their own, and a BIND in front that knows where both are.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use tempfile::TempDir;

use crate::daemon::{Daemon, free_port};
use crate::dnssec::named;
use crate::proxies::Proxy;
use crate::run::{Report, coexist};

const PLAN: &str = r#"
title = "example.org: a zone below org"
[views.internet]
resolvers = ["192.0.2.1"]
[servers.web]
address = "203.0.113.20"
services = []
[internet]
"www.example.org" = "web"
[zones."example.org"]
servers = ["198.51.100.53", "203.0.113.53"]
"#;

/// What the zone has.
const ZONE: &str = "$TTL 300\n@ SOA ns1 admin 1 3600 600 86400 300\n@ NS ns1\n@ NS ns2\nns1 A 198.51.100.53\n\
                    ns2 A 203.0.113.53\nwww A 203.0.113.20\n";

/// What its parent says of it, if it is right.
const CUT: &str = "example NS ns1.example\nexample NS ns2.example\nns1.example A 198.51.100.53\n\
                   ns2.example A 203.0.113.53\n";

/// The four servers: the parent's, the zone's, one that has nothing of both, and a resolver.
struct Servers {
    org: SocketAddr,
    zone: SocketAddr,
    other: SocketAddr,
    resolver: SocketAddr,
    _daemons: Vec<Daemon>,
}

/// Starts them, with these lines for the zone in its parent; `alone` if the parent's server has not the zone too.
fn start(folder: &Path, cut: &str, alone: bool, is_found: bool) -> Servers {
    start_with(folder, ZONE, cut, alone, is_found)
}

/// As [`start`], with what the zone itself has.
fn start_with(folder: &Path, zone: &str, cut: &str, alone: bool, is_found: bool) -> Servers {
    fs::write(folder.join("plan.toml"), PLAN).expect("a plan can be written");
    let parent =
        "$TTL 86400\n@ SOA a.nic admin 1 3600 600 86400 300\n@ NS a.nic\na.nic A 192.0.2.101\nns.hoster A 192.0.2.8\n";
    fs::write(folder.join("org"), format!("{parent}{cut}")).expect("a zone can be written");
    fs::write(folder.join("example"), zone).expect("a zone can be written");
    let ip = Ipv4Addr::LOCALHOST.into();
    let [org, at, other, resolver] = [(); 4].map(|()| SocketAddr::new(ip, free_port(ip)));
    let authority = "recursion no; dnssec-validation no; };";
    let [above, below] = ["org", "example.org"].map(|name| {
        let file = name.split('.').next().unwrap_or(name);
        format!("zone \"{name}\" {{ type primary; file \"{file}\"; }};")
    });
    let both = if alone { above.clone() } else { format!("{above} {below}") };
    let leads = if is_found { at } else { other };
    let to = |at: SocketAddr| format!("forwarders {{ {} port {}; }};", at.ip(), at.port());
    let front = format!(
        "recursion yes; dnssec-validation no; forward only; {} }};\nzone \"example.org\" {{ type forward; forward only; {} }};",
        to(org),
        to(leads)
    );
    let daemons = vec![
        named(folder, "org", org, &format!("{authority} {both}")),
        named(folder, "zone", at, &format!("{authority} {below}")),
        named(folder, "other", other, authority),
        named(folder, "resolver", resolver, &front),
    ];
    Servers { org, zone: at, other, resolver, _daemons: daemons }
}

/// Looks, with the server at each address that a parent may name; the last one is where nobody is to be.
fn look(folder: &Path, servers: &Servers, at: &[(&str, SocketAddr)]) -> Report {
    let own = [("192.0.2.1", servers.resolver), ("192.0.2.101", servers.org), ("198.51.100.53", servers.zone)];
    let nowhere = SocketAddr::new(IpAddr::from([127, 0, 0, 1]), free_port(Ipv4Addr::LOCALHOST.into()));
    let all = own.into_iter().chain(at.iter().copied()).map(|(ip, to)| format!("{ip}:53:{to}"));
    let args = ["check", "plan.toml", "--format", "json", "--record", "seen.jsonl"];
    let mut args: Vec<String> = args.map(String::from).to_vec();
    for detour in all.chain([format!("::{nowhere}")]) {
        args.extend(["--connect-to".to_string(), detour]);
    }
    Report::of(&coexist(folder, &args))
}

const FOUND: &str = "delegation-mismatch example.org internet";

fn says(report: &Report, words: &str) -> bool {
    report.text.contains(words)
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_parent_that_is_right_passes_and_one_that_has_both_zones_leads_nowhere() {
    for alone in [true, false] {
        let folder = TempDir::new().expect("a folder");
        let servers = start(folder.path(), CUT, alone, true);
        let report = look(folder.path(), &servers, &[("203.0.113.53", servers.zone)]);
        assert_eq!((report.status, report.causes()), (0, Vec::new()), "{}", report.text);
        assert!(!says(&report, "could not tell"), "{}", report.text);
    }
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn glue_of_an_old_address_is_found() {
    let folder = TempDir::new().expect("a folder");
    let servers = start(folder.path(), &CUT.replace("198.51.100.53", "192.0.2.7"), true, true);
    let report = look(folder.path(), &servers, &[("203.0.113.53", servers.zone)]);
    assert_eq!((report.status, report.causes()), (0, vec![FOUND.to_string()]), "{}", report.text);
    assert!(says(&report, "org has a wrong address of ns1.example.org"), "{}", report.text);
    assert!(
        says(&report, "set the address of ns1.example.org (glue): 198.51.100.53, not 192.0.2.7"),
        "{}",
        report.text
    );
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_server_of_the_former_hoster_is_found() {
    let folder = TempDir::new().expect("a folder");
    let cut = CUT.replace("example NS ns2.example", "example NS ns.hoster").replace("ns2.example A 203.0.113.53\n", "");
    let servers = start(folder.path(), &cut, true, true);
    // It still has the zone, and 203.0.113.53 is asked since the plan says so.
    let report = look(folder.path(), &servers, &[("192.0.2.8", servers.zone), ("203.0.113.53", servers.zone)]);
    assert_eq!((report.status, report.causes()), (0, vec![FOUND.to_string()]), "{}", report.text);
    assert!(says(&report, "take out the name server ns.hoster.org"), "{}", report.text);
    assert!(says(&report, "add the name server ns2.example.org with 203.0.113.53"), "{}", report.text);
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_server_that_does_not_have_the_zone_is_found() {
    let folder = TempDir::new().expect("a folder");
    let servers = start(folder.path(), CUT, true, true);
    let report = look(folder.path(), &servers, &[("203.0.113.53", servers.other)]);
    assert_eq!((report.status, report.causes()), (0, vec![FOUND.to_string()]), "{}", report.text);
    assert!(says(&report, "REFUSED from 203.0.113.53 (ns2.example.org)"), "{}", report.text);
}

/// By TCP, since no proxy takes datagrams; the resolver too.
#[test]
#[ignore = "needs real servers: run tests/run"]
fn the_servers_are_asked_through_the_views_proxy() {
    for scheme in ["socks5", "http"] {
        for (cut, causes) in
            [(CUT.to_string(), vec![]), (CUT.replace("198.51.100.53", "192.0.2.7"), vec![FOUND.into()])]
        {
            let folder = TempDir::new().expect("a folder");
            let servers = start(folder.path(), &cut, true, true);
            let proxy = Proxy::of(scheme);
            let (_daemon, at) = proxy.start(folder.path());
            let view = format!("{}resolvers = [\"tcp://192.0.2.1\"]", proxy.line(at));
            let plan = PLAN.replace("resolvers = [\"192.0.2.1\"]", &view);
            fs::write(folder.path().join("plan.toml"), plan).expect("a plan can be written");
            let report = look(folder.path(), &servers, &[("203.0.113.53", servers.zone), ("192.0.2.7", servers.other)]);
            assert_eq!((report.status, report.causes()), (0, causes.clone()), "{scheme}: {}", report.text);
            assert!(!says(&report, "could not tell"), "{scheme}: {}", report.text);
            let recorded = fs::read_to_string(folder.path().join("seen.jsonl")).expect("a recording");
            assert!(recorded.contains("\"resolver\":\"tcp://192.0.2.101\""), "{scheme}: {recorded}");
            assert!(!recorded.contains("\"resolver\":\"192.0.2.101\""), "{scheme}: {recorded}");
        }
    }
}

/// No glue leads to servers elsewhere: the resolver knows them or does not, and the zone is asked there.
#[test]
#[ignore = "needs real servers: run tests/run"]
fn servers_that_lie_elsewhere_are_found_by_their_names_and_asked() {
    let gone = "ns.gone.org, which org names for example.org, has no address";
    let refused = "REFUSED from 192.0.2.8 (ns.hoster.org)";
    for (host, has_zone, told) in
        [("ns.hoster", true, None), ("ns.hoster", false, Some(refused)), ("ns.gone", false, Some(gone))]
    {
        let folder = TempDir::new().expect("a folder");
        let (zone, cut) = (format!("{ZONE}@ NS {host}.org.\n"), format!("{CUT}example NS {host}\n"));
        let servers = start_with(folder.path(), &zone, &cut, true, true);
        let hoster = if has_zone { servers.zone } else { servers.other };
        let report = look(folder.path(), &servers, &[("192.0.2.8", hoster), ("203.0.113.53", servers.zone)]);
        let causes: Vec<String> = told.iter().map(|_| FOUND.to_string()).collect();
        assert_eq!((report.status, report.causes()), (0, causes), "{host}: {}", report.text);
        assert!(told.is_none_or(|words| says(&report, words)), "{host}: {}", report.text);
        assert!(!says(&report, "could not tell"), "{host}: {}", report.text);
    }
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn names_that_nobody_finds_any_more_follow_from_it() {
    let folder = TempDir::new().expect("a folder");
    let cut = CUT.replace("198.51.100.53", "192.0.2.7").replace("203.0.113.53", "192.0.2.8");
    let servers = start(folder.path(), &cut, true, false);
    let moved = [("192.0.2.7", servers.other), ("192.0.2.8", servers.other), ("203.0.113.53", servers.zone)];
    let report = look(folder.path(), &servers, &moved);
    assert_eq!((report.status, report.causes()), (1, vec![FOUND.to_string()]), "{}", report.text);
    assert!(says(&report, "name-unresolved-in-view"), "folded under it: {}", report.text);
}
