//! One question, one connection: what runs as a task.

use std::future::Future;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::Instant;

use super::dns::Resolver;
use super::tls::{Handshakes, Look};
use crate::model::dns::DnsOutcome;
use crate::model::probes::{DnsAsk, TlsAsk};
use crate::model::tls::TlsOutcome;

/// Tries of one connection, whatever the plan says.
const TRIES: u32 = 10;

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
    let outcome = survive(resolver.ask(&probe.name, probe.kind, limit)).await;
    let outcome = outcome.unwrap_or_else(|why| DnsOutcome::Malformed(why.into()));
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
    loop {
        let look = match &*handshakes {
            Ok(h) => survive(h.look(&ask.probe, to, &ask.manners.ehlo, Instant::now() + limit)).await,
            Err(e) => Ok((TlsOutcome::CannotLook(e.to_string()), Vec::new())),
        };
        let look = look.unwrap_or_else(|why| (TlsOutcome::CannotLook(why.into()), Vec::new()));
        let is_final = matches!(look.0, TlsOutcome::Certificate(_) | TlsOutcome::CannotLook(_));
        if is_final || attempt >= ask.manners.retry.min(TRIES - 1) {
            return Done::Connection { endpoint, sample, attempt, look };
        }
        attempt += 1;
    }
}

/// A fault of ours or of a library must not end the run: it says nothing of the peer, and the probe says so.
async fn survive<T>(future: impl Future<Output = T>) -> Result<T, &'static str> {
    AssertUnwindSafe(future).catch_unwind().await.map_err(|_| "a fault of this program, please report it")
}
