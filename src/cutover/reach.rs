//! Who the clients are, and which nodes their names lead to.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::records::{self, Names, Sets, foreign_host};
use super::{hsts, nodes};
use crate::model::cutover::{CacheKey, CacheKind, ClientPath, Datum, NodeId};
use crate::model::dns::RecordType;
use crate::model::name::Name;
use crate::model::phase::Phase;
use crate::model::plan::{Plan, PlannedName, Target, ViewId, Wanted, asked_at};
use crate::model::records::RecordData;
use crate::model::service::{self, Service};

/// The names that clients are led to each port of each node under, in a phase.
pub(super) type Led = BTreeMap<(NodeId, u16), BTreeSet<Name>>;

/// Where the names of every view lead in its phase.
pub(super) fn led(plan: &Plan, phases: &[Phase]) -> Led {
    let mut out = Led::new();
    for (view, phase) in plan.view_ids().zip(phases) {
        for name in &plan.names {
            for target in targets(name, view, *phase) {
                for service in asked_at(plan, name, target, *phase) {
                    for node in nodes::of_target(plan, target, *phase) {
                        out.entry((node, service.port)).or_default().insert(name.name.probe());
                    }
                }
            }
        }
    }
    out
}

/// A name and those above it, the nearest first.
pub(super) fn and_above(name: &Name) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(name.as_str()), |n| n.split_once('.').map(|(_, up)| up))
}

/// The nodes that any name leads to in some phases, whatever listens there.
pub(super) fn nodes(plan: &Plan, phases: [Phase; 2]) -> BTreeSet<NodeId> {
    let mut out = BTreeSet::new();
    for (view, phase) in plan.view_ids().flat_map(|view| phases.map(|phase| (view, phase))) {
        let all = plan.names.iter().flat_map(|name| targets(name, view, phase));
        out.extend(all.flat_map(|target| nodes::of_target(plan, target, phase)));
    }
    out
}

/// The targets of a name, those of others left out by the caller.
pub(super) fn targets(name: &PlannedName, view: ViewId, phase: Phase) -> impl Iterator<Item = Target> + '_ {
    let targets: &[Target] = match name.wanted(view, phase) {
        Wanted::Targets(targets) => targets,
        _ => &[],
    };
    targets.iter().copied()
}

/// Every client path of both phases, sorted, and what is left out of the proof, in words.
///
/// `hsts` are the sites that browsers may remember, and whether all below them with them.
pub(super) fn paths<'a>(
    plan: &'a Plan,
    from: &[Phase],
    to: &[Phase],
    sets: [&Sets; 2],
    hsts: &'a BTreeMap<(ViewId, Name), bool>,
) -> (Vec<ClientPath>, Vec<String>) {
    let hsts = hsts.iter().map(|((view, site), below)| ((*view, site.as_str()), *below)).collect();
    let mut all = Paths { plan, names: records::names(plan), hsts, out: BTreeSet::new(), left_out: BTreeSet::new() };
    for (view, (from, to)) in plan.view_ids().zip(from.iter().zip(to)) {
        for name in &plan.names {
            all.of_name(name, view, [*from, *to]);
            all.by_hsts(name, view, [*from, *to]);
        }
        for key in sets.iter().flat_map(|s| s.keys()).filter(|k| k.view == view) {
            all.of_key(key, [*from, *to], sets);
        }
    }
    (all.out.into_iter().collect(), all.left_out.into_iter().collect())
}

struct Paths<'a> {
    plan: &'a Plan,
    names: Names<'a>,
    /// Sites that browsers may remember, and whether all below them with them.
    hsts: HashMap<(ViewId, &'a str), bool>,
    out: BTreeSet<ClientPath>,
    left_out: BTreeSet<String>,
}

