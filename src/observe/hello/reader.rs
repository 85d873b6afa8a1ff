//! The clear part of a handshake up to ServerHelloDone: bytes in, what they say out. Nothing is ever keyed.

use super::message::{self, ServerHello};
use super::offer::{Offer, Version};
use super::suites::{SUITES, Suite};
use crate::model::tls::TlsOutcome;
use crate::observe::tls::{CERTIFICATES, LIMIT, alert_name, begins_a_record};

/// Bytes of a record: 16 KiB, and 2 KiB that an encrypted one may have more (RFC 5246 section 6.2.3).
const RECORD: usize = 16_384 + 2_048;
/// Records without content in a row. They are forbidden for handshakes (RFC 5246 section 6.2.1), and some send a few.
const EMPTY: usize = 32;
/// Warnings, of which `unrecognized_name` is a common one, and does not end the handshake (RFC 6066 section 3).
const WARNINGS: usize = 8;
/// First bytes that are kept of what is not TLS.
const KEPT: usize = 64;

/// What the bytes so far come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// More bytes.
    NeedMore,
    /// The server has said all that it says in the clear.
    Whole,
    /// Nothing more can be learned: why.
    Done(TlsOutcome),
}

/// What was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// What the server chose.
    pub hello: Option<ServerHello>,
    /// The chain as served, DER; empty if none came.
    pub chain: Vec<Vec<u8>>,
    /// The message with the signed parameters.
    pub key_exchange: Option<Vec<u8>>,
}

/// Reads what a server answers to an offer.
#[derive(Debug)]
pub struct Reader {
    offer: Offer,
    /// Bytes that make no whole record yet.
    records: Vec<u8>,
    /// Content of records that makes no whole message yet.
    messages: Vec<u8>,
    received: usize,
    empty: usize,
    warnings: usize,
    /// The last kind of message.
    rank: u8,
    read: Read,
}

type Outcome<T = ()> = Result<T, Step>;

fn wrong(what: impl Into<String>) -> Step {
    Step::Done(TlsOutcome::Protocol(what.into()))
}

fn too_large(what: String) -> Step {
    Step::Done(TlsOutcome::TooLarge(what))
}

/// The place of a message in the clear part; each stands there once.
fn rank(kind: u8) -> Option<u8> {
    // ServerHello, Certificate, CertificateStatus, ServerKeyExchange, CertificateRequest, ServerHelloDone.
    [2, 11, 22, 12, 13, 14].iter().zip(1..).find(|(k, _)| **k == kind).map(|(_, rank)| rank)
}

impl Reader {
    /// Nothing has come yet.
    pub fn new(offer: Offer) -> Self {
        let (records, messages, read) = (Vec::new(), Vec::new(), Read::default());
        Self { offer, records, messages, received: 0, empty: 0, warnings: 0, rank: 0, read }
    }

    /// True if the server sent something.
    pub fn has_heard(&self) -> bool {
        self.received > 0
    }

    /// The version that the server chose, or else the best on offer.
    pub fn version(&self) -> Version {
        self.read.hello.map_or(self.offer.version, |h| h.version)
    }

    /// What was offered, and what was read.
    pub fn into_parts(self) -> (Offer, Read) {
        (self.offer, self.read)
    }

    /// Takes bytes.
    pub fn receive(&mut self, bytes: &[u8]) -> Step {
        self.received = self.received.saturating_add(bytes.len());
        if self.received > LIMIT {
            return too_large(format!("more than {LIMIT} bytes in the clear"));
        }
        self.records.extend_from_slice(bytes);
        let records = std::mem::take(&mut self.records);
        let mut rest = records.as_slice();
        let step = loop {
            match self.record(rest) {
                Ok(Some(taken)) => rest = rest.get(taken..).unwrap_or_default(),
                Ok(None) => break Step::NeedMore,
                Err(step) => break step,
            }
        };
        self.records = rest.to_vec();
        step
    }

    /// Takes a record, if it is whole; its length.
    fn record(&mut self, bytes: &[u8]) -> Outcome<Option<usize>> {
        if !bytes.is_empty() && !begins_a_record(bytes) {
            return Err(match self.read.hello {
                None => Step::Done(TlsOutcome::NotTls(bytes.iter().take(KEPT).copied().collect())),
                Some(_) => wrong("what is no TLS, in the middle of a handshake"),
            });
        }
        let Some((&[kind, _, _, high, low], rest)) = bytes.split_first_chunk() else { return Ok(None) };
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length > RECORD {
            return Err(too_large(format!("a TLS record of {length} bytes")));
        }
        let Some(content) = rest.get(..length) else { return Ok(None) };
        self.empty = if content.is_empty() { self.empty + 1 } else { 0 };
        match kind {
            _ if self.empty > EMPTY => return Err(wrong("empty TLS records without end")),
            _ if content.is_empty() => {}
            21 => self.alert(content)?,
            22 => self.content(content)?,
            other => return Err(wrong(format!("a record of type {other} in the clear part of a handshake"))),
        }
        Ok(Some(5 + length))
    }

