//! Certificate files that are none, that hold more than they should, or that were damaged on the way.

use std::time::Duration;

use coexist::cli::{Place, Sources, examine};
use coexist::model::finding::{Judgement, RunOutcome};
use coexist::model::observation::DialMap;
use coexist::model::plan::Plan;
use coexist::model::policy::{Policy, Scope};
use coexist::model::probes::Vantage;
use coexist::{judge, plan};
use jiff::Timestamp;
use rcgen::{CertificateParams, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, ServerName};
use x509_parser::time::ASN1Time;

use crate::{Folder, PLAN, Said};

/// An authority whose certificate is the root of [`PLAN`], and what it issues.
pub struct Authority {
    pub root: rcgen::Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = dated(CertificateParams::default());
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, "Example Root");
        let root = params.self_signed(&key).unwrap();
        Self { root, issuer: Issuer::new(params, key) }
    }

    pub fn issue(&self, params: CertificateParams, key: &KeyPair) -> rcgen::Certificate {
        dated(params).signed_by(key, &self.issuer).unwrap()
    }
}

fn dated(mut params: CertificateParams) -> CertificateParams {
    params.not_before = rcgen::date_time_ymd(2026, 1, 1);
    params.not_after = rcgen::date_time_ymd(2027, 1, 1);
    params
}

/// A certificate for the name of [`PLAN`] and some more, its key, and the root above it.
fn made() -> (rcgen::Certificate, KeyPair, rcgen::Certificate) {
    let (authority, key) = (Authority::new(), KeyPair::generate().unwrap());
    let mut names = vec!["mail.example.com".to_string()];
    names.extend((0..30).map(|i| format!("host-{i:02}.department.example.com")));
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name.push(rcgen::DnType::OrganizationName, "Example Ltd");
    (authority.issue(params, &key), key, authority.root)
}

/// A time within the dates of [`made`].
const AT: &str = "2026-06-01T00:00:00Z";

/// What `lint` says of [`PLAN`] with this root, whose certificate file holds these bytes: as text, all of it, and as JSON.
#[track_caller]
fn linted(root: &rcgen::Certificate, bytes: &[u8]) -> (Said, Said) {
    let folder = Folder::new();
    folder.file("plan.toml", PLAN).file("root.pem", root.pem()).file("mail.pem", bytes);
    let lint = |format| folder.run(&["lint", "plan.toml", "--at", AT, "--verbose", "--format", format]);
    (lint("text"), lint("json"))
}

/// Fails if a text holds any part of a key's secret, in base64 as its file has it or in hexadecimal. The public half, and
/// the beginning that says which kind of key it is, may well be shown.
#[track_caller]
pub fn shows_nothing_of(key: &KeyPair, text: &str) {
    let der = key.serialize_der();
    // PKCS#8 (RFC 5208) around SEC 1: the number of P-256 is octets 36 to 68.
    let (base64, hex) = (data_encoding::BASE64.encode(&der[36..66]), data_encoding::HEXLOWER.encode(&der[36..68]));
    assert!(key.serialize_pem().replace('\n', "").contains(&base64));
    let lower = text.to_ascii_lowercase();
    for at in 0..base64.len() - 8 {
        assert!(!text.contains(&base64[at..at + 8]), "a key is shown: {text}");
    }
    for at in 0..hex.len() - 12 {
        assert!(!lower.contains(&hex[at..at + 12]), "a key is shown: {text}");
    }
}

#[test]
fn a_right_certificate_passes_in_whatever_it_is_wrapped() {
    let (made, _, root) = made();
    let pem = made.pem();
    let utf16 = |unit: fn(u16) -> [u8; 2]| format!("\u{feff}{pem}").encode_utf16().flat_map(unit).collect::<Vec<_>>();
    let headers = pem.replacen("-----\n", "-----\nX-Origin: a file\nX-More:\n  continued\n\n", 1);
    for (what, bytes) in [
        ("DER", made.der().to_vec()),
        ("PEM", pem.clone().into_bytes()),
        ("CRLF", pem.replace('\n', "\r\n").into_bytes()),
        ("byte order mark", format!("\u{feff}{pem}").into_bytes()),
        ("UTF-16 LE", utf16(u16::to_le_bytes)),
        ("UTF-16 BE", utf16(u16::to_be_bytes)),
        ("headers before", format!("Bag Attributes\n    friendlyName: x\nsubject=/CN=x\n{pem}").into_bytes()),
        ("headers within", headers.clone().into_bytes()),
        ("headers within, CRLF", headers.replace('\n', "\r\n").into_bytes()),
    ] {
        let (text, json) = linted(&root, &bytes);
        assert_eq!((text.status, json.status), (Some(0), Some(0)), "{what}: {}", text.all());
    }
}

