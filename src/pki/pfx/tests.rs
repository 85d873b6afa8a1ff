//! Files as OpenSSL 3.0, Java 17's keytool and NSS 3.87's pk12util wrote them; pbmac1.pfx was put together by hand after
//! RFC 9579, its MAC by Python's hashlib. Their key is a throw-away key of these files alone.

use super::*;
use crate::model::pfx::Age;
use crate::pki::der;
use crate::pki::{Unread, facts as certificate, file_kind, private_key_with, read_file, read_file_with};

const LEAF: &[u8] = include_bytes!("fixtures/leaf.der");

macro_rules! file {
    ($name:literal) => {
        include_bytes!(concat!("fixtures/", $name, ".pfx")) as &[u8]
    };
}

const AES: &[u8] = file!("aes");

/// What each is called, its bytes, its password, and how it says to be protected.
const FILES: &[(&str, &[u8], &str, &str)] = &[
    ("OpenSSL 3", AES, "secret", "AES-256 with PBES2 and SHA-256; MAC SHA-256"),
    ("-legacy", file!("legacy"), "secret", "RC2-40 with SHA-1, 3DES with SHA-1; MAC SHA-1"),
    ("3DES", file!("3des"), "secret", "3DES with SHA-1; MAC SHA-1"),
    ("old ciphers", file!("rc2-128"), "secret", "RC2-128 with SHA-1, 3DES of two keys with SHA-1; MAC SHA-1"),
    ("PBES2 with 3DES", file!("pbes2-3des"), "secret", "3DES with PBES2 and SHA-256; MAC SHA-1"),
    (
        "SHA-512",
        file!("sha512"),
        "secret",
        "AES-128 with PBES2 and SHA-256, AES-192 with PBES2 and SHA-256; MAC SHA-512",
    ),
    ("without MAC", file!("no-mac"), "secret", "AES-256 with PBES2 and SHA-256; no MAC"),
    ("certificates in the clear", file!("clear"), "secret", "AES-256 with PBES2 and SHA-256; MAC SHA-256"),
    ("empty password", file!("empty"), "", "AES-256 with PBES2 and SHA-256; MAC SHA-256"),
    ("nothing locked", file!("bare"), "", "not encrypted; no MAC"),
    ("letters of all kinds", file!("unicode"), "pässwört€😀", "AES-256 with PBES2 and SHA-256; MAC SHA-256"),
    ("the same, old", file!("unicode-legacy"), "pässwört€😀", "RC2-40 with SHA-1, 3DES with SHA-1; MAC SHA-1"),
    ("certificates alone", file!("no-key"), "secret", "AES-256 with PBES2 and SHA-256; MAC SHA-256"),
    ("Java", file!("java"), "secret", "AES-256 with PBES2 and SHA-256; MAC SHA-256"),
    (
        "NSS, in BER",
        file!("nss"),
        "secret",
        "AES-256 with PBES2 and SHA-256, AES-128 with PBES2 and SHA-256; MAC SHA-256",
    ),
    ("PBMAC1", file!("pbmac1"), "secret", "AES-256 with PBES2 and SHA-256; MAC PBMAC1 with SHA-256"),
];

#[test]
fn files_of_every_writer_are_opened_and_told_apart() {
    for (what, bytes, password, protection) in FILES {
        assert_eq!(facts(bytes).unwrap().to_string(), *protection, "{what}");
        let opened = open(bytes, &[password]).unwrap_or_else(|lock| panic!("{what}: {lock}"));
        assert!(opened.certificates.iter().any(|der| der == LEAF), "{what}");
        assert_eq!(file_kind(bytes), "pkcs12", "{what}");
        let file = read_file_with(bytes, &[password]).unwrap();
        assert_eq!((file.certificates, file.pfx), (opened.certificates, facts(bytes)), "{what}");
    }
}

#[test]
fn the_ages_of_readers_are_told_apart() {
    let ages = |bytes: &[u8]| facts(bytes).unwrap().all().map(|p| p.age).collect::<Vec<_>>();
    assert_eq!(ages(file!("legacy")), [Age::Sha1; 3]);
    assert_eq!(ages(AES), [Age::Pbes2; 2]);
    assert_eq!(ages(file!("pbes2-3des")), [Age::Pbes2, Age::Sha1]);
    assert_eq!(ages(file!("pbmac1")), [Age::Pbes2, Age::Pbmac1]);
    assert_eq!(ages(file!("rc4")), [Age::Sha1; 3]);
}

#[test]
fn why_a_file_is_not_opened_is_told_apart() {
    let without: &[&str] = &[];
    for (what, bytes, passwords, want) in [
        ("none", AES, without, Lock::NoPassword),
        ("none, old", file!("legacy"), without, Lock::NoPassword),
        ("none, no MAC", file!("no-mac"), without, Lock::NoPassword),
        ("wrong", AES, &["Secret"][..], Lock::WrongPassword),
        ("empty", AES, &[""], Lock::WrongPassword),
        ("wrong, old", file!("3des"), &["secret "], Lock::WrongPassword),
        ("wrong, no MAC", file!("no-mac"), &["x"], Lock::WrongPassword),
        ("wrong, in the clear", file!("clear"), &["x"], Lock::WrongPassword),
        ("no certificate", file!("no-cert"), &["secret"], Lock::Empty),
        ("RC4", file!("rc4"), &["secret"], Lock::Unknown("RC4 with SHA-1".into())),
    ] {
        assert_eq!(open(bytes, passwords), Err(want), "{what}");
    }
    assert!(open(AES, &["x", "secret"]).is_ok(), "the second fits");
    assert!(matches!(read_file(AES), Err(Unread::Locked(_, Lock::NoPassword))));
}

