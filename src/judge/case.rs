//! What lies before the judge: plan, obligations, evidence, what is asked, and at what time.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};

use jiff::Timestamp;
use smallvec::SmallVec;

use super::certificates::Certificates;
use super::evidence::{Evidence, Found, Look};
use super::order::{ANY_FACE, KnownName, KnownPlace, Place, of_face};
use crate::model::certificate::BlobId;
use crate::model::dns::ResolverAddr;
use crate::model::obligation::{Claim, Obligation};
use crate::model::observation::{Probe, Run};
use crate::model::phase::Moment;
use crate::model::plan::{NameId, Plan, PoolId, ServerId, Target, View, ViewId, Wanted};
use crate::model::policy::{Policy, Scope};
use crate::model::service::Way;
use crate::model::tls::Face;
use crate::parallel;

/// Some views; mostly few.
pub(super) type Views = SmallVec<[ViewId; 2]>;

/// What lies before the judge.
pub(super) struct Case<'a> {
    pub(super) plan: &'a Plan,
    pub(super) obligations: &'a [Obligation],
    pub(super) policy: &'a Policy,
    pub(super) evidence: &'a Evidence<'a>,
    pub(super) certificates: &'a Certificates<'a>,
    pub(super) now: Timestamp,
    /// Of each obligation: the views in which it is due.
    due: Due,
    /// The number by which the evidence knows each name, as it is asked for.
    names: Vec<Option<KnownName>>,
    /// The number by which the evidence knows each view's resolvers.
    resolvers: Vec<Vec<Option<KnownPlace>>>,
    /// The addresses at which each server is asked itself.
    own_of: Vec<Vec<IpAddr>>,
    /// What path obligations are about, sorted.
    claimed: Vec<Claimed>,
    /// Whose an address is in a view.
    owners: BTreeMap<(ViewId, IpAddr), Target>,
    /// Those of all servers.
    own: BTreeSet<IpAddr>,
    /// The highest TTL of each name that was seen in a view before it flipped.
    old_ttls: BTreeMap<(ViewId, NameId), u32>,
}

/// Evidence that something between us and the world answers in its place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Suspicion {
    /// Resolvers whose answers are not believed, by view and index.
    pub(super) resolvers: BTreeSet<(ViewId, usize)>,
    /// Resolvers that have an address for what cannot exist: what is absent cannot be learned from them.
    pub(super) liars: BTreeSet<(ViewId, usize)>,
    /// Leaves that a proxy seems to have made.
    pub(super) leaves: BTreeSet<BlobId>,
    /// The addresses that all plain resolvers give for whatever they are asked; empty if there are none.
    pub(super) one_answer: BTreeSet<IpAddr>,
}

impl<'a> Case<'a> {
    /// Lays the case out; says what is due.
    pub(super) fn new(
        plan: &'a Plan,
        obligations: &'a [Obligation],
        policy: &'a Policy,
        evidence: &'a Evidence<'a>,
        certificates: &'a Certificates<'a>,
        now: Timestamp,
    ) -> Self {
        let own_of: Vec<Vec<IpAddr>> = plan.servers.iter().map(|s| s.own_addresses(&plan.views)).collect();
        let place = |view: &View, r: &ResolverAddr| evidence.place(&Place::Resolver(&view.label, r));
        let of_view = |v: &View| v.resolvers.iter().map(|r| place(v, &r.value)).collect();
        let mut case = Self {
            plan,
            obligations,
            policy,
            evidence,
            certificates,
            now,
            due: Due::default(),
            names: parallel::each(plan.names.len(), |i| evidence.name(&plan.names[i].name.probe())),
            resolvers: plan.views.iter().map(of_view).collect(),
            own: own_of.iter().flatten().copied().collect(),
            own_of,
            claimed: claimed(obligations),
            owners: owners(plan),
            old_ttls: old_ttls(plan, evidence),
        };
        case.due = Due::of_all(parallel::each(obligations.len(), |i| case.due_views(&obligations[i])));
        case
    }

    /// True if the obligation must hold at the moment that is asked about.
    pub(super) fn is_due(&self, obligation: usize) -> bool {
        !self.due_in(obligation).is_empty()
    }

    /// The views in which it must.
    pub(super) fn due_in(&self, obligation: usize) -> &[ViewId] {
        self.due.of(obligation)
    }