#[test]
fn what_is_no_certificate_fails_and_is_called_what_it_is() {
    let (made, _, root) = made();
    let der = made.der().to_vec();
    for (bytes, want) in [
        (&b""[..], "an empty file"),
        (b"hello", "text without a certificate"),
        (b"\0\x01\x02\x03garbage\xff\xfe", "binary data"),
        (b"\x7fELF\x02\x01\x01\0", "binary data"),
        (&der[..der.len() / 2], "cut short"),
        (&[&[0x30, 0x82, 0xff, 0xff][..], &[0x41; 2000]].concat(), "cut short"),
        (b"-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n", "not base64"),
        (b"-----BEGIN CERTIFICATE-----\nAQID\n", "END line is missing"),
        (b"-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n", "cannot be read"),
    ] {
        let (text, json) = linted(&root, bytes);
        let (text, json) = (text.code(3), json.code(3));
        let said = text.out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(want), "{want}: {}", text.out);
        assert!(json.out.contains(want), "{want}: {}", json.out);
    }
}

#[test]
fn a_private_key_is_said_loudly_and_never_shown() {
    let (made, key, root) = made();
    let (pem, alone) = (made.pem(), key.serialize_pem());
    let damaged = alone.replace("-----END", "----END");
    let bare: String = alone.lines().filter(|l| !l.starts_with("---")).collect();
    let mislabelled = alone.replace("PRIVATE KEY", "CERTIFICATE");
    let encrypted = alone
        .replace("PRIVATE KEY-----\n", "RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: DES-EDE3-CBC,00\n\n");
    for (what, bytes, status, loud) in [
        ("alone", alone.clone().into_bytes(), 3, true),
        ("alone, DER", key.serialize_der(), 3, true),
        ("encrypted", encrypted.into_bytes(), 3, true),
        ("with its certificate", format!("{alone}{pem}").into_bytes(), 0, true),
        ("behind its certificate", format!("{pem}\n{alone}").into_bytes(), 0, true),
        ("damaged", damaged.into_bytes(), 3, false),
        ("without its lines", bare.into_bytes(), 3, false),
        ("called a certificate", mislabelled.into_bytes(), 3, false),
    ] {
        let (text, json) = linted(&root, &bytes);
        let (text, json) = (text.code(status), json.code(status));
        for said in [&text.all(), &json.all()] {
            assert!(!loud || said.contains("private key"), "{what}: {said}");
            shows_nothing_of(&key, said);
        }
    }
}

/// What is looked at over the network is recorded together with the files: no byte of a key is.
#[test]
fn a_private_key_is_in_no_recording() {
    let (made, key, root) = made();
    let folder = Folder::new();
    folder.file("plan.toml", PLAN).file("root.pem", format!("{}{}", key.serialize_pem(), root.pem()));
    folder.file("mail.pem", format!("{}{}", key.serialize_pem(), made.pem()));
    let args =
        ["check", "plan.toml", "--from", "internal", "--timeout", "200ms", "--connect-to", "127.0.0.1:443:127.0.0.1:1"];
    let said = folder.run(&[&args[..], &["--record", "r.jsonl"]].concat());
    let recording = std::fs::read_to_string(folder.path("r.jsonl")).unwrap();
    assert!(recording.contains("private key"), "{recording}");
    shows_nothing_of(&key, &recording);
    shows_nothing_of(&key, &said.all());
    let again = folder.run(&["judge", "plan.toml", "r.jsonl", "--format", "json"]);
    shows_nothing_of(&key, &again.all());
}

fn made_for(name: &str) -> rcgen::Certificate {
    let key = KeyPair::generate().unwrap();
    CertificateParams::new(vec![name.to_string()]).unwrap().self_signed(&key).unwrap()
}

#[test]
fn more_than_one_certificate_and_what_trails_it() {
    let (own, _, root) = made();
    let stranger = made_for("other.example.com");
    let trailing = [own.der().as_ref(), b"\x01\x02\x03"].concat();
    for (what, bytes, status, words) in [
        ("with its root", format!("{}{}", own.pem(), root.pem()).into_bytes(), 0, ""),
        ("the root first", format!("{}{}", root.pem(), own.pem()).into_bytes(), 0, ""),
        // Nobody knows which of two strangers a server takes: it never passes.
        ("a stranger behind", format!("{}{}", own.pem(), stranger.pem()).into_bytes(), 1, "number 2 in mail.pem"),
        ("a stranger first", [stranger.der().as_ref(), own.der().as_ref()].concat(), 1, "other.example.com"),
        ("trailing bytes", trailing, 0, "3 bytes after the certificate could not be read"),
    ] {
        let (text, json) = linted(&root, &bytes);
        assert_eq!((text.status, json.status), (Some(status), Some(status)), "{what}: {}", text.all());
        assert!(json.all().contains(words), "{what}: {}", json.all());
    }
}

