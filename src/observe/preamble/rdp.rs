//! RDP (MS-RDPBCGR sections 2.2.1.1 and 2.2.1.2).

use super::{Cut, Protocol, Say};
use crate::model::tls::TlsOutcome;

/// A dialogue with a remote desktop: an X.224 connection request, and its answer.
pub struct Rdp;

/// TPKT of 19 bytes, X.224 Connection Request, and a negotiation request for TLS, with and without CredSSP after it: with
/// either one the certificate comes in the same way.
const REQUEST: [u8; 19] = [3, 0, 0, 19, 14, 0xe0, 0, 0, 0, 0, 0, 1, 0, 8, 0, 3, 0, 0, 0];

/// The negotiation part of an answer: its type, and its last number.
const RESPONSE: u8 = 2;
const FAILURE: u8 = 3;

impl Protocol for Rdp {
    fn opening(&mut self) -> Option<Vec<u8>> {
        Some(REQUEST.to_vec())
    }

    fn may_begin(&self, byte: u8) -> bool {
        byte == 3
    }

    /// A TPKT says how long it is (RFC 1006 section 6).
    fn cut(&self, buffer: &[u8]) -> Cut {
        match buffer {
            [3, _, high, low, ..] => match usize::from(u16::from_be_bytes([*high, *low])) {
                length if length < 11 => Cut::Foreign,
                length if buffer.len() >= length => Cut::At(length),
                _ => Cut::More,
            },
            [3, ..] | [] => Cut::More,
            _ => Cut::Foreign,
        }
    }

    fn take(&mut self, piece: &[u8]) -> Say {
        // Behind TPKT: the length, Connection Confirm, two references and a class.
        let (Some([_, confirm, _, _, _, _, _]), Some(rest)) = (piece.get(4..11), piece.get(11..)) else {
            return Say::Foreign;
        };
        match (confirm & 0xf0, rest) {
            // Before Windows 2003 SP1 nobody negotiated.
            (0xd0, []) => Say::End(TlsOutcome::StarttlsNotOffered),
            (0xd0, [RESPONSE, _, 8, 0, 0, ..]) => Say::End(TlsOutcome::StarttlsNotOffered),
            (0xd0, [RESPONSE, _, 8, 0, 1 | 2 | 3 | 8, ..]) => Say::GoAhead,
            (0xd0, [FAILURE, _, 8, 0, code, ..]) => Say::End(failure(*code)),
            _ => Say::Foreign,
        }
    }
}

fn failure(code: u8) -> TlsOutcome {
    let why = match code {
        2 => return TlsOutcome::StarttlsNotOffered,
        1 => "SSL_REQUIRED_BY_SERVER",
        3 => "SSL_CERT_NOT_ON_SERVER",
        4 => "INCONSISTENT_FLAGS",
        5 => "HYBRID_REQUIRED_BY_SERVER",
        6 => "SSL_WITH_USER_AUTH_REQUIRED_BY_SERVER",
        other => return TlsOutcome::StarttlsRefused(format!("negotiation failure {other}")),
    };
    TlsOutcome::StarttlsRefused(why.into())
}
