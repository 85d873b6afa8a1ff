//! Facts that clients depend on, and changes of them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::name::Name;
use crate::model::plan::ViewId;

/// Index into [`Timeline::nodes`](super::Timeline::nodes).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub usize);

/// What clients, or resolvers for them, keep for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CacheKind {
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
    /// An alias, which stands for records of every other kind.
    Cname,
    /// Hosts that take mail.
    Mx,
    /// Hosts of a service.
    Srv,
    /// Hints and alternative hosts of a web server (RFC 9460).
    Https,
    /// Certificates that a mail server may serve (RFC 7672); the owner is `_PORT._tcp.HOST`.
    Tlsa,
    /// Hosts that may take mail (RFC 8461); kept for the policy's `max_age`. The owner is the mail domain.
    MtaSts,
    /// Memory of web clients that a host, or all below it, is to be asked over TLS only (RFC 6797); kept for `max-age`.
    Hsts,
    /// URLs with a name that clients were told, as by Outlook's Autodiscover. No record: clients keep one from
    /// [`Change::Used`] on, for [`Timeline::url_hold`](super::Timeline::url_hold).
    Url,
}

impl CacheKind {
    /// True of what DNS keeps: a record of that kind makes its owner exist.
    pub fn is_dns(self) -> bool {
        !matches!(self, Self::MtaSts | Self::Hsts | Self::Url)
    }

    /// The field's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Cname => "CNAME",
            Self::Mx => "MX",
            Self::Srv => "SRV",
            Self::Https => "HTTPS",
            Self::Tlsa => "TLSA",
            Self::MtaSts => "MTA-STS",
            Self::Hsts => "HSTS",
            Self::Url => "URL",
        }
    }
}

/// What one cache entry is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CacheKey {
    /// Whose resolvers.
    pub view: ViewId,
    /// The owner; a wildcard answers for names that do not exist (RFC 4592).
    pub owner: Name,
    /// What is kept.
    pub kind: CacheKind,
}

/// One datum of an RRset or policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Datum {
    /// An address: of A, AAAA, and as a hint of HTTPS.
    Address(IpAddr),
    /// A host: of CNAME, MX, SRV, HTTPS; a pattern of an MTA-STS policy; of HSTS the owner, or a wildcard below it for
    /// `includeSubDomains`.
    Host(Name),
    /// Somebody else's host, of whose addresses nothing is known.
    Elsewhere(Name),
    /// A certificate that TLSA allows: index into the credentials.
    Certificate(usize),
}

/// An RRset or policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordSet {
    /// For how many seconds it may be kept: TTL, or `max_age`.
    pub ttl: u32,
    /// Its data, never empty.
    pub data: BTreeSet<Datum>,
}

/// What authoritative servers say of a key: an RRset, or nothing.
pub type Answer = Option<RecordSet>;

/// What a node serves at a port.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Serving {
    /// The certificates without SNI, and for names of which nothing else is said: any of them may come (RSA, ECDSA).
    pub default: Vec<usize>,
    /// The certificates for some names as SNI.
    pub by_name: BTreeMap<Name, Vec<usize>>,
}

impl Serving {
    /// The certificates that may be served for a name as SNI, or without SNI.
    pub fn for_name(&self, sni: Option<&Name>) -> &[usize] {
        sni.and_then(|name| self.by_name.get(name)).unwrap_or(&self.default)
    }
}

/// A certificate as far as a proof needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// The plan's label, or the subject of one that the plan does not know.
    pub label: Arc<str>,
    /// Its dNSName entries; `None` if nobody has seen it.
    pub names: Option<Vec<String>>,
    /// First instant of its validity, where known.
    pub valid_from: Option<Timestamp>,
    /// First instant after its validity, where known.
    pub valid_until: Option<Timestamp>,
    /// The views whose clients trust it; `None` if nobody could tell.
    pub trusted: Option<BTreeSet<ViewId>>,
}

/// A zone of a view.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ZoneFacts {
    /// The view.
    pub view: ViewId,
    /// Its apex; it always exists.
    pub apex: Name,
    /// For how many seconds absence may be cached (RFC 2308 section 5).
    pub negative_ttl: u32,
}

