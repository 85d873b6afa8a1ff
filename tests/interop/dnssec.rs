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

/// Both zones, on one server.
pub const SERVED: &str = r#"zone "org" { type primary; file "org.signed"; };
zone "example.org" { type primary; file "example"; };"#;

/// How the zone is made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Made {
    Well,
    /// It was signed with new keys, and the parent has the DS of the old ones.
    WithOtherKeys,
    /// It is no longer signed.
    Unsigned,
    /// Its signatures are over.
    Expired,
    /// Those of its keys are not.
    ExpiredButForKeys,
    /// Its signatures are not valid yet.
    Ahead,
    /// Its SOA was changed after it was signed.
    Changed,
    /// The address of its name was.
    Moved,
    /// With another algorithm than ECDSA P-256, and a key for the keys and one for the rest.
    By(&'static str),
}

/// Asks the validating server, or the zone's own.
fn look(made: Made, validating: bool) -> Report {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path();
    fs::write(path.join("plan.toml"), PLAN).expect("a plan can be written");
    let Signed { trust, .. } = zones(path, made);
    let ip = Ipv4Addr::LOCALHOST.into();
    let [own, checks] = [(); 2].map(|()| SocketAddr::new(ip, free_port(ip)));
    let _own = named(path, "own", own, &format!("recursion no; dnssec-validation no; }}; {SERVED}"));
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
    let address = if made == Made::Moved { "203.0.113.21" } else { "203.0.113.20" };
    fs::write(folder.join("child"), format!("{head}www A {address}\n")).expect("a zone can be written");
    let old = keygen(folder, "example.org");
    let old = match made {
        Made::By(algorithm) => keygen_by(folder, algorithm, true),
        _ => old,
    };
    let child = if made == Made::WithOtherKeys { keygen(folder, "example.org") } else { old.clone() };
    let dates: &[&str] = match made {
        Made::Expired => &["-s", "20200101000000", "-e", "20200201000000"],
        Made::ExpiredButForKeys => &["-s", "20200101000000", "-e", "20200201000000", "-X", "20400101000000"],
        Made::Ahead => &["-s", "20390101000000", "-e", "20400101000000"],
        _ => &[],
    };
    match made {
        Made::Unsigned => drop(fs::copy(folder.join("child"), folder.join("example"))),
        Made::By(algorithm) => {
            let other = keygen_by(folder, algorithm, false);
            sign_by(folder, &["-f", "example"], "example.org", "child", &[&child, &other]);
        }
        _ => sign(folder, &[dates, &["-f", "example"]].concat(), "example.org", "child", &child),
    }
    let after = match made {
        Made::Changed => Some(["86400      ; expire", "86401      ; expire"]),
        Made::Moved => Some(["A\t203.0.113.21", "A\t203.0.113.20"]),
        _ => None,
    };
    if let Some([old, new]) = after {
        let signed = fs::read_to_string(folder.join("example")).expect("a zone");
        let changed = signed.replacen(old, new, 1);
        assert_ne!(signed, changed, "it is written as it was: {signed}");
        fs::write(folder.join("example"), changed).expect("a zone can be written");
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

fn keygen_by(folder: &Path, algorithm: &str, is_of_keys: bool) -> String {
    let bits: &[&str] = if algorithm.contains("RSA") { &["-b", "2048"] } else { &[] };
    let of_keys: &[&str] = if is_of_keys { &["-f", "KSK"] } else { &[] };
    tool(folder, "dnssec-keygen", &[&["-q", "-a", algorithm], bits, of_keys, &["example.org"]].concat())
        .trim()
        .to_string()
}

/// With a key for the keys (-x) and one for the rest.
fn sign_by(folder: &Path, more: &[&str], zone: &str, file: &str, keys: &[&str; 2]) {
    let records = keys.map(|key| fs::read_to_string(folder.join(format!("{key}.key"))).expect("a key"));
    let text = fs::read_to_string(folder.join(file)).expect("a zone");
    fs::write(folder.join(file), text + &records.concat()).expect("a zone can be written");
    let args = [&["-x", "-P", "-o", zone, "-k", keys[0]], more, &[file, keys[1]]].concat();
    tool(folder, "dnssec-signzone", &args);
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
        assert!(!report.text.contains(OPEN), "{}", report.text);
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

/// What BIND's own validator says of a record, asking the zone's server as we do.
fn delv(folder: &Path, at: SocketAddr, trust: &str, what: [&str; 2]) -> String {
    fs::write(folder.join("anchors"), format!("trust-anchors {{ org. static-key {trust}; }};")).expect("a file");
    let (server, port) = (format!("@{}", at.ip()), at.port().to_string());
    let args = ["-4", "-a", "anchors", "+root=org", &server, "-p", &port, what[0], what[1]];
    let out = Command::new("delv").args(args).current_dir(folder).output().expect("delv is there: run tests/run");
    String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned()
}

const OPEN: &str = "could not tell whether the signatures of example.org verify in internet";

#[test]
#[ignore = "needs real servers: run tests/run"]
fn signatures_that_are_over_are_found_with_and_without_validation() {
    for validating in [true, false] {
        let report = look(Made::Expired, validating);
        assert_eq!((report.status, report.causes()), (1, vec![FOUND.to_string()]), "{}", report.text);
        assert!(report.text.contains("the signatures of the keys of example.org have expired"), "{}", report.text);
        assert!(report.text.contains("RRSIG of DNSKEY until 2020-02-01 00:00Z from 203.0.113.53"), "{}", report.text);
        assert_eq!(report.text.contains("name-unresolved-in-view"), validating, "folded under it: {}", report.text);
    }
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn what_is_wrong_with_signatures_is_told_without_validation() {
    for (made, title) in [
        (Made::ExpiredButForKeys, "the signatures of example.org have expired"),
        (Made::Ahead, "the signatures of the keys of example.org are not valid yet"),
        (Made::Changed, "the signatures of example.org do not verify"),
        (Made::Moved, "the signatures of names of example.org do not verify"),
    ] {
        for validating in [false, true] {
            let report = look(made, validating);
            assert_eq!((report.status, report.causes()), (1, vec![FOUND.to_string()]), "{title}: {}", report.text);
            assert!(report.text.contains(title), "{title}: {}", report.text);
        }
    }
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn every_algorithm_of_bind_is_verified_but_one() {
    for algorithm in ["RSASHA256", "RSASHA512", "NSEC3RSASHA1", "ECDSAP384SHA384", "ED25519", "ED448"] {
        let report = look(Made::By(algorithm), false);
        assert_eq!((report.status, report.causes()), (0, Vec::new()), "{algorithm}: {}", report.text);
        assert_eq!(report.text.contains(OPEN), algorithm == "ED448", "{algorithm}: {}", report.text);
        assert!(!report.text.contains("could not tell whether the keys"), "{algorithm}: {}", report.text);
    }
}

/// Where BIND's validator fails so do we, and where it does not neither do we.
#[test]
#[ignore = "needs real servers: run tests/run"]
fn delv_agrees() {
    use Made::{Ahead, By, Changed, Expired, ExpiredButForKeys, Moved, Unsigned, Well, WithOtherKeys};
    for made in [
        Well,
        By("RSASHA256"),
        By("ED25519"),
        WithOtherKeys,
        Unsigned,
        Expired,
        ExpiredButForKeys,
        Ahead,
        Changed,
        Moved,
    ] {
        let folder = TempDir::new().expect("a folder");
        let Signed { trust, .. } = zones(folder.path(), made);
        let ip = Ipv4Addr::LOCALHOST.into();
        let at = SocketAddr::new(ip, free_port(ip));
        let _own = named(folder.path(), "own", at, &format!("recursion no; dnssec-validation no; }}; {SERVED}"));
        let asked = [["example.org", "SOA"], ["www.example.org", "A"]].map(|w| delv(folder.path(), at, &trust, w));
        let (truth, is_well) = (asked.join("\n"), asked.iter().all(|a| a.contains("; fully validated")));
        assert_eq!(is_well, matches!(made, Well | By(_)), "{made:?}: {truth}");
        assert_eq!(look(made, false).status, i32::from(!is_well), "{made:?}: {truth}");
    }
}
