//! Servers on loopback that do as little as a server can, in a process of their own.

use std::collections::HashMap;
use std::io::{self, BufRead};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use data_encoding::HEXLOWER;
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::dialogue::{self, Dialogue};
use crate::old;
use crate::world::name;

/// The word on the command line that makes this program the servers.
pub const WORD: &str = "serve";

/// How long a connection waits before the server that is far away turns to it.
const FAR: Duration = Duration::from_millis(60);

/// Where what is served.
#[derive(Clone, Copy)]
pub struct Addresses {
    /// TLS at once.
    pub tls: SocketAddr,
    /// TLS after a dialogue, of each kind in [`dialogue::ALL`].
    pub upgraded: [SocketAddr; 3],
    /// TLS 1.0 with an RSA key exchange, as far as it stands in the clear.
    pub old: SocketAddr,
    /// TLS after 60 ms.
    pub far: SocketAddr,
    /// Takes connections and says nothing.
    pub silent: SocketAddr,
    /// Drops packets, at each address of loopback.
    pub deaf: SocketAddr,
    /// DNS: two resolvers.
    pub dns: [SocketAddr; 2],
}

/// What comes before TLS.
#[derive(Clone, Copy)]
enum Before {
    Nothing,
    Talk(&'static Dialogue),
    Wait,
}

/// Reads a key and certificates, hexadecimal, a line each up to an empty one; serves each name's certificate, prints where,
/// and ends when nobody holds the input open any more.
pub fn serve() {
    let lines = io::stdin().lock().lines().map(|l| l.expect("lines"));
    let ders = lines.take_while(|l| !l.is_empty()).map(|l| HEXLOWER.decode(l.as_bytes()).expect("hexadecimal"));
    let certificates = Arc::new(certificates(ders));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let acceptor = acceptor(certificates.clone());
    let at = runtime.block_on(async {
        let [one, two, three] = &dialogue::ALL;
        let before = [Before::Nothing, Before::Talk(one), Before::Talk(two), Before::Talk(three), Before::Wait];
        let [tls, smtp, imap, pop3, far] = before.map(|before| tls(acceptor.clone(), before));
        let old = old::listen(listener(), certificates);
        [tls, smtp, imap, pop3, old, far, silent(), deaf().await, dns(), dns()]
    });
    println!("{}", at.map(|a| a.to_string()).join(" "));
    let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
}

fn certificates(mut ders: impl Iterator<Item = Vec<u8>>) -> HashMap<String, Arc<CertifiedKey>> {
    let key = PrivatePkcs8KeyDer::from(ders.next().expect("a key"));
    let signer = rustls::crypto::ring::sign::any_ecdsa_type(&key.into()).expect("a key that can sign");
    let certified = |leaf| Arc::new(CertifiedKey::new(vec![CertificateDer::from(leaf)], signer.clone()));
    ders.enumerate().map(|(i, leaf)| (name(i), certified(leaf))).collect()
}

#[derive(Debug)]
struct BySni(Arc<HashMap<String, Arc<CertifiedKey>>>);

impl ResolvesServerCert for BySni {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.get(hello.server_name()?).cloned()
    }
}

fn acceptor(certificates: Arc<HashMap<String, Arc<CertifiedKey>>>) -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut config =
        versions.expect("versions").with_no_client_auth().with_cert_resolver(Arc::new(BySni(certificates)));
    config.send_tls13_tickets = 0;
    TlsAcceptor::from(Arc::new(config))
}

fn listener() -> (TcpListener, SocketAddr) {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).expect("a port");
    let listener = socket.listen(4096).expect("a backlog");
    let at = listener.local_addr().expect("an address");
    (listener, at)
}

fn tls(acceptor: TlsAcceptor, before: Before) -> SocketAddr {
    let (listener, at) = listener();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(shake_hands(stream, acceptor.clone(), before));
        }
    });
    at
}

async fn shake_hands(mut stream: TcpStream, acceptor: TlsAcceptor, before: Before) -> io::Result<()> {
    match before {
        Before::Nothing => {}
        Before::Talk(dialogue) => dialogue.answer(&mut stream).await?,
        Before::Wait => tokio::time::sleep(FAR).await,
    }
    acceptor.accept(stream).await?.read_u8().await?;
    Ok(())
}

fn silent() -> SocketAddr {
    let (listener, at) = listener();
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            held.push(stream);
        }
    });
    at
}

/// A listener whose backlog is full: the system drops what else comes.
async fn deaf() -> SocketAddr {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((Ipv4Addr::UNSPECIFIED, 0).into()).expect("a port");
    let listener = socket.listen(1).expect("a backlog");
    let at = (Ipv4Addr::LOCALHOST, listener.local_addr().expect("an address").port()).into();
    let mut held = Vec::new();
    while let Ok(Ok(stream)) = timeout(Duration::from_millis(200), TcpStream::connect(at)).await {
        held.push(stream);
    }
    tokio::spawn(async move {
        let _held = (listener, held);
        std::future::pending::<()>().await;
    });
    at
}

/// Answers every question for A with 127.0.0.1, and every other with NODATA.
fn dns() -> SocketAddr {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let at = socket.local_addr().expect("an address");
    thread::spawn(move || {
        let mut buffer = [0; 1232];
        while let Ok((len, from)) = socket.recv_from(&mut buffer) {
            let _ = socket.send_to(&answer(&buffer[..len]), from);
        }
    });
    at
}

/// The header and the question come back; an A record follows where one was asked for (RFC 1035 section 4).
fn answer(query: &[u8]) -> Vec<u8> {
    let end = query[12..].iter().position(|b| *b == 0).map_or(query.len(), |i| 12 + i + 5);
    let is_a = query[end - 4..end - 2] == [0, 1];
    let mut out = query[..end].to_vec();
    out[2..12].copy_from_slice(&[0x85, 0x80, 0, 1, 0, u8::from(is_a), 0, 0, 0, 0]);
    if is_a {
        out.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 127, 0, 0, 1]);
    }
    out
}
