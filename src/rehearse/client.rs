//! A client that looks names up through a cache, as far as a path needs it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::PoisonError;
use std::time::Duration;

use hickory_resolver::proto::op::{Message, Query};
use hickory_resolver::proto::rr::rdata::svcb::{SVCB, SvcParamValue};
use hickory_resolver::proto::rr::{Name as WireName, RData, RecordType};
use tokio::net::UdpSocket;
use tokio::time::timeout;

use super::{Scene, connect};
use crate::model::cutover::{CacheKey, CacheKind, ClientPath, Datum, Timeline};
use crate::model::mta_sts::Policy;
use crate::model::name::Name;
use crate::model::plan::ViewId;

/// Enough for any machine: everything is on loopback.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);
/// Links of a CNAME chain that are followed.
const LINKS: usize = 16;

/// What a resolver, a sender of mail or a browser remembers: each RRset, absence, policy until some moment.
#[derive(Default)]
pub(super) struct Cache(HashMap<(Name, CacheKind), (Kept, i64)>);

#[derive(Clone, Debug)]
enum Kept {
    Addresses(Vec<IpAddr>),
    Hosts(Vec<Name>),
    Alias(Name),
    /// What HTTPS records hint at.
    Hints(Vec<IpAddr>, Vec<Name>),
    /// What TLSA records say of keys.
    Keys(Vec<Vec<u8>>),
    Policy(Policy),
    /// TLS only: the name itself, or all below it as well.
    Strict {
        below: bool,
    },
    Nothing,
}

impl Kept {
    /// More of the same RRset.
    fn extend(&mut self, more: Kept) {
        match (self, more) {
            (Self::Addresses(all), Self::Addresses(more)) => all.extend(more),
            (Self::Hosts(all), Self::Hosts(more)) => all.extend(more),
            (Self::Keys(all), Self::Keys(more)) => all.extend(more),
            (Self::Hints(addresses, hosts), Self::Hints(more, others)) => {
                addresses.extend(more);
                hosts.extend(others);
            }
            _ => {}
        }
    }
}

/// Where a path leads.
#[derive(Default)]
pub(super) struct Found {
    /// Addresses, each with the name that the client has in mind.
    pub addresses: BTreeSet<(IpAddr, Name)>,
    /// Some name on the way is believed not to exist.
    pub nowhere: bool,
    /// The mail domain's policy, if there is one.
    pub policy: Option<Policy>,
    /// What TLSA records say of the keys of a mail host, where it has any.
    pub keys: BTreeMap<Name, Vec<Vec<u8>>>,
}

/// A client with its cache at one moment.
pub(super) struct Client<'a> {
    pub timeline: &'a Timeline,
    pub scene: &'a Scene,
    pub name_server: SocketAddr,
    /// Who gives the policies of mail domains.
    pub policies: SocketAddr,
    pub cache: &'a mut Cache,
    pub millis: i64,
}

