//! What holds at second 0, what is wanted in the end, and what caches may still remember.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::credentials::{Association, Credentials};
use super::history::{self, Memory};
use super::hsts::{self, Sites};
use super::policies::Listed;
use super::records::{self, Sets};
use super::seen::Seen;
use super::serving::{self, Witnessed};
use super::{Ask, Refusal, nodes, policies, reach};
use crate::model::cutover::{
    CacheKey, CacheKind, ClientPath, Credential, Datum, NodeId, RecordSet, Serving, World, ZoneFacts,
};
use crate::model::dns::RecordType;
use crate::model::inventory::Inventory;
use crate::model::name::Name;
use crate::model::observation::{Outcome, Probe, Recording};
use crate::model::phase::Phase;
use crate::model::plan::{CertId, CertificateSource, Plan, ServerId, Target, ViewId, ViewKind};
use crate::model::records::RecordData;

/// For how long absence is taken to be cached where no SOA was seen, in seconds: no common resolver keeps it longer
/// unless told to (RFC 2308 section 5 has one to three hours).
pub(super) const NEGATIVE_TTL: u32 = 10_800;

/// The longest ways between phases that are known of each record.
pub(super) struct Facts<'a> {
    pub(super) plan: &'a Plan,
    pub(super) from: Phase,
    pub(super) to: Phase,
    pub(super) zero: Option<jiff::Timestamp>,
    pub(super) credentials: Vec<Credential>,
    /// What TLSA records say of the certificates that somebody has seen.
    pub(super) associations: BTreeMap<usize, Association>,
    /// The TLSA RRsets that are known.
    pub(super) listed: Vec<Listed>,
    /// Thumbprints, as far as they are known.
    pub(super) thumbprints: BTreeMap<usize, String>,
    /// Certificates that somebody serves already, or has in a file.
    pub(super) issued: BTreeSet<CertId>,
    pub(super) world: World,
    pub(super) goal: Goal,
    pub(super) memory: Memory,
    pub(super) zones: Vec<ZoneFacts>,
    /// Zones whose negative TTL was seen.
    pub(super) negative_seen: BTreeSet<(ViewId, Name)>,
    pub(super) paths: Vec<ClientPath>,
    /// Names that clients are led to each port under, before and after.
    pub(super) led: [reach::Led; 2],
    pub(super) unknown: BTreeSet<String>,
    /// The preference of each host that takes mail, by domain and host, where the plan or a recording has it.
    pub(super) preferences: BTreeMap<(Name, Name), u16>,
    /// The longest TTL that an authoritative server was seen to give with the texts of a name.
    pub(super) text_ttls: BTreeMap<Name, u32>,
    /// What servers' own tools say that they hold.
    pub(super) inventory: &'a Inventory,
    /// Certificates with a new key, and the old one of each.
    pub(super) rekeyed: BTreeMap<usize, usize>,
    /// True if there were recordings.
    pub(super) observed: bool,
    /// What sites make browsers remember.
    pub(super) sites: Sites,
}

/// What is wanted in the end.
#[derive(Default)]
pub(super) struct Goal {
    pub(super) sets: Sets,
    pub(super) serving: BTreeMap<(NodeId, u16), Serving>,
    pub(super) routes: BTreeMap<(ViewId, IpAddr), BTreeSet<NodeId>>,
    pub(super) redirects: BTreeMap<NodeId, BTreeSet<Name>>,
    pub(super) used: BTreeSet<(ViewId, Name)>,
}

impl Goal {
    /// Addresses and who answers there, as a world.
    fn world(&self) -> World {
        let set = |data: &BTreeSet<Datum>| RecordSet { ttl: 0, data: data.clone() };
        let records = self.sets.iter().map(|(key, data)| (key.clone(), set(data))).collect();
        World { records, routes: self.routes.clone(), ..World::default() }
    }

    /// TLSA RRsets of which it cannot be told what they allow of what is served now and in the end.
    pub(super) fn untold(
        &self,
        plan: &Plan,
        listed: &[Listed],
        associations: &BTreeMap<usize, Association>,
        labels: &dyn Fn(usize) -> String,
        now: Option<&policies::Led>,
    ) -> BTreeMap<CacheKey, String> {
        let data = |key: &CacheKey| -> Vec<Datum> { self.sets.get(key).into_iter().flatten().cloned().collect() };
        let then = policies::Led { data: &data, routes: &self.routes, serving: &self.serving };
        let leds: Vec<&policies::Led> = now.into_iter().chain([&then]).collect();
        policies::untold(plan, listed, associations, labels, &leds)
    }

