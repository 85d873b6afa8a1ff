//! The servers of a play: one listener on loopback for each port of each node, open while the node serves there.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;

use super::Scene;
use super::credentials::Issued;
use crate::lab;
use crate::model::cutover::{Change, NodeId, Timeline};
use crate::model::name::Name;
use crate::model::service::Way;

/// The longest life of a connection.
const LIFE: Duration = Duration::from_secs(30);

/// All ports of all nodes.
pub(super) struct Servers {
    doors: BTreeMap<(NodeId, u16), Door>,
    scene: Scene,
}

struct Door {
    keys: Arc<Keys>,
    acceptor: TlsAcceptor,
    address: SocketAddr,
    /// Set while it is open.
    listens: Option<AbortHandle>,
}

impl Servers {
    /// Opens every port that is served at the beginning.
    pub async fn start(timeline: &Timeline, scene: Scene, issued: Arc<Issued>) -> io::Result<Self> {
        let mut ports: BTreeSet<(NodeId, u16)> = timeline.world.serving.keys().copied().collect();
        ports.extend(timeline.steps.iter().flat_map(|s| &s.changes).filter_map(|change| match change {
            Change::Serving { node, port, .. } => Some((*node, *port)),
            _ => None,
        }));
        let mut doors = BTreeMap::new();
        for at in ports {
            let mut paths = timeline.paths.iter();
            let way = paths.find(|p| p.service.port == at.1).map_or(Way::Implicit, |p| p.service.way);
            let turn = AtomicUsize::new(0);
            let keys = Arc::new(Keys { at, way, scene: scene.clone(), issued: issued.clone(), turn });
            let acceptor = TlsAcceptor::from(Arc::new(lab::config(keys.clone())?));
            // Bound once, so that the port is known, and closed until it is served.
            let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?.local_addr()?;
            doors.insert(at, Door { keys, acceptor, address, listens: None });
        }
        let mut servers = Self { doors, scene };
        servers.follow().await?;
        Ok(servers)
    }

    /// Opens and closes ports as what holds now says.
    pub async fn follow(&mut self) -> io::Result<()> {
        let open: BTreeSet<(NodeId, u16)> = {
            let world = self.scene.read().unwrap_or_else(PoisonError::into_inner);
            world.serving.keys().copied().collect()
        };
        for (at, door) in &mut self.doors {
            match (open.contains(at), door.listens.is_some()) {
                (true, false) => door.open().await?,
                (false, true) => door.close().await,
                _ => {}
            }
        }
        Ok(())
    }

    /// Where a node's port is; `None` for one that is never served.
    pub fn address(&self, node: NodeId, port: u16) -> Option<SocketAddr> {
        self.doors.get(&(node, port)).map(|door| door.address)
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        self.doors.values().filter_map(|door| door.listens.as_ref()).for_each(AbortHandle::abort);
    }
}

impl Door {
    async fn open(&mut self) -> io::Result<()> {
        let listener = match TcpListener::bind(self.address).await {
            Ok(listener) => listener,
            // Somebody took the port meanwhile; any other will do.
            Err(_) => TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?,
        };
        self.address = listener.local_addr()?;
        let (acceptor, keys) = (self.acceptor.clone(), self.keys.clone());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, keys) = (acceptor.clone(), keys.clone());
                tokio::spawn(async move {
                    let _ = tokio::time::timeout(LIFE, answer(stream, acceptor, &keys)).await;
                });
            }
        });
        self.listens = Some(task.abort_handle());
        Ok(())
    }

    async fn close(&mut self) {
        if let Some(task) = self.listens.take() {
            task.abort();
            while !task.is_finished() {
                tokio::task::yield_now().await;
            }
        }
    }
}

/// What a port shows, by the name that is asked for.
#[derive(Debug)]
struct Keys {
    at: (NodeId, u16),
    way: Way,
    scene: Scene,
    issued: Arc<Issued>,
    turn: AtomicUsize,
}

impl std::fmt::Debug for Issued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Issued").finish_non_exhaustive()
    }
}

impl ResolvesServerCert for Keys {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let world = self.scene.read().unwrap_or_else(PoisonError::into_inner);
        let name = hello.server_name().and_then(|n| Name::parse_owner(n).ok());
        let all = world.serving.get(&self.at)?.for_name(name.as_ref());
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        self.issued.keys.get(*all.get(turn.checked_rem(all.len())?)?).cloned()
    }
}

/// A web client is served, or sent where the node sends its users; any other says nothing.
async fn answer(mut stream: TcpStream, acceptor: TlsAcceptor, keys: &Keys) -> io::Result<()> {
    if let Way::Starttls(protocol) = keys.way {
        match lab::grant(stream, protocol).await? {
            Some(led) => stream = led,
            None => return Ok(()),
        }
    }
    let mut stream = acceptor.accept(stream).await?;
    let mut request = [0; 1024];
    let length = stream.read(&mut request).await?;
    if request[..length].starts_with(b"GET ") {
        let target = {
            let world = keys.scene.read().unwrap_or_else(PoisonError::into_inner);
            world.redirects.get(&keys.at.0).and_then(|names| names.first().cloned())
        };
        let head = match target {
            Some(name) => format!("HTTP/1.1 302 Found\r\nLocation: https://{name}/\r\n"),
            None => "HTTP/1.1 200 OK\r\n".to_string(),
        };
        stream.write_all(format!("{head}Content-Length: 0\r\nConnection: close\r\n\r\n").as_bytes()).await?;
    }
    stream.shutdown().await
}
