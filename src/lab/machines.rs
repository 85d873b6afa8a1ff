//! Who listens where, and what is shown there: servers, balancers, and the logical addresses that lead to them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use super::certificates::{Issue, IssueId, Uses, services_of};
use super::old_tls::Age;
use super::web::Web;
use crate::model::phase::{Moment, Phase};
use crate::model::plan::{CertId, Members, NameId, Plan, PoolId, PoolTls, ServerId, Target, ViewId};
use crate::model::service::Way;

/// Index in [`super::World::machines`]: the servers first, then a balancer for each pool.
pub(super) type MachineId = usize;

/// A server, or a balancer where TLS ends.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    pub label: Arc<str>,
    /// What listens, by port; a balancer that passes TLS through has nothing of its own.
    pub doors: BTreeMap<u16, Door>,
}

/// A listening port.
#[derive(Clone, Debug)]
pub(super) struct Door {
    /// The plan's service word.
    pub word: &'static str,
    pub way: Way,
    pub manner: Manner,
    /// What is shown under a name; a wildcard stands for one label.
    pub by_name: BTreeMap<String, IssueId>,
    /// What is shown under any other name, and without one.
    pub default: IssueId,
    /// False: the intermediate is not sent.
    pub whole_chain: bool,
    /// True: the key is not the certificate's.
    pub wrong_key: bool,
    /// What is answered to who speaks HTTP.
    pub web: Web,
}

/// How a port behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    Serves,
    /// Nobody listens.
    Closed,
    /// Connections are taken and nothing is said.
    Silent,
    /// HTTP in the clear.
    PlainHttp,
    /// Speaks TLS as before current clients.
    Old(Age),
    StarttlsMissing,
    StarttlsRefused,
    /// A line in the clear stands behind the go-ahead.
    StarttlsInjected,
}

impl Door {
    /// From now on, shows one certificate under every name.
    pub fn show_only(&mut self, issue: IssueId) {
        self.by_name.clear();
        self.default = issue;
    }

    /// Every certificate that is shown here.
    pub fn shown(&self) -> impl Iterator<Item = IssueId> {
        self.by_name.values().copied().chain([self.default])
    }
}

/// What answers at a logical address and port. In a group, connections go round; of several groups (two servers behind
/// one public address), the first that knows the name answers.
pub(super) type Groups = Vec<Vec<MachineId>>;

/// Builds the machines of a plan for the latest phase that counts.
pub(super) struct Machines<'a> {
    pub plan: &'a Plan,
    pub latest: Phase,
    /// The issue of each declared certificate.
    pub declared: &'a [IssueId],
    pub issues: &'a mut Vec<Issue>,
}

impl Machines<'_> {
    pub fn build(&mut self) -> Vec<Machine> {
        let servers = (0..self.plan.servers.len()).map(|i| Target::Server(ServerId(i)));
        let pools = (0..self.plan.pools.len()).map(|i| Target::Pool(PoolId(i)));
        servers.chain(pools).map(|target| self.machine(target)).collect::<Vec<_>>()
    }

    fn machine(&mut self, target: Target) -> Machine {
        let mut machine = Machine { label: self.plan.target_label(target).clone(), doors: BTreeMap::new() };
        let mut own = None;
        if ends_tls(self.plan, target) {
            for (port, word, way) in services_of(self.plan, target) {
                let door = self.door(target, word, way, self.latest, &mut own);
                machine.doors.entry(port).or_insert(door);
            }
        }
        machine
    }

    /// A port as it is in a phase. `own` is the certificate made for a target that declares none.
    pub fn door(
        &mut self,
        target: Target,
        word: &'static str,
        way: Way,
        phase: Phase,
        own: &mut Option<IssueId>,
    ) -> Door {
        let mut by_name = BTreeMap::new();
        let uses = Uses(self.plan);
        for name in uses.name_ids() {
            if let Some(issue) = self.shown_for(name, target, word, phase) {
                by_name.insert(self.plan.name(name).name.to_string(), issue);
            }
        }
        let picked = self.default_of(target, word, phase).or_else(|| by_name.values().next().copied());
        let default = picked.unwrap_or_else(|| *own.get_or_insert_with(|| self.make(target)));
        let manner = Manner::Serves;
        Door { word, way, manner, by_name, default, whole_chain: true, wrong_key: false, web: Web::default() }
    }

    /// What a target shows for a name that leads to it in this phase or led to it before: caches still send clients
    /// there. What is declared for this phase comes first, if it covers the name.
    fn shown_for(&self, name: NameId, target: Target, word: &str, now: Phase) -> Option<IssueId> {
        let uses = Uses(self.plan);
        let mut candidates: Vec<CertId> = Vec::new();
        for phase in Phase::ALL.into_iter().rev().filter(|p| *p <= now) {
            if uses.targets(name, phase).contains(&target) {
                candidates.extend(uses.declared(name, target, word, now));
                candidates.extend(uses.declared(name, target, word, phase));
            }
        }
        let issues: Vec<IssueId> = candidates.into_iter().map(|c| self.declared[c.0]).collect();
        let text = self.plan.name(name).name.as_str();
        issues.iter().find(|i| self.issues[**i].covers(text)).or(issues.first()).copied()
    }

    fn default_of(&self, target: Target, word: &str, phase: Phase) -> Option<IssueId> {
        let choice = match target {
            Target::Server(id) => self.plan.server(id).certificate.as_ref(),
            Target::Pool(id) => self.plan.pool(id).certificate.as_ref(),
        };
        let picked = choice.and_then(|c| c.pick(word, phase).first().copied());
        let picked = picked.or_else(|| Uses(self.plan).served_by(target).first().copied());
        picked.map(|c| self.declared[c.0])
    }

    /// The certificate of a target that declares none: it has all names that lead there.
    fn make(&mut self, target: Target) -> IssueId {
        let label = self.plan.target_label(target).clone();
        let mut names = Uses(self.plan).names_at(target);
        if let Target::Server(id) = target {
            names.extend(self.plan.server(id).host.as_ref().map(|h| h.value.to_string()));
        }
        let issue = if names.is_empty() { Issue::out_of_box(&label) } else { Issue::new(&label, names) };
        self.issues.push(issue);
        self.issues.len() - 1
    }
}

