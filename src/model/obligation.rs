//! Obligations: sentences about the world that can be true or false, each with the moments in which it must hold.

use std::fmt;
use std::net::IpAddr;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use super::name::Name;
use super::phase::MomentSet;
use super::plan::{CertId, NameId, Plan, ServerId, Target, ViewId};
use super::service::Service;
use super::source::Span;

/// One sentence of the plan. A plan says few different things of many names: what is said of several stands once, and is
/// read here as if it were this one's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obligation {
    /// What is said.
    pub demand: Arc<Demand>,
    /// The name that it is said of.
    pub name: NameId,
    /// Its place in the plan.
    pub span: Span,
}

/// What is said of a name, or of many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// What stands before and behind the name in [`Obligation::id`].
    pub around: Arc<(String, String)>,
    /// What is claimed of it.
    pub claim: Arc<Claim>,
    /// When it must hold, for the clients of which view.
    pub holds: Arc<[(ViewId, MomentSet)]>,
    /// Set where an old target is due only until the caches of a view have forgotten it.
    pub drain: Option<Drain>,
}

impl Obligation {
    /// Made of its content, so equal on every machine: `dns/external/mail.domain.com`, `tls/ex2010/IIS:443/mail.domain.com`.
    /// Where one subject has several, the moments follow after `@`.
    pub fn id(&self, plan: &Plan) -> ObligationId {
        ObligationId { around: self.demand.around.clone(), name: plan.name(self.name).name.shared() }
    }
}

impl Deref for Obligation {
    type Target = Demand;

    fn deref(&self) -> &Demand {
        &self.demand
    }
}

/// What is changed is this one's alone from then on.
impl DerefMut for Obligation {
    fn deref_mut(&mut self) -> &mut Demand {
        Arc::make_mut(&mut self.demand)
    }
}

/// The id of an obligation, in the pieces that others share.
#[derive(Clone, Debug)]
pub struct ObligationId {
    /// What stands before and behind the name.
    pub around: Arc<(String, String)>,
    /// The name.
    pub name: Arc<str>,
}

impl fmt::Display for ObligationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        [&*self.around.0, &self.name, &self.around.1].iter().try_for_each(|piece| f.write_str(piece))
    }
}

/// Wherever the name stands in them, equal texts are one id.
impl PartialEq for ObligationId {
    fn eq(&self, other: &Self) -> bool {
        (self.name == other.name && self.around == other.around) || self.to_string() == other.to_string()
    }
}

impl Eq for ObligationId {}

/// An old target: due after the flip until no cache can return it any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drain {
    /// The longest time in seconds, counted from the flip, that a cache of the name may hold the old answer, as far as
    /// the plan says: TTL + propagation + slack.
    pub hold: u32,
}

/// What is claimed of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The certificate covers the name.
    Covers {
        /// The certificate.
        certificate: CertId,
    },
    /// The view's resolvers answer for the name as wanted.
    Resolves {
        /// The view.
        view: ViewId,
        /// What they should answer.
        expected: Arc<DnsExpectation>,
    },
    /// The server, asked at its own addresses for the name, serves a certificate that covers it and that the clients of
    /// [`Demand::holds`]'s views trust.
    Serves {
        /// The server.
        server: ServerId,
        /// The service.
        service: Service,
        /// The declared certificates; empty if none is declared.
        certificates: Arc<[CertId]>,
    },
    /// Clients of the view who follow the name reach a right certificate at every address that they may be given: the
    /// address of the target in that view, through NAT, proxy or balancer. Provable only by standing in the view.
    Path {
        /// The view.
        view: ViewId,
        /// The server or pool that it leads to.
        target: Target,
        /// The service.
        service: Service,
        /// The target's addresses in the view.
        addresses: Arc<[IpAddr]>,
        /// The declared certificates; empty if none is declared.
        certificates: Arc<[CertId]>,
    },
    /// The TTL of the name's records, each CNAME link included, is at most this many seconds.
    Lowered {
        /// The view.
        view: ViewId,
        /// Seconds.
        at_most: u32,
    },
}

/// What a view's resolvers may answer. Any one of the alternatives is right.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DnsExpectation {
    /// NXDOMAIN and NODATA are right.
    pub absent: bool,
    /// The absence is demanded because the name is for inside only.
    pub forbidden: bool,
    /// Address sets that are right.
    pub present: Vec<Alternative>,
    /// Hosts of others: right is what they resolve to in the same view.
    pub like: Vec<Name>,
    /// A non-empty part of an alternative is right.
    pub part: bool,
    /// The alias that the CNAME chain must show.
    pub cname: Option<Name>,
}

/// One right RRset, A and AAAA together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alternative {
    /// The targets that it stands for.
    pub targets: Vec<Target>,
    /// The addresses, sorted, each once.
    pub addresses: Vec<IpAddr>,
}
