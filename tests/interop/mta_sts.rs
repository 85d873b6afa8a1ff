//! An MTA-STS policy that nginx gives, its record in a zone of BIND.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};

use tempfile::TempDir;

use crate::bind::{self, Zones};
use crate::certificates::{Authority, Leaf};
use crate::daemon::free_port;
use crate::run::{Report, coexist};
use crate::web::nginx;

const PLAN: &str = r#"
title = "example.org: a mail domain with MTA-STS"
phase = "coexistence"
[views.internet]
resolvers = ["203.0.113.53"]
trust = ["root.pem"]
[servers.mail]
address = "203.0.113.20"
services = []
[internet]
"mail.example.org" = "mail"
"new.example.org" = "mail"
[mail."example.org"]
mx = ["mail.example.org", "new.example.org"]
autodiscover = false
"#;

const ZONE: &str = "@ MX 10 mail\n@ MX 20 new\nmta-sts A 203.0.113.40\n";
const RECORD: &str = "_mta-sts TXT \"v=STSv1; id=20261129\"\n";

/// What is said where nginx answers so, with a certificate for this name, and the zone has these lines.
fn look(answer: &str, name: &str, record: &str) -> Report {
    let folder = TempDir::new().expect("a folder");
    let (authority, path) = (Authority::new("Interop"), folder.path());
    let identity = authority.issue(&Leaf::of(&[name]));
    let files =
        [("plan.toml", PLAN), ("root.pem", &authority.root), ("sts.pem", &identity.chain), ("sts.key", &identity.key)];
    for (file, text) in files {
        fs::write(path.join(file), text).expect("a file can be written");
    }
    let mail = Ipv4Addr::new(203, 0, 113, 20);
    let zones: Zones = [("example.org", [("mail", mail), ("new", mail)].into())].into();
    let lines = |_: &str| format!("{ZONE}{record}");
    let bind = bind::start(path, &[("external", zones)].into(), None, &lines);
    let ip = Ipv4Addr::LOCALHOST.into();
    let at = SocketAddr::new(ip, free_port(ip));
    let _nginx = nginx(path, "sts", at, answer);
    let detours = [format!("203.0.113.53:53:{}", bind.at["external"]), format!("203.0.113.40:443:{at}")];
    let detours = detours.iter().flat_map(|d| ["--connect-to", d.as_str()]);
    let args = ["check", "plan.toml", "--format", "json", "--from", "internet"];
    Report::of(&coexist(path, &args.into_iter().chain(detours).collect::<Vec<_>>()))
}

fn policy(mode: &str, mx: &[&str]) -> String {
    let mx: String = mx.iter().map(|m| format!("mx: {m}\\n")).collect();
    let text = format!("version: STSv1\\nmode: {mode}\\n{mx}max_age: 86400\\n");
    format!("location = /.well-known/mta-sts.txt {{ return 200 \"{text}\"; }}")
}

const HOST: &str = "mta-sts.example.org";
const FOUND: &str = "mta-sts-mismatch example.org internet";

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_policy_that_lists_every_host_passes() {
    for mx in [&["mail.example.org", "new.example.org"][..], &["*.example.org"]] {
        let report = look(&policy("enforce", mx), HOST, RECORD);
        assert_eq!((report.status, report.causes()), (0, Vec::new()), "{}", report.text);
        assert!(!report.text.contains("MTA-STS policy of"), "{}", report.text);
    }
    let report = look("return 404;", "www.example.org", "");
    assert_eq!(
        (report.status, report.causes()),
        (0, Vec::new()),
        "without a record there is no policy: {}",
        report.text
    );
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_host_that_is_not_listed_fails_where_it_is_enforced() {
    let report = look(&policy("enforce", &["mail.example.org"]), HOST, RECORD);
    assert_eq!((report.status, report.causes()), (1, vec![FOUND.to_string()]), "{}", report.text);
    assert!(report.text.contains("does not list new.example.org"), "{}", report.text);
    let report = look(&policy("testing", &["mail.example.org"]), HOST, RECORD);
    assert_eq!((report.status, report.causes()), (0, vec![FOUND.to_string()]), "{}", report.text);
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn what_is_no_policy_is_a_warning() {
    for (answer, name, said) in [
        ("return 301 https://www.example.org/sts.txt;", HOST, "status 301"),
        ("return 404;", HOST, "status 404"),
        ("location = /.well-known/mta-sts.txt { return 200 \"<html>\"; }", HOST, "no policy"),
        (policy("enforce", &["*.example.org"]).as_str(), "www.example.org", "senders do not accept the certificate"),
    ] {
        let report = look(answer, name, RECORD);
        assert_eq!((report.status, report.causes()), (0, vec![FOUND.to_string()]), "{answer}: {}", report.text);
        assert!(report.text.contains(said), "{said}: {}", report.text);
    }
}
