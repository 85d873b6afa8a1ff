//! Facts of a certificate (RFC 5280), read once from its DER.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// SHA-256 of some DER: the name of a blob in a recording.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobId(pub [u8; 32]);

impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for BlobId {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BlobId {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        let bytes = data_encoding::HEXLOWER.decode(text.as_bytes()).ok().and_then(|b| b.try_into().ok());
        bytes.map(BlobId).ok_or_else(|| serde::de::Error::custom("not a SHA-256 in lower-case hex"))
    }
}

/// A thumbprint as an administrator writes it: SHA-1 (Exchange's key) or SHA-256 of the DER.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Thumbprint {
    /// SHA-1, 40 hex digits.
    Sha1([u8; 20]),
    /// SHA-256, 64 hex digits.
    Sha256([u8; 32]),
}

impl Thumbprint {
    /// Reads hex in any case, with blanks, colons and the invisible mark that Windows puts in front left out.
    pub fn parse(text: &str) -> Option<Self> {
        let hex: String = text.chars().filter(|c| !matches!(c, ' ' | ':' | '\u{200e}')).collect();
        let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).ok()?;
        match bytes.len() {
            20 => bytes.try_into().ok().map(Self::Sha1),
            32 => bytes.try_into().ok().map(Self::Sha256),
            _ => None,
        }
    }

    /// True if it is this certificate's.
    pub fn is_of(&self, certificate: &CertificateFacts) -> bool {
        match self {
            Self::Sha1(digest) => *digest == certificate.sha1,
            Self::Sha256(digest) => *digest == certificate.sha256.0,
        }
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes: &[u8] = match self {
            Self::Sha1(b) => b,
            Self::Sha256(b) => b,
        };
        f.write_str(&data_encoding::HEXUPPER.encode(bytes))
    }
}

/// A presented identifier of type dNSName, as the certificate has it. May be anything; matching decides.
pub type DnsId = String;

/// What a certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFacts {
    /// SHA-256 of the DER.
    pub sha256: BlobId,
    /// SHA-1 of the DER: Exchange's thumbprint.
    pub sha1: [u8; 20],
    /// Subject as text, not escaped.
    pub subject: Box<str>,
    /// Subject commonName values.
    pub common_names: Box<[String]>,
    /// Issuer as text, not escaped. Shared, as its DER, key and signature: many certificates have them alike.
    pub issuer: Arc<str>,
    /// DER of the subject name, for comparing with an issuer.
    pub subject_der: Box<[u8]>,
    /// DER of the issuer name.
    pub issuer_der: Arc<[u8]>,
    /// dNSName entries in their order.
    pub dns_ids: Box<[DnsId]>,
    /// iPAddress entries.
    pub ip_ids: Box<[IpAddr]>,
    /// True if there is a subjectAltName extension.
    pub has_san: bool,
    /// First instant of validity.
    pub not_before: Timestamp,
    /// Last second of validity.
    pub not_after: Timestamp,
    /// Key, in words: `RSA 2048`, `EC P-256` ...
    pub key: Arc<str>,
    /// Signature algorithm in words: `sha256WithRSAEncryption` ...
    pub signature: Arc<str>,
    /// Serial number in lower-case hex.
    pub serial: Box<str>,
    /// basicConstraints CA.
    pub is_ca: bool,
    /// Extended key usage: `None` without the extension, else whether serverAuth (or any) is in it.
    pub server_auth: Option<bool>,
    /// Extended key usage: `None` without the extension, else whether clientAuth (or any) is in it.
    pub client_auth: Option<bool>,
    /// Digest of the SubjectPublicKeyInfo, SHA-256.
    pub spki_sha256: BlobId,
}

impl CertificateFacts {
    /// Exchange's thumbprint: SHA-1 in capital hex.
    pub fn thumbprint(&self) -> String {
        data_encoding::HEXUPPER.encode(&self.sha1)
    }

    /// True if issuer and subject are the same name (RFC 5280: self-issued).
    pub fn is_self_issued(&self) -> bool {
        self.names_as_issuer(self)
    }

    /// True if its issuer has the name of this other's subject; whether that one's key signed it is another question.
    pub fn names_as_issuer(&self, other: &Self) -> bool {
        *self.issuer_der == *other.subject_der
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thumbprint_is_read_as_people_paste_it() {
        let want = Thumbprint::parse("B26C3C9B30A2A7371767275043816466CB921738");
        assert!(matches!(want, Some(Thumbprint::Sha1(_))));
        for text in [
            "b26c3c9b30a2a7371767275043816466cb921738",
            "\u{200e}b2 6c 3c 9b 30 a2 a7 37 17 67 27 50 43 81 64 66 cb 92 17 38",
            "B2:6C:3C:9B:30:A2:A7:37:17:67:27:50:43:81:64:66:CB:92:17:38",
        ] {
            assert_eq!(Thumbprint::parse(text), want, "{text}");
        }
        assert_eq!(Thumbprint::parse("B26C"), None);
    }
}
