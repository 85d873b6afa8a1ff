//! Probes → observations. Infallible as a whole: the world's faults are outcomes.

pub mod file;
mod vantage;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::model::certificate::BlobId;
use crate::model::observation::{DialMap, Observation};
use crate::model::plan::TrustSource;
use crate::model::probes::Probes;

/// Reads a file that the plan refers to, by its path as written.
pub type ReadFile<'a> = &'a (dyn Fn(&str) -> io::Result<Vec<u8>> + Sync);

/// How a run observes.
pub struct Options<'a> {
    /// The run's id, for its observations.
    pub run: Arc<str>,
    /// Limit of a query with its retransmissions, or of a connection, where the plan says nothing nearer.
    pub timeout: Duration,
    /// Connections and queries in flight.
    pub concurrency: usize,
    /// Where to dial instead.
    pub dial: DialMap,
    /// How files are read.
    pub read_file: ReadFile<'a>,
    /// The trust anchors of each view (DER), against which resolvers by TLS and HTTPS are authenticated.
    pub anchors: BTreeMap<Arc<str>, Vec<Arc<[u8]>>>,
}

/// What an observer hands out as it goes.
#[derive(Clone, Debug)]
pub enum Seen {
    /// A certificate, before the first observation that refers to it.
    Blob(BlobId, Arc<[u8]>),
    /// An observation.
    Observation(Observation),
}

/// Looks at everything, concurrently within the bounds, and hands out what is seen as it comes.
pub async fn observe(_probes: &Probes, _options: &Options<'_>, _sink: &mut (dyn FnMut(Seen) + Send)) {
    todo!()
}

/// The trust anchors of some sources as DER, each once, and what could not be read.
pub fn anchors(_sources: &[TrustSource], _read_file: ReadFile) -> (Vec<Arc<[u8]>>, Vec<String>) {
    todo!()
}
pub use vantage::local_address;
