//! `inspect` without a plan, at real servers and at OpenSSL's files.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::daemon::{Daemon, Ready, free_port};
use crate::run::coexist;
use crate::world::{Running, World};

/// Where a logical address of the world is played, as `inspect` takes it.
fn at(world: &Running, ip: [u8; 4], port: u16, service: &str) -> String {
    format!("{}/{service}", world.played[&(IpAddr::from(Ipv4Addr::from(ip)), port)])
}

fn inspected(folder: &Path, args: &[&str]) -> (i32, Value) {
    let output = coexist(folder, &[&["inspect", "--format", "json", "--ca", "root.pem"], args].concat());
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let json = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
    (output.status.code().unwrap_or(-1), json)
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn nginx_postfix_and_dovecot_show_their_chains() {
    let world = World::clean().start();
    let folder = world.folder.path();
    let what = [
        at(&world, [10, 0, 1, 11], 443, "https"),
        at(&world, [10, 0, 2, 10], 25, "smtp"),
        at(&world, [10, 0, 2, 10], 143, "imap"),
        at(&world, [10, 0, 2, 10], 993, "imaps"),
        at(&world, [10, 0, 2, 10], 110, "pop3"),
    ];
    let what: Vec<&str> = what.iter().map(String::as_str).collect();
    let (status, json) = inspected(folder, &[&what[..], &["--sni", "mail.example.com"]].concat());
    assert_eq!(status, 0, "{json:#}");
    let items = json["items"].as_array().expect("items");
    assert_eq!(items.len(), what.len());
    let names = |item: &Value| item["certificates"][0]["names"].to_string();
    assert!(names(&items[0]).contains("www.example.com") && !names(&items[0]).contains("\"mail.example.com\""));
    let said = |item: &Value| {
        let of = item["remarks"].as_array().expect("remarks").iter().filter(|r| r["severity"] == "error");
        of.map(|r| r["rule"].as_str().unwrap_or("-").to_string()).collect::<Vec<_>>()
    };
    assert_eq!(said(&items[0]), ["endpoint-serves-wrong-certificate"], "{json:#}");
    for item in &items[1..] {
        assert!(names(item).contains("mail.example.com"), "{item:#}");
        assert_eq!(said(item), Vec::<String>::new(), "{item:#}");
    }
    let (status, json) = inspected(folder, &[what[0], what[1], "--for", "mail.example.com"]);
    assert_eq!(status, 1, "{json:#}");
    let covered = |i: usize| json["items"][i]["covers"][0]["covered"].clone();
    assert_eq!((covered(0), covered(1)), (false.into(), true.into()));
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn what_openssl_writes_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    let openssl = |args: &str| {
        let done = Command::new("openssl").current_dir(path).args(args.split(' ')).output().expect("openssl runs");
        assert!(done.status.success(), "{args}: {}", String::from_utf8_lossy(&done.stderr));
    };
    openssl(
        "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out root.pem -days 90 -subj /CN=mail.example.com -addext subjectAltName=DNS:mail.example.com",
    );
    openssl("x509 -in root.pem -outform der -out a.der");
    openssl("crl2pkcs7 -nocrl -certfile root.pem -out a.p7b");
    openssl("crl2pkcs7 -nocrl -certfile root.pem -outform der -out der.p7b");
    openssl("rsa -in key.pem -traditional -out pkcs1.pem");
    openssl("rsa -in key.pem -aes128 -passout pass:x -out locked.pem");
    openssl("pkcs12 -export -in root.pem -inkey key.pem -out a.pfx -passout pass:x");
    for (key, file) in [("pkcs1.pem", "with-pkcs1.pem"), ("locked.pem", "with-locked.pem")] {
        let both =
            [fs::read(path.join(key)).expect("a key"), fs::read(path.join("root.pem")).expect("a file")].concat();
        fs::write(path.join(file), both).expect("a file can be written");
    }
    let (status, json) = inspected(
        path,
        &["a.der", "a.p7b", "der.p7b", "with-pkcs1.pem", "with-locked.pem", "--for", "mail.example.com"],
    );
    assert_eq!(status, 0, "{json:#}");
    let items = json["items"].as_array().expect("items");
    let kinds: Vec<_> = items.iter().map(|i| i["kind"].as_str().unwrap_or("-")).collect();
    assert_eq!(kinds, ["der", "pkcs7", "pkcs7", "pem", "pem"]);
    let first = &items[0]["certificates"];
    assert!(items.iter().all(|i| i["certificates"] == *first));
    let fingerprint = Command::new("openssl")
        .current_dir(path)
        .args(["x509", "-in", "root.pem", "-noout", "-fingerprint", "-sha256"])
        .output();
    let fingerprint =
        String::from_utf8_lossy(&fingerprint.expect("openssl runs").stdout).replace(':', "").to_lowercase();
    assert!(fingerprint.contains(first[0]["sha256"].as_str().expect("a digest")));
    let key = |i: usize| (items[i]["private_key"]["encrypted"].clone(), items[i]["private_key"]["matches"].clone());
    assert_eq!(key(3), (false.into(), true.into()));
    assert_eq!(key(4), (true.into(), Value::Null));
    let (status, json) = inspected(path, &["a.pfx"]);
    assert_eq!((status, json["items"][0]["kind"].as_str()), (2, Some("pkcs12")), "{json:#}");
}

/// A client takes one of the two; who looks wants to see both.
#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_server_with_both_kinds_of_key_shows_both() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    for (name, key, of, option) in
        [("root", "rsa", "rsa", "rsa_keygen_bits:2048"), ("ec", "ec", "ec", "ec_paramgen_curve:P-256")]
    {
        let made = Command::new("openssl")
            .current_dir(path)
            .args([
                "req",
                "-x509",
                "-newkey",
                of,
                "-pkeyopt",
                option,
                "-nodes",
                "-days",
                "90",
                "-subj",
                "/CN=mail.example.com",
            ])
            .args(["-addext", "subjectAltName=DNS:mail.example.com"])
            .args(["-keyout", &format!("{key}.key"), "-out", &format!("{name}.pem")])
            .output()
            .expect("openssl runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
    let ip = Ipv4Addr::LOCALHOST.into();
    let at = SocketAddr::new(ip, free_port(ip));
    let mut server = Command::new("openssl");
    server.current_dir(path).args(["s_server", "-accept", &at.to_string(), "-quiet"]);
    server.args(["-cert", "root.pem", "-key", "rsa.key", "-dcert", "ec.pem", "-dkey", "ec.key"]);
    let _server = Daemon::start("openssl", &mut server, path, &Ready::Listens(&[at]));
    let (status, json) = inspected(path, &[&at.to_string(), "--sni", "mail.example.com", "--for", "mail.example.com"]);
    let items = json["items"].as_array().expect("items");
    let keys: Vec<_> = items.iter().map(|i| i["certificates"][0]["key"].as_str().unwrap_or("-")).collect();
    assert_eq!((status, keys), (0, vec!["EC P-256", "RSA 2048"]), "{json:#}");
}
