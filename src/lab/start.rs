//! A world that runs.
#![allow(clippy::disallowed_methods, reason = "certificates of the lab are valid from now")]

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use jiff::Timestamp;
use rustls::server::ResolvesServerCert;
use rustls::sign::CertifiedKey;
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::authority::{Authority, Made};
use super::certificates::{Issue, IssueId};
use super::delegations::{self, Cut};
use super::dns::{ANYWHERE, Resolver};
use super::listen::serve;
use super::machines::{Door, Groups};
use super::proxies::{self, Leading};
use super::records;
use super::tls::{Always, Backend, Endpoint, answer, config};
use super::world::{Holds, Mood, World};
use super::zone::Zone;
use crate::model::certificate::Thumbprint;
use crate::model::dane::Tlsa;
use crate::model::dns::{ResolverAddr, Transport};
use crate::model::observation::{Detour, DialMap};
use crate::model::plan::{CertificateSource, Plan, TrustSource, ViewId};
use crate::model::proxy::{Proxy, ProxyKind};
use crate::pki;

/// Endpoints and resolvers that are played at most: each takes a socket.
const MAX_SOCKETS: usize = 1024;

/// A world that runs; it ends when this is dropped.
pub struct Lab {
    dial: DialMap,
    proxies: BTreeMap<ViewId, Proxy>,
    files: BTreeMap<String, Vec<u8>>,
    root: Arc<[u8]>,
    /// SHA-1 and SHA-256 of each of the plan's certificates, as issued.
    thumbprints: Vec<(Thumbprint, Thumbprint)>,
    _resolvers: Vec<Resolver>,
    _endpoints: JoinSet<()>,
    /// Bound, so that nobody else gets the ports, and not listening: connections are refused.
    _closed: Vec<TcpSocket>,
}

impl Lab {
    /// Starts the world's servers on loopback, port 0. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// If two views name the same resolver, or a resolver has the address of an endpoint, so that the lab could not tell
    /// who is asked; if there is more than it can play; or the system's, if it grants no sockets.
    pub async fn start(world: &World) -> io::Result<Lab> {
        let resolvers = resolvers(world)?;
        let sockets = resolvers.len() + world.endpoints.len();
        if sockets > MAX_SOCKETS {
            return Err(refusal(format!(
                "the plan has {sockets} endpoints and resolvers; the lab plays {MAX_SOCKETS}"
            )));
        }
        let until = world.plan.phases.values().filter_map(|dates| dates.until).max();
        let authority = Authority::new(Timestamp::now(), until, world.root_expired)?;
        let made = world.issues.iter().map(|i| authority.issue(i)).collect::<io::Result<Vec<Made>>>()?;
        let mut lab = Lab {
            dial: DialMap::default(),
            proxies: BTreeMap::new(),
            files: files(world, &made, &authority),
            root: authority.root(),
            thumbprints: world.declared.iter().map(|id| thumbprints(&made[*id])).collect(),
            _resolvers: Vec::new(),
            _endpoints: JoinSet::new(),
            _closed: Vec::new(),
        };
        let keys = keys_of_hosts(world, &made);
        for (address, played) in &resolvers {
            lab.start_resolver(world, *address, played, &authority, &keys).await?;
        }
        lab.start_parents(world, &authority).await?;
        let inspector = if world.inspected { Some(Arc::new(authority.inspector()?)) } else { None };
        let keys = &mut Keys { made: &made, shown: HashMap::new() };
        for (address, groups) in &world.endpoints {
            let endpoint = Endpoint::new(keys.groups(world, address.port(), groups)?, inspector.clone());
            lab.start_endpoint(*address, endpoint).await?;
        }
        for (view, made) in world.views.iter().enumerate() {
            if let Some((kind, leading)) = made.proxy {
                lab.start_proxy(ViewId(view), kind, leading).await?;
            }
        }
        // What is not played is refused here: nothing leaves the machine.
        let nowhere = lab.closed_port()?;
        lab.dial.0.push(detour(None, nowhere));
        Ok(lab)
    }

    async fn start_resolver(
        &mut self,
        world: &World,
        address: SocketAddr,
        played: &Played<'_>,
        authority: &Authority,
        tlsa: &BTreeMap<&str, Vec<Tlsa>>,
    ) -> io::Result<()> {
        let view = &world.views[played.view];
        let in_clear = matches!(played.resolver.transport, Transport::Udp | Transport::Tcp);
        let zone = match view.intercepted_by {
            Some(other) if in_clear => &world.views[other].zone,
            _ => &view.zone,
        };
        let issue = Issue { address: Some(address.ip()), ..Issue::new("resolver", Vec::new()) };
        let keys: Arc<dyn ResolvesServerCert> = Arc::new(Always(authority.issue(&issue)?.shown(true, false)?));
        let mut zone = zone.clone();
        if played.authoritative {
            zone.bogus.clear();
        }
        if played.holds == Holds::Older {
            zone.grow_old();
        }
        if view.resolvers.first().is_some_and(|(first, _)| first == played.resolver) {
            zone.entries.extend(view.apart.clone());
        }
        tlsa.iter().for_each(|(host, records)| records::publish_keys(&mut zone, host, records));
        let zone = Arc::new(zone);
        let resolver = Resolver::start(zone, played.mood, &played.resolver.transport, keys).await?;
        self.dial.0.push(detour(Some(address), resolver.address));
        self._resolvers.push(resolver);
        Ok(())
    }

