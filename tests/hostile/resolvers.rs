//! Resolvers that lie, stall, and answer something else; each in a view of its own, all in one run.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use coexist::model::finding::{ClaimKind, Judged};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};
use tokio_rustls::TlsAcceptor;

use crate::authority::Authority;
use crate::datagrams::*;
use crate::servers::{Counter, drips, floods, leave, serve, tcp};
use crate::verdicts::{run, timeout};

const OPEN: &str = "evidence-missing";
const MALFORMED: &str = "malformed answer";
const SILENT: &str = "no answer in time";
const GIVEN_UP: &str = "not asked any more";

/// The only right address, and one that lies.
const RIGHT: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 10);
const LIE: Ipv4Addr = Ipv4Addr::new(10, 6, 6, 6);

/// Questions for IPv4 in a view: for both names, and for two that nobody has, below their domain and below none.
const QUESTIONS: usize = 4;

/// A resolver, and what is to be said of it.
struct Liar {
    label: &'static str,
    /// What stands before its address in the plan, and its port.
    scheme: (&'static str, u16),
    address: SocketAddr,
    /// What the outcomes of questions for IPv4 begin with.
    outcome: &'static str,
    /// The rule that speaks of it; empty if it tells the truth in the end.
    rule: &'static str,
}

impl Liar {
    fn udp(label: &'static str, address: SocketAddr, outcome: &'static str, rule: &'static str) -> Self {
        Self { label, scheme: ("", 53), address, outcome, rule }
    }