    fn alert(&mut self, content: &[u8]) -> Outcome {
        const CLOSE_NOTIFY: u8 = 0;
        for alert in content.chunks(2) {
            match *alert {
                [1, description] if description != CLOSE_NOTIFY && self.warnings < WARNINGS => self.warnings += 1,
                [_, description] => return Err(Step::Done(TlsOutcome::Alert(alert_name(description.into())))),
                _ => return Err(wrong("half an alert")),
            }
        }
        Ok(())
    }

    /// A message may span records, and a record may hold several messages (RFC 5246 section 6.2.1).
    fn content(&mut self, content: &[u8]) -> Outcome {
        self.messages.extend_from_slice(content);
        let messages = std::mem::take(&mut self.messages);
        let mut rest = messages.as_slice();
        while let Some((&[kind, a, b, c], behind)) = rest.split_first_chunk() {
            let length = usize::try_from(u32::from_be_bytes([0, a, b, c])).unwrap_or(usize::MAX);
            if length > LIMIT {
                return Err(too_large(format!("a handshake message of {length} bytes")));
            }
            let Some((body, behind)) = behind.split_at_checked(length) else { break };
            rest = behind;
            self.message(kind, body)?;
        }
        self.messages = rest.to_vec();
        Ok(())
    }

    fn message(&mut self, kind: u8, body: &[u8]) -> Outcome {
        const HELLO_REQUEST: u8 = 0;
        if kind == HELLO_REQUEST && body.is_empty() {
            return Ok(());
        }
        let due = rank(kind).filter(|r| *r > self.rank && (*r < 3 || !self.read.chain.is_empty()));
        let Some(rank) = due.filter(|r| *r == 1 || self.read.hello.is_some()) else {
            return Err(wrong(format!("a handshake message of type {kind} out of turn")));
        };
        self.rank = rank;
        match kind {
            2 => self.server_hello(body),
            11 => self.certificate(body),
            12 => {
                self.read.key_exchange = Some(body.to_vec());
                Ok(())
            }
            14 => Err(Step::Whole),
            // A stapled response, and that a client certificate is asked for: neither is judged here.
            _ => Ok(()),
        }
    }

    fn server_hello(&mut self, body: &[u8]) -> Outcome {
        let hello = message::server_hello(body).ok_or_else(|| wrong("a ServerHello that cannot be read"))?;
        let chosen = |version: Version| version_name(version).map_or(format!("version {version:#06x}"), str::to_string);
        if version_name(hello.version).is_none() || hello.version > self.offer.version {
            let offered = chosen(self.offer.version);
            return Err(wrong(format!("{} chosen where {offered} was the most on offer", chosen(hello.version))));
        }
        let suite = suite(hello.suite).filter(|s| self.offer.has(s));
        if suite.is_none() || hello.compression != 0 {
            return Err(wrong(match suite {
                None => format!("cipher suite {:#06x} chosen, which was not on offer", hello.suite),
                Some(_) => "compression chosen, which was not on offer".to_string(),
            }));
        }
        self.read.hello = Some(hello);
        Ok(())
    }

    fn certificate(&mut self, body: &[u8]) -> Outcome {
        let chain =
            message::certificate(body, CERTIFICATES).ok_or_else(|| wrong("a Certificate that cannot be read"))?;
        match chain.len() {
            0 => Err(wrong("a chain without a certificate")),
            n if n > CERTIFICATES => Err(too_large(format!("a chain of more than {CERTIFICATES} certificates"))),
            _ => {
                self.read.chain = chain.into_iter().map(<[u8]>::to_vec).collect();
                Ok(())
            }
        }
    }
}

/// A suite that may be on offer, by its number.
pub fn suite(id: u16) -> Option<&'static Suite> {
    SUITES.iter().find(|s| s.id == id)
}

/// The name of a version.
pub fn version_name(version: Version) -> Option<&'static str> {
    match version {
        0x0300 => Some("SSL 3.0"),
        0x0301 => Some("TLS 1.0"),
        0x0302 => Some("TLS 1.1"),
        0x0303 => Some("TLS 1.2"),
        _ => None,
    }
}
