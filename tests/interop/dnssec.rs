//! A zone signed by BIND's own tools below a signed parent, BIND as its server, and a BIND that validates in front.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::daemon::{Daemon, Ready, free_port};
use crate::run::{Report, coexist};

const PLAN: &str = r#"
title = "example.org: a signed zone"
[views.internet]
resolvers = ["203.0.113.53"]
[servers.web]
address = "203.0.113.20"
services = []
[internet]
"www.example.org" = "web"
"#;

/// How the zone is made.
#[derive(Clone, Copy, PartialEq)]
pub enum Made {
    Well,
    /// It was signed with new keys, and the parent has the DS of the old ones.
    WithOtherKeys,
    /// It is no longer signed.
    Unsigned,
    /// Its signatures are over.
    Expired,
}

/// Asks the validating server, or the zone's own.
fn look(made: Made, validating: bool) -> Report {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path();
    fs::write(path.join("plan.toml"), PLAN).expect("a plan can be written");
    let Signed { trust, .. } = zones(path, made);
    let ip = Ipv4Addr::LOCALHOST.into();
    let [own, checks] = [(); 2].map(|()| SocketAddr::new(ip, free_port(ip)));
    let served = "zone \"org\" { type primary; file \"org.signed\"; }; zone \"example.org\" { type primary; file \"example\"; };";
    let _own = named(path, "own", own, &format!("recursion no; dnssec-validation no; }}; {served}"));
    let forward = format!("recursion yes; forward only; forwarders {{ {} port {}; }};", own.ip(), own.port());
    let anchors = format!("dnssec-validation yes; }}; trust-anchors {{ org. static-key {trust}; }};");
    let _checks = named(path, "checks", checks, &format!("{forward} {anchors}"));
    let to = if validating { checks } else { own };
    let detour = format!("203.0.113.53:53:{to}");
    let args = ["check", "plan.toml", "--format", "json", "--connect-to", &detour];
    Report::of(&coexist(path, &args))
}

/// What both zones were signed with.
pub struct Signed {
    /// The parent's key as a trust anchor has it.
    pub trust: String,
    /// The zone's key, by the tools' name of its files.
    pub key: String,
}

/// Writes both zones.
pub fn zones(folder: &Path, made: Made) -> Signed {
    let head = "$TTL 300\n@ SOA ns admin 1 3600 600 86400 300\n@ NS ns\nns A 127.0.0.1\n";
    fs::write(folder.join("child"), format!("{head}www A 203.0.113.20\n")).expect("a zone can be written");
    let old = keygen(folder, "example.org");
    let child = if made == Made::WithOtherKeys { keygen(folder, "example.org") } else { old.clone() };
    let dates: &[&str] = match made {
        Made::Expired => &["-s", "20200101000000", "-e", "20200201000000"],
        _ => &[],
    };
    match made {
        Made::Unsigned => drop(fs::copy(folder.join("child"), folder.join("example"))),
        _ => sign(folder, &[dates, &["-f", "example"]].concat(), "example.org", "child", &child),
    }
    let ds = tool(folder, "dnssec-dsfromkey", &["-2", &old]);
    let cut = format!("{head}example NS ns.example\nns.example A 127.0.0.1\n{ds}");
    fs::write(folder.join("org"), cut).expect("a zone can be written");
    let parent = keygen(folder, "org");
    sign(folder, &["-f", "org.signed"], "org", "org", &parent);
    let key = fs::read_to_string(folder.join(format!("{parent}.key"))).expect("a key");
    let words: Vec<&str> = key.lines().filter(|l| !l.starts_with(';')).flat_map(str::split_whitespace).collect();
    let at = words.iter().position(|w| *w == "DNSKEY").expect("a DNSKEY");
    let trust = format!("{} {} {} \"{}\"", words[at + 1], words[at + 2], words[at + 3], words[at + 4..].concat());
    Signed { trust, key: child }
}

