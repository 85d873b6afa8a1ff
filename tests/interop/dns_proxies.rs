//! BIND asked over TCP, TLS (RFC 7858) and HTTPS (RFC 8484) through microsocks and tinyproxy: every question of a view goes by
//! its proxy, those that follow from answers too.

use std::collections::BTreeSet;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::certificates::{Authority, Leaf};
use crate::daemon::{Daemon, free_port};
use crate::dnssec::{Made, SERVED, named, zones};
use crate::proxies::Proxy;
use crate::run::{Report, coexist};

const PLAN: &str = r#"
title = "example.org: a signed zone, asked through a proxy"
[views.internet]
resolvers = ["tcp://203.0.113.53", "tls://203.0.113.54", "https://203.0.113.55/dns-query"]
trust = ["root.pem"]
[servers.web]
address = "203.0.113.20"
services = []
[internet]
"www.example.org" = "web"
"#;

/// What stands in the way of one of them.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    /// The proxy is gone.
    NoProxy,
    /// The resolvers' certificate is of other addresses.
    OtherCertificate,
}

/// BIND with all its listeners, as it is asked at each address of the plan.
fn bind(folder: &Path, made: Made, fault: Fault) -> (Daemon, Vec<String>) {
    zones(folder, made);
    let authority = Authority::new("Resolvers");
    let names: &[&str] = match fault {
        Fault::OtherCertificate => &["203.0.113.99"],
        _ => &["203.0.113.54", "203.0.113.55"],
    };
    let identity = authority.issue(&Leaf::of(names));
    for (file, text) in [("root.pem", &authority.root), ("chain.pem", &identity.chain), ("key.pem", &identity.key)] {
        fs::write(folder.join(file), text).expect("a file can be written");
    }
    let ip = Ipv4Addr::LOCALHOST.into();
    let [plain, tls, https] = [(); 3].map(|()| SocketAddr::new(ip, free_port(ip)));
    let path = folder.display();
    let rest = format!(
        "listen-on port {} tls own {{ {ip}; }}; listen-on port {} tls own http own {{ {ip}; }};\n\
         recursion no; dnssec-validation no; }};\n\
         tls own {{ cert-file \"{path}/chain.pem\"; key-file \"{path}/key.pem\"; }};\n\
         http own {{ endpoints {{ \"/dns-query\"; }}; }};\n{SERVED}",
        tls.port(),
        https.port()
    );
    let daemon = named(folder, "own", plain, &rest);
    let detours = [("203.0.113.53:53", plain), ("203.0.113.54:853", tls), ("203.0.113.55:443", https)];
    (daemon, detours.map(|(from, to)| format!("{from}:{to}")).to_vec())
}

/// Looks through a proxy; the report, and the recording.
fn look(scheme: &'static str, made: Made, fault: Fault) -> (Report, Vec<Value>) {
    let folder = TempDir::new().expect("a folder");
    let (_bind, detours) = bind(folder.path(), made, fault);
    let proxy = Proxy::of(scheme);
    let (daemon, at) = proxy.start(folder.path());
    let plan = PLAN.replace("trust =", &format!("{}trust =", proxy.line(at)));
    fs::write(folder.path().join("plan.toml"), plan).expect("a plan can be written");
    let _daemon = Some(daemon).filter(|_| fault != Fault::NoProxy);
    let mut args = vec!["check", "plan.toml", "--format", "json", "--record", "seen.jsonl"];
    detours.iter().for_each(|detour| args.extend(["--connect-to", detour]));
    let report = Report::of(&coexist(folder.path(), &args));
    let seen = fs::read_to_string(folder.path().join("seen.jsonl")).expect("a recording");
    (report, seen.lines().map(|l| serde_json::from_str(l).expect("JSON")).collect())
}

/// The runs that went through a proxy, and those by which questions were asked.
fn runs(seen: &[Value]) -> (BTreeSet<&str>, BTreeSet<&str>) {
    let through = seen.iter().filter(|l| l["run"]["proxy"].is_string()).filter_map(|l| l["run"]["id"].as_str());
    let asked = seen.iter().map(|l| &l["observation"]).filter(|o| o["probe"]["dns"].is_object());
    (through.collect(), asked.filter_map(|o| o["run"].as_str()).collect())
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn every_question_goes_through_the_proxy() {
    for scheme in ["socks5", "http"] {
        let (report, seen) = look(scheme, Made::Well, Fault::None);
        assert_eq!((report.status, report.causes()), (0, Vec::new()), "{scheme}: {}", report.text);
        assert!(!report.text.contains("could not tell"), "{scheme}: {}", report.text);
        let (through, asked) = runs(&seen);
        assert_eq!(through.len(), 1);
        assert_eq!(asked, through, "{scheme}: the keys of the zone, too");
        for resolver in ["tcp://203.0.113.53", "tls://203.0.113.54", "https://203.0.113.55/dns-query"] {
            let of = |l: &&Value| l["observation"]["probe"]["dns"]["resolver"] == resolver;
            let answers = seen.iter().filter(of).map(|l| &l["observation"]["outcome"]["dns"]["answer"]);
            let kinds: Vec<bool> = answers.map(Value::is_object).collect();
            assert!(kinds.iter().filter(|is| **is).count() >= 4, "{scheme} {resolver}: A, DS, DNSKEY, SOA: {kinds:?}");
        }
    }
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn what_is_wrong_is_found_through_the_proxy() {
    for scheme in ["socks5", "http"] {
        let (report, _) = look(scheme, Made::Expired, Fault::None);
        let found = ["ds-dnskey-mismatch example.org internet"];
        assert_eq!(
            (report.status, report.causes()),
            (1, found.map(String::from).to_vec()),
            "{scheme}: {}",
            report.text
        );
    }
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_dead_proxy_is_no_word_about_names() {
    for scheme in ["socks5", "http"] {
        let (report, _) = look(scheme, Made::Well, Fault::NoProxy);
        assert_eq!((report.status, report.causes()), (3, Vec::new()), "{scheme}: {}", report.text);
        assert!(report.text.contains("through its proxy"), "{scheme}: {}", report.text);
    }
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_resolver_that_proves_another_address_is_not_believed_behind_a_proxy_either() {
    for scheme in ["socks5", "http"] {
        let (report, seen) = look(scheme, Made::Well, Fault::OtherCertificate);
        let answered = |l: &&Value| l["observation"]["outcome"]["dns"]["answer"].is_object();
        let by: BTreeSet<&str> = seen
            .iter()
            .filter(answered)
            .filter_map(|l| l["observation"]["probe"]["dns"]["resolver"].as_str())
            .collect();
        assert_eq!(by, BTreeSet::from(["tcp://203.0.113.53"]), "{scheme}: {}", report.text);
        assert!(report.text.contains("tls://203.0.113.54"), "the silent one is named: {}", report.text);
    }
}
