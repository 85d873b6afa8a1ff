//! At which services a name is asked.

use super::{Members, Plan, PlannedName, ServerId, Target};
use crate::model::phase::Phase;
use crate::model::service::{self, Service};

/// The services of a server, or of a pool: its own, else those of its members.
pub fn services_of(plan: &Plan, target: Target, phase: Phase) -> Vec<Service> {
    let of_server = |id: ServerId| plan.server(id).services.iter().map(|s| s.value.clone());
    match target {
        Target::Server(id) => of_server(id).collect(),
        Target::Pool(id) => match &plan.pool(id).services {
            Some(services) => services.iter().map(|s| s.value.clone()).collect(),
            // What cannot be asked node by node is asked as a server is unless the plan says otherwise.
            None if matches!(plan.pool(id).members[phase as usize], Members::Opaque) => {
                service::services_of("https").unwrap_or_default()
            }
            None => {
                let mut out: Vec<Service> = Vec::new();
                for service in plan.pool(id).servers(phase).iter().flat_map(|m| of_server(*m)) {
                    if !out.iter().any(|s| (s.port, s.way) == (service.port, service.way)) {
                        out.push(service);
                    }
                }
                out
            }
        },
    }
}

/// The services at which a name is asked at a target.
pub fn asked_at(plan: &Plan, name: &PlannedName, target: Target, phase: Phase) -> Vec<Service> {
    let own = services_of(plan, target, phase);
    match &name.services {
        None => own,
        Some(_) if own.is_empty() => own,
        Some(narrowed) => narrow(&own, narrowed),
    }
}

/// The services of a server that a name's narrower list means: the same port, else the same kind of word, else the
/// listed service itself, since the plan asks for it.
fn narrow(own: &[Service], wanted: &[Service]) -> Vec<Service> {
    let web = |s: &Service| matches!(s.word, "https" | "IIS");
    let mut out: Vec<Service> = Vec::new();
    for want in wanted {
        let same_port = own.iter().filter(|s| s.port == want.port && s.way == want.way);
        let same_word = own.iter().filter(|s| s.word == want.word || (web(s) && web(want) && want.port == 443));
        let mut found: Vec<Service> = same_port.cloned().collect();
        if found.is_empty() {
            found = same_word.cloned().collect();
        }
        if found.is_empty() {
            found.push(want.clone());
        }
        out.extend(found.into_iter().filter(|s| !out.contains(s)).collect::<Vec<_>>());
    }
    out
}
