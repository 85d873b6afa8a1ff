//! Any bytes as a certificate, as a file of certificates, and as a chain under themselves and under public anchors.

use std::sync::{Arc, OnceLock};

use coexist::pki::{self, Anchors};
use jiff::Timestamp;

fn public() -> &'static Anchors {
    static PUBLIC: OnceLock<Anchors> = OnceLock::new();
    PUBLIC.get_or_init(|| {
        let ders: Vec<Arc<[u8]>> = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().map(|c| Arc::from(&c[..])).collect();
        Anchors::new(&ders).0
    })
}

pub fn body(data: &[u8]) {
    if let Ok(facts) = pki::facts(data) {
        assert_eq!(facts.sha256, pki::blob_id(data));
    }
    let now = Timestamp::from_second(1_790_000_000).expect("a time");
    let der: Arc<[u8]> = data.into();
    let (own, broken) = Anchors::new(std::slice::from_ref(&der));
    assert_eq!(own.len() + broken.len(), 1);
    pki::path(std::slice::from_ref(&der), &own, &[], now);
    // Nothing but a certificate of theirs is signed by a public authority.
    let path = pki::path(std::slice::from_ref(&der), public(), std::slice::from_ref(&der), now);
    assert!(path.untrusted.is_some() || pki::facts(data).is_ok());
    if let Ok(file) = pki::read_file(data) {
        assert!(!file.certificates.is_empty() && file.certificates.iter().all(|der| pki::facts(der).is_ok()));
        let chain: Vec<Arc<[u8]>> = file.certificates.into_iter().map(Arc::from).collect();
        pki::path(&chain, public(), &chain, now);
    }
}
