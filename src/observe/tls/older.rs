//! A second look at a server that declined a current client: a hello of old versions and suites, each on a connection of
//! its own, and the clear part of what it answers.

use std::time::Duration;

use tokio::time::Instant;

use super::{Handshakes, Look, There};
use crate::model::tls::{Served, Stage, TlsOutcome};
use crate::observe::hello::{self, Glance};
use crate::pki;

/// True if a server may have declined because a current client is too young for it: it chose an old version, said one of
/// the alerts by which servers say so, hung up, or said nothing.
pub fn may_be_old(outcome: &TlsOutcome) -> bool {
    match outcome {
        TlsOutcome::OldVersion(_) => true,
        TlsOutcome::Closed(Stage::Handshake) | TlsOutcome::Timeout(Stage::Handshake) => true,
        TlsOutcome::Alert(name) => matches!(
            name.as_str(),
            "protocol_version"
                | "handshake_failure"
                | "insufficient_security"
                | "illegal_parameter"
                | "decode_error"
                | "unexpected_message"
                | "internal_error"
                | "close_notify"
        ),
        _ => false,
    }
}

/// Half of the time that is left: who has said nothing until then may never do.
pub fn halfway(deadline: Instant) -> Instant {
    share(deadline, 2)
}

fn share(deadline: Instant, of: u32) -> Instant {
    let now = Instant::now();
    now + deadline.saturating_duration_since(now).checked_div(of).unwrap_or(Duration::ZERO)
}

impl Handshakes {
    /// The chain that an older client gets, if that is why this one got none: down from TLS 1.2 while the server does not
    /// answer a hello, each a connection of its own, with the dialogue before TLS where there is one.
    pub(super) async fn older(&self, there: There<'_>) -> Option<Glance> {
        let sni = there.probe.sni.as_ref().map(|n| n.probe().to_string());
        // Servers answer downwards: whether there is another certificate, the first hello tells.
        let most = if there.probe.face.is_some() { 1 } else { 3 };
        for (left, version) in (1..=most).rev().zip(hello::VERSIONS) {
            let until = there.deadline.of(Stage::Handshake);
            let hush = share(until, left);
            let (tcp, _) = self.prepare(there).await.ok()?;
            let offer = hello::offer(version, sni.as_deref(), there.probe.face).ok()?;
            match hello::glance(tcp, offer, &self.provider, hush, until).await {
                Ok(glance) => return Some(glance).filter(|g| !g.is_current),
                Err(outcome) if may_be_old(&outcome) && there.deadline.is_left() => {}
                Err(_) => return None,
            }
        }
        None
    }
}

/// What a server serves to older clients, and what a current one came to.
pub fn served(glance: Glance, declined: TlsOutcome) -> Look {
    let blobs: Vec<_> = glance.chain.into_iter().map(|der| (pki::blob_id(&der), der)).collect();
    let served = Served {
        chain: blobs.iter().map(|(id, _)| *id).collect(),
        possession: glance.possession,
        version: Some(glance.version.into()),
        cipher: Some(glance.suite.into()),
        client: None,
        ended: glance.ended,
        declined: Some(Box::new(declined)),
    };
    (TlsOutcome::Certificate(served), blobs)
}
