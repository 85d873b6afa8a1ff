//! Bytes from the network without a network, for fuzzing, and parts alone, for measuring: no part of the library's
//! promises.
#![allow(clippy::result_large_err, reason = "an outcome is made once; to box it would save nothing")]

use std::net::SocketAddr;
use std::sync::LazyLock;

use rustls::crypto::CryptoProvider;
use tokio::time::Instant;

use super::dns::wire::{Fit, Question, Read};
pub use super::hello::Glance;
use super::preamble::{self, Step};
use super::{dial, hello, proxy, tls};
use crate::model::dns::{DnsOutcome, RecordType};
use crate::model::http::HttpOutcome;
use crate::model::name::Name;
use crate::model::service::Protocol;
use crate::model::tls::{Face, TlsOutcome};

/// What becomes of a question when these bytes come; `None` if they are no answer to it, or make the asker ask again.
pub fn dns_outcome(name: &Name, kind: RecordType, answer: &[u8], stream: bool) -> Option<DnsOutcome> {
    let question = Question::new(name, kind, true, true).ok()?;
    match (question.fit(answer), question.read(answer, stream, false)) {
        (Fit::Answer, Read::Outcome(outcome)) => Some(outcome),
        _ => None,
    }
}

/// What octets of a web server come to that was asked for a page that is read whole, and then closed the connection; `None`
/// if they are cut off.
pub fn page(answer: &[u8]) -> Option<HttpOutcome> {
    tls::whole_page(answer, true)
}

/// What an old server's answer to a hello comes to, in these pieces; the number chooses version and face on offer.
pub fn clear_hello<'a>(offer: u8, pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<Glance, TlsOutcome> {
    let version = hello::VERSIONS[usize::from(offer) % hello::VERSIONS.len()];
    let face = [None, Some(Face::Rsa), Some(Face::Ecdsa)][usize::from(offer / 3) % 3];
    let mut reader = hello::Reader::new(hello::Offer { version, sni: None, face, random: [7; 32] });
    let mut last = hello::Step::NeedMore;
    for piece in pieces {
        last = reader.receive(piece);
        if last != hello::Step::NeedMore {
            break;
        }
    }
    hello::finish(reader, last, &rustls::crypto::ring::default_provider())
}

/// Reads the chain of an old server in the clear, once, as the observer does; for measurements.
pub async fn clear_chain(address: SocketAddr, sni: &str, deadline: Instant) -> Result<Glance, TlsOutcome> {
    // Made once in a run.
    static PROVIDER: LazyLock<CryptoProvider> = LazyLock::new(rustls::crypto::ring::default_provider);
    let tcp = dial::connect(address).await.map_err(|e| TlsOutcome::CannotLook(e.to_string()))?;
    let offer = hello::offer(hello::VERSIONS[0], Some(sni), None)?;
    hello::glance(tcp, offer, &PROVIDER, deadline, deadline).await
}

/// Plays a dialogue with a server that sends these pieces, each after it has heard us or when we want more.
/// `Ok` with the number of pieces taken if TLS may begin; `Err` with how it ended, or `None` if it waits for more.
pub fn dialogue<'a>(
    protocol: Protocol,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<usize, Option<TlsOutcome>> {
    let mut dialogue = preamble::of(protocol, "probe.example", "mail.example");
    dialogue.begin();
    for (i, piece) in pieces.into_iter().enumerate() {
        match dialogue.receive(piece) {
            Step::NeedMore | Step::Send(_) => {}
            Step::GoAhead => return Ok(i + 1),
            Step::Done(outcome) => return Err(Some(outcome)),
        }
    }
    Err(None)
}

/// What becomes of a proxy's answer to CONNECT that comes in these pieces: the octets that are left for the endpoint, or why
/// it leads nowhere; `None` if more is wanted.
pub fn connect_reply<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Option<Result<usize, TlsOutcome>> {
    let mut reply = proxy::Reply::default();
    let mut led = None;
    let mut left = 0;
    for piece in pieces {
        match &led {
            None => {
                let (taken, outcome) = reply.outcome(piece);
                left = piece.len() - taken;
                led = outcome;
            }
            Some(_) => left += piece.len(),
        }
    }
    led.map(|led| led.map(|()| left))
}