    /// TLSA records list what is served in the end.
    pub(super) fn list_certificates(&mut self, listed: &[Listed], associations: &BTreeMap<usize, Association>) {
        let data = |key: &CacheKey| -> Vec<Datum> { self.sets.get(key).into_iter().flatten().cloned().collect() };
        let led = policies::Led { data: &data, routes: &self.routes, serving: &self.serving };
        let sets = policies::tlsa_wanted(listed, associations, &led);
        self.sets.extend(sets);
    }
}

impl<'a> Facts<'a> {
    pub(super) fn gather(ask: &Ask<'a>) -> Result<Self, Vec<Refusal>> {
        let plan = ask.plan;
        let seen = Seen::new(plan, ask.recording);
        let zero = ask.start.or(seen.gathered.filter(|_| !seen.is_empty()));
        let from = standing(ask, zero);
        let to = vec![ask.to; plan.views.len()];
        let mut unknown = BTreeSet::new();
        let mut goal = Goal { sets: records::declared(plan, &to), ..Goal::default() };
        let declared = records::declared(plan, &from);
        let names = records::names(plan);
        let ways = history::Ways { plan, seen: &seen, zero, from: &from, asked_from: ask.from, to: ask.to, names };
        let mut held = ways.held(&declared, &mut goal.sets, &mut unknown)?;
        keep(plan, ask.to, &held.records, &mut goal.sets);
        let mut world = World { records: std::mem::take(&mut held.records), ..World::default() };
        let led = [reach::led(plan, &from), reach::led(plan, &to)];
        let mut credentials = Credentials::new(plan, ask.recording, ask.now);
        let mut sites = Sites::new(plan, &seen);
        unknown.extend(sites.differing(plan));
        let endpoints = Endpoints { plan, seen: &seen, led: &led, by_hsts: !sites.is_silent() };
        let unseen = endpoints.serving([ask.from, ask.to], &mut credentials, &mut world, &mut goal);
        if !seen.is_empty() && !unseen.is_empty() {
            let labels = nodes::labels(plan);
            let list = super::words::list(unseen.iter().filter_map(|n| labels.get(n.0)));
            let (from, to) = (ask.from, ask.to);
            unknown.insert(format!(
                "what {list} serves: no recording shows it; taken as the plan has it in {from} (`coexist check --ready-for {to} --record` looks at old and new servers)"
            ));
        }
        for view in plan.view_ids() {
            routes(plan, view, [from[view.0], ask.to], &mut world, &mut goal);
        }
        let associations = credentials.associations();
        let data = |key: &CacheKey| -> Vec<Datum> {
            world.records.get(key).into_iter().flat_map(|set| set.data.iter().cloned()).collect()
        };
        let led_now = policies::Led { data: &data, routes: &world.routes, serving: &world.serving };
        let mut listed = policies::listed(plan, &seen);
        let labels = |c: usize| credentials.all.get(c).map_or_else(String::new, |c| c.label.to_string());
        let untold = goal.untold(plan, &listed, &associations, &labels, Some(&led_now));
        listed.retain(|rrset| !untold.contains_key(&rrset.key));
        unknown.extend(untold.into_values());
        unknown.extend(policies::unlisted(plan, &listed, &associations, &led_now));
        let sets = policies::tlsa_now(&listed, &associations, &led_now);
        for (key, lists) in sets {
            let set = ways.listed(&key, lists, &mut held.memory);
            world.records.insert(key, set);
        }
        goal.list_certificates(&listed, &associations);
        world.redirects = redirects(plan, &from);
        goal.redirects = redirects(plan, &to);
        world.used = used(plan, &world.records.keys().cloned().collect(), &from);
        goal.used = used(plan, &goal.sets.keys().cloned().collect(), &to);
        let ever = sites.ever(plan, [&world, &goal.world()]);
        let (paths, left_out) = reach::paths(plan, &from, &to, [&declared, &goal.sets], &ever);
        let past = sites.settle(plan, &paths, &mut world, &|view, at| ways.until(view, at));
        held.memory.past.extend(past);
        unknown.extend(left_out.into_iter().map(|l| format!("not in the proof: {l}")));
        let issued = issued(plan, &credentials, &world);
        Ok(Self {
            plan,
            from: ask.from,
            to: ask.to,
            zero,
            thumbprints: credentials.thumbprints,
            credentials: credentials.all,
            associations,
            listed,
            issued,
            world,
            goal,
            memory: held.memory,
            zones: zones(plan, &seen),
            negative_seen: seen.negative.keys().cloned().collect(),
            paths,
            led,
            unknown,
            preferences: preferences(plan, ask.recording),
            text_ttls: text_ttls(ask.recording),
            inventory: ask.inventory,
            rekeyed: BTreeMap::new(),
            observed: !seen.is_empty(),
            sites,
        })
    }
}

