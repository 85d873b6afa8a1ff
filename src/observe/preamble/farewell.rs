//! How one takes leave, so that a server's log shows a client that left and not a connection that was lost.

use crate::model::service::Protocol;
use crate::model::tls::TlsOutcome;

/// The last word in a session that may be ended before or within TLS without waiting for the server; empty where there is
/// none, or where it is the server that speaks next.
pub fn of(protocol: Protocol) -> &'static [u8] {
    match protocol {
        // RFC 5321 section 4.1.1.10, RFC 1939 section 5, RFC 959 section 4.1.1.
        Protocol::Smtp | Protocol::Pop3 | Protocol::Ftp => b"QUIT\r\n",
        // RFC 3501 section 6.1.3
        Protocol::Imap => b"a9 LOGOUT\r\n",
        // RFC 5804 section 2.3
        Protocol::Sieve => b"LOGOUT\r\n",
        // UnbindRequest (RFC 4511 section 4.3): message 2, application 2 without content.
        Protocol::Ldap => &[0x30, 5, 2, 1, 2, 0x42, 0],
        Protocol::Xmpp | Protocol::XmppServer | Protocol::Postgres | Protocol::Rdp => b"",
    }
}

/// True if a dialogue ended with the server's clear word, so that it still listens to ours.
pub fn is_heard(outcome: &TlsOutcome) -> bool {
    matches!(outcome, TlsOutcome::StarttlsNotOffered | TlsOutcome::StarttlsRefused(_) | TlsOutcome::TryLater(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_said_only_to_who_listens() {
        assert!(is_heard(&TlsOutcome::TryLater("451 later".into())));
        assert!(!is_heard(&TlsOutcome::NotThisProtocol(vec![1])));
        assert_eq!(of(Protocol::Smtp), b"QUIT\r\n");
    }
}
