//! What the parent of a zone says of its servers (RFC 1034 section 4.2.2), and how that is found: one answer says who is to be
//! asked next. Pure; the observer asks by it, and the judge reads by it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::dns::{DnsOutcome, RecordType, Referral, Reply, ResolverAddr, Transport};
use super::name::Name;
use super::observation::DnsProbe;
use super::plan::{Plan, ViewId, ViewKind, Zone};
use super::probes::{Reach, is_private};
use super::records::RecordData;

/// Servers of a parent that are asked. They hold the same zone.
const ABOVE: usize = 3;

/// Servers of a zone that are looked at: as many as the root has.
const HOSTS: usize = 13;

/// Their addresses that are asked.
const ADDRESSES: usize = 16;

/// Servers that are asked for the addresses of the zone's servers.
const AUTHORITIES: usize = 2;

/// A zone of the plan, and whom to ask about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegation {
    /// The label of the view from which it is looked at.
    pub view: Arc<str>,
    /// The zone.
    pub zone: Name,
    /// The view's resolvers, which know where the parent's servers are.
    pub resolvers: Vec<Arc<ResolverAddr>>,
    /// The parent's servers, where the plan declares them.
    pub above: Vec<Arc<ResolverAddr>>,
    /// The zone's servers that the plan declares, as far as they stand outside.
    pub own: Vec<Arc<ResolverAddr>>,
    /// Which addresses may be asked.
    pub reach: Reach,
    /// How the servers are asked: by datagrams, or by TCP where they are asked through the view's proxy.
    pub transport: Transport,
    /// Limit for all tries of a question in milliseconds; `None` is the command line's.
    pub timeout_ms: Option<u64>,
}

/// A question and what was said to it, by several runs perhaps.
#[derive(Clone, Debug)]
pub struct Heard<'o> {
    /// The question.
    pub probe: DnsProbe,
    /// The outcomes.
    pub outcomes: Vec<&'o DnsOutcome>,
}

/// An address at which the zone is to be had.
#[derive(Clone, Debug)]
pub struct Below<'o> {
    /// The servers of that address that the parent names; none where only the plan declares it.
    pub hosts: BTreeSet<Name>,
    /// What it says of the zone's NS.
    pub heard: Heard<'o>,
}

/// How far the answers led.
#[derive(Clone, Debug, Default)]
pub struct Way<'o> {
    /// Every question that it came to.
    pub asked: BTreeSet<DnsProbe>,
    /// The zone above, once it is known.
    pub parent: Option<Name>,
    /// What the parent's servers say of the zone's NS.
    pub above: Vec<Heard<'o>>,
    /// What is said at the addresses to which the parent leads, and at those of the plan.
    pub below: Vec<Below<'o>>,
    /// What the zone's servers say of their own addresses.
    pub hosts: Vec<Heard<'o>>,
    /// What a resolver says of the addresses of servers that the parent names and that lie elsewhere, so that no glue leads
    /// to them.
    pub elsewhere: Vec<Heard<'o>>,
}

/// The zones whose parents are asked, each in the first external view that it stands in, of those that are asked about.
pub fn zones(plan: &Plan, asked: impl Fn(ViewId) -> bool) -> Vec<(ViewId, &Zone)> {
    let of = |zone| Some((external(plan, zone).find(|v| asked(*v))?, zone));
    // Below a suffix that nobody registers there is no parent to ask.
    let public = |z: &&Zone| psl::suffix(z.apex.as_str().as_bytes()).is_some_and(|s| s.is_known());
    plan.zones.iter().filter(public).filter(|z| parent_of(&z.apex).is_some()).filter_map(of).collect()
}

/// The external views that a zone stands in: those inside may have one of their own.
pub fn external<'a>(plan: &'a Plan, zone: &'a Zone) -> impl Iterator<Item = ViewId> + 'a {
    zone.views.iter().copied().filter(|v| plan.view(*v).kind == ViewKind::External)
}

/// The name above a zone, which may be its parent zone.
pub fn parent_of(zone: &Name) -> Option<Name> {
    Name::parse_owner(zone.parent()?).ok()
}

impl Delegation {
    /// Of a zone of the plan, seen from a view; `through` if its proxy leads to the servers, which takes no datagrams.
    pub fn of(plan: &Plan, view: ViewId, zone: &Zone, through: bool) -> Self {
        let v = plan.view(view);
        let reach = Reach::of(v);
        // A server inside may have the zone for those inside.
        let public = |z: &Zone| {
            let is_outer = external(plan, z).count() == z.views.len();
            let is_public = |a: IpAddr| reach.allows(a) && (is_outer || !is_private(a));
            let servers = z.servers.iter().filter(|s| is_public(s.value.addr.ip())).take(ADDRESSES);
            let asked = |s: &ResolverAddr| if through { s.by_stream() } else { s.clone() };
            servers.map(|s| Arc::new(asked(&s.value))).collect::<Vec<_>>()
        };
        let holds = |z: &&Zone| z.apex != zone.apex && zone.apex.is_under(z.apex.as_str()) && z.views.contains(&view);
        let parent = plan.zones.iter().filter(holds).max_by_key(|z| z.apex.as_str().len());
        Self {
            view: v.label.clone(),
            zone: zone.apex.clone(),
            resolvers: v.resolvers.iter().map(|r| Arc::new(r.value.clone())).collect(),
            above: parent.map(public).unwrap_or_default(),
            own: public(zone),
            reach: reach.clone(),
            transport: if through { Transport::Tcp } else { Transport::Udp },
            timeout_ms: v.settings.timeout_ms,
        }
    }

