//! Every place of a recording where somebody else's text stands, each with a hostile text in it.

use std::sync::Arc;

use coexist::model::certificate::BlobId;
use coexist::model::dns::{DnsOutcome, Link, Reply, Soa};
use coexist::model::observation::{FileOutcome, Observation, Outcome, Probe, Recording};
use coexist::model::pfx::{Age, PfxFacts, Protection};
use coexist::model::proxy::ProxyFault;
use coexist::model::tls::{Possession, Served, TlsOutcome};
use coexist::{pki, record};
use rcgen::{CertificateParams, CustomExtension, DistinguishedName, DnType, Issuer, KeyPair};

use crate::root;

/// A recording of a world with two faults, and its plan.
pub fn recorded() -> (String, Recording) {
    let folder = root().join("tests/golden/recording");
    let plan = std::fs::read_to_string(folder.join("plan.toml")).unwrap();
    let recording = std::fs::read(folder.join("broken.jsonl")).unwrap();
    (plan, record::read(recording.as_slice()).unwrap())
}

/// As the file of a recording.
pub fn written(recording: &Recording) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = record::Writer::new(&mut bytes, recording.runs.values().next().unwrap()).unwrap();
    recording.blobs.iter().for_each(|(id, der)| writer.blob(*id, der).unwrap());
    recording.observations.iter().for_each(|o| writer.observation(o).unwrap());
    writer.finish().unwrap();
    bytes
}

/// A name for each place, and the recording with the text there.
pub fn all(text: &str) -> Vec<(&'static str, Recording)> {
    let text = || text.to_string();
    let bytes = || text().into_bytes();
    let mut places = vec![
        ("alert", tls(|_| TlsOutcome::Alert(text()))),
        ("unreachable", tls(|_| TlsOutcome::Unreachable(text()))),
        ("not TLS", tls(|_| TlsOutcome::NotTls(bytes()))),
        ("another protocol", tls(|_| TlsOutcome::NotThisProtocol(bytes()))),
        ("STARTTLS refused", tls(|_| TlsOutcome::StarttlsRefused(text()))),
        ("try later", tls(|_| TlsOutcome::TryLater(text()))),
        ("after the go-ahead", tls(|_| TlsOutcome::BytesAfterGoAhead(bytes()))),
        ("too large", tls(|_| TlsOutcome::TooLarge(text()))),
        ("protocol", tls(|_| TlsOutcome::Protocol(text()))),
        ("cannot look", tls(|_| TlsOutcome::CannotLook(text()))),
        ("possession failed", tls(|s| certificate(Served { possession: Possession::Failed(text()), ..s }))),
        ("possession not proved", tls(|s| certificate(Served { possession: Possession::NotProved(text()), ..s }))),
        (
            "ended",
            tls(|s| certificate(Served { ended: Some(text().into()), possession: Possession::Failed(text()), ..s })),
        ),
        ("version", tls(|s| certificate(Served { version: Some(text().into()), cipher: Some(text().into()), ..s }))),
        ("proxy", tls(|_| TlsOutcome::Proxy(ProxyFault::Failed(text())))),
        ("CNAME", dns(|reply| DnsOutcome::NoData(Reply { chain: vec![link(&text())], ..reply }))),
        ("CNAME to nothing", dns(|reply| DnsOutcome::NxDomain(Reply { chain: vec![link(&text())], ..reply }))),
        ("alias with addresses", dns(|reply| DnsOutcome::Answer(Reply { chain: vec![link(&text())], ..reply }))),
        ("SOA", dns(|reply| DnsOutcome::NxDomain(Reply { soa: Some(soa(&text()).into()), ..reply }))),
        ("resolver unreachable", dns(|_| DnsOutcome::Unreachable(text()))),
        ("malformed", dns(|_| DnsOutcome::Malformed(text()))),
        ("run", run(&text())),
    ];
    places.extend(certificates(&text()).into_iter().map(|(place, der)| (place, serving(&[der]))));
    places
}

/// The recording with other outcomes of its connections.
fn tls(outcome: impl Fn(Served) -> TlsOutcome) -> Recording {
    changed(|observation| match &*observation.outcome {
        Outcome::Tls(TlsOutcome::Certificate(served)) => Outcome::Tls(outcome(served.clone())),
        other => other.clone(),
    })
}

fn certificate(served: Served) -> TlsOutcome {
    TlsOutcome::Certificate(served)
}

