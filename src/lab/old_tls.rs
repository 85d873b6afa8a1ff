//! Servers of the time before current clients, by script: what they say in the clear, and nothing beyond it.

use std::io;
use std::sync::Arc;

use rustls::sign::CertifiedKey;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Octets of a hello that are read; its record has at most 16 KiB (RFC 5246 section 6.2.1).
const MAX_HELLO: u16 = 16_384;

/// What an old server speaks at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Age {
    /// TLS 1.0 with RC4, as Windows Server 2003. It hangs up where there is no common cipher suite.
    Tls10,
    /// TLS 1.2 with CBC and plain RSA key exchange, as Windows Server 2008 R2 may be set.
    PlainRsa,
    /// Nothing that anybody offers.
    Unknown,
}

impl Age {
    /// Its version and its only cipher suite (TLS_RSA_WITH_RC4_128_SHA, TLS_RSA_WITH_AES_128_CBC_SHA).
    fn speaks(self) -> Option<(u16, u16)> {
        match self {
            Self::Tls10 => Some((0x0301, 0x0005)),
            Self::PlainRsa => Some((0x0303, 0x002f)),
            Self::Unknown => None,
        }
    }

    /// The alert for whoever has nothing in common with it: handshake_failure, protocol_version.
    fn alert(self) -> Option<u8> {
        match self {
            Self::Tls10 => None,
            Self::PlainRsa => Some(40),
            Self::Unknown => Some(70),
        }
    }
}

/// What a client says in its hello (RFC 5246 section 7.4.1.2), as far as it matters here.
#[derive(Debug, PartialEq, Eq)]
struct Hello {
    version: u16,
    suites: Vec<u16>,
    name: Option<String>,
}

/// Answers a hello with the chain of the name that it asks for, as far as the server's age goes; then waits for the
/// client's goodbye.
pub(super) async fn answer<S>(mut stream: TcpStream, age: Age, show: S) -> io::Result<()>
where
    S: FnOnce(Option<&str>) -> Option<Arc<CertifiedKey>>,
{
    let hello = read(&mut stream).await?;
    let common = age.speaks().filter(|(version, suite)| hello.version >= *version && hello.suites.contains(suite));
    let shown = common.and_then(|common| Some((common, show(hello.name.as_deref())?)));
    match (shown, age.alert()) {
        (Some(((version, suite), key)), _) => stream.write_all(&flight(version, suite, &key)).await?,
        (None, Some(alert)) => stream.write_all(&[21, 3, 1, 0, 2, 2, alert]).await?,
        (None, None) => return Ok(()),
    }
    let mut buffer = [0; 1024];
    while stream.read(&mut buffer).await? > 0 {}
    Ok(())
}

async fn read(stream: &mut TcpStream) -> io::Result<Hello> {
    let mut head = [0; 5];
    stream.read_exact(&mut head).await?;
    let [kind, _, _, high, low] = head;
    let length = u16::from_be_bytes([high, low]);
    if kind != 22 || length > MAX_HELLO {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut record = vec![0; usize::from(length)];
    stream.read_exact(&mut record).await?;
    parse(&record).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

fn parse(record: &[u8]) -> Option<Hello> {
    let (head, mut rest) = record.split_at_checked(4)?;
    if *head.first()? != 1 {
        return None;
    }
    let version = number(take(&mut rest, 2)?);
    take(&mut rest, 32)?;
    block(&mut rest, 1)?;
    let suites = block(&mut rest, 2)?.chunks(2).map(number).collect();
    block(&mut rest, 1)?;
    let mut extensions = if rest.is_empty() { rest } else { block(&mut rest, 2)? };
    let mut name = None;
    while !extensions.is_empty() {
        let kind = number(take(&mut extensions, 2)?);
        let mut body = block(&mut extensions, 2)?;
        // RFC 6066 section 3: a list of names, each with its kind, of which 0 is the only one.
        if kind == 0 {
            let mut list = block(&mut body, 2)?;
            take(&mut list, 1)?;
            name = Some(String::from_utf8_lossy(block(&mut list, 2)?).to_ascii_lowercase());
        }
    }
    Some(Hello { version, suites, name })
}

fn take<'a>(rest: &mut &'a [u8], n: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(n)?;
    *rest = left;
    Some(taken)
}

fn block<'a>(rest: &mut &'a [u8], bytes: usize) -> Option<&'a [u8]> {
    let length = usize::from(number(take(rest, bytes)?));
    take(rest, length)
}

fn number(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |n, byte| n << 8 | u16::from(*byte))
}

/// ServerHello, Certificate and ServerHelloDone, in records of at most 16 KiB.
fn flight(version: u16, suite: u16, key: &CertifiedKey) -> Vec<u8> {
    // No session, no compression; nobody ever keys anything with the random number.
    let hello = [&version.to_be_bytes()[..], &[0x5a; 32], &[0], &suite.to_be_bytes(), &[0]].concat();
    let list: Vec<u8> = key.cert.iter().flat_map(|der| [&length(der.len())[..], der].concat()).collect();
    let chain = [&length(list.len())[..], &list].concat();
    let messages = [message(2, &hello), message(11, &chain), message(14, &[])].concat();
    let record = |content: &[u8]| {
        let size = u16::try_from(content.len()).unwrap_or(u16::MAX);
        [&[22][..], &version.to_be_bytes(), &size.to_be_bytes(), content].concat()
    };
    messages.chunks(usize::from(MAX_HELLO)).flat_map(record).collect()
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind][..], &length(body.len()), body].concat()
}

/// A length in three octets.
fn length(n: usize) -> [u8; 3] {
    let [_, a, b, c] = u32::try_from(n).unwrap_or(u32::MAX).to_be_bytes();
    [a, b, c]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hello_is_read_with_its_name_and_without_extensions() {
        let body = [&[3, 1][..], &[9; 32], &[0, 0, 4, 0, 5, 0, 0xff, 1, 0]].concat();
        let bare = Hello { version: 0x0301, suites: vec![5, 0xff], name: None };
        assert_eq!(parse(&message(1, &body)), Some(bare));
        let named = [&body[..], &[0, 10, 0, 0, 0, 6, 0, 4, 0, 0, 1, b'A']].concat();
        assert_eq!(parse(&message(1, &named)).unwrap().name.as_deref(), Some("a"));
        for cut in 0..named.len() {
            assert_ne!(parse(&message(1, &named)[..4 + cut]).and_then(|h| h.name).as_deref(), Some("a"));
        }
        assert_eq!(parse(&message(2, &body)), None);
    }
}
