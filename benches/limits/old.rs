//! The clear part of TLS 1.0 with an RSA key exchange (RFC 2246 section 7.4): a hello, a chain, and nothing signed.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::server::Acceptor;
use rustls::sign::CertifiedKey;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

type Certificates = Arc<HashMap<String, Arc<CertifiedKey>>>;

/// Serves each name's certificate at a listener; where that is.
pub fn listen((listener, at): (TcpListener, SocketAddr), certificates: Certificates) -> SocketAddr {
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, certificates.clone()));
        }
    });
    at
}

async fn answer(mut stream: TcpStream, certificates: Certificates) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut acceptor, mut buffer) = (Acceptor::default(), [0; 1024]);
    let accepted = loop {
        let length = stream.read(&mut buffer).await?;
        acceptor.read_tls(&mut &buffer[..length])?;
        if let Some(accepted) = acceptor.accept().map_err(|(e, _)| io::Error::other(e))? {
            break accepted;
        }
    };
    let hello = accepted.client_hello();
    let key = hello.server_name().and_then(|name| certificates.get(name)).expect("a name of the bench");
    stream.write_all(&flight(&key.cert[0])).await?;
    // What comes is the client's goodbye.
    stream.read(&mut buffer).await.map(drop)
}

/// ServerHello, Certificate and ServerHelloDone in one record.
fn flight(leaf: &[u8]) -> Vec<u8> {
    const RSA_WITH_AES_128_CBC_SHA: [u8; 2] = [0, 0x2f];
    let hello = [&[3, 1][..], &[7; 32], &[0], &RSA_WITH_AES_128_CBC_SHA, &[0]].concat();
    let chain = block(&block(leaf));
    let messages = [message(2, &hello), message(11, &chain), message(14, &[])].concat();
    let length = u16::try_from(messages.len()).expect("a small certificate").to_be_bytes();
    [&[22, 3, 1][..], &length, &messages].concat()
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind][..], &block(body)].concat()
}

/// Bytes with their length in front, in three bytes.
fn block(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).expect("a small certificate").to_be_bytes();
    [&length[1..], bytes].concat()
}
