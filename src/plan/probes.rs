//! Obligations → probes: what has to be looked at, from here, to judge what is due. What is hoped for stays behind.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::model::dns::{RecordType, ResolverAddr, Transport};
use crate::model::name::Name;
use crate::model::obligation::{Claim, Obligation};
use crate::model::observation::{DnsProbe, TlsProbe};
use crate::model::plan::{CertId, CertificateSource, Plan, ServerId, Settings, Target, ViewId};
use crate::model::policy::{Policy, Scope};
use crate::model::probes::{DnsAsk, Door, Manners, Probes, Reach, Template, TlsAsk, Vantage};
use crate::model::proxy::ProxyKind;
use crate::model::service::Service;
use crate::model::tls::Face;

mod beside;
mod http;

/// What to look at from a vantage, for what is due under a policy. Equal questions stand once.
pub fn probes(plan: &Plan, obligations: &[Obligation], vantage: &Vantage, policy: &Policy) -> Probes {
    let mut asker = Asker {
        plan,
        vantage,
        out: Probes::default(),
        resolvers: plan.views.iter().map(|v| v.resolvers.iter().map(|r| r.value.clone().into()).collect()).collect(),
        dns: BTreeSet::new(),
        tls: BTreeMap::new(),
        templates: BTreeMap::new(),
        skipped: BTreeSet::new(),
        manners: Arc::default(),
    };
    asker.files();
    if policy.scope == Scope::All {
        for obligation in obligations.iter().filter(|o| policy.asks_for(plan, o)) {
            asker.obligation(obligation);
        }
    }
    beside::ask(&mut asker, policy);
    asker.lead();
    http::ask(&mut asker, obligations, policy);
    // They live as long as the run, and may be many.
    asker.out.dns.shrink_to_fit();
    asker.out.tls.shrink_to_fit();
    asker.out
}

struct Asker<'a> {
    plan: &'a Plan,
    vantage: &'a Vantage,
    out: Probes,
    /// Of each view.
    resolvers: Vec<Vec<Arc<ResolverAddr>>>,
    /// Names whose questions stand already.
    dns: BTreeSet<(ViewId, Name)>,
    /// Index of each connection in `out.tls`, by its way and itself.
    tls: BTreeMap<(Option<Arc<str>>, TlsProbe), usize>,
    /// Indices of each name's templates in `out.templates`.
    templates: BTreeMap<Name, Vec<usize>>,
    /// Lines that stand already.
    skipped: BTreeSet<String>,
    /// As the last endpoint is asked; the next one mostly is too.
    manners: Arc<Manners>,
}