impl Facts<'_> {
    /// True if a certificate is known to cover a name.
    pub(super) fn covers(&self, credential: usize, name: &Name) -> bool {
        let names = self.credentials.get(credential).and_then(|c| c.names.as_ref());
        names.is_some_and(|n| crate::pki::identify_among(n.iter().map(String::as_str), name).is_ok())
    }
}

/// What the plan says nothing of stays as it is: names without a target yet, ends of aliases.
fn keep(plan: &Plan, to: Phase, records: &BTreeMap<CacheKey, RecordSet>, goal: &mut Sets) {
    let names = records::names(plan);
    for (key, set) in records {
        let says_something = match (names.get(&key.owner), key.kind) {
            (_, CacheKind::Mx) => plan.mail.iter().any(|m| m.domain == key.owner && m.mx[to as usize].is_some()),
            (_, CacheKind::Srv | CacheKind::MtaSts) => true,
            (Some(name), _) => *name.wanted(key.view, to) != crate::model::plan::Wanted::Unconstrained,
            (None, _) => false,
        };
        if !says_something {
            goal.entry(key.clone()).or_insert_with(|| set.data.clone());
        }
    }
}

/// The phase of each view: one that flipped already, as the plan declares, is where it stands.
fn standing(ask: &Ask, zero: Option<jiff::Timestamp>) -> Vec<Phase> {
    let of = |view: ViewId| {
        let flipped = ask.plan.cutover.flipped[view.0].filter(|f| zero.is_none_or(|zero| *f <= zero));
        let (stands, _) = ask.plan.standing[view.0].phases();
        if flipped.is_some() && stands > ask.from && stands <= ask.to { stands } else { ask.from }
    };
    ask.plan.view_ids().map(of).collect()
}

fn routes(plan: &Plan, view: ViewId, phases: [Phase; 2], world: &mut World, goal: &mut Goal) {
    let [before, after] = phases.map(|phase| nodes::routes(plan, view, phase));
    let addresses: BTreeSet<IpAddr> = before.keys().chain(after.keys()).copied().collect();
    for address in addresses {
        let (b, a) = (before.get(&address), after.get(&address));
        // Where nobody is led in one of the phases, the other one tells who answers.
        let (b, a) = match (b, a) {
            (Some((true, b)), Some((true, a))) => (b.clone(), a.clone()),
            (Some((true, b)), _) => (b.clone(), b.clone()),
            (_, Some((_, a))) => (a.clone(), a.clone()),
            (Some((_, b)), None) => (b.clone(), b.clone()),
            (None, None) => continue,
        };
        world.routes.insert((view, address), b);
        goal.routes.insert((view, address), a);
    }
}

/// Where servers send their web clients: to the names that are there in their phase.
fn redirects(plan: &Plan, phases: &[Phase]) -> BTreeMap<NodeId, BTreeSet<Name>> {
    let names = records::names(plan);
    let stands = |name: &Name| {
        names.get(name).is_none_or(|n| plan.view_ids().any(|v| reach::targets(n, v, phases[v.0]).next().is_some()))
    };
    let mut out = BTreeMap::new();
    for (i, server) in plan.servers.iter().enumerate() {
        let names: BTreeSet<Name> =
            server.redirects.iter().map(|r| r.value.clone()).filter(|name| stands(name)).collect();
        if !names.is_empty() {
            out.insert(nodes::of_server(ServerId(i)), names);
        }
    }
    out
}