#[test]
fn what_needs_no_password_asks_for_none() {
    for bytes in [file!("empty"), file!("bare"), file!("clear")] {
        assert!(open(bytes, &[]).is_ok_and(|o| o.certificates.iter().any(|der| der == LEAF)));
    }
    assert!(open(file!("empty"), &["superfluous"]).is_ok());
}

#[test]
fn a_key_is_complained_of_where_no_password_locks_it() {
    let without: &[&str] = &[];
    for (bytes, passwords, is_bare) in [
        (AES, &["secret"][..], false),
        (file!("clear"), &["secret"], false),
        (file!("no-key"), &["secret"], false),
        (file!("clear"), without, false),
        (file!("empty"), without, true),
        (file!("empty"), &["superfluous"], true),
        (file!("bare"), without, true),
        (file!("bare"), &["superfluous"], true),
    ] {
        let file = read_file_with(bytes, passwords).unwrap();
        assert_eq!(file.notes.iter().any(|note| crate::pki::is_about_key(note)), is_bare, "{passwords:?}");
    }
}

#[test]
fn a_key_is_told_to_be_the_certificates() {
    let own = certificate(LEAF).unwrap().spki_sha256;
    for bytes in [AES, file!("legacy"), file!("java"), file!("nss"), file!("clear")] {
        let key = private_key_with(bytes, &["secret"]).unwrap();
        assert_eq!((key.kind.as_deref(), key.encrypted, key.spki_sha256), (Some("EC"), true, Some(own)));
    }
    let key = private_key_with(file!("bare"), &[]).unwrap();
    assert_eq!((key.encrypted, key.spki_sha256), (false, Some(own)));
    // It stands in the clear that there is one.
    let locked = PrivateKey { kind: None, encrypted: true, spki_sha256: None };
    assert_eq!(private_key_with(AES, &["x"]), Some(locked));
    assert_eq!(private_key_with(file!("no-key"), &["secret"]), None);
}

/// Replaces bytes wherever they stand.
fn patched(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let places: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(from)).collect();
    assert!(!places.is_empty());
    places.iter().for_each(|at| out[*at..at + to.len()].copy_from_slice(to));
    out
}

#[test]
fn damage_is_told_from_a_wrong_password() {
    // In the MAC itself, which stands at the end.
    let mut changed = AES.to_vec();
    let at = changed.len() - 30;
    changed[at] ^= 1;
    assert_eq!(open(&changed, &["secret"]), Err(Lock::Damaged));
    assert_eq!(open(&changed, &["x"]), Err(Lock::WrongPassword));
    let cut = read_file(&AES[..AES.len() - 40]).unwrap_err().to_string();
    assert!(cut.contains("cut short"), "{cut}");
}

#[test]
fn rounds_without_end_are_refused_before_any_is_done() {
    let rounds = [2, 2, 8, 0];
    // As many rounds as two bytes say are done; as eight bytes of a longer integer say, nobody does.
    let most = patched(AES, &rounds, &[2, 2, 0x7f, 0xff]);
    assert_eq!(open(&most, &["secret"]), Err(Lock::WrongPassword));
    for (rounds, want) in [
        (&[2u8, 4, 0x7f, 0xff, 0xff, 0xff][..], Err(Lock::TooDear)),
        (&[2, 5, 0x7f, 0, 0, 0, 0], Err(Lock::TooDear)),
        (&[2, 9, 0x7f, 0, 0, 0, 0, 0, 0, 0, 0], Err(Lock::TooDear)),
        (&[2, 1, 0], Err(Lock::Damaged)),
        (&[2, 1, 0x80], Err(Lock::Damaged)),
    ] {
        assert_eq!(open(&pfx_with_rounds(rounds), &["secret"]), want, "{rounds:?}");
    }
}

/// A file with one empty part and a MAC of SHA-1 after so many rounds.
fn pfx_with_rounds(rounds: &[u8]) -> Vec<u8> {
    let sequence = |parts: &[&[u8]]| der::written(0x30, &parts.concat()).to_vec();
    let sha1 = sequence(&[&[6, 5, 0x2b, 0x0e, 3, 2, 0x1a]]);
    let digest = sequence(&[&sha1, &[4, 20], &[0; 20]]);
    let mac = sequence(&[&digest, &[4, 2, 1, 2], rounds]);
    let data = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1];
    let content = sequence(&[&data, &[0xa0, 4, 4, 2, 0x30, 0]]);
    sequence(&[&[2, 1, 3], &content, &mac])
}

#[test]
fn nothing_that_is_damaged_is_a_panic() {
    for bytes in [file!("no-key"), file!("nss"), file!("pbmac1")] {
        for cut in (0..bytes.len()).step_by(3) {
            let _ = facts(&bytes[..cut]);
        }
        for at in (0..bytes.len()).step_by(3) {
            let mut changed = bytes.to_vec();
            changed[at] ^= 0x55;
            // What asks for a password is not tried each time: that has its own test.
            let _ = facts(&changed);
        }
    }
    let small = file!("no-key");
    let whole = open(small, &["secret"]).unwrap();
    for at in (0..small.len()).step_by(29) {
        let mut changed = small.to_vec();
        changed[at] ^= 0xff;
        // With another number for its hash the MAC is one that cannot be asked; nothing else comes out than went in.
        if let Ok(opened) = open(&changed, &["secret"]) {
            assert_eq!(opened, whole, "{at}");
        }
    }
}
