//! The command line: what it says of itself, its exit statuses, and that `--dry-run` is dry.
//!
//! `SNAPSHOTS=overwrite cargo test --test cli` writes the help anew.
#![allow(clippy::disallowed_methods, reason = "a test opens a socket of its own to see that nobody asks it")]

use std::net::UdpSocket;
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use coexist::cli::Cli;
use snapbox::Data;
use snapbox::cmd::{Command, OutputAssert};

fn coexist(args: &[&str]) -> OutputAssert {
    let command = Command::new(env!("CARGO_BIN_EXE_coexist")).current_dir(env!("CARGO_TARGET_TMPDIR"));
    command.env("COLUMNS", "100").env("NO_COLOR", "1").args(args).assert()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Writes a file into the folder in which the command runs.
fn file(name: &str, text: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).expect("a file can be written");
    path
}

const PLAN: &str = r#"
[views.internal]
resolvers = ["@RESOLVER@"]

[views.external]
resolvers = ["@RESOLVER@"]

[certificates.mail]
names = ["mail.example.com"]

[servers.mail]
address = "127.0.0.1"

[internet]
"mail.example.com" = "mail"
"#;

#[test]
fn every_command_says_what_it_does() {
    let golden = root().join("tests/golden/help");
    coexist(&["--help"]).success().stdout_eq(Data::read_from(&golden.join("coexist.txt"), None));
    for command in Cli::command().get_subcommands() {
        let name = command.get_name();
        let expected = Data::read_from(&golden.join(format!("{name}.txt")), None);
        coexist(&[name, "--help"]).success().stdout_eq(expected);
    }
}

#[test]
fn a_wrong_command_line_is_status_2() {
    for args in [
        &["chek"][..],
        &["check"],
        &["check", "plan.toml", "--timeout", "soon"],
        &["check", "plan.toml", "--connect-to", "10.0.0.1:443"],
        &["check", "plan.toml", "--phase", "after..before"],
        &["check", "plan.toml", "--phase", "before", "--ready-for", "coexistence"],
        &["check", "there-is-no-such-plan.toml"],
        &["judge", "there-is-no-such-plan.toml", "nor-such-a-recording.jsonl"],
        &["explain", "there-is-no-such-rule"],
        &["inspect"],
        &["inspect", "mail.example.com:99999"],
    ] {
        let output = coexist(args).code(2).get_output().clone();
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{args:?}");
    }
}

#[test]
fn a_wrong_plan_is_status_2_with_every_mistake_in_its_place() {
    file("wrong.toml", &PLAN.replace("@RESOLVER@", "dns.example.com").replace("= \"mail\"", "= \"mial\""));
    let output = coexist(&["lint", "wrong.toml"]).code(2).get_output().clone();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    for part in ["wrong.toml:3:", "wrong.toml:6:", "wrong.toml:15:", "mial"] {
        assert!(said.contains(part), "`{part}` is not in\n{said}");
    }
}

#[test]
fn a_dry_run_asks_nobody() {
    let resolver = UdpSocket::bind("127.0.0.1:0").expect("a port");
    resolver.set_nonblocking(true).expect("a socket that does not wait");
    let at = resolver.local_addr().expect("an address").to_string();
    file("dry.toml", &PLAN.replace("@RESOLVER@", &at));
    let output = coexist(&["check", "dry.toml", "--from", "internal", "--dry-run"]).success().get_output().clone();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains(&at) && said.contains("mail.example.com") && said.contains("127.0.0.1:443"), "{said}");
    let asked = resolver.recv(&mut [0; 512]).expect_err("nothing was sent");
    assert_eq!(asked.kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn what_is_printed_for_programs_is_json() {
    for args in [&["schema"][..], &["schema", "report"], &["schema", "inspect"]] {
        let output = coexist(args).success().get_output().clone();
        let schema: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert!(jsonschema::meta::is_valid(&schema), "{args:?}");
    }
}

#[test]
fn what_is_inspected_is_told_to_programs_in_its_order() {
    let key = rcgen::KeyPair::generate().expect("a key");
    let params = rcgen::CertificateParams::new(vec!["mail.example.com".to_string()]).expect("names");
    let made = params.self_signed(&key).expect("a certificate");
    file("inspected.pem", &made.pem());
    let what =
        ["inspect", "inspected.pem", "no-such.pem", "inspected.pem", "--ca", "inspected.pem", "--format", "json"];
    let output = coexist(&what).code(2).get_output().clone();
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let schema = coexist(&["schema", "inspect"]).success().get_output().stdout.clone();
    let schema: serde_json::Value = serde_json::from_slice(&schema).expect("JSON");
    assert!(jsonschema::is_valid(&schema, &json), "{json:#}");
    let items = json["items"].as_array().expect("items");
    let sources: Vec<_> = items.iter().map(|i| i["source"].as_str().unwrap_or_default()).collect();
    assert_eq!(sources, ["inspected.pem", "no-such.pem", "inspected.pem"]);
    let certificate = &items[0]["certificates"][0];
    assert_eq!(certificate["names"], serde_json::json!(["mail.example.com"]));
    let digest = certificate["sha256"].as_str().expect("a digest");
    assert!(digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)));
    assert_eq!((&items[0]["error"], &items[0]["private_key"]), (&serde_json::Value::Null, &serde_json::Value::Null));
    assert_eq!(items[1]["error"]["kind"], "not-found");
    coexist(&["inspect", "inspected.pem", "--ca", "inspected.pem", "--for", "mail.example.com"]).success();
    let args = ["inspect", "inspected.pem", "--for", "mail.example.com", "--for", "www.example.com"];
    let said = coexist(&args).code(1).get_output().stdout.clone();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(said.contains("www.example.com: the name is not on it"), "{said}");
}

