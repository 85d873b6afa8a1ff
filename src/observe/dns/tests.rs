//! Resolvers that play by the rules, and others.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

use tokio::time::Instant;

use super::*;
use crate::model::dns::RecordType;
use crate::model::name::Name;
use crate::observe::testbed::{self, Identity, Serves, answer, identity};

const LIMIT: Duration = Duration::from_millis(300);
/// For what must not end by the limit.
const LONG: Duration = Duration::from_secs(20);

/// Asks a resolver for the addresses of some names, all at once.
async fn ask_all(
    resolver: &str,
    peer: SocketAddr,
    anchors: &[Arc<[u8]>],
    limit: Duration,
    count: usize,
) -> Vec<DnsOutcome> {
    let name = |n| Name::parse(&format!("h{n}.domain.com")).unwrap();
    let asks = (0..count)
        .map(|number| Ask { number, name: name(number), kind: RecordType::A, unchecked: false, direct: false, limit })
        .collect();
    let asker = Asker::new(&ResolverAddr::parse(resolver).unwrap(), &Line { peer, route: None }, anchors, asks, 64);
    let (out, mut answers) = tokio::sync::mpsc::channel(1);
    let running = tokio::spawn(asker.run(out, 7));
    let mut outcomes = vec![None; count];
    while let Some((label, batch)) = answers.recv().await {
        assert_eq!(label, 7);
        for (number, outcome) in batch {
            assert_eq!(outcomes[number].replace(outcome), None, "answered twice");
        }
    }
    running.await.unwrap();
    outcomes.into_iter().map(Option::unwrap).collect()
}

async fn ask(resolver: &str, peer: SocketAddr, anchors: &[Arc<[u8]>], limit: Duration) -> DnsOutcome {
    ask_all(resolver, peer, anchors, limit, 1).await.remove(0)
}

fn is_answer(outcome: &DnsOutcome) -> bool {
    matches!(outcome, DnsOutcome::Answer(reply) if reply.addresses[0].address.is_loopback())
}

#[tokio::test]
async fn foreign_datagrams_are_ignored() {
    let peer = testbed::udp(|_, query| {
        let good = answer(&query);
        let change = |at: usize| {
            let mut bytes = good.clone();
            bytes[at] ^= 1;
            bytes
        };
        let mut echo = query.clone();
        echo[2] &= 0x7f;
        vec![change(0), change(1), change(14), echo, vec![7], good]
    })
    .await;
    assert!(is_answer(&ask("127.0.0.1", peer, &[], LONG).await));
}

#[tokio::test]
async fn a_question_is_sent_three_times_within_the_limit() {
    let third = testbed::udp(|n, query| if n == 2 { vec![answer(&query)] } else { vec![] }).await;
    assert!(is_answer(&ask("127.0.0.1", third, &[], LIMIT * 3).await));
    let sent = Arc::new(AtomicUsize::new(0));
    let count = sent.clone();
    let silent = testbed::udp(move |_, _| {
        count.fetch_add(1, Ordering::SeqCst);
        vec![]
    })
    .await;
    let begun = Instant::now();
    assert_eq!(ask("127.0.0.1", silent, &[], LIMIT).await, DnsOutcome::Timeout);
    assert!(begun.elapsed() >= LIMIT && begun.elapsed() < LIMIT * 10);
    assert_eq!(sent.load(Ordering::SeqCst), 3);
}

/// The number of a name `hN.domain.com` in a query.
fn number(query: &[u8]) -> u8 {
    let digits = &query[14..13 + usize::from(query[12])];
    std::str::from_utf8(digits).unwrap().parse().unwrap()
}

/// An answer whose address ends in the number of its name.
fn numbered(query: &[u8]) -> Vec<u8> {
    let mut bytes = answer(query);
    let address = bytes.windows(4).position(|w| w == [127, 0, 0, 1]).unwrap();
    bytes[address + 3] = number(query);
    bytes
}

