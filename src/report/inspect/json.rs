//! The inspection for programs. Its shapes are its own; the JSON Schema is derived from them.

use std::io::{self, Write};

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;

use super::Why;
use crate::model::certificate::CertificateFacts;
use crate::model::inspection::{self, Inspected, Inspection};
use crate::report::json::put;

/// The version of this format. Keys may be added within a version; none is changed or taken away.
const FORMAT: u32 = 1;

/// What `coexist inspect` saw.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "coexist inspect")]
struct Report {
    /// Version of this format.
    #[schemars(extend("const" = FORMAT))]
    format: u32,
    /// Name and version of the program that wrote it.
    tool: &'static str,
    /// The time at which was judged, RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    now: String,
    /// Whose trust anchors counted.
    trust: Vec<String>,
    /// What was looked at, in the order of the command line; each address of a host is an item.
    items: Vec<Item>,
}

/// An endpoint or a file.
#[derive(Serialize, JsonSchema)]
struct Item {
    /// As it was typed.
    source: String,
    /// `endpoint`; of a file, told by its content: `pem`, `der`, `pkcs7`, `pkcs12`, or what it is instead, `key` ...
    kind: &'static str,
    /// How an endpoint was met.
    endpoint: Option<Endpoint>,
    /// In the order served or stored; empty if none could be read.
    certificates: Vec<Certificate>,
    /// The place of the end-entity certificate among them, from 0.
    leaf: Option<usize>,
    /// A private key in the file: never its content.
    private_key: Option<PrivateKey>,
    /// How a PFX file is protected; null of anything else.
    pfx: Option<Pfx>,
    /// The names that `--for` gave, in their order.
    covers: Vec<Covers>,
    /// What clients would stumble over, and what is worth knowing; the worst first.
    remarks: Vec<Remark>,
    /// Why it could not be read.
    error: Option<Error>,
}

/// How an endpoint was met.
#[derive(Serialize, JsonSchema)]
struct Endpoint {
    /// The address that was dialled, with its port; null if the host has none.
    address: Option<String>,
    /// The service and its port, `https:443`.
    service: String,
    /// How TLS begins there: empty for at once, else `STARTTLS`, `STLS`, `AUTH TLS`.
    starttls: &'static str,
    /// The name sent as SNI.
    sni: Option<String>,
    /// The version of TLS.
    version: Option<String>,
    /// The cipher suite by its IANA name.
    cipher: Option<String>,
}

/// A certificate. Of one that cannot be read only the digests and `error` are known.
#[derive(Serialize, JsonSchema)]
struct Certificate {
    /// The subject as text (RFC 4514).
    subject: String,
    /// Its dNSName entries, then its addresses.
    names: Vec<String>,
    /// The issuer as text.
    issuer: String,
    /// First instant, RFC 3339.
    not_before: Option<String>,
    /// Last second, RFC 3339.
    not_after: Option<String>,
    /// SHA-1 of the DER, Exchange's thumbprint: lower-case hex.
    sha1: String,
    /// SHA-256 of the DER: lower-case hex.
    sha256: String,
    /// Serial number: lower-case hex.
    serial: Option<String>,
    /// `RSA 2048`, `EC P-256` ...
    key: Option<String>,
    /// The signature's algorithm, `sha256WithRSAEncryption` ...
    signature: Option<String>,
    /// SHA-256 of the SubjectPublicKeyInfo: lower-case hex.
    spki_sha256: Option<String>,
    /// True of an authority's certificate (basicConstraints).
    is_ca: Option<bool>,
    /// True if subject and issuer are the same name.
    self_issued: Option<bool>,
    /// Whether its extended key usage lets it be a server's; null without that extension.
    server_auth: Option<bool>,
    /// Whether its extended key usage lets it be a client's; null without that extension.
    client_auth: Option<bool>,
    /// Why it cannot be read.
    error: Option<String>,
}

/// A private key in a file.
#[derive(Serialize, JsonSchema)]
struct PrivateKey {
    /// `RSA`, `EC`, `Ed25519`; null if it cannot be told.
    kind: Option<String>,
    /// True if it needs a password.
    encrypted: bool,
    /// Whether it is the end-entity certificate's; null if it cannot be told.
    matches: Option<bool>,
}

/// How a PFX file is protected, which can be read without its password.
#[derive(Serialize, JsonSchema)]
struct Pfx {
    /// How its parts are encrypted, each way once; empty if none is.
    encryption: Vec<String>,
    /// How its integrity is protected; null if it is not.
    mac: Option<String>,
}

