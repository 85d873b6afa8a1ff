//! What a TLSA record says of a certificate (RFC 6698 section 2.1).

use sha2::Digest;

use super::path::spki_of;

/// The association of a certificate (DER) for a selector (0 the certificate, 1 its public key) and a matching type (0 as it
/// is, 1 SHA-256, 2 SHA-512); `None` for others, and for what cannot be read.
pub fn association(certificate: &[u8], selector: u8, matching: u8) -> Option<Vec<u8>> {
    let selected = match selector {
        0 => certificate,
        1 => spki_of(certificate)?,
        _ => return None,
    };
    match matching {
        0 => Some(selected.to_vec()),
        1 => Some(sha2::Sha256::digest(selected).to_vec()),
        2 => Some(sha2::Sha512::digest(selected).to_vec()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rcgen::PublicKeyData;

    use super::*;
    use crate::pki::facts;

    #[test]
    fn an_association_is_of_the_whole_or_of_its_key() {
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate =
            rcgen::CertificateParams::new(vec!["a.example".to_string()]).unwrap().self_signed(&key).unwrap();
        let (der, spki) = (certificate.der().as_ref(), key.subject_public_key_info());
        let read = facts(der).unwrap();
        assert_eq!(association(der, 0, 0).as_deref(), Some(der));
        assert_eq!(association(der, 0, 1).as_deref(), Some(&read.sha256.0[..]));
        assert_eq!(association(der, 1, 0), Some(spki.clone()));
        assert_eq!(association(der, 1, 1).as_deref(), Some(&read.spki_sha256.0[..]));
        assert_eq!(association(der, 1, 2), Some(sha2::Sha512::digest(&spki).to_vec()));
        assert_eq!((association(der, 2, 0), association(der, 0, 3)), (None, None));
        assert_eq!(association(b"garbage", 1, 1), None);
    }
}