/// All facts at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct World {
    /// What authoritative servers answer; a key that is not there does not exist.
    pub records: BTreeMap<CacheKey, RecordSet>,
    /// Which nodes answer clients of a view at an address: NAT, virtual addresses and pools in one.
    pub routes: BTreeMap<(ViewId, IpAddr), BTreeSet<NodeId>>,
    /// What nodes serve at a port; one that is not there does not listen.
    pub serving: BTreeMap<(NodeId, u16), Serving>,
    /// Names that a node sends its web clients to.
    pub redirects: BTreeMap<NodeId, BTreeSet<Name>>,
    /// Names that clients of a view use: what is believed absent hurts only them.
    pub used: BTreeSet<(ViewId, Name)>,
}

/// An answer that authoritative servers no longer give, and caches may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// What it was about.
    pub key: CacheKey,
    /// What was said.
    pub answer: Answer,
    /// The last second, at most 0, up to which it may have been given.
    pub until: i64,
}

/// One change of a fact; the old value too, so that whoever reads the steps need not have done those before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// What authoritative servers answer.
    Records {
        /// About what.
        key: CacheKey,
        /// Before.
        old: Answer,
        /// After.
        new: Answer,
    },
    /// Who answers at an address.
    Route {
        /// For clients of this view.
        view: ViewId,
        /// The address.
        address: IpAddr,
        /// Before.
        old: BTreeSet<NodeId>,
        /// After.
        new: BTreeSet<NodeId>,
    },
    /// What a node serves; `None`: it does not listen.
    Serving {
        /// The node.
        node: NodeId,
        /// The port.
        port: u16,
        /// Before.
        old: Option<Serving>,
        /// After.
        new: Option<Serving>,
    },
    /// Where a node sends its web clients.
    Redirect {
        /// The node.
        node: NodeId,
        /// Before.
        old: BTreeSet<Name>,
        /// After.
        new: BTreeSet<Name>,
    },
    /// Whether clients of a view use a name.
    Used {
        /// The view.
        view: ViewId,
        /// The name.
        name: Name,
        /// After; before it was the contrary.
        new: bool,
    },
}

impl Change {
    /// The change back.
    pub fn undone(&self) -> Change {
        match self.clone() {
            Self::Records { key, old, new } => Self::Records { key, old: new, new: old },
            Self::Route { view, address, old, new } => Self::Route { view, address, old: new, new: old },
            Self::Serving { node, port, old, new } => Self::Serving { node, port, old: new, new: old },
            Self::Redirect { node, old, new } => Self::Redirect { node, old: new, new: old },
            Self::Used { view, name, new } => Self::Used { view, name, new: !new },
        }
    }
}

impl World {
    /// Brings a change about.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Records { key, new: Some(set), .. } => drop(self.records.insert(key.clone(), set.clone())),
            Change::Records { key, new: None, .. } => drop(self.records.remove(key)),
            Change::Route { view, address, new, .. } => drop(self.routes.insert((*view, *address), new.clone())),
            Change::Serving { node, port, new: Some(serving), .. } => {
                self.serving.insert((*node, *port), serving.clone());
            }
            Change::Serving { node, port, new: None, .. } => drop(self.serving.remove(&(*node, *port))),
            Change::Redirect { node, new, .. } => drop(self.redirects.insert(*node, new.clone())),
            Change::Used { view, name, new: true } => drop(self.used.insert((*view, name.clone()))),
            Change::Used { view, name, new: false } => drop(self.used.remove(&(*view, name.clone()))),
        }
    }

    /// Sets the old value of a change to what holds.
    pub fn refit(&self, change: &mut Change) {
        match change {
            Change::Records { key, old, .. } => *old = self.records.get(key).cloned(),
            Change::Route { view, address, old, .. } => {
                *old = self.routes.get(&(*view, *address)).cloned().unwrap_or_default();
            }
            Change::Serving { node, port, old, .. } => *old = self.serving.get(&(*node, *port)).cloned(),
            Change::Redirect { node, old, .. } => *old = self.redirects.get(node).cloned().unwrap_or_default(),
            Change::Used { .. } => {}
        }
    }

    /// True if the old value of a change is what holds.
    pub fn expects(&self, change: &Change) -> bool {
        match change {
            Change::Records { key, old, .. } => self.records.get(key) == old.as_ref(),
            Change::Route { view, address, old, .. } => match self.routes.get(&(*view, *address)) {
                Some(nodes) => nodes == old,
                None => old.is_empty(),
            },
            Change::Serving { node, port, old, .. } => self.serving.get(&(*node, *port)) == old.as_ref(),
            Change::Redirect { node, old, .. } => match self.redirects.get(node) {
                Some(names) => names == old,
                None => old.is_empty(),
            },
            Change::Used { view, name, new } => self.used.contains(&(*view, name.clone())) != *new,
        }
    }
}