/// The names that clients use in the phase of their view, as far as they are there.
fn used(plan: &Plan, keys: &BTreeSet<CacheKey>, phases: &[Phase]) -> BTreeSet<(ViewId, Name)> {
    let mut out = BTreeSet::new();
    for view in plan.view_ids() {
        for name in &plan.names {
            let there = |kind| keys.contains(&CacheKey { view, owner: name.name.clone(), kind });
            let stands = [CacheKind::A, CacheKind::Aaaa, CacheKind::Cname].into_iter().any(there);
            if stands && reach::targets(name, view, phases[view.0]).next().is_some() {
                out.insert((view, name.name.probe()));
            }
        }
    }
    let hosts = keys.iter().filter(|k| matches!(k.kind, CacheKind::Mx | CacheKind::Srv));
    out.extend(hosts.map(|k| (k.view, k.owner.clone())));
    out
}

fn zones(plan: &Plan, seen: &Seen) -> Vec<ZoneFacts> {
    let mut all: BTreeMap<(ViewId, Name), u32> = BTreeMap::new();
    for zone in &plan.zones {
        for view in &zone.views {
            all.insert((*view, zone.apex.clone()), NEGATIVE_TTL);
        }
    }
    all.extend(seen.negative.iter().map(|(key, ttl)| (key.clone(), *ttl)));
    all.into_iter().map(|((view, apex), negative_ttl)| ZoneFacts { view, apex, negative_ttl }).collect()
}

/// Preferences of MX records: of `[records]`, and as they were answered.
fn preferences(plan: &Plan, recording: &Recording) -> BTreeMap<(Name, Name), u16> {
    let mut out = BTreeMap::new();
    let mut add = |domain: &Name, data: &RecordData| {
        if let RecordData::Mx { preference, exchange } = data
            && let Ok(host) = Name::parse_owner(exchange)
        {
            out.insert((domain.clone(), host), *preference);
        }
    };
    for observation in recording.observations.sorted() {
        if let (Probe::Dns(probe), Outcome::Dns(outcome)) = (&observation.probe, &*observation.outcome)
            && probe.kind == RecordType::Mx
        {
            let records = outcome.reply().map(|r| r.records.as_slice()).unwrap_or_default();
            records.iter().for_each(|r| add(&probe.name, &r.data));
        }
    }
    for record in plan.records.iter().filter(|r| r.kind == RecordType::Mx.word()) {
        let parsed = record.values.iter().flatten().flatten().filter_map(|v| RecordData::parse(RecordType::Mx, v));
        parsed.for_each(|data| add(&record.owner, &data));
    }
    out
}

fn text_ttls(recording: &Recording) -> BTreeMap<Name, u32> {
    let mut out = BTreeMap::new();
    for observation in recording.observations.sorted() {
        if let (Probe::Dns(probe), Outcome::Dns(outcome)) = (&observation.probe, &*observation.outcome)
            && let Some(reply) = outcome.reply().filter(|r| r.authoritative && probe.kind == RecordType::Txt)
        {
            let longest = reply.records.iter().map(|r| r.ttl).max().unwrap_or(0);
            let entry = out.entry(probe.name.clone()).or_insert(longest);
            *entry = longest.max(*entry);
        }
    }
    out
}

/// Certificates that exist: seen, or served today to clients who use them.
fn issued(plan: &Plan, credentials: &Credentials, world: &World) -> BTreeSet<CertId> {
    let mut out = credentials.seen.clone();
    for serving in world.serving.values() {
        let all = serving.default.iter().chain(serving.by_name.values().flatten());
        out.extend(all.filter(|i| **i < plan.certificates.len()).map(|i| CertId(*i)));
    }
    let known = |i: &usize| !matches!(plan.certificates[*i].source, CertificateSource::Names(_));
    out.extend((0..plan.certificates.len()).filter(known).map(CertId));
    out
}

struct Endpoints<'a> {
    plan: &'a Plan,
    seen: &'a Seen<'a>,
    led: &'a [reach::Led; 2],
    /// True if browsers may come by https where the plan has no such service.
    by_hsts: bool,
}

