//! For tests: a small world in which everything is as planned, and ways to break one thing.

mod authority;
mod judged;
mod seen;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::certificate::BlobId;
use crate::model::dns::ResolverAddr;
use crate::model::name::Name;
use crate::model::obligation::{Alternative, Claim, Demand, DnsExpectation, Obligation};
use crate::model::observation::{FileOutcome, Outcome, Probe, Recording, Run};
use crate::model::phase::{Moment, MomentSet, Phase};
use crate::model::plan::*;
use crate::model::policy::Policy;
use crate::model::service::{Service, services_of};
use crate::model::source::{Located, Span};
use crate::pki;

pub(super) use authority::*;
pub(super) use seen::*;

/// The time at which tests judge.
pub(super) const NOW: &str = "2026-11-22T21:10:00Z";
pub(super) const SEEN: &str = "2026-11-22T21:04:00Z";
const COEXISTENCE: Moment = Moment::Steady(Phase::Coexistence);

/// The two views of the world.
pub(super) const INTERNAL: ViewId = ViewId(0);
pub(super) const EXTERNAL: ViewId = ViewId(1);

/// Plan, obligations, evidence and what is asked.
pub(super) struct World {
    pub(super) plan: Plan,
    pub(super) obligations: Vec<Obligation>,
    pub(super) recording: Recording,
    pub(super) policy: Policy,
    pub(super) now: Timestamp,
}

fn view(label: &str, kind: ViewKind, resolvers: &[&str]) -> View {
    let resolver = |r: &&str| Located::new(ResolverAddr::parse(r).unwrap(), Span::default());
    View {
        label: label.into(),
        kind,
        resolvers: resolvers.iter().map(resolver).collect(),
        trust: vec![Located::new(TrustSource::Public, Span::default())],
        reaches: None,
        proxy: None,
        without_sni: false,
        settings: Settings::default(),
        span: Span::default(),
    }
}

impl World {
    /// Two views, a run in each, and nothing else.
    pub(super) fn empty() -> Self {
        let mut source = crate::model::source::Source { file: "plan.toml".into(), ..Default::default() };
        source.text = "x\n".repeat(40);
        let plan = Plan {
            source,
            title: String::new(),
            standing: vec![COEXISTENCE; 2],
            views: vec![
                view("internal", ViewKind::Internal, &["10.0.0.53"]),
                view("external", ViewKind::External, &["9.9.9.9", "1.1.1.1"]),
            ],
            certificates: Vec::new(),
            servers: Vec::new(),
            pools: Vec::new(),
            names: Vec::new(),
            waivers: Vec::new(),
            phases: BTreeMap::new(),
            zones: Vec::new(),
            mail: Vec::new(),
            records: Vec::new(),
            cutover: Cutover {
                low_ttl: 300,
                propagation: vec![900, 300],
                slack: 0,
                rollback_budget: 1800,
                flipped: vec![None, None],
                ..Cutover::default()
            },
            severity: BTreeMap::new(),
            inventory: BTreeMap::new(),
            settings: Settings::default(),
        };
        let now = NOW.parse().unwrap();
        let digest = pki::blob_id(plan.source.text.as_bytes());
        let mut world =
            Self { plan, obligations: Vec::new(), recording: Recording::default(), policy: Policy::default(), now };
        let root = world.blob(&ROOT.der);
        for (id, stands_in) in [("in", "internal"), ("out", "external")] {
            let run = Run {
                id: id.into(),
                format: 1,
                minor: 0,
                tool: "coexist 0.1.0".into(),
                plan: digest,
                files: BTreeMap::new(),
                stands_in: vec![stands_in.into()],
                proxy: None,
                address: None,
                connect_to: Vec::new(),
                started: SEEN.parse().unwrap(),
                anchors: ["internal", "external"].map(|v| (Arc::from(v), vec![root])).into(),
                trust_errors: BTreeMap::new(),
            };
            world.recording.runs.insert(id.into(), run);
        }
        world
    }

    /// A further run.
    pub(super) fn run(&mut self, id: &str, stands_in: &[&str], started: &str) {
        let mut run = self.recording.runs.values().next().unwrap().clone();
        run.id = id.into();
        run.stands_in = stands_in.iter().map(|v| Arc::from(*v)).collect();
        run.started = started.parse().unwrap();
        self.recording.runs.insert(run.id.clone(), run);
    }

