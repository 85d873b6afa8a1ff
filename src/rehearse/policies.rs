//! Who gives the policies of mail domains (RFC 8461) to a view's senders: a web server, as what holds now says.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::Scene;
use super::client::PATIENCE;
use super::credentials::Issued;
use crate::lab;
use crate::model::cutover::{CacheKey, CacheKind, Datum};
use crate::model::http::Page;
use crate::model::mta_sts::MAX_AGE;
use crate::model::name::Name;
use crate::model::plan::ViewId;

/// One that runs until it is dropped.
pub(super) struct PolicyHost {
    pub address: SocketAddr,
    task: AbortHandle,
}

impl PolicyHost {
    /// Starts a view's on loopback.
    pub async fn start(view: ViewId, scene: Scene, issued: &Issued) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let keys = Arc::new(lab::Always(issued.policies.clone()));
        let acceptor = TlsAcceptor::from(Arc::new(lab::config(keys)?));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, scene) = (acceptor.clone(), scene.clone());
                tokio::spawn(async move {
                    let _ = timeout(PATIENCE, answer(stream, acceptor, view, &scene)).await;
                });
            }
        });
        Ok(Self { address, task: task.abort_handle() })
    }
}

impl Drop for PolicyHost {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(stream: TcpStream, acceptor: TlsAcceptor, view: ViewId, scene: &Scene) -> io::Result<()> {
    let mut stream = acceptor.accept(stream).await?;
    let mut request = [0; 1024];
    let length = stream.read(&mut request).await?;
    let policy = std::str::from_utf8(&request[..length]).ok().and_then(|asked| policy(asked, view, scene));
    let answer = match policy {
        Some(body) => format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{body}"),
        None => "HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n".into(),
    };
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}

fn policy(asked: &str, view: ViewId, scene: &Scene) -> Option<String> {
    let path = asked.strip_prefix("GET ")?.split(" HTTP/").next()?;
    let host = asked.lines().find_map(|line| line.strip_prefix("Host: mta-sts."))?;
    let owner = Name::parse_owner(host).ok().filter(|_| path == Page::MtaSts.path())?;
    let world = scene.read().unwrap_or_else(PoisonError::into_inner);
    let set = world.records.get(&CacheKey { view, owner, kind: CacheKind::MtaSts })?;
    let hosts = set.data.iter().filter_map(|datum| match datum {
        Datum::Host(host) => Some(host),
        _ => None,
    });
    Some(lab::policy(hosts, set.ttl.min(MAX_AGE)))
}
