//! Any bytes from a server before TLS. The first chooses the protocol; NULs part the pieces in which they come. Byte by byte
//! it ends too.

use coexist::model::service::Protocol;
use coexist::observe::fuzzing::dialogue;

pub fn body(data: &[u8]) {
    let Some((first, said)) = data.split_first() else { return };
    use Protocol::{Ftp, Imap, Ldap, Pop3, Postgres, Rdp, Sieve, Smtp, Xmpp};
    let all = [Smtp, Imap, Pop3, Ftp, Sieve, Xmpp, Ldap, Postgres, Rdp];
    let protocol = all[usize::from(*first) % all.len()];
    let _ = dialogue(protocol, said.chunks(1));
    let pieces = dialogue(protocol, said.split(|b| *b == 0));
    // Where the client asks first, one word is the answer.
    if !matches!(protocol, Ldap | Postgres | Rdp) {
        // Each has to speak, to offer and to agree, and to listen in between.
        assert!(pieces.is_err() || pieces.is_ok_and(|n| n >= 2), "{said:?}");
        assert!(dialogue(protocol, [said]).is_err(), "who does not listen gets no handshake");
    }
}
