//! A plan that is always valid: every reference resolved, every default explicit, every value with its place.

mod by_view;
mod certificates;
mod names;
mod published;
mod services;
mod tables;
mod window;

pub use by_view::ByView;
pub use certificates::{Certificate, CertificateChoice, CertificatePart, CertificateSource, KeyExportable, MatchMode};
pub use names::{PlannedName, Table, Wanted};
pub use published::Published;
pub use services::{asked_at, services_of};
pub use tables::{
    Autodiscover, ClientCertificate, Cutover, MailDomain, MtaSts, Parts, PhaseDates, PlannedRecord, Settings, Waiver,
    Zone,
};
pub use window::Window;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use crate::model::dns::ResolverAddr;
use crate::model::finding::Severity;
use crate::model::name::Name;
use crate::model::phase::{Moment, Phase};
use crate::model::proxy::Proxy;
use crate::model::service::Service;
use crate::model::source::{Located, Source, Span};
use ipnet::IpNet;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub usize);
    };
}
id!(/// Index into [`Plan::views`].
    ViewId);
id!(/// Index into [`Plan::certificates`].
    CertId);
id!(/// Index into [`Plan::servers`].
    ServerId);
id!(/// Index into [`Plan::pools`].
    PoolId);
id!(/// Index into [`Plan::names`].
    NameId);

/// The declared namespace plan.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The text it was read from.
    pub source: Source,
    /// Its title; empty if none was given.
    pub title: String,
    /// Where each view stands, by [`ViewId`].
    pub standing: Vec<Moment>,
    /// Who asks.
    pub views: Vec<View>,
    /// The certificates.
    pub certificates: Vec<Certificate>,
    /// The servers.
    pub servers: Vec<Server>,
    /// The load-balanced pools.
    pub pools: Vec<Pool>,
    /// The names: intranet, internet and legacy.
    pub names: Vec<PlannedName>,
    /// Accepted faults.
    pub waivers: Vec<Waiver>,
    /// The calendar of the phases, as far as it is given.
    pub phases: BTreeMap<Phase, PhaseDates>,
    /// Zone cuts and who serves them.
    pub zones: Vec<Zone>,
    /// Mail domains.
    pub mail: Vec<MailDomain>,
    /// Other records that clients depend on.
    pub records: Vec<PlannedRecord>,
    /// Settings of the cutover.
    pub cutover: Cutover,
    /// Severities changed by the plan; `None` is `off`.
    pub severity: BTreeMap<String, Located<Option<Severity>>>,
    /// Inventory files per server.
    pub inventory: BTreeMap<ServerId, Vec<Located<String>>>,
    /// Settings of the whole plan.
    pub settings: Settings,
}

/// Inside or outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ViewKind {
    /// Clients inside; `intranet` names resolve here.
    Internal,
    /// Clients outside; `intranet` names must not resolve here.
    External,
}

/// A set of resolvers and the clients behind them.
#[derive(Clone, Debug)]
pub struct View {
    /// Its label in the plan.
    pub label: Arc<str>,
    /// Inside or outside.
    pub kind: ViewKind,
    /// Its resolvers, each with its place.
    pub resolvers: Vec<Located<ResolverAddr>>,
    /// What its clients trust.
    pub trust: Vec<Located<TrustSource>>,
    /// Networks that its clients can reach; `None` if not declared.
    pub reaches: Option<Vec<IpNet>>,
    /// A proxy through which one stands in this view.
    pub proxy: Option<Located<Proxy>>,
    /// Clients of this view that send no SNI exist.
    pub without_sni: bool,
    /// Settings of this view.
    pub settings: Settings,
    /// The label's place.
    pub span: Span,
}

/// Where trust anchors come from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TrustSource {
    /// The public web PKI: the anchors of Mozilla's root program, compiled in.
    Public,
    /// The store of the machine that runs.
    System,
    /// A file of certificates, its path as written.
    File(String),
}

