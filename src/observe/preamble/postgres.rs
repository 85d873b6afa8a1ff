//! PostgreSQL (its manual, "Frontend/Backend Protocol", SSL Session Encryption).

use super::{Cut, Protocol, Say, words};
use crate::model::tls::TlsOutcome;

/// A dialogue with a PostgreSQL server: one question, one byte.
pub struct Postgres;

/// SSLRequest: its length, and the number 80877103 in the place of a protocol version.
const REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

impl Protocol for Postgres {
    fn opening(&mut self) -> Option<Vec<u8>> {
        Some(REQUEST.to_vec())
    }

    fn may_begin(&self, byte: u8) -> bool {
        matches!(byte, b'S' | b'N' | b'E')
    }

    /// One byte; an error is a message with its length, or a text.
    fn cut(&self, buffer: &[u8]) -> Cut {
        match buffer {
            [] => Cut::More,
            [b'E', head @ ..] if is_text(head) => match head.iter().position(|b| matches!(b, 0 | b'\n')) {
                Some(end) => Cut::At(end + 2),
                None => Cut::More,
            },
            [b'E', a, b, c, d, ..] => match usize::try_from(u32::from_be_bytes([*a, *b, *c, *d])) {
                Ok(length) if length < 4 => Cut::Foreign,
                Ok(length) if buffer.len() > length => Cut::At(length + 1),
                _ => Cut::More,
            },
            [b'E', ..] => Cut::More,
            _ => Cut::At(1),
        }
    }

    fn take(&mut self, piece: &[u8]) -> Say {
        match piece {
            [b'S'] => Say::GoAhead,
            [b'N'] => Say::End(TlsOutcome::StarttlsNotOffered),
            [b'E', text @ ..] if is_text(text) => old_error(text),
            [b'E', rest @ ..] => error(rest.get(4..).unwrap_or_default()),
            _ => Say::Foreign,
        }
    }
}

/// Protocol 2 had no length, and a server that cannot start a process for us still speaks so. A length in letters would be
/// beyond all that is read.
fn is_text(head: &[u8]) -> bool {
    matches!(head, [a, b, ..] if *a >= b' ' && *b >= b' ')
}

/// A text, whose end is a NUL or a line's.
fn old_error(text: &[u8]) -> Say {
    let said = words(String::from_utf8_lossy(text).trim_end_matches(['\0', '\n', '\r']));
    match ["could not fork", "too many clients", "starting up", "shutting down"].iter().any(|w| said.contains(w)) {
        true => Say::End(TlsOutcome::TryLater(said)),
        false => Say::End(TlsOutcome::StarttlsRefused(said)),
    }
}

/// The fields of an ErrorResponse: a code and a text each. Too many connections is what passes by itself.
fn error(fields: &[u8]) -> Say {
    let of = |code: u8| {
        let field = fields.split(|b| *b == 0).find(|f| f.first() == Some(&code))?;
        field.get(1..).map(|text| String::from_utf8_lossy(text).into_owned())
    };
    let said = words(&of(b'M').unwrap_or_default());
    match of(b'C').as_deref() {
        Some("53300" | "57P03") => Say::End(TlsOutcome::TryLater(said)),
        _ => Say::End(TlsOutcome::StarttlsRefused(said)),
    }
}
