//! What can be seen only with everything at hand: targets that cannot be reached, names that nobody can serve.

use std::collections::HashSet;

use super::Doubt;
use super::reader::Reader;
use crate::model::phase::Phase;
use crate::model::plan::{
    CertificateChoice, Members, NameId, Plan, PlannedName, PoolId, PoolTls, ServerId, Target, ViewId, Wanted,
};
use crate::model::service::Service;
use crate::model::source::Span;
use crate::plan::error::PlanError;

pub(super) fn check(reader: &Reader, plan: &Plan, doubt: &Doubt) {
    for (at, name) in plan.names.iter().enumerate() {
        let mut told = HashSet::new();
        let mut unmanned = HashSet::new();
        for view in plan.view_ids() {
            for phase in Phase::ALL {
                let wanted = &name.wanted[view.0][phase as usize];
                if let Wanted::Targets(targets) = &wanted.value {
                    let sure = targets.iter().filter(|t| !doubtful(plan, doubt, **t, phase));
                    sure.for_each(|t| {
                        addressed(reader, plan, *t, (view, phase), wanted.span, &mut told);
                        manned(reader, plan, *t, phase, wanted.span, &mut unmanned);
                    });
                }
            }
        }
        if !Phase::ALL.iter().any(|p| targets(name, *p).iter().any(|(t, _)| doubtful(plan, doubt, *t, *p))) {
            certified(reader, plan, NameId(at));
            offered(reader, plan, name);
        }
    }
}

/// True if a mistake in the target, or in a member of it, has been told.
fn doubtful(plan: &Plan, doubt: &Doubt, target: Target, phase: Phase) -> bool {
    let members = match target {
        Target::Pool(id) => plan.pool(id).servers(phase),
        Target::Server(_) => &[],
    };
    doubt.of(target) || members.iter().any(|m| doubt.of(Target::Server(*m)))
}

/// A target needs an address where the name must resolve.
fn addressed(
    reader: &Reader,
    plan: &Plan,
    target: Target,
    (view, phase): (ViewId, Phase),
    span: Span,
    told: &mut HashSet<(Target, ViewId, Span)>,
) {
    let foreign = matches!(target, Target::Server(id) if plan.server(id).host.is_some());
    if foreign || !plan.target_addresses(target, view, phase).is_empty() || !told.insert((target, view, span)) {
        return;
    }
    let (target, view) = (plan.target_label(target), &plan.view(view).label);
    let title = format!("`{target}` has no address in view `{view}`");
    let error = PlanError::at(span, title, "the name must resolve there");
    reader.missing::<()>(
        error.help(format!("add {view} = \"...\" to the address of `{target}`, or narrow the name's audience")),
    );
}

/// A pool needs members of ours whenever a name leads to it: else nothing behind it would be looked at.
fn manned(reader: &Reader, plan: &Plan, target: Target, phase: Phase, span: Span, told: &mut HashSet<(PoolId, Span)>) {
    let Target::Pool(id) = target else { return };
    let pool = plan.pool(id);
    let Members::Servers(members) = &pool.members[phase as usize] else { return };
    let foreign = members.iter().find(|m| plan.server(**m).host.is_some());
    let error = match foreign {
        None if !members.is_empty() => return,
        None => {
            PlanError::at(span, format!("pool `{}` has no members in {phase}", pool.label), "the name leads to it then")
                .help(format!("members = {{ {phase} = [...] }}, or another target in {phase}"))
        }
        Some(member) => {
            let title = format!("`{}` in pool `{}` is somebody else's", plan.server(*member).label, pool.label);
            PlanError::at(pool.span, title, "members are servers of ours, which are asked one by one")
        }
    };
    if told.insert((id, span)) {
        reader.missing::<()>(error);
    }
}

/// Where several certificates are declared, one must be meant for each name at each service.
fn certified(reader: &Reader, plan: &Plan, id: NameId) {
    if plan.certificates.len() < 2 {
        return;
    }
    let name = plan.name(id);
    for phase in Phase::ALL {
        for (target, span) in targets(name, phase) {
            let lacking = asked(plan, target, phase).into_iter().find(|(server, service)| {
                let asked = name.services.as_ref().is_none_or(|own| own.iter().any(|s| s.port == service.port));
                asked && lacks(plan, id, (target, *server), service, phase)
            });
            if let Some((server, service)) = lacking {
                return uncertified(reader, plan, name, server, service, phase, span);
            }
        }
    }
}