    fn over(self, scheme: &'static str, port: u16) -> Self {
        Self { scheme: (scheme, port), ..self }
    }
}

/// The logical address of a resolver.
fn logical(index: usize) -> IpAddr {
    Ipv4Addr::from_bits(Ipv4Addr::new(10, 9, 0, 1).to_bits() + index as u32).into()
}

/// A view for each resolver, and the same truth in all; each resolver is held against what is to be said of it.
async fn judge(authority: &Authority, mut liars: Vec<Liar>) {
    let honest = resolver(|q| vec![truth(q)]).await;
    liars.push(Liar::udp("honest", honest, "10.0.0.10", ""));
    let acceptor = TlsAcceptor::from(Arc::new(authority.issue(vec![]).server(&rustls::version::TLS13)));
    let server = tcp(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            if let Ok(mut tls) = acceptor.accept(stream).await {
                leave(&mut tls).await;
            }
        }
    })
    .await;
    let mut plan = String::from("title = \"resolvers that lie\"\n");
    let mut detours = vec![format!("10.0.0.10:443:127.0.0.1:{}", server.port())];
    for (i, liar) in liars.iter().enumerate() {
        let (label, address, (scheme, port)) = (liar.label, logical(i), liar.scheme);
        let resolver = format!("resolvers = [\"{scheme}{address}\"]\ntrust = [\"root.pem\"]\n");
        plan.push_str(&format!("[views.internal-{label}]\n{resolver}{}", timeout(liar.outcome)));
        detours.push(format!("{address}:{port}:127.0.0.1:{}", liar.address.port()));
    }
    plan.push_str("[certificates.any]\nnames = [\"*.domain.com\"]\n[servers.mail]\naddress = \"10.0.0.10\"\n");
    plan.push_str("[internet]\n\"mail.domain.com\" = \"mail\"\n\"www.domain.com\" = \"mail\"\n");
    let ended = run(&plan, authority.der(), &detours).await;
    let wrong: Vec<String> = liars.iter().filter_map(|liar| liar.is_as_expected(&ended).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

impl Liar {
    fn is_as_expected(&self, ended: &crate::verdicts::Ended) -> Result<(), String> {
        let view = format!("internal-{}", self.label);
        let answers = ended.answers(&view);
        // A resolver that was silent three times is not asked any more.
        let given_up = |a: &String| self.outcome == SILENT && a == GIVEN_UP;
        let is_right = |a: &String| a.starts_with(self.outcome) || given_up(a);
        if answers.len() != QUESTIONS || !answers.iter().all(is_right) || answers.iter().all(given_up) {
            let shown: Vec<String> = answers.iter().map(|a| a.chars().take(200).collect()).collect();
            return Err(format!("{view}: {shown:?}"));
        }
        let dns: Vec<&Judged> = ended.about(&view).into_iter().filter(|o| o.kind == ClaimKind::Dns).collect();
        match self.rule {
            "" => ended.is_healthy(&dns).map_err(|e| format!("{view}: {e}")),
            rule => match ended.rules_against(&dns)? {
                rules if rules.contains(rule) => Ok(()),
                rules => Err(format!("{view}: {rules:?}")),
            },
        }
    }
}

/// The right answer.
fn truth(query: &Query) -> Vec<u8> {
    let records = if query.is_for_a() { vec![record(RIGHT)] } else { vec![] };
    reply(query, &records)
}

/// An answer that leads astray.
fn lie(query: &Query) -> Vec<u8> {
    reply(query, &[record(LIE)])
}

/// The same message with one bit changed.
fn changed(mut message: Vec<u8>, at: usize) -> Vec<u8> {
    message[at] ^= 1;
    message
}

/// A resolver that answers by other sockets too: from another port, and from another address with its own port. Its own
/// answer comes last, if it gives one.
async fn with_strangers(answers: bool) -> SocketAddr {
    let own = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = own.local_addr().unwrap();
    let other_port = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let other_host = UdpSocket::bind(("127.0.0.2", address.port())).await.unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 4096];
        while let Ok((length, from)) = own.recv_from(&mut buffer).await {
            let query = Query(buffer[..length].to_vec());
            for stranger in [&other_port, &other_host] {
                let _ = stranger.send_to(&lie(&query), from).await;
            }
            if answers {
                let _ = own.send_to(&truth(&query), from).await;
            }
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_to_nobody_s_question_are_no_answers() {
    let another_id = resolver(|q| vec![changed(lie(q), 0)]).await;
    let another_question = resolver(|q| vec![changed(lie(q), 14)]).await;
    let another_type = resolver(|q| vec![changed(lie(q), usize::from(q.behind()) - 3)]).await;
    let echo = resolver(|q| vec![q.0.clone()]).await;
    let spoofed = resolver(|q| vec![changed(lie(q), 1), changed(lie(q), 14), vec![9], vec![], truth(q)]).await;
    let liars = vec![
        Liar::udp("garbage", resolver(|_| vec![vec![0xa5; 200]]).await, SILENT, OPEN),
        Liar::udp("another-id", another_id, SILENT, OPEN),
        Liar::udp("another-question", another_question, SILENT, OPEN),
        Liar::udp("another-type", another_type, SILENT, OPEN),
        Liar::udp("echo", echo, SILENT, OPEN),
        Liar::udp("strangers-only", with_strangers(false).await, SILENT, OPEN),
        Liar::udp("strangers-first", with_strangers(true).await, "10.0.0.10", ""),
        Liar::udp("spoofed", spoofed, "10.0.0.10", ""),
        Liar::udp("silent", resolver(|_| vec![]).await, SILENT, OPEN),
    ];
    judge(&Authority::new(), liars).await;
}

/// A pointer at the place of the first answer's owner, to itself or elsewhere.
fn pointing(query: &Query, to: u16) -> Vec<u8> {
    let pointer = (0xc000 | to).to_be_bytes();
    reply(query, &[owned(&pointer, 1, &LIE.octets())])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_that_contradict_themselves_are_malformed() {
    let nothing = |q: &Query, flags, count| q.answer(flags, count, &[]);
    let cname = |q: &Query, to: &[u8]| reply(q, &[owned(&ASKED, 5, to)]);
    let other = [&[1, b'b'][..], &ASKED].concat();
    let round = move |q: &Query| reply(q, &[owned(&ASKED, 5, &other), owned(&other, 5, &ASKED)]);
    let liars = vec![
        Liar::udp("tiny", resolver(|q| vec![q.0[..3].to_vec()]).await, MALFORMED, OPEN),
        Liar::udp("half", resolver(|q| vec![lie(q)[..usize::from(q.behind()) + 4].to_vec()]).await, MALFORMED, OPEN),
        Liar::udp("to-itself", resolver(|q| vec![pointing(q, q.behind())]).await, MALFORMED, OPEN),
        Liar::udp("forward", resolver(|q| vec![pointing(q, q.behind() + 2)]).await, MALFORMED, OPEN),
        Liar::udp("far-out", resolver(|q| vec![pointing(q, 0x3fff)]).await, MALFORMED, OPEN),
        Liar::udp("claims-more", resolver(move |q| vec![q.answer(FINE, 65_535, &record(LIE))]).await, MALFORMED, OPEN),
        Liar::udp("claims-a-record", resolver(move |q| vec![nothing(q, FINE, 1)]).await, MALFORMED, OPEN),
        Liar::udp("nxdomain-with-address", resolver(|q| vec![nx_with(q)]).await, MALFORMED, OPEN),
        Liar::udp("alias-of-itself", resolver(move |q| vec![cname(q, &ASKED)]).await, "NODATA", "cname-conflict"),
        Liar::udp("alias-round", resolver(move |q| vec![round(q)]).await, "NODATA", "cname-conflict"),
        Liar::udp(
            "claims-less",
            resolver(|q| vec![q.answer(FINE, 0, &record(RIGHT))]).await,
            "NODATA",
            "name-unresolved-in-view",
        ),
    ];
    judge(&Authority::new(), liars).await;
}

/// NXDOMAIN, and an address all the same.
fn nx_with(query: &Query) -> Vec<u8> {
    let owner = if query.is_for_a() { record(RIGHT) } else { owned(&ASKED, 28, &[0x20; 16]) };
    query.answer(NXDOMAIN, 1, &owner)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_and_truncation_lead_on_or_end() {
    let formerr = |q: &Query| q.answer(FORMERR, 0, &[]);
    let old = resolver(move |q| vec![if q.has_edns() { formerr(q) } else { truth(q) }]).await;
    // As those answer who read nothing of the question: its id, and the error.
    let older = resolver(move |q| {
        let bare = [&q.0[..2], &FORMERR, &[0; 8]].concat();
        vec![if q.has_edns() { bare } else { truth(q) }]
    })
    .await;
    let for_ever = |q: &Query| q.answer(TRUNCATED, 0, &[]);
    let liars = vec![
        Liar::udp("old", old, "10.0.0.10", ""),
        Liar::udp("older", older, "10.0.0.10", ""),
        Liar::udp("formerr", resolver(move |q| vec![formerr(q)]).await, "response code 1", OPEN),
        Liar::udp("truncates", both(for_ever, for_ever).await, MALFORMED, OPEN),
        Liar::udp("truncates-once", both(for_ever, truth).await, "10.0.0.10", ""),
        Liar::udp("truncates-without-tcp", resolver(move |q| vec![for_ever(q)]).await, "unreachable", OPEN),
        Liar::udp("crowd", both(for_ever, crowd).await, "10.0.0.10, 10.20.", "resolves-to-unexpected-target"),
        Liar::udp("claims-a-crowd", both(for_ever, |q| q.answer(FINE, 5000, &[])).await, MALFORMED, OPEN),
        Liar::udp("pointers", both(for_ever, pointers).await, MALFORMED, OPEN),
    ];
    judge(&Authority::new(), liars).await;
}

/// As many addresses as a message holds; the right one is among them.
fn crowd(query: &Query) -> Vec<u8> {
    if !query.is_for_a() {
        return truth(query);
    }
    let strangers = (0..4000).map(|i| record(Ipv4Addr::from_bits(Ipv4Addr::new(10, 20, 0, 0).to_bits() + i)));
    reply(query, &std::iter::once(record(RIGHT)).chain(strangers).collect::<Vec<_>>())
}

/// Thousands of records, each of which has the name that was asked for behind thousands of pointers.
fn pointers(query: &Query) -> Vec<u8> {
    let first = query.behind() + 12;
    let chain: Vec<u8> =
        (0..7000).flat_map(|i| (0xc000 | if i == 0 { 12 } else { first + 2 * (i - 1) }).to_be_bytes()).collect();
    let last = (0xc000 | (first + 2 * 6999)).to_be_bytes();
    let good = if query.is_for_a() { owned(&last, 1, &RIGHT.octets()) } else { owned(&last, 99, b"\x01x") };
    reply(query, &[vec![owned(&ASKED, 65_280, &chain)], vec![good; 2900]].concat())
}

/// A resolver over UDP and, on the same port, over TCP.
pub async fn both(
    udp: impl Fn(&Query) -> Vec<u8> + Send + 'static,
    stream: impl Fn(&Query) -> Vec<u8> + Send + Copy + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let socket = UdpSocket::bind(address).await.unwrap();
    tokio::spawn(answer(socket, move |q| vec![udp(q)]));
    tokio::spawn(serve(listener, move |s| answer_all(s, stream)));
    address
}

/// Answers questions behind their lengths (RFC 7766 section 8).
async fn answer_all(mut stream: impl AsyncRead + AsyncWrite + Unpin, play: impl Fn(&Query) -> Vec<u8>) {
    while let Ok(length) = stream.read_u16().await {
        let mut query = vec![0; usize::from(length)];
        stream.read_exact(&mut query).await.unwrap();
        let answer = play(&Query(query));
        let length = (answer.len() as u16).to_be_bytes();
        if stream.write_all(&[&length[..], &answer].concat()).await.is_err() {
            return;
        }
    }
}

/// Behind TLS that proves the resolver's address, drips or floods.
async fn behind_tls(authority: &Authority, place: usize, alpn: &[u8], flood: Option<Counter>) -> SocketAddr {
    let mut config = authority.issue_for(logical(place)).server(&rustls::version::TLS13);
    config.alpn_protocols = if alpn.is_empty() { vec![] } else { vec![alpn.to_vec()] };
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tcp(move |stream| {
        let (acceptor, flood) = (acceptor.clone(), flood.clone());
        async move {
            let Ok(mut tls) = acceptor.accept(stream).await else { return };
            match flood {
                Some(written) => floods(&mut tls, &[], b"\x00\x40 rubbish of some length ", &written).await,
                None => drips(&mut tls, &[0; 64]).await,
            }
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_that_drip_or_flood_end_in_time() {
    let authority = Authority::new();
    let written = Counter::default();
    let slow = tcp(|mut stream| async move { drips(&mut stream, &[0, 12, 1, 2, 3, 4, 5, 6]).await }).await;
    let counter = written.clone();
    let flood = tcp(move |mut stream| {
        let counter = counter.clone();
        async move { floods(&mut stream, &[], b"\x00\x10sixteen octets !", &counter).await }
    })
    .await;
    let record = [22, 3, 3, 0, 122, 2, 0, 0, 118, 3, 3, 0];
    let never = tcp(move |mut stream| async move { drips(&mut stream, &record).await }).await;
    let gone = tcp(|stream| async move { drop(stream) }).await;
    let liars = vec![
        Liar::udp("tcp-slow", slow, SILENT, OPEN).over("tcp://", 53),
        Liar::udp("tcp-flood", flood, SILENT, OPEN).over("tcp://", 53),
        Liar::udp("tcp-gone", gone, "unreachable", OPEN).over("tcp://", 53),
        Liar::udp("tls-slow", behind_tls(&authority, 3, b"", None).await, SILENT, OPEN).over("tls://", 853),
        Liar::udp("tls-never", never, SILENT, OPEN).over("tls://", 853),
        Liar::udp("https-slow", behind_tls(&authority, 5, b"h2", None).await, SILENT, OPEN).over("https://", 443),
        Liar::udp("https-never", never, SILENT, OPEN).over("https://", 443),
        Liar::udp("https-flood", behind_tls(&authority, 7, b"h2", Some(written.clone())).await, "", OPEN)
            .over("https://", 443),
    ];
    judge(&authority, liars).await;
}
