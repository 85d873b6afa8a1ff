//! What browsers remember of web sites (RFC 6797): that they are to be asked over TLS only, and all below them. As `[cutover]
//! hsts` declares it, and as recordings show it at each server.
//!
//! It matters to those who come in the clear: names whose https the proof does not follow anyway. Sites that hurt nobody
//! are left out.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::policies::{self, Led};
use super::seen::Seen;
use super::{nodes, reach};
use crate::model::cutover::{CacheKey, CacheKind, Change, ClientPath, Datum, NodeId, Past, RecordSet, World};
use crate::model::http::{Hsts, Page, is_web};
use crate::model::name::Name;
use crate::model::phase::Phase;
use crate::model::plan::{Plan, PlannedName, Table, Target, ViewId, services_of};

/// The port of https, to which browsers turn (RFC 6797 section 8.3).
pub(super) const PORT: u16 = 443;

/// A header that a server once sent and sends no longer.
struct Gone {
    owner: Name,
    header: Hsts,
    until: Option<Timestamp>,
}

/// What sites make browsers remember.
#[derive(Default)]
pub(super) struct Sites {
    declared: BTreeMap<Name, Hsts>,
    /// By name and server: what was seen last, which may be nothing.
    seen: BTreeMap<(Name, NodeId), Option<Hsts>>,
    gone: Vec<Gone>,
    /// Names of the plan, which are asked where they lead.
    planned: BTreeSet<Name>,
    /// The views and sites that somebody can be hurt by.
    relevant: BTreeSet<(ViewId, Name)>,
}

impl Sites {
    /// All that is known.
    pub(super) fn new(plan: &Plan, seen: &Seen) -> Self {
        let mut sites = Self {
            declared: plan.cutover.hsts.iter().map(|(name, header)| (name.clone(), header.value)).collect(),
            planned: plan.names.iter().map(|n| n.name.clone()).collect(),
            ..Self::default()
        };
        let at = nodes::at_addresses(plan);
        for (name, address, looks) in seen.pages(Page::Root) {
            let read: Vec<(Timestamp, Option<Hsts>)> =
                looks.iter().map(|(at, head)| (*at, head.hsts.as_deref().and_then(Hsts::parse))).collect();
            let Some((_, newest)) = read.last().copied() else { continue };
            for pair in read.windows(2) {
                if let [(_, Some(header)), (until, next)] = pair
                    && next.as_ref() != Some(header)
                {
                    sites.gone.push(Gone { owner: name.clone(), header: *header, until: Some(*until) });
                }
            }
            for node in at.get(&address).into_iter().flatten() {
                let entry = sites.seen.entry((name.clone(), *node)).or_insert(newest);
                *entry = joined(*entry, newest);
            }
        }
        sites.contradicted();
        sites
    }

    /// What is declared and seen otherwise was so until just now.
    fn contradicted(&mut self) {
        for (owner, header) in &self.declared {
            let of_owner = self.seen.range((owner.clone(), NodeId(0))..).take_while(|((name, _), _)| name == owner);
            let mut seen = of_owner.peekable();
            if seen.peek().is_some() && seen.all(|(_, s)| s.as_ref() != Some(header)) {
                self.gone.push(Gone { owner: owner.clone(), header: *header, until: None });
            }
        }
    }

    /// True if no site says anything.
    pub(super) fn is_silent(&self) -> bool {
        self.declared.is_empty() && self.gone.is_empty() && self.seen.values().all(Option::is_none)
    }

    /// Where the plan and a recording say different things of a site: a line each.
    pub(super) fn differing(&self, plan: &Plan) -> Vec<String> {
        let labels = nodes::labels(plan);
        let differs = |((name, node), seen): (&(Name, NodeId), &Option<Hsts>)| {
            let declared = self.declared.get(name)?;
            let at = labels.get(node.0)?;
            (seen.as_ref() != Some(declared)).then(|| {
                format!(
                    "what {name} makes browsers remember: the plan has {} and {at} was seen to send {}; taken as seen, and what the plan has as sent until now",
                    words(Some(declared)),
                    words(seen.as_ref())
                )
            })
        };
        self.seen.iter().filter_map(differs).collect()
    }

    /// What a site makes the clients of a view remember in a world.
    fn sent(&self, view: ViewId, owner: &Name, world: &World) -> Option<RecordSet> {
        let declared = self.declared.get(owner).copied();
        let header = match self.planned.contains(owner) {
            false => declared,
            true => {
                let data = |key: &CacheKey| -> Vec<Datum> {
                    world.records.get(key).into_iter().flat_map(|set| set.data.iter().cloned()).collect()
                };
                let led = Led { data: &data, routes: &world.routes, serving: &world.serving };
                let nodes = policies::nodes_of(&led, view, owner).into_iter();
                let at = nodes.map(|node| self.seen.get(&(owner.clone(), node)).copied().unwrap_or(declared));
                at.fold(None, joined)
            }
        };
        header.filter(|h| h.max_age > 0).and_then(|h| record(owner, h))
    }

    /// Every site of which anything is known, in every view.
    fn keys(&self, plan: &Plan) -> BTreeSet<(ViewId, Name)> {
        let owners: BTreeSet<&Name> = self.declared.keys().chain(self.seen.keys().map(|(name, _)| name)).collect();
        plan.view_ids().flat_map(|view| owners.iter().map(move |owner| (view, (*owner).clone()))).collect()
    }