impl Client<'_> {
    /// Looks up all that a path needs; how many questions that took.
    pub async fn fill(&mut self, path: &ClientPath) -> usize {
        self.comes(path);
        self.led(path).await.1
    }

    /// True if clients of the path come by TLS: those that come in the clear do where they remember that the name, or all below
    /// one above it, is to be asked over TLS only (RFC 6797 section 8.2). Somebody has just been there, and learnt it.
    pub fn comes(&mut self, path: &ClientPath) -> bool {
        if !path.by_hsts {
            return true;
        }
        let above = std::iter::successors(Some(path.name.as_str()), |n| n.split_once('.').map(|(_, up)| up));
        let owners: Vec<Name> = above.filter_map(|n| Name::parse_owner(n).ok()).collect();
        let strict = owners.into_iter().enumerate().map(|(i, owner)| match self.strict(path.view, owner) {
            Some(below) => i == 0 || below,
            None => false,
        });
        // Every one is visited, so that every one is remembered.
        strict.fold(false, |any, is| any | is)
    }

    fn strict(&mut self, view: ViewId, owner: Name) -> Option<bool> {
        if let Some(Kept::Strict { below }) = self.remembered(&owner, CacheKind::Hsts) {
            return Some(below);
        }
        let key = CacheKey { view, owner, kind: CacheKind::Hsts };
        let set = self.scene.read().unwrap_or_else(PoisonError::into_inner).records.get(&key).cloned()?;
        let below = set.data.iter().any(|datum| matches!(datum, Datum::Host(host) if host.is_wildcard()));
        self.keep((key.owner, CacheKind::Hsts), Kept::Strict { below }, set.ttl);
        Some(below)
    }

    /// Where a path leads, and how many questions it took to know.
    pub async fn led(&mut self, path: &ClientPath) -> (Found, usize) {
        let (mut found, mut asked) = (Found::default(), 0);
        match path.entry {
            CacheKind::Mx | CacheKind::Srv => match self.look_up(path.view, &path.name, path.entry, &mut asked).await {
                Kept::Hosts(hosts) => {
                    for host in hosts {
                        self.host(path.view, (&host, &host), &mut found, &mut asked).await;
                        if path.entry == CacheKind::Mx {
                            self.keys(path, &host, &mut found, &mut asked).await;
                        }
                    }
                }
                _ => found.nowhere = true,
            },
            _ => self.host(path.view, (&path.name, &path.name), &mut found, &mut asked).await,
        }
        if path.entry == CacheKind::Mx {
            found.policy = self.policy(&path.name, &mut asked).await;
        }
        if connect::is_web(path)
            && let Kept::Hints(addresses, hosts) =
                self.look_up(path.view, &path.name, CacheKind::Https, &mut asked).await
        {
            found.addresses.extend(addresses.into_iter().map(|address| (address, path.name.clone())));
            for host in hosts {
                self.host(path.view, (&host, &path.name), &mut found, &mut asked).await;
            }
        }
        (found, asked)
    }

    /// The addresses of a host; the client has a reference in mind.
    async fn host(&mut self, view: ViewId, (host, reference): (&Name, &Name), found: &mut Found, asked: &mut usize) {
        let mut none = 0;
        for kind in [CacheKind::A, CacheKind::Aaaa] {
            match self.look_up(view, host, kind, asked).await {
                Kept::Addresses(all) => found.addresses.extend(all.into_iter().map(|a| (a, reference.clone()))),
                _ => none += 1,
            }
        }
        found.nowhere |= none == 2;
    }

    /// What TLSA records say of a mail host's keys (RFC 7672 section 2.2).
    async fn keys(&mut self, path: &ClientPath, host: &Name, found: &mut Found, asked: &mut usize) {
        let Ok(owner) = Name::parse_owner(&format!("_{}._tcp.{host}", path.service.port)) else { return };
        if let Kept::Keys(keys) = self.look_up(path.view, &owner, CacheKind::Tlsa, asked).await {
            found.keys.insert(host.clone(), keys);
        }
    }

    /// The policy of a mail domain, kept for its `max_age` whatever DNS says meanwhile (RFC 8461 section 3.3).
    async fn policy(&mut self, domain: &Name, asked: &mut usize) -> Option<Policy> {
        if let Some(Kept::Policy(policy)) = self.remembered(domain, CacheKind::MtaSts) {
            return Some(policy);
        }
        *asked += 1;
        let policy = connect::policy(self.policies, domain).await.ok()??;
        self.keep((domain.clone(), CacheKind::MtaSts), Kept::Policy(policy.clone()), policy.max_age);
        Some(policy)
    }

    fn keep(&mut self, key: (Name, CacheKind), kept: Kept, seconds: u32) {
        let hold = i64::from(seconds) + i64::from(self.timeline.slack);
        // What lives for no time is good for the question that brought it.
        self.cache.0.insert(key, (kept, self.millis + (hold * 1000).max(1)));
    }

    async fn look_up(&mut self, view: ViewId, name: &Name, kind: CacheKind, asked: &mut usize) -> Kept {
        let mut at = name.clone();
        for _ in 0..LINKS {
            if let Some(kept) = self.remembered(&at, kind) {
                return kept;
            }
            match self.remembered(&at, CacheKind::Cname) {
                Some(Kept::Alias(target)) => at = target,
                _ => {
                    *asked += 1;
                    if self.ask(view, &at, kind).await.is_err() {
                        return Kept::Nothing;
                    }
                    if let Some(kept) = self.remembered(&at, kind) {
                        return kept;
                    }
                }
            }
        }
        Kept::Nothing
    }

    fn remembered(&self, name: &Name, kind: CacheKind) -> Option<Kept> {
        let (kept, until) = self.cache.0.get(&(name.clone(), kind))?;
        (self.millis < *until).then(|| kept.clone())
    }

    /// Asks the view's name server and remembers every RRset of the answer, each for its own time.
    async fn ask(&mut self, view: ViewId, name: &Name, kind: CacheKind) -> io::Result<()> {
        let answer = exchange(self.name_server, name, kind).await?;
        let mut sets: HashMap<(Name, CacheKind), (Kept, u32)> = HashMap::new();
        for record in &answer.answers {
            let Some((owner, kind, kept)) = read(&record.name, &record.data) else { continue };
            match sets.get_mut(&(owner.clone(), kind)) {
                Some((all, _)) => all.extend(kept),
                None => drop(sets.insert((owner, kind), (kept, record.ttl))),
            }
        }
        // What the chain's end lacks is absent for as long as the SOA says (RFC 2308).
        let mut end = name.clone();
        while let Some((Kept::Alias(target), _)) = sets.get(&(end.clone(), CacheKind::Cname)) {
            end = target.clone();
        }
        if !sets.contains_key(&(end.clone(), kind)) {
            let soa = answer.authorities.first().map_or(0, |r| r.ttl);
            sets.insert((end, kind), (Kept::Nothing, soa));
        }
        let floor = self.timeline.views.get(view.0).map_or(0, |v| v.floor);
        for (key, (kept, ttl)) in sets {
            self.keep(key, kept, ttl.max(floor));
        }
        Ok(())
    }
}

