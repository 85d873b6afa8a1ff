//! Connections to endpoints: TCP, the dialogue before TLS, the handshake; one deadline for all of it.

// An outcome is made once for a connection; to box it would save nothing that can be measured.
#![allow(clippy::result_large_err)]

mod capture;
mod faces;
pub mod http;
mod older;
#[cfg(test)]
mod older_tests;
mod outcome;
mod policy;
mod shake;
#[cfg(test)]
mod tests;
mod wire;

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::client::{ClientConnection, Resumption};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::ServerName;
use rustls::sign::CertifiedKey;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::deadline::Deadline;
use super::hello::Glance;
use super::proxy::Route;
use super::{dial, preamble};
use crate::model::certificate::BlobId;
use crate::model::observation::TlsProbe;
use crate::model::service::Way;
use crate::model::tls::{Face, Stage, TlsOutcome};
use capture::Capture;
pub use capture::unproved;
pub use outcome::{CERTIFICATES, alert_name, begins_a_record, of_fault};
use outcome::{End, outcome};
pub(super) use policy::whole as whole_page;
use shake::shake_hands;
pub use wire::{LIMIT, Wire};

/// What all handshakes share.
pub struct Handshakes {
    any: ClientConfig,
    rsa: ClientConfig,
    ecdsa: ClientConfig,
    provider: Arc<CryptoProvider>,
}

/// What a connection showed: its outcome, and the certificates that it refers to.
pub type Look = (TlsOutcome, Vec<(BlobId, Vec<u8>)>);

/// What is looked at, from where, and until when.
#[derive(Clone, Copy)]
struct There<'a> {
    probe: &'a TlsProbe,
    line: &'a Line<'a>,
    deadline: Deadline,
}

/// The way to an endpoint, and who we are there.
pub struct Line<'a> {
    /// Where it is dialled.
    pub to: SocketAddr,
    /// Through whom; `None` is from here.
    pub route: Option<&'a Route>,
    /// Our name in EHLO.
    pub ehlo: &'a str,
    /// What is shown to a server that asks for a certificate.
    pub client: Option<&'a Arc<CertifiedKey>>,
}

impl Line<'_> {
    /// A connection to the endpoint, until the deadline.
    async fn open(&self, probe: &TlsProbe, deadline: Instant) -> Result<TcpStream, TlsOutcome> {
        if dial::is_no_host(self.to.ip()) {
            return Err(TlsOutcome::CannotLook(format!("{} is no address of a host", self.to.ip())));
        }
        if let Some(route) = self.route {
            // Boxed: large, and rare, and every connection would carry the room for it.
            return Box::pin(route.open(probe, self.to, deadline)).await;
        }
        match timeout_at(deadline, dial::connect(self.to)).await {
            Ok(Ok(tcp)) => Ok(tcp),
            Ok(Err(e)) => Err(of_fault(dial::fault(&e), Stage::Connect)),
            Err(_) => Err(TlsOutcome::Timeout(Stage::Connect)),
        }
    }
}

impl Handshakes {
    /// TLS 1.2 and 1.3 by ring, without resumption (a resumed session shows no certificate) and without ALPN.
    pub fn new() -> Result<Self, rustls::Error> {
        let provider = Arc::new(faces::provider(None));
        let of = |face| config(Arc::new(faces::provider(Some(face))));
        Ok(Self { any: config(provider.clone())?, rsa: of(Face::Rsa)?, ecdsa: of(Face::Ecdsa)?, provider })
    }

    /// Connects, as far as the server lets us, until the deadline. A server that declines a current client is
    /// asked again in its own way.
    pub async fn look(&self, probe: &TlsProbe, line: &Line<'_>, deadline: Deadline) -> Look {
        let there = There { probe, line, deadline };
        let (tcp, name) = match self.prepare(there).await {
            Ok(prepared) => prepared,
            Err(outcome) => return (outcome, Vec::new()),
        };
        let (look, glance) = self.handshake(tcp, name, there).await;
        let glance = match glance {
            None if older::may_be_old(&look.0) && deadline.is_left() => Box::pin(self.older(there)).await,
            known => known,
        };
        match glance {
            Some(glance) => older::served(glance, look.0),
            None => after_the_dialogue(probe.way, look),
        }
    }

    /// Everything before TLS.
    async fn prepare(&self, there: There<'_>) -> Result<(TcpStream, ServerName<'static>), TlsOutcome> {
        let There { probe, line, deadline } = there;
        let name = server_name(probe)?;
        let dialogue = match probe.way {
            Way::Implicit => None,
            Way::Starttls(protocol) => Some(preamble::of(protocol, line.ehlo, &asked_for(probe))),
        };
        let mut tcp = line.open(probe, deadline.of(Stage::Connect)).await?;
        if let Some(dialogue) = dialogue {
            match timeout_at(deadline.of(Stage::Dialogue), preamble::run(&mut tcp, dialogue)).await {
                Ok(Ok(())) => {}
                Ok(Err(outcome)) => return Err(outcome),
                Err(_) => return Err(TlsOutcome::Timeout(Stage::Dialogue)),
            }
        }
        Ok((tcp, name))
    }

