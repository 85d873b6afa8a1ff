//! What is measured against: many names, each with a certificate of its own, behind a few addresses.

use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;

use crate::server;

/// Names, certificates and the servers that show them.
pub struct World {
    /// The names.
    pub names: Vec<String>,
    /// Their certificates, in the same order.
    pub leaves: Vec<CertificateDer<'static>>,
    /// The root that issued them.
    pub root: CertificateDer<'static>,
    /// Where TLS is served.
    pub tls: SocketAddr,
    /// Where DNS is served: two resolvers.
    pub dns: [SocketAddr; 2],
}

impl World {
    /// Makes the certificates and starts the servers. Must be called inside a tokio runtime.
    pub fn start(count: usize) -> Self {
        let root_key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = params.self_signed(&root_key).expect("a root").der().clone();
        let issuer = Issuer::new(params, root_key);
        let key = KeyPair::generate().expect("a key");
        let signer = rustls::crypto::ring::sign::any_ecdsa_type(&PrivatePkcs8KeyDer::from(key.serialize_der()).into());
        let signer = signer.expect("a key that can sign");
        let names: Vec<String> = (0..count).map(|i| format!("host-{i}.example.com")).collect();
        let leaf = |name: &String| {
            let params = CertificateParams::new(vec![name.clone()]).expect("a name that a certificate can hold");
            params.signed_by(&key, &issuer).expect("a certificate").der().clone()
        };
        let leaves: Vec<_> = names.iter().map(leaf).collect();
        let keys = leaves.iter().map(|leaf| Arc::new(CertifiedKey::new(vec![leaf.clone()], signer.clone())));
        let tls = server::tls(names.iter().cloned().zip(keys).collect());
        Self { names, leaves, root, tls, dns: [server::dns(), server::dns()] }
    }
}
