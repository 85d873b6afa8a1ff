//! Servers that decline a current client, so that they are asked in an older way, and then do anything but serve.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::authority::Authority;
use crate::farm::{End, judge};
use crate::servers::{BUFFERS, Counter, drips, floods, leave, tcp};

const OPEN: &str = "evidence-missing";
const DECLINED: &str = "TLS alert before a certificate: handshake_failure";
/// What is judged once a certificate was read, in TLS 1.0.
const FLOOR: &str = "tls-version-below-floor";

fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    [&[kind, 3, 1], &length[..], body].concat()
}

fn records(messages: &[u8], size: usize) -> Vec<u8> {
    messages.chunks(size).flat_map(|piece| record(22, piece)).collect()
}

fn length(n: usize) -> [u8; 3] {
    let [_, a, b, c] = u32::try_from(n).unwrap().to_be_bytes();
    [a, b, c]
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind], &length(body.len())[..], body].concat()
}

/// A ServerHello of a version, with AES128-SHA.
fn hello(minor: u8) -> Vec<u8> {
    message(2, &[&[3, minor][..], &[7; 32], &[0, 0, 0x2f, 0]].concat())
}

fn certificate(chain: &[Vec<u8>]) -> Vec<u8> {
    let list: Vec<u8> = chain.iter().flat_map(|der| [&length(der.len())[..], der].concat()).collect();
    message(11, &[&length(list.len())[..], &list].concat())
}

/// True for a hello that offers TLS 1.3: the extension supported_versions (RFC 8446 section 4.2.1), as this client writes
/// it.
fn is_current(hello: &[u8]) -> bool {
    hello.windows(5).any(|w| w == [0, 43, 0, 5, 4])
}

/// Declines a current client; whether it is to go on with this one.
async fn declines(stream: &mut TcpStream) -> bool {
    let mut buffer = [0; 4096];
    let heard = stream.read(&mut buffer).await.unwrap_or(0);
    if is_current(&buffer[..heard]) {
        let _ = stream.write_all(&record(21, &[2, 40])).await;
        leave(stream).await;
        return false;
    }
    heard > 0
}

/// A server that says this to an older hello.
async fn says(bytes: Vec<u8>) -> SocketAddr {
    tcp(move |mut stream| {
        let bytes = bytes.clone();
        async move {
            if declines(&mut stream).await {
                let _ = stream.write_all(&bytes).await;
                leave(&mut stream).await;
            }
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn however_the_clear_part_is_cut_it_is_read_and_judged() {
    let authority = Authority::new();
    let leaf = authority.issue(vec![]).chain()[0].to_vec();
    let whole = [hello(1), certificate(&[leaf]), message(14, &[])].concat();
    let mut ends = Vec::new();
    for (label, bytes) in [
        ("coalesced", record(22, &whole)),
        ("fragments", records(&whole, 7)),
        ("crumbs", records(&whole, 1)),
        ("empty-first", [record(22, &[]), record(22, &whole)].concat()),
        ("warned", [record(21, &[1, 112]), record(22, &whole)].concat()),
    ] {
        ends.push(End::new(label, says(bytes).await, "a certificate", FLOOR));
    }
    judge(&authority, ends).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_clear_part_does_wrong_leaves_the_first_word() {
    let authority = Authority::new();
    let leaf = authority.issue(vec![]).chain()[0].to_vec();
    let small = vec![0x30, 0];
    let mut ends = Vec::new();
    for (label, bytes) in [
        (
            "another-version",
            record(22, &[hello(4), certificate(std::slice::from_ref(&leaf)), message(14, &[])].concat()),
        ),
        ("endless-version", record(22, &[message(2, &[9; 70])].concat())),
        ("record-18433", [&[22, 3, 1][..], &18_433u16.to_be_bytes()].concat()),
        ("record-18432", record(22, &vec![99; 18_432])),
        ("alert-mid-way", [record(22, &hello(1)), record(21, &[2, 80])].concat()),
        ("chain-101", records(&[hello(1), certificate(&vec![small; 101]), message(14, &[])].concat(), 16_384)),
        ("certificate-10-mib", {
            let size = 10 << 20;
            let begun = [&[11][..], &length(size + 6), &length(size + 3), &length(size), &[0x30; 9_000]].concat();
            record(22, &[hello(1), begun].concat())
        }),
        ("http", b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
        ("nothing", vec![]),
    ] {
        ends.push(End::new(label, says(bytes).await, DECLINED, OPEN));
    }
    judge(&authority, ends).await;
}

/// An alert, or the end, behind the certificate: it was served, and nobody knows more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_breaks_off_behind_the_certificate_is_an_open_question() {
    let authority = Authority::new();
    let leaf = authority.issue(vec![]).chain()[0].to_vec();
    let shown = record(22, &[hello(1), certificate(&[leaf])].concat());
    let alert = says([shown.clone(), record(21, &[2, 80])].concat()).await;
    let rubbish = says([shown.clone(), b"rubbish".to_vec()].concat()).await;
    let ends = vec![
        End::new("alert", alert, "a certificate", OPEN),
        End::new("rubbish", rubbish, "a certificate", OPEN),
        End::new("stalls", says(shown).await, "a certificate", OPEN),
    ];
    judge(&authority, ends).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn floods_in_the_clear_part_are_bounded() {
    let authority = Authority::new();
    let written = Counter::default();
    let mut ends = Vec::new();
    for (label, begin, again) in [
        ("empty-records", vec![], record(22, &[])),
        ("hello-requests", vec![], record(22, &[0; 4])),
        ("warnings", vec![], record(21, &[1, 112])),
        ("crumbs", record(22, &[2, 0, 0xff, 0xff]), record(22, &[0])),
        ("stapled", record(22, &hello(1)), record(22, &message(22, &[1; 100]))),
    ] {
        let written = written.clone();
        let flood = tcp(move |mut stream| {
            let (begin, again, written) = (begin.clone(), again.clone(), written.clone());
            async move {
                if declines(&mut stream).await {
                    floods(&mut stream, &begin, &again, &written).await;
                }
            }
        })
        .await;
        ends.push(End::new(label, flood, DECLINED, OPEN));
    }
    judge(&authority, ends).await;
    assert!(written.get() < 2 * 5 * BUFFERS, "{} bytes were taken", written.get());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_byte_a_second_has_one_deadline() {
    let authority = Authority::new();
    let leaf = authority.issue(vec![]).chain()[0].to_vec();
    let flight = record(22, &[hello(1), certificate(&[leaf]), message(14, &[])].concat());
    let slow = tcp(move |mut stream| {
        let flight = flight.clone();
        async move {
            if declines(&mut stream).await {
                drips(&mut stream, &flight).await;
            }
        }
    })
    .await;
    judge(&authority, vec![End::new("slow", slow, DECLINED, OPEN)]).await;
}
