//! A private key beside certificates: whether it is theirs. Its content goes nowhere.

use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};

use super::{armor, blob_id, content, pfx};
use crate::model::certificate::BlobId;

/// What is known of a private key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrivateKey {
    /// `RSA`, `EC`, `Ed25519`, as far as it can be told.
    pub kind: Option<String>,
    /// True if it needs a password.
    pub encrypted: bool,
    /// Digest of its public half, as `CertificateFacts` has it; `None` if it cannot be told.
    pub spki_sha256: Option<BlobId>,
}

/// The first private key of a file in PEM, or of a PFX file, which one of the passwords may open; `None` if there is none.
pub fn private_key_with(bytes: &[u8], passwords: &[&str]) -> Option<PrivateKey> {
    match content::of_der(bytes) {
        Some(content::Kind::Pfx) => pfx::key(bytes, passwords),
        _ => private_key(bytes),
    }
}

/// The first private key of a file in PEM; `None` if there is none.
pub fn private_key(bytes: &[u8]) -> Option<PrivateKey> {
    let (label, body) = armor::key(&armor::text(bytes))?;
    let encrypted = label.starts_with("ENCRYPTED") || body.contains("ENCRYPTED");
    let mut der = if encrypted { None } else { armor::base64(&body).ok() };
    let public = der.as_ref().and_then(|der| public_half(&label, der));
    let kind = public.as_ref().map(|(kind, _)| (*kind).to_string()).or_else(|| word(&label).map(String::from));
    // Best effort: what was decoded does not lie about in memory.
    der.iter_mut().for_each(|der| der.fill(0));
    Some(PrivateKey { kind, encrypted, spki_sha256: public.map(|(_, id)| id) })
}

/// A key as PFX files have it.
pub(super) fn of_pkcs8(der: &[u8], encrypted: bool) -> PrivateKey {
    let public = public_half("PRIVATE KEY", der);
    let kind = public.as_ref().map(|(kind, _)| (*kind).to_string());
    PrivateKey { kind, encrypted, spki_sha256: public.map(|(_, id)| id) }
}

fn word(label: &str) -> Option<&'static str> {
    match label {
        "RSA PRIVATE KEY" => Some("RSA"),
        "EC PRIVATE KEY" => Some("EC"),
        "DSA PRIVATE KEY" => Some("DSA"),
        _ => None,
    }
}

/// The algorithm and the digest of the public key. A library that refuses a key (RSA below 2048 bits) says nothing of it.
fn public_half(label: &str, der: &[u8]) -> Option<(&'static str, BlobId)> {
    let key = match label {
        "RSA PRIVATE KEY" => PrivateKeyDer::Pkcs1(PrivatePkcs1KeyDer::from(der)),
        "EC PRIVATE KEY" => PrivateKeyDer::Sec1(PrivateSec1KeyDer::from(der)),
        "PRIVATE KEY" => PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(der)),
        _ => return None,
    };
    let signer = any_supported_type(&key).ok()?;
    let kind = match signer.algorithm() {
        rustls::SignatureAlgorithm::RSA => "RSA",
        rustls::SignatureAlgorithm::ECDSA => "EC",
        rustls::SignatureAlgorithm::ED25519 => "Ed25519",
        _ => return None,
    };
    Some((kind, blob_id(&signer.public_key()?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::facts;
    use rcgen::{CertificateParams, KeyPair};

    #[test]
    fn a_key_is_told_to_be_a_certificates_or_not() {
        let (key, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let made = CertificateParams::new(vec!["a.example".to_string()]).unwrap().self_signed(&key).unwrap();
        let certificate = facts(made.der()).unwrap();
        let of = |pem: &str| private_key(pem.as_bytes()).unwrap();
        let own = of(&format!("{}{}", made.pem(), key.serialize_pem()));
        assert_eq!((own.kind.as_deref(), own.spki_sha256), (Some("EC"), Some(certificate.spki_sha256)));
        assert_ne!(of(&other.serialize_pem()).spki_sha256, Some(certificate.spki_sha256));
        let utf16: Vec<u8> =
            format!("\u{feff}{}", key.serialize_pem()).encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(private_key(&utf16).unwrap().spki_sha256, Some(certificate.spki_sha256));
        assert_eq!(private_key(made.pem().as_bytes()), None);
    }

    #[test]
    fn a_key_that_cannot_be_read_is_still_named() {
        for (pem, kind, encrypted) in [
            ("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAQID\n-----END ENCRYPTED PRIVATE KEY-----\n", None, true),
            (
                "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAQID\n-----END RSA PRIVATE KEY-----",
                Some("RSA"),
                true,
            ),
            ("-----BEGIN EC PRIVATE KEY-----\n!!\n-----END EC PRIVATE KEY-----", Some("EC"), false),
            ("-----BEGIN OPENSSH PRIVATE KEY-----\nAQID\n-----END OPENSSH PRIVATE KEY-----", None, false),
            ("-----BEGIN PRIVATE KEY-----\n", None, false),
        ] {
            let key = private_key(pem.as_bytes()).unwrap();
            assert_eq!((key.kind.as_deref(), key.encrypted, key.spki_sha256), (kind, encrypted, None), "{pem}");
        }
    }
}