    /// The views whose clients an obligation is judged for: those in which it is due, else all that it names.
    pub(super) fn views(&self, obligation: usize) -> Views {
        match self.due_in(obligation) {
            [] => self.obligations[obligation].holds.iter().map(|(v, _)| *v).collect(),
            due => due.into(),
        }
    }

    /// The number by which the evidence knows a name of the plan.
    pub(super) fn known(&self, name: NameId) -> Option<KnownName> {
        self.names.get(name.0).copied().flatten()
    }

    /// The number by which the evidence knows a view's resolver.
    pub(super) fn resolver(&self, view: ViewId, index: usize) -> Option<KnownPlace> {
        self.resolvers.get(view.0)?.get(index).copied().flatten()
    }

    /// The addresses at which a server is asked itself.
    pub(super) fn own_addresses(&self, server: ServerId) -> &[IpAddr] {
        self.own_of.get(server.0).map_or(&[], Vec::as_slice)
    }

    /// What was seen of an endpoint under a name of the plan, by the runs that count.
    pub(super) fn endpoint(&self, name: NameId, at: SocketAddr, way: Way, counts: impl Fn(&Run) -> bool) -> Found {
        self.evidence.known(self.evidence.place(&Place::Endpoint(at, way)), self.known(name), ANY_FACE, counts)
    }

    /// As [`Case::endpoint`], where it was asked for one kind of key alone.
    pub(super) fn face(
        &self,
        name: NameId,
        at: SocketAddr,
        way: Way,
        face: Face,
        counts: impl Fn(&Run) -> bool,
    ) -> Found {
        let counts = |run: &Run| !run.resolves_at_proxy() && counts(run);
        self.evidence.known(self.evidence.place(&Place::Endpoint(at, way)), self.known(name), of_face(face), counts)
    }

    /// Addresses that some path obligation of this name, view and service is about.
    pub(super) fn is_claimed(&self, name: NameId, view: ViewId, port: u16, way: Way, address: IpAddr) -> bool {
        self.claimed.binary_search(&(name, view, port, way, address)).is_ok()
    }

    fn due_views(&self, obligation: &Obligation) -> Views {
        if !self.policy.asks_for(self.plan, obligation) || !self.is_in_scope(obligation) {
            return Views::new();
        }
        let asked = |view: ViewId| self.policy.views.as_ref().is_none_or(|views| views.contains(&view));
        let holds = obligation.holds.iter();
        holds
            .filter(|(v, moments)| asked(*v) && moments.contains(self.policy.moment(self.plan, *v)))
            .filter(|(v, _)| !self.is_drained(obligation, *v))
            .map(|(v, _)| *v)
            .collect()
    }

    /// Without a network only what plan and files say can be judged.
    fn is_in_scope(&self, obligation: &Obligation) -> bool {
        use crate::model::plan::CertificateSource::{File, From, Names, Thumbprint};
        match (self.policy.scope, &*obligation.claim) {
            (Scope::All, _) => true,
            (Scope::Files, Claim::Covers { certificate, .. }) => match self.plan.certificate(*certificate).source {
                File(_) | Names(_) => true,
                Thumbprint | From(_) => false,
            },
            (Scope::Files, _) => false,
        }
    }

    /// True if no cache of the view can lead to the old target any more. Without a time of the flip it never has drained;
    /// the time that the plan gives is that of the flip into the phase where the view stands, and of no other.
    fn is_drained(&self, obligation: &Obligation, view: ViewId) -> bool {
        let moment = self.policy.moment(self.plan, view);
        if !matches!(moment, Moment::Steady(_)) || self.plan.standing.get(view.0) != Some(&moment) {
            return false;
        }
        let (Some(drain), Some(flipped)) = (obligation.drain, self.plan.cutover.flipped.get(view.0).copied().flatten())
        else {
            return false;
        };
        let ttl = self.old_ttls.get(&(view, obligation.name)).copied();
        let cutover = &self.plan.cutover;
        let margin = cutover.propagation.get(view.0).copied().unwrap_or(0).saturating_add(cutover.slack);
        let hold = drain.hold.max(ttl.map_or(0, |t| t.saturating_add(margin)));
        flipped.as_second().saturating_add(i64::from(hold)) < self.now.as_second()
    }