fn keygen(folder: &Path, zone: &str) -> String {
    tool(folder, "dnssec-keygen", &["-q", "-a", "ECDSAP256SHA256", "-f", "KSK", zone]).trim().to_string()
}

/// With one key for all (-z); the tool's own opinion of dates is not asked for.
pub fn sign(folder: &Path, more: &[&str], zone: &str, file: &str, key: &str) {
    let [text, record] = [file, &format!("{key}.key")].map(|f| fs::read_to_string(folder.join(f)).expect("a file"));
    fs::write(folder.join(file), text + &record).expect("a zone can be written");
    let args = [&["-z", "-P", "-o", zone], more, &[file, key]].concat();
    tool(folder, "dnssec-signzone", &args);
}

fn tool(folder: &Path, name: &str, args: &[&str]) -> String {
    let out = Command::new(name).args(args).current_dir(folder).output();
    let out = out.unwrap_or_else(|e| panic!("{name}: {e}: run tests/run"));
    assert!(out.status.success(), "{name} {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).expect("words")
}

/// Starts a BIND in this folder, with the rest of its options and its zones.
pub fn named(folder: &Path, label: &'static str, at: SocketAddr, rest: &str) -> Daemon {
    let path = folder.display();
    let config = format!(
        "options {{ directory \"{path}\"; pid-file \"{path}/{label}.pid\"; session-keyfile \"{path}/{label}.key\";\n\
         managed-keys-directory \"{path}\"; listen-on port {} {{ {}; }}; listen-on-v6 {{ none; }}; allow-query {{ any; }};\n\
         {rest}\ncontrols {{ }};\n",
        at.port(),
        at.ip()
    );
    let file = folder.join(format!("{label}.conf"));
    fs::write(&file, config).expect("a configuration can be written");
    // A copy, since AppArmor's profile of /usr/sbin/named keeps it out of folders like this one.
    let program = folder.join(format!("named-{label}"));
    fs::copy("/usr/sbin/named", &program).expect("BIND is installed: run tests/run");
    let mut command = Command::new(program);
    command.args(["-g", "-4", "-n", "1", "-c"]).arg(&file);
    Daemon::start(label, &mut command, folder, &Ready::Says(" running\n"))
}

const FOUND: &str = "ds-dnskey-mismatch example.org internet";

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_zone_that_is_signed_well_passes() {
    for validating in [true, false] {
        let report = look(Made::Well, validating);
        assert_eq!((report.status, report.causes()), (0, Vec::new()), "{}", report.text);
        assert!(!report.text.contains("could not tell whether the keys"), "{}", report.text);
    }
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_ds_of_the_old_keys_is_found_with_and_without_validation() {
    let report = look(Made::WithOtherKeys, true);
    assert_eq!((report.status, report.causes()), (1, vec![FOUND.to_string()]), "{}", report.text);
    assert!(report.text.contains("no DS of example.org fits its keys"), "{}", report.text);
    assert!(report.text.contains("name-unresolved-in-view"), "folded under it: {}", report.text);
    let report = look(Made::WithOtherKeys, false);
    assert_eq!((report.status, report.causes()), (1, vec![FOUND.to_string()]), "{}", report.text);
    assert!(!report.text.contains("name-unresolved-in-view"), "{}", report.text);
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_zone_that_is_no_longer_signed() {
    let report = look(Made::Unsigned, true);
    assert_eq!((report.status, report.causes()), (1, vec![FOUND.to_string()]), "{}", report.text);
    assert!(report.text.contains("example.org has a DS at its parent, and no keys"), "{}", report.text);
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn signatures_that_are_over_are_told_by_who_validates() {
    let report = look(Made::Expired, true);
    assert_eq!((report.status, report.causes()), (1, vec![FOUND.to_string()]), "{}", report.text);
    assert!(report.text.contains("the answers of example.org do not validate in internet"), "{}", report.text);
    let report = look(Made::Expired, false);
    assert_eq!((report.status, report.causes()), (0, Vec::new()), "nobody says so: {}", report.text);
}
