//! The name of a new mail server's address in a reverse zone of BIND, and the name by which a Postfix greets.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;
use tempfile::TempDir;

use crate::bind::{self, Zones};
use crate::certificates::{Authority, Leaf};
use crate::daemon::free_port;
use crate::postfix::{self, Postfix};
use crate::run::{Report, coexist};

const PLAN: &str = r#"
title = "example.com: mail from a new server"
phase = "coexistence"
[views.external]
resolvers = ["203.0.113.53"]
trust = ["root.pem"]
[certificates.mail]
file = "mail.pem"
[servers.old]
address = "203.0.113.20"
services = ["smtp"]
[servers.new]
address = "203.0.113.21"
services = ["smtp"]
[internet]
"mail.example.com" = { before = "old", coexistence = "new" }
[mail."example.com"]
mx = ["mail.example.com"]
autodiscover = false
helo = "GREETING"
"#;

/// Looks at the world with these further records; what the tool says of the sender's name.
fn look(records: &str) -> (Report, Option<Value>) {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path();
    // Servers that give up root's rights must be able to search it.
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a mode can be set");
    let authority = Authority::new("Senders");
    let identity = authority.issue_rsa(&Leaf::of(&["mail.example.com"]));
    fs::write(path.join("root.pem"), &authority.root).expect("a root can be written");
    fs::write(path.join("mail.pem"), &identity.leaf).expect("a certificate can be written");
    let at = [(); 2].map(|()| {
        let ip = Ipv4Addr::new(127, 0, 82, 21).into();
        SocketAddr::new(ip, free_port(ip))
    });
    let _postfix = postfix::start(path, &Postfix { at, identity: Some(&identity), settings: "" });
    fs::write(path.join("plan.toml"), PLAN.replace("GREETING", &greeting(at[0]))).expect("a plan can be written");
    let of = |owner, last| [(owner, Ipv4Addr::new(203, 0, 113, last))].into();
    let zones: Zones = [("example.com", of("mail", 21)), ("113.0.203.in-addr.arpa", of("unused", 1))].into();
    let lines = |_: &str| format!("example.com. MX 10 mail.example.com.\n{records}\n");
    let bind = bind::start(path, &[("external", zones)].into(), None, &lines);
    let smtp = ["203.0.113.20", "203.0.113.21"].map(|ip| format!("{ip}:25:{}", at[0]));
    let detours: Vec<String> = smtp.into_iter().chain([format!("203.0.113.53:53:{}", bind.at["external"])]).collect();
    let mut args = vec!["check", "plan.toml", "--from", "external", "--format", "json"];
    detours.iter().for_each(|d| args.extend(["--connect-to", d]));
    let report = Report::of(&coexist(path, &args));
    let findings = report.json["findings"].as_array().expect("findings");
    let found = findings.iter().find(|f| f["rule"] == "ptr-helo-mismatch").cloned();
    (report, found)
}

/// The name that the server says at once (RFC 5321 section 4.2).
fn greeting(at: SocketAddr) -> String {
    let stream = TcpStream::connect(at).expect("Postfix listens");
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).expect("Postfix greets");
    let name = line.strip_prefix("220 ").and_then(|rest| rest.split_whitespace().next());
    name.unwrap_or_else(|| panic!("no greeting: {line}")).to_string()
}

const OWNER: &str = "21.113.0.203.in-addr.arpa.";

#[test]
#[ignore = "needs real servers: run tests/run"]
fn an_address_whose_name_is_the_greeting_passes() {
    let (report, found) = look(&format!("{OWNER} PTR mail.example.com."));
    assert_eq!((report.status, report.causes(), found), (0, Vec::new(), None), "{}", report.text);
    assert!(!report.text.contains("could not tell"), "{}", report.text);
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn an_address_without_a_name_or_with_one_that_does_not_lead_back_is_found() {
    let pool = "21.113.0.203.in-addr.arpa. PTR 21.pool.example.com.";
    let elsewhere = format!("{pool}\n21.pool.example.com. A 203.0.113.99");
    let other = format!("{pool}\n21.pool.example.com. A 203.0.113.21");
    for (records, seen) in [
        (String::new(), "no PTR of 21.113.0.203.in-addr.arpa"),
        (pool.to_string(), "21.pool.example.com"),
        (elsewhere, "21.pool.example.com"),
        // It leads back, and is not what Postfix says.
        (other, "21.pool.example.com"),
    ] {
        let (report, found) = look(&records);
        let found = found.unwrap_or_else(|| panic!("{records}: {}", report.text));
        assert_eq!((report.status, report.causes()), (0, Vec::new()), "good to know: {}", report.text);
        assert!(found["seen"].to_string().contains(seen), "{found}");
        assert!(found["remedy"].to_string().contains("mail.example.com"), "{found}");
    }
}
