//! PFX files as OpenSSL and NSS write them, before the built binary: opened, and told apart where they are not.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use rcgen::{CertificateParams, KeyPair};
use serde_json::Value;

/// Files by the arguments of `openssl pkcs12 -export`, and how each says to be protected.
const KINDS: &[(&str, &[&str], &str)] = &[
    ("aes", &[], "AES-256 with PBES2 and SHA-256|SHA-256"),
    ("legacy", &["-legacy"], "RC2-40 with SHA-1,3DES with SHA-1|SHA-1"),
    ("3des", &["-certpbe", "PBE-SHA1-3DES", "-keypbe", "PBE-SHA1-3DES", "-macalg", "sha1"], "3DES with SHA-1|SHA-1"),
    (
        "no-mac",
        &["-nomac", "-certpbe", "AES-128-CBC"],
        "AES-128 with PBES2 and SHA-256,AES-256 with PBES2 and SHA-256|",
    ),
    ("rounds", &["-iter", "20000", "-macalg", "sha512"], "AES-256 with PBES2 and SHA-256|SHA-512"),
    ("clear", &["-certpbe", "NONE"], "AES-256 with PBES2 and SHA-256|SHA-256"),
];
const PASSWORD: &str = "pässwört €";

fn run(folder: &Path, program: &str, args: &[&str], password: Option<&str>) -> Output {
    let mut command = Command::new(program);
    command.args(args).current_dir(folder).stdin(Stdio::null()).env_remove("PFX_PASSWORD");
    command.envs(password.map(|text| ("PFX_PASSWORD", text)));
    command.output().unwrap_or_else(|e| panic!("{program}: {e}"))
}

fn right(output: Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A folder with a certificate and its key.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let key = KeyPair::generate().expect("a key");
    let made = CertificateParams::new(vec!["mail.domain.com".to_string()]).and_then(|p| p.self_signed(&key));
    fs::write(folder.path().join("cert.pem"), made.expect("a certificate").pem()).expect("room");
    fs::write(folder.path().join("key.pem"), key.serialize_pem()).expect("room");
    folder
}

fn export(folder: &Path, name: &str, more: &[&str]) {
    let out = format!("{name}.pfx");
    let all =
        ["pkcs12", "-export", "-in", "cert.pem", "-inkey", "key.pem", "-out", &out, "-passout", "env:PFX_PASSWORD"];
    right(run(folder, "openssl", &[&all[..], more].concat(), Some(PASSWORD)));
}

fn coexist(folder: &Path, args: &[&str], password: Option<&str>) -> Value {
    let output = run(folder, env!("CARGO_BIN_EXE_coexist"), &[args, &["--format", "json"]].concat(), password);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}{}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
#[ignore = "needs openssl: run tests/run"]
fn files_of_openssl_are_opened_with_their_password_only() {
    let folder = folder();
    let folder = folder.path();
    for (name, more, protection) in KINDS {
        export(folder, name, more);
        let file = format!("{name}.pfx");
        let item = |password| {
            coexist(folder, &["inspect", "--password-env", "PFX_PASSWORD", &file], Some(password))["items"][0].clone()
        };
        let open = item(PASSWORD);
        assert_eq!(open["certificates"][0]["names"][0], "mail.domain.com", "{name}: {open:#}");
        assert_eq!(
            (&open["kind"], &open["private_key"]["matches"]),
            (&"pkcs12".into(), &true.into()),
            "{name}: {open:#}"
        );
        let encryption: Vec<&str> =
            open["pfx"]["encryption"].as_array().expect("ways").iter().filter_map(Value::as_str).collect();
        let mac = open["pfx"]["mac"].as_str().unwrap_or_default();
        assert_eq!(format!("{}|{mac}", encryption.join(",")), *protection, "{name}");
        let wrong = item("wrong");
        let why = wrong["error"]["message"].as_str().unwrap_or_default();
        assert!(why.starts_with("the password does not open it"), "{name}: {wrong:#}");
        assert_eq!((&wrong["pfx"], &wrong["certificates"]), (&open["pfx"], &Value::Array(Vec::new())), "{name}");
    }
}