    /// Stores a certificate.
    pub(super) fn blob(&mut self, der: &Arc<[u8]>) -> BlobId {
        let id = pki::blob_id(der);
        self.recording.blobs.insert(id, der.clone());
        id
    }

    fn blobs(&mut self, chain: &Chain) -> Vec<BlobId> {
        chain.iter().map(|der| self.blob(der)).collect()
    }

    /// A server that serves https.
    pub(super) fn server(&mut self, label: &str, internal: &str, external: &str) -> ServerId {
        let addresses = |text: &str| text.split_whitespace().map(|a| a.parse().unwrap()).collect::<Vec<IpAddr>>();
        self.plan.servers.push(Server {
            label: label.into(),
            addresses: vec![addresses(internal), addresses(external)],
            host: None,
            services: vec![Located::new(https(), Span::default())],
            services_given: true,
            product: None,
            certificate: None,
            redirects: Vec::new(),
            publishes: None,
            settings: Settings::default(),
            span: Span::new(4, 5),
            address_span: Span::default(),
        });
        ServerId(self.plan.servers.len() - 1)
    }

    /// A pass-through pool.
    pub(super) fn pool(&mut self, label: &str, internal: &str, members: &[ServerId]) -> PoolId {
        let members = || Members::Servers(members.to_vec());
        self.plan.pools.push(Pool {
            label: label.into(),
            addresses: vec![vec![internal.parse().unwrap()], Vec::new()],
            members: [members(), members(), members()],
            tls: PoolTls::Passthrough,
            verify: false,
            services: None,
            certificate: None,
            publishes: None,
            settings: Settings::default(),
            span: Span::new(6, 7),
        });
        PoolId(self.plan.pools.len() - 1)
    }

    /// A name that leads to a target in both views and all phases.
    pub(super) fn name(&mut self, table: Table, name: &str, target: Target) -> NameId {
        let wanted = || Located::new(Wanted::Targets(vec![target].into()), Span::default());
        let phases = || [wanted(), wanted(), wanted()];
        self.plan.names.push(PlannedName {
            name: Name::parse(name).unwrap(),
            table,
            wanted: vec![phases(), phases()].into(),
            services: None,
            certificate: None,
            ttl: None,
            ttl_before: None,
            cname: None,
            answers_any: false,
            span: Span::new(2, 3),
        });
        NameId(self.plan.names.len() - 1)
    }

    /// A declared certificate with a file that was read.
    pub(super) fn certificate(&mut self, label: &str, chain: &Chain) -> CertId {
        let path = format!("{label}.pem");
        let blobs = self.blobs(chain);
        let outcome = Outcome::File(FileOutcome::Certificates { chain: blobs, notes: Vec::new(), pfx: None });
        self.see("in", Probe::File(path.clone()), outcome);
        self.declare(label, CertificateSource::File(Located::new(path, Span::default())))
    }

    /// A certificate that is not ordered yet.
    pub(super) fn planned_certificate(&mut self, label: &str, names: &[&str]) -> CertId {
        let names = names.iter().map(|n| Located::new(Name::parse(n).unwrap(), Span::default())).collect();
        self.declare(label, CertificateSource::Names(names))
    }

    fn declare(&mut self, label: &str, source: CertificateSource) -> CertId {
        self.plan.certificates.push(Certificate {
            label: label.into(),
            source,
            thumbprint: None,
            issuer: None,
            max_names: None,
            match_mode: MatchMode::Names,
            key_exportable: None,
            password_env: None,
            span: Span::new(8, 9),
        });
        CertId(self.plan.certificates.len() - 1)
    }

    /// A waiver of a rule.
    pub(super) fn waive(&mut self, rule: &str, on: Option<&str>, until: Option<&str>) {
        let text = |t: &str| Located::new(t.to_string(), Span::default());
        self.plan.waivers.push(Waiver {
            rule: text(rule),
            on: on.map(text),
            reason: text("because"),
            until: until.map(|u| Located::new(u.parse().unwrap(), Span::default())),
            span: Span::default(),
        });
    }