    /// Goes as far as the answers lead.
    pub fn walk<'o>(&self, heard: &dyn Fn(&DnsProbe) -> Vec<&'o DnsOutcome>) -> Way<'o> {
        let mut walker = Walker { of: self, heard, way: Way::default() };
        walker.walk();
        walker.way
    }

    /// True of a server whose address the parent has to know, since it lies in the zone itself (RFC 9471 section 2).
    pub fn is_in_zone(&self, host: &Name) -> bool {
        host.is_under(self.zone.as_str())
    }
}

impl<'o> Heard<'o> {
    /// The records that the zone's own server gives, of the type that was asked; none if it says that there are none.
    pub fn authoritative(&self) -> Option<&'o Reply> {
        self.outcomes.iter().find_map(|o| o.reply().filter(|r| r.authoritative && r.chain.is_empty()))
    }

    /// The servers that it names instead of answering.
    pub fn referral(&self, zone: &Name) -> Option<&'o Referral> {
        self.outcomes.iter().find_map(|outcome| match outcome {
            DnsOutcome::Referral(referral) if referral.zone == zone.as_str() => Some(referral),
            _ => None,
        })
    }
}

impl<'o> Below<'o> {
    /// The servers of the zone as this one has them; `None` if it does not have the zone, or nobody knows.
    pub fn servers(&self) -> Option<BTreeSet<&'o str>> {
        let reply = self.heard.authoritative().filter(|r| !r.records.is_empty())?;
        Some(reply.records.iter().filter_map(|r| server(&r.data)).collect())
    }
}

impl<'o> Way<'o> {
    /// The servers that have the zone: of those that the parent names, if one of them has it, else of the plan's.
    pub fn having(&self) -> impl Iterator<Item = &Below<'o>> {
        let has = |b: &&Below| b.servers().is_some();
        let delegated = self.below.iter().filter(has).any(|b| !b.hosts.is_empty());
        self.below.iter().filter(has).filter(move |b| !delegated || !b.hosts.is_empty())
    }

    /// The servers that the parent names for a zone, and the addresses that it gives for them.
    pub fn named(&self, zone: &Name) -> BTreeMap<&'o str, BTreeSet<IpAddr>> {
        let mut out: BTreeMap<&str, BTreeSet<IpAddr>> = BTreeMap::new();
        for server in self.above.iter().filter_map(|h| h.referral(zone)).flat_map(|r| &r.servers) {
            out.entry(&server.name).or_default().extend(server.addresses.iter().map(|a| a.address));
        }
        out
    }
}

/// The addresses that were given.
fn addresses(heard: &[Heard]) -> BTreeSet<IpAddr> {
    let replies = heard.iter().flat_map(|h| &h.outcomes).filter_map(|o| o.reply());
    replies.flat_map(|r| r.addresses.iter().map(|a| a.address)).collect()
}

fn server(data: &RecordData) -> Option<&str> {
    match data {
        RecordData::Ns(name) => Some(name),
        _ => None,
    }
}

struct Walker<'a, 'o> {
    of: &'a Delegation,
    heard: &'a dyn Fn(&DnsProbe) -> Vec<&'o DnsOutcome>,
    way: Way<'o>,
}