    /// The server or pool that has an address in a view.
    pub(super) fn owner(&self, view: ViewId, address: IpAddr) -> Option<Target> {
        self.owners.get(&(view, address)).copied()
    }

    /// True if at the moment that is asked about the plan leads a name to somebody else's host.
    pub(super) fn leads_to_host(&self, name: NameId, view: ViewId) -> bool {
        let (first, second) = self.policy.moment(self.plan, view).phases();
        let is = |t: &Target| matches!(t, Target::Server(id) if self.plan.server(*id).host.is_some());
        [Some(first), second].into_iter().flatten().any(|phase| match self.plan.name(name).wanted(view, phase) {
            Wanted::Targets(targets) => targets.iter().any(is),
            _ => false,
        })
    }

    /// True if some server is asked itself at this address.
    pub(super) fn is_own(&self, address: IpAddr) -> bool {
        self.own.contains(&address)
    }
}

/// The views in which each of many obligations is due: few differ.
#[derive(Default)]
struct Due {
    different: Vec<Views>,
    /// Of each obligation: which of these.
    which: Vec<u32>,
}

impl Due {
    fn of_all(all: Vec<Views>) -> Self {
        let (mut different, mut known) = (Vec::new(), HashMap::new());
        let which = |views: Views| {
            *known.entry(views).or_insert_with_key(|views| {
                different.push(views.clone());
                different.len() as u32 - 1
            })
        };
        let which = all.into_iter().map(which).collect::<Box<[u32]>>().into_vec();
        Self { different, which }
    }

    fn of(&self, obligation: usize) -> &[ViewId] {
        &self.different[self.which[obligation] as usize]
    }
}

/// An address that some path obligation of a name, view and service is about.
type Claimed = (NameId, ViewId, u16, Way, IpAddr);

fn claimed(obligations: &[Obligation]) -> Vec<Claimed> {
    let mut out: Vec<Claimed> = Vec::new();
    for obligation in obligations {
        if let (name, Claim::Path { view, service, addresses, .. }) = (obligation.name, &*obligation.claim) {
            out.extend(addresses.iter().map(|a| (name, *view, service.port, service.way, *a)));
        }
    }
    out.sort_unstable();
    out
}

/// A pool's address before a server's: the balancer answers there.
fn owners(plan: &Plan) -> BTreeMap<(ViewId, IpAddr), Target> {
    let servers = plan.servers.iter().enumerate().map(|(i, s)| (Target::Server(ServerId(i)), &s.addresses));
    let pools = plan.pools.iter().enumerate().map(|(i, p)| (Target::Pool(PoolId(i)), &p.addresses));
    let mut out = BTreeMap::new();
    for (target, addresses) in pools.chain(servers) {
        for (view, all) in addresses.iter().enumerate() {
            for address in all {
                out.entry((ViewId(view), *address)).or_insert(target);
            }
        }
    }
    out
}

/// However old such an observation is, it says what caches may have held.
fn old_ttls(plan: &Plan, evidence: &Evidence) -> BTreeMap<(ViewId, NameId), u32> {
    let mut out = BTreeMap::new();
    if plan.cutover.flipped.iter().all(Option::is_none) {
        return out;
    }
    let names: BTreeMap<_, NameId> = plan.names.iter().enumerate().map(|(i, n)| (n.name.probe(), NameId(i))).collect();
    for (look, seen) in evidence.looks() {
        let Probe::Dns(probe) = &seen.probe else { continue };
        if !probe.is_of_clients() {
            continue;
        }
        let view = plan.view_ids().find(|v| plan.view(*v).label == probe.view);
        let (Some(view), Some(name)) = (view, names.get(&probe.name)) else { continue };
        let flipped = plan.cutover.flipped.get(view.0).copied().flatten();
        if let (true, Some(ttl)) = (flipped.is_some_and(|f| seen.at <= f), highest_ttl(evidence, look)) {
            let highest: &mut u32 = out.entry((view, *name)).or_default();
            *highest = ttl.max(*highest);
        }
    }
    out
}

/// The highest TTL of an answer, its aliases included.
fn highest_ttl(evidence: &Evidence, look: Look) -> Option<u32> {
    let reply = evidence.dns(look)?.reply()?;
    reply.chain.iter().map(|l| l.ttl).chain(reply.addresses.iter().map(|a| a.ttl)).max()
}
