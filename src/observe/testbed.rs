//! Servers for the tests of this stage, on loopback and ports of the system's choice.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair, SanType};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio_rustls::TlsAcceptor;

/// A self-signed certificate and its key.
pub struct Identity {
    pub certificate: CertificateDer<'static>,
    pub key: PrivateKeyDer<'static>,
}

/// An identity for a name and for 127.0.0.1.
pub fn identity(name: &str) -> Identity {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![name.to_string()]).unwrap();
    params.subject_alt_names.push(SanType::IpAddress([127, 0, 0, 1].into()));
    let certificate = params.self_signed(&key).unwrap().der().clone();
    Identity { certificate, key: PrivatePkcs8KeyDer::from(key.serialize_der()).into() }
}

/// Serves one chain with a key that need not be its own, and notes the names asked for.
#[derive(Debug)]
pub struct Serves {
    certified: Arc<CertifiedKey>,
    pub asked: std::sync::Mutex<Vec<Option<String>>>,
}

impl Serves {
    pub fn new(chain: Vec<CertificateDer<'static>>, key: &PrivateKeyDer<'static>) -> Arc<Self> {
        let key = ring::sign::any_supported_type(key).unwrap();
        Arc::new(Self { certified: Arc::new(CertifiedKey::new(chain, key)), asked: Default::default() })
    }
}

impl ResolvesServerCert for Serves {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.asked.lock().unwrap().push(hello.server_name().map(str::to_string));
        Some(self.certified.clone())
    }
}

/// A server's side of TLS without client certificates.
pub fn tls(serves: Arc<Serves>) -> Arc<ServerConfig> {
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    Arc::new(builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth().with_cert_resolver(serves))
}

/// A TCP server that plays the same to everybody who comes.
pub async fn tcp<F: Future<Output = ()> + Send + 'static>(
    play: impl Fn(usize, TcpStream) -> F + Send + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, play));
    address
}

/// As [`tcp`], on a listener that stands already.
pub async fn serve<F: Future<Output = ()> + Send + 'static>(
    listener: TcpListener,
    play: impl Fn(usize, TcpStream) -> F + Send + 'static,
) {
    for count in 0.. {
        let Ok((stream, _)) = listener.accept().await else { return };
        tokio::spawn(play(count, stream));
    }
}

/// A TLS server.
pub async fn tls_server(config: Arc<ServerConfig>) -> SocketAddr {
    tcp(move |_, stream| {
        let acceptor = TlsAcceptor::from(config.clone());
        async move {
            if let Ok(mut stream) = acceptor.accept(stream).await {
                let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut [0; 16]).await;
            }
        }
    })
    .await
}

/// A UDP server that sends some datagrams back for each that comes.
pub async fn udp(mut play: impl FnMut(usize, Vec<u8>) -> Vec<Vec<u8>> + Send + 'static) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 4096];
        for count in 0.. {
            let Ok((length, from)) = socket.recv_from(&mut buffer).await else { return };
            for datagram in play(count, buffer[..length].to_vec()) {
                socket.send_to(&datagram, from).await.unwrap();
            }
        }
    });
    address
}

/// A listener that drops packets because its backlog is full, and what fills it.
#[cfg(target_os = "linux")]
pub async fn deaf() -> (TcpListener, Vec<TcpStream>) {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut held = Vec::new();
    let connect = || tokio::time::timeout(std::time::Duration::from_millis(200), TcpStream::connect(address));
    while let Ok(Ok(stream)) = connect().await {
        held.push(stream);
    }
    (listener, held)
}

/// An address where nobody listens, by TCP or UDP, and where no other test will: it stays taken, by a socket that does not
/// listen and by one that talks to another only.
pub fn nobody() -> SocketAddr {
    loop {
        let tcp = tokio::net::TcpSocket::new_v4().unwrap();
        tcp.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = tcp.local_addr().unwrap();
        if let Ok(udp) = std::net::UdpSocket::bind(address) {
            udp.connect("127.0.0.1:9").unwrap();
            std::mem::forget((tcp, udp));
            return address;
        }
    }
}

/// Answers a question for any name with the address 127.0.0.1, or nothing where AAAA is asked for.
pub fn answer(query: &[u8]) -> Vec<u8> {
    use hickory_resolver::proto::op::Message;
    use hickory_resolver::proto::rr::{RData, Record, RecordType, rdata::A};
    let mut message = Message::from_vec(query).unwrap().into_response();
    message.metadata.recursion_available = true;
    let question = message.queries[0].clone();
    if question.query_type() == RecordType::A {
        let data = RData::A(A([127, 0, 0, 1].into()));
        message.add_answer(Record::from_rdata(question.name().clone(), 60, data));
    }
    message.to_vec().unwrap()
}
