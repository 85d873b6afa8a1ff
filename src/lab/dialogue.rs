//! The servers' side of the dialogues that lead to TLS, line by line: SMTP (RFC 3207), IMAP (RFC 9051 section 6.2.1), POP3
//! (RFC 2595 section 4), FTP (RFC 4217), ManageSieve (RFC 5804).

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::frames;
use crate::model::service::Protocol;

/// Octets of a line and lines of a dialogue that are read of a client.
const MAX_LINE: u64 = 1024;
const MAX_LINES: usize = 64;

/// What a server says of STARTTLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Offer {
    Granted,
    Missing,
    Refused,
    /// Granted, with a line in the clear behind the word.
    Injected,
}

/// What follows a client's line.
#[derive(Debug, PartialEq, Eq)]
enum Reply {
    Go(String),
    Stay(String),
    Quit(String),
}

/// Leads the dialogue; true if TLS begins now.
async fn lead<S>(stream: &mut S, protocol: Protocol, offer: Offer) -> io::Result<bool>
where
    S: AsyncBufRead + AsyncWrite + Unpin,
{
    let Some(greeting) = greeting(protocol, offer) else { return frames::lead(stream, protocol, offer).await };
    stream.write_all(greeting.as_bytes()).await?;
    for _ in 0..MAX_LINES {
        let mut line = String::new();
        if (&mut *stream).take(MAX_LINE).read_line(&mut line).await? == 0 || !line.ends_with('\n') {
            return Ok(false);
        }
        let reply = match protocol {
            Protocol::Smtp => smtp(line.trim_end(), offer),
            Protocol::Imap => imap(line.trim_end(), offer),
            Protocol::Ftp => ftp(line.trim_end(), offer),
            Protocol::Sieve => sieve(line.trim_end(), offer),
            _ => pop3(line.trim_end(), offer),
        };
        let (text, go) = match &reply {
            Reply::Go(text) => (text, Some(true)),
            Reply::Stay(text) => (text, None),
            Reply::Quit(text) => (text, Some(false)),
        };
        stream.write_all(text.as_bytes()).await?;
        if let Some(go) = go {
            return Ok(go);
        }
    }
    Ok(false)
}

/// Leads the dialogue of a server that has TLS, as [`upgraded`].
pub(crate) async fn grant(stream: TcpStream, protocol: Protocol) -> io::Result<Option<TcpStream>> {
    upgraded(stream, protocol, Offer::Granted).await
}

/// Leads the dialogue, and gives the stream back for TLS; `None` if there is to be none. Octets that came ahead of the handshake
/// would be an injection (RFC 3207 section 6): the connection ends.
pub(super) async fn upgraded(stream: TcpStream, protocol: Protocol, offer: Offer) -> io::Result<Option<TcpStream>> {
    let mut buffered = BufReader::new(stream);
    let is_led = lead(&mut buffered, protocol, offer).await?;
    Ok((is_led && buffered.buffer().is_empty()).then(|| buffered.into_inner()))
}

fn greeting(protocol: Protocol, offer: Offer) -> Option<String> {
    match protocol {
        Protocol::Smtp => Some("220 lab.invalid ESMTP\r\n".into()),
        Protocol::Imap => Some(format!("* OK [CAPABILITY {}] lab ready\r\n", imap_capabilities(offer))),
        Protocol::Pop3 => Some("+OK lab ready\r\n".into()),
        Protocol::Ftp => Some("220 lab ready\r\n".into()),
        Protocol::Sieve if offer == Offer::Missing => Some("\"VERSION\" \"1.0\"\r\nOK\r\n".into()),
        Protocol::Sieve => Some("\"STARTTLS\"\r\n\"VERSION\" \"1.0\"\r\nOK\r\n".into()),
        Protocol::Ldap | Protocol::Xmpp | Protocol::XmppServer | Protocol::Postgres | Protocol::Rdp => None,
    }
}

fn imap_capabilities(offer: Offer) -> &'static str {
    if offer == Offer::Missing { "IMAP4rev1" } else { "IMAP4rev1 STARTTLS LOGINDISABLED" }
}

fn smtp(line: &str, offer: Offer) -> Reply {
    let verb = line.split(' ').next().unwrap_or("").to_ascii_uppercase();
    match (verb.as_str(), offer) {
        ("EHLO", Offer::Missing) => Reply::Stay("250-lab.invalid\r\n250-SIZE 10240000\r\n250 8BITMIME\r\n".into()),
        ("EHLO", _) => Reply::Stay("250-lab.invalid\r\n250-SIZE 10240000\r\n250-STARTTLS\r\n250 8BITMIME\r\n".into()),
        ("HELO" | "NOOP" | "RSET", _) => Reply::Stay("250 lab.invalid\r\n".into()),
        ("STARTTLS", Offer::Granted) => Reply::Go("220 2.0.0 ready to start TLS\r\n".into()),
        ("STARTTLS", Offer::Injected) => Reply::Go("220 2.0.0 ready to start TLS\r\n250 2.0.0 ok\r\n".into()),
        ("STARTTLS", Offer::Refused) => Reply::Stay("454 4.7.0 TLS not available due to temporary reason\r\n".into()),
        ("QUIT", _) => Reply::Quit("221 2.0.0 bye\r\n".into()),
        _ => Reply::Stay("502 5.5.1 command not recognized\r\n".into()),
    }
}