/// A server.
#[derive(Clone, Debug)]
pub struct Server {
    /// Its label in the plan.
    pub label: Arc<str>,
    /// Its addresses as each view's clients see them, by [`ViewId`].
    pub addresses: Vec<Vec<IpAddr>>,
    /// Instead of addresses: somebody else's host; a name agrees when it resolves to what that host resolves to.
    pub host: Option<Located<Name>>,
    /// Its services; empty is DNS only.
    pub services: Vec<Located<Service>>,
    /// True if the plan gave the services, false if they are the default.
    pub services_given: bool,
    /// The product word, which gates rules and commands.
    pub product: Option<Located<String>>,
    /// Its certificates.
    pub certificate: Option<CertificateChoice>,
    /// Names that it sends its users to.
    pub redirects: Vec<Located<Name>>,
    /// The public names that it accepts, as a reverse proxy; `None` if nothing is said of them.
    pub publishes: Option<Published>,
    /// Settings of this server.
    pub settings: Settings,
    /// The label's place.
    pub span: Span,
    /// The place of `address` or `host`.
    pub address_span: Span,
}

/// Where TLS ends in front of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolTls {
    /// At each member.
    Passthrough,
    /// At the balancer, and again at each member.
    Bridge,
    /// At the balancer only.
    Offload,
}

/// The members of a pool in a phase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Members {
    /// These servers.
    Servers(Vec<ServerId>),
    /// Nodes that cannot be asked one by one.
    Opaque,
}

/// A load-balanced pool.
#[derive(Clone, Debug)]
pub struct Pool {
    /// Its label in the plan.
    pub label: Arc<str>,
    /// The balancer's addresses by [`ViewId`]; all empty for DNS round robin.
    pub addresses: Vec<Vec<IpAddr>>,
    /// The members in each phase, by [`Phase`] as index.
    pub members: [Members; 3],
    /// Where TLS ends.
    pub tls: PoolTls,
    /// For `bridge`: the members must serve a covering certificate too.
    pub verify: bool,
    /// The balancer's own services; `None` means those of its members.
    pub services: Option<Vec<Located<Service>>>,
    /// The balancer's own certificates; `None` means those of its members.
    pub certificate: Option<CertificateChoice>,
    /// The public names that it accepts; `None` if nothing is said of them.
    pub publishes: Option<Published>,
    /// Settings of this pool.
    pub settings: Settings,
    /// The label's place.
    pub span: Span,
}

/// What a name leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// A server.
    Server(ServerId),
    /// A pool.
    Pool(PoolId),
}

impl Plan {
    /// The client certificates that are shown somewhere, each once.
    pub fn client_certificates(&self) -> Vec<&Arc<ClientCertificate>> {
        let nearer = self.views.iter().map(|v| &v.settings).chain(self.servers.iter().map(|s| &s.settings));
        let settings = std::iter::once(&self.settings).chain(nearer).chain(self.pools.iter().map(|p| &p.settings));
        let mut out: Vec<&Arc<ClientCertificate>> = Vec::new();
        for shown in settings.filter_map(|s| s.client_certificate.as_ref()) {
            if !out.contains(&shown) {
                out.push(shown);
            }
        }
        out
    }

    /// A view by its id.
    pub fn view(&self, id: ViewId) -> &View {
        &self.views[id.0]
    }

    /// A certificate by its id.
    pub fn certificate(&self, id: CertId) -> &Certificate {
        &self.certificates[id.0]
    }

    /// A server by its id.
    pub fn server(&self, id: ServerId) -> &Server {
        &self.servers[id.0]
    }

    /// A pool by its id.
    pub fn pool(&self, id: PoolId) -> &Pool {
        &self.pools[id.0]
    }

    /// A name by its id.
    pub fn name(&self, id: NameId) -> &PlannedName {
        &self.names[id.0]
    }

    /// All views' ids.
    pub fn view_ids(&self) -> impl Iterator<Item = ViewId> + use<> {
        (0..self.views.len()).map(ViewId)
    }

    /// A target's label.
    pub fn target_label(&self, target: Target) -> &Arc<str> {
        match target {
            Target::Server(id) => &self.server(id).label,
            Target::Pool(id) => &self.pool(id).label,
        }
    }

