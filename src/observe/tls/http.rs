//! One question for `/` over TLS, and the head of the answer. The body is not read.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;

use super::capture::Capture;
use super::policy;
use crate::model::http::{HttpHead, HttpOutcome, HttpProbe, Page};
use crate::model::observation::TlsProbe;
use crate::model::service::Way;
use crate::model::text::escape_bytes;
use crate::model::tls::Possession;
use crate::observe::dial;
use crate::observe::proxy::Route;

/// Octets of a head that are read of any server.
pub(super) const HEAD: usize = 16 * 1024;
/// Header fields of a head.
const FIELDS: usize = 200;
/// Octets of a field's value that are kept.
const VALUE: usize = 2048;
/// Octets that are kept of what is no HTTP.
const KEPT: usize = 40;
/// Questions at once.
const AT_ONCE: usize = 16;

/// A question and how to ask it.
pub struct Ask {
    /// The question.
    pub probe: HttpProbe,
    /// Where to dial.
    pub to: SocketAddr,
    /// Through whom; `None` is from here.
    pub route: Option<Arc<Route>>,
    /// How long all of it may take.
    pub limit: Duration,
}

/// Asks every question, a few at once; gives each with its outcome as it comes.
pub async fn all(asks: Vec<Ask>, mut sink: impl FnMut(Ask, HttpOutcome)) {
    let one = |ask: Ask| async move {
        let outcome = timeout(ask.limit, get(&ask)).await.unwrap_or(HttpOutcome::Timeout);
        (ask, outcome)
    };
    let mut answers = futures_util::stream::iter(asks.into_iter().map(one)).buffer_unordered(AT_ONCE);
    while let Some((ask, outcome)) = answers.next().await {
        sink(ask, outcome);
    }
}

/// A connection, from here or through a proxy.
async fn connect(ask: &Ask) -> Result<TcpStream, String> {
    match &ask.route {
        None => dial::connect(ask.to).await.map_err(|e| e.to_string()),
        Some(route) => {
            let sni = Some(ask.probe.name.clone());
            let probe = TlsProbe { address: ask.probe.address, way: Way::Implicit, sni, face: None };
            route.open(&probe, ask.to, Instant::now() + ask.limit).await.map_err(|outcome| outcome.to_string())
        }
    }
}

async fn get(ask: &Ask) -> HttpOutcome {
    let (probe, to) = (&ask.probe, ask.to);
    let no_tls = |why: String| HttpOutcome::NoTls(why);
    if dial::is_no_host(to.ip()) {
        return no_tls(format!("{} is no address of a host", to.ip()));
    }
    let host = probe.name.probe();
    let Ok(name) = ServerName::try_from(host.to_string()) else {
        return no_tls(format!("{host} cannot be sent as a server name"));
    };
    let capture = match capture() {
        Ok(capture) => capture,
        Err(e) => return no_tls(e.to_string()),
    };
    let tcp = match connect(ask).await {
        Ok(tcp) => tcp,
        Err(why) => return no_tls(why),
    };
    let (verifier, config) = capture;
    let mut stream = match TlsConnector::from(Arc::new(config)).connect(name, tcp).await {
        Ok(stream) => stream,
        Err(e) => return no_tls(e.to_string()),
    };
    // Whose certificate it is is judged elsewhere; nothing is said to who does not hold its key.
    if let Some(Possession::Failed(why)) = verifier.take().possession {
        return no_tls(why);
    }
    let request = request(host.as_str(), probe.address.port(), probe.page);
    if stream.write_all(request.as_bytes()).await.is_err() {
        return HttpOutcome::Closed;
    }
    let outcome = match probe.page {
        Page::Root => head(&mut stream).await,
        Page::MtaSts => policy::read(&mut stream).await,
    };
    let _ = stream.shutdown().await;
    outcome
}

fn capture() -> Result<(Arc<Capture>, ClientConfig), rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Arc::new(Capture::new(provider.signature_verification_algorithms, None, None));
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier.clone())
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok((verifier, config))
}

