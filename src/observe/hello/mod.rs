//! Servers that no current client can talk to: what they send in the clear, from a hello of our own, without finishing
//! the handshake. Bytes in, what they say out; the connections are the caller's.

mod message;
mod offer;
mod possession;
mod reader;
mod suites;
#[cfg(test)]
mod tests;

use rustls::crypto::CryptoProvider;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::dial;
use super::tls::of_fault;
use crate::model::tls::{Face, Possession, Stage, TlsOutcome};
pub use offer::{Offer, Version};
pub use reader::{Read, Reader, Step};

/// What is offered in turn. Servers answer downwards, so that the first is enough for most; a server that chokes on it is
/// asked in its own language.
pub const VERSIONS: [Version; 3] = [offer::TLS12, offer::TLS10, offer::SSL3];

/// Bytes that are read at once.
const BUFFER: usize = 4 * 1024;

/// What a server said in the clear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glance {
    /// The chain as served, DER; never empty.
    pub chain: Vec<Vec<u8>>,
    /// Whether the server proved that it holds the key.
    pub possession: Possession,
    /// The version that it chose.
    pub version: &'static str,
    /// The cipher suite that it chose, by its IANA name.
    pub suite: &'static str,
    /// What ended it, if the server did not come to the end of its clear part.
    pub ended: Option<Box<str>>,
    /// A current client could have got as far, and was declined for another reason.
    pub is_current: bool,
}

/// A hello of this version, with a random number of the system's.
pub fn offer(version: Version, sni: Option<&str>, face: Option<Face>) -> Result<Offer, TlsOutcome> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|e| TlsOutcome::CannotLook(format!("no random numbers: {e}")))?;
    Ok(Offer { version, sni: sni.map(str::to_string), face, random })
}

/// Sends the offer and reads what comes, at most until the deadline, and until `hush` if nothing comes at all. Closes with
/// a word, so that the server logs no broken connection.
pub async fn glance(
    mut tcp: TcpStream,
    offer: Offer,
    provider: &CryptoProvider,
    hush: Instant,
    deadline: Instant,
) -> Result<Glance, TlsOutcome> {
    let mut reader = Reader::new(offer.clone());
    let step = match timeout_at(deadline, exchange(&mut tcp, &offer.record(), &mut reader, hush)).await {
        Ok(step) => step,
        Err(_) => Step::Done(TlsOutcome::Timeout(Stage::Handshake)),
    };
    if step == Step::Whole {
        part(&mut tcp, &reader);
    }
    finish(reader, step, provider)
}

async fn exchange(tcp: &mut TcpStream, hello: &[u8], reader: &mut Reader, hush: Instant) -> Step {
    let failed = |e: std::io::Error| Step::Done(of_fault(dial::fault(&e), Stage::Handshake));
    if let Err(e) = tcp.write_all(hello).await {
        return failed(e);
    }
    let mut buffer = vec![0; BUFFER];
    loop {
        let read = match reader.has_heard() {
            true => tcp.read(&mut buffer).await,
            false => match timeout_at(hush, tcp.read(&mut buffer)).await {
                Ok(read) => read,
                Err(_) => return Step::Done(TlsOutcome::Timeout(Stage::Handshake)),
            },
        };
        let step = match read {
            Ok(0) => Step::Done(TlsOutcome::Closed(Stage::Handshake)),
            Ok(n) => reader.receive(buffer.get(..n).unwrap_or_default()),
            Err(e) => failed(e),
        };
        if step != Step::NeedMore {
            return step;
        }
    }
}

/// Says goodbye: the alert close_notify, as a warning (RFC 5246 section 7.2.1). The facts are known: what the system does
/// not take at once is not waited for.
fn part(tcp: &mut TcpStream, reader: &Reader) {
    let [major, minor] = reader.version().to_be_bytes();
    let _ = tcp.try_write(&[21, major, minor, 0, 2, 1, 0]);
}

/// What was read, or why there is no chain.
pub fn finish(reader: Reader, step: Step, provider: &CryptoProvider) -> Result<Glance, TlsOutcome> {
    let (offer, read) = reader.into_parts();
    let ended = match step {
        Step::Whole => None,
        Step::NeedMore if read.chain.is_empty() => return Err(TlsOutcome::Closed(Stage::Handshake)),
        Step::NeedMore => Some("not heard to its end".into()),
        Step::Done(outcome) if read.chain.is_empty() => return Err(outcome),
        Step::Done(outcome) => Some(words(&outcome)),
    };
    let Some(hello) = read.hello else {
        return Err(TlsOutcome::Protocol("a chain without a ServerHello".into()));
    };
    Ok(Glance {
        possession: possession::of(&offer, &read, &provider.signature_verification_algorithms),
        version: reader::version_name(hello.version).unwrap_or_default(),
        suite: reader::suite(hello.suite).map_or("", |s| s.name),
        ended,
        is_current: is_current(&read, provider),
        chain: read.chain,
    })
}

/// What ended a handshake after the chain, in the words of a full one.
fn words(outcome: &TlsOutcome) -> Box<str> {
    match outcome {
        TlsOutcome::Alert(name) => format!("alert {name}").into(),
        TlsOutcome::Closed(_) => "closed by the server".into(),
        TlsOutcome::Timeout(_) => "no answer in time".into(),
        other => other.to_string().into(),
    }
}

/// True if a current client, as this provider is one, has all that the server chose: version, suite, group and signature.
/// Where the last two did not come to light, it may have.
fn is_current(read: &Read, provider: &CryptoProvider) -> bool {
    let Some(hello) = read.hello.filter(|h| h.version >= offer::TLS12) else { return false };
    let has_suite = provider.cipher_suites.iter().any(|s| u16::from(s.suite()) == hello.suite);
    let exchange = reader::suite(hello.suite).map(|s| s.exchange);
    let body = read.key_exchange.as_deref();
    let has_rest = exchange.zip(body).and_then(|(e, body)| possession::signed(body, e)).is_none_or(|signed| {
        let has_group = provider.kx_groups.iter().any(|g| Some(u16::from(g.name())) == signed.group);
        let schemes = provider.signature_verification_algorithms.mapping;
        has_group && schemes.iter().any(|(s, _)| u16::from(*s) == signed.scheme)
    });
    has_suite && has_rest
}
