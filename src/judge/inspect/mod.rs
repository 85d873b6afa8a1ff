//! What is to be said of a chain without a plan: as served, or as in a file. Pure.

mod remarks;

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;
use sha1::Digest;

use crate::model::certificate::CertificateFacts;
use crate::model::identity::Mismatch;
use crate::model::inspection::{Covers, InspectError, Inspected, KeyShown, Met, Reference, Shown, Uncovered};
use crate::model::pfx::PfxFacts;
use crate::model::tls::{Possession, Served};
use crate::pki::{self, Anchors, PrivateKey};

/// What is asked of every item.
pub struct Asked<'a> {
    /// Whom to trust; `None` if that is not known.
    pub anchors: Option<&'a Anchors>,
    /// Further intermediates, by which a missing one is told from an unknown issuer.
    pub known: &'a [Arc<[u8]>],
    /// Names that must be covered.
    pub names: &'a [Reference],
    /// The time.
    pub now: Timestamp,
}

/// What was looked at and seen.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// As it was typed.
    pub source: String,
    /// See [`Inspected::kind`].
    pub kind: &'static str,
    /// How an endpoint was met.
    pub endpoint: Option<Met>,
    /// Whom a client wants to reach there.
    pub host: Option<Reference>,
    /// DER of the certificates in their order.
    pub chain: Vec<Arc<[u8]>>,
    /// How the handshake went.
    pub served: Option<Served>,
    /// A private key in the file.
    pub key: Option<PrivateKey>,
    /// How a PFX file is protected.
    pub pfx: Option<PfxFacts>,
    /// What else is to be said of a file.
    pub notes: Vec<String>,
    /// Why nothing could be read.
    pub error: Option<InspectError>,
}

impl Look {
    fn is_endpoint(&self) -> bool {
        self.endpoint.is_some()
    }
}

/// Judges what was seen.
pub fn inspect(look: Look, asked: &Asked<'_>) -> Inspected {
    let certificates: Vec<Shown> = look.chain.iter().map(|der| shown(der)).collect();
    let leaf = leaf(&look, &certificates);
    let facts = leaf.and_then(|at| certificates.get(at)?.facts.as_ref().ok());
    let covers = asked.names.iter().map(|name| Covers { name: name.to_string(), by: cover(facts, name) }).collect();
    let key = look.key.as_ref().map(|key| KeyShown {
        kind: key.kind.clone(),
        encrypted: key.encrypted,
        matches: key.spki_sha256.zip(facts).map(|(id, facts)| id == facts.spki_sha256),
    });
    let mut remarks = remarks::of(&look, &certificates, leaf, key.as_ref(), asked);
    remarks.sort_by_key(|r| std::cmp::Reverse(r.severity));
    Inspected {
        source: look.source,
        kind: look.kind,
        endpoint: look.endpoint,
        certificates,
        leaf,
        private_key: key,
        pfx: look.pfx,
        covers,
        remarks,
        error: look.error,
    }
}

fn shown(der: &[u8]) -> Shown {
    let facts = pki::facts(der).map_err(|e| e.to_string());
    Shown { sha1: sha1::Sha1::digest(der).into(), sha256: pki::blob_id(der).0, facts }
}

/// A server's own certificate is the first (RFC 8446 section 4.4.2). In a file it is the one whose key is there, else the
/// first that is no authority's, else the first.
fn leaf(look: &Look, certificates: &[Shown]) -> Option<usize> {
    if look.is_endpoint() || certificates.is_empty() {
        return (!certificates.is_empty()).then_some(0);
    }
    let first =
        |test: &dyn Fn(&CertificateFacts) -> bool| certificates.iter().position(|c| c.facts.as_ref().is_ok_and(test));
    let key = look.key.as_ref().and_then(|k| k.spki_sha256);
    let owned = key.and_then(|key| first(&|f: &CertificateFacts| f.spki_sha256 == key));
    Some(owned.or_else(|| first(&|f: &CertificateFacts| !f.is_ca)).unwrap_or(0))
}

/// The presented identifier that covers a reference (RFC 9525 section 6).
fn cover(facts: Option<&CertificateFacts>, name: &Reference) -> Result<String, Uncovered> {
    let facts = facts.ok_or(Uncovered::Unread)?;
    match name {
        Reference::Name(name) => {
            pki::identify(facts, name).map(|matched| matched.presented).map_err(Uncovered::Mismatch)
        }
        Reference::Address(address) if facts.ip_ids.contains(address) => Ok(address.to_string()),
        Reference::Address(address) => Err(match facts.dns_ids.iter().find(|id| **id == address.to_string()) {
            Some(id) => Uncovered::Mismatch(Mismatch::IpInDnsId { presented: id.clone() }),
            None => Uncovered::NoAddress,
        }),
    }
}

/// Why a name is not covered, in words.
pub fn uncovered(why: &Uncovered) -> String {
    match why {
        Uncovered::Mismatch(why) => super::wording::mismatch(why),
        Uncovered::NoAddress => "the address is not on it".into(),
        Uncovered::Unread => "no certificate could be read".into(),
    }
}

/// The chain with the end-entity certificate first, for path building.
fn in_order<'a>(look: &'a Look, certificates: &'a [Shown], leaf: usize) -> Vec<pki::Read<'a>> {
    let read = |(der, shown): (&'a Arc<[u8]>, &'a Shown)| pki::Read {
        der,
        facts: shown.facts.as_ref().map(Cow::Borrowed).map_err(Clone::clone),
    };
    let mut chain: Vec<_> = look.chain.iter().zip(certificates).map(read).collect();
    if leaf < chain.len() {
        let own = chain.remove(leaf);
        chain.insert(0, own);
    }
    chain
}

/// What is to be said of how a handshake went.
fn unproved(served: &Served) -> Option<(bool, String)> {
    match (&served.possession, &served.ended) {
        (Possession::Failed(why), _) => Some((true, format!("the server does not hold the certificate's key: {why}"))),
        (Possession::NotProved(why), _) => Some((false, format!("that the server holds the key is not proved: {why}"))),
        (Possession::Proved, Some(why)) => {
            Some((false, format!("the handshake ended after the certificate had come: {why}")))
        }
        (Possession::Proved, None) => None,
    }
}

#[cfg(test)]
mod tests;