/// RFC 9110 section 9.3.1; the body is not wanted, and HEAD is answered otherwise by too many applications.
fn request(host: &str, port: u16, page: Page) -> String {
    let port = if port == 443 { String::new() } else { format!(":{port}") };
    let agent = concat!("coexist/", env!("CARGO_PKG_VERSION"));
    let path = page.path();
    format!(
        "GET {path} HTTP/1.1\r\nHost: {host}{port}\r\nUser-Agent: {agent}\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    )
}

/// Reads until the head is whole.
async fn head(stream: &mut (impl AsyncRead + Unpin)) -> HttpOutcome {
    let mut bytes = Vec::new();
    let mut piece = [0; 2048];
    loop {
        let read = match stream.read(&mut piece).await {
            Ok(0) => 0,
            Ok(n) => n,
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => 0,
            Err(_) => return HttpOutcome::Closed,
        };
        bytes.extend_from_slice(piece.get(..read).unwrap_or_default());
        match parse(&bytes) {
            Parsed::Done(outcome, _) => return outcome,
            Parsed::More if read == 0 => return HttpOutcome::Closed,
            Parsed::More if bytes.len() >= HEAD => return HttpOutcome::TooLarge,
            Parsed::More => {}
        }
    }
}

/// What octets are.
pub(super) enum Parsed {
    /// A head, with its length, or nothing that will ever be one.
    Done(HttpOutcome, usize),
    /// They may become one.
    More,
}

/// Reads a head.
pub(super) fn parse(bytes: &[u8]) -> Parsed {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS];
    let mut response = httparse::Response::new(&mut fields);
    match response.parse(bytes) {
        Ok(httparse::Status::Partial) => Parsed::More,
        Ok(httparse::Status::Complete(length)) => {
            let value = |name: &str| {
                let field = response.headers.iter().find(|h| h.name.eq_ignore_ascii_case(name))?;
                Some(String::from_utf8_lossy(field.value.get(..VALUE).unwrap_or(field.value)).into_owned())
            };
            let head = HttpOutcome::Head(HttpHead {
                status: response.code.unwrap_or_default(),
                location: value("location"),
                hsts: value("strict-transport-security"),
                body: None,
            });
            Parsed::Done(head, length)
        }
        Err(httparse::Error::TooManyHeaders) => Parsed::Done(HttpOutcome::TooLarge, 0),
        Err(_) => Parsed::Done(HttpOutcome::NotHttp(escape_bytes(bytes, KEPT)), 0),
    }
}

/// A field of a whole head.
pub(super) fn field(bytes: &[u8], name: &str) -> Option<String> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS];
    let mut response = httparse::Response::new(&mut fields);
    response.parse(bytes).ok()?;
    let field = response.headers.iter().find(|h| h.name.eq_ignore_ascii_case(name))?;
    Some(String::from_utf8_lossy(field.value).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn told(bytes: &[u8]) -> HttpOutcome {
        head(&mut &*bytes).await
    }

    #[tokio::test]
    async fn the_head_is_kept_and_nothing_else() {
        let answer =
            b"HTTP/1.1 302 Found\r\nlocation: https://a.example/owa\r\nStrict-Transport-Security: max-age=1\r\n\
            LOCATION: https://b.example/\r\n\r\n<html>";
        let head = HttpHead {
            status: 302,
            location: Some("https://a.example/owa".into()),
            hsts: Some("max-age=1".into()),
            body: None,
        };
        assert_eq!(told(answer).await, HttpOutcome::Head(head));
        let bare = HttpHead { status: 200, ..HttpHead::default() };
        assert_eq!(told(b"HTTP/1.0 200 OK\r\n\r\n").await, HttpOutcome::Head(bare));
    }

    #[tokio::test]
    async fn a_hostile_head_is_bounded_and_named() {
        assert_eq!(told(b"").await, HttpOutcome::Closed);
        assert_eq!(told(b"HTTP/1.1 200 OK\r\nX: ").await, HttpOutcome::Closed);
        assert!(
            matches!(told(b"220 mail ESMTP\r\n").await, HttpOutcome::NotHttp(first) if first.starts_with("220 mail"))
        );
        assert!(matches!(told(b"\x00\xff\x1b[2J").await, HttpOutcome::NotHttp(first) if !first.contains('\x1b')));
        let endless = [b"HTTP/1.1 200 OK\r\nX: ".to_vec(), vec![b'a'; 64 * 1024]].concat();
        assert_eq!(told(&endless).await, HttpOutcome::TooLarge);
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(FIELDS + 1));
        assert_eq!(told(many.as_bytes()).await, HttpOutcome::TooLarge);
        let long = format!("HTTP/1.1 302 x\r\nLocation: /{}\r\n\r\n", "a".repeat(8000));
        let HttpOutcome::Head(head) = told(long.as_bytes()).await else { panic!() };
        assert_eq!(head.location.unwrap().len(), VALUE);
        let mut flipped = b"HTTP/1.1 302 Found\r\nLocation: https://a.example/\r\n\r\n".to_vec();
        for at in 0..flipped.len() {
            flipped[at] ^= 0xff;
            let _ = told(&flipped).await;
            flipped[at] ^= 0xff;
        }
    }
}
