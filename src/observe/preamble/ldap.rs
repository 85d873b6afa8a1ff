//! LDAP (RFC 4511 section 4.14).

use super::{Cut, Protocol, Say, words};
use crate::model::tls::TlsOutcome;

/// A dialogue with a directory: the StartTLS operation, and its answer.
pub struct Ldap;

/// ExtendedRequest, message 1: 1.3.6.1.4.1.1466.20037.
const REQUEST: &[u8] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const ENUMERATED: u8 = 0x0a;
const OCTETS: u8 = 0x04;
const EXTENDED_RESPONSE: u8 = 0x78;

impl Protocol for Ldap {
    fn opening(&mut self) -> Option<Vec<u8>> {
        Some(REQUEST.to_vec())
    }

    fn may_begin(&self, byte: u8) -> bool {
        byte == SEQUENCE
    }

    fn cut(&self, buffer: &[u8]) -> Cut {
        match header(buffer) {
            Header::Of { tag: SEQUENCE, begin, length } => match begin.checked_add(length) {
                Some(end) if end <= buffer.len() => Cut::At(end),
                Some(_) => Cut::More,
                None => Cut::Foreign,
            },
            Header::Cut => Cut::More,
            _ => Cut::Foreign,
        }
    }

    fn take(&mut self, piece: &[u8]) -> Say {
        response(piece).unwrap_or(Say::Foreign)
    }
}

/// What the answer says; `None` if it is none.
fn response(message: &[u8]) -> Option<Say> {
    let (fields, _) = element(message, SEQUENCE)?;
    let (id, rest) = element(fields, INTEGER)?;
    let (answer, _) = element(rest, EXTENDED_RESPONSE)?;
    let (code, rest) = element(answer, ENUMERATED)?;
    let (_, rest) = element(rest, OCTETS)?;
    let (said, _) = element(rest, OCTETS)?;
    let said = words(&String::from_utf8_lossy(said));
    let [code] = *code else { return None };
    let outcome = |outcome| Some(Say::End(outcome));
    match (id, code) {
        // Message 0 is the notice of disconnection (section 4.4.1).
        ([0], _) => outcome(TlsOutcome::TryLater(said)),
        ([1], 0) => Some(Say::GoAhead),
        // protocolError: the operation is not known (section 4.14.2).
        ([1], 2) => outcome(TlsOutcome::StarttlsNotOffered),
        // What Active Directory says, for as long as it has no certificate.
        ([1], 52) if said.contains("initializing SSL/TLS") => outcome(TlsOutcome::StarttlsRefused(said)),
        // busy, unavailable
        ([1], 51 | 52) => outcome(TlsOutcome::TryLater(said)),
        ([1], code) => outcome(TlsOutcome::StarttlsRefused(words(&format!("result {code}: {said}")))),
        _ => None,
    }
}

/// The head of a BER element of definite length, as LDAP has them (RFC 4511 section 5.1).
enum Header {
    Of {
        tag: u8,
        begin: usize,
        length: usize,
    },
    /// It is not all there.
    Cut,
    Bad,
}

fn header(bytes: &[u8]) -> Header {
    match bytes {
        [] | [_] => Header::Cut,
        [tag, short, ..] if *short < 0x80 => Header::Of { tag: *tag, begin: 2, length: usize::from(*short) },
        [tag, long, rest @ ..] => match usize::from(*long & 0x7f) {
            count @ 1..=4 if rest.len() < count => Header::Cut,
            count @ 1..=4 => {
                let length = rest.iter().take(count).fold(0_usize, |sum, b| sum << 8 | usize::from(*b));
                Header::Of { tag: *tag, begin: 2 + count, length }
            }
            _ => Header::Bad,
        },
    }
}

/// The content of an element of a tag, and what follows it.
fn element(bytes: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    match header(bytes) {
        Header::Of { tag, begin, length } if tag == wanted => bytes.get(begin..)?.split_at_checked(length),
        _ => None,
    }
}
