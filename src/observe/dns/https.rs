//! Questions over HTTPS (RFC 8484), and the TLS of resolvers that are authenticated.

use std::net::IpAddr;
use std::sync::Arc;

use futures_util::StreamExt;
use hickory_resolver::net::NetError;
use hickory_resolver::net::h2::{HttpsClientStream, connect};
use hickory_resolver::net::runtime::iocompat::AsyncIoTokioAsStd;
use hickory_resolver::net::xfer::DnsRequestSender;
use hickory_resolver::proto::op::{DnsRequest, DnsRequestOptions};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::{Mutex, Semaphore};

use super::wire::{Fit, Question};
use super::{Failure, Line};

/// Questions in flight to one resolver.
const WINDOW: usize = 64;

/// Characters that are kept of an error, which may quote a whole page.
const WORDS: usize = 200;

/// A resolver asked over HTTPS.
pub struct Https {
    line: Line,
    /// The logical address, which the certificate has to prove.
    name: IpAddr,
    path: Arc<str>,
    tls: Arc<ClientConfig>,
    current: Mutex<Option<HttpsClientStream>>,
    window: Semaphore,
}

/// The name that a resolver's certificate has to prove: its address (RFC 8310 section 8.1).
pub fn server_name(address: IpAddr) -> ServerName<'static> {
    ServerName::IpAddress(address.into())
}

/// A configuration that trusts the anchors of a view and nothing else. Anchors that cannot be read prove nothing, and
/// are left out here; those who judge say so.
pub fn config(anchors: &[Arc<[u8]>]) -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(anchors.iter().map(|der| CertificateDer::from(der.to_vec())));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.enable_sni = false;
    Ok(config)
}

impl Https {
    /// A resolver; nothing is opened yet.
    pub fn new(line: Line, name: IpAddr, path: &str, mut config: ClientConfig) -> Self {
        config.alpn_protocols = vec![b"h2".to_vec()];
        Self {
            line,
            name,
            path: path.into(),
            tls: Arc::new(config),
            current: Mutex::default(),
            window: Semaphore::new(WINDOW),
        }
    }

    /// Asks and waits for the answer, without a limit of its own; once more on a new connection if the old one was closed meanwhile.
    pub async fn ask(&self, question: &Arc<Question>) -> Result<Vec<u8>, Failure> {
        let _place = self.window.acquire().await.map_err(|_| Failure::Timeout)?;
        let answer = match self.once(question).await {
            Err(e) if e.is_connection_closed() => {
                *self.current.lock().await = None;
                self.once(question).await
            }
            answer => answer,
        };
        let answer = answer.map_err(|e| failure(&e))?;
        match question.fit(&answer) {
            Fit::Answer => Ok(answer),
            Fit::Foreign => Err(Failure::Malformed("it answers another question".into())),
        }
    }

    async fn once(&self, question: &Question) -> Result<Vec<u8>, NetError> {
        let mut stream = self.connection().await?;
        let message = question.message().map_err(NetError::from)?;
        let request = DnsRequest::new(message, DnsRequestOptions::default());
        match stream.send_message(request).next().await {
            Some(answer) => Ok(answer?.into_buffer()),
            None => Err(NetError::NoConnections),
        }
    }

    async fn connection(&self) -> Result<HttpsClientStream, NetError> {
        let mut current = self.current.lock().await;
        if let Some(stream) = &*current {
            return Ok(stream.clone());
        }
        if self.name.is_ipv6() {
            // The library writes one text into the certificate's check and the URI, whose forms differ for IPv6.
            let why = "DNS over HTTPS to an IPv6 address is not supported in this release";
            return Err(NetError::from(std::io::Error::new(std::io::ErrorKind::Unsupported, why)));
        }
        let line = self.line.clone();
        let tcp = async move { line.connect().await.map(AsyncIoTokioAsStd) };
        let (name, path) = (self.name.to_string().into(), self.path.clone());
        let stream = connect(tcp, self.tls.clone(), self.line.peer, name, path, None).await?;
        Ok(current.insert(stream).clone())
    }
}

fn failure(error: &NetError) -> Failure {
    let words = || error.to_string().chars().take(WORDS).collect::<String>();
    match error {
        NetError::Timeout => Failure::Timeout,
        NetError::Io(e) => Failure::of(e),
        // An HTTP status, a foreign content type, a body that is no DNS message.
        NetError::Proto(_) | NetError::Msg(_) | NetError::Message(_) | NetError::RequestTooLarge => {
            Failure::Malformed(words())
        }
        _ => Failure::Unreachable(words()),
    }
}
