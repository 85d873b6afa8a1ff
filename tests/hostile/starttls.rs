//! Servers that never come to the handshake, or bring something else to it.

use std::net::SocketAddr;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::authority::Authority;
use crate::farm::{End, judge};
use crate::servers::{Counter, drips, floods, leave, says, tcp};

const UNREACHABLE: &str = "endpoint-unreachable";
const INJECTION: &str = "starttls-injection";
const OPEN: &str = "evidence-missing";

/// What one server may get rid of: the limit, and what the system takes off its hands.
const BUFFERS: usize = 16 << 20;

/// A protocol by its plan's word: what a server says before each line of the client's, and its word to go ahead.
struct Protocol {
    word: &'static str,
    before: &'static [&'static str],
    go: &'static str,
}

const PROTOCOLS: [Protocol; 3] = [
    Protocol { word: "smtp", before: &["220 a ESMTP\r\n", "250-a\r\n250 STARTTLS\r\n"], go: "220 go\r\n" },
    Protocol { word: "imap", before: &["* OK [CAPABILITY IMAP4rev1 STARTTLS] a\r\n"], go: "a2 OK go\r\n" },
    Protocol { word: "pop3", before: &["+OK a\r\n", "+OK\r\nSTLS\r\n.\r\n"], go: "+OK go\r\n" },
];

impl Protocol {
    /// Leads the dialogue up to the client's wish for TLS.
    async fn lead(&self, stream: &mut BufReader<TcpStream>) -> Option<()> {
        for reply in self.before {
            stream.write_all(reply.as_bytes()).await.ok()?;
            stream.read_line(&mut String::new()).await.ok().filter(|n| *n > 0)?;
        }
        Some(())
    }

    /// A server that goes ahead, says something in the clear, and counts what the client says from then on. With a pause,
    /// it waits for the client's first word of TLS before.
    async fn ahead(&'static self, after: &'static [u8], pause: bool, heard: Counter) -> SocketAddr {
        tcp(move |stream| {
            let heard = heard.clone();
            async move {
                let mut stream = BufReader::new(stream);
                if self.lead(&mut stream).await.is_none() {
                    return;
                }
                let go = self.go.as_bytes();
                if pause {
                    let _ = stream.write_all(go).await;
                    let _ = stream.read(&mut [0; 4096]).await;
                    let _ = stream.write_all(after).await;
                } else {
                    let _ = stream.write_all(&[go, after].concat()).await;
                }
                heard.add(leave(&mut stream).await);
            }
        })
        .await
    }

    /// A server whose first words, or whose answer to the client's first line, go on without end.
    async fn floods(&'static self, begin: &'static str, again: &'static [u8], written: Counter) -> SocketAddr {
        tcp(move |mut stream| {
            let written = written.clone();
            async move { floods(&mut stream, begin.as_bytes(), again, &written).await }
        })
        .await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn greetings_that_are_none_are_told_in_time() {
    let authority = Authority::new();
    let written = Counter::default();
    let mut ends = Vec::new();
    for protocol in &PROTOCOLS {
        let start = match protocol.word {
            "smtp" => "220-",
            "imap" => "* ",
            _ => "+OK ",
        };
        let long: Vec<u8> = [start.as_bytes(), &vec![b'a'; 1 << 20], b"\r\n"].concat();
        let rubbish: Vec<u8> = [&[0x80, 0xff, 0xfe, 0x00][..], &(0..=255).collect::<Vec<u8>>()].concat();
        let mut add = |label, address, outcome, rule| {
            ends.push(End::new(label, address, outcome, rule).at(protocol.word));
        };
        add("no-end-of-line", protocol.floods(start, b"a", written.clone()).await, "too large", OPEN);
        add("one-mebibyte", says(long, true).await, "too large", OPEN);
        add("rubbish", says(rubbish, true).await, "another protocol", UNREACHABLE);
        add("nul", protocol.floods("", b"\0", written.clone()).await, "another protocol", UNREACHABLE);
        add("nul-within", protocol.floods(start, b"\0", written.clone()).await, "too large", OPEN);
        add("http", says(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), true).await, "another protocol", UNREACHABLE);
        add("silent", says(vec![], true).await, "no answer in time during the dialogue", OPEN);
        add("gone", tcp(|s| async move { drop(s) }).await, "closed during the dialogue", UNREACHABLE);
        let slow = tcp(move |mut stream| async move { drips(&mut stream, protocol.before[0].as_bytes()).await }).await;
        add("slow", slow, "no answer in time during the dialogue", OPEN);
    }
    let servers = 3 * 3 * 2;
    judge(&authority, ends).await;
    assert!(written.get() < servers * BUFFERS, "{} bytes were taken", written.get());
}

/// Lists that go on and on, and those that only ask for patience.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_without_end_and_requests_for_patience_are_told_apart() {
    let authority = Authority::new();
    let written = Counter::default();
    let mut ends = Vec::new();
    for (word, first, again, later) in [
        ("smtp", "", "220-a\r\n", "421 4.7.0 too many\x1b[31m\r\n"),
        ("imap", "* OK a\r\n", "* OK still here\r\n", "* BYE [UNAVAILABLE] later\r\n"),
        ("pop3", "+OK a\r\n", "X-MORE\r\n", "-ERR [SYS/TEMP] later\r\n"),
    ] {
        let counter = written.clone();
        let endless = tcp(move |mut stream| {
            let counter = counter.clone();
            async move {
                if !first.is_empty() {
                    let _ = stream.write_all(first.as_bytes()).await;
                    let _ = stream.read(&mut [0; 100]).await;
                }
                let begin = if word == "pop3" { "+OK list\r\n" } else { "" };
                floods(&mut stream, begin.as_bytes(), again.as_bytes(), &counter).await;
            }
        })
        .await;
        ends.push(End::new("endless-list", endless, "too large", OPEN).at(word));
        ends.push(End::new("later", says(later.into(), true).await, "try later", OPEN).at(word));
    }
    judge(&authority, ends).await;
    assert!(written.get() < 2 * 3 * BUFFERS, "{} bytes were taken", written.get());
}

/// Clear text behind the go-ahead is a finding of its own, in the same segment or the next, and no word of TLS is said
/// to whoever sent it along.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clear_text_behind_the_go_ahead_is_an_injection() {
    let authority = Authority::new();
    let (same, next) = (Counter::default(), Counter::default());
    let mut ends = Vec::new();
    for protocol in &PROTOCOLS {
        let outcome = "bytes after the go-ahead, before TLS";
        let mut add = |label, address| ends.push(End::new(label, address, outcome, INJECTION).at(protocol.word));
        add("same-segment", protocol.ahead(b"250 ok\r\n* PREAUTH\r\n", false, same.clone()).await);
        // It looks like the beginning of a handshake, and comes before anybody asked for one.
        add("looks-like-tls", protocol.ahead(&[22, 3, 3, 0, 4, 14, 0, 0, 0], false, same.clone()).await);
        add("next-segment", protocol.ahead(b"454 no TLS today\r\n", true, next.clone()).await);
        let nothing = protocol.ahead(b"", false, Counter::default()).await;
        let outcome = "no answer in time during the TLS handshake";
        ends.push(End::new("nothing", nothing, outcome, OPEN).at(protocol.word));
    }
    judge(&authority, ends).await;
    assert_eq!(same.get(), 0, "nothing is said to a server that injects");
}