    /// The servers of the zones above, which know nothing but where the zones of the plan are.
    async fn start_parents(&mut self, world: &World, authority: &Authority) -> io::Result<()> {
        let mut cuts: BTreeMap<IpAddr, BTreeMap<String, Cut>> = BTreeMap::new();
        for parent in world.views.iter().flat_map(|v| v.parents.values()) {
            cuts.entry(parent.address).or_default().extend(parent.cuts.clone());
        }
        for (address, cuts) in cuts {
            let at = delegations::at(address);
            let issue = Issue { address: Some(address), ..Issue::new("resolver", Vec::new()) };
            let keys: Arc<dyn ResolvesServerCert> = Arc::new(Always(authority.issue(&issue)?.shown(true, false)?));
            let zone = Arc::new(Zone { cuts, ..Zone::default() });
            let server = Resolver::start(zone, Mood::Answers, &at.transport, keys).await?;
            self.dial.0.push(detour(Some(at.addr), server.address));
            self._resolvers.push(server);
        }
        Ok(())
    }

    async fn start_endpoint(&mut self, address: SocketAddr, endpoint: Endpoint) -> io::Result<()> {
        if endpoint.is_closed() {
            let closed = self.closed_port()?;
            self.dial.0.push(detour(Some(address), closed));
            return Ok(());
        }
        let endpoint = Arc::new(endpoint);
        let tls = TlsAcceptor::from(Arc::new(config(endpoint.clone())?));
        let listener = TcpListener::bind(ANYWHERE).await?;
        self.dial.0.push(detour(Some(address), listener.local_addr()?));
        let answer = move |stream| answer(stream, endpoint.clone(), tls.clone());
        self._endpoints.spawn(serve(listener, answer));
        Ok(())
    }

    async fn start_proxy(&mut self, view: ViewId, kind: ProxyKind, leading: Leading) -> io::Result<()> {
        let at = if leading == Leading::Dead {
            self.closed_port()?
        } else {
            let listener = TcpListener::bind(ANYWHERE).await?;
            let at = listener.local_addr()?;
            self._endpoints.spawn(serve(listener, move |stream| proxies::answer(stream, kind, leading)));
            at
        };
        let proxy = Proxy { kind, host: at.ip().to_string().into(), port: at.port(), user: None };
        self.proxies.insert(view, proxy);
        Ok(())
    }

    fn closed_port(&mut self) -> io::Result<SocketAddr> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(ANYWHERE)?;
        let address = socket.local_addr()?;
        self._closed.push(socket);
        Ok(address)
    }

    /// Leads from each logical address and port to the server that plays it, and from all others to a closed port.
    pub fn dial_map(&self) -> DialMap {
        self.dial.clone()
    }

    /// The proxies that play those of the plan's views: of the same kind, and without a user.
    pub fn proxies(&self) -> BTreeMap<ViewId, Proxy> {
        self.proxies.clone()
    }

    /// The files that the plan refers to (certificates, trust), by their paths as written.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        self.files.clone()
    }

    /// The trust anchors (DER) that stand for `public` and `system`.
    pub fn anchors(&self) -> Vec<Arc<[u8]>> {
        vec![self.root.clone()]
    }

    /// Replaces the thumbprints that a plan declares by those of the certificates that the lab issued in their place:
    /// the declared ones are of certificates that it cannot make.
    pub fn adopt_thumbprints(&self, plan: &mut Plan) {
        for (certificate, (sha1, sha256)) in plan.certificates.iter_mut().zip(&self.thumbprints) {
            if let Some(declared) = &mut certificate.thumbprint {
                declared.value = if matches!(declared.value, Thumbprint::Sha1(_)) { *sha1 } else { *sha256 };
            }
        }
    }
}

/// The TLSA records of each mail host: its servers' keys (RFC 7671 section 5.1).
fn keys_of_hosts<'a>(world: &'a World, made: &[Made]) -> BTreeMap<&'a str, Vec<Tlsa>> {
    let record = |id: &IssueId| {
        let association = pki::association(&made.get(*id)?.leaf, 1, 1)?;
        Some(Tlsa { usage: 3, selector: 1, matching: 1, association })
    };
    world.tlsa.iter().map(|(host, issues)| (host.as_str(), issues.iter().filter_map(record).collect())).collect()
}

/// A resolver's place in the world.
struct Played<'a> {
    view: usize,
    resolver: &'a ResolverAddr,
    mood: Mood,
    /// It holds the zone itself, and validates nothing.
    authoritative: bool,
    holds: Holds,
}

