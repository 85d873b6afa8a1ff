//! What can be wrong, or unknown, with an obligation: typed, so that each fault has exactly one rule that speaks of it.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use super::evidence::{Look, Outdated};
use crate::model::certificate::BlobId;
use crate::model::identity::Mismatch;
use crate::model::name::Name;
use crate::model::plan::{CertId, Target, ViewId};
use crate::model::service::Way;
use crate::model::tls::Face;
use crate::pki::{OutOfDate, Untrusted};

/// One thing that is wrong, or unknown, with an obligation.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    /// What.
    pub(super) fault: Fault,
    /// The observations that show it.
    pub(super) looks: Vec<Look>,
}

/// What is wrong or unknown.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    /// With a declared certificate.
    Certificate(CertId, CertificateFault),
    /// With an endpoint.
    Endpoint(Spot, EndpointFault),
    /// With the answers of a view's resolver, by its index.
    Dns(ViewId, usize, DnsFault),
}

/// With a declared certificate.
#[derive(Clone, Debug)]
pub(super) enum CertificateFault {
    /// It does not cover the name.
    Uncovered { leaf: Option<BlobId>, why: Mismatch },
    /// It, or its issuer in the file, is outside its dates.
    OutOfDate { leaf: BlobId, date: OutOfDate },
    /// It is self-signed, and the view's clients do not have it as an anchor.
    SelfSigned { leaf: BlobId, view: ViewId },
    /// The file's certificate has another thumbprint than the one declared.
    OtherThumbprint { leaf: BlobId },
    /// Unknown: why.
    Unknown(String),
}

/// Where something was met.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    /// The logical address.
    pub(super) address: SocketAddr,
    /// How TLS begins there.
    pub(super) way: Way,
    /// Whose fault it is.
    pub(super) culprit: Culprit,
    /// The view by whose path it was met; `None` at a server's own address.
    pub(super) view: Option<ViewId>,
    /// The kind of certificate that was asked for alone.
    pub(super) face: Option<Face>,
}

/// Whose fault something at an endpoint is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Culprit {
    /// A server, or the pool whose balancer answers.
    Planned(Target),
    /// An address that DNS gave and no target has.
    Stranger(IpAddr),
}

/// With an endpoint.
#[derive(Clone, Debug)]
pub(super) enum EndpointFault {
    /// No certificate can be had there.
    NoTls,
    /// It speaks in the clear where TLS begins, behind its word to go ahead.
    Injected,
    /// It has no certificate for clients that take this kind of key alone, though the plan lists one.
    NoFace { face: Face },
    /// What it serves does not cover the name.
    WrongName { leaf: BlobId, why: Mismatch },
    /// It is not the very certificate that is declared.
    WrongLeaf { leaf: BlobId },
    /// The server does not hold the certificate's key: why.
    WrongKey { leaf: BlobId, why: String },
    /// What it serves cannot be read: why.
    Unreadable { leaf: BlobId, why: String },
    /// The certificate or one of its chain is outside its dates.
    OutOfDate { leaf: BlobId, offender: Option<BlobId>, date: OutOfDate },
    /// The view's clients do not trust it.
    Untrusted { leaf: BlobId, view: ViewId, why: Untrusted },
    /// Unknown: the outcome is no word about the server.
    CouldNotLook,
    /// The server speaks no TLS that current clients accept, as far as is known at most this version. `unseen`: nor any
    /// that this release speaks, so that its certificate is unknown; no waiver of the version makes that a pass.
    BelowFloor { version: Option<String>, unseen: bool },
    /// It speaks TLS 1.2 with cipher suites only that many current clients do not take; the best of them.
    OldSuites { suite: String },
    /// Unknown: a certificate was served, and the handshake did not come to its end: why.
    Unfinished { leaf: BlobId, why: String },
    /// Unknown: a balanced address was tried less often than the plan asks.
    FewSamples { seen: usize, of: usize },
    /// Unknown: nobody looked.
    Unseen,
    /// Unknown: what was seen does not count at this time.
    Stale(Outdated),
    /// Unknown: no run stood in the view.
    NotStanding,
    /// Unknown: the view's trust anchors are not all recorded.
    NoAnchors { view: ViewId },
    /// Unknown: something between seems to answer in the server's place.
    Intercepted { leaf: BlobId },
}

