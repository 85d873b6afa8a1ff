//! The servers' side of dialogues that are no lines: LDAP (RFC 4511 section 4.14), XMPP (RFC 6120 section 5.4), PostgreSQL
//! (SSLRequest), RDP (MS-RDPBCGR section 2.2.1.2).

use std::io;

use tokio::io::{AsyncBufRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::dialogue::Offer;
use crate::model::service::Protocol;

/// Octets of an XMPP client's words that are read.
const MAX_WORDS: usize = 4096;

/// Leads the dialogue; true if TLS begins now.
pub(super) async fn lead<S>(stream: &mut S, protocol: Protocol, offer: Offer) -> io::Result<bool>
where
    S: AsyncBufRead + AsyncWrite + Unpin,
{
    if matches!(protocol, Protocol::Xmpp | Protocol::XmppServer) {
        return xmpp(stream, offer).await;
    }
    let (request, [granted, missing, refused]) = answers(protocol);
    stream.read_exact(&mut vec![0; request]).await?;
    let answer = match offer {
        Offer::Granted => granted.to_vec(),
        Offer::Missing => missing.to_vec(),
        Offer::Refused => refused.to_vec(),
        Offer::Injected => [granted, granted].concat(),
    };
    stream.write_all(&answer).await?;
    Ok(matches!(offer, Offer::Granted | Offer::Injected))
}

/// How many octets the request has, and what is said to it: yes, what is that, no.
fn answers(protocol: Protocol) -> (usize, [&'static [u8]; 3]) {
    match protocol {
        Protocol::Ldap => (
            31,
            [
                b"0\x0c\x02\x01\x01x\x07\x0a\x01\x00\x04\x00\x04\x00",
                b"0\x0c\x02\x01\x01x\x07\x0a\x01\x02\x04\x00\x04\x00",
                b"0\x0e\x02\x01\x01x\x09\x0a\x01\x01\x04\x00\x04\x02no",
            ],
        ),
        Protocol::Postgres => (8, [b"S", b"N", b"E\x00\x00\x00\x0aMlab no\x00"]),
        _ => (
            19,
            [
                b"\x03\x00\x00\x13\x0e\xd0\x00\x00\x124\x00\x02\x01\x08\x00\x01\x00\x00\x00",
                b"\x03\x00\x00\x13\x0e\xd0\x00\x00\x124\x00\x02\x01\x08\x00\x00\x00\x00\x00",
                b"\x03\x00\x00\x13\x0e\xd0\x00\x00\x124\x00\x03\x00\x08\x00\x03\x00\x00\x00",
            ],
        ),
    }
}

async fn xmpp<S>(stream: &mut S, offer: Offer) -> io::Result<bool>
where
    S: AsyncBufRead + AsyncWrite + Unpin,
{
    const TLS: &str = "xmlns='urn:ietf:params:xml:ns:xmpp-tls'";
    // The declaration, then the stream.
    for _ in 0..2 {
        tag(stream).await?;
    }
    let feature = if offer == Offer::Missing { String::new() } else { format!("<starttls {TLS}/>") };
    let head = "<?xml version='1.0'?><stream:stream version='1.0' xmlns='jabber:client' \
                xmlns:stream='http://etherx.jabber.org/streams'>";
    stream.write_all(format!("{head}<stream:features>{feature}</stream:features>").as_bytes()).await?;
    if offer == Offer::Missing {
        return Ok(false);
    }
    tag(stream).await?;
    let (answer, go) = match offer {
        Offer::Refused => (format!("<failure {TLS}/>"), false),
        Offer::Injected => (format!("<proceed {TLS}/><presence/>"), true),
        _ => (format!("<proceed {TLS}/>"), true),
    };
    stream.write_all(answer.as_bytes()).await?;
    Ok(go)
}

/// Reads to the end of a tag.
async fn tag<S: AsyncBufRead + Unpin>(stream: &mut S) -> io::Result<()> {
    for _ in 0..MAX_WORDS {
        if stream.read_u8().await? == b'>' {
            return Ok(());
        }
    }
    Err(io::ErrorKind::InvalidData.into())
}
