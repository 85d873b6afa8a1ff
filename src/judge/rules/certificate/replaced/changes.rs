//! The changes of certificates that the plan declares around a moment: of servers, of balancers, and of names that have
//! their own.

use std::collections::BTreeSet;

use super::Change;
use crate::judge::case::Case;
use crate::judge::certificates::Content;
use crate::model::phase::{Moment, Phase};
use crate::model::plan::{CertId, CertificatePart, NameId, Plan, Pool, PoolId, ServerId, Target, Wanted};
use crate::model::service::{Service, services_of};
use crate::model::source::Located;

pub(super) fn changes(case: &Case) -> Vec<Change> {
    let plan = case.plan;
    let servers = plan.servers.iter().enumerate().filter(|(_, s)| s.certificate.is_some());
    let servers =
        servers.flat_map(|(i, s)| s.services.iter().map(move |w| (Target::Server(ServerId(i)), w.value.clone())));
    let pools = plan.pools.iter().enumerate().filter(|(_, p)| p.certificate.is_some());
    let pools = pools.flat_map(|(i, p)| services(plan, p).into_iter().map(move |s| (Target::Pool(PoolId(i)), s)));
    let at: Vec<(Target, Service)> = servers.chain(pools).collect();
    let steps = steps(case);
    let change = |(from, to, ahead): (Phase, Phase, bool)| {
        let of = move |(target, service): &(Target, Service)| (*target, service.clone());
        at.iter().map(of).map(move |(target, service)| Change { target, service, name: None, from, to, ahead })
    };
    let own = (0..plan.names.len()).map(NameId).filter(|n| may_change(case, *n));
    let own = own.flat_map(|n| steps.iter().flat_map(move |step| of_name(case, n, *step)));
    steps.iter().copied().flat_map(change).chain(own).collect()
}

/// True if a name's own certificates are others in some phase or for some service, or may have been issued anew. Many names
/// have one certificate for good, of which only the names are known.
fn may_change(case: &Case, name: NameId) -> bool {
    let is_issued = |c: &CertId| matches!(case.certificates.content(*c), Content::Leaves(_));
    match case.plan.name(name).certificate.as_ref().map(|c| c.parts.as_slice()) {
        None => false,
        Some([CertificatePart { from: None, word: None, certificates }]) if !certificates.is_empty() => {
            certificates.iter().any(is_issued)
        }
        Some(_) => true,
    }
}

/// The changes of a name's own certificates, at the targets to which it leads before and after; where it moves, the old
/// target goes on with what it has.
fn of_name(case: &Case, name: NameId, (from, to, ahead): (Phase, Phase, bool)) -> Vec<Change> {
    let (plan, planned) = (case.plan, case.plan.name(name));
    let targets = |phase: Phase| -> BTreeSet<Target> {
        let led = plan.view_ids().flat_map(|v| match planned.wanted(v, phase) {
            Wanted::Targets(targets) => &targets[..],
            _ => &[],
        });
        led.flat_map(|t| ends(plan, *t, phase)).collect()
    };
    let before = targets(from);
    let mut out = Vec::new();
    for target in targets(to).into_iter().filter(|t| before.contains(t)) {
        let here = match target {
            Target::Server(id) => plan.server(id).services.iter().map(|s| s.value.clone()).collect(),
            Target::Pool(id) => services(plan, plan.pool(id)),
        };
        let asked = |s: &Service| {
            planned.services.as_ref().is_none_or(|own| own.iter().any(|o| (o.port, o.way) == (s.port, s.way)))
        };
        let change = |service| Change { target, service, name: Some(name), from, to, ahead };
        out.extend(here.into_iter().filter(asked).map(change));
    }
    out
}

/// Where TLS ends behind a target: at each member of a pool that passes it through.
pub(in super::super) fn ends(plan: &Plan, target: Target, phase: Phase) -> Vec<Target> {
    match target {
        Target::Pool(id) if plan.pool(id).members_must_serve() => {
            plan.pool(id).servers(phase).iter().copied().map(Target::Server).collect()
        }
        other => vec![other],
    }
}

/// A balancer's own services, or those of its members; where nobody knows these, it serves the web at least.
fn services(plan: &Plan, pool: &Pool) -> Vec<Service> {
    let of = |services: &[Located<Service>]| services.iter().map(|s| s.value.clone()).collect::<Vec<_>>();
    let mut out = match &pool.services {
        Some(own) => of(own),
        None => pool.all_members().iter().flat_map(|m| of(&plan.server(*m).services)).collect(),
    };
    if out.is_empty() {
        out.extend(services_of("https").into_iter().flatten());
    }
    let mut once = BTreeSet::new();
    out.retain(|s| once.insert((s.word, s.port)));
    out
}

/// From which phase to which, and whether it is ahead: the step that is asked about, or the last one and the next.
fn steps(case: &Case) -> BTreeSet<(Phase, Phase, bool)> {
    let asked = |v: &_| case.policy.views.as_ref().is_none_or(|views| views.contains(v));
    let mut out = BTreeSet::new();
    for view in case.plan.view_ids().filter(asked) {
        match case.policy.moment(case.plan, view) {
            Moment::Transition(p, q) | Moment::Ready(p, q) => {
                out.insert((p, q, true));
            }
            Moment::Steady(p) => {
                out.extend(p.previous().map(|before| (before, p, false)));
                out.extend(Phase::ALL.into_iter().find(|q| *q > p).map(|next| (p, next, true)));
            }
        }
    }
    out
}