/// With a resolver's answers.
#[derive(Clone, Debug)]
pub(super) enum DnsFault {
    /// The name must resolve and does not; where an alias leads nowhere, whose it is and where it leads.
    Unresolved { word: String, dangling: Option<(String, String)> },
    /// It resolves to something else.
    Unexpected { addresses: BTreeSet<IpAddr> },
    /// It resolves though it must not.
    Unwanted { addresses: BTreeSet<IpAddr>, forbidden: bool },
    /// The alias that must show does not.
    NoAlias { alias: Name },
    /// The TTL of a link or address is too high.
    TtlTooHigh { owner: String, ttl: u32, at_most: u32 },
    /// Unknown: the resolver was silent, or its words are none about the name.
    Silent { word: String },
    /// Unknown: nobody asked.
    NotAsked,
    /// Unknown: what was answered does not count at this time.
    Stale(Outdated),
    /// Unknown: what the other's host resolves to was not answered.
    LikeUnknown { host: Name },
    /// Unknown: something between seems to answer in the resolver's place.
    Intercepted,
}

impl Fault {
    /// True if it says that something could not be told.
    pub(super) fn is_open(&self) -> bool {
        use {CertificateFault as C, DnsFault as D, EndpointFault as E};
        match self {
            Self::Certificate(_, C::Unknown(_)) => true,
            Self::Certificate(
                _,
                C::Uncovered { .. } | C::OutOfDate { .. } | C::SelfSigned { .. } | C::OtherThumbprint { .. },
            ) => false,
            Self::Endpoint(_, fault) => match fault {
                E::CouldNotLook | E::Unfinished { .. } | E::FewSamples { .. } => true,
                E::Unseen | E::Stale(_) | E::NotStanding => true,
                E::NoAnchors { .. } | E::Intercepted { .. } => true,
                E::BelowFloor { unseen, .. } => *unseen,
                E::NoTls | E::Injected | E::OldSuites { .. } | E::NoFace { .. } => false,
                E::WrongName { .. } | E::WrongLeaf { .. } | E::WrongKey { .. } => false,
                E::Unreadable { .. } | E::OutOfDate { .. } | E::Untrusted { .. } => false,
            },
            Self::Dns(_, _, fault) => match fault {
                D::Silent { .. } | D::NotAsked | D::Stale(_) | D::LikeUnknown { .. } | D::Intercepted => true,
                D::Unresolved { .. } | D::Unexpected { .. } | D::Unwanted { .. } => false,
                D::NoAlias { .. } | D::TtlTooHigh { .. } => false,
            },
        }
    }
}

impl EndpointFault {
    /// The leaf that was served, if one was.
    pub(super) fn leaf(&self) -> Option<BlobId> {
        match self {
            Self::WrongName { leaf, .. }
            | Self::WrongLeaf { leaf }
            | Self::WrongKey { leaf, .. }
            | Self::Unreadable { leaf, .. }
            | Self::OutOfDate { leaf, .. }
            | Self::Untrusted { leaf, .. }
            | Self::Unfinished { leaf, .. }
            | Self::Intercepted { leaf } => Some(*leaf),
            Self::NoTls | Self::Injected | Self::BelowFloor { .. } => None,
            Self::OldSuites { .. } | Self::NoFace { .. } => None,
            Self::CouldNotLook | Self::Unseen | Self::FewSamples { .. } => None,
            Self::Stale(_) | Self::NotStanding | Self::NoAnchors { .. } => None,
        }
    }
}
