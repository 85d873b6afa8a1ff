//! Connections to servers on loopback that do as they are told.

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
