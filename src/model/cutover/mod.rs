//! A cutover as values: the facts that clients depend on, the steps that change them, what a proof says of them.
//!
//! Every time is a whole second counted from the timeline's second 0, and every interval is half open: it holds its first
//! second and not its last. [`Timeline`] is all that the checker reads; [`Cutover`] is all that a report reads.

mod facts;
mod proof;
mod rehearsed;
mod runbook;
mod says;
mod step;
mod words;

pub use facts::{
    Answer, CacheKey, CacheKind, Change, Credential, Datum, NodeId, Past, RecordSet, Serving, World, ZoneFacts,
};
pub use proof::{CachedAnswer, Deadline, HarmClass, Mend, Moved, Proof, Verdict, Witness};
pub use rehearsed::{MetHarm, Rehearsed};
pub use runbook::{Runbook, RunbookStep, When};
pub use says::{answer_words, change_line, data_words, moved_words, serving_words};
pub use step::{Assumption, Cutover, Ending, Gate, Schedule, Script, Step, StepKind, Undo, Wait};
pub use words::span;

use std::sync::Arc;

use jiff::Timestamp;

use super::name::Name;
use super::plan::ViewId;
use super::service::Service;

/// Seconds since the timeline's second 0.
pub type Second = i64;

/// What a checker has to know of a cutover: who the clients are, what holds at second 0, what held before, and the steps.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    /// The instant of second 0; `None` if only offsets are known.
    pub zero: Option<Timestamp>,
    /// Who asks, by [`ViewId`].
    pub views: Vec<ViewFacts>,
    /// How far beyond its time a cache may go, in seconds.
    pub slack: u32,
    /// How wrong the clocks of clients and servers may be, before or after, in seconds.
    pub clock_error: u32,
    /// For how long clients use a URL that they were told and are told no longer, in seconds; the slack comes to it.
    pub cached_urls: u32,
    /// The zones, for how long absence may be cached.
    pub zones: Vec<ZoneFacts>,
    /// Negative TTL in seconds where no zone is declared.
    pub negative_ttl: u32,
    /// What ends TLS: servers, and balancers that have a certificate of their own. By [`NodeId`]: its label.
    pub nodes: Vec<Arc<str>>,
    /// The certificates that any node serves at any time, by index.
    pub credentials: Vec<Credential>,
    /// What holds at second 0.
    pub world: World,
    /// What held before, and may still be cached.
    pub past: Vec<Past>,
    /// What has to be shown for whom.
    pub paths: Vec<ClientPath>,
    /// What is done, in this order: no step starts before the one in front of it has ended.
    pub steps: Vec<Step>,
}

/// What is known of the clients of a view.
#[derive(Clone, Debug, Default)]
pub struct ViewFacts {
    /// Its label in the plan.
    pub label: Arc<str>,
    /// Seconds for which its resolvers keep an answer at least, whatever its TTL says.
    pub floor: u32,
}

/// Clients of a view who follow a name to a service.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientPath {
    /// Whose clients.
    pub view: ViewId,
    /// What they begin with: a host, or the owner of an MX or SRV RRset.
    pub name: Name,
    /// How they begin: [`CacheKind::A`] stands for a host's addresses of both families; [`CacheKind::Mx`] and
    /// [`CacheKind::Srv`] lead to hosts, of which each is the reference identifier (RFC 9525 section 3) in its turn.
    pub entry: CacheKind,
    /// Where they connect.
    pub service: Service,
    /// False for clients that send no SNI.
    pub sni: bool,
    /// True for clients that come in the clear, and to TLS only where they remember [`CacheKind::Hsts`] of the name or of
    /// one above it.
    pub by_hsts: bool,
}

impl Timeline {
    /// A view's label.
    pub fn view(&self, id: ViewId) -> &str {
        self.views.get(id.0).map_or("", |v| &v.label)
    }

    /// A node's label.
    pub fn node(&self, id: NodeId) -> &str {
        self.nodes.get(id.0).map_or("", |label| label)
    }

    /// For how many seconds clients use a name in a URL once nobody tells them that any more.
    pub fn url_hold(&self) -> Second {
        Second::from(self.cached_urls) + Second::from(self.slack)
    }

    /// The instant of a second, where second 0 is known and the sum is one.
    pub fn at(&self, second: Second) -> Option<Timestamp> {
        self.zero?.checked_add(jiff::SignedDuration::from_secs(second)).ok()
    }
}
