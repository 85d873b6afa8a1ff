//! Trust anchors as DER.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::ReadFile;
use crate::model::plan::TrustSource;
use crate::pki;

/// The trust anchors of some sources as DER, each once, and what could not be read.
pub fn anchors(sources: &[TrustSource], read_file: ReadFile) -> (Vec<Arc<[u8]>>, Vec<String>) {
    let (mut ders, mut errors) = (BTreeSet::new(), Vec::new());
    for source in sources {
        let (found, faults) = match source {
            TrustSource::Public => (public(), Vec::new()),
            TrustSource::System => system(),
            TrustSource::File(path) => file(path, read_file),
        };
        ders.extend(found.into_iter().map(Arc::from));
        errors.extend(faults);
    }
    (ders.into_iter().collect(), errors)
}

fn public() -> Vec<Vec<u8>> {
    webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().map(|c| c.to_vec()).collect()
}

/// The machine's store. Single bad entries do not spoil the others.
fn system() -> (Vec<Vec<u8>>, Vec<String>) {
    let loaded = rustls_native_certs::load_native_certs();
    let mut errors: Vec<String> = loaded.errors.iter().map(|e| format!("system: {e}")).collect();
    if loaded.certs.is_empty() && errors.is_empty() {
        errors.push("system: this machine's store has no trust anchors".into());
    }
    (loaded.certs.iter().map(|c| c.to_vec()).collect(), errors)
}

fn file(path: &str, read_file: ReadFile) -> (Vec<Vec<u8>>, Vec<String>) {
    let bytes = match read_file(path) {
        Ok(bytes) => bytes,
        Err(e) => return (Vec::new(), vec![format!("{path}: {e}")]),
    };
    match pki::read_file(&bytes) {
        Ok(content) if content.certificates.is_empty() => (Vec::new(), vec![format!("{path}: no certificate in it")]),
        // An anchor that was not read is missed where a path leads to it.
        Ok(content) => (content.certificates, content.lost.iter().map(|note| format!("{path}: {note}")).collect()),
        Err(what) => (Vec::new(), vec![format!("{path}: {what}")]),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn every_anchor_stands_once_and_faults_are_named() {
        let (public, errors) = anchors(&[TrustSource::Public, TrustSource::Public], &|_| unreachable!());
        assert_eq!((public.len() > 100, errors.len()), (true, 0));
        let first = public[0].to_vec();
        let pem = |der: &[u8]| {
            let body = data_encoding::BASE64.encode(der);
            let lines: Vec<_> = body.as_bytes().chunks(64).map(|l| String::from_utf8_lossy(l).into_owned()).collect();
            format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n")).into_bytes()
        };
        let read = |path: &str| match path {
            "root.pem" => Ok(pem(&first)),
            "half.pem" => {
                Ok([pem(&first), b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n".to_vec()].concat())
            }
            "bad.pem" => Ok(b"hello".to_vec()),
            _ => Err(io::ErrorKind::NotFound.into()),
        };
        let files = ["root.pem", "root.pem", "bad.pem", "gone.pem", "half.pem"];
        let sources: Vec<_> = files.iter().map(|f| TrustSource::File((*f).to_string())).collect();
        let (found, errors) = anchors(&sources, &read);
        assert_eq!(found, [Arc::<[u8]>::from(first.as_slice())]);
        assert_eq!(errors.len(), 3);
        assert!(errors[2].starts_with("half.pem: part 2 "), "{errors:?}");
        assert!(errors[0].starts_with("bad.pem: ") && errors[1].starts_with("gone.pem: "), "{errors:?}");
    }
}
