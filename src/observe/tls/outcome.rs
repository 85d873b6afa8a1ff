//! How a handshake ended → what became of the connection. Pure.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::{AlertDescription, Error, InvalidMessage, PeerIncompatible};

use super::capture::Seen;
use crate::model::certificate::BlobId;
use crate::model::tls::{Possession, Served, Stage, TlsOutcome};
use crate::observe::dial::{Fault, fault};
use crate::pki;

/// Certificates of a chain that are taken; real chains have three or four.
pub const CERTIFICATES: usize = 100;

/// How a handshake ended.
#[derive(Debug)]
pub enum End {
    /// It completed.
    Complete {
        /// Cipher suite by its IANA name.
        cipher: Option<Arc<str>>,
    },
    /// It failed.
    Failed(io::Error),
    /// The time was over.
    Timeout,
    /// The server sent more than is read of any server, in bytes.
    TooMuch(usize),
}

/// The outcome, and the certificates by their ids. `first` are the first bytes received.
pub fn outcome(seen: Seen, end: End, first: &[u8]) -> (TlsOutcome, Vec<(BlobId, Vec<u8>)>) {
    match seen.chain.len() {
        0 => (without_chain(end, first), Vec::new()),
        n if n > CERTIFICATES => (TlsOutcome::TooLarge(format!("a chain of {n} certificates")), Vec::new()),
        _ => with_chain(seen, end),
    }
}

/// The name of a version or a suite. We offer few of either: each name stands once.
pub fn shared(name: &str) -> Arc<str> {
    static KNOWN: Mutex<BTreeSet<Arc<str>>> = Mutex::new(BTreeSet::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.get(name).cloned().unwrap_or_else(|| {
        let name: Arc<str> = name.into();
        known.insert(name.clone());
        name
    })
}

fn with_chain(seen: Seen, end: End) -> (TlsOutcome, Vec<(BlobId, Vec<u8>)>) {
    let ended = ended(&end);
    let cipher = match end {
        End::Complete { cipher } => cipher,
        _ => None,
    };
    let blobs: Vec<_> = seen.chain.into_iter().map(|der| (pki::blob_id(&der), der)).collect();
    let before = || Possession::NotProved("the handshake ended before".into());
    let served = Served {
        chain: blobs.iter().map(|(id, _)| *id).collect(),
        possession: seen.possession.unwrap_or_else(before),
        version: seen.version.map(shared),
        cipher,
        client: seen.client,
        ended,
        declined: None,
    };
    (TlsOutcome::Certificate(served), blobs)
}

/// What ended a handshake after the chain had come: an alert when a client certificate is demanded, say.
fn ended(end: &End) -> Option<Box<str>> {
    match end {
        End::Complete { .. } => None,
        End::Timeout => Some("no answer in time".into()),
        End::TooMuch(limit) => Some(format!("more than {limit} bytes sent").into()),
        End::Failed(e) => Some(match (tls_error(e), fault(e)) {
            (Some(Error::AlertReceived(alert)), _) => format!("alert {}", alert_name(*alert)).into(),
            (Some(other), _) => other.to_string().into(),
            (None, Fault::Closed) => "closed by the server".into(),
            (None, _) => e.to_string().into(),
        }),
    }
}

fn without_chain(end: End, first: &[u8]) -> TlsOutcome {
    if !first.is_empty() && !begins_a_record(first) {
        return TlsOutcome::NotTls(first.to_vec());
    }
    match end {
        End::Complete { .. } => TlsOutcome::Protocol("a handshake without a certificate".into()),
        End::Timeout => TlsOutcome::Timeout(Stage::Handshake),
        End::TooMuch(limit) => TlsOutcome::TooLarge(format!("more than {limit} bytes before a certificate")),
        End::Failed(e) => match tls_error(&e) {
            Some(error) => refused_by_tls(error, first),
            // The library keeps so much of a message that does not end, and says it in words of its own.
            None if e.kind() == io::ErrorKind::InvalidData => {
                TlsOutcome::TooLarge(format!("a handshake message that does not end ({e})"))
            }
            None => of_fault(fault(&e), Stage::Handshake),
        },
    }
}

fn refused_by_tls(error: &Error, first: &[u8]) -> TlsOutcome {
    match error {
        Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13) => match chosen_version(first) {
            Some(version) => TlsOutcome::OldVersion(version.into()),
            None => TlsOutcome::Protocol(error.to_string()),
        },
        Error::AlertReceived(alert) => TlsOutcome::Alert(alert_name(*alert)),
        Error::InvalidMessage(InvalidMessage::CertificatePayloadTooLarge) => {
            TlsOutcome::TooLarge("a chain of more than 64 KiB".into())
        }
        Error::InvalidMessage(InvalidMessage::HandshakePayloadTooLarge) => {
            TlsOutcome::TooLarge("a handshake message of more than 64 KiB".into())
        }
        // RFC 8446 section 5.2 lets a record be 256 bytes longer, RFC 5246 section 6.2.3 2 KiB.
        Error::InvalidMessage(InvalidMessage::MessageTooLarge) | Error::PeerSentOversizedRecord => {
            TlsOutcome::TooLarge("a TLS record of more than 16 KiB".into())
        }
        other => TlsOutcome::Protocol(other.to_string()),
    }
}

/// The outcome of an error of the socket.
pub fn of_fault(fault: Fault, stage: Stage) -> TlsOutcome {
    match fault {
        Fault::Refused if stage == Stage::Connect => TlsOutcome::Refused,
        Fault::Refused | Fault::Closed => TlsOutcome::Closed(stage),
        Fault::Timeout => TlsOutcome::Timeout(stage),
        Fault::Unreachable(why) => TlsOutcome::Unreachable(why),
        Fault::Ours(why) => TlsOutcome::CannotLook(why),
    }
}

