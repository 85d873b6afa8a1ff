//! An endpoint: a listener on loopback that shows, by the name asked for, what the machines behind it show.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::ServerConfig;
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::authority::Inspector;
use super::dialogue::{self, Offer};
use super::machines::Manner;
use super::old_tls;
use super::web::Web;
use crate::model::http::Page;
use crate::model::service::Way;

/// What a machine does at a port.
#[derive(Debug)]
pub(super) struct Backend {
    pub way: Way,
    pub manner: Manner,
    /// By name; a wildcard stands for one label.
    pub by_name: BTreeMap<String, Arc<CertifiedKey>>,
    pub default: Arc<CertifiedKey>,
    pub web: Web,
}

impl Backend {
    /// What this machine shows under a name, and to whoever asks for none that it knows.
    fn shows(&self, name: Option<&str>) -> Arc<CertifiedKey> {
        name.and_then(|n| self.known(n)).unwrap_or(&self.default).clone()
    }

    fn known(&self, name: &str) -> Option<&Arc<CertifiedKey>> {
        let wildcard = || name.split_once('.').map(|(_, parent)| format!("*.{parent}"));
        self.by_name.get(name).or_else(|| self.by_name.get(&wildcard()?))
    }
}

/// What stands behind a logical address and port. Never without a backend.
#[derive(Debug)]
pub(super) struct Endpoint {
    /// Groups over which connections go round; the first that knows the name answers.
    pub groups: Vec<Vec<Backend>>,
    pub inspector: Option<Arc<Inspector>>,
    /// Connections so far.
    turn: AtomicUsize,
    /// Handshakes so far for each name: each name goes round on its own, so that every client meets every member.
    turns: Mutex<HashMap<String, usize>>,
}

impl Endpoint {
    pub fn new(groups: Vec<Vec<Backend>>, inspector: Option<Arc<Inspector>>) -> Self {
        Self { groups, inspector, turn: AtomicUsize::new(0), turns: Mutex::default() }
    }

    /// True if nobody listens.
    pub fn is_closed(&self) -> bool {
        self.groups.iter().flatten().all(|b| b.manner == Manner::Closed)
    }

    /// The machine that takes the next connection.
    fn next(&self) -> Option<&Backend> {
        let group = self.groups.iter().find(|g| !g.is_empty())?;
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        group.get(turn % group.len())
    }

    fn show(&self, name: Option<&str>) -> Option<Arc<CertifiedKey>> {
        if let Some(inspector) = &self.inspector {
            return inspector.forge(name);
        }
        let knows = |g: &&Vec<Backend>| name.is_some_and(|n| g.iter().any(|b| b.known(n).is_some()));
        let group = self.groups.iter().find(knows).or(self.groups.iter().find(|g| !g.is_empty()))?;
        let serving: Vec<&Backend> = group.iter().filter(|b| b.manner != Manner::Closed).collect();
        let backend = serving.get(self.turn_of(name) % serving.len().max(1))?;
        Some(backend.shows(name))
    }

    /// What is answered to a question for a page; `None` if it is none.
    fn web(&self, asked: &[u8]) -> Option<String> {
        let text = std::str::from_utf8(asked).ok()?;
        let path = text.strip_prefix("GET ")?.split(" HTTP/").next()?;
        let page = [Page::Root, Page::MtaSts].into_iter().find(|p| p.path() == path)?;
        let host = text.lines().find_map(|line| line.strip_prefix("Host: "))?.trim();
        let name = host.split(':').next().unwrap_or_default();
        let knows = |g: &&Vec<Backend>| g.iter().any(|b| b.known(name).is_some());
        let group = self.groups.iter().find(knows).or(self.groups.first())?;
        Some(group.first()?.web.page(host, page))
    }

    /// Whose turn it is; all names that nobody here knows share one count, so that strangers cannot fill the memory.
    fn turn_of(&self, name: Option<&str>) -> usize {
        let known = name.filter(|n| self.groups.iter().flatten().any(|b| b.by_name.contains_key(*n)));
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = turns.entry(known.unwrap_or_default().to_string()).or_default();
        *turn = turn.wrapping_add(1);
        *turn - 1
    }
}

impl ResolvesServerCert for Endpoint {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.show(hello.server_name().map(str::to_ascii_lowercase).as_deref())
    }
}

/// One key for whoever asks.
#[derive(Debug)]
pub(crate) struct Always(pub Arc<CertifiedKey>);

impl ResolvesServerCert for Always {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

/// How the lab's servers speak TLS: 1.2 and 1.3, every handshake a full one.
pub(crate) fn config(keys: Arc<dyn ResolvesServerCert>) -> io::Result<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut config = builder.map_err(io::Error::other)?.with_no_client_auth().with_cert_resolver(keys);
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

/// Answers one client.
pub(super) async fn answer(mut stream: TcpStream, endpoint: Arc<Endpoint>, tls: TlsAcceptor) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let Some(backend) = endpoint.next() else { return Ok(()) };
    let offer = match backend.manner {
        Manner::Closed => return Ok(()),
        Manner::Silent => return wait(&mut stream).await,
        Manner::PlainHttp => return plain_http(stream).await,
        Manner::Serves | Manner::Old(_) => Offer::Granted,
        Manner::StarttlsMissing => Offer::Missing,
        Manner::StarttlsRefused => Offer::Refused,
        Manner::StarttlsInjected => Offer::Injected,
    };
    if let Way::Starttls(protocol) = backend.way {
        match dialogue::upgraded(stream, protocol, offer).await? {
            Some(led) => stream = led,
            None => return Ok(()),
        }
    }
    if let Manner::Old(age) = backend.manner {
        let show = |name: Option<&str>| match &endpoint.inspector {
            Some(inspector) => inspector.forge(name),
            None => Some(backend.shows(name)),
        };
        return old_tls::answer(stream, age, show).await;
    }
    let mut stream = tls.accept(stream).await?;
    let mut asked = [0; 1024];
    let length = stream.read(&mut asked).await?;
    if let Some(answer) = endpoint.web(asked.get(..length).unwrap_or_default()) {
        stream.write_all(answer.as_bytes()).await?;
    }
    stream.shutdown().await
}

/// Says nothing until the client has gone.
async fn wait(stream: &mut TcpStream) -> io::Result<()> {
    let mut buffer = [0; 1024];
    while stream.read(&mut buffer).await? > 0 {}
    Ok(())
}

async fn plain_http(mut stream: TcpStream) -> io::Result<()> {
    let _ = stream.read(&mut [0; 4096]).await?;
    let answer = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    stream.write_all(answer).await?;
    stream.shutdown().await?;
    wait(&mut stream).await
}