impl Paths<'_> {
    fn add(&mut self, view: ViewId, name: &Name, entry: CacheKind, service: &Service) {
        self.insert(view, name, entry, service, false);
    }

    fn insert(&mut self, view: ViewId, name: &Name, entry: CacheKind, service: &Service, by_hsts: bool) {
        let path = |sni| ClientPath { view, name: name.clone(), entry, service: service.clone(), sni, by_hsts };
        self.out.insert(path(true));
        if self.plan.view(view).without_sni {
            self.out.insert(path(false));
        }
    }

    /// Browsers that come in the clear, and remember that the name is for TLS only: where https is followed anyway, they
    /// meet what all meet.
    fn by_hsts(&mut self, name: &PlannedName, view: ViewId, phases: [Phase; 2]) {
        let owner = name.name.probe();
        let is_remembered = and_above(&owner).enumerate().any(|(up, site)| {
            let below = self.hsts.get(&(view, site));
            below.is_some_and(|below| up == 0 || *below)
        });
        let ours = |t: Target| foreign_host(self.plan, t).is_none();
        let stands = phases.into_iter().any(|phase| targets(name, view, phase).any(ours));
        if !is_remembered || !stands || !hsts::is_browsed(self.plan, name) {
            return;
        }
        let is_followed = |p: &ClientPath| {
            p.view == view && p.name == owner && p.entry == CacheKind::A && p.service.port == hsts::PORT
        };
        let from = ClientPath {
            view,
            name: owner.clone(),
            entry: CacheKind::A,
            service: Service { word: "", port: 0, way: service::Way::Implicit },
            sni: false,
            by_hsts: false,
        };
        if self.out.range(from..).take_while(|p| p.view == view && p.name == owner).any(is_followed) {
            return;
        }
        for service in service::services_of("https").unwrap_or_default() {
            self.insert(view, &owner, CacheKind::A, &service, true);
            if self.left_out.remove(&half_served(name, &service)) {
                self.left_out.insert(half_served(name, &service) + ", but for browsers that remember HSTS");
            }
        }
    }

    fn of_name(&mut self, name: &PlannedName, view: ViewId, phases: [Phase; 2]) {
        let [from, to] = phases.map(|phase| self.services(name, view, phase));
        // Caches may lead to the servers of the phase before.
        let earlier = phases[0].previous().and_then(|phase| self.services(name, view, phase));
        let from = match (from, earlier) {
            (Some(from), Some(earlier)) => Some(self.common(name, from, &earlier)),
            (from, _) => from,
        };
        let services = match (from, to) {
            (Some(from), Some(to)) => self.common(name, from, &to),
            (from, to) => from.or(to).unwrap_or_default(),
        };
        services.iter().for_each(|s| self.add(view, &name.name.probe(), CacheKind::A, s));
    }

    /// What two sets of servers both have; what only one has is left out.
    fn common(&mut self, name: &PlannedName, old: Vec<Service>, new: &[Service]) -> Vec<Service> {
        let has = |all: &[Service], s: &Service| all.iter().any(|o| (o.port, o.way) == (s.port, s.way));
        let one = old.iter().filter(|s| !has(new, s)).chain(new.iter().filter(|s| !has(&old, s)));
        for service in one {
            self.left_out.insert(half_served(name, service));
        }
        old.into_iter().filter(|s| has(new, s)).collect()
    }

    /// The services that all targets of a name have; `None` if it leads nowhere, or to others only.
    fn services(&self, name: &PlannedName, view: ViewId, phase: Phase) -> Option<Vec<Service>> {
        let ours = targets(name, view, phase).filter(|t| foreign_host(self.plan, *t).is_none());
        ours.map(|t| asked_at(self.plan, name, t, phase)).reduce(|all, more| {
            let same = |s: &Service| more.iter().any(|m| (m.port, m.way) == (s.port, s.way));
            all.into_iter().filter(same).collect()
        })
    }

    /// Mail and services: whoever asks for the RRset goes to the hosts in it.
    fn of_key(&mut self, key: &CacheKey, phases: [Phase; 2], sets: [&Sets; 2]) {
        let hosts: BTreeSet<&Name> = sets.iter().filter_map(|s| s.get(key)).flatten().filter_map(host_of).collect();
        let wanted = match key.kind {
            CacheKind::Mx => service::services_of("smtp").unwrap_or_default(),
            CacheKind::Srv => self.srv_services(key, &hosts, phases),
            _ => return,
        };
        for service in wanted {
            let listens = |host: &&Name| self.listens(host, key.view, phases, &service);
            match hosts.iter().all(listens) {
                true => self.add(key.view, &key.owner, key.kind, &service),
                false => {
                    let line = format!(
                        "{} {} at {service}: the plan names no server that listens there",
                        key.owner,
                        key.kind.word()
                    );
                    self.left_out.insert(line);
                }
            }
        }
    }

    fn listens(&self, host: &Name, view: ViewId, phases: [Phase; 2], service: &Service) -> bool {
        let Some(name) = self.names.get(host).copied() else { return true };
        let mut all = phases.into_iter().flat_map(|phase| targets(name, view, phase).map(move |t| (t, phase)));
        all.all(|(target, phase)| {
            let asked = PlannedName { services: None, ..name.clone() };
            asked_at(self.plan, &asked, target, phase).iter().any(|s| s.port == service.port)
        })
    }

    fn srv_services(&self, key: &CacheKey, hosts: &BTreeSet<&Name>, phases: [Phase; 2]) -> Vec<Service> {
        let records = self.plan.records.iter().filter(|r| r.owner == key.owner && r.kind == RecordType::Srv.word());
        let values = records.filter_map(|r| r.values.get(key.view.0)).flatten().flatten();
        let ports: BTreeSet<u16> =
            values.filter_map(|v| RecordData::parse(RecordType::Srv, v)).filter_map(|r| r.host()?.1).collect();
        let names = hosts.iter().filter_map(|h| self.names.get(*h).copied());
        let at =
            names.flat_map(|n| phases.into_iter().flat_map(move |p| targets(n, key.view, p).map(move |t| (n, t, p))));
        let all: BTreeSet<Service> = at
            .flat_map(|(n, t, p)| asked_at(self.plan, &PlannedName { services: None, ..n.clone() }, t, p))
            .filter(|s| ports.contains(&s.port))
            .collect();
        all.into_iter().collect()
    }
}

fn half_served(name: &PlannedName, service: &Service) -> String {
    format!("{} at {service}: only old or only new servers listen there", name.name)
}

fn host_of(datum: &Datum) -> Option<&Name> {
    match datum {
        Datum::Host(name) => Some(name),
        _ => None,
    }
}