    /// What a current client comes to; and what an older one did, if that was asked for in the meantime.
    async fn handshake(&self, tcp: TcpStream, name: ServerName<'static>, there: There<'_>) -> (Look, Option<Glance>) {
        let face = there.probe.face;
        let capture =
            Arc::new(Capture::new(self.provider.signature_verification_algorithms, face, there.line.client.cloned()));
        let mut config = match face {
            None => self.any.clone(),
            Some(Face::Rsa) => self.rsa.clone(),
            Some(Face::Ecdsa) => self.ecdsa.clone(),
        };
        config.enable_sni = there.probe.sni.is_some();
        config.dangerous().set_certificate_verifier(capture.clone());
        config.client_auth_cert_resolver = capture.clone();
        let mut wire = Wire::new(tcp);
        let (end, glance) = match connection(config, name) {
            Ok(mut tls) => self.shake(&mut tls, &mut wire, &capture, there).await,
            Err(e) => (End::Failed(io::Error::new(io::ErrorKind::InvalidData, e)), None),
        };
        let end = if wire.is_too_much() { End::TooMuch(LIMIT) } else { end };
        (outcome(capture.take(), end, wire.first()), glance)
    }

    /// Old servers may say nothing to a hello that is too young for them. Who is silent for half of the time is asked in
    /// an older way beside, without being left: it may be slow.
    async fn shake(
        &self,
        tls: &mut ClientConnection,
        wire: &mut Wire,
        capture: &Capture,
        there: There<'_>,
    ) -> (End, Option<Glance>) {
        let (until, leave) = (there.deadline.of(Stage::Handshake), farewell(there.probe.way));
        if let Ok(result) = timeout_at(older::halfway(until), shake_hands(tls, wire, capture, leave)).await {
            return (end(tls, Ok(result)), None);
        }
        let is_silent = wire.first().is_empty();
        if !is_silent {
            let result = timeout_at(until, shake_hands(tls, wire, capture, leave)).await;
            return (end(tls, result), None);
        }
        let (result, glance) = {
            let mut rest = pin!(timeout_at(until, shake_hands(tls, wire, capture, leave)));
            let mut older = Box::pin(self.older(there));
            tokio::select! {
                biased;
                result = &mut rest => (Some(result), None),
                glance = &mut older => match glance {
                    Some(glance) => (None, Some(glance)),
                    None => (Some(rest.await), None),
                },
            }
        };
        (result.map_or(End::Timeout, |r| end(tls, r)), glance)
    }
}

fn config(provider: Arc<CryptoProvider>) -> Result<ClientConfig, rustls::Error> {
    let verifier = Arc::new(Capture::new(provider.signature_verification_algorithms, None, None));
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// Boxed at once: it is large, and a future that waits would carry room for it twice.
fn connection(config: ClientConfig, name: ServerName<'static>) -> Result<Box<ClientConnection>, rustls::Error> {
    ClientConnection::new(Arc::new(config), name).map(Box::new)
}

/// How shaking hands in time ended.
fn end(tls: &ClientConnection, result: Result<io::Result<()>, tokio::time::error::Elapsed>) -> End {
    match result {
        Ok(Ok(())) => End::Complete { cipher: cipher(tls) },
        Ok(Err(e)) => End::Failed(e),
        Err(_) => End::Timeout,
    }
}

/// What is said at the end of a session that was upgraded. Where TLS begins at once, it is mostly the server that speaks first,
/// and its greeting is not waited for.
fn farewell(way: Way) -> &'static [u8] {
    match way {
        Way::Implicit => b"",
        Way::Starttls(protocol) => preamble::farewell(protocol),
    }
}

/// Clear text behind the go-ahead is one thing, be it in the same segment or in the next.
fn after_the_dialogue(way: Way, (outcome, blobs): Look) -> Look {
    match (way, outcome) {
        (Way::Starttls(_), TlsOutcome::NotTls(bytes)) => (TlsOutcome::BytesAfterGoAhead(bytes), blobs),
        (_, outcome) => (outcome, blobs),
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

/// The cipher suite by its IANA name.
fn cipher(tls: &ClientConnection) -> Option<Arc<str>> {
    let name = tls.negotiated_cipher_suite()?.suite().as_str()?;
    Some(outcome::shared(&name.replacen("TLS13_", "TLS_", 1)))
}

/// Whom a client asks for that names a domain before TLS: the SNI, or the address.
fn asked_for(probe: &TlsProbe) -> String {
    match &probe.sni {
        Some(name) => name.probe().to_string(),
        None => probe.address.ip().to_string(),
    }
}
