//! The authority that the plan's clients trust, and what it issues.

use std::net::IpAddr;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, SanType};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, SupportedProtocolVersion};

/// A chain and the key of its first certificate.
#[derive(Debug)]
pub struct Identity(pub Arc<CertifiedKey>);

/// A root.
pub struct Authority {
    root: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    /// A root made now.
    pub fn new() -> Self {
        Self { root: CertifiedIssuer::self_signed(ca("Hostile World Root"), KeyPair::generate().unwrap()).unwrap() }
    }

    /// The root, DER.
    pub fn der(&self) -> Vec<u8> {
        self.root.der().to_vec()
    }

    /// A certificate for every name of the domain, with some others behind it.
    pub fn issue(&self, behind: Vec<CertificateDer<'static>>) -> Identity {
        self.leaf(vec![SanType::DnsName("*.domain.com".try_into().unwrap())], behind)
    }

    /// A certificate for an address.
    pub fn issue_for(&self, address: IpAddr) -> Identity {
        self.leaf(vec![SanType::IpAddress(address)], vec![])
    }

    fn leaf(&self, names: Vec<SanType>, behind: Vec<CertificateDer<'static>>) -> Identity {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.subject_alt_names = names;
        let leaf = params.signed_by(&key, &self.root).unwrap().der().clone();
        identity(std::iter::once(leaf).chain(behind).collect(), &key)
    }
}

/// A leaf below an authority of which only certificates by itself are sent, `copies` of them that differ.
pub fn below_a_circle(copies: u64) -> Identity {
    let key = KeyPair::generate().unwrap();
    let round = |serial: u64| {
        let mut params = ca("Round");
        params.serial_number = Some(serial.into());
        params.self_signed(&key).unwrap().der().clone()
    };
    let chain: Vec<_> = (1..=copies).map(round).collect();
    let issuer = CertifiedIssuer::self_signed(ca("Round"), key).unwrap();
    let own = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["*.domain.com".to_string()]).unwrap();
    let leaf = params.signed_by(&own, &issuer).unwrap().der().clone();
    identity(std::iter::once(leaf).chain(chain).collect(), &own)
}

fn ca(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

fn identity(chain: Vec<CertificateDer<'static>>, key: &KeyPair) -> Identity {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    Identity(Arc::new(CertifiedKey::new(chain, ring::sign::any_supported_type(&key).unwrap())))
}

impl Identity {
    /// The certificates, DER.
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.0.cert
    }

    /// A server's side of TLS of one version, that sends no tickets.
    pub fn server(&self, version: &'static SupportedProtocolVersion) -> ServerConfig {
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let mut config = builder
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Self(self.0.clone())));
        config.send_tls13_tickets = 0;
        config
    }
}

impl ResolvesServerCert for Identity {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}
