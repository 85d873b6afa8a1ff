//! HAProxy: TLS passed on untouched to those behind it, and TLS ended by the name that is asked for.

use std::fmt::Write;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use crate::certificates::{Authority, Identity, Leaf};
use crate::daemon::{Daemon, Ready, free_port};
use crate::run::{Report, check};
use crate::world::{Running, WEB, World};

/// Starts one with this part of a configuration.
fn start(folder: &Path, at: SocketAddr, config: &str) -> Daemon {
    let file = folder.join(format!("haproxy-{}.cfg", at.port()));
    let head = "defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 30s\n  timeout server 30s\n";
    fs::write(&file, format!("{head}{config}")).expect("a configuration can be written");
    let mut command = Command::new("haproxy");
    command.arg("-db").arg("-f").arg(file);
    Daemon::start("haproxy", &mut command, folder, &Ready::Listens(&[at]))
}

/// One that hands each connection to the next of its members, TLS untouched.
pub fn passes_on(folder: &Path, at: SocketAddr, members: &[SocketAddr]) -> Daemon {
    let mut config = format!("listen passes-on\n  bind {at}\n  balance roundrobin\n");
    for (n, member) in members.iter().enumerate() {
        let _ = writeln!(config, "  server s{n} {member}");
    }
    start(folder, at, &config)
}

/// One that ends TLS with the certificate of the name that is asked for; the first is for all else, unless it is strict.
fn ends_tls(folder: &Path, at: SocketAddr, identities: &[&Identity], strict: bool) -> Daemon {
    let mut list = String::new();
    for (n, identity) in identities.iter().enumerate() {
        let file = folder.join(format!("haproxy-{n}.pem"));
        fs::write(&file, format!("{}{}", identity.chain, identity.key)).expect("a certificate can be written");
        let _ = writeln!(list, "{}", file.display());
    }
    let crt_list = folder.join("haproxy.list");
    fs::write(&crt_list, list).expect("a list can be written");
    let strict = if strict { " strict-sni" } else { "" };
    let bind = format!("  bind {at} ssl crt-list {}{strict}\n", crt_list.display());
    start(folder, at, &format!("frontend ends-tls\n  mode http\n{bind}  http-request return status 204\n"))
}

/// Another address for a server of a running world.
fn elsewhere(world: &mut Running, logical: &[[u8; 4]]) -> SocketAddr {
    let ip = [127, 0, 85, 1].into();
    let at = SocketAddr::new(ip, free_port(ip));
    for ip in logical {
        world.played.insert(((*ip).into(), 443), at);
    }
    at
}

const FRONT: [[u8; 4]; 2] = [[10, 0, 1, 10], [203, 0, 113, 10]];
const OLD: [[u8; 4]; 2] = [[10, 0, 3, 10], [203, 0, 113, 30]];

/// Looks at a pool behind HAProxy, of which the second member serves this.
fn pool(second: impl FnOnce(&World) -> Identity) -> Report {
    let mut world = World::clean();
    let identity = second(&world);
    world.serve("web-2", identity);
    let mut running = world.start();
    let nodes = [[10, 0, 1, 11], [10, 0, 1, 12]].map(|ip: [u8; 4]| running.played[&(ip.into(), 443)]);
    let at = elsewhere(&mut running, &FRONT);
    let _haproxy = passes_on(running.folder.path(), at, &nodes);
    check(&running, &[])
}

/// The one cause: whom it names, what it shows of it and of its siblings.
fn the_cause(report: &Report) -> (String, String, String) {
    let finding = &report.json["findings"][0];
    let lines = |key: &str| {
        finding[key].as_array().expect("lines").iter().filter_map(|l| l.as_str()).collect::<Vec<_>>().join("\n")
    };
    (lines("expected"), lines("seen"), lines("hurts"))
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_clean_pool_passes() {
    let report = pool(|w| w.serves["web-1"].clone());
    assert_eq!((report.status, report.causes()), (0, Vec::new()), "{}", report.text);
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn the_odd_node_is_named_beside_its_sibling() {
    let report = pool(|_| Leaf::of(&["web-2"]).self_signed());
    assert_eq!(report.causes(), ["default-certificate-served web-2"], "{}", report.text);
    let (expected, seen, hurts) = the_cause(&report);
    assert!(expected.contains("web-1 serves it"), "{expected}");
    assert!(seen.contains("CN=web-2") && seen.contains("10.0.1.12"), "{seen}");
    // Two views and whoever looks for a second certificate come at once: whose turn it is at the balancer is no one view's.
    assert!((1..=3).any(|tries| hurts.contains(&format!("{tries} of 4"))), "{hurts}");
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_node_with_an_old_certificate_is_named_beside_its_sibling() {
    let report = pool(|w| w.authority.issue(&Leaf::of(&["www.example.com"])));
    // Where both certificates cover a name, that they differ is a word of its own.
    assert_eq!(
        report.causes().first().map(String::as_str),
        Some("endpoint-serves-wrong-certificate web-2"),
        "{}",
        report.text
    );
    let (expected, seen, _) = the_cause(&report);
    assert!(expected.contains("web-1") || seen.contains("web-1"), "{expected}\n{seen}");
    let report = pool(|_| Authority::new("Stranger").issue(&Leaf::of(&WEB)));
    assert_eq!(report.causes(), ["untrusted-issuer-for-view web-2"], "{}", report.text);
}

/// Looks at an old server that is HAProxy with these certificates, in a plan with this line in its internal view.
fn ended(identities: impl FnOnce(&World) -> Vec<Identity>, strict: bool, line: &str) -> Report {
    let mut world = World::clean();
    let identities = identities(&world);
    world.plan = world.plan.replacen("[views.internal]\n", &format!("[views.internal]\n{line}"), 1);
    let mut running = world.start();
    let at = elsewhere(&mut running, &OLD);
    let _haproxy = ends_tls(running.folder.path(), at, &identities.iter().collect::<Vec<_>>(), strict);
    check(&running, &["--fail-on", "warning"])
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn the_certificate_of_the_name_is_served_by_sni() {
    let both = |w: &World| vec![Leaf::of(&["default"]).self_signed(), w.serves["old"].clone()];
    let report = ended(both, false, "");
    assert_eq!((report.status, report.causes()), (0, Vec::new()), "{}", report.text);
    let report = ended(both, false, "without-sni = true\n");
    assert_eq!(report.causes(), ["wrong-default-without-sni old"], "{}", report.text);
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_strict_front_refuses_a_name_that_it_does_not_have() {
    let report = ended(|w| vec![w.serves["old"].clone()], true, "");
    assert_eq!((report.status, report.causes()), (0, Vec::new()), "{}", report.text);
    let report = ended(|w| vec![w.authority.issue(&Leaf::of(&["www.example.com"]))], true, "");
    assert_eq!(report.causes(), ["endpoint-unreachable old"], "{}", report.text);
    assert!(report.text.contains("unrecognized_name"), "{}", report.text);
}