    /// What browsers may remember at any time, by view and site.
    pub(super) fn ever(&self, plan: &Plan, worlds: [&World; 2]) -> BTreeMap<(ViewId, Name), bool> {
        let mut out: BTreeMap<(ViewId, Name), bool> = BTreeMap::new();
        let mut add = |view, owner: &Name, below: bool| *out.entry((view, owner.clone())).or_default() |= below;
        for (view, owner) in self.keys(plan) {
            for set in worlds.into_iter().filter_map(|world| self.sent(view, &owner, world)) {
                add(view, &owner, set.data.iter().any(is_below));
            }
        }
        for gone in self.gone.iter().filter(|g| g.header.max_age > 0) {
            plan.view_ids().for_each(|view| add(view, &gone.owner, gone.header.below));
        }
        out
    }

    /// Keeps the sites that some path rests on, and puts what they send into the world; what they sent is past.
    pub(super) fn settle(
        &mut self,
        plan: &Plan,
        paths: &[ClientPath],
        world: &mut World,
        until: &dyn Fn(ViewId, Option<Timestamp>) -> i64,
    ) -> Vec<Past> {
        let paths: Vec<&ClientPath> = paths.iter().filter(|p| p.by_hsts).collect();
        if paths.is_empty() {
            return Vec::new();
        }
        let gone: BTreeSet<(ViewId, Name)> =
            self.gone.iter().flat_map(|g| plan.view_ids().map(move |v| (v, g.owner.clone()))).collect();
        let mut all = self.keys(plan);
        all.extend(gone);
        let below: BTreeSet<(ViewId, &str)> =
            paths.iter().flat_map(|p| reach::and_above(&p.name).map(|n| (p.view, n))).collect();
        let rests = |(view, owner): &(ViewId, Name)| below.contains(&(*view, owner.as_str()));
        self.relevant = all.into_iter().filter(rests).collect();
        for (view, owner) in &self.relevant {
            if let Some(set) = self.sent(*view, owner, world) {
                world.records.insert(key(*view, owner), set);
            }
        }
        let mut past = Vec::new();
        for gone in &self.gone {
            let views = self.relevant.iter().filter(|(_, owner)| *owner == gone.owner);
            let answer = record(&gone.owner, gone.header).filter(|set| set.ttl > 0);
            past.extend(views.filter(|_| answer.is_some()).map(|(view, owner)| Past {
                key: key(*view, owner),
                answer: answer.clone(),
                until: until(*view, gone.until),
            }));
        }
        past
    }

    /// What changes in browsers' memory with some changes of a world: whoever is led to other servers hears others.
    pub(super) fn moved(&self, world: &World, changes: &[Change]) -> Vec<Change> {
        let leads = |c: &Change| match c {
            Change::Records { key, .. } => matches!(key.kind, CacheKind::A | CacheKind::Aaaa | CacheKind::Cname),
            Change::Route { .. } => true,
            _ => false,
        };
        if self.relevant.is_empty() || !changes.iter().any(leads) {
            return Vec::new();
        }
        let mut after = world.clone();
        changes.iter().for_each(|c| after.apply(c));
        let change = |(view, owner): &(ViewId, Name)| {
            let key = key(*view, owner);
            let (old, new) = (world.records.get(&key).cloned(), self.sent(*view, owner, &after));
            (old != new).then_some(Change::Records { key, old, new })
        };
        self.relevant.iter().filter_map(change).collect()
    }
}

fn key(view: ViewId, owner: &Name) -> CacheKey {
    CacheKey { view, owner: owner.clone(), kind: CacheKind::Hsts }
}

fn record(owner: &Name, header: Hsts) -> Option<RecordSet> {
    let host = match header.below {
        true => Name::parse(&format!("*.{owner}")).ok()?,
        false => owner.clone(),
    };
    let ttl = u32::try_from(header.max_age).unwrap_or(u32::MAX);
    Some(RecordSet { ttl, data: [Datum::Host(host)].into() })
}

fn is_below(datum: &Datum) -> bool {
    matches!(datum, Datum::Host(host) if host.is_wildcard())
}

/// The most that browsers who heard both may remember.
fn joined(a: Option<Hsts>, b: Option<Hsts>) -> Option<Hsts> {
    match (a, b) {
        (Some(a), Some(b)) => Some(Hsts { max_age: a.max_age.max(b.max_age), below: a.below || b.below }),
        (a, b) => a.or(b),
    }
}

fn words(header: Option<&Hsts>) -> String {
    match header {
        None => "no Strict-Transport-Security".into(),
        Some(Hsts { max_age, below: true }) => format!("max-age={max_age}; includeSubDomains"),
        Some(Hsts { max_age, below: false }) => format!("max-age={max_age}"),
    }
}

/// True of a name that browsers come to, if only in the clear: an old server's name, one that a server sends browsers to, or
/// one that some server of any phase has a web site for. A name that is for other services is none.
pub(super) fn is_browsed(plan: &Plan, name: &PlannedName) -> bool {
    if let Some(services) = name.services.as_ref().filter(|s| !s.is_empty()) {
        return name.table == Table::Legacy || services.iter().any(is_web);
    }
    let led = plan.servers.iter().any(|s| s.redirects.iter().any(|r| r.value == name.name));
    let web = |target: Target, phase: Phase| services_of(plan, target, phase).iter().any(is_web);
    let mut all = Phase::ALL.into_iter().flat_map(|phase| plan.view_ids().map(move |view| (view, phase)));
    name.table == Table::Legacy || led || all.any(|(v, phase)| reach::targets(name, v, phase).any(|t| web(t, phase)))
}