/// The version before TLS 1.2 that a ServerHello chose (RFC 5246 section 7.4.1.3): after the record's header comes the
/// message's type and length, then the version.
fn chosen_version(first: &[u8]) -> Option<&'static str> {
    match first {
        [22, 3, _, _, _, 2, _, _, _, 3, minor, ..] => match minor {
            0 => Some("SSL 3.0"),
            1 => Some("TLS 1.0"),
            2 => Some("TLS 1.1"),
            _ => None,
        },
        _ => None,
    }
}

/// True if bytes can be a TLS record: its type, then the major version (RFC 8446 section 5.1).
pub fn begins_a_record(bytes: &[u8]) -> bool {
    matches!(bytes, [20..=24] | [20..=24, 3, ..])
}

/// What TLS said, where the error is not the socket's.
fn tls_error(error: &io::Error) -> Option<&Error> {
    error.get_ref().and_then(|e| e.downcast_ref())
}

/// An alert by its name in the registry of IANA.
pub fn alert_name(alert: AlertDescription) -> String {
    let name = match u8::from(alert) {
        0 => "close_notify",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        22 => "record_overflow",
        40 => "handshake_failure",
        42 => "bad_certificate",
        43 => "unsupported_certificate",
        44 => "certificate_revoked",
        45 => "certificate_expired",
        46 => "certificate_unknown",
        47 => "illegal_parameter",
        48 => "unknown_ca",
        49 => "access_denied",
        50 => "decode_error",
        51 => "decrypt_error",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback",
        90 => "user_canceled",
        100 => "no_renegotiation",
        109 => "missing_extension",
        110 => "unsupported_extension",
        112 => "unrecognized_name",
        113 => "bad_certificate_status_response",
        115 => "unknown_psk_identity",
        116 => "certificate_required",
        120 => "no_application_protocol",
        other => return other.to_string(),
    };
    name.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(error: Error) -> End {
        End::Failed(io::Error::new(io::ErrorKind::InvalidData, error))
    }

    fn bare(end: End, first: &[u8]) -> TlsOutcome {
        outcome(Seen::default(), end, first).0
    }

    #[test]
    fn a_failure_before_the_chain_is_typed() {
        let alert = |a| bare(failed(Error::AlertReceived(a)), &[21, 3, 3]);
        assert_eq!(alert(AlertDescription::ProtocolVersion), TlsOutcome::Alert("protocol_version".into()));
        assert_eq!(alert(AlertDescription::UnrecognisedName), TlsOutcome::Alert("unrecognized_name".into()));
        assert_eq!(alert(AlertDescription::Unknown(99)), TlsOutcome::Alert("99".into()));
        let large = failed(Error::InvalidMessage(InvalidMessage::CertificatePayloadTooLarge));
        assert!(matches!(bare(large, &[22, 3, 3]), TlsOutcome::TooLarge(_)));
        let old = || failed(PeerIncompatible::ServerDoesNotSupportTls12Or13.into());
        let hello = |minor| [22, 3, 1, 0, 74, 2, 0, 0, 70, 3, minor];
        assert_eq!(bare(old(), &hello(1)), TlsOutcome::OldVersion("TLS 1.0".into()));
        assert_eq!(bare(old(), &hello(2)), TlsOutcome::OldVersion("TLS 1.1".into()));
        assert!(matches!(bare(old(), &hello(3)), TlsOutcome::Protocol(_)));
        assert!(matches!(bare(old(), &[22, 3, 1]), TlsOutcome::Protocol(_)));
        assert_eq!(bare(End::Timeout, &[]), TlsOutcome::Timeout(Stage::Handshake));
        let eof = || End::Failed(io::ErrorKind::UnexpectedEof.into());
        assert_eq!(bare(eof(), &[]), TlsOutcome::Closed(Stage::Handshake));
        assert_eq!(bare(eof(), b"hi"), TlsOutcome::NotTls(b"hi".to_vec()));
        assert_eq!(bare(End::Timeout, b"SSH-2.0"), TlsOutcome::NotTls(b"SSH-2.0".to_vec()));
        assert_eq!(bare(End::Timeout, &[22, 3]), TlsOutcome::Timeout(Stage::Handshake));
        let full = || End::Failed(io::Error::new(io::ErrorKind::InvalidData, "message buffer full"));
        assert_eq!(
            bare(full(), &[22, 3]),
            TlsOutcome::TooLarge("a handshake message that does not end (message buffer full)".into())
        );
    }

    #[test]
    fn a_chain_that_is_too_long_is_not_taken() {
        let seen = Seen { chain: vec![vec![0x30]; 101], ..Seen::default() };
        assert!(matches!(outcome(seen, End::Complete { cipher: None }, &[22]).0, TlsOutcome::TooLarge(_)));
    }

    #[test]
    fn what_came_before_the_failure_is_kept() {
        for (end, words) in [
            (failed(Error::AlertReceived(AlertDescription::HandshakeFailure)), "alert handshake_failure"),
            (End::Timeout, "no answer in time"),
            (End::Failed(io::ErrorKind::ConnectionReset.into()), "closed by the server"),
        ] {
            let seen = Seen { chain: vec![vec![0x30, 0x00]], ..Seen::default() };
            let (TlsOutcome::Certificate(served), blobs) = outcome(seen, end, &[22, 3, 3]) else { panic!() };
            assert_eq!(served.ended.as_deref(), Some(words));
            assert_eq!(served.chain, [blobs[0].0]);
            assert!(matches!(served.possession, Possession::NotProved(_)));
        }
    }
}
