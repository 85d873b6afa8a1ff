//! Bare clients of the lab, for its tests: what they meet, in words.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::proto::op::{Message, Query};
use hickory_resolver::proto::rr::{Name, RecordType};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::start::Lab;

/// Long enough for a busy machine; what never answers is asked with [`SHORT`].
const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(150);

fn dialled(lab: &Lab, logical: &str) -> SocketAddr {
    let to = lab.dial_map().resolve(logical.parse().unwrap(), None);
    assert!(to.ip().is_loopback(), "{logical} leads out of the lab");
    to
}

fn question(name: &str, kind: RecordType) -> Message {
    let mut message = Message::query();
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
    message
}

/// `NOERROR mail.domain.com. 300 A 10.0.0.10`, `NXDOMAIN soa domain.com. 300`, `truncated`, `silence`, `no DNS message`.
fn shown(answer: &[u8]) -> String {
    let Ok(message) = Message::from_vec(answer) else { return "no DNS message".into() };
    if message.metadata.truncation {
        return "truncated".into();
    }
    let mut out = format!("{:?}", message.metadata.response_code).to_uppercase();
    for r in &message.answers {
        out.push_str(&format!(" {} {} {} {}", r.name, r.ttl, r.record_type(), r.data));
    }
    message.authorities.iter().for_each(|r| out.push_str(&format!(" soa {} {}", r.name, r.ttl)));
    out
}

/// Asks a resolver over UDP.
pub(super) async fn udp(lab: &Lab, resolver: &str, name: &str, kind: RecordType) -> String {
    ask(lab, resolver, name, kind, LONG).await
}

/// As [`udp`], of a resolver that is not expected to answer.
pub(super) async fn udp_in_vain(lab: &Lab, resolver: &str, name: &str) -> String {
    ask(lab, resolver, name, RecordType::A, SHORT).await
}

async fn ask(lab: &Lab, resolver: &str, name: &str, kind: RecordType, patience: Duration) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(dialled(lab, resolver)).await.unwrap();
    socket.send(&question(name, kind).to_vec().unwrap()).await.unwrap();
    let mut buffer = [0; 4096];
    match timeout(patience, socket.recv(&mut buffer)).await {
        Ok(Ok(n)) => shown(&buffer[..n]),
        Ok(Err(error)) => error.kind().to_string(),
        Err(_) => "silence".into(),
    }
}

async fn over_stream(mut stream: impl AsyncReadExt + AsyncWriteExt + Unpin, name: &str) -> String {
    let message = question(name, RecordType::A).to_vec().unwrap();
    stream.write_u16(message.len() as u16).await.unwrap();
    stream.write_all(&message).await.unwrap();
    let length = timeout(LONG, stream.read_u16()).await.unwrap().unwrap();
    let mut answer = vec![0; length.into()];
    stream.read_exact(&mut answer).await.unwrap();
    shown(&answer)
}

/// Asks a resolver over TCP.
pub(super) async fn tcp(lab: &Lab, resolver: &str, name: &str) -> String {
    over_stream(TcpStream::connect(dialled(lab, resolver)).await.unwrap(), name).await
}

/// Asks a resolver over TLS, authenticated by its address.
pub(super) async fn dot(lab: &Lab, resolver: &str, name: &str) -> String {
    let stream = TcpStream::connect(dialled(lab, resolver)).await.unwrap();
    let address = resolver.parse::<SocketAddr>().unwrap().ip();
    over_stream(secure(lab, ServerName::from(address), stream, b"dot").await.unwrap(), name).await
}