async fn exchange(server: SocketAddr, name: &Name, kind: CacheKind) -> io::Result<Message> {
    let kind = match kind {
        CacheKind::A => RecordType::A,
        CacheKind::Aaaa => RecordType::AAAA,
        CacheKind::Mx => RecordType::MX,
        CacheKind::Https => RecordType::HTTPS,
        CacheKind::Tlsa => RecordType::TLSA,
        _ => RecordType::SRV,
    };
    let mut message = Message::query();
    let id = message.metadata.id;
    let wire = WireName::from_ascii(format!("{name}.")).map_err(io::Error::other)?;
    message.add_query(Query::query(wire, kind));
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    socket.connect(server).await?;
    socket.send(&message.to_vec().map_err(io::Error::other)?).await?;
    let mut buffer = [0; 4096];
    loop {
        let length = timeout(PATIENCE, socket.recv(&mut buffer)).await??;
        let answer = Message::from_vec(&buffer[..length]).map_err(io::Error::other)?;
        if answer.metadata.id == id {
            return Ok(answer);
        }
    }
}

fn read(owner: &WireName, data: &RData) -> Option<(Name, CacheKind, Kept)> {
    let name = |wire: &WireName| Name::parse_owner(&wire.to_ascii()).ok();
    let (kind, kept) = match data {
        RData::A(a) => (CacheKind::A, Kept::Addresses(vec![a.0.into()])),
        RData::AAAA(a) => (CacheKind::Aaaa, Kept::Addresses(vec![a.0.into()])),
        RData::CNAME(target) => (CacheKind::Cname, Kept::Alias(name(&target.0)?)),
        RData::MX(mx) => (CacheKind::Mx, Kept::Hosts(vec![name(&mx.exchange)?])),
        RData::SRV(srv) => (CacheKind::Srv, Kept::Hosts(vec![name(&srv.target)?])),
        RData::TLSA(tlsa) => (CacheKind::Tlsa, Kept::Keys(vec![tlsa.cert_data.clone()])),
        RData::HTTPS(https) => (CacheKind::Https, hints(&https.0)),
        _ => return None,
    };
    Some((name(owner)?, kind, kept))
}

/// The addresses of one HTTPS record, and its host where it is another one (RFC 9460 section 2.5.2).
fn hints(record: &SVCB) -> Kept {
    let mut addresses: Vec<IpAddr> = Vec::new();
    for (_, value) in &record.svc_params {
        match value {
            SvcParamValue::Ipv4Hint(all) => addresses.extend(all.0.iter().map(|a| IpAddr::from(a.0))),
            SvcParamValue::Ipv6Hint(all) => addresses.extend(all.0.iter().map(|a| IpAddr::from(a.0))),
            _ => {}
        }
    }
    let host = Name::parse_owner(&record.target_name.to_ascii()).ok().filter(|_| !record.target_name.is_root());
    Kept::Hints(addresses, host.into_iter().collect())
}
