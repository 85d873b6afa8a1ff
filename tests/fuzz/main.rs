//! What reads hostile bytes, given the corpus of this folder and mutations of it, the same in every run.
//!
//! For as long as you like, with coverage as the guide, on a nightly toolchain with cargo-fuzz, which it installs:
//! `tests/fuzz/run SECONDS TARGET...`. What it reaches that nothing here does goes to target/fuzz/corpus; what is worth keeping
//! goes to the corpus of this folder, small and by a name of its own.
#![allow(clippy::disallowed_methods, reason = "a test reads its corpus")]

#[path = "bodies/certificate.rs"]
mod certificate;
#[path = "bodies/connect.rs"]
mod connect;
#[path = "bodies/dns.rs"]
mod dns;
#[path = "bodies/hello.rs"]
mod hello;
#[path = "bodies/inventory.rs"]
mod inventory;
mod mutation;
#[path = "bodies/names.rs"]
mod names;
#[path = "bodies/plan.rs"]
mod plan;
#[path = "bodies/policy.rs"]
mod policy;
#[path = "bodies/preambles.rs"]
mod preambles;
#[path = "bodies/recording.rs"]
mod recording;
#[path = "bodies/zone.rs"]
mod zone;

use std::path::{Path, PathBuf};

use mutation::Mutations;

/// Mutations of a target's corpus.
const ROUNDS: usize = 3_000;

/// The files of a target's corpus, in the order of their names.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(target);
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("a corpus").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files.iter().map(|file| std::fs::read(file).expect("an input")).collect()
}

/// Gives a body its corpus, then mutations. The input that it panics on is printed.
fn run(target: &str, words: &[&str], body: fn(&[u8])) {
    let corpus = corpus(target);
    assert!(corpus.len() >= 3, "{target}: {} inputs", corpus.len());
    let mutations = Mutations::of(&corpus, words).take(ROUNDS);
    for input in corpus.iter().cloned().chain(mutations) {
        let result = std::panic::catch_unwind(|| body(&input));
        assert!(result.is_ok(), "{target} fails on {:?}", String::from_utf8_lossy(&input));
    }
}

#[test]
fn plans() {
    run(
        "plan",
        &["[views.a]", "= \"absent\"", "{", "}", "\"", "\n", "\\u0000", "[[waivers]]", "2026-01-01"],
        plan::body,
    );
}

#[test]
fn recordings() {
    run("recording", &["{\"run\":{", "\"outcome\":", "null", "\n", "1e999", "\\ud800", "[]", "-1"], recording::body);
}

#[test]
fn dns_answers() {
    run("dns", &["\u{0}", "\u{0}\u{1}", "\u{0}\u{5}\u{0}\u{1}", "\u{0}\u{1c}", "\u{3}com\u{0}"], dns::body);
}

#[test]
fn dialogues_before_tls() {
    run(
        "preambles",
        &["\r\n", "\0", "220 ", "250-STARTTLS\r\n", "* OK ", "a1 OK\r\n", "+OK\r\n", "."],
        preambles::body,
    );
}

#[test]
fn hellos_of_old_servers() {
    run(
        "hello",
        &["\u{16}\u{3}\u{1}", "\u{15}\u{3}\u{1}\0\u{2}\u{1}\u{70}", "\u{e}\0\0\0", "\u{b}\0", "\u{3}\0\u{17}", "\0"],
        hello::body,
    );
}

#[test]
fn answers_of_proxies() {
    run(
        "connect",
        &[
            "\r\n\r\n",
            "\n\n",
            "HTTP/1.1 200 ",
            "HTTP/1.1 100 \r\n\r\n",
            "Proxy-Status: a; error=",
            "X-Squid-Error: ERR_CONNECT_FAIL 1",
        ],
        connect::body,
    );
}

#[test]
fn policies_of_mail_domains() {
    run(
        "policy",
        &[
            "\r\n\r\n",
            "mx: *.",
            "max_age: ",
            "\r\n0\r\n",
            "Transfer-Encoding: chunked\r\n",
            "Content-Length: ",
            "v=STSv1;",
            "id=",
        ],
        policy::body,
    );
}

#[test]
fn inventories() {
    run(
        "inventory",
        &[
            "\"Thumbprint\":",
            "Thumbprint : ",
            "PrivateKeyExportable : True\n",
            "\u{feff}",
            "\0",
            "[",
            "}",
            "null",
            "\r\n",
        ],
        inventory::body,
    );
}

#[test]
fn records_of_zone_files() {
    run(
        "zone",
        &["DS ", "TLSA 3 1 1 ", "DNSKEY 257 3 13 ", "\"", "\\", "65536", "-1", "\n", ".", "\u{fc}"],
        zone::body,
    );
}

#[test]
fn certificates() {
    run(
        "certificate",
        &["-----BEGIN CERTIFICATE-----\n", "-----END CERTIFICATE-----\n", "0\u{0}", "="],
        certificate::body,
    );
}

#[test]
fn names_of_hosts() {
    run("names", &["*.", ".", "xn--", "\n", "\u{fc}", "\u{0}", "_", "-", "1"], names::body);
}
