//! Whether a key has signed an RRset (RFC 4034 section 3.1.8.1, RFC 4035 section 5.3).

use std::collections::BTreeSet;

use ring::signature::{self, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm};

use crate::model::dns::RecordType;
use crate::model::dnssec::{Dnskey, canonical};
use crate::model::name::Name;
use crate::model::rrsig::Rrsig;

/// The class IN.
const INTERNET: u16 = 1;

/// Octets of an RSA modulus that is taken: 1,024 to 4,096 bits. What is shorter the library does not verify; what is longer
/// is as much as resolvers take, and costs those who verify.
const MODULUS: std::ops::RangeInclusive<usize> = 128..=512;

/// Octets of an RSA exponent that is taken: the library takes 33 bits.
const EXPONENT: usize = 5;

/// An RRset as it is signed: each RDATA in canonical form (RFC 4034 section 6.2), in canonical order and once (section 6.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rrset<'a> {
    owner: &'a Name,
    kind: RecordType,
    rdata: BTreeSet<Vec<u8>>,
}

/// What verifying a signature came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verified {
    /// The key has signed the RRset.
    Yes,
    /// It has not.
    No,
    /// Nobody here can tell: an algorithm or a size of key that is not verified.
    Unable,
}

impl<'a> Rrset<'a> {
    /// The RRset of a type at a name, by the RDATA of its records.
    pub fn new(owner: &'a Name, kind: RecordType, rdata: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Self { owner, kind, rdata: rdata.into_iter().collect() }
    }

    /// Verifies a signature of it with a key of a zone, whatever the times that the signature says. That tag and algorithm
    /// are the key's has to be seen before.
    pub fn verify(&self, zone: &Name, rrsig: &Rrsig, key: &Dnskey) -> Verified {
        let is_of_zone = rrsig.signer == zone.as_str() && (self.owner == zone || self.owner.is_under(zone.as_str()));
        if !is_of_zone || rrsig.covers != self.kind || !key.may_sign() {
            return Verified::No;
        }
        match self.signed(rrsig) {
            Some(message) => verify(key, &message, &rrsig.signature),
            None => Verified::No,
        }
    }

    /// What is signed: the RRSIG's own RDATA without the signature, then each record (RFC 4034 section 3.1.8.1). `None` if
    /// the signature cannot be of this owner.
    pub fn signed(&self, rrsig: &Rrsig) -> Option<Vec<u8>> {
        let owner = owner(self.owner, rrsig.labels)?;
        let mut out = rrsig.head()?;
        for rdata in &self.rdata {
            out.extend_from_slice(&owner);
            out.extend(self.kind.number().to_be_bytes());
            out.extend(INTERNET.to_be_bytes());
            out.extend(rrsig.original_ttl.to_be_bytes());
            out.extend(u16::try_from(rdata.len()).ok()?.to_be_bytes());
            out.extend_from_slice(rdata);
        }
        Some(out)
    }
}

/// The owner as it was signed: of a wildcard's answer the wildcard (RFC 4035 section 5.3.2). `None` if it has fewer labels
/// than the signature says.
fn owner(owner: &Name, labels: u8) -> Option<Vec<u8>> {
    let own: Vec<&str> = owner.labels().filter(|label| *label != "*").collect();
    let left_out = own.len().checked_sub(usize::from(labels))?;
    match left_out {
        0 => canonical(owner),
        _ => canonical(&Name::parse_owner(&format!("*.{}", own.get(left_out..)?.join("."))).ok()?),
    }
}

/// Algorithms by their numbers (IANA, DNS Security Algorithm Numbers).
fn verify(key: &Dnskey, message: &[u8], signature: &[u8]) -> Verified {
    match key.algorithm {
        5 | 7 => rsa(&signature::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, &key.key, message, signature),
        8 => rsa(&signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, &key.key, message, signature),
        10 => rsa(&signature::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY, &key.key, message, signature),
        // RFC 6605 section 4: the two coordinates, without the octet that says so.
        13 => other(&signature::ECDSA_P256_SHA256_FIXED, &[&[4], &*key.key].concat(), message, signature),
        14 => other(&signature::ECDSA_P384_SHA384_FIXED, &[&[4], &*key.key].concat(), message, signature),
        15 => other(&signature::ED25519, &key.key, message, signature),
        _ => Verified::Unable,
    }
}

fn other(algorithm: &'static dyn VerificationAlgorithm, key: &[u8], message: &[u8], signature: &[u8]) -> Verified {
    told(UnparsedPublicKey::new(algorithm, key).verify(message, signature))
}

/// RFC 3110 section 2: the exponent's length in one octet, or behind a zero in two; the exponent; the modulus.
fn rsa(parameters: &RsaParameters, key: &[u8], message: &[u8], signature: &[u8]) -> Verified {
    let parts = match key {
        [0, high, low, rest @ ..] => rest.split_at_checked(usize::from(u16::from_be_bytes([*high, *low]))),
        [length, rest @ ..] => rest.split_at_checked(usize::from(*length)),
        [] => None,
    };
    let Some((e, n)) = parts.map(|(e, n)| (without_zeros(e), without_zeros(n))) else { return Verified::No };
    // Nobody has signed with what is no key.
    if e.is_empty() || n.is_empty() {
        return Verified::No;
    }
    if !MODULUS.contains(&n.len()) || e.len() > EXPONENT {
        return Verified::Unable;
    }
    told(RsaPublicKeyComponents { n, e }.verify(parameters, message, signature))
}

fn without_zeros(number: &[u8]) -> &[u8] {
    let first = number.iter().position(|octet| *octet != 0).unwrap_or(number.len());
    number.get(first..).unwrap_or_default()
}

fn told(verified: Result<(), ring::error::Unspecified>) -> Verified {
    if verified.is_ok() { Verified::Yes } else { Verified::No }
}

#[cfg(test)]
mod tests;