fn assert_numbered(outcomes: &[DnsOutcome]) {
    for (number, outcome) in outcomes.iter().enumerate() {
        let DnsOutcome::Answer(reply) = outcome else { panic!("{number}: {outcome:?}") };
        assert_eq!(reply.addresses[0].address.to_string(), format!("127.0.0.{number}"));
    }
}

#[tokio::test]
async fn lost_datagrams_are_sent_again() {
    let mut lost = [0; 100];
    let lossy = testbed::udp(move |_, query| {
        let number = usize::from(number(&query));
        lost[number] += 1;
        if lost[number] > number % 3 { vec![numbered(&query)] } else { vec![] }
    })
    .await;
    assert_numbered(&ask_all("127.0.0.1", lossy, &[], LIMIT * 3, 100).await);
}

#[tokio::test]
async fn answers_may_come_in_any_order_and_twice() {
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let backwards = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut held, mut buffer) = (Vec::new(), [0; 512]);
        // as many as a resolver is asked that has not answered yet
        while held.len() < 16 {
            let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
            held.push((numbered(&buffer[..length]), from));
        }
        for (answer, from) in held.iter().rev().flat_map(|a| [a, a]) {
            socket.send_to(answer, from).await.unwrap();
        }
    });
    assert_numbered(&ask_all("127.0.0.1", backwards, &[], LONG, 16).await);
}

/// An id that is free again is given to another question; what comes late for the first is not the second's.
#[tokio::test]
async fn a_late_answer_under_a_new_id_is_not_taken() {
    let mut before: Option<Vec<u8>> = None;
    let late = testbed::udp(move |_, query| {
        let good = numbered(&query);
        let mut stale = before.replace(good.clone()).unwrap_or_default();
        if let Some(id) = stale.get_mut(..2) {
            id.copy_from_slice(&query[..2]);
        }
        vec![stale, good]
    })
    .await;
    assert_numbered(&ask_all("127.0.0.1", late, &[], LONG, 200).await);
}

#[tokio::test]
async fn a_resolver_that_closes_its_port_meanwhile_is_told_of() {
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let peer = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 512];
        for _ in 0..5 {
            let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
            socket.send_to(&answer(&buffer[..length]), from).await.unwrap();
        }
    });
    let outcomes = ask_all("127.0.0.1", peer, &[], LIMIT * 3, 200).await;
    let refused = DnsOutcome::Unreachable("connection refused".into());
    assert_eq!(outcomes.iter().filter(|o| is_answer(o)).count(), 5);
    assert_eq!(outcomes.iter().filter(|o| **o == refused).count(), 195, "{outcomes:?}");
}

/// A server that does not know EDNS, does not fit its answers into datagrams, and loses the first of each.
#[tokio::test]
async fn troubles_come_together() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let peer = listener.local_addr().unwrap();
    let socket = tokio::net::UdpSocket::bind(peer).await.unwrap();
    tokio::spawn(testbed::serve(listener, |_, stream| answer_all(stream, usize::MAX)));
    tokio::spawn(async move {
        let (mut buffer, mut seen) = ([0; 512], HashSet::new());
        loop {
            let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
            if seen.insert((number(&buffer), buffer[11])) {
                continue;
            }
            buffer[2] |= 0x80;
            match buffer[11] {
                0 => buffer[2] |= 0x02,
                _ => buffer[3] |= 0x01,
            }
            socket.send_to(&buffer[..length], from).await.unwrap();
        }
    });
    let outcomes = ask_all("127.0.0.1", peer, &[], LIMIT * 10, 8).await;
    assert!(outcomes.iter().all(|o| is_answer(o) && o.reply().unwrap().after_truncation), "{outcomes:?}");
}

