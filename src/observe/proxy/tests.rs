//! Ways through proxies on loopback that do as they are told.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::model::service::Way;
use crate::observe::testbed;

/// A proxy that answers each word of ours with its next one, and then keeps the connection.
async fn says(words: &'static [&'static [u8]]) -> SocketAddr {
    testbed::tcp(move |_, mut stream| async move {
        for word in words {
            if stream.read(&mut [0; 1024]).await.unwrap_or(0) == 0 || stream.write_all(word).await.is_err() {
                return;
            }
        }
        while stream.read(&mut [0; 1024]).await.is_ok_and(|n| n > 0) {}
    })
    .await
}

fn route(scheme: &str, at: SocketAddr) -> Route {
    let user = Proxy::parse(&format!("{scheme}://me@{at}")).unwrap();
    Route::new("run".into(), user, Some(Secret::new("secret".into())))
}

async fn led(route: &Route, millis: u64) -> Result<TcpStream, TlsOutcome> {
    let address: SocketAddr = "203.0.113.10:25".parse().unwrap();
    let probe =
        TlsProbe { address, way: Way::Implicit, sni: Some(Name::parse("mail.domain.com").unwrap()), face: None };
    route.open(&probe, address, Instant::now() + Duration::from_millis(millis)).await
}

async fn fault(scheme: &str, at: SocketAddr, millis: u64) -> ProxyFault {
    match led(&route(scheme, at), millis).await {
        Err(TlsOutcome::Proxy(fault)) => fault,
        other => panic!("{other:?}"),
    }
}

const LET_IN: &[u8] = &[5, 2];
const KNOWN: &[u8] = &[1, 0];

#[tokio::test]
async fn what_the_endpoint_says_at_once_is_kept() {
    const GREETS: &[u8] = b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\n220 mail ESMTP\r\n";
    const LEADS: &[u8] = &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0, b'2', b'2', b'0', b' ', b'h', b'i'];
    for (scheme, at, first) in [
        ("http", says(&[GREETS]).await, &b"220 mail ESMTP\r\n"[..]),
        ("socks5", says(&[LET_IN, KNOWN, LEADS]).await, b"220 hi"),
    ] {
        let mut tcp = led(&route(scheme, at), 20_000).await.unwrap();
        let mut heard = vec![0; first.len()];
        tcp.read_exact(&mut heard).await.unwrap();
        assert_eq!(heard, first, "{scheme}");
    }
}

#[tokio::test]
async fn what_a_proxy_is_told_is_the_address_or_the_name() {
    for (scheme, wanted) in [
        ("http", &b"CONNECT 203.0.113.10:25 HTTP/1.1\r\nHost: 203.0.113.10:25\r\nProxy-Authorization: Basic "[..]),
        ("socks5", &[5, 1, 0, 1, 203, 0, 113, 10, 0, 25]),
        ("socks5h", b"\x05\x01\x00\x03\x0fmail.domain.com\x00\x19"),
    ] {
        let (told, heard) = tokio::sync::oneshot::channel();
        let told = std::sync::Mutex::new(Some(told));
        let at = testbed::tcp(move |_, mut stream| {
            let told = told.lock().unwrap().take();
            async move {
                let mut word = vec![0; 1024];
                if scheme != "http" {
                    for answer in [LET_IN, KNOWN] {
                        let _ = stream.read(&mut word).await;
                        let _ = stream.write_all(answer).await;
                    }
                }
                let length = stream.read(&mut word).await.unwrap();
                word.truncate(length);
                let _ = told.map(|t| t.send(word));
            }
        })
        .await;
        assert_eq!(fault(scheme, at, 20_000).await, ProxyFault::Closed);
        assert!(heard.await.unwrap().starts_with(wanted), "{scheme}");
    }
}

#[tokio::test]
async fn the_endpoints_refusal_is_the_endpoints() {
    const REFUSES: &[u8] = &[5, 5, 0, 1, 0, 0, 0, 0, 0, 0];
    const AWAY: &[u8] = &[5, 4, 0, 1, 0, 0, 0, 0, 0, 0];
    let outcome = |words| async move { led(&route("socks5", says(words).await), 20_000).await.err() };
    assert_eq!(outcome(&[LET_IN, KNOWN, REFUSES]).await, Some(TlsOutcome::Refused));
    assert!(matches!(outcome(&[LET_IN, KNOWN, AWAY]).await, Some(TlsOutcome::Unreachable(_))));
}

#[tokio::test]
async fn a_proxys_own_failures_are_told_apart() {
    use ProxyFault as P;
    const FORBIDS: &[u8] = &[5, 2, 0, 1, 0, 0, 0, 0, 0, 0];
    const FAILS: &[u8] = &[5, 1, 0, 1, 0, 0, 0, 0, 0, 0];
    assert!(matches!(fault("socks5", testbed::nobody(), 20_000).await, P::NotReached(_)));
    assert!(matches!(fault("http", testbed::nobody(), 20_000).await, P::NotReached(_)));
    let socks = |words, millis| async move { fault("socks5", says(words).await, millis).await };
    assert!(matches!(socks(&[&[5, 255]], 20_000).await, P::Authentication(_)));
    assert!(matches!(socks(&[LET_IN, &[1, 1]], 20_000).await, P::Authentication(_)));
    assert!(matches!(socks(&[LET_IN, KNOWN, FORBIDS], 20_000).await, P::NotAllowed(_)));
    assert!(matches!(socks(&[LET_IN, KNOWN, FAILS], 20_000).await, P::Failed(_)));
    assert!(
        matches!(socks(&[b"HTTP/1.1 400 Bad Request\r\n\r\n"], 20_000).await, P::NotThisProtocol(b) if b[0] == b'H')
    );
    assert_eq!(socks(&[], 150).await, P::Silent);
    assert_eq!(socks(&[LET_IN, KNOWN], 150).await, P::NoWord);
    let http = |words, millis| async move { fault("http", says(words).await, millis).await };
    assert_eq!(http(&[&[5, 255]], 20_000).await, P::NotThisProtocol(vec![5, 255]));
    assert_eq!(http(&[b"HTTP/1.1 200"], 150).await, P::Silent);
    assert_eq!(http(&[], 150).await, P::NoWord);
    let closes = testbed::tcp(|_, stream| async move { drop(stream) }).await;
    assert_eq!(fault("http", closes, 20_000).await, P::Closed);
    assert_eq!(fault("socks5", closes, 20_000).await, P::Closed);
}

#[tokio::test]
async fn nothing_shows_a_password() {
    let route = route("socks5", testbed::nobody());
    assert!(!format!("{route:?}").contains("secret"));
}
