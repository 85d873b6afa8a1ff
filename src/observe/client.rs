//! The certificate that is shown to endpoints that ask for one, and its key.

use std::io;
use std::sync::Arc;

use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use zeroize::Zeroizing;

use super::ReadFile;
use crate::model::plan::ClientCertificate;
use crate::pki;

/// Reads certificate and key, and holds one against the other.
///
/// # Errors
/// In words, which of the two files it is and why.
pub fn identity(files: &ClientCertificate, read: ReadFile<'_>) -> Result<Arc<CertifiedKey>, String> {
    let (file, key_file) = (&files.file.value, &files.key.value);
    let of = |name: &str, e: io::Error| format!("{name}: {e}");
    let bytes = read(file).map_err(|e| of(file, e))?;
    let chain = pki::read_file(&bytes).map_err(|what| format!("{file} holds no certificate: {what}"))?.certificates;
    let bytes = Zeroizing::new(read(key_file).map_err(|e| of(key_file, e))?);
    let key = key(&bytes).map_err(|why| format!("{key_file}: {why}"))?;
    let chain = chain.into_iter().map(CertificateDer::from).collect();
    let certified = CertifiedKey::new(chain, any_supported_type(&key).map_err(|e| format!("{key_file}: {e}"))?);
    match certified.keys_match() {
        Ok(()) => Ok(Arc::new(certified)),
        Err(rustls::Error::InconsistentKeys(_)) => Err(format!("{key_file} is not the key of {file}")),
        Err(e) => Err(format!("{file}: {e}")),
    }
}

fn key(bytes: &[u8]) -> Result<PrivateKeyDer<'static>, String> {
    if contains(bytes, b"ENCRYPTED") {
        return Err("the key is encrypted: a key without a password is wanted (openssl pkey -in … -out …)".into());
    }
    PrivateKeyDer::from_pem_slice(bytes).map_err(|e| match e {
        rustls::pki_types::pem::Error::NoItemsFound => "no private key in PEM in it".into(),
        e => e.to_string(),
    })
}

fn contains(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|w| w == word)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use rcgen::{CertificateParams, KeyPair};

    use super::*;
    use crate::model::source::Located;

    #[test]
    fn a_key_is_held_against_its_certificate() {
        let (own, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let certificate = CertificateParams::new(vec!["probe".to_string()]).unwrap().self_signed(&own).unwrap().pem();
        let files: HashMap<&str, Vec<u8>> = HashMap::from([
            ("client.pem", certificate.clone().into_bytes()),
            ("own.key", own.serialize_pem().into_bytes()),
            ("other.key", other.serialize_pem().into_bytes()),
            ("both.pem", format!("{certificate}{}", own.serialize_pem()).into_bytes()),
            ("encrypted.key", b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n".to_vec()),
            ("text", b"hello".to_vec()),
        ]);
        let read = |name: &str| files.get(name).cloned().ok_or_else(|| io::ErrorKind::NotFound.into());
        let of = |file: &str, key: &str| {
            let located = |text: &str| Located::new(text.to_string(), Default::default());
            identity(&ClientCertificate { file: located(file), key: located(key) }, &read).map(drop)
        };
        assert_eq!(of("client.pem", "own.key"), Ok(()));
        assert_eq!(of("both.pem", "both.pem"), Ok(()));
        assert_eq!(of("client.pem", "other.key"), Err("other.key is not the key of client.pem".into()));
        for (file, key, why) in [
            ("client.pem", "text", "text: no private key"),
            ("client.pem", "client.pem", "client.pem: no private key"),
            ("client.pem", "encrypted.key", "encrypted.key: the key is encrypted"),
            ("text", "own.key", "text holds no certificate"),
            ("client.pem", "nowhere", "nowhere: "),
        ] {
            assert!(of(file, key).unwrap_err().starts_with(why), "{file} {key}");
        }
    }
}