#[test]
fn a_file_that_is_none_or_too_large_is_a_mistake_in_its_place() {
    let folder = Folder::new();
    let root = made().2;
    folder.file("plan.toml", PLAN).file("root.pem", root.pem());
    std::fs::create_dir(folder.path("mail.pem")).unwrap();
    let said = folder.run(&["lint", "plan.toml"]).code(2);
    assert!(said.err.contains("it is a folder, not a file") && said.err.contains("plan.toml:9:"), "{}", said.err);
    std::fs::remove_dir(folder.path("mail.pem")).unwrap();
    let said = folder.run(&["lint", "plan.toml"]).code(2);
    assert!(said.err.contains("plan.toml:9:"), "{}", said.err);
    folder.sparse("mail.pem", 100 << 20);
    let said = folder.run(&["lint", "plan.toml"]);
    assert!(said.status != Some(0) && said.all().contains("too large"), "{}", said.all());
}

#[cfg(unix)]
#[test]
fn a_pipe_for_a_certificate_is_refused_without_waiting() {
    let folder = Folder::new();
    folder.file("plan.toml", PLAN).file("root.pem", made().2.pem()).fifo("mail.pem");
    let said = folder.run(&["lint", "plan.toml"]).code(2);
    assert!(said.err.contains("it is not a regular file"), "{}", said.err);
    let said = folder.run(&["judge", "plan.toml", "mail.pem"]).code(2);
    assert!(said.err.contains("it is not a regular file"), "{}", said.err);
}

/// Lints [`PLAN`] with a root and a certificate file of these bytes, in memory.
async fn lint(plan: &Plan, root: &[u8], bytes: &[u8]) -> Judgement {
    let policy = Policy { scope: Scope::Files, ..Policy::default() };
    let obligations = plan::expand(plan);
    let probes = plan::probes(plan, &obligations, &Vantage::default(), &policy);
    let files = [("mail.pem", bytes), ("root.pem", root)].map(|(name, bytes)| (name.to_string(), bytes.to_vec()));
    let now: Timestamp = AT.parse().unwrap();
    let place = Place {
        vantage: &Vantage::default(),
        sources: &Sources::World(&files.into(), &[]),
        dial: DialMap::default(),
        ways: Vec::new(),
        timeout: Duration::from_secs(5),
        concurrency: 1,
        now,
    };
    let recording = examine(plan, &probes, &place, &mut |_| {}).await.unwrap();
    judge::judge(plan, &obligations, &recording, &policy, now)
}

/// What another reader says of a certificate: it can be read, is for the name, and within its dates. (That its signature is
/// right is not known of a file; who looks at a server sees that it has the key, and the path.)
fn is_good(der: &[u8]) -> bool {
    let certificate = CertificateDer::from(der);
    let Ok(read) = webpki::EndEntityCert::try_from(&certificate) else { return false };
    let Ok((_, dates)) = x509_parser::parse_x509_certificate(der) else { return false };
    let at = ASN1Time::from_timestamp(AT.parse::<Timestamp>().unwrap().as_second()).unwrap();
    let name = ServerName::try_from("mail.example.com").unwrap();
    read.verify_is_valid_for_subject_name(&name).is_ok() && dates.validity().is_valid_at(at)
}

fn plan() -> Plan {
    plan::load("plan.toml", PLAN.as_bytes(), &|_| Ok(())).unwrap()
}

/// Each byte flipped in three ways: never a panic, and a pass only where another reader finds nothing wrong either.
#[tokio::test]
async fn no_flipped_byte_makes_a_wrong_pass() {
    let (made, _, root) = made();
    let (plan, der, root) = (plan(), made.der().to_vec(), root.der());
    assert!(der.len() > 1000 && is_good(&der));
    assert_eq!(lint(&plan, root, &der).await.outcome, RunOutcome::Pass);
    for at in 0..der.len() {
        for mask in [0x01, 0x20, 0x80] {
            let mut bytes = der.clone();
            bytes[at] ^= mask;
            let passes = lint(&plan, root, &bytes).await.outcome == RunOutcome::Pass;
            assert!(!passes || is_good(&bytes), "byte {at} by {mask:#x} passes");
        }
    }
}

/// Every end cut off, of DER and of PEM.
#[tokio::test]
async fn no_truncation_passes() {
    let (made, _, root) = made();
    let (plan, pem, root) = (plan(), made.pem(), root.der());
    let whole = pem.find("-----END").unwrap();
    let of_pem = (0..whole + "-----END".len()).map(|end| &pem.as_bytes()[..end]);
    for bytes in (0..made.der().len()).map(|end| &made.der()[..end]).chain(of_pem) {
        assert_ne!(lint(&plan, root, bytes).await.outcome, RunOutcome::Pass, "{} bytes", bytes.len());
    }
}
