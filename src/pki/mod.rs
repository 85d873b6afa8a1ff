//! Bytes → facts: certificates, files of certificates, identity matching, certification paths. Pure.

use std::sync::Arc;

use jiff::Timestamp;
use sha2::Digest;

use crate::model::certificate::BlobId;

mod armor;
mod content;
mod der;
mod distinguished_name;
mod facts;
mod file;
mod identity;

pub use facts::{FactsError, facts};
pub use file::{FileContent, read_file};
pub use identity::{identify, identify_among};

/// The name of a blob.
pub fn blob_id(der: &[u8]) -> BlobId {
    BlobId(sha2::Sha256::digest(der).into())
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
