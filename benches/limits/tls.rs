//! The bare TLS loop: connect, shake hands, note every fact (trusted, in its dates, covers the name).

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme, SupportedCipherSuite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use crate::dialogue::Dialogue;
use crate::world::World;

/// Connections in flight.
pub const FLIGHT: usize = 256;

/// Takes every chain and checks the handshake's signature.
#[derive(Debug)]
struct AnyChain(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for AnyChain {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, signature, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

/// Where to look.
#[derive(Clone, Copy)]
pub struct Target {
    /// The address that all names have.
    pub address: SocketAddr,
    /// What is said before TLS.
    pub dialogue: Option<&'static Dialogue>,
}

/// What all looks share.
struct Bare {
    world: Arc<World>,
    target: Target,
    connector: TlsConnector,
    roots: RootCertStore,
    algorithms: WebPkiSupportedAlgorithms,
    next: AtomicUsize,
}

/// Looks at every name; how many are all right.
pub async fn all(world: Arc<World>, target: Target) -> usize {
    let algorithms = ring::default_provider().signature_verification_algorithms;
    let mut roots = RootCertStore::empty();
    roots.add(world.root.clone()).expect("a root");
    let connector = connector(algorithms);
    let bare = Arc::new(Bare { world, target, connector, roots, algorithms, next: AtomicUsize::new(0) });
    let workers: JoinSet<usize> = (0..FLIGHT).map(|_| work(bare.clone())).collect();
    workers.join_all().await.into_iter().sum()
}

fn connector(algorithms: WebPkiSupportedAlgorithms) -> TlsConnector {
    // The same work: ours asks for the short suites first, too.
    let mut provider = ring::default_provider();
    let is_short = |suite: &SupportedCipherSuite| suite.suite().as_str().is_some_and(|name| name.contains("AES_128"));
    provider.cipher_suites.sort_by_key(|suite| !is_short(suite));
    let versions = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .expect("versions");
    let verifier = Arc::new(AnyChain(algorithms));
    let mut config = versions.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
    config.resumption = rustls::client::Resumption::disabled();
    TlsConnector::from(Arc::new(config))
}

async fn work(bare: Arc<Bare>) -> usize {
    let mut right = 0;
    while let Some(name) = bare.world.names.get(bare.next.fetch_add(1, Ordering::Relaxed)) {
        right += usize::from(bare.look(name).await);
    }
    right
}

impl Bare {
    async fn look(&self, name: &str) -> bool {
        let mut stream = TcpStream::connect(self.target.address).await.expect("a connection");
        let _ = stream.set_nodelay(true);
        if let Some(dialogue) = self.target.dialogue {
            dialogue.ask(&mut stream).await.expect("a mail server");
        }
        let reference = ServerName::try_from(name.to_string()).expect("a name");
        let stream = self.connector.connect(reference.clone(), stream).await.expect("a handshake");
        let chain = stream.get_ref().1.peer_certificates().expect("a chain");
        let leaf = ParsedCertificate::try_from(&chain[0]).expect("a certificate");
        let (_, facts) = x509_parser::parse_x509_certificate(&chain[0]).expect("a certificate");
        let (rest, all) = (&chain[1..], self.algorithms.all);
        let trusted = verify_server_cert_signed_by_trust_anchor(&leaf, &self.roots, rest, UnixTime::now(), all);
        trusted.is_ok() && facts.validity().is_valid() && verify_server_name(&leaf, &reference).is_ok()
    }
}