impl<'o> Walker<'_, 'o> {
    fn walk(&mut self) {
        let zone = &self.of.zone;
        let guide = self.guide();
        let above = match &guide {
            _ if !self.of.above.is_empty() => self.of.above.iter().take(ABOVE).cloned().collect(),
            Some((resolver, reply)) => self.parents_servers(resolver, reply),
            None => Vec::new(),
        };
        self.way.above = above.iter().map(|server| self.ask(server, zone, RecordType::Ns, true)).collect();
        let named = self.way.named(zone);
        let hosts = named.iter().filter_map(|(host, glue)| Some((Name::parse_owner(host).ok()?, glue.clone())));
        let mut at: BTreeMap<IpAddr, BTreeSet<Name>> = BTreeMap::new();
        for (host, glue) in hosts.take(HOSTS) {
            let heard = guide.as_ref().map(|(resolver, _)| self.of_host(resolver, &host));
            let is_in_zone = self.of.is_in_zone(&host);
            for address in glue.into_iter().filter(|_| is_in_zone).chain(heard.iter().flat_map(|h| addresses(h))) {
                at.entry(address).or_default().insert(host.clone());
            }
            self.way.elsewhere.extend(heard.into_iter().flatten().filter(|_| !is_in_zone));
        }
        self.zones_servers(at);
    }

    /// The first resolver that knows something of the name above, and what it knows.
    fn guide(&mut self) -> Option<(Arc<ResolverAddr>, &'o Reply)> {
        let above = parent_of(&self.of.zone)?;
        let mut guide = None;
        for resolver in &self.of.resolvers {
            let heard = self.ask(resolver, &above, RecordType::Ns, false);
            let reply = heard.outcomes.iter().find_map(|o| o.reply());
            guide = guide.or(reply.map(|reply| (resolver.clone(), reply)));
        }
        let (resolver, reply) = guide?;
        if !reply.records.is_empty() {
            self.way.parent = Some(above);
            return Some((resolver, reply));
        }
        // No zone begins there: the SOA says where one does (RFC 2308 section 3).
        let zone = reply.soa.as_ref().and_then(|soa| Name::parse_owner(&soa.zone).ok());
        let zone = zone.filter(|z| *z != above && above.is_under(z.as_str()))?;
        let heard = self.ask(&resolver, &zone, RecordType::Ns, false);
        let reply = heard.outcomes.iter().find_map(|o| o.reply())?;
        self.way.parent = Some(zone);
        Some((resolver, reply))
    }

    /// An address of each of the first servers of the parent.
    fn parents_servers(&mut self, resolver: &Arc<ResolverAddr>, reply: &'o Reply) -> Vec<Arc<ResolverAddr>> {
        let hosts = reply.records.iter().filter_map(|r| Name::parse_owner(server(&r.data)?).ok());
        let hosts: BTreeSet<Name> = hosts.collect();
        let mut out = Vec::new();
        for host in hosts.iter().take(ABOVE) {
            let mut found = addresses(&self.of_host(resolver, host));
            found.retain(|a| self.of.reach.allows(*a));
            out.extend(found.iter().find(|a| a.is_ipv4()).or(found.first()).map(|a| self.at_port_53(*a)));
        }
        out
    }

    /// What a resolver says of the addresses of a host.
    fn of_host(&mut self, resolver: &Arc<ResolverAddr>, host: &Name) -> [Heard<'o>; 2] {
        RecordType::ALL.map(|kind| self.ask(resolver, host, kind, false))
    }

    /// The zone's servers of the plan, and those at these addresses.
    fn zones_servers(&mut self, mut at: BTreeMap<IpAddr, BTreeSet<Name>>) {
        at.retain(|address, _| self.of.reach.allows(*address));
        if self.way.named(&self.of.zone).is_empty() {
            return;
        }
        let zone = &self.of.zone;
        let mut servers: Vec<(Arc<ResolverAddr>, BTreeSet<Name>)> = Vec::new();
        for server in &self.of.own {
            servers.push((server.clone(), at.remove(&server.addr.ip()).unwrap_or_default()));
        }
        servers.extend(at.into_iter().take(ADDRESSES).map(|(address, hosts)| (self.at_port_53(address), hosts)));
        for (server, hosts) in servers {
            let heard = self.ask(&server, zone, RecordType::Ns, true);
            self.way.below.push(Below { hosts, heard });
        }
        let authorities: Vec<_> = self.way.having().map(|b| b.heard.probe.resolver.clone()).take(AUTHORITIES).collect();
        for host in self.hosts_in_zone() {
            for server in &authorities {
                for kind in RecordType::ALL {
                    let heard = self.ask(server, &host, kind, true);
                    self.way.hosts.push(heard);
                }
            }
        }
    }

    /// The servers whose addresses the zone itself has, whoever names them.
    fn hosts_in_zone(&self) -> Vec<Name> {
        let by_parent = self.way.named(&self.of.zone).into_keys();
        let by_zone = self.way.having().filter_map(Below::servers).flatten();
        let all: BTreeSet<Name> = by_parent.chain(by_zone).filter_map(|h| Name::parse_owner(h).ok()).collect();
        all.into_iter().filter(|h| self.of.is_in_zone(h)).take(HOSTS).collect()
    }

    fn at_port_53(&self, address: IpAddr) -> Arc<ResolverAddr> {
        Arc::new(ResolverAddr { transport: self.of.transport.clone(), addr: SocketAddr::new(address, 53) })
    }

    fn ask(&mut self, server: &Arc<ResolverAddr>, name: &Name, kind: RecordType, direct: bool) -> Heard<'o> {
        let (view, resolver, name) = (self.of.view.clone(), server.clone(), name.clone());
        let probe = DnsProbe { view, resolver, name, kind, unchecked: false, direct };
        let outcomes = (self.heard)(&probe);
        self.way.asked.insert(probe.clone());
        Heard { probe, outcomes }
    }
}