#[tokio::test]
async fn a_closed_port_is_told_at_once() {
    let (nobody, begun) = (testbed::nobody(), Instant::now());
    for resolver in ["127.0.0.1", "tcp://127.0.0.1", "tls://127.0.0.1"] {
        let outcome = ask(resolver, nobody, &[], LONG).await;
        assert_eq!(outcome, DnsOutcome::Unreachable("connection refused".into()), "{resolver}");
        assert!(begun.elapsed() < LONG / 3, "{resolver}: a question is sent again by then");
    }
    assert!(matches!(ask("https://127.0.0.1", nobody, &[], LONG).await, DnsOutcome::Unreachable(_)));
}

/// Many share a socket, and the first that is sent again would be told too, but late.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_that_share_a_socket_are_told_of_a_closed_port() {
    let (nobody, begun) = (testbed::nobody(), Instant::now());
    for count in [1, 2, 64, 500] {
        let outcomes = ask_all("127.0.0.1", nobody, &[], LONG, count).await;
        let refused = DnsOutcome::Unreachable("connection refused".into());
        assert!(outcomes.iter().all(|o| *o == refused), "{outcomes:?}");
    }
    assert!(begun.elapsed() < LONG / 3, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn truncation_leads_to_tcp() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let peer = listener.local_addr().unwrap();
    let socket = tokio::net::UdpSocket::bind(peer).await.unwrap();
    tokio::spawn(testbed::serve(listener, |_, stream| answer_all(stream, usize::MAX)));
    tokio::spawn(async move {
        let mut buffer = [0; 512];
        let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
        buffer[2] |= 0x82;
        socket.send_to(&buffer[..length], from).await.unwrap();
    });
    let outcome = ask("127.0.0.1", peer, &[], LONG).await;
    assert!(is_answer(&outcome) && outcome.reply().unwrap().after_truncation);
}

#[tokio::test]
async fn a_server_that_does_not_know_edns_is_asked_without() {
    let error = |query: &[u8]| [&query[..2], &[0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0]].concat();
    let old = testbed::udp(move |_, query| match query[11] {
        0 => vec![answer(&query)],
        _ => vec![error(&query)],
    })
    .await;
    assert!(is_answer(&ask("127.0.0.1", old, &[], LONG).await));
    let broken = testbed::udp(move |_, query| vec![error(&query)]).await;
    assert_eq!(ask("127.0.0.1", broken, &[], LONG).await, DnsOutcome::Code(1));
}

#[tokio::test]
async fn rubbish_under_the_right_id_is_malformed() {
    let half = testbed::udp(|_, query| vec![answer(&query)[..40].to_vec()]).await;
    let tiny = testbed::udp(|_, query| vec![query[..3].to_vec()]).await;
    for peer in [half, tiny] {
        let outcome = ask("127.0.0.1", peer, &[], LONG).await;
        assert!(matches!(outcome, DnsOutcome::Malformed(_)), "{outcome:?}");
    }
}

/// Answers questions behind their lengths, and closes after some.
async fn answer_all(mut stream: impl AsyncRead + AsyncWrite + Unpin, count: usize) {
    for _ in 0..count {
        let Ok(length) = stream.read_u16().await else { return };
        let mut query = vec![0; usize::from(length)];
        stream.read_exact(&mut query).await.unwrap();
        let answer = answer(&query);
        stream.write_u16(answer.len() as u16).await.unwrap();
        stream.write_all(&answer).await.unwrap();
    }
}

#[tokio::test]
async fn many_questions_share_a_connection_and_outlive_its_end() {
    for count in [usize::MAX, 1, 7] {
        let peer = testbed::tcp(move |_, stream| answer_all(stream, count)).await;
        for outcome in ask_all("tcp://127.0.0.1", peer, &[], LONG, 20).await {
            assert!(is_answer(&outcome), "{count}: {outcome:?}");
        }
    }
    let closes = testbed::tcp(|_, stream| async move { drop(stream) }).await;
    let outcome = ask("tcp://127.0.0.1", closes, &[], LONG).await;
    assert!(matches!(outcome, DnsOutcome::Unreachable(_)), "{outcome:?}");
    let silent = testbed::tcp(|_, stream| async move {
        let _stream = stream;
        std::future::pending().await
    })
    .await;
    assert_eq!(ask("tcp://127.0.0.1", silent, &[], LIMIT).await, DnsOutcome::Timeout);
}

