//! TLSA records of an authority (usage 2) allow what it issued, as far as the chains are known; usages 0 and 1 are not heeded
//! by senders of mail.

use coexist::model::cutover::{CacheKind, HarmClass};
use coexist::model::observation::{FileOutcome, Observation, Outcome, Probe};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use super::Phase::{Before, Coexistence};
use super::*;

const PLAN: &str = r#"
[views.internal]
resolvers = ["10.0.0.53"]
[certificates.old]
file = "old.pem"
[certificates.new]
file = "new.pem"
[servers.old]
address = "10.0.0.3"
services = ["smtp"]
certificate = "old"
[servers.new]
address = "10.0.0.10"
services = ["smtp"]
certificate = "new"
[internet]
"mail.domain.com" = { before = "old", coexistence = "new", ttl-before = "1h" }
[mail."domain.com"]
mx = "mail.domain.com"
[records]
"_25._tcp.mail.domain.com TLSA" = "LISTED"
"#;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn issue(authority: &Authority) -> Vec<u8> {
    let params = CertificateParams::new(vec!["mail.domain.com".to_string()]).unwrap();
    params.signed_by(&KeyPair::generate().unwrap(), authority).unwrap().der().to_vec()
}

/// The files of both certificates, each with some authorities behind it; everybody trusts all of them.
fn recording(files: &[(&str, Vec<u8>, &[&Authority])]) -> Recording {
    let mut recording = history::recording(&[("2026-11-23T07:00:00Z", "10.0.0.3", 3600)]);
    let mut anchors = Vec::new();
    for (path, leaf, behind) in files {
        let ders = std::iter::once(leaf.clone()).chain(behind.iter().map(|a| a.der().to_vec()));
        let mut chain = Vec::new();
        for der in ders {
            let id = coexist::pki::facts(&der).unwrap().sha256;
            recording.blobs.insert(id, der.into());
            chain.push(id);
        }
        anchors.extend(&chain[1..]);
        let found = FileOutcome::Certificates { chain, notes: Vec::new(), pfx: None };
        recording.observations.insert(Observation {
            probe: Probe::File((*path).to_string()),
            run: "run0".into(),
            sample: 0,
            attempt: 0,
            dialled: None,
            at: "2026-11-23T07:00:00Z".parse().unwrap(),
            outcome: Outcome::File(found).into(),
        });
    }
    let run = recording.runs.values_mut().next().unwrap();
    run.anchors.insert("internal".into(), anchors);
    recording
}

fn key_of(authority: &Authority) -> String {
    data_encoding::HEXLOWER.encode(&coexist::pki::facts(authority.der()).unwrap().spki_sha256.0)
}

fn listing(record: &str) -> String {
    with(PLAN, &[("LISTED", record)])
}

fn of(text: &str, recording: &Recording) -> Planned {
    let planned = plan(&ask(&read(text), recording, Before, Coexistence)).unwrap();
    carried_out(&planned.timeline);
    planned
}

fn told(planned: &Planned) -> Vec<&String> {
    planned.unknown.iter().filter(|u| u.contains("TLSA")).collect()
}

#[test]
fn what_the_listed_authority_issued_is_allowed_old_and_new() {
    let one = authority("One");
    let both = recording(&[("old.pem", issue(&one), &[&one]), ("new.pem", issue(&one), &[&one])]);
    let planned = of(&listing(&format!("2 1 1 {}", key_of(&one))), &both);
    assert!(steps(&planned, StepKind::ChangeTlsa).is_empty());
    assert!(planned.timeline.world.records.keys().any(|k| k.kind == CacheKind::Tlsa), "it is in the proof");
    assert_safe(&planned, "one authority");
    assert_eq!(told(&planned), [""; 0]);
}

#[test]
fn what_another_authority_issued_is_listed_itself_before_it_is_served() {
    let (one, other) = (authority("One"), authority("Other"));
    let new = issue(&other);
    let digest = data_encoding::HEXLOWER.encode(&coexist::pki::facts(&new).unwrap().spki_sha256.0);
    let both = recording(&[("old.pem", issue(&one), &[&one]), ("new.pem", new, &[&other])]);
    let planned = of(&listing(&format!("2 1 1 {}", key_of(&one))), &both);
    assert_safe(&planned, "two authorities");
    let (widen, step) = steps(&planned, StepKind::ChangeTlsa)[0];
    let lines: Vec<&String> = step.commands.iter().flat_map(|s| &s.lines).collect();
    assert!(lines.iter().any(|l| l.ends_with(&format!("TLSA 3 1 1 {digest}"))), "{lines:?}");
    assert!(widen < steps(&planned, StepKind::Flip)[0].0);
    let proof = checker::prove(&planned.without(widen));
    assert!(proof.harms.iter().any(|h| h.class == HarmClass::Untrusted), "{:?}", proof.harms);
}

#[test]
fn an_authority_that_nobody_saw_behind_a_certificate_is_not_in_the_proof_and_told() {
    let one = authority("One");
    let bare = recording(&[("old.pem", issue(&one), &[&one]), ("new.pem", issue(&one), &[])]);
    let planned = of(&listing(&format!("2 1 1 {}", key_of(&one))), &bare);
    let line = "not in the proof: _25._tcp.mail.domain.com TLSA in internal: it lists an authority, and who issued new is not known";
    assert_eq!(told(&planned), [line]);
    assert!(steps(&planned, StepKind::ChangeTlsa).is_empty());
}

#[test]
fn usages_that_senders_do_not_heed_bind_nobody() {
    let one = authority("One");
    let both = recording(&[("old.pem", issue(&one), &[&one]), ("new.pem", issue(&one), &[&one])]);
    for usage in [0, 1] {
        let planned = of(&listing(&format!("{usage} 1 1 {}", "ab".repeat(32))), &both);
        assert!(steps(&planned, StepKind::ChangeTlsa).is_empty());
        assert_safe(&planned, "not heeded");
        assert!(told(&planned)[0].contains("senders of mail heed none of its records"), "{:?}", told(&planned));
    }
}