#[test]
fn every_plan_that_is_handed_out_passes_lint() {
    let plans: Vec<_> =
        std::fs::read_dir(root().join("plans")).expect("plans").filter_map(|e| Some(e.ok()?.path())).collect();
    assert!(plans.len() >= 2, "{plans:?}");
    for plan in plans.iter().filter(|p| p.extension().is_some_and(|e| e == "toml")) {
        coexist(&["lint", &plan.to_string_lossy()]).success();
    }
}

#[test]
fn a_verdict_is_told_by_the_exit_status_and_a_rule_explained() {
    let rules = coexist(&["explain"]).success().get_output().stdout.clone();
    assert!(String::from_utf8_lossy(&rules).contains("legacy-name-uncovered"));
    let page = coexist(&["explain", "legacy-name-uncovered"]).success().get_output().stdout.clone();
    assert!(String::from_utf8_lossy(&page).contains("Why it matters"));
    // The certificate that is to be ordered lacks a name that is to be served.
    file(
        "uncovered.toml",
        &PLAN.replace("@RESOLVER@", "127.0.0.1").replace("[internet]", "[internet]\n\"www.example.com\" = \"mail\""),
    );
    coexist(&["lint", "uncovered.toml"]).code(1);
    file("covered.toml", &PLAN.replace("@RESOLVER@", "127.0.0.1"));
    coexist(&["lint", "covered.toml"]).success();
}

#[test]
fn an_answer_that_nobody_gives_is_never_a_pass() {
    // The socket takes the questions and says nothing.
    let silent = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let at = silent.local_addr().expect("an address").to_string();
    file("silent.toml", &PLAN.replace("@RESOLVER@", &at));
    let detour = format!("127.0.0.1:443:127.0.0.1:{}", silent.local_addr().expect("an address").port());
    let args = ["check", "silent.toml", "--from", "internal", "--only", "dns", "--timeout", "300ms"];
    coexist(&[&args[..], &["--connect-to", &detour]].concat()).code(3);
}

/// Servers that take connections and say nothing: the backlog of a listener that nobody accepts from.
fn silent(count: usize) -> Vec<std::net::TcpListener> {
    (0..count).map(|_| std::net::TcpListener::bind("127.0.0.1:0").expect("a port")).collect()
}

#[test]
fn what_the_deadline_cuts_off_is_told_and_is_no_pass() {
    let listeners = silent(3);
    let mut plan = "[views.internal]\nresolvers = [\"127.0.0.1:9\"]\nreaches = [\"127.0.0.0/8\"]\n".to_string();
    let mut args: Vec<String> =
        ["check", "deadline.toml", "--only", "tls", "--timeout", "100s", "--deadline", "300ms", "--from", "internal"]
            .map(String::from)
            .to_vec();
    for (i, listener) in listeners.iter().enumerate() {
        plan += &format!("[servers.s{i}]\naddress = \"127.0.0.{}\"\n", i + 2);
        args.extend(["--connect-to".into(), format!("127.0.0.{}:443:{}", i + 2, listener.local_addr().expect("one"))]);
    }
    plan += "[internet]\n";
    (0..listeners.len()).for_each(|i| plan += &format!("\"n{i}.example.com\" = \"s{i}\"\n"));
    file("deadline.toml", &plan);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let text = String::from_utf8(coexist(&args).code(3).get_output().stdout.clone()).expect("text");
    assert!(text.starts_with("COULD NOT TELL"), "{text}");
    assert!(text.contains("what was left when the deadline of 300ms was over"), "{text}");
    assert!(text.contains("3 could not tell"), "{text}");
    let json = coexist(&[&args[..], &["--format", "json"]].concat()).code(3).get_output().stdout.clone();
    let json: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
    assert_eq!((&json["exit_status"], &json["partial"]), (&3.into(), &true.into()));
    assert_eq!((&json["counts"]["passed"], &json["counts"]["unobserved"]), (&0.into(), &3.into()), "{json:#}");
    let lines = json["not_looked_at"].to_string();
    assert!(lines.contains("deadline of 300ms"), "{lines}");
}

#[test]
fn tries_beyond_the_first_are_reported() {
    // Closed at once the first time, and silent in the dialogue of TLS the second time.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = listener.local_addr().expect("an address");
    let plan = "retry = 2\n[views.internal]\nresolvers = [\"127.0.0.1:9\"]\nreaches = [\"127.0.0.0/8\"]\n\
                [servers.one]\naddress = \"127.0.0.2\"\nservices = [\"smtp\"]\n[internet]\n\"mail.example.com\" = \"one\"\n";
    file("retry.toml", plan);
    let server = std::thread::spawn(move || {
        let mut answered = 0;
        while let Ok((mut stream, _)) = listener.accept() {
            answered += 1;
            let _ = std::io::Write::write_all(&mut stream, b"554 no\r\n");
            if answered == 3 {
                return answered;
            }
        }
        answered
    });
    let detour = format!("127.0.0.2:25:{at}");
    let args =
        ["check", "retry.toml", "--only", "tls", "--from", "internal", "--connect-to", &detour, "--format", "json"];
    let json = coexist(&args).code(1).get_output().stdout.clone();
    let json: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
    assert_eq!(json["seen_from"]["retried"], 1, "{json:#}");
    assert_eq!(server.join().expect("a server that ends"), 3, "once, and as often again as the plan says");
}
