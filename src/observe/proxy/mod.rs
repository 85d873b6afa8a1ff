//! Ways through proxies: a connection to the proxy, then its word that it leads to the endpoint.

// An outcome is made once for a connection; to box it would save nothing that can be measured.
#![allow(clippy::result_large_err)]

mod connect;
mod silence;
mod socks;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout_at};
use zeroize::Zeroizing;

use super::dial::{self, Fault};
use crate::model::name::Name;
use crate::model::observation::TlsProbe;
use crate::model::proxy::{Proxy, ProxyFault, ProxyKind};
use crate::model::tls::TlsOutcome;
pub use connect::Reply;
pub use silence::Silences;

/// Characters that are kept of a proxy's words.
const WORDS: usize = 200;

/// A password: not shown, and not left in memory.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a password.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The password itself.
    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// True if no proxy takes it: empty, longer than SOCKS5 can send (RFC 1929), or of several lines.
    pub fn is_unfit(&self) -> bool {
        !(1..=255).contains(&self.0.len()) || self.0.chars().any(char::is_control)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// The way into a view, through its proxy.
#[derive(Debug)]
pub struct Route {
    /// The run whose observations are made through it.
    pub run: Arc<str>,
    proxy: Proxy,
    password: Option<Secret>,
    /// The proxy's own addresses, looked up once, as this machine resolves names.
    addresses: OnceCell<Vec<SocketAddr>>,
}

/// What the proxy is asked for.
#[derive(Clone, Copy, Debug)]
enum Target<'a> {
    Address(SocketAddr),
    Name(&'a Name, u16),
}

impl fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => write!(f, "{address}"),
            Self::Name(name, port) => write!(f, "{name}:{port}"),
        }
    }
}

impl Route {
    /// A way; nothing is opened yet.
    pub fn new(run: Arc<str>, proxy: Proxy, password: Option<Secret>) -> Self {
        Self { run, proxy, password, addresses: OnceCell::new() }
    }

    /// A connection to an endpoint, until the deadline: at `to`, or where the proxy finds its name.
    pub async fn open(&self, probe: &TlsProbe, to: SocketAddr, deadline: Instant) -> Result<TcpStream, TlsOutcome> {
        let target = match (&self.proxy.kind, &probe.sni) {
            // Whoever leads it elsewhere says himself where.
            (ProxyKind::Socks5h, Some(name)) if to == probe.address => Target::Name(name, to.port()),
            _ => Target::Address(to),
        };
        self.lead_to(target, deadline).await
    }

    /// A connection to an address, whatever proxy it is, until the deadline.
    pub async fn lead(&self, to: SocketAddr, deadline: Instant) -> Result<TcpStream, TlsOutcome> {
        self.lead_to(Target::Address(to), deadline).await
    }

    async fn lead_to(&self, target: Target<'_>, deadline: Instant) -> Result<TcpStream, TlsOutcome> {
        let tcp = match timeout_at(deadline, self.connect()).await {
            Ok(tcp) => tcp?,
            Err(_) => return Err(TlsOutcome::Proxy(ProxyFault::Silent)),
        };
        match self.proxy.kind {
            ProxyKind::Socks5 | ProxyKind::Socks5h => socks::lead(tcp, target, self.credentials(), deadline).await,
            ProxyKind::Http => connect::lead(tcp, &target.to_string(), self.credentials(), deadline).await,
        }
    }

    fn credentials(&self) -> Option<(&str, &str)> {
        Some((self.proxy.user.as_deref()?, self.password.as_ref()?.0.as_str()))
    }

    async fn connect(&self) -> Result<TcpStream, TlsOutcome> {
        let found = self.addresses.get_or_try_init(|| self.look_up()).await?;
        let mut last = None;
        for address in found {
            match dial::connect(*address).await {
                Ok(tcp) => return Ok(tcp),
                Err(e) => last = Some(e),
            }
        }
        Err(last.map_or_else(|| not_reached("its name has no address".into()), |e| not_connected(&e)))
    }

    async fn look_up(&self) -> Result<Vec<SocketAddr>, TlsOutcome> {
        let found = tokio::net::lookup_host((&*self.proxy.host, self.proxy.port)).await;
        Ok(found.map_err(|e| not_reached(format!("its name is not found: {e}")))?.collect())
    }
}

fn not_reached(why: String) -> TlsOutcome {
    TlsOutcome::Proxy(ProxyFault::NotReached(why))
}

/// A limit of this machine is waited for, as at any endpoint.
fn not_connected(error: &io::Error) -> TlsOutcome {
    match dial::fault(error) {
        Fault::Ours(why) if dial::is_our_limit(&why) => TlsOutcome::CannotLook(why),
        Fault::Refused => not_reached("connection refused".into()),
        Fault::Timeout => not_reached("timed out".into()),
        Fault::Closed => not_reached("closed at once".into()),
        Fault::Unreachable(why) | Fault::Ours(why) => not_reached(why),
    }
}

/// What an error says once the proxy had been reached.
fn broken(error: &io::Error) -> ProxyFault {
    match dial::fault(error) {
        Fault::Refused | Fault::Closed => ProxyFault::Closed,
        Fault::Timeout => ProxyFault::Silent,
        Fault::Unreachable(why) | Fault::Ours(why) => ProxyFault::Failed(why),
    }
}

/// A proxy's words, bounded; whatever it may have sent back of what we said of ourselves is left out.
fn words(text: &str, credentials: Option<(&str, &str)>) -> String {
    let mut text: String = text.chars().take(WORDS).collect();
    if let Some((user, password)) = credentials {
        let basic = Zeroizing::new(connect::basic(user, password));
        for secret in [basic.as_str(), password] {
            text = text.replace(secret, "***");
        }
    }
    text
}

#[cfg(test)]
mod tests;