fn imap(line: &str, offer: Offer) -> Reply {
    let mut words = line.split(' ');
    let tag = words.next().unwrap_or("*");
    let verb = words.next().unwrap_or("").to_ascii_uppercase();
    match (verb.as_str(), offer) {
        ("CAPABILITY", _) => Reply::Stay(format!("* CAPABILITY {}\r\n{tag} OK done\r\n", imap_capabilities(offer))),
        ("STARTTLS", Offer::Granted) => Reply::Go(format!("{tag} OK begin TLS negotiation now\r\n")),
        ("STARTTLS", Offer::Injected) => Reply::Go(format!("{tag} OK begin TLS negotiation now\r\n* OK lab\r\n")),
        ("STARTTLS", Offer::Refused) => Reply::Stay(format!("{tag} NO STARTTLS is not available now\r\n")),
        ("NOOP", _) => Reply::Stay(format!("{tag} OK done\r\n")),
        ("LOGOUT", _) => Reply::Quit(format!("* BYE lab\r\n{tag} OK done\r\n")),
        _ => Reply::Stay(format!("{tag} BAD command unknown\r\n")),
    }
}

fn pop3(line: &str, offer: Offer) -> Reply {
    match (line.to_ascii_uppercase().as_str(), offer) {
        ("CAPA", Offer::Missing) => Reply::Stay("+OK capability list follows\r\nUSER\r\nUIDL\r\n.\r\n".into()),
        ("CAPA", _) => Reply::Stay("+OK capability list follows\r\nUSER\r\nUIDL\r\nSTLS\r\n.\r\n".into()),
        ("STLS", Offer::Granted) => Reply::Go("+OK begin TLS negotiation\r\n".into()),
        ("STLS", Offer::Injected) => Reply::Go("+OK begin TLS negotiation\r\n+OK lab\r\n".into()),
        ("STLS", Offer::Refused) => Reply::Stay("-ERR TLS is not available now\r\n".into()),
        ("QUIT", _) => Reply::Quit("+OK bye\r\n".into()),
        _ => Reply::Stay("-ERR command unknown\r\n".into()),
    }
}

fn ftp(line: &str, offer: Offer) -> Reply {
    match (line.to_ascii_uppercase().as_str(), offer) {
        ("AUTH TLS", Offer::Granted) => Reply::Go("234 go\r\n".into()),
        ("AUTH TLS", Offer::Injected) => Reply::Go("234 go\r\n230 lab\r\n".into()),
        ("AUTH TLS", Offer::Refused) => Reply::Stay("534 not here\r\n".into()),
        ("QUIT", _) => Reply::Quit("221 bye\r\n".into()),
        _ => Reply::Stay("502 command unknown\r\n".into()),
    }
}

fn sieve(line: &str, offer: Offer) -> Reply {
    match (line.to_ascii_uppercase().as_str(), offer) {
        ("STARTTLS", Offer::Granted) => Reply::Go("OK\r\n".into()),
        ("STARTTLS", Offer::Injected) => Reply::Go("OK\r\n\"SASL\" \"PLAIN\"\r\n".into()),
        ("LOGOUT", _) => Reply::Quit("OK\r\n".into()),
        _ => Reply::Stay("NO\r\n".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;
    use std::pin::Pin;
    use std::task::{Context, Poll};
    use tokio::io::ReadBuf;

    /// A client that says what it has to say at once, and keeps what it hears.
    struct Client(Cursor<Vec<u8>>, Vec<u8>);

    impl tokio::io::AsyncRead for Client {
        fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_read(cx, buf)
        }
    }

    impl AsyncWrite for Client {
        fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            self.1.extend(bytes);
            Poll::Ready(Ok(bytes.len()))
        }
        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    async fn talk(protocol: Protocol, offer: Offer, said: &str) -> (bool, String) {
        let mut stream = BufReader::new(Client(Cursor::new(said.as_bytes().to_vec()), Vec::new()));
        let go = lead(&mut stream, protocol, offer).await.unwrap();
        (go, String::from_utf8(stream.into_inner().1).unwrap())
    }

    #[tokio::test]
    async fn each_protocol_goes_on_to_tls_when_it_is_granted() {
        for (protocol, said, heard) in [
            (Protocol::Smtp, "EHLO me\r\nSTARTTLS\r\n", "250-STARTTLS\r\n"),
            (Protocol::Imap, "a1 CAPABILITY\r\na2 STARTTLS\r\n", "a2 OK"),
            (Protocol::Pop3, "CAPA\r\nSTLS\r\n", "STLS\r\n.\r\n+OK"),
        ] {
            let (go, text) = talk(protocol, Offer::Granted, said).await;
            assert!(go && text.contains(heard), "{protocol:?} {text}");
        }
    }

    #[tokio::test]
    async fn what_is_missing_is_not_offered_and_what_is_refused_is() {
        for (protocol, said, offered, refusal) in [
            (Protocol::Smtp, "EHLO me\r\nSTARTTLS\r\nQUIT\r\n", "STARTTLS", "454 4.7.0"),
            (Protocol::Imap, "a1 CAPABILITY\r\na2 STARTTLS\r\na3 LOGOUT\r\n", "STARTTLS", "a2 NO"),
            (Protocol::Pop3, "CAPA\r\nSTLS\r\nQUIT\r\n", "STLS", "-ERR TLS"),
        ] {
            let (go, text) = talk(protocol, Offer::Missing, said).await;
            assert!(!go && !text.contains(offered), "{protocol:?} {text}");
            let (go, text) = talk(protocol, Offer::Refused, said).await;
            assert!(!go && text.contains(offered) && text.contains(refusal), "{protocol:?} {text}");
            let (go, text) = talk(protocol, Offer::Injected, said).await;
            assert!(go && text.trim_end().matches('\n').count() > 1, "{protocol:?} {text}");
        }
    }

    #[tokio::test]
    async fn a_client_without_end_is_left() {
        assert!(!talk(Protocol::Smtp, Offer::Granted, &"NOOP\r\n".repeat(1000)).await.0);
        assert!(!talk(Protocol::Smtp, Offer::Granted, &"x".repeat(10_000)).await.0);
    }
}
