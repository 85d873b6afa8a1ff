//! TLS servers that do anything but serve.

use std::sync::Arc;

use rustls::ServerConnection;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

use crate::authority::{Authority, Identity, below_a_circle};
use crate::farm::{End, judge};
use crate::flight::{Break, play};
use crate::servers::{BUFFERS, Counter, drips, floods, leave, says, tcp};

const UNREACHABLE: &str = "endpoint-unreachable";
const OPEN: &str = "evidence-missing";

/// A record (RFC 8446 section 5.1).
fn record(kind: u8, length: u16, body: &[u8]) -> Vec<u8> {
    [&[kind, 3, 3], &length.to_be_bytes()[..], body].concat()
}

/// An alert in the clear: its level and kind.
fn alert(level: u8, kind: u8) -> Vec<u8> {
    record(21, 2, &[level, kind])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_break_off_say_how() {
    let authority = Authority::new();
    let at_once = tcp(|stream| async move { drop(stream) }).await;
    let later = tcp(|mut stream| async move { drop(stream.read(&mut [0; 4096]).await) }).await;
    let silent = says(vec![], true).await;
    let goodbye = tcp(|mut stream| async move {
        let _ = stream.read(&mut [0; 4096]).await;
        let _ = stream.write_all(&alert(1, 0)).await;
    })
    .await;
    let http = says(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".to_vec(), false).await;
    let mut ends = vec![
        End::new("closes-at-once", at_once, "closed during the TLS handshake", UNREACHABLE),
        End::new("closes-later", later, "closed during the TLS handshake", UNREACHABLE),
        End::new("silent", silent, "no answer in time during the TLS handshake", OPEN),
        End::new("says-goodbye", goodbye, "closed during the TLS handshake", UNREACHABLE),
        End::new("speaks-http", http, "not TLS: \"HTTP/1.1 400", UNREACHABLE),
        End::new("speaks-first", says(b"SSH-2.0-x\r\n".to_vec(), true).await, "not TLS: \"SSH-2.0-x", UNREACHABLE),
        End::new("rubbish", says((1..=255).cycle().take(9000).collect(), false).await, "not TLS", UNREACHABLE),
    ];
    for (label, kind, outcome, rule) in [
        ("handshake-failure", 40, "TLS alert before a certificate: handshake_failure", OPEN),
        ("protocol-version", 70, "TLS alert before a certificate: protocol_version", OPEN),
        ("unrecognized-name", 112, "TLS alert before a certificate: unrecognized_name", UNREACHABLE),
        ("internal-error", 80, "TLS alert before a certificate: internal_error", OPEN),
        ("unheard-of", 222, "TLS alert before a certificate: 222", OPEN),
    ] {
        ends.push(End::new(label, says(alert(2, kind), false).await, outcome, rule));
    }
    judge(&authority, ends).await;
}

/// Warns, and then serves all the same (RFC 6066 section 3); or goes as far as the certificate, and then refuses.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alerts_around_the_certificate_are_told_apart() {
    let authority = Authority::new();
    let config = Arc::new(authority.issue(vec![]).server(&rustls::version::TLS12));
    let warns = warning(config.clone()).await;
    let mut ends = vec![End::new("warns", warns, "a certificate", "")];
    for (label, kind) in [("late-failure", 40), ("late-error", 80), ("late-goodbye", 0)] {
        let config = config.clone();
        let refuses = tcp(move |mut stream| {
            let config = config.clone();
            async move {
                let mut tls = ServerConnection::new(config).unwrap();
                let flight = first_flight(&mut stream, &mut tls).await;
                let level = if kind == 0 { 1 } else { 2 };
                let _ = stream.write_all(&[flight, alert(level, kind)].concat()).await;
                if kind != 0 {
                    leave(&mut stream).await;
                }
            }
        })
        .await;
        ends.push(End::new(label, refuses, "a certificate", OPEN));
    }
    judge(&authority, ends).await;
}

async fn warning(config: Arc<rustls::ServerConfig>) -> std::net::SocketAddr {
    tcp(move |mut stream| {
        let config = config.clone();
        async move {
            let _ = stream.write_all(&alert(1, 112)).await;
            play(&mut stream, config, Break::Stall, 1 << 20).await;
        }
    })
    .await
}

/// What a server says to a client's hello.
async fn first_flight(stream: &mut tokio::net::TcpStream, tls: &mut ServerConnection) -> Vec<u8> {
    let mut flight = Vec::new();
    let mut buffer = [0; 4096];
    while !tls.wants_write() {
        let length = stream.read(&mut buffer).await.unwrap();
        let mut come = &buffer[..length];
        while !come.is_empty() {
            tls.read_tls(&mut come).unwrap();
        }
        // Who takes another kind of key only is told so.
        let _ = tls.process_new_packets();
    }
    while tls.wants_write() {
        tls.write_tls(&mut flight).unwrap();
    }
    flight
}

/// A server that shows a chain as it is.
async fn shows(identity: &Identity, version: &'static rustls::SupportedProtocolVersion) -> std::net::SocketAddr {
    let acceptor = TlsAcceptor::from(Arc::new(identity.server(version)));
    tcp(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            if let Ok(mut tls) = acceptor.accept(stream).await {
                leave(&mut tls).await;
            }
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chains_without_measure_are_too_large_or_judged_in_time() {
    let authority = Authority::new();
    let behind = |copies: usize| authority.issue(vec![authority.der().into(); copies]);
    let mut ends = Vec::new();
    for (version, protocol) in [(&rustls::version::TLS12, "old"), (&rustls::version::TLS13, "new")] {
        for (copies, outcome, rule) in [
            (99, "a certificate", ""),
            (100, "too large: a chain of 101 certificates", OPEN),
            (300, "too large: a", OPEN),
        ] {
            let label = format!("{protocol}-{copies}");
            ends.push(End::new(&label, shows(&behind(copies), version).await, outcome, rule));
        }
    }
    let circle = shows(&below_a_circle(90), &rustls::version::TLS13).await;
    ends.push(End::new("circle", circle, "a certificate", "untrusted-issuer-for-view"));
    judge(&authority, ends).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_and_messages_without_measure_are_refused() {
    let authority = Authority::new();
    let hello = [2, 0xff, 0xff, 0xff];
    let zeros = |length: u16| record(22, length, &vec![0; usize::from(length)]);
    let mut ends = vec![
        End::new("giant-message", says(record(22, 4, &hello), false).await, "too large: a handshake message", OPEN),
        End::new("empty-record", says(record(22, 0, &[]), false).await, "TLS failed", OPEN),
        End::new("record-18432", says(zeros(18_432), false).await, "too large: a TLS record", OPEN),
        End::new("record-18433", says(zeros(18_433), false).await, "too large: a TLS record", OPEN),
        End::new("record-65535", says(zeros(65_535), false).await, "too large: a TLS record", OPEN),
    ];
    let written = Counter::default();
    for (label, begin, again, outcome) in [
        ("endless-hello-requests", vec![], record(22, 4, &[0; 4]), "TLS failed"),
        ("endless-empty-records", vec![], record(22, 0, &[]), "TLS failed"),
        ("endless-warnings", vec![], alert(1, 112), "TLS failed"),
        ("endless-spec-changes", vec![], record(20, 1, &[1]), "TLS failed"),
        ("endless-crumbs", record(22, 4, &[2, 0, 0xff, 0xff]), record(22, 1, &[0]), "too large"),
        ("endless-text", b"220 ".to_vec(), b"hello ".to_vec(), "not TLS"),
        ("endless-nul", vec![0], vec![0], "not TLS"),
    ] {
        let written = written.clone();
        let flood = tcp(move |mut stream| {
            let (begin, again, written) = (begin.clone(), again.clone(), written.clone());
            async move { floods(&mut stream, &begin, &again, &written).await }
        })
        .await;
        let rule = if outcome == "not TLS" { UNREACHABLE } else { OPEN };
        ends.push(End::new(label, flood, outcome, rule));
    }
    let floods = 2 * 7;
    judge(&authority, ends).await;
    assert!(written.get() < floods * BUFFERS, "{} bytes were taken", written.get());
}

/// Tickets by the hundred, then data without end: the certificate is known, and no more is read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_after_the_handshake_is_not_read() {
    let authority = Authority::new();
    let mut config = authority.issue(vec![]).server(&rustls::version::TLS13);
    config.send_tls13_tickets = 500;
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let written = Counter::default();
    let counter = written.clone();
    let generous = tcp(move |stream| {
        let (acceptor, counter) = (acceptor.clone(), counter.clone());
        async move {
            if let Ok(mut tls) = acceptor.accept(stream).await {
                floods(&mut tls, b"", b"tickets, tickets ", &counter).await;
            }
        }
    })
    .await;
    judge(&authority, vec![End::new("generous", generous, "a certificate", "")]).await;
    assert!(written.get() < 2 * BUFFERS, "{} bytes were taken", written.get());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_byte_a_second_is_no_answer() {
    let authority = Authority::new();
    let config = Arc::new(authority.issue(vec![]).server(&rustls::version::TLS13));
    let slow = tcp(move |mut stream| {
        let config = config.clone();
        async move {
            let flight = first_flight(&mut stream, &mut ServerConnection::new(config).unwrap()).await;
            drips(&mut stream, &flight).await;
        }
    })
    .await;
    let end = End::new("slow", slow, "no answer in time during the TLS handshake", OPEN);
    judge(&authority, vec![end]).await;
}
