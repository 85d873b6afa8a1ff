//! Any bytes from a server before TLS. The first chooses the protocol. The others come byte by byte, in pieces that NULs part,
//! and cut at places that follow from them.

use coexist::model::service::Protocol;
use coexist::observe::fuzzing::dialogue;

pub fn body(data: &[u8]) {
    let Some((first, said)) = data.split_first() else { return };
    use Protocol::{Ftp, Imap, Ldap, Pop3, Postgres, Rdp, Sieve, Smtp, Xmpp};
    let all = [Smtp, Imap, Pop3, Ftp, Sieve, Xmpp, Ldap, Postgres, Rdp];
    let protocol = all[usize::from(*first) % all.len()];
    let _ = dialogue(protocol, said.chunks(1));
    let parted = dialogue(protocol, said.split(|b| *b == 0));
    let anywhere = dialogue(protocol, cut_anywhere(said));
    // Where the client asks first, one word is the answer.
    if !matches!(protocol, Ldap | Postgres | Rdp) {
        // Each has to speak, to offer and to agree, and to listen in between.
        for pieces in [parted, anywhere] {
            assert!(pieces.is_err() || pieces.is_ok_and(|n| n >= 2), "{said:?}");
        }
        assert!(dialogue(protocol, [said]).is_err(), "who does not listen gets no handshake");
    }
}

/// The bytes in pieces, whose lengths are drawn from the bytes themselves (xorshift64).
fn cut_anywhere(said: &[u8]) -> Vec<&[u8]> {
    let mut state = said.iter().fold(0x9e37_79b9_7f4a_7c15_u64, |sum, b| sum.rotate_left(5) ^ u64::from(*b)) | 1;
    let (mut pieces, mut rest) = (Vec::new(), said);
    while !rest.is_empty() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let length = 1 + usize::try_from(state >> 33).unwrap_or_default() % rest.len().min(64);
        let (piece, behind) = rest.split_at(length);
        pieces.push(piece);
        rest = behind;
    }
    pieces
}
