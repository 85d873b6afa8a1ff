//! Servers that never come to the handshake, or bring something else to it.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::authority::Authority;
use crate::farm::{End, judge};
use crate::servers::{BUFFERS, Counter, drips, floods, leave, says, tcp};

const UNREACHABLE: &str = "endpoint-unreachable";
const INJECTION: &str = "starttls-injection";
const OPEN: &str = "evidence-missing";

/// A protocol by its plan's word, as its servers speak.
struct Protocol {
    word: &'static str,
    /// True if the client speaks first.
    asked: bool,
    /// What is said before each of the client's further words.
    before: &'static [&'static str],
    /// The word to go ahead.
    go: &'static [u8],
    /// How something begins that may go on.
    start: &'static [u8],
}

const fn greets(
    word: &'static str,
    before: &'static [&'static str],
    go: &'static str,
    start: &'static str,
) -> Protocol {
    Protocol { word, asked: false, before, go: go.as_bytes(), start: start.as_bytes() }
}

const fn asked(word: &'static str, go: &'static [u8], start: &'static [u8]) -> Protocol {
    Protocol { word, asked: true, before: &[], go, start }
}

const fn xmpp(word: &'static str) -> Protocol {
    let go = b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
    Protocol { before: &[FEATURES], ..asked(word, go, b"<stream:stream a='") }
}

const FEATURES: &str = "<stream:stream version='1.0'><stream:features>\
                        <starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>";

const FEATURES_OPEN: &str = "<stream:stream version='1.0'><stream:features>";

const PROTOCOLS: [Protocol; 10] = [
    greets("smtp", &["220 a ESMTP\r\n", "250-a\r\n250 STARTTLS\r\n"], "220 go\r\n", "220-"),
    greets("imap", &["* OK [CAPABILITY IMAP4rev1 STARTTLS] a\r\n"], "a2 OK go\r\n", "* "),
    greets("pop3", &["+OK a\r\n", "+OK\r\nSTLS\r\n.\r\n"], "+OK go\r\n", "+OK "),
    greets("ftp", &["220 a\r\n"], "234 go\r\n", "220-"),
    greets("sieve", &["\"STARTTLS\"\r\nOK\r\n"], "OK\r\n", "\"A\" \""),
    xmpp("xmpp"),
    xmpp("xmpp-server"),
    asked("ldap", b"0\x0c\x02\x01\x01x\x07\x0a\x01\x00\x04\x00\x04\x00", b"0\x84\xff\xff\xff\xff"),
    asked("postgres", b"S", b"E\x00\x0f\xff\xff"),
    asked("rdp", b"\x03\x00\x00\x13\x0e\xd0\x00\x00\x124\x00\x02\x01\x08\x00\x01\x00\x00\x00", b"\x03\x00\xff\xff"),
];

/// Hears what the client says in one piece; it waits for an answer then.
async fn hear(stream: &mut TcpStream) -> Option<()> {
    stream.read(&mut [0; 4096]).await.ok().filter(|n| *n > 0).map(|_| ())
}

impl Protocol {
    /// Leads the dialogue up to the client's wish for TLS.
    async fn lead(&self, stream: &mut TcpStream) -> Option<()> {
        if self.asked {
            hear(stream).await?;
        }
        for reply in self.before {
            stream.write_all(reply.as_bytes()).await.ok()?;
            hear(stream).await?;
        }
        Some(())
    }

    /// A server that goes ahead, says something in the clear, and counts what the client says from then on. With a pause,
    /// it waits for the client's first word of TLS before.
    async fn ahead(&'static self, after: &'static [u8], pause: bool, heard: Counter) -> SocketAddr {
        tcp(move |mut stream| {
            let heard = heard.clone();
            async move {
                if self.lead(&mut stream).await.is_none() {
                    return;
                }
                if pause {
                    let _ = stream.write_all(self.go).await;
                    let _ = stream.read(&mut [0; 4096]).await;
                    let _ = stream.write_all(after).await;
                } else {
                    let _ = stream.write_all(&[self.go, after].concat()).await;
                }
                heard.add(leave(&mut stream).await);
            }
        })
        .await
    }

    /// A server whose first words, or whose answer to the client's first line, go on without end.
    async fn floods(&'static self, begin: &'static [u8], again: &'static [u8], written: Counter) -> SocketAddr {
        tcp(move |mut stream| {
            let written = written.clone();
            async move { floods(&mut stream, begin, again, &written).await }
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
        let start = protocol.start;
        let long: Vec<u8> = [start, &vec![b'a'; 1 << 20], b"\r\n"].concat();
        let rubbish: Vec<u8> = [&[0x80, 0xff, 0xfe, 0x00][..], &(0..=255).collect::<Vec<u8>>()].concat();
        let mut add = |label, address, outcome, rule| {
            ends.push(End::new(label, address, outcome, rule).at(protocol.word));
        };
        add("no-end-of-line", protocol.floods(start, b"a", written.clone()).await, "too large", OPEN);
        add("one-mebibyte", says(long, true).await, "too large", OPEN);
        add("rubbish", says(rubbish, true).await, "another protocol", UNREACHABLE);
        add("nul", protocol.floods(b"", b"\0", written.clone()).await, "another protocol", UNREACHABLE);
        add("nul-within", protocol.floods(start, b"\0", written.clone()).await, "too large", OPEN);
        add("http", says(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), true).await, "another protocol", UNREACHABLE);
        add("silent", says(vec![], true).await, "no answer in time during the dialogue", OPEN);
        add("gone", tcp(|s| async move { drop(s) }).await, "closed during the dialogue", UNREACHABLE);
        let slow = tcp(move |mut stream| async move { drips(&mut stream, &[start, &[b'a'; 60]].concat()).await }).await;
        add("slow", slow, "no answer in time during the dialogue", OPEN);
    }
    let servers = 3 * PROTOCOLS.len() * 2;
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
        ("ftp", "", "220-a\r\n", "421 too many\x1b[31m\r\n"),
        ("sieve", "", "\"A\" \"B\"\r\n", "BYE \"later\"\r\n"),
        (
            "xmpp",
            FEATURES_OPEN,
            "<x/>",
            "<stream:stream><stream:error><system-shutdown/></stream:error></stream:stream>",
        ),
        ("ldap", "", "", "0\x15\x02\x01\x00x\x10\x0a\x014\x04\x00\x04\x09shut down"),
        ("postgres", "", "", "E\x00\x00\x00\x29SFATAL\x00C53300\x00Mtoo many clients now\x00\x00"),
    ] {
        ends.push(End::new("later", says(later.into(), true).await, "try later", OPEN).at(word));
        if again.is_empty() {
            continue;
        }
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
    }
    judge(&authority, ends).await;
    assert!(written.get() < 2 * 6 * BUFFERS, "{} bytes were taken", written.get());
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
