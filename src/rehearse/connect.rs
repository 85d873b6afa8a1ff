//! A connection: the dialogue before TLS, a full handshake, what the client makes of the certificate, and where it is sent.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::client::PATIENCE;
use super::credentials::Issued;
use super::servers::Servers;
use crate::model::cutover::{CacheKind, ClientPath, HarmClass, NodeId, Timeline};
use crate::model::http::Page;
use crate::model::mta_sts;
use crate::model::name::Name;
use crate::model::plan::ViewId;
use crate::model::service::Way;
use crate::{observe, pki};

/// Octets of an answer to a question for a page.
const PAGE: u64 = 64 * 1024;

/// What a client met.
#[derive(Clone)]
pub(super) enum Met {
    /// A right certificate, and what a TLSA record would say of its key.
    Well(Option<Vec<u8>>),
    /// A right certificate, and a redirect.
    Sent(Name),
    /// Harm, in words that go on after the server's label.
    Harm(HarmClass, String),
}

/// True if clients of the path speak HTTP.
pub(super) fn is_web(path: &ClientPath) -> bool {
    path.entry == CacheKind::A && path.service.way == Way::Implicit && matches!(path.service.word, "https" | "IIS")
}

/// Connects to a node, and says what a client of the path makes of it.
pub(super) async fn connect(
    servers: &Servers,
    issued: &Issued,
    timeline: &Timeline,
    path: &ClientPath,
    (node, reference): (NodeId, &Name),
    millis: i64,
) -> Met {
    let port = path.service.port;
    let refuses = || Met::Harm(HarmClass::NothingListens, format!("does not listen at :{port}"));
    let Some(address) = servers.address(node, port) else { return refuses() };
    let Ok(Ok(stream)) = timeout(PATIENCE, TcpStream::connect(address)).await else { return refuses() };
    match timeout(PATIENCE, shake(stream, path, reference)).await {
        Ok(Ok((chain, sent))) => match judge(issued, timeline, path, reference, &chain, millis) {
            Some((class, words)) => Met::Harm(class, words),
            None => sent.map_or_else(|| Met::Well(association(&chain)), Met::Sent),
        },
        _ => refuses(),
    }
}

fn association(chain: &[CertificateDer<'static>]) -> Option<Vec<u8>> {
    pki::association(chain.first()?, 1, 1)
}

type Chain = Vec<CertificateDer<'static>>;

/// A full handshake, and for web clients a GET: the chain, and where the server sends them.
async fn shake(mut stream: TcpStream, path: &ClientPath, reference: &Name) -> io::Result<(Chain, Option<Name>)> {
    if let Way::Starttls(protocol) = path.service.way {
        let led = observe::upgraded(&mut stream, protocol, reference.as_str()).await;
        led.map_err(|outcome| io::Error::other(format!("{outcome:?}")))?;
    }
    let (mut stream, seen) = tls(stream, reference, path.sni).await?;
    let mut sent = None;
    if is_web(path) {
        sent = location(&page(&mut stream, reference.as_str(), "/").await?);
    }
    let _ = stream.shutdown().await;
    let chain = seen.chain.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok((chain, sent))
}

async fn tls(stream: TcpStream, reference: &Name, sni: bool) -> io::Result<(TlsStream<TcpStream>, Arc<Seen>)> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let seen = Arc::new(Seen { chain: Mutex::default(), algorithms: provider.signature_verification_algorithms });
    let mut config = client(provider, seen.clone())?;
    config.enable_sni = sni;
    config.resumption = rustls::client::Resumption::disabled();
    let name = ServerName::try_from(reference.to_string()).map_err(io::Error::other)?;
    Ok((TlsConnector::from(Arc::new(config)).connect(name, stream).await?, seen))
}

/// Asks for a page: the head of the answer, and its body.
async fn page(stream: &mut TlsStream<TcpStream>, host: &str, path: &str) -> io::Result<Vec<u8>> {
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).await?;
    let mut all = Vec::new();
    let _ = stream.take(PAGE).read_to_end(&mut all).await;
    Ok(all)
}

/// A mail domain's policy, from the host that gives it; `None` if there is none.
pub(super) async fn policy(host: SocketAddr, domain: &Name) -> io::Result<Option<mta_sts::Policy>> {
    let name = mta_sts::host(domain).ok_or_else(|| io::Error::other("no room for the policy's host"))?;
    let asked = async {
        let (mut stream, _) = tls(TcpStream::connect(host).await?, &name, true).await?;
        page(&mut stream, name.as_str(), Page::MtaSts.path()).await
    };
    let answer = timeout(PATIENCE, asked).await??;
    let text = String::from_utf8_lossy(&answer);
    let body = text.split_once("\r\n\r\n").filter(|(head, _)| head.starts_with("HTTP/1.1 200"));
    Ok(body.and_then(|(_, body)| mta_sts::Policy::parse(body).ok()))
}

fn location(head: &[u8]) -> Option<Name> {
    let text = std::str::from_utf8(head).ok()?;
    let line = text.lines().find_map(|l| l.strip_prefix("Location: https://"))?;
    Name::parse(line.trim_end_matches('/')).ok()
}

fn client(provider: Arc<CryptoProvider>, seen: Arc<Seen>) -> io::Result<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(io::Error::other)?;
    Ok(builder.dangerous().with_custom_certificate_verifier(seen).with_no_client_auth())
}

/// Name, then dates, then trust, at the play's time.
fn judge(
    issued: &Issued,
    timeline: &Timeline,
    path: &ClientPath,
    reference: &Name,
    chain: &[CertificateDer<'static>],
    millis: i64,
) -> Option<(HarmClass, String)> {
    let served = chain.first().and_then(|leaf| issued.keys.iter().position(|k| k.cert.first() == Some(leaf)));
    let label = served.and_then(|i| timeline.credentials.get(i)).map_or("a certificate", |c| &*c.label);
    let Some(facts) = chain.first().and_then(|leaf| pki::facts(leaf).ok()) else {
        return Some((HarmClass::Untrusted, "shows no certificate".into()));
    };
    if pki::identify(&facts, reference).is_err() {
        return Some((HarmClass::WrongName, format!("shows \"{label}\", which is not for {reference}")));
    }
    let now = issued.at(millis);
    if now < facts.not_before || facts.not_after < now {
        return Some((HarmClass::Expired, format!("shows \"{label}\", which is not valid at that time")));
    }
    match is_trusted(issued, path.view, &chain[0], now) {
        true => None,
        false => Some((HarmClass::Untrusted, format!("shows \"{label}\", which this client does not trust"))),
    }
}

fn is_trusted(issued: &Issued, view: ViewId, leaf: &CertificateDer<'_>, now: jiff::Timestamp) -> bool {
    let anchors: Vec<_> = issued.anchors.get(&view).into_iter().flatten().collect();
    let anchors: Vec<_> = anchors.into_iter().filter_map(|der| webpki::anchor_from_trusted_cert(der).ok()).collect();
    let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms;
    let seconds = u64::try_from(now.as_second()).unwrap_or(0);
    let at = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    let usage = webpki::KeyUsage::server_auth();
    webpki::EndEntityCert::try_from(leaf)
        .and_then(|ee| ee.verify_for_usage(algorithms.all, &anchors, &[], at, usage, None, None).map(|_| ()))
        .is_ok()
}

/// Takes every chain, and keeps it.
#[derive(Debug)]
struct Seen {
    chain: Mutex<Chain>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Seen {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        *self.chain.lock().unwrap_or_else(PoisonError::into_inner) = vec![leaf.clone().into_owned()];
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls12_signature(message, leaf, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(message, leaf, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
