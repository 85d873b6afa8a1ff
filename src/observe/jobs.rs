//! One connection with its tries, and what a fault of ours does not bring down.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use rustls::sign::CertifiedKey;
use tokio::time::Instant;

use super::deadline::Limits;
use super::dial;
use super::proxy::Route;
use super::tls::{Handshakes, Line, Look};
use crate::model::probes::TlsAsk;
use crate::model::tls::TlsOutcome;

/// Tries of one connection, whatever the plan says.
const TRIES: u32 = 10;

/// How long to wait for another socket to be closed.
pub const PAUSE: Duration = Duration::from_millis(50);

/// What is said where this program failed.
pub const FAULT: &str = "a fault of this program, please report it";

/// A connection to make.
#[derive(Clone, Debug)]
pub struct Job {
    /// Which of several equal looks.
    pub sample: u32,
    /// Tries that failed.
    pub attempt: u32,
    /// What to look at, and how.
    pub ask: TlsAsk,
    /// Where to dial.
    pub to: SocketAddr,
    /// Through whom; `None` is from here.
    pub route: Option<Arc<Route>>,
    /// What it shows if it is asked for a certificate; or why it cannot.
    pub client: Option<Result<Arc<CertifiedKey>, String>>,
    /// How it began.
    pub start: Start,
    /// How often it was made again because its host was crowded.
    pub again: u32,
    /// Nobody knows whether there is anything to be seen.
    pub is_beside: bool,
}

/// Who bears connections.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Bearer {
    /// A host.
    Host(IpAddr),
    /// The proxy of a run.
    Proxy(Arc<str>),
}

/// How a connection began.
#[derive(Clone, Copy, Debug, Default)]
pub struct Start {
    /// How often its address had been found crowded.
    pub epoch: u32,
    /// Others that were under way to the same host.
    pub others: usize,
}

impl Job {
    /// Who bears its connections: the host, as the plan or DNS gives it, or the proxy on the way to it.
    pub fn bearer(&self) -> Bearer {
        match &self.route {
            Some(route) => Bearer::Proxy(route.run.clone()),
            None => Bearer::Host(self.ask.probe.address.ip()),
        }
    }

    /// How many connections that one bears at once.
    pub fn cap(&self) -> usize {
        usize::try_from(self.ask.manners.per_host).unwrap_or(usize::MAX)
    }
}

/// Makes a connection, and again as often as the plan allows where no certificate came. Where the plan sets no limit, a try
/// has `timeout`.
pub async fn connection(job: &mut Job, handshakes: &Result<Handshakes, rustls::Error>, timeout: Duration) -> Look {
    let limits = Limits::of(&job.ask.manners, timeout);
    let last = job.attempt.saturating_add(job.ask.manners.retry.min(TRIES - 1));
    let room = Room::new(limits.whole);
    loop {
        let deadline = limits.begin();
        let look = match (handshakes, job.client.as_ref().map(|c| c.as_ref()).transpose()) {
            (Ok(h), Ok(client)) => {
                let line = Line { to: job.to, route: job.route.as_deref(), ehlo: &job.ask.manners.ehlo, client };
                survive(h.look(&job.ask.probe, &line, deadline)).await
            }
            (Ok(_), Err(why)) => Ok((TlsOutcome::CannotLook(why.clone()), Vec::new())),
            (Err(e), _) => Ok((TlsOutcome::CannotLook(e.to_string()), Vec::new())),
        };
        let look = look.unwrap_or_else(|why| (TlsOutcome::CannotLook(why.into()), Vec::new()));
        if let TlsOutcome::CannotLook(why) = &look.0
            && room.may_come(why).await
        {
            continue;
        }
        let is_final = matches!(look.0, TlsOutcome::Certificate(_) | TlsOutcome::CannotLook(_));
        if is_final || job.attempt >= last {
            return look;
        }
        job.attempt += 1;
    }
}

/// Waits where this machine has no room for another socket, until others are closed: its limit says nothing of the peer,
/// and takes nothing from the time that the peer has.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    until: Instant,
}

impl Room {
    /// Others hold their sockets for one limit of time, with their tries for a few.
    pub fn new(limit: Duration) -> Self {
        Self { until: Instant::now() + limit * 4 + PAUSE * 20 }
    }

    /// True if these are the words of such a limit, and it is waited for.
    pub fn is_awaited(&self, words: &str, now: Instant) -> bool {
        dial::is_our_limit(words) && now < self.until
    }

    /// True if these are the words of such a limit, and there may be room now.
    pub async fn may_come(&self, words: &str) -> bool {
        let waits = self.is_awaited(words, Instant::now());
        if waits {
            tokio::time::sleep(PAUSE).await;
        }
        waits
    }
}

/// A fault of ours or of a library must not end the run: it says nothing of the peer, and the probe says so.
pub fn survive<T>(future: impl Future<Output = T>) -> impl Future<Output = Result<T, &'static str>> {
    // Not an async function, which would carry the room for the future twice.
    AssertUnwindSafe(future).catch_unwind().map(|done| done.map_err(|_| FAULT))
}
