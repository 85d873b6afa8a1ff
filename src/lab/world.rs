//! The world as data: who answers what, who serves what. Nothing runs yet.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use super::certificates::{Issue, IssueId, Uses};
use super::delegations::{self, Parent};
use super::machines::{Groups, Machine, Machines, endpoints, hosts};
use super::proxies::Leading;
use super::records;
use super::zone::{Entry, Zone};
use crate::model::dns::ResolverAddr;
use crate::model::phase::{Moment, Phase};
use crate::model::plan::{Plan, ViewId};
use crate::model::proxy::ProxyKind;

/// A description of a world, before it is started.
#[derive(Clone, Debug)]
pub struct World {
    pub(super) plan: Plan,
    /// Where each view stands.
    pub(super) moments: Vec<Moment>,
    pub(super) views: Vec<ViewWorld>,
    pub(super) machines: Vec<Machine>,
    pub(super) endpoints: BTreeMap<SocketAddr, Groups>,
    pub(super) issues: Vec<Issue>,
    /// The issue of each of the plan's certificates.
    pub(super) declared: Vec<IssueId>,
    /// What is wrong with the files of certificates, by their labels.
    pub(super) files: BTreeMap<String, FileFault>,
    /// The certificates whose keys stand in TLSA records, by the mail host; made into records when the world starts.
    pub(super) tlsa: BTreeMap<String, BTreeSet<IssueId>>,
    pub(super) root_expired: bool,
    /// A proxy in the way shows certificates of its own.
    pub(super) inspected: bool,
}

/// What a view's clients are told by its resolvers.
#[derive(Clone, Debug)]
pub(super) struct ViewWorld {
    pub zone: Zone,
    pub resolvers: Vec<(ResolverAddr, Mood)>,
    /// The servers of its zones, and what each holds.
    pub servers: Vec<(ResolverAddr, Holds)>,
    /// The zones above them.
    pub parents: BTreeMap<String, Parent>,
    /// What the first resolver knows otherwise, by name.
    pub apart: BTreeMap<String, Entry>,
    /// Questions in the clear are answered by somebody in the way, with the zone of this view.
    pub intercepted_by: Option<usize>,
    /// The proxy that leads into it, and how it treats its clients.
    pub proxy: Option<(ProxyKind, Leading)>,
}

/// What is wrong with a file of certificates, and with nothing that is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileFault {
    /// It holds a private key.
    WithKey,
    /// Its intermediate has the issuer's name and another key.
    OtherIntermediate,
    /// It ends in the middle.
    CutOff,
    /// It is a PFX file as current programs write it.
    PfxOfToday,
}

/// What a zone's server has of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    All,
    /// The zone of before the last change.
    Older,
    /// It refuses.
    Nothing,
}

/// How a resolver behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    Answers,
    Silent,
    Refuses,
    Fails,
    /// Over UDP every answer is truncated.
    Truncates,
    /// What comes is no DNS message.
    Garbles,
}

impl World {
    /// The world in which everything is as the plan wants it in a moment.
    pub fn of(plan: &Plan, moment: Moment) -> Self {
        Self::at(plan, vec![moment; plan.views.len()])
    }

    /// The world in which everything is as the plan wants it where it says that each view stands.
    pub fn standing(plan: &Plan) -> Self {
        Self::at(plan, plan.standing.clone())
    }

    /// As [`World::of`], with a moment for each view; views for which none is given are before everything.
    pub fn at(plan: &Plan, mut moments: Vec<Moment>) -> Self {
        moments.resize(plan.views.len(), Moment::Steady(Phase::Before));
        let hosts = hosts(plan);
        let (mut issues, declared) = Uses(plan).issues();
        let latest = latest(&moments);
        let machines = Machines { plan, latest, declared: &declared, issues: &mut issues }.build();
        let endpoints = endpoints(plan, &moments, &machines, &hosts);
        let mut taken: BTreeSet<SocketAddr> =
            plan.views.iter().flat_map(|v| &v.resolvers).map(|r| r.value.addr).collect();
        let mut servers = |id: ViewId| {
            let zones = plan.zones.iter().filter(|z| z.views.first() == Some(&id)).flat_map(|z| &z.servers);
            let declared = zones.map(|s| s.value.clone());
            let named = delegations::parents(plan, id).into_values().flat_map(|p| p.cuts.into_values().flatten());
            let named = named.flat_map(|(_, glue)| glue).map(delegations::at);
            declared.chain(named).filter(|s| taken.insert(s.addr)).map(|s| (s, Holds::All)).collect()
        };
        let view = |id: ViewId| ViewWorld {
            servers: servers(id),
            parents: delegations::parents(plan, id),
            zone: Zone::of(plan, id, moments[id.0], &hosts),
            resolvers: plan.view(id).resolvers.iter().map(|r| (r.value.clone(), Mood::Answers)).collect(),
            apart: BTreeMap::new(),
            intercepted_by: None,
            proxy: plan.view(id).proxy.as_ref().map(|p| (p.value.kind, Leading::Leads)),
        };
        let views = plan.view_ids().map(view).collect();
        let plan = plan.clone();
        let tlsa = records::tlsa(&plan, &machines);
        let (files, root_expired, inspected) = (BTreeMap::new(), false, false);
        Self { plan, moments, views, machines, endpoints, issues, declared, files, tlsa, root_expired, inspected }
            .with_policies()
    }

    /// The latest phase that any view touches.
    pub(super) fn latest(&self) -> Phase {
        latest(&self.moments)
    }

    /// The machines of the plan's servers and pools; those of others come after them.
    pub(super) fn planned(&self) -> &[Machine] {
        let count = self.plan.servers.len() + self.plan.pools.len();
        self.machines.get(..count).unwrap_or(&self.machines)
    }

    /// The certificates that the plan's machines show.
    pub(super) fn shown(&self) -> BTreeSet<IssueId> {
        self.planned().iter().flat_map(|m| m.doors.values()).flat_map(|d| d.shown()).collect()
    }
}

fn latest(moments: &[Moment]) -> Phase {
    let last = |m: &Moment| m.phases().1.unwrap_or(m.phases().0);
    moments.iter().map(last).max().unwrap_or(Phase::Before)
}
