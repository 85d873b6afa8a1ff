//! Probes → observations. Infallible as a whole: the world's faults are outcomes.
#![allow(
    clippy::disallowed_methods,
    reason = "sockets, their limits in time and the plan's files belong to this stage"
)]

pub mod client;
mod crew;
mod deadline;
mod delegations;
mod dial;
mod dns;
mod endpoints;
mod faces;
pub mod file;
mod follow;
#[doc(hidden)]
pub mod fuzzing;
mod hello;
mod hosts;
mod jobs;
mod lanes;
mod lookup;
mod preamble;
mod proxy;
mod schedule;
mod templates;
#[cfg(test)]
mod testbed;
#[cfg(test)]
mod tests;
mod tls;
mod trust;
mod vantage;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::model::certificate::BlobId;
use crate::model::observation::{DialMap, Observation, Outcome, Probe};
use crate::model::probes::{HttpAsk, Probes};

pub use lookup::lookup;
pub(crate) use preamble::upgraded;
pub use proxy::{Route, Secret};
pub use trust::anchors;
pub use vantage::local_address;

/// Reads a file that the plan refers to, by its path as written.
pub type ReadFile<'a> = &'a (dyn Fn(&str) -> io::Result<Vec<u8>> + Sync);

/// How a run observes.
pub struct Options<'a> {
    /// The run's id, for its observations.
    pub run: Arc<str>,
    /// Limit of a query with its retransmissions, or of a connection, where the plan says nothing nearer.
    pub timeout: Duration,
    /// Connections in flight, and as many questions, over all resolvers.
    pub concurrency: usize,
    /// Where to dial instead.
    pub dial: DialMap,
    /// How files are read.
    pub read_file: ReadFile<'a>,
    /// What opens PFX files among them.
    pub passwords: file::Passwords,
    /// The ways through proxies, by the labels of the views into which they lead.
    pub routes: BTreeMap<Arc<str>, Arc<Route>>,
    /// The trust anchors of each view (DER), against which resolvers by TLS and HTTPS are authenticated.
    pub anchors: BTreeMap<Arc<str>, Vec<Arc<[u8]>>>,
}

/// What an observer hands out as it goes. It is used up at once, never kept in numbers: its size does not matter.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug)]
pub enum Seen {
    /// A certificate, before the first observation that refers to it.
    Blob(BlobId, Arc<[u8]>),
    /// An observation.
    Observation(Observation),
}

/// Looks at everything, concurrently within the bounds, and hands out what is seen as it comes.
///
/// It ends by itself: every question and every connection has its limit of time. To stop earlier, drop the future:
/// what was seen by then is handed out while it is dropped.
pub async fn observe(probes: &Probes, options: &Options<'_>, sink: &mut (dyn FnMut(Seen) + Send)) {
    let mut followed = follow::Followed::new(probes);
    let mut delegations = delegations::Delegations::new(probes);
    {
        let mut both = |seen: Seen| {
            followed.take(&seen);
            delegations.take(&seen);
            sink(seen);
        };
        schedule::Schedule::new(probes, options).run(&mut both).await;
    }
    let policies = followed.policies();
    ask_web_sites(probes.http.iter().chain(&policies), options, sink).await;
    // What answers named and nobody had asked for: a second, small round.
    let more = Probes { led: probes.led.clone(), ..followed.probes() };
    if !more.dns.is_empty() {
        schedule::Schedule::new(&more, options).run(sink).await;
    }
    loop {
        let step = Probes { led: probes.led.clone(), ..delegations.next() };
        if step.dns.is_empty() {
            return;
        }
        let mut both = |seen: Seen| {
            delegations.take(&seen);
            sink(seen);
        };
        schedule::Schedule::new(&step, options).run(&mut both).await;
    }
}

/// After all handshakes, so that no server is asked by many at once.
async fn ask_web_sites<'a>(
    asks: impl Iterator<Item = &'a HttpAsk>,
    options: &Options<'_>,
    sink: &mut (dyn FnMut(Seen) + Send),
) {
    let ask = |ask: &HttpAsk| {
        let to = options.dial.resolve(ask.probe.address, Some(&ask.probe.name.probe()));
        // Without the way that is meant it would be another, and prove nothing of the view.
        let route = ask.via.as_ref().map(|view| options.routes.get(view).cloned().ok_or(())).transpose().ok()?;
        let limit = schedule::limit(ask.timeout_ms, options.timeout);
        Some(tls::http::Ask { probe: ask.probe.clone(), to, route, limit })
    };
    let asks = asks.filter_map(ask).collect();
    tls::http::all(asks, |ask, outcome| {
        let dialled = (ask.to != ask.probe.address).then(|| ask.to.into());
        let (probe, outcome) = (Probe::Http(ask.probe), Outcome::Http(outcome).into());
        let run = ask.route.as_ref().map_or(&options.run, |route| &route.run).clone();
        let at = schedule::now();
        sink(Seen::Observation(Observation { probe, run, sample: 0, attempt: 0, dialled, at, outcome }));
    })
    .await;
}
