//! Records beyond addresses as BIND serves them: mail, services, who may issue, wildcards, a zone of one's own inside.

use std::collections::BTreeMap;
use std::fs;
use std::net::Ipv4Addr;

use tempfile::TempDir;

use crate::bind::{self, Zones};
use crate::run::{Report, check};
use crate::world::Running;

const PLAN: &str = r#"
title = "example.org: a mail domain on BIND"
[views.internal]
resolvers = ["10.0.0.53"]
[views.external]
resolvers = ["203.0.113.53"]
[certificates.mail]
names = ["mail.example.org"]
issuer = "letsencrypt.org"
[servers.mail]
address = { internal = "10.0.2.10", external = "203.0.113.20" }
services = []
[internet]
"mail.example.org" = "mail"
[zones."example.org"]
views = ["internal"]
[mail."example.org"]
mx = ["mail.example.org"]
autodiscover = "srv"
[records]
"_autodiscover._tcp.example.org SRV" = "0 0 443 mail.example.org."
"example.org TXT" = "v=spf1 mx -all"
"example.org CAA" = "0 issue \"letsencrypt.org\""
"www.apps.example.org CNAME" = "host.example.org."
"shop.example.org HTTPS" = "1 . alpn=h2,http/1.1 port=8443 ipv4hint=203.0.113.80 ipv6hint=2001:db8::80 key65280=\"a b\""
"#;

/// What stands in the zone of both views.
const ZONE: &str = r#"
@ MX 10 mail
@ TXT "v=spf1 mx " "-all"
@ TXT "site-verification=0123"
@ CAA 0 issue "letsencrypt.org"
_autodiscover._tcp SRV 0 0 443 mail
www.apps CNAME host
; as planned but for the hints, which follow addresses
shop HTTPS 1 . alpn="h2,http/1.1" port=8443 ipv4hint=10.0.2.10 key65280="a b"
"#;

/// Looks at a world in which these lines stand beside, in each view's zone.
fn look(mail: &str, more: &dyn Fn(&str) -> &'static str) -> Report {
    let folder = TempDir::new().expect("a folder");
    fs::write(folder.path().join("plan.toml"), PLAN).expect("a plan can be written");
    let zones = |address: [u8; 4]| -> Zones { [("example.org", [("host", Ipv4Addr::from(address))].into())].into() };
    let views: BTreeMap<_, _> = [("internal", zones([10, 0, 2, 10])), ("external", zones([203, 0, 113, 20]))].into();
    let address = |view: &str| if view == "internal" { "10.0.2.10" } else { "203.0.113.20" };
    let lines = |view: &str| format!("{ZONE}{}\n{}\n", mail.replace("ADDRESS", address(view)), more(view));
    let bind = bind::start(folder.path(), &views, None, &lines);
    let closed = ["10.0.2.10", "203.0.113.20", "203.0.113.80", "198.51.100.250"].map(|ip| (ip, 443));
    check(&Running::of_dns(folder, bind, &closed), &[])
}

const OWN: &str = "mail A ADDRESS";

#[test]
#[ignore = "needs real servers: run tests/run"]
fn bind_serves_the_records_as_planned() {
    let report = look(OWN, &|_| "");
    assert_eq!((report.status, report.causes()), (0, Vec::new()), "{}", report.text);
    assert!(!report.text.contains("could not tell"), "{}", report.text);
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn bind_answers_by_a_wildcard() {
    let report = look(OWN, &|view| if view == "external" { "* A 198.51.100.250" } else { "" });
    // Outside the wildcard answers for www too.
    let hidden = "internal-zone-shadows-public example.org internal";
    assert_eq!(report.causes(), [hidden, "wildcard-record-answers example.org external"], "{}", report.text);
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn bind_inside_lacks_what_stands_outside() {
    let report = look(OWN, &|view| if view == "external" { "www A 203.0.113.80" } else { "" });
    assert_eq!(report.causes(), ["internal-zone-shadows-public example.org internal"], "{}", report.text);
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn bind_has_an_alias_as_mail_host() {
    let report = look("mail CNAME host", &|_| "");
    let inside = "srv-target-invalid _autodiscover._tcp.example.org internal";
    assert_eq!(report.causes(), ["mx-target-invalid example.org external", inside], "{}", report.text);
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn bind_has_another_https_record() {
    let report = look(OWN, &|view| if view == "external" { "shop HTTPS 2 other.example.net. alpn=h3" } else { "" });
    assert_eq!(report.causes(), ["record-differs shop.example.org external"], "{}", report.text);
    assert!(report.text.contains("2 other.example.net. alpn=h3"), "{}", report.text);
}