    /// The public names that a target accepts; `None` if nothing is said of them.
    pub fn published(&self, target: Target) -> Option<&Published> {
        match target {
            Target::Server(id) => self.server(id).publishes.as_ref(),
            Target::Pool(id) => self.pool(id).publishes.as_ref(),
        }
    }

    /// Whether a target accepts a name; `None` if nothing is said of what it accepts.
    pub fn accepts(&self, target: Target, name: &Name) -> Option<bool> {
        let product = match target {
            Target::Server(id) => self.server(id).product.as_ref().map(|p| p.value.as_str()),
            Target::Pool(_) => None,
        };
        Some(self.published(target)?.accepts(name, published::reads_deep(product)))
    }

    /// The addresses that a target has for a view's clients in a phase, in the plan's order.
    pub fn target_addresses(&self, target: Target, view: ViewId, phase: Phase) -> Vec<IpAddr> {
        match target {
            Target::Server(id) => self.server(id).addresses[view.0].clone(),
            Target::Pool(id) if !self.pool(id).is_round_robin() => self.pool(id).addresses[view.0].clone(),
            Target::Pool(id) => {
                let members = self.pool(id).servers(phase);
                members.iter().flat_map(|m| self.server(*m).addresses[view.0].clone()).collect()
            }
        }
    }

    /// True unless a balancer shows the certificates of its members, each its own.
    pub fn has_own_certificates(&self, target: Target) -> bool {
        match target {
            Target::Server(_) => true,
            Target::Pool(id) => self.pool(id).certificate.is_some(),
        }
    }

    /// The certificates that a server or balancer should serve under a name: the nearest choice wins, the name's own,
    /// then the server's (by service word first), then the plan's only certificate. Empty if nothing is declared.
    pub fn certificates_for(&self, name: NameId, target: Target, word: &str, phase: Phase) -> Vec<CertId> {
        let own = self.name(name).certificate.as_deref();
        let target = match target {
            Target::Server(id) => self.server(id).certificate.as_ref(),
            Target::Pool(id) => self.pool(id).certificate.as_ref(),
        };
        let picked = own.into_iter().chain(target).map(|c| c.pick(word, phase)).find(|c| !c.is_empty());
        match picked {
            Some(certificates) => certificates.to_vec(),
            None if self.certificates.len() == 1 => vec![CertId(0)],
            None => Vec::new(),
        }
    }
}

impl Server {
    /// The addresses at which the server itself is asked: those that internal views see, or if there are none, all.
    pub fn own_addresses(&self, views: &[View]) -> Vec<IpAddr> {
        let of = |kind: Option<ViewKind>| {
            let mut out: Vec<IpAddr> = Vec::new();
            for (view, addresses) in views.iter().zip(&self.addresses) {
                if kind.is_none_or(|k| view.kind == k) {
                    for a in addresses {
                        if !out.contains(a) {
                            out.push(*a);
                        }
                    }
                }
            }
            out
        };
        let inside = of(Some(ViewKind::Internal));
        if inside.is_empty() { of(None) } else { inside }
    }

    /// True if the product is an Exchange.
    pub fn is_exchange(&self) -> bool {
        self.product.as_ref().is_some_and(|p| p.value.starts_with("exchange-"))
    }
}

impl Pool {
    /// True if the pool has no address of its own: its members' addresses are the RRset.
    pub fn is_round_robin(&self) -> bool {
        self.addresses.iter().all(Vec::is_empty)
    }

    /// The member servers in a phase; none if they are opaque.
    pub fn servers(&self, phase: Phase) -> &[ServerId] {
        match &self.members[phase as usize] {
            Members::Servers(ids) => ids,
            Members::Opaque => &[],
        }
    }

    /// The member servers of all phases.
    pub fn all_members(&self) -> BTreeSet<ServerId> {
        Phase::ALL.into_iter().flat_map(|p| self.servers(p)).copied().collect()
    }

    /// True if each member must serve a covering certificate itself.
    pub fn members_must_serve(&self) -> bool {
        match self.tls {
            PoolTls::Passthrough => true,
            PoolTls::Bridge => self.verify,
            PoolTls::Offload => false,
        }
    }
}