/// The resolvers by address and port. Views may not mix: a resolver must know who asks by where it is asked.
fn resolvers(world: &World) -> io::Result<BTreeMap<SocketAddr, Played<'_>>> {
    let mut played: BTreeMap<SocketAddr, Played> = BTreeMap::new();
    for (view, made) in world.views.iter().enumerate() {
        for (resolver, mood) in &made.resolvers {
            let label = |v: usize| &world.plan.views[v].label;
            if world.endpoints.contains_key(&resolver.addr) {
                return Err(refusal(format!(
                    "the lab cannot play resolver `{resolver}`: a server of the plan is there"
                )));
            }
            match played.get_mut(&resolver.addr) {
                None => {
                    let new = Played { view, resolver, mood: *mood, authoritative: false, holds: Holds::All };
                    played.insert(resolver.addr, new);
                }
                Some(other) if other.view != view => {
                    let (one, two) = (label(other.view), label(view));
                    let why = format!("views `{one}` and `{two}` both ask it, and it cannot tell them apart");
                    return Err(refusal(format!("the lab cannot play resolver `{resolver}`: {why}")));
                }
                Some(other) if !same_listener(&other.resolver.transport, &resolver.transport) => {
                    let why = format!("`{}` is at the same address and port", other.resolver);
                    return Err(refusal(format!("the lab cannot play resolver `{resolver}`: {why}")));
                }
                Some(other) if other.mood == Mood::Answers => other.mood = *mood,
                Some(_) => {}
            }
        }
    }
    for (view, made) in world.views.iter().enumerate() {
        for (resolver, holds) in &made.servers {
            if world.endpoints.contains_key(&resolver.addr) {
                return Err(refusal(format!("the lab cannot play the zone's server `{resolver}`: a server is there")));
            }
            let mood = if *holds == Holds::Nothing { Mood::Refuses } else { Mood::Answers };
            let server = Played { view, resolver, mood, authoritative: true, holds: *holds };
            played.entry(resolver.addr).or_insert(server);
        }
    }
    Ok(played)
}

fn same_listener(one: &Transport, two: &Transport) -> bool {
    let in_clear = |t: &Transport| matches!(t, Transport::Udp | Transport::Tcp);
    one == two || (in_clear(one) && in_clear(two))
}

fn refusal(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

fn detour(from: Option<SocketAddr>, to: SocketAddr) -> Detour {
    Detour {
        host: from.map(|a| a.ip().to_string()),
        port: from.map(|a| a.port()),
        address: Some(to.ip()),
        to_port: Some(to.port()),
    }
}

/// Certified keys, each made once.
struct Keys<'a> {
    made: &'a [Made],
    shown: HashMap<(IssueId, bool, bool), Arc<CertifiedKey>>,
}

impl Keys<'_> {
    fn groups(&mut self, world: &World, port: u16, groups: &Groups) -> io::Result<Vec<Vec<Backend>>> {
        let mut out = Vec::new();
        for group in groups {
            let doors = group.iter().filter_map(|m| world.machines[*m].doors.get(&port));
            out.push(doors.map(|door| self.backend(door)).collect::<io::Result<Vec<_>>>()?);
        }
        Ok(out)
    }

    fn backend(&mut self, door: &Door) -> io::Result<Backend> {
        let mut by_name = BTreeMap::new();
        for (name, issue) in &door.by_name {
            by_name.insert(name.clone(), self.key(*issue, door)?);
        }
        Ok(Backend {
            way: door.way,
            manner: door.manner,
            by_name,
            default: self.key(door.default, door)?,
            web: door.web.clone(),
        })
    }

    fn key(&mut self, issue: IssueId, door: &Door) -> io::Result<Arc<CertifiedKey>> {
        let id = (issue, door.whole_chain, door.wrong_key);
        if let Some(key) = self.shown.get(&id) {
            return Ok(key.clone());
        }
        let key = self.made[issue].shown(door.whole_chain, door.wrong_key)?;
        self.shown.insert(id, key.clone());
        Ok(key)
    }
}

/// The plan's files, as they would lie beside it.
fn files(world: &World, made: &[Made], authority: &Authority) -> BTreeMap<String, Vec<u8>> {
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for (certificate, issue) in world.plan.certificates.iter().zip(&world.declared) {
        if let CertificateSource::File(path) = &certificate.source {
            let file = made[*issue].file(world.files.get(&*certificate.label).copied(), authority);
            files.insert(path.value.clone(), file);
        }
    }
    let mut anchors: Vec<&str> = Vec::new();
    for source in world.plan.views.iter().flat_map(|v| &v.trust) {
        if let TrustSource::File(path) = &source.value {
            anchors.push(path);
        }
    }
    anchors.sort_unstable();
    anchors.dedup();
    for path in anchors {
        files.entry(path.to_string()).or_default().extend(authority.root_pem().into_bytes());
    }
    files
}

fn thumbprints(made: &Made) -> (Thumbprint, Thumbprint) {
    use sha1::Digest;
    let sha1 = sha1::Sha1::digest(&made.leaf).into();
    let sha256 = sha2::Sha256::digest(&made.leaf).into();
    (Thumbprint::Sha1(sha1), Thumbprint::Sha256(sha256))
}
