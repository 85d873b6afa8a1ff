//! Any bytes from a server before TLS. The first chooses the protocol; NULs part the pieces in which they come. Byte by byte
//! it ends too.

use coexist::model::service::Protocol;
use coexist::observe::fuzzing::dialogue;

pub fn body(data: &[u8]) {
    let Some((first, said)) = data.split_first() else { return };
    let protocol = match first % 3 {
        0 => Protocol::Smtp,
        1 => Protocol::Imap,
        _ => Protocol::Pop3,
    };
    if let Ok(pieces) = dialogue(protocol, said.split(|b| *b == 0)) {
        // Each has to speak, to offer and to agree, and to listen in between.
        assert!(pieces >= 2, "{said:?}");
    }
    assert!(dialogue(protocol, [said]).is_err(), "who does not listen gets no handshake");
    let _ = dialogue(protocol, said.chunks(1));
}
