//! Transcripts of real servers: what each says to the built binary up to the handshake, taken down by a proxy on the way.
//!
//! `tests/transcripts/captured` has to hold what the servers say now; `COEXIST_CAPTURE=1` writes it anew.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use tempfile::TempDir;

use super::cases::{Case, NAME, Scene, cases};
use super::tee::{Tee, Who};
use crate::certificates::{Authority, Identity, Leaf};
use crate::run::coexist;

#[test]
#[ignore = "needs real servers: run tests/run"]
fn the_transcripts_are_what_servers_say() {
    let folder = TempDir::new().expect("a folder");
    // Servers that give up root's rights must be able to search it.
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("a mode can be set");
    let identity = Authority::new("Interop").issue_rsa(&Leaf::of(&[NAME]));
    let (folder, identity) = (folder.path(), &identity);
    let taken: Vec<(&str, String)> = thread::scope(|scope| {
        let each = |case: Case| scope.spawn(move || (case.stem, capture(&case, folder, identity)));
        let running: Vec<_> = cases().into_iter().map(each).collect();
        running.into_iter().map(|r| r.join().expect("a transcript")).collect()
    });
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts/captured");
    let file = |stem: &str| kept.join(format!("{stem}.txt"));
    if std::env::var_os("COEXIST_CAPTURE").is_some() {
        taken.iter().for_each(|(stem, text)| fs::write(file(stem), text).expect("a transcript can be written"));
    }
    for (stem, text) in &taken {
        let before = fs::read_to_string(file(stem)).unwrap_or_default();
        assert_eq!(lasting(&before), lasting(text), "{stem}: COEXIST_CAPTURE=1 writes it anew:\n{text}");
    }
    let stems: BTreeSet<PathBuf> = taken.iter().map(|(stem, _)| file(stem)).collect();
    let there: BTreeSet<PathBuf> =
        fs::read_dir(&kept).expect("transcripts").map(|f| f.expect("a file").path()).collect();
    assert_eq!(there, stems, "each file has its case");
}

/// The client's last words: SMTP, POP3 and FTP; IMAP; ManageSieve; LDAP.
const FAREWELLS: [&[u8]; 4] = [b"QUIT\r\n", b"a9 LOGOUT\r\n", b"LOGOUT\r\n", &[0x30, 5, 2, 1, 2, 0x42, 0]];

/// Starts a case's server, lets the binary speak to it, and writes down what was said.
fn capture(case: &Case, folder: &Path, identity: &Identity) -> String {
    let folder = folder.join(case.stem);
    let scene: Scene = (case.start)(&folder, identity);
    let tee = Tee::before(scene.at);
    let word = if case.stem.starts_with("xmpp-server-") { "xmpp-server" } else { first(case.stem) };
    let plan = format!(
        "[views.internal]\nresolvers = [\"127.0.0.1:9\"]\nreaches = [\"10.0.0.0/8\"]\n\
         [certificates.all]\nnames = [\"{NAME}\"]\n[servers.one]\naddress = \"10.0.4.1\"\nservices = [\"{word}\"]\n\
         [internet]\n\"{NAME}\" = \"one\"\n"
    );
    fs::write(folder.join("plan.toml"), plan).expect("a plan can be written");
    let detour = format!("10.0.4.1::{}", tee.at);
    coexist(&folder, &["check", "plan.toml", "--only", "tls", "--from", "internal", "--connect-to", &detour]);
    let mut text = format!("# {} {}: {}\n", case.package, version(case.package), case.how);
    // How the client takes leave is no part of how TLS is asked for.
    let said = tee.said();
    let leaves = |(who, bytes): &&(Who, Vec<u8>)| *who == Who::Client && FAREWELLS.contains(&bytes.as_slice());
    let said = said.iter().take_while(|word| !leaves(word));
    said.for_each(|(who, bytes)| text.push_str(&lines(*who, bytes)));
    text + "= " + case.end + "\n"
}

fn first(stem: &str) -> &str {
    stem.split('-').next().expect("a word")
}

fn version(package: &str) -> String {
    let out = Command::new("dpkg-query").args(["-W", "-f=${Version}", package]).output().expect("dpkg");
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// As lines where they are lines of text, else as bytes.
fn lines(who: Who, bytes: &[u8]) -> String {
    let text = std::str::from_utf8(bytes).ok().and_then(|t| t.strip_suffix("\r\n"));
    let is_text = |t: &&str| t.split("\r\n").all(|line| !line.contains(|c: char| c.is_control()));
    let (upper, lower) = if who == Who::Client { ("C", "c") } else { ("S", "s") };
    match text.filter(is_text) {
        Some(text) => text.split("\r\n").map(|line| format!("{upper}: {line}\n")).collect(),
        None => format!("{lower}: {}\n", bytes.iter().map(|b| shown(*b)).collect::<String>()),
    }
}

fn shown(byte: u8) -> String {
    match byte {
        b' '..=b'~' if byte != b'\\' => char::from(byte).to_string(),
        _ => format!("\\x{byte:02x}"),
    }
}

/// A transcript without what changes: its head, and in XML the order of attributes and the stream's id.
fn lasting(text: &str) -> Vec<String> {
    let words = |line: &str| {
        let mut words: Vec<&str> = line.split([' ', '>']).filter(|w| !w.starts_with("id=")).collect();
        words.sort_unstable();
        words.join(" ")
    };
    let kept = text.lines().filter(|line| !line.starts_with('#'));
    kept.map(|line| if line.starts_with("s: <") { words(line) } else { line.to_string() }).collect()
}