/// The recording with other answers to its questions.
fn dns(outcome: impl Fn(Reply) -> DnsOutcome) -> Recording {
    changed(|observation| match &*observation.outcome {
        Outcome::Dns(dns) => Outcome::Dns(outcome(dns.reply().cloned().unwrap_or_default())),
        other => other.clone(),
    })
}

fn changed(outcome: impl Fn(&Observation) -> Outcome) -> Recording {
    let (_, mut recording) = recorded();
    let changed = recording.observations.iter().map(|o| Observation { outcome: outcome(o).into(), ..o.clone() });
    recording.observations = changed.collect();
    recording
}

fn link(text: &str) -> Link {
    Link { owner: text.into(), target: text.into(), ttl: 60 }
}

fn soa(text: &str) -> Soa {
    Soa { zone: text.into(), primary: text.into(), serial: 1, ttl: 60, minimum: 60 }
}

/// Each server shows this chain instead.
fn serving(ders: &[Vec<u8>]) -> Recording {
    let chain: Vec<BlobId> = ders.iter().map(|der| pki::blob_id(der)).collect();
    let mut recording = tls(|served| certificate(Served { chain: chain.clone(), ..served }));
    recording.blobs.extend(chain.iter().copied().zip(ders.iter().map(|der| der.as_slice().into())));
    recording
}

/// All that a run says of itself, and of files.
fn run(text: &str) -> Recording {
    let (_, mut recording) = recorded();
    let mut run = recording.runs.values().next().unwrap().clone();
    (run.tool, run.connect_to, run.proxy) = (text.into(), vec![text.into()], Some(text.into()));
    run.id = text.into();
    run.trust_errors = [(Arc::from("internal"), vec![text.to_string()])].into();
    run.stands_in.push(text.into());
    recording.runs = [(run.id.clone(), run.clone())].into();
    let file = |path: &str, outcome| Observation {
        probe: Probe::File(path.into()),
        outcome: Outcome::File(outcome).into(),
        run: run.id.clone(),
        sample: 0,
        attempt: 0,
        dialled: None,
        at: run.started,
    };
    let chain = recording.blobs.keys().take(1).copied().collect();
    let mut observations: Vec<_> =
        recording.observations.iter().map(|o| Observation { run: run.id.clone(), ..o.clone() }).collect();
    let way = Protection { age: Age::Other, words: text.into() };
    let pfx = PfxFacts { encryption: vec![way.clone()], mac: Some(way) };
    let why = text.into();
    observations.push(file("locked.pfx", FileOutcome::Locked { pfx: pfx.clone(), why }));
    observations.push(file(text, FileOutcome::Certificates { chain, notes: vec![text.into()], pfx: Some(pfx) }));
    observations.push(file("old.pem", FileOutcome::NoCertificate(text.into())));
    observations.push(file("new.pem", FileOutcome::Unreadable(text.into())));
    recording.observations = observations.into_iter().collect();
    recording
}

/// Certificates with the text in their subject, their issuer or their names.
pub fn certificates(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let key = KeyPair::generate().unwrap();
    let subject = params(text);
    let mut issuer = params(text);
    issuer.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let issuer = Issuer::new(issuer, KeyPair::generate().unwrap());
    let mut san = CertificateParams::default();
    san.custom_extensions.push(CustomExtension::from_oid_content(&[2, 5, 29, 17], general_names(text.as_bytes())));
    let plain = CertificateParams::new(vec!["mail.domain.com".to_string()]).unwrap();
    vec![
        ("subject", subject.self_signed(&key).unwrap().der().to_vec()),
        ("issuer", plain.signed_by(&key, &issuer).unwrap().der().to_vec()),
        ("SAN", san.signed_by(&key, &issuer).unwrap().der().to_vec()),
        ("SAN, self-signed", san.self_signed(&key).unwrap().der().to_vec()),
    ]
}

fn params(text: &str) -> CertificateParams {
    let mut params = CertificateParams::new(vec!["mail.domain.com".to_string()]).unwrap();
    params.distinguished_name = DistinguishedName::new();
    for kind in [DnType::CommonName, DnType::OrganizationName, DnType::OrganizationalUnitName] {
        params.distinguished_name.push(kind, text);
    }
    params
}

/// A subjectAltName of each line of a text as a dNSName, and of the whole as dNSName, URI and mailbox.
fn general_names(text: &[u8]) -> Vec<u8> {
    let lines = text.split(|b| *b == b'\n').map(|line| element(0x82, line));
    let whole = [0x82, 0x86, 0x81].map(|tag| element(tag, text));
    element(0x30, &lines.chain(whole).collect::<Vec<_>>().concat())
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x82][..], &length, content].concat()
}
