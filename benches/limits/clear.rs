//! The reader of old servers: the same facts, from the clear part of a handshake that is not finished.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use coexist::model::name::Name;
use coexist::model::tls::Possession;
use coexist::observe::fuzzing::clear_chain;
use coexist::pki;
use jiff::Timestamp;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::tls::FLIGHT;
use crate::world::World;

struct Clear {
    world: Arc<World>,
    target: SocketAddr,
    /// What a server that is read so far shows of its key.
    is_right: fn(&Possession) -> bool,
    anchors: pki::Anchors,
    next: AtomicUsize,
}

/// Looks at every name at a server of TLS 1.2, which signs its part of the key exchange; how many are all right.
pub async fn signed(world: &Arc<World>) -> usize {
    all(world, world.at.tls, |possession| *possession == Possession::Proved).await
}

/// Looks at every name at a server of TLS 1.0 that signs nothing; how many are all right.
pub async fn unsigned(world: &Arc<World>) -> usize {
    all(world, world.at.old, |possession| matches!(possession, Possession::NotProved(_))).await
}

async fn all(world: &Arc<World>, target: SocketAddr, is_right: fn(&Possession) -> bool) -> usize {
    let (anchors, _) = pki::Anchors::new(&[Arc::from(world.root.as_ref())]);
    let clear = Arc::new(Clear { world: world.clone(), target, is_right, anchors, next: AtomicUsize::new(0) });
    let workers: JoinSet<usize> = (0..FLIGHT).map(|_| work(clear.clone())).collect();
    workers.join_all().await.into_iter().sum()
}

async fn work(clear: Arc<Clear>) -> usize {
    let mut right = 0;
    while let Some(name) = clear.world.names.get(clear.next.fetch_add(1, Ordering::Relaxed)) {
        right += usize::from(clear.look(name).await);
    }
    right
}

impl Clear {
    async fn look(&self, name: &str) -> bool {
        let deadline = Instant::now() + Duration::from_secs(30);
        let glance = clear_chain(self.target, name, deadline).await.expect("a chain");
        let read = |der| pki::Read { der, facts: pki::facts(der).map(Cow::Owned).map_err(|e| e.0) };
        let chain: Vec<_> = glance.chain.iter().map(|der| read(der)).collect();
        let path = pki::path_of(&chain, &self.anchors, &[], Timestamp::now());
        let facts = chain[0].facts.as_ref().expect("a certificate");
        let covers = pki::identify(facts, &Name::parse(name).expect("a name")).is_ok();
        (self.is_right)(&glance.possession) && covers && path.untrusted.is_none() && path.dates.is_empty()
    }
}
