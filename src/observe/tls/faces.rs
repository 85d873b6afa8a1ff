//! How one of a server's certificates is asked for, where it has one for each kind of key.

use rustls::crypto::CryptoProvider;
use rustls::{SignatureScheme, SupportedCipherSuite};

use crate::model::tls::Face;

/// A provider with the suites that fit a face. TLS 1.2 binds the kind of key to the suite (RFC 5246 section 7.4.2); in TLS
/// 1.3 the signature schemes alone tell it (RFC 8446 section 4.4.2.2).
pub fn provider(face: Option<Face>) -> CryptoProvider {
    let mut provider = rustls::crypto::ring::default_provider();
    // As browsers do. Processors do SHA-256 themselves, and not SHA-384.
    provider.cipher_suites.sort_by_key(|suite| !is_short(suite));
    if let Some(face) = face {
        provider.cipher_suites.retain(|suite| match suite {
            SupportedCipherSuite::Tls12(suite) => suite.sign.iter().any(|scheme| kind(*scheme) == Some(face)),
            SupportedCipherSuite::Tls13(_) => true,
        });
    }
    provider
}

/// With AES-128 and SHA-256.
fn is_short(suite: &SupportedCipherSuite) -> bool {
    use rustls::CipherSuite::{
        TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS13_AES_128_GCM_SHA256,
    };
    let short =
        [TLS13_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256];
    short.contains(&suite.suite())
}

/// True if a scheme is offered where a face is asked for. PKCS #1 is no scheme for handshakes of TLS 1.3 and bound to RSA
/// suites in 1.2, so that beside ECDSA it only says that the chain may be signed with RSA.
pub fn may_be_signed(face: Face, scheme: SignatureScheme) -> bool {
    use SignatureScheme as S;
    let is_pkcs1 = matches!(scheme, S::RSA_PKCS1_SHA256 | S::RSA_PKCS1_SHA384 | S::RSA_PKCS1_SHA512);
    kind(scheme) == Some(face) || is_pkcs1
}

fn kind(scheme: SignatureScheme) -> Option<Face> {
    use SignatureScheme as S;
    match scheme {
        S::ECDSA_NISTP256_SHA256 | S::ECDSA_NISTP384_SHA384 | S::ECDSA_NISTP521_SHA512 => Some(Face::Ecdsa),
        S::RSA_PKCS1_SHA256 | S::RSA_PKCS1_SHA384 | S::RSA_PKCS1_SHA512 => Some(Face::Rsa),
        S::RSA_PSS_SHA256 | S::RSA_PSS_SHA384 | S::RSA_PSS_SHA512 => Some(Face::Rsa),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_face_has_half_of_the_old_suites_and_all_new_ones() {
        let count = |face| provider(face).cipher_suites.len();
        assert_eq!((count(None), count(Some(Face::Rsa)), count(Some(Face::Ecdsa))), (9, 6, 6));
    }

    #[test]
    fn no_scheme_of_one_face_signs_a_handshake_of_the_other() {
        assert!(!may_be_signed(Face::Ecdsa, SignatureScheme::RSA_PSS_SHA256));
        assert!(!may_be_signed(Face::Rsa, SignatureScheme::ECDSA_NISTP256_SHA256));
        assert!(may_be_signed(Face::Rsa, SignatureScheme::RSA_PSS_SHA256));
        assert!(may_be_signed(Face::Ecdsa, SignatureScheme::ECDSA_NISTP256_SHA256));
    }
}