impl Asker<'_> {
    fn files(&mut self) {
        for certificate in &self.plan.certificates {
            if let CertificateSource::File(path) = &certificate.source {
                self.out.files.insert(path.value.clone());
            }
        }
        self.out.files.extend(self.plan.client_certificates().into_iter().map(|c| c.file.value.clone()));
    }

    fn obligation(&mut self, obligation: &Obligation) {
        let name = self.plan.name(obligation.name).name.probe();
        match &*obligation.claim {
            Claim::Covers { certificate, .. } => {
                if let CertificateSource::From(server) = self.plan.certificate(*certificate).source {
                    self.served_certificate(server, &name);
                }
            }
            Claim::Resolves { view, expected, .. } => {
                self.lookup(*view, &name);
                expected.like.iter().for_each(|host| self.lookup(*view, host));
            }
            Claim::Lowered { view, .. } => self.lookup(*view, &name),
            Claim::Serves { server, service, certificates, .. } => {
                self.server(*server, service, &name, faces(certificates));
                if obligation.holds.iter().any(|(v, _)| self.plan.view(*v).without_sni) {
                    self.server_without_name(*server, service);
                }
            }
            Claim::Path { view, target, service, addresses, certificates, .. } => {
                self.lookup(*view, &name);
                self.path(*view, *target, service, addresses, &name, certificates);
            }
        }
    }

    /// A view's proxy leads to its resolvers too, unless they are asked by datagrams, which it does not take.
    fn lead(&mut self) {
        let asked: BTreeSet<_> = self.out.dns.iter().map(|a| (&a.probe.view, &a.probe.resolver)).collect();
        let (mut led, mut lines) = (BTreeSet::new(), Vec::new());
        for view in self.vantage.through.keys().map(|v| self.plan.view(*v)) {
            for (_, resolver) in asked.iter().filter(|(label, _)| **label == view.label) {
                match resolver.transport {
                    Transport::Udp => lines.push(format!(
                        "{resolver} (resolver of {}) through its proxy: asked from here, for UDP does not go through a \
                         proxy; tcp://, tls:// and https:// do",
                        view.label
                    )),
                    _ => _ = led.insert(view.label.clone()),
                }
            }
        }
        self.out.led.extend(led);
        lines.into_iter().for_each(|line| self.skip(line));
    }

    fn lookup(&mut self, view: ViewId, name: &Name) {
        if !self.dns.insert((view, name.clone())) {
            return;
        }
        let v = self.plan.view(view);
        for resolver in &self.resolvers[view.0] {
            for kind in RecordType::ALL {
                let probe = DnsProbe {
                    view: v.label.clone(),
                    resolver: resolver.clone(),
                    name: name.clone(),
                    kind,
                    unchecked: false,
                    direct: false,
                };
                self.out.dns.push(DnsAsk { probe, timeout_ms: v.settings.timeout_ms });
            }
        }
    }

    /// What a server serves, where that is all that is known of a certificate.
    fn served_certificate(&mut self, server: ServerId, name: &Name) {
        if let Some(service) = self.plan.server(server).services.first().map(|s| s.value.clone()) {
            self.server(server, &service, name, &ANY);
        }
    }

    fn server(&mut self, id: ServerId, service: &Service, name: &Name, faces: &[Option<Face>]) {
        let server = self.plan.server(id);
        for address in server.own_addresses(&self.plan.views) {
            match self.way_to(address) {
                Some(via) => {
                    self.other_face(address, service, via.clone(), faces);
                    let manners = self.manners(&server.settings, via);
                    for face in faces {
                        self.connect(address, service, Some((name, *face)), 1, manners.clone());
                    }
                }
                None => self.skip(format!("{}{service} ({}): not reached from here", bracket(address), server.label)),
            }
        }
    }

    /// As its clients ask that send no server name.
    fn server_without_name(&mut self, id: ServerId, service: &Service) {
        let server = self.plan.server(id);
        for address in server.own_addresses(&self.plan.views) {
            if let Some(via) = self.way_to(address) {
                let manners = self.manners(&server.settings, via);
                self.connect(address, service, None, 1, manners);
            }
        }
    }

    /// Whether an address is reached from here itself.
    fn reaches(&self, address: IpAddr) -> bool {
        self.vantage.stands_in.iter().any(|v| self.allows(*v, address))
    }

    fn allows(&self, view: ViewId, address: IpAddr) -> bool {
        Reach::of(self.plan.view(view)).allows(address)
    }

    /// The way to an address: from here itself, else through the proxy of a view whose clients reach it; `None` if there is
    /// none.
    fn way_to(&self, address: IpAddr) -> Option<Option<Arc<str>>> {
        if self.reaches(address) {
            return Some(None);
        }
        let by_address = self.vantage.through.iter().filter(|(_, kind)| **kind != ProxyKind::Socks5h);
        let (through, _) = by_address.into_iter().find(|(v, _)| self.allows(**v, address))?;
        Some(Some(self.plan.view(*through).label.clone()))
    }

    /// The way of a view's clients; `None` if the run does not stand there.
    fn way_of(&self, view: ViewId) -> Option<Option<Arc<str>>> {
        match self.vantage.through.contains_key(&view) {
            true => Some(Some(self.plan.view(view).label.clone())),
            false => self.vantage.stands_in.contains(&view).then_some(None),
        }
    }

    fn path(
        &mut self,
        view: ViewId,
        target: Target,
        service: &Service,
        addresses: &[IpAddr],
        name: &Name,
        certificates: &[CertId],
    ) {
        let v = self.plan.view(view);
        let label = self.plan.target_label(target);
        let Some(via) = self.way_of(view) else {
            self.skip(format!("path of {} to {label}{service}: seen from {} only", v.label, v.label));
            return;
        };
        if self.vantage.through.get(&view) == Some(&ProxyKind::Socks5h) && addresses.len() > 1 {
            self.skip(format!(
                "path of {} to {label}{service}: socks5h:// tells the proxy a name only, and it has several addresses",
                v.label
            ));
            return;
        }
        let settings = match target {
            Target::Server(id) => &self.plan.server(id).settings,
            Target::Pool(id) => &self.plan.pool(id).settings,
        };
        let samples = match target {
            Target::Pool(id) if !self.plan.pool(id).is_round_robin() => settings.samples,
            _ => 1,
        };
        let reach = Reach::of(v);
        let manners = self.manners(settings, via);
        // Others show what their members have, who are asked themselves.
        let is_own = self.plan.has_own_certificates(target);
        let faces = if is_own { faces(certificates) } else { &ANY };
        for address in addresses {
            if reach.allows(*address) {
                if is_own {
                    self.other_face(*address, service, manners.via.clone(), faces);
                }
                for face in faces {
                    self.connect(*address, service, Some((name, *face)), samples, manners.clone());
                }
                if v.without_sni {
                    self.connect(*address, service, None, samples, manners.clone());
                }
            } else {
                self.skip(format!("{}{service} ({label}): clients of {} do not reach it", bracket(*address), v.label));
            }
        }
        let template = Template {
            view: v.label.clone(),
            name: name.clone(),
            port: service.port,
            way: service.way,
            reach,
            samples: 1,
            manners,
        };
        let of_name = self.templates.entry(name.clone()).or_default();
        if !of_name.iter().any(|at| self.out.templates[*at] == template) {
            of_name.push(self.out.templates.len());
            self.out.templates.push(template);
        }
    }

    /// Asks for a name with a face, or for none.
    fn connect(
        &mut self,
        address: IpAddr,
        service: &Service,
        name: Option<(&Name, Option<Face>)>,
        samples: u32,
        manners: Arc<Manners>,
    ) {
        let (sni, face) = name.map_or((None, None), |(name, face)| (Some(name.clone()), face));
        let probe = TlsProbe { address: SocketAddr::new(address, service.port), way: service.way, sni, face };
        let key = (manners.via.clone(), probe);
        match self.tls.get(&key) {
            Some(at) => {
                let ask = &mut self.out.tls[*at];
                ask.samples = ask.samples.max(samples);
            }
            None => {
                let probe = key.1.clone();
                self.tls.insert(key, self.out.tls.len());
                self.out.tls.push(TlsAsk { probe, samples, manners });
            }
        }
    }

    fn manners(&mut self, settings: &Settings, via: Option<Arc<str>>) -> Arc<Manners> {
        let manners = Manners {
            via,
            timeout_ms: settings.timeout_ms,
            parts: settings.parts,
            retry: settings.retry,
            per_host: settings.per_host,
            client: settings.client_certificate.clone(),
            ehlo: Arc::from(settings.ehlo.as_str()),
        };
        if *self.manners != manners {
            self.manners = Arc::new(manners);
        }
        Arc::clone(&self.manners)
    }

    /// Where nothing is known of faces, the server shows whether there is another.
    fn other_face(&mut self, address: IpAddr, service: &Service, via: Option<Arc<str>>, faces: &[Option<Face>]) {
        if faces == ANY {
            let address = SocketAddr::new(address, service.port);
            self.out.faces.insert(Door { via, address, way: service.way });
        }
    }

    fn skip(&mut self, line: String) {
        if self.skipped.insert(line.clone()) {
            self.out.skipped.push(line);
        }
    }
}

/// As clients ask that take what the server prefers.
const ANY: [Option<Face>; 1] = [None];

/// A server with several certificates shows one of them to most clients: each kind of key is asked for apart.
fn faces(certificates: &[CertId]) -> &'static [Option<Face>] {
    match certificates.len() {
        0 | 1 => &ANY,
        _ => &[None, Some(Face::Rsa), Some(Face::Ecdsa)],
    }
}

fn bracket(address: IpAddr) -> String {
    match address {
        IpAddr::V4(a) => a.to_string(),
        IpAddr::V6(a) => format!("[{a}]"),
    }
}