fn uncertified(
    reader: &Reader,
    plan: &Plan,
    name: &PlannedName,
    at: Target,
    service: &Service,
    phase: Phase,
    span: Span,
) {
    let label = plan.target_label(at);
    let title = format!("which certificate serves `{}` at `{label}`?", name.name);
    let error = PlanError::at(
        name.span,
        title,
        format!("several are declared, and none is chosen for {} in {phase}", service.word),
    );
    let error = if span == name.span { error } else { error.other(span, format!("it leads to `{label}` here")) };
    reader.missing::<()>(error.help(format!("give `{label}` or the name a `certificate`")));
}

/// What a name leads to in a phase, in any view.
fn targets(name: &PlannedName, phase: Phase) -> Vec<(Target, Span)> {
    let mut out: Vec<(Target, Span)> = Vec::new();
    for wanted in name.wanted.iter().map(|phases| &phases[phase as usize]) {
        if let Wanted::Targets(targets) = &wanted.value {
            for target in targets.iter().filter(|t| !out.iter().any(|(known, _)| known == *t)).collect::<Vec<_>>() {
                out.push((*target, wanted.span));
            }
        }
    }
    out
}

/// Whom a target means at which services: a server itself, a pool's balancer or its members.
fn asked(plan: &Plan, target: Target, phase: Phase) -> Vec<(Target, &Service)> {
    let of_server = |id: ServerId| plan.server(id).services.iter().map(move |s| (Target::Server(id), &s.value));
    match target {
        Target::Server(id) => of_server(id).collect(),
        Target::Pool(id) => {
            let pool = plan.pool(id);
            let mut out: Vec<_> = pool.services.iter().flatten().map(|s| (target, &s.value)).collect();
            if pool.tls != PoolTls::Offload || pool.services.is_none() {
                out.extend(pool.servers(phase).iter().flat_map(|m| of_server(*m)));
            }
            out
        }
    }
}

/// True if nothing is chosen. A pool's own choice stands in for its members', theirs for the pool's.
fn lacks(plan: &Plan, name: NameId, (target, at): (Target, Target), service: &Service, phase: Phase) -> bool {
    let chosen = |t: Target| !plan.certificates_for(name, t, service.word, phase).is_empty() || misread(plan, name);
    let members = || match target {
        Target::Pool(id) => plan.pool(id).servers(phase).iter().any(|m| chosen(Target::Server(*m))),
        Target::Server(_) => false,
    };
    !(chosen(at) || chosen(target) || at == target && members())
}

/// True if a name's own choice could not be read: that has been told.
fn misread(plan: &Plan, name: NameId) -> bool {
    let bad = |c: &CertificateChoice| c.parts.is_empty() || c.parts.iter().any(|p| p.certificates.is_empty());
    plan.name(name).certificate.as_deref().is_some_and(bad)
}

/// A service that a name asks for must be offered where it leads; else nothing would be looked at.
fn offered(reader: &Reader, plan: &Plan, name: &PlannedName) {
    let Some(services) = &name.services else { return };
    let all: Vec<_> =
        Phase::ALL.iter().flat_map(|p| targets(name, *p).into_iter().map(move |(t, _)| (t, *p))).collect();
    if all.is_empty() || super::names::default_services(&name.name, name.table).as_deref() == Some(services) {
        return;
    }
    let ports: HashSet<u16> = all.iter().flat_map(|(t, p)| asked(plan, *t, *p)).map(|(_, s)| s.port).collect();
    let mut words: Vec<&str> = services.iter().map(|s| s.word).collect();
    words.dedup();
    for word in words {
        let mut wanted = services.iter().filter(|s| s.word == word);
        if !wanted.any(|s| ports.contains(&s.port)) {
            let title = format!("nobody offers {word} for `{}`", name.name);
            let label = "no server that it leads to has this service";
            reader.missing::<()>(PlanError::at(name.span, title, label));
        }
    }
}
