//! Connections to endpoints: TCP, the dialogue before TLS, the handshake; one deadline for all of it.

mod capture;
mod outcome;
mod wire;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::ServerName;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{dial, preamble};
use crate::model::certificate::BlobId;
use crate::model::observation::TlsProbe;
use crate::model::service::Way;
use crate::model::tls::{Stage, TlsOutcome};
use capture::Capture;
pub use outcome::of_fault;
use outcome::{End, outcome};
use wire::{LIMIT, Wire};

/// How long an orderly close may take; the facts are known by then.
const CLOSE: Duration = Duration::from_millis(250);

/// What all handshakes share.
pub struct Handshakes {
    config: ClientConfig,
    provider: Arc<CryptoProvider>,
}

/// What a connection showed: its outcome, and the certificates that it refers to.
pub type Look = (TlsOutcome, Vec<(BlobId, Vec<u8>)>);

impl Handshakes {
    /// TLS 1.2 and 1.3 by ring, without resumption (a resumed session shows no certificate) and without ALPN.
    pub fn new() -> Result<Self, rustls::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = Arc::new(Capture::new(provider.signature_verification_algorithms));
        let mut config = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        Ok(Self { config, provider })
    }

    /// Connects to `to`, as far as the server lets us, until the deadline.
    pub async fn look(&self, probe: &TlsProbe, to: SocketAddr, ehlo: &str, deadline: Instant) -> Look {
        match self.prepare(probe, to, ehlo, deadline).await {
            Ok((tcp, name)) => self.handshake(tcp, name, probe.sni.is_some(), deadline).await,
            Err(outcome) => (outcome, Vec::new()),
        }
    }

    /// Everything before TLS.
    async fn prepare(
        &self,
        probe: &TlsProbe,
        to: SocketAddr,
        ehlo: &str,
        deadline: Instant,
    ) -> Result<(TcpStream, ServerName<'static>), TlsOutcome> {
        let name = server_name(probe)?;
        if dial::is_no_host(to.ip()) {
            return Err(TlsOutcome::CannotLook(format!("{} is no address of a host", to.ip())));
        }
        let dialogue = match probe.way {
            Way::Implicit => None,
            Way::Starttls(protocol) => Some(preamble::of(protocol, ehlo)?),
        };
        let mut tcp = match timeout_at(deadline, dial::connect(to)).await {
            Ok(Ok(tcp)) => tcp,
            Ok(Err(e)) => return Err(of_fault(dial::fault(&e), Stage::Connect)),
            Err(_) => return Err(TlsOutcome::Timeout(Stage::Connect)),
        };
        if let Some(dialogue) = dialogue {
            match timeout_at(deadline, preamble::run(&mut tcp, dialogue)).await {
                Ok(Ok(())) => {}
                Ok(Err(outcome)) => return Err(outcome),
                Err(_) => return Err(TlsOutcome::Timeout(Stage::Dialogue)),
            }
        }
        Ok((tcp, name))
    }

    async fn handshake(&self, tcp: TcpStream, name: ServerName<'static>, sni: bool, deadline: Instant) -> Look {
        let capture = Arc::new(Capture::new(self.provider.signature_verification_algorithms));
        let mut config = self.config.clone();
        config.enable_sni = sni;
        config.dangerous().set_certificate_verifier(capture.clone());
        let mut wire = Wire::new(tcp);
        let connecting = TlsConnector::from(Arc::new(config)).connect(name, &mut wire);
        let end = match timeout_at(deadline, connecting).await {
            Ok(Ok(stream)) => complete(stream, deadline).await,
            Ok(Err(e)) => End::Failed(e),
            Err(_) => End::Timeout,
        };
        let end = if wire.is_too_much() { End::TooMuch(LIMIT) } else { end };
        outcome(capture.take(), end, wire.first())
    }
}

/// The name that TLS is given: the SNI, or the address, which is never sent.
fn server_name(probe: &TlsProbe) -> Result<ServerName<'static>, TlsOutcome> {
    match &probe.sni {
        None => Ok(ServerName::IpAddress(probe.address.ip().into())),
        Some(name) => ServerName::try_from(name.probe().to_string())
            .map_err(|_| TlsOutcome::CannotLook(format!("{name} cannot be sent as a server name"))),
    }
}

/// Reads what was agreed and says goodbye, so that servers log no broken connection.
async fn complete(mut stream: TlsStream<&mut Wire>, deadline: Instant) -> End {
    let suite = stream.get_ref().1.negotiated_cipher_suite();
    let cipher = suite.and_then(|s| s.suite().as_str().map(|name| name.replacen("TLS13_", "TLS_", 1)));
    let _ = timeout_at(deadline.min(Instant::now() + CLOSE), stream.shutdown()).await;
    End::Complete { cipher }
}