impl Endpoints<'_> {
    /// What every node serves now and is to serve; the nodes of which nobody saw any.
    fn serving(
        &self,
        phases: [Phase; 2],
        credentials: &mut Credentials,
        world: &mut World,
        goal: &mut Goal,
    ) -> BTreeSet<NodeId> {
        let mut unseen = BTreeSet::new();
        let named = serving::named(self.plan);
        let mut reached = self.led.each_ref().map(|l| l.keys().map(|(node, _)| *node).collect::<BTreeSet<NodeId>>());
        if phases[1] == Phase::After && self.seen.is_empty() {
            // Old servers run on as a way back until the end of all phases.
            for phase in Phase::ALL.into_iter().filter(|p| *p < phases[0]) {
                let led = reach::led(self.plan, &vec![phase; self.plan.views.len()]);
                reached[0].extend(led.into_keys().map(|(node, _)| node));
            }
        }
        let browsed = if self.by_hsts { reach::nodes(self.plan, phases) } else { BTreeSet::new() };
        for node in (0..self.plan.servers.len() + self.plan.pools.len()).map(NodeId) {
            if !reached.iter().any(|r| r.contains(&node)) && !browsed.contains(&node) {
                continue;
            }
            let own = named.get(&node).map_or(&[][..], Vec::as_slice);
            let [before, after] = phases.map(|p| serving::declared(self.plan, credentials, own, node, p));
            let addresses = self.addresses(node);
            let mut ports: BTreeSet<u16> = before.keys().chain(after.keys()).copied().collect();
            let declared = ports.clone();
            ports.extend(self.by_hsts.then_some(hsts::PORT));
            for port in ports {
                let current = match serving::seen(self.seen, credentials, &addresses, port) {
                    Witnessed::Serves(serving) => Some(serving),
                    Witnessed::Deaf => None,
                    Witnessed::Nothing => {
                        unseen.extend(declared.contains(&port).then_some(node));
                        before.get(&port).filter(|_| reached[0].contains(&node)).cloned()
                    }
                };
                let wanted = match reached[1].contains(&node) {
                    true => after.get(&port).cloned().or_else(|| current.clone()),
                    false => current.clone(),
                };
                let wanted = match (&current, wanted) {
                    (Some(current), Some(wanted)) if self.suffices(credentials, node, port, current, &wanted) => {
                        Some(current.clone())
                    }
                    (_, wanted) => wanted,
                };
                world.serving.extend(current.map(|c| ((node, port), c)));
                goal.serving.extend(wanted.map(|w| ((node, port), w)));
            }
        }
        unseen
    }

    /// True if what is served does as well as what is wanted: unless that very certificate is demanded, any that covers
    /// all names will do.
    fn suffices(&self, all: &Credentials, node: NodeId, port: u16, current: &Serving, wanted: &Serving) -> bool {
        if current == wanted {
            return true;
        }
        let by_names = wanted.default.iter().chain(wanted.by_name.values().flatten()).all(|c| all.by_names(*c));
        let names: BTreeSet<&Name> = self.led.iter().filter_map(|l| l.get(&(node, port))).flatten().collect();
        let suits = |name: &Name| {
            let served = current.for_name(Some(name));
            !served.is_empty() && served.iter().all(|c| all.suits(*c, [name]))
        };
        let without_sni = self.plan.views.iter().any(|v| v.without_sni);
        let default = || current.default.iter().all(|c| all.suits(*c, names.iter().copied()));
        let known = current.default.iter().chain(current.by_name.values().flatten()).all(|c| all.seen_or_planned(*c));
        known && by_names && !names.is_empty() && names.iter().all(|n| suits(n)) && (!without_sni || default())
    }

    fn addresses(&self, node: NodeId) -> Vec<IpAddr> {
        let mut out = match nodes::target(self.plan, node) {
            Target::Server(id) => self.plan.server(id).own_addresses(&self.plan.views),
            Target::Pool(id) => {
                let internal = self.plan.view_ids().filter(|v| self.plan.view(*v).kind == ViewKind::Internal);
                let views: Vec<ViewId> = internal.chain(self.plan.view_ids()).collect();
                views.iter().flat_map(|v| self.plan.pool(id).addresses[v.0].iter().copied()).collect()
            }
        };
        out.sort_unstable();
        out.dedup();
        out
    }
}