/// Whether a name is covered.
#[derive(Serialize, JsonSchema)]
struct Covers {
    /// The name or address.
    name: String,
    covered: bool,
    /// The entry of the certificate that covers it.
    by: Option<String>,
    /// Why none does, in words.
    reason: Option<String>,
}

/// Something to be said.
#[derive(Serialize, JsonSchema)]
struct Remark {
    /// `error`, `warning`, `info`.
    severity: &'static str,
    /// The rule whose page (`coexist explain`) says more.
    rule: Option<&'static str>,
    /// In words.
    message: String,
}

/// Why something could not be read.
#[derive(Serialize, JsonSchema)]
struct Error {
    /// For programs. Of an endpoint: `lookup`, `refused`, `timeout`, `closed`, `unreachable`, `alert`, `not-tls`,
    /// `not-this-protocol`, `starttls-not-offered`, `starttls-refused`, `try-later` ... Of a file: `not-found`,
    /// `unreadable`, `no-certificate`.
    kind: String,
    /// In words.
    message: String,
}

/// Writes it.
pub(super) fn write(seen: &Inspection, why: Why, out: &mut dyn Write) -> io::Result<()> {
    let report = Report {
        format: FORMAT,
        tool: concat!("coexist ", env!("CARGO_PKG_VERSION")),
        now: seen.now.to_string(),
        trust: seen.trust.clone(),
        items: seen.items.iter().map(|i| item(i, why)).collect(),
    };
    put(&report, out)
}

/// The JSON Schema (draft 2020-12) of what `coexist inspect --format json` writes.
pub fn schema() -> serde_json::Value {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<Report>().to_value()
}

fn item(item: &Inspected, why: Why) -> Item {
    Item {
        source: item.source.clone(),
        kind: item.kind,
        endpoint: item.endpoint.as_ref().map(|met| Endpoint {
            address: met.address.clone(),
            service: met.service.clone(),
            starttls: met.way,
            sni: met.sni.clone(),
            version: met.version.clone(),
            cipher: met.cipher.clone(),
        }),
        certificates: item.certificates.iter().map(certificate).collect(),
        leaf: item.leaf,
        private_key: item.private_key.as_ref().map(|key| PrivateKey {
            kind: key.kind.clone(),
            encrypted: key.encrypted,
            matches: key.matches,
        }),
        pfx: item.pfx.as_ref().map(|pfx| Pfx {
            encryption: pfx.encryption.iter().map(|p| p.words.clone()).collect(),
            mac: pfx.mac.as_ref().map(|p| p.words.clone()),
        }),
        covers: item.covers.iter().map(|c| covers(c, why)).collect(),
        remarks: item.remarks.iter().map(remark).collect(),
        error: item.error.as_ref().map(|e| Error { kind: e.kind.clone(), message: e.message.clone() }),
    }
}

fn covers(covers: &inspection::Covers, why: Why) -> Covers {
    Covers {
        name: covers.name.clone(),
        covered: covers.by.is_ok(),
        by: covers.by.as_ref().ok().cloned(),
        reason: covers.by.as_ref().err().map(why),
    }
}

fn remark(remark: &inspection::Remark) -> Remark {
    Remark { severity: remark.severity.word(), rule: remark.rule, message: remark.message.clone() }
}

fn certificate(shown: &inspection::Shown) -> Certificate {
    let facts = shown.facts.as_ref().ok();
    let of = |value: fn(&CertificateFacts) -> String| facts.map(value);
    Certificate {
        subject: of(|f| f.subject.to_string()).unwrap_or_default(),
        names: facts.map(names).unwrap_or_default(),
        issuer: of(|f| f.issuer.to_string()).unwrap_or_default(),
        not_before: of(|f| f.not_before.to_string()),
        not_after: of(|f| f.not_after.to_string()),
        sha1: data_encoding::HEXLOWER.encode(&shown.sha1),
        sha256: data_encoding::HEXLOWER.encode(&shown.sha256),
        serial: of(|f| f.serial.to_string()),
        key: of(|f| f.key.to_string()),
        signature: of(|f| f.signature.to_string()),
        spki_sha256: of(|f| f.spki_sha256.to_string()),
        is_ca: facts.map(|f| f.is_ca),
        self_issued: facts.map(CertificateFacts::is_self_issued),
        server_auth: facts.and_then(|f| f.server_auth),
        client_auth: facts.and_then(|f| f.client_auth),
        error: shown.facts.as_ref().err().cloned(),
    }
}

/// The presented identifiers, as the certificate has them.
pub(super) fn names(facts: &CertificateFacts) -> Vec<String> {
    facts.dns_ids.iter().cloned().chain(facts.ip_ids.iter().map(ToString::to_string)).collect()
}
