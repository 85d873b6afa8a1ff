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
fn cipher(tls: &ClientConnection) -> Option<Box<str>> {
    tls.negotiated_cipher_suite().and_then(|s| s.suite().as_str().map(|name| name.replacen("TLS13_", "TLS_", 1).into()))
}

/// Whom a client asks for that names a domain before TLS: the SNI, or the address.
fn asked_for(probe: &TlsProbe) -> String {
    match &probe.sni {
        Some(name) => name.probe().to_string(),
        None => probe.address.ip().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rustls::server::WebPkiClientVerifier;
    use rustls::{RootCertStore, ServerConfig};
    use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
    use tokio_rustls::TlsAcceptor;

    use super::*;
    use crate::model::name::Name;
    use crate::model::probes::Manners;
    use crate::model::service::Protocol;
    use crate::model::tls::{Possession, Served};
    use crate::observe::deadline::Limits;
    use crate::observe::testbed::{self, Serves, identity, tls, tls_server};

    const NAME: &str = "mail.domain.com";

    async fn look_as(address: SocketAddr, way: Way, sni: Option<&str>, limit: u64) -> Look {
        let probe = TlsProbe { address, way, sni: sni.map(|n| Name::parse(n).unwrap()), face: None };
        let manners = Manners { timeout_ms: Some(limit), ..Manners::default() };
        let deadline = Limits::of(&manners, Duration::ZERO).begin();
        let line = Line { to: address, route: None, ehlo: "probe.example", client: None };
        Handshakes::new().unwrap().look(&probe, &line, deadline).await
    }

    async fn look(address: SocketAddr) -> TlsOutcome {
        look_as(address, Way::Implicit, Some(NAME), 20_000).await.0
    }

    fn served(outcome: TlsOutcome) -> Served {
        match outcome {
            TlsOutcome::Certificate(served) => served,
            other => panic!("{other:?}"),
        }
    }

    /// A server that sends some bytes at once and closes after the client's first.
    async fn says(bytes: &'static [u8]) -> SocketAddr {
        testbed::tcp(move |_, mut stream| async move {
            let _ = stream.write_all(bytes).await;
            let _ = stream.read(&mut [0; 4096]).await;
        })
        .await
    }

    async fn silent() -> SocketAddr {
        testbed::tcp(|_, stream| async move {
            let _stream = stream;
            std::future::pending().await
        })
        .await
    }

    #[tokio::test]
    async fn the_chain_is_kept_in_its_order_and_possession_proved() {
        let (own, other) = (identity(NAME), identity("other.example"));
        let serves = Serves::new(vec![own.certificate.clone(), other.certificate.clone()], &own.key);
        let address = tls_server(tls(serves.clone())).await;
        let (outcome, blobs) = look_as(address, Way::Implicit, Some(NAME), 20_000).await;
        let served = served(outcome);
        let ders: Vec<_> = blobs.iter().map(|(_, der)| der.clone()).collect();
        assert_eq!(ders, [own.certificate.to_vec(), other.certificate.to_vec()]);
        assert_eq!(served.chain, [blobs[0].0, blobs[1].0]);
        assert_eq!((served.possession, served.ended), (Possession::Proved, None));
        assert_eq!(served.version.as_deref(), Some("TLS 1.3"));
        assert!(served.cipher.unwrap().starts_with("TLS_AES_"));
        assert!(matches!(look_as(address, Way::Implicit, None, 20_000).await.0, TlsOutcome::Certificate(_)));
        assert_eq!(*serves.asked.lock().unwrap(), [Some(NAME.to_string()), None]);
    }

    #[tokio::test]
    async fn a_key_that_is_not_the_certificates_is_seen() {
        let (own, other) = (identity(NAME), identity(NAME));
        let serves = Serves::new(vec![own.certificate], &other.key);
        let served = served(look(tls_server(tls(serves)).await).await);
        assert!(matches!(served.possession, Possession::Failed(_)), "{served:?}");
        assert_eq!(served.chain.len(), 1);
    }

    #[tokio::test]
    async fn a_server_that_wants_to_know_us_shows_its_chain_first() {
        let own = identity(NAME);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(own.certificate.clone()).unwrap();
        let wants = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone()).build().unwrap();
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS12])
            .unwrap()
            .with_client_cert_verifier(wants)
            .with_cert_resolver(Serves::new(vec![own.certificate], &own.key));
        let served = served(look(tls_server(Arc::new(config)).await).await);
        assert_eq!(served.possession, Possession::Proved);
        assert_eq!(served.version.as_deref(), Some("TLS 1.2"));
        assert_eq!(served.ended.as_deref(), Some("alert certificate_required"));
    }

    #[tokio::test]
    async fn a_chain_that_is_too_large_is_not_taken() {
        let own = identity(NAME);
        for (copies, words) in [(150, "a chain of 150 certificates"), (400, "64 KiB")] {
            let serves = Serves::new(vec![own.certificate.clone(); copies], &own.key);
            let outcome = look(tls_server(tls(serves)).await).await;
            assert!(matches!(&outcome, TlsOutcome::TooLarge(what) if what.contains(words)), "{outcome:?}");
        }
        let endless = says(&[22, 3, 3, 0, 4, 2, 0xff, 0xff, 0xff]).await;
        assert!(matches!(look(endless).await, TlsOutcome::TooLarge(_)));
    }

    #[tokio::test]
    async fn what_is_not_tls_is_kept() {
        let smtp = says(b"220 mail.domain.com ESMTP\r\n").await;
        assert_eq!(look(smtp).await, TlsOutcome::NotTls(b"220 mail.domain.com ESMTP\r\n".to_vec()));
        assert_eq!(look(says(b"hi").await).await, TlsOutcome::NotTls(b"hi".to_vec()));
    }

    #[tokio::test]
    async fn servers_without_tls_1_2_say_so_in_their_ways() {
        // They say the same to whatever hello: what the current client came to is told.
        let alert = says(&[21, 3, 1, 0, 2, 2, 70]).await;
        assert_eq!(look(alert).await, TlsOutcome::Alert("protocol_version".into()));
        // A ServerHello of TLS 1.0: version, random, no session, AES128-SHA, no compression.
        const HELLO: [u8; 47] = {
            let mut hello = [0; 47];
            let head = [22, 3, 1, 0, 42, 2, 0, 0, 38, 3, 1];
            let mut i = 0;
            while i < head.len() {
                hello[i] = head[i];
                i += 1;
            }
            hello[45] = 0x2f;
            hello
        };
        assert_eq!(look(says(&HELLO).await).await, TlsOutcome::OldVersion("TLS 1.0".into()));
    }

    #[tokio::test]
    async fn an_endpoint_that_fails_says_where() {
        assert_eq!(look(testbed::nobody()).await, TlsOutcome::Refused);
        assert_eq!(look(says(b"").await).await, TlsOutcome::Closed(Stage::Handshake));
        let silent = silent().await;
        let short = |way| look_as(silent, way, Some(NAME), 150);
        assert_eq!(short(Way::Implicit).await.0, TlsOutcome::Timeout(Stage::Handshake));
        assert_eq!(short(Way::Starttls(Protocol::Imap)).await.0, TlsOutcome::Timeout(Stage::Dialogue));
        let closes = testbed::tcp(|_, stream| async move { drop(stream) }).await;
        let starttls = look_as(closes, Way::Starttls(Protocol::Pop3), Some(NAME), 20_000).await.0;
        assert_eq!(starttls, TlsOutcome::Closed(Stage::Dialogue));
    }

    #[tokio::test]
    async fn what_cannot_be_looked_at_is_not_dialled() {
        let none = look("0.0.0.0:443".parse().unwrap()).await;
        assert!(matches!(none, TlsOutcome::CannotLook(_)), "{none:?}");
    }

    /// A listener whose queue is full drops what knocks: on Linux, silence while connecting.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn silence_while_connecting_is_told() {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let fill = (0..4).map(|_| look_as(address, Way::Implicit, Some(NAME), 150));
        let outcomes = futures_util::future::join_all(fill).await;
        assert!(outcomes.iter().any(|(o, _)| *o == TlsOutcome::Timeout(Stage::Connect)), "{outcomes:?}");
    }

    /// A mail server: greets, offers STARTTLS, goes ahead with `go`, then speaks TLS.
    async fn mail_server(go: &'static [u8]) -> SocketAddr {
        let own = identity(NAME);
        let acceptor = TlsAcceptor::from(tls(Serves::new(vec![own.certificate], &own.key)));
        testbed::tcp(move |_, stream| {
            let acceptor = acceptor.clone();
            async move {
                let mut stream = BufReader::new(stream);
                let mut line = String::new();
                for reply in [&b"220 ready\r\n"[..], b"250-hello\r\n250 STARTTLS\r\n", go] {
                    stream.write_all(reply).await.unwrap();
                    if reply != go {
                        stream.read_line(&mut line).await.unwrap();
                    }
                }
                assert_eq!(line, "EHLO probe.example\r\nSTARTTLS\r\n");
                if let Ok(mut tls) = acceptor.accept(stream).await {
                    let _ = tls.read(&mut [0; 16]).await;
                }
            }
        })
        .await
    }

    #[tokio::test]
    async fn tls_begins_after_the_dialogue_and_not_before_its_end() {
        let smtp = Way::Starttls(Protocol::Smtp);
        let address = mail_server(b"220 go\r\n").await;
        let served = served(look_as(address, smtp, Some(NAME), 20_000).await.0);
        assert_eq!(served.possession, Possession::Proved);
        let injects = mail_server(b"220 go\r\n250 ok\r\n").await;
        let outcome = look_as(injects, smtp, Some(NAME), 20_000).await.0;
        assert_eq!(outcome, TlsOutcome::BytesAfterGoAhead(b"250 ok\r\n".to_vec()));
        assert_eq!(
            after_the_dialogue(smtp, (TlsOutcome::NotTls(vec![1]), vec![])).0,
            TlsOutcome::BytesAfterGoAhead(vec![1])
        );
        let refuses = mail_server(b"454 later\r\n").await;
        let outcome = look_as(refuses, smtp, Some(NAME), 20_000).await.0;
        assert_eq!(outcome, TlsOutcome::TryLater("454 later".into()));
    }
}
