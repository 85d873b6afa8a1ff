//! One question, one connection: what runs as a task.

use std::future::Future;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::Instant;

use super::dial;
use super::dns::Resolver;
use super::tls::{Handshakes, Look};
use crate::model::dns::DnsOutcome;
use crate::model::probes::{DnsAsk, TlsAsk};
use crate::model::tls::TlsOutcome;

/// Tries of one connection, whatever the plan says.
const TRIES: u32 = 10;

/// How long to wait for another socket to be closed.
const PAUSE: Duration = Duration::from_millis(50);

/// A job that is done.
pub enum Done {
    /// Of the resolver of a lane.
    Question { lane: usize, ask: usize, asked: Instant, answered: Instant, outcome: DnsOutcome },
    /// To an endpoint.
    Connection { endpoint: usize, sample: u32, attempt: u32, look: Look },
}

/// Asks a question of a resolver.
pub async fn question(lane: usize, ask: usize, resolver: Arc<Resolver>, question: DnsAsk, limit: Duration) -> Done {
    let asked = Instant::now();
    let probe = question.probe;
    let mut room = Room::new(limit);
    let outcome = loop {
        let outcome = survive(resolver.ask(&probe.name, probe.kind, limit)).await;
        let outcome = outcome.unwrap_or_else(|why| DnsOutcome::Malformed(why.into()));
        match &outcome {
            DnsOutcome::Unreachable(why) if room.may_come(why).await => {}
            _ => break outcome,
        }
    };
    Done::Question { lane, ask, asked, answered: Instant::now(), outcome }
}

/// Makes a connection, and again as often as the plan allows where no certificate came.
pub async fn connection(
    endpoint: usize,
    sample: u32,
    handshakes: Arc<Result<Handshakes, rustls::Error>>,
    ask: TlsAsk,
    to: SocketAddr,
    limit: Duration,
) -> Done {
    let mut attempt = 0;
    let mut room = Room::new(limit);
    loop {
        let look = match &*handshakes {
            Ok(h) => survive(h.look(&ask.probe, to, &ask.manners.ehlo, Instant::now() + limit)).await,
            Err(e) => Ok((TlsOutcome::CannotLook(e.to_string()), Vec::new())),
        };
        let look = look.unwrap_or_else(|why| (TlsOutcome::CannotLook(why.into()), Vec::new()));
        if let TlsOutcome::CannotLook(why) = &look.0
            && room.may_come(why).await
        {
            continue;
        }
        let is_final = matches!(look.0, TlsOutcome::Certificate(_) | TlsOutcome::CannotLook(_));
        if is_final || attempt >= ask.manners.retry.min(TRIES - 1) {
            return Done::Connection { endpoint, sample, attempt, look };
        }
        attempt += 1;
    }
}

/// Waits where this machine has no room for another socket, until others are closed: its limit says nothing of the peer,
/// and takes nothing from the time that the peer has.
struct Room {
    until: Instant,
}

impl Room {
    /// Others hold their sockets for one limit of time, with their tries for a few.
    fn new(limit: Duration) -> Self {
        Self { until: Instant::now() + limit * 4 + PAUSE * 20 }
    }

    /// True if these are the words of such a limit, and there may be room now.
    async fn may_come(&mut self, words: &str) -> bool {
        let waits = dial::is_our_limit(words) && Instant::now() < self.until;
        if waits {
            tokio::time::sleep(PAUSE).await;
        }
        waits
    }
}

/// A fault of ours or of a library must not end the run: it says nothing of the peer, and the probe says so.
async fn survive<T>(future: impl Future<Output = T>) -> Result<T, &'static str> {
    AssertUnwindSafe(future).catch_unwind().await.map_err(|_| "a fault of this program, please report it")
}