#[test]
#[ignore = "needs pk12util of NSS: run tests/run"]
fn files_of_nss_are_opened() {
    let folder = folder();
    let folder = folder.path();
    export(folder, "aes", &["-name", "mail"]);
    fs::write(folder.join("password"), PASSWORD).expect("room");
    fs::create_dir(folder.join("store")).expect("room");
    let at_store =
        |program: &str, args: &[&str]| right(run(folder, program, &[&["-d", "sql:store"], args].concat(), None));
    at_store("certutil", &["-N", "--empty-password"]);
    at_store("pk12util", &["-i", "aes.pfx", "-w", "password", "-K", ""]);
    at_store("pk12util", &["-o", "nss.p12", "-n", "mail", "-w", "password", "-K", ""]);
    // Lengths without end, and octet strings in pieces.
    assert!(fs::read(folder.join("nss.p12")).expect("a file").starts_with(&[0x30, 0x80]));
    let json = coexist(folder, &["inspect", "--password-env", "PFX_PASSWORD", "nss.p12"], Some(PASSWORD));
    assert_eq!(json["items"][0]["certificates"][0]["names"][0], "mail.domain.com", "{json:#}");
    assert_eq!(json["items"][0]["private_key"]["matches"], true, "{json:#}");
}

const PLAN: &str = r#"
title = "a PFX"
phase = "before"
[views.internal]
resolvers = ["127.0.0.1:9"]
[certificates.san]
file = "aes.pfx"
password-env = "PFX_PASSWORD"
[servers.ex2016]
address = "127.0.0.10"
services = ["https:9"]
product = "exchange-2016"
certificate = "san"
[intranet]
"mail.domain.com" = "ex2016"
"other.domain.com" = "ex2016"
"#;

/// The findings of a rule.
fn said<'a>(json: &'a Value, rule: &str) -> Vec<&'a Value> {
    json["findings"].as_array().expect("findings").iter().filter(|f| f["rule"] == rule).collect()
}

#[test]
#[ignore = "needs openssl: run tests/run"]
fn a_recording_is_judged_without_the_password_and_the_cure_is_read() {
    let folder = folder();
    let folder = folder.path();
    export(folder, "aes", &[]);
    fs::write(folder.join("plan.toml"), PLAN).expect("room");
    let lint = coexist(folder, &["lint", "plan.toml"], Some(PASSWORD));
    assert_eq!(
        (said(&lint, "san-missing-name").len(), said(&lint, "pfx-too-new-for-target").len()),
        (1, 1),
        "{lint:#}"
    );
    let closed = coexist(folder, &["lint", "plan.toml"], None);
    assert_eq!((said(&closed, "san-missing-name").len(), said(&closed, "pfx-too-new-for-target").len()), (0, 1));
    assert!(said(&closed, "evidence-missing")[0].to_string().contains("PFX_PASSWORD is not set"), "{closed:#}");

    let live = coexist(folder, &["check", "plan.toml", "--record", "run.jsonl", "--timeout", "500ms"], Some(PASSWORD));
    let text = fs::read_to_string(folder.join("run.jsonl")).expect("a recording");
    assert!(!text.contains(PASSWORD) && !text.contains("PRIVATE KEY"));
    fs::remove_file(folder.join("aes.pfx")).expect("a file");
    let again = coexist(folder, &["judge", "plan.toml", "run.jsonl"], None);
    assert_eq!((said(&again, "san-missing-name").len(), &again["findings"]), (1, &live["findings"]));

    // What the cure has to be typed makes a file that an Exchange 2016 reads.
    export(folder, "aes", &[]);
    let cure = said(&lint, "pfx-too-new-for-target")[0]["remedy"]["cure"].as_array().expect("a cure").clone();
    let typed = cure
        .iter()
        .filter_map(Value::as_str)
        .filter_map(|line| line.strip_prefix("  "))
        .filter(|l| !l.starts_with("Export-"));
    let script: String = typed.map(|line| format!("{line}\n")).collect();
    let script = script
        .replace(" -nodes", " -nodes -passin env:PFX_PASSWORD")
        .replace(" -macalg sha1", " -macalg sha1 -passout env:PFX_PASSWORD");
    right(run(folder, "sh", &["-euc", &script], Some(PASSWORD)));
    assert!(!folder.join("aes-open.pem").exists());
    fs::write(folder.join("plan.toml"), PLAN.replace("aes.pfx", "aes-3des.pfx")).expect("room");
    let mended = coexist(folder, &["lint", "plan.toml"], Some(PASSWORD));
    assert_eq!(
        (said(&mended, "san-missing-name").len(), said(&mended, "pfx-too-new-for-target").len()),
        (1, 0),
        "{mended:#}"
    );
}
