//! Bytes → facts: certificates, files of certificates, identity matching, certification paths. Pure.

use std::sync::Arc;

use jiff::Timestamp;

use crate::model::certificate::{BlobId, CertificateFacts};
use crate::model::identity::{Matched, Mismatch};
use crate::model::name::Name;

/// The name of a blob.
pub fn blob_id(_der: &[u8]) -> BlobId {
    todo!()
}

/// Why a certificate cannot be read, lower case, no full stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactsError(pub String);

/// Reads a certificate (RFC 5280). Never panics, whatever the bytes.
pub fn facts(_der: &[u8]) -> Result<CertificateFacts, FactsError> {
    todo!()
}

/// What a file of certificates holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileContent {
    /// DER of the certificates, in the file's order.
    pub certificates: Vec<Vec<u8>>,
    /// What else is to be said: a private key in it, parts that could not be read.
    pub notes: Vec<String>,
}

/// Reads PEM (any number, with text around) and DER; a byte order mark, CRLF and UTF-16 are read too.
/// The error says what the file holds instead.
pub fn read_file(_bytes: &[u8]) -> Result<FileContent, String> {
    todo!()
}

/// Whether a certificate's presented identifiers match a reference identifier (RFC 9525 section 6).
pub fn identify(_certificate: &CertificateFacts, _reference: &Name) -> Result<Matched, Mismatch> {
    todo!()
}

/// As [`identify`], for DNS-IDs without a certificate: what is not ordered yet.
pub fn identify_among<'a>(_presented: impl Iterator<Item = &'a str>, _reference: &Name) -> Result<Matched, Mismatch> {
    todo!()
}

/// A view's trust anchors, ready for path building.
pub struct Anchors {
    #[allow(dead_code)]
    ders: Vec<Arc<[u8]>>,
}

impl Anchors {
    /// Takes anchors as DER; those that cannot serve as anchors are left out and named.
    pub fn new(_ders: &[Arc<[u8]>]) -> (Self, Vec<String>) {
        todo!()
    }
}

/// What is to be said of a chain for the clients of a view at a time. Every reason stands on its own: an expired chain
/// from an unknown issuer says both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PathFacts {
    /// Why it does not lead to a trust anchor, dates left aside; `None` if it does.
    pub untrusted: Option<Untrusted>,
    /// Certificates of the path (of the chain, where there is no path) outside their dates.
    pub dates: Vec<OutOfDate>,
}

/// Why a chain does not lead to a trust anchor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Untrusted {
    /// The end-entity certificate is self-signed and not pinned.
    SelfSigned,
    /// It would lead to an anchor with an intermediate that the server did not send.
    MissingIntermediate {
        /// Subject of the missing certificate, as text.
        subject: String,
    },
    /// No anchor and no known intermediate issued it.
    UnknownIssuer {
        /// Issuer of the last certificate that could be followed, as text.
        issuer: String,
    },
    /// The issuer is known, and something else is wrong: weak signature, name constraints, EKU, not a CA ...
    Invalid(String),
}

/// A certificate outside its dates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutOfDate {
    /// Position in the chain as served; `None` for the trust anchor or an intermediate that was not sent.
    pub position: Option<usize>,
    /// Its subject, as text.
    pub subject: String,
    /// First instant.
    pub not_before: Timestamp,
    /// Last second.
    pub not_after: Timestamp,
}

/// Judges a chain (DER, end-entity certificate first). `known` are further intermediates, from the plan's files and
/// other servers' chains, by which a missing intermediate is told from an unknown issuer.
pub fn path(_chain: &[Arc<[u8]>], _anchors: &Anchors, _known: &[Arc<[u8]>], _now: Timestamp) -> PathFacts {
    todo!()
}