    /// Adds an obligation of the coexistence, for the clients of some views.
    pub(super) fn oblige(&mut self, id: &str, name: NameId, claim: Claim, views: &[ViewId]) -> usize {
        let moments: MomentSet = [COEXISTENCE].into_iter().collect();
        let before = id.strip_suffix(self.plan.name(name).name.as_str()).expect("the name at its end");
        self.obligations.push(Obligation {
            demand: Arc::new(Demand {
                around: Arc::new((before.into(), String::new())),
                claim: claim.into(),
                holds: views.iter().map(|v| (*v, moments)).collect(),
                drain: None,
            }),
            name,
            span: Span::new(2, 3),
        });
        self.obligations.len() - 1
    }

    /// The certificate covers the name.
    pub(super) fn covers(&mut self, name: NameId, certificate: CertId) -> usize {
        let id = format!("san/{}/{}", self.plan.certificate(certificate).label, self.plan.name(name).name);
        self.oblige(&id, name, Claim::Covers { certificate }, &[INTERNAL, EXTERNAL])
    }

    /// The view resolves the name to these addresses.
    pub(super) fn resolves(&mut self, name: NameId, view: ViewId, addresses: &[&str]) -> usize {
        let mut addresses: Vec<IpAddr> = addresses.iter().map(|a| a.parse().unwrap()).collect();
        addresses.sort_unstable();
        let present = vec![Alternative { targets: vec![Target::Server(ServerId(0))], addresses }];
        self.expects(name, view, DnsExpectation { present, ..Default::default() })
    }

    /// The view answers for the name as expected.
    pub(super) fn expects(&mut self, name: NameId, view: ViewId, expected: DnsExpectation) -> usize {
        let id = format!("dns/{}/{}", self.plan.view(view).label, self.plan.name(name).name);
        self.oblige(&id, name, Claim::Resolves { view, expected: expected.into() }, &[view])
    }

    /// The server serves the name, and both views trust it.
    pub(super) fn serves(&mut self, name: NameId, server: ServerId, certificates: &[CertId]) -> usize {
        self.serves_at(name, server, https(), certificates)
    }

    /// As [`World::serves`], at a service.
    pub(super) fn serves_at(&mut self, name: NameId, server: ServerId, service: Service, certs: &[CertId]) -> usize {
        let (label, name_text) = (&self.plan.server(server).label, &self.plan.name(name).name);
        let id = format!("tls/{label}/{}:{}/{name_text}", service.word, service.port);
        let claim = Claim::Serves { server, service, certificates: certs.into() };
        self.oblige(&id, name, claim, &[INTERNAL, EXTERNAL])
    }

    /// The view's clients reach the target.
    pub(super) fn path(&mut self, name: NameId, view: ViewId, target: Target, addresses: &[&str]) -> usize {
        let (label, name_text) = (self.plan.target_label(target), &self.plan.name(name).name);
        let id = format!("path/{}/{label}/https:443/{name_text}", self.plan.view(view).label);
        let addresses = addresses.iter().map(|a| a.parse().unwrap()).collect();
        let claim = Claim::Path { view, target, service: https(), addresses, certificates: [].into() };
        self.oblige(&id, name, claim, &[view])
    }
}

/// The service `https`.
pub(in crate::judge) fn https() -> Service {
    services_of("https").unwrap().remove(0)
}

/// One name at one server with one certificate; all is well.
pub(super) fn simple() -> World {
    let chain = ROOT.issue(&["mail.domain.com"]);
    let mut world = World::empty();
    let server = world.server("ex2010", "10.0.0.10", "203.0.113.10");
    let name = world.name(Table::Internet, "mail.domain.com", Target::Server(server));
    let certificate = world.certificate("san", &chain);
    world.covers(name, certificate);
    world.resolves(name, INTERNAL, &["10.0.0.10"]);
    world.resolves(name, EXTERNAL, &["203.0.113.10"]);
    world.serves(name, server, &[certificate]);
    world.path(name, EXTERNAL, Target::Server(server), &["203.0.113.10"]);
    world.answer(INTERNAL, "mail.domain.com", &["10.0.0.10"]);
    world.answer(EXTERNAL, "mail.domain.com", &["203.0.113.10"]);
    world.serve("in", "10.0.0.10", "mail.domain.com", &chain);
    world.serve("out", "203.0.113.10", "mail.domain.com", &chain);
    world
}