/// Asks a resolver over HTTPS, authenticated by its address.
pub(super) async fn doh(lab: &Lab, resolver: &str, path: &str, name: &str) -> String {
    use futures_util::StreamExt;
    use hickory_resolver::net::h2::HttpsClientStream;
    use hickory_resolver::net::runtime::TokioRuntimeProvider;
    use hickory_resolver::net::xfer::DnsHandle;
    use hickory_resolver::proto::op::{DnsRequest, DnsRequestOptions};
    let host = resolver.parse::<SocketAddr>().unwrap().ip().to_string();
    // The provider owns the background task of the connection.
    let provider = TokioRuntimeProvider::default();
    let builder = HttpsClientStream::builder(Arc::new(trusting(lab, b"h2")), provider.clone());
    let exchange = builder.exchange(dialled(lab, resolver), host.into(), path.into()).await.unwrap();
    let request = DnsRequest::new(question(name, RecordType::A), DnsRequestOptions::default());
    let answer = timeout(LONG, exchange.send(request).next()).await.unwrap().unwrap().unwrap();
    shown(&answer.to_vec().unwrap())
}

fn trusting(lab: &Lab, alpn: &[u8]) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    lab.anchors().iter().for_each(|a| roots.add(CertificateDer::from(a.to_vec())).unwrap());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = if alpn.is_empty() { Vec::new() } else { vec![alpn.to_vec()] };
    config
}

async fn secure(
    lab: &Lab,
    name: ServerName<'static>,
    stream: TcpStream,
    alpn: &[u8],
) -> io::Result<TlsStream<TcpStream>> {
    TlsConnector::from(Arc::new(trusting(lab, alpn))).connect(name, stream).await
}

/// Connects as a strict client does: `CN=mail.domain.com by CN=Coexist Lab Issuing CA`, or why it would not.
pub(super) async fn https(lab: &Lab, address: &str, name: &str) -> String {
    match timeout(LONG, try_tls(lab, address, name, &[])).await {
        Ok(Ok(text)) => text,
        Ok(Err(error)) => error.to_string(),
        Err(_) => "no end".into(),
    }
}

/// As [`https`], after a dialogue: what is said, and the beginning of the line that grants TLS.
pub(super) async fn starttls(lab: &Lab, address: &str, name: &str, said: &[(&str, &str)]) -> String {
    match timeout(LONG, try_tls(lab, address, name, said)).await {
        Ok(Ok(text)) => text,
        Ok(Err(error)) => error.to_string(),
        Err(_) => "no end".into(),
    }
}

/// What an endpoint says to somebody who sends a line and is no TLS client; `silence` within a moment, if that is wanted.
pub(super) async fn in_clear(lab: &Lab, address: &str, in_vain: bool) -> String {
    let mut stream = TcpStream::connect(dialled(lab, address)).await.unwrap();
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await.unwrap();
    let mut buffer = [0; 256];
    match timeout(if in_vain { SHORT } else { LONG }, stream.read(&mut buffer)).await {
        Ok(Ok(n)) => String::from_utf8_lossy(&buffer[..n]).into_owned(),
        Ok(Err(error)) => error.kind().to_string(),
        Err(_) => "silence".into(),
    }
}

async fn try_tls(lab: &Lab, address: &str, name: &str, said: &[(&str, &str)]) -> io::Result<String> {
    let mut stream = TcpStream::connect(dialled(lab, address)).await?;
    let mut heard = String::new();
    for (line, answer) in said {
        stream.write_all(format!("{line}\r\n").as_bytes()).await?;
        heard = read_until(&mut stream, answer).await?;
        if !heard.contains(answer) {
            return Ok(heard);
        }
    }
    let _ = heard;
    let name = ServerName::try_from(name.to_string()).unwrap();
    let stream = secure(lab, name, stream, b"").await?;
    let chain = stream.get_ref().1.peer_certificates().unwrap();
    let (_, leaf) = X509Certificate::from_der(&chain[0]).unwrap();
    Ok(format!("{} by {}", leaf.subject(), leaf.issuer()))
}

/// Reads until some words come, the server refuses (`454`, ` NO `, `-ERR`), or it closes.
async fn read_until(stream: &mut TcpStream, words: &str) -> io::Result<String> {
    let mut text = String::new();
    loop {
        let mut buffer = [0; 512];
        let n = stream.read(&mut buffer).await?;
        text.push_str(&String::from_utf8_lossy(&buffer[..n]));
        if n == 0 || text.contains(words) || ["454", "502", " NO ", " BAD ", "-ERR"].iter().any(|r| text.contains(r)) {
            return Ok(text);
        }
    }
}
