//! Exports of an administrator's shell that are none, or more than they should be.

use std::time::{Duration, Instant};

use rcgen::KeyPair;

use crate::certificates::shows_nothing_of;
use crate::{Folder, Said};

const PLAN: &str = r#"
phase = "before"
[views.internal]
resolvers = ["127.0.0.1:1"]
[certificates.mail]
names = ["mail.example.com"]
[servers.old]
address = "127.0.0.1"
certificate = "mail"
[servers.new]
address = "127.0.0.2"
certificate = "mail"
[internet]
"mail.example.com" = { before = "old", coexistence = "new" }
[inventory]
files = { old = "old.txt" }
"#;

/// What is planned with an inventory of these bytes.
fn planned(bytes: impl AsRef<[u8]>, format: &str) -> Said {
    let folder = Folder::new();
    folder.file("plan.toml", PLAN).file("old.txt", bytes);
    let said = folder.run(&["cutover", "plan.toml", "--from", "before", "--to", "coexistence", "--format", format]);
    assert!(!said.err.contains("panicked"), "{}", said.err);
    said
}

#[test]
fn what_is_no_inventory_is_said_and_the_cutover_is_planned_all_the_same() {
    let utf16: Vec<u8> =
        [0xff, 0xfe].into_iter().chain("Thumbprint".encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let odd = [utf16.as_slice(), &[0xd8]].concat();
    let steering = b"Thumbprint : \x1b[2J\n::error::x\n\xe2\x80\xaeThumbprint : x\n".to_vec();
    for (what, bytes) in [
        ("empty", Vec::new()),
        ("zeros", vec![0; 4096]),
        ("high octets", vec![0xff; 4097]),
        ("cut off in UTF-16", odd),
        ("half an array", b"[{\"Thumbprint\":".to_vec()),
        ("nested without end", vec![b'['; 1 << 20]),
        ("a terminal's words", steering),
    ] {
        for format in ["text", "json", "markdown"] {
            let said = planned(&bytes, format);
            assert!(said.out.contains("mail.example.com"), "{what}: {}", said.all());
            assert!(said.out.contains("old.txt"), "{what}, {format}: {}", said.all());
            assert!(!said.all().contains(['\u{1b}', '\u{202e}']) && !said.all().contains("\n::error"), "{what}");
        }
    }
}

#[test]
fn a_private_key_for_an_inventory_is_never_shown() {
    let key = KeyPair::generate().unwrap();
    let pem = key.serialize_pem();
    let in_json = format!("[{{\"Thumbprint\":{pem:?}}}]");
    for bytes in [pem.clone().into_bytes(), key.serialize_der(), in_json.into_bytes()] {
        for format in ["text", "json"] {
            let said = planned(&bytes, format);
            assert!(said.out.contains("old.txt"), "{}", said.all());
            shows_nothing_of(&key, &said.all());
        }
    }
}

#[test]
fn an_inventory_of_16_mib_takes_no_time_without_end() {
    let lines: String = (0..1_400_000).map(|n| format!("k{n:07}:\n")).collect();
    let begun = Instant::now();
    let said = planned(&lines, "text");
    assert!(said.out.contains("old.txt"), "{}", said.all());
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
}

#[test]
fn a_file_that_is_none_or_too_large_is_said() {
    let args = ["cutover", "plan.toml", "--from", "before", "--to", "coexistence"];
    let folder = Folder::new();
    folder.file("plan.toml", PLAN);
    assert!(folder.run(&args).code(2).err.contains("plan.toml:16:"));
    std::fs::create_dir(folder.path("old.txt")).unwrap();
    assert!(folder.run(&args).code(2).err.contains("it is a folder, not a file"));
    std::fs::remove_dir(folder.path("old.txt")).unwrap();
    folder.sparse("old.txt", 100 << 20);
    let said = folder.run(&args);
    assert!(said.all().contains("too large"), "{}", said.all());
    assert!(!said.err.contains("panicked"), "{}", said.err);
}

#[cfg(unix)]
#[test]
fn a_pipe_for_an_inventory_is_refused_without_waiting() {
    let folder = Folder::new();
    folder.file("plan.toml", PLAN).fifo("old.txt");
    let said = folder.run(&["cutover", "plan.toml", "--from", "before", "--to", "coexistence"]).code(2);
    assert!(said.err.contains("it is not a regular file"), "{}", said.err);
}
