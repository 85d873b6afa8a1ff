//! Proxies that lead into views: SOCKS5 without a password (RFC 1928), and HTTP CONNECT (RFC 9110 section 9.3.6). They lead
//! to loopback alone: whatever the lab plays is there.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::TcpStream;

use crate::model::proxy::ProxyKind;

/// Octets of a request that are read of a client.
const MAX_HEADER: usize = 1024;

/// How a proxy treats its clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leading {
    /// It leads to wherever it is asked to.
    Leads,
    /// It leads nobody anywhere, and says so.
    Refuses,
    /// Nobody listens.
    Dead,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    Granted,
    Prohibited,
    /// The endpoint refused.
    Refused,
}

/// Answers one client.
pub(super) async fn answer(mut client: TcpStream, kind: ProxyKind, leading: Leading) -> io::Result<()> {
    client.set_nodelay(true)?;
    let target = match kind {
        ProxyKind::Http => http_target(&mut client).await?,
        ProxyKind::Socks5 | ProxyKind::Socks5h => socks_target(&mut client).await?,
    };
    let is_allowed = leading == Leading::Leads && target.is_some_and(|t| t.ip().is_loopback());
    let Some(target) = target.filter(|_| is_allowed) else { return say(&mut client, kind, Word::Prohibited).await };
    match TcpStream::connect(target).await {
        Ok(mut endpoint) => {
            endpoint.set_nodelay(true)?;
            say(&mut client, kind, Word::Granted).await?;
            copy_bidirectional(&mut client, &mut endpoint).await.map(drop)
        }
        Err(_) => say(&mut client, kind, Word::Refused).await,
    }
}

async fn say(client: &mut TcpStream, kind: ProxyKind, word: Word) -> io::Result<()> {
    let socks = |reply: u8| vec![5, reply, 0, 1, 0, 0, 0, 0, 0, 0];
    let words = match (kind, word) {
        (ProxyKind::Http, Word::Granted) => b"HTTP/1.1 200 OK\r\n\r\n".to_vec(),
        (ProxyKind::Http, Word::Prohibited) => b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n".to_vec(),
        // RFC 9209 section 2.3.7.
        (ProxyKind::Http, Word::Refused) => {
            b"HTTP/1.1 502 Bad Gateway\r\nProxy-Status: lab; error=connection_refused\r\nContent-Length: 0\r\n\r\n"
                .to_vec()
        }
        // RFC 1928 section 6.
        (_, Word::Granted) => socks(0),
        (_, Word::Prohibited) => socks(2),
        (_, Word::Refused) => socks(5),
    };
    client.write_all(&words).await
}

/// The address of a CONNECT; `None` if it is asked for something else.
async fn http_target(client: &mut TcpStream) -> io::Result<Option<SocketAddr>> {
    let mut header = Vec::new();
    while !header.ends_with(b"\r\n\r\n") {
        if header.len() == MAX_HEADER {
            return Ok(None);
        }
        header.push(client.read_u8().await?);
    }
    let text = String::from_utf8_lossy(&header);
    let target = text.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next());
    Ok(target.and_then(|t| t.parse().ok()))
}

/// The address of a SOCKS5 request to connect; `None` if it is asked for something else.
async fn socks_target(client: &mut TcpStream) -> io::Result<Option<SocketAddr>> {
    let (_version, methods) = (client.read_u8().await?, client.read_u8().await?);
    client.read_exact(&mut vec![0; methods.into()]).await?;
    client.write_all(&[5, 0]).await?;
    let mut head = [0; 4];
    client.read_exact(&mut head).await?;
    let ip = match head {
        [5, 1, _, 1] => Ipv4Addr::from_bits(client.read_u32().await?).into(),
        [5, 1, _, 4] => Ipv6Addr::from_bits(client.read_u128().await?).into(),
        _ => return Ok(None),
    };
    Ok(Some(SocketAddr::new(ip, client.read_u16().await?)))
}