fn server_tls(identity: &Identity, alpn: &[&[u8]]) -> TlsAcceptor {
    let serves = Serves::new(vec![identity.certificate.clone()], &identity.key);
    let mut config = (*testbed::tls(serves)).clone();
    config.alpn_protocols = alpn.iter().map(|p| p.to_vec()).collect();
    TlsAcceptor::from(Arc::new(config))
}

fn anchor(certificate: &CertificateDer<'_>) -> Vec<Arc<[u8]>> {
    vec![certificate.to_vec().into()]
}

#[tokio::test]
async fn a_resolver_by_tls_has_to_prove_its_address() {
    let own = identity("dns.example");
    let acceptor = server_tls(&own, &[]);
    let peer = testbed::tcp(move |_, stream| {
        let acceptor = acceptor.clone();
        async move {
            if let Ok(stream) = acceptor.accept(stream).await {
                answer_all(stream, usize::MAX).await;
            }
        }
    })
    .await;
    assert!(is_answer(&ask("tls://127.0.0.1", peer, &anchor(&own.certificate), LONG).await));
    for (resolver, anchors) in [
        ("tls://127.0.0.1", anchor(&identity("dns.example").certificate)),
        ("tls://127.0.0.1", vec![]),
        ("tls://127.0.0.2", anchor(&own.certificate)),
    ] {
        let outcome = ask(resolver, peer, &anchors, LONG).await;
        assert!(matches!(&outcome, DnsOutcome::Unreachable(why) if why.contains("certificate")), "{outcome:?}");
    }
}

/// As much of HTTP/2 (RFC 9113) as one client needs: settings, and an answer to each body.
async fn speak_h2(mut stream: impl AsyncRead + AsyncWrite + Unpin, status: u8) -> io::Result<()> {
    let frame = |kind: u8, flags: u8, id: u32, body: &[u8]| {
        let length = (body.len() as u32).to_be_bytes();
        [&length[1..], &[kind, flags], &id.to_be_bytes(), body].concat()
    };
    stream.read_exact(&mut [0; 24]).await?;
    stream.write_all(&frame(4, 0, 0, &[])).await?;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await?;
        let mut body = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        stream.read_exact(&mut body).await?;
        let id = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        match (head[3], head[4] & 1) {
            (4, 0) => stream.write_all(&frame(4, 1, 0, &[])).await?,
            (0, 1) => {
                stream.write_all(&frame(1, 4, id, &[status])).await?;
                stream.write_all(&frame(0, 1, id, &answer(&body))).await?;
            }
            _ => {}
        }
        stream.flush().await?;
    }
}

#[tokio::test]
async fn a_resolver_is_asked_over_https() {
    let own = identity("dns.example");
    let acceptor = server_tls(&own, &[b"h2"]);
    // HPACK's static table: 8 is `:status: 200`, 13 is `:status: 404`
    let statuses = [0x88, 0x8d];
    let peer = testbed::tcp(move |n, stream| {
        let acceptor = acceptor.clone();
        async move {
            if let Ok(stream) = acceptor.accept(stream).await {
                let _ = speak_h2(stream, statuses[n.min(1)]).await;
            }
        }
    })
    .await;
    let anchors = anchor(&own.certificate);
    let https = "https://127.0.0.1/dns-query";
    assert!(is_answer(&ask(https, peer, &anchors, LONG).await));
    let outcome = ask(https, peer, &anchors, LONG).await;
    assert!(matches!(&outcome, DnsOutcome::Malformed(why) if why.contains("404")), "{outcome:?}");
    let outcome = ask(https, peer, &[], LONG).await;
    assert!(matches!(&outcome, DnsOutcome::Unreachable(why) if why.contains("certificate")), "{outcome:?}");
    assert!(matches!(ask("https://[::1]", peer, &anchors, LONG).await, DnsOutcome::Unreachable(_)));
}
