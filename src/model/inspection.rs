//! What a look without a plan shows: chains as served or as in files, and what is to be said of them.

use std::fmt;
use std::net::IpAddr;

use jiff::Timestamp;

use super::certificate::CertificateFacts;
use super::finding::Severity;
use super::identity::Mismatch;
use super::name::Name;
use super::pfx::PfxFacts;

/// A run of `coexist inspect`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// The time at which was judged.
    pub now: Timestamp,
    /// Whose anchors counted, in words: `system`, a file.
    pub trust: Vec<String>,
    /// What was looked at, in the order asked for; each address of a host is one.
    pub items: Vec<Inspected>,
}

/// An endpoint or a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspected {
    /// As it was typed.
    pub source: String,
    /// What it is: `endpoint`, `pem`, `der`, `pkcs7`, `pkcs12`; or what a file is instead, where it could not be read.
    pub kind: &'static str,
    /// How an endpoint was met.
    pub endpoint: Option<Met>,
    /// The certificates in the order served or stored.
    pub certificates: Vec<Shown>,
    /// The place of the end-entity certificate among them.
    pub leaf: Option<usize>,
    /// The private key of a file.
    pub private_key: Option<KeyShown>,
    /// How a PFX file is protected.
    pub pfx: Option<PfxFacts>,
    /// The names that were asked about.
    pub covers: Vec<Covers>,
    /// What is to be said, the worst first.
    pub remarks: Vec<Remark>,
    /// Why it could not be read.
    pub error: Option<InspectError>,
}

/// An endpoint that was connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Met {
    /// The address dialled, with its port.
    pub address: Option<String>,
    /// The service and its port: `https:443`.
    pub service: String,
    /// How TLS begins there: nothing, or `STARTTLS`, `STLS` ...
    pub way: &'static str,
    /// The name sent as SNI.
    pub sni: Option<String>,
    /// The protocol version.
    pub version: Option<String>,
    /// The cipher suite.
    pub cipher: Option<String>,
}

/// A certificate of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// SHA-1 of the DER.
    pub sha1: [u8; 20],
    /// SHA-256 of the DER.
    pub sha256: [u8; 32],
    /// What it says, or why it cannot be read.
    pub facts: Result<CertificateFacts, String>,
}

/// A private key in a file; never its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyShown {
    /// `RSA`, `EC`, `Ed25519`, as far as the file says.
    pub kind: Option<String>,
    /// True if it needs a password.
    pub encrypted: bool,
    /// Whether it is the end-entity certificate's; `None` if that cannot be told.
    pub matches: Option<bool>,
}

/// Whether a certificate covers a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Covers {
    /// The name or address asked about.
    pub name: String,
    /// The presented identifier that covers it, or why none does. Without a certificate nothing covers anything.
    pub by: Result<String, Uncovered>,
}

/// Why a name is not covered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Uncovered {
    /// No presented identifier matches.
    Mismatch(Mismatch),
    /// The address is not among the certificate's.
    NoAddress,
    /// There is no certificate that could be read.
    Unread,
}

/// Something that clients would stumble over, or that is worth knowing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Remark {
    /// How much it weighs.
    pub severity: Severity,
    /// The rule whose page says more.
    pub rule: Option<&'static str>,
    /// In words.
    pub message: String,
}

/// Why something could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InspectError {
    /// Which kind of error, a word for programs: `timeout`, `refused`, `not-found` ...
    pub kind: String,
    /// In words.
    pub message: String,
}

impl Inspected {
    /// True if a name that was asked about is not covered.
    pub fn is_lacking(&self) -> bool {
        self.covers.iter().any(|c| c.by.is_err())
    }
}

/// A reference identifier (RFC 9525): what a client wants a certificate to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// A host name.
    Name(Name),
    /// An IP address.
    Address(IpAddr),
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => name.fmt(f),
            Self::Address(address) => address.fmt(f),
        }
    }
}