/// True if TLS ends at the target itself: at a server, and at a balancer that does not pass it through.
fn ends_tls(plan: &Plan, target: Target) -> bool {
    match target {
        Target::Server(_) => true,
        Target::Pool(id) => {
            let pool = plan.pool(id);
            let opaque = pool.members.contains(&Members::Opaque);
            !pool.is_round_robin() && (opaque || pool.tls != PoolTls::Passthrough)
        }
    }
}

/// Invented addresses (RFC 5737's TEST-NET-2) for hosts of others, by server; none that the plan uses itself.
pub(super) fn hosts(plan: &Plan) -> BTreeMap<usize, IpAddr> {
    let servers = plan.servers.iter().flat_map(|s| s.addresses.iter().flatten());
    let pools = plan.pools.iter().flat_map(|p| p.addresses.iter().flatten());
    let used: BTreeSet<IpAddr> = servers.chain(pools).copied().collect();
    let free = (1..=254).map(|i| IpAddr::V4(Ipv4Addr::new(198, 51, 100, i))).filter(|a| !used.contains(a));
    let foreign = plan.servers.iter().enumerate().filter(|(_, s)| s.host.is_some()).map(|(i, _)| i);
    foreign.zip(free).collect()
}

/// Every logical address and port, and what answers there.
pub(super) fn endpoints(
    plan: &Plan,
    moments: &[Moment],
    machines: &[Machine],
    hosts: &BTreeMap<usize, IpAddr>,
) -> BTreeMap<SocketAddr, Groups> {
    let mut claims: BTreeMap<SocketAddr, Vec<(bool, Vec<MachineId>)>> = BTreeMap::new();
    let mut claim = |address: IpAddr, target: Target, used: bool| {
        let backends = backends(plan, moments, machines, target);
        for (port, ..) in services_of(plan, target) {
            let group: Vec<MachineId> =
                backends.iter().copied().filter(|m| machines[*m].doors.contains_key(&port)).collect();
            let claims = claims.entry(SocketAddr::new(address, port)).or_default();
            if !group.is_empty() && !claims.iter().any(|(_, g)| *g == group) {
                claims.push((used, group));
            }
        }
    };
    for view in plan.view_ids() {
        let used = used_in(plan, view, moments[view.0]);
        for (i, server) in plan.servers.iter().enumerate() {
            let target = Target::Server(ServerId(i));
            let invented = hosts.get(&i);
            server.addresses[view.0].iter().chain(invented).for_each(|a| claim(*a, target, used.contains(&target)));
        }
        for (i, pool) in plan.pools.iter().enumerate() {
            let target = Target::Pool(PoolId(i));
            pool.addresses[view.0].iter().for_each(|a| claim(*a, target, used.contains(&target)));
        }
    }
    claims.into_iter().filter(|(_, c)| !c.is_empty()).map(|(address, claims)| (address, groups(claims))).collect()
}

/// Two targets may share a public address over time (a NAT that is re-pointed): the one that is used now has it.
fn groups(claims: Vec<(bool, Vec<MachineId>)>) -> Groups {
    let any_used = claims.iter().any(|(used, _)| *used);
    claims.into_iter().filter(|(used, _)| *used || !any_used).map(|(_, group)| group).collect()
}

fn used_in(plan: &Plan, view: ViewId, moment: Moment) -> BTreeSet<Target> {
    let (p, q) = moment.phases();
    let mut used = BTreeSet::new();
    for phase in [Some(p), q].into_iter().flatten() {
        for name in &plan.names {
            if let crate::model::plan::Wanted::Targets(targets) = name.wanted(view, phase) {
                used.extend(targets.iter().copied());
            }
        }
    }
    used
}

fn backends(plan: &Plan, moments: &[Moment], machines: &[Machine], target: Target) -> Vec<MachineId> {
    match target {
        Target::Server(id) => vec![id.0],
        Target::Pool(id) if !machines[plan.servers.len() + id.0].doors.is_empty() => vec![plan.servers.len() + id.0],
        Target::Pool(id) => {
            let phases = moments.iter().flat_map(|m| [Some(m.phases().0), m.phases().1]).flatten();
            let members: BTreeSet<MachineId> = phases.flat_map(|p| plan.pool(id).servers(p)).map(|s| s.0).collect();
            members.into_iter().collect()
        }
    }
}
