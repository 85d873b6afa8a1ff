//! `inspect` with files and words that are hostile or only wrong: each is told beside the others, in its place.

use rcgen::{CertificateParams, DnType, KeyPair};
use serde_json::Value;

use crate::certificates::{Authority, shows_nothing_of};
use crate::{Folder, Said};

const AT: &str = "2026-06-01T00:00:00Z";

#[track_caller]
fn inspected(folder: &Folder, what: &[&str]) -> (Said, Value) {
    let said = folder.run(&[&["inspect", "--ca", "root.pem", "--at", AT, "--format", "json"], what].concat());
    let json = serde_json::from_str(&said.out).unwrap_or_else(|e| panic!("{e}: {}", said.all()));
    (said, json)
}

/// A right certificate with its key, and the root above it.
fn folder() -> (Folder, KeyPair, Vec<u8>) {
    let (authority, key) = (Authority::new(), KeyPair::generate().unwrap());
    let made = authority.issue(CertificateParams::new(vec!["mail.example.com".to_string()]).unwrap(), &key);
    let folder = Folder::new();
    folder.file("root.pem", authority.root.pem()).file("mail.pem", made.pem());
    folder.file("both.pem", format!("{}{}", key.serialize_pem(), made.pem()));
    (folder, key, made.der().to_vec())
}

#[test]
fn what_is_wrong_stands_in_its_place_and_the_rest_is_read() {
    let (folder, key, der) = folder();
    folder.file("empty.pem", b"").file("half.der", &der[..der.len() / 2]).file("mail.der", &der);
    folder
        .file("noise.bin", [0xff, 0, 0x1b, b'[', b'2', b'J', 7])
        .file("cut.p7b", b"\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02");
    folder.sparse("large.pem", 64 * 1024 * 1024);
    std::fs::create_dir(folder.path("folder.pem")).unwrap();
    let what = [
        "mail.pem",
        "empty.pem",
        "half.der",
        "noise.bin",
        "cut.p7b",
        "large.pem",
        "folder.pem",
        "gone.pem",
        "both.pem",
        "mail.der",
    ];
    let (said, json) = inspected(&folder, &what);
    let said = said.code(2);
    let items = json["items"].as_array().unwrap();
    let sources: Vec<_> = items.iter().map(|i| i["source"].as_str().unwrap()).collect();
    assert_eq!(sources, what);
    let errors: Vec<_> = items.iter().map(|i| i["error"]["kind"].as_str().unwrap_or("-")).collect();
    let none = "no-certificate";
    assert_eq!(errors, ["-", none, none, none, none, "unreadable", "unreadable", "not-found", "-", "-"]);
    assert_eq!(items[8]["private_key"]["matches"], true);
    assert!(
        items.iter().all(|i| i["remarks"].as_array().unwrap().iter().all(|r| r["severity"] != "error")),
        "{}",
        said.out
    );
    shows_nothing_of(&key, &said.all());
    shows_nothing_of(&key, &folder.run(&["inspect", "-v", "both.pem"]).all());
}

#[test]
fn every_cut_and_every_flipped_byte_is_an_answer() {
    let (folder, _, der) = folder();
    let bundle = std::fs::read(crate::root().join("tests/fuzz/corpus/certificate/bundle.p7b")).unwrap();
    let mut names = Vec::new();
    for (kind, bytes) in [("der", &der), ("p7b", &bundle)] {
        for at in (0..bytes.len()).step_by(7) {
            let mut flipped = bytes.clone();
            flipped[at] ^= 0x55;
            folder.file(&format!("flip{at}.{kind}"), flipped).file(&format!("cut{at}.{kind}"), &bytes[..at]);
            names.extend([format!("flip{at}.{kind}"), format!("cut{at}.{kind}")]);
        }
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (said, json) = inspected(&folder, &names);
    said.code(2);
    assert_eq!(json["items"].as_array().unwrap().len(), names.len());
}

#[test]
fn nothing_in_a_certificate_steers_a_terminal_or_a_build_server() {
    let (folder, ..) = folder();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["mail.example.com".to_string()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, "\u{1b}[2J\u{202e}::error::x\r\n##[error]y");
    folder.file("odd.pem", params.self_signed(&key).unwrap().pem());
    for format in ["text", "json"] {
        let said = folder.run(&["inspect", "odd.pem", "\u{1b}]0;x\u{7}.pem", "-v", "--format", format]).code(2);
        for bad in ["\u{1b}", "\u{7}", "\u{202e}", "##[", "\r"] {
            assert!(!said.all().contains(bad), "{bad:?} in {:?}", said.all());
        }
        assert!(!said.all().lines().any(|line| line.trim_start().starts_with("::error")), "{}", said.all());
    }
}

#[test]
fn what_is_mistyped_is_said_before_anything_is_looked_at() {
    let (folder, ..) = folder();
    for (what, want) in [
        (&["mail.example.com:99999"][..], "is no port"),
        (&["mail.example.com/htps"], "is no service"),
        (&["mail.example.com/tls"], "HOST:PORT/tls"),
        (&["mail.pem", "--for", "a b"], "--for"),
        (&["mail.pem", "--sni", "10.0.0.1"], "IP address"),
        (&["mail.pem", "--ca", "gone.pem"], "--ca gone.pem"),
        (&["mail.pem", "--ca", "empty.pem"], "--ca empty.pem"),
        (&["mail.pem", "--output", "mail.pem"], "would be overwritten"),
        (&["mail.pem", "--sni", "a.example", "--no-sni"], "cannot be used with"),
    ] {
        folder.file("empty.pem", b"");
        let said = folder.run(&[&["inspect"], what].concat()).code(2);
        assert!(said.out.is_empty() && said.err.contains(want), "{what:?}: {}", said.err);
    }
}
