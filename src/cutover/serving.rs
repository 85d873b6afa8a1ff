//! What nodes serve: by the plan in a phase, and as it was seen.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::credentials::Credentials;
use super::nodes;
use super::seen::Seen;
use crate::model::cutover::{NodeId, Serving};
use crate::model::name::Name;
use crate::model::phase::Phase;
use crate::model::plan::{CertificateChoice, Plan, PlannedName, Target, services_of};
use crate::model::tls::TlsOutcome;

/// What a node serves, by port.
pub(super) type Ports = BTreeMap<u16, Serving>;

/// Names that have certificates of their own, by the nodes that they ever lead to.
pub(super) fn named(plan: &Plan) -> BTreeMap<NodeId, Vec<&PlannedName>> {
    let mut out: BTreeMap<NodeId, Vec<&PlannedName>> = BTreeMap::new();
    for name in plan.names.iter().filter(|n| n.certificate.is_some()) {
        for view in plan.view_ids() {
            for phase in Phase::ALL {
                for target in super::reach::targets(name, view, phase) {
                    for node in nodes::of_target(plan, target, phase) {
                        let all = out.entry(node).or_default();
                        if !all.iter().any(|n| n.name == name.name) {
                            all.push(name);
                        }
                    }
                }
            }
        }
    }
    out
}

/// What a node serves in a phase, as the plan has it.
pub(super) fn declared(
    plan: &Plan,
    credentials: &mut Credentials,
    named: &[&PlannedName],
    node: NodeId,
    phase: Phase,
) -> Ports {
    let target = nodes::target(plan, node);
    let mut out = Ports::new();
    for service in services_of(plan, target, phase) {
        let pick = |choice: Option<&CertificateChoice>| -> Vec<usize> {
            choice.map(|c| c.pick(service.word, phase)).unwrap_or_default().iter().map(|c| c.0).collect()
        };
        let mut default = match target {
            Target::Server(id) => pick(plan.server(id).certificate.as_ref()),
            Target::Pool(id) => pick(plan.pool(id).certificate.as_ref()),
        };
        if default.is_empty()
            && let Target::Pool(id) = target
        {
            let members = plan.pool(id).servers(phase).iter();
            default = members.flat_map(|m| pick(plan.server(*m).certificate.as_ref())).collect();
        }
        if default.is_empty() && plan.certificates.len() == 1 {
            default = vec![0];
        }
        let by_name: BTreeMap<Name, Vec<usize>> = named
            .iter()
            .map(|n| (n.name.probe(), sorted(pick(n.certificate.as_deref()))))
            .filter(|(_, own)| !own.is_empty() && *own != default)
            .collect();
        if default.is_empty() {
            default = by_name.values().flatten().copied().collect();
        }
        if default.is_empty() {
            let label = plan.target_label(target).clone();
            default = vec![credentials.unknown(node.0, service.port, &label)];
        }
        out.entry(service.port).or_insert(Serving { default: sorted(default), by_name });
    }
    out
}

fn sorted(mut all: Vec<usize>) -> Vec<usize> {
    all.sort_unstable();
    all.dedup();
    all
}

/// What was seen of a port of a node.
pub(super) enum Witnessed {
    /// It serves this.
    Serves(Serving),
    /// Nobody listens.
    Deaf,
    /// Nobody could tell.
    Nothing,
}

/// What was seen at a node's addresses.
pub(super) fn seen(seen: &Seen, credentials: &mut Credentials, addresses: &[IpAddr], port: u16) -> Witnessed {
    let (mut default, mut by_name) = (Vec::new(), BTreeMap::<Name, Vec<usize>>::new());
    let (mut refused, mut any) = (false, false);
    for address in addresses {
        for (sni, outcome) in seen.port(*address, port) {
            refused |= matches!(outcome, TlsOutcome::Refused);
            let Some(index) = Seen::served(outcome).and_then(|s| credentials.of_chain(&s.chain)) else { continue };
            any = true;
            match sni {
                None => default.push(index),
                Some(name) => by_name.entry(name.clone()).or_default().push(index),
            }
        }
    }
    if !any {
        return if refused { Witnessed::Deaf } else { Witnessed::Nothing };
    }
    let by_name: BTreeMap<Name, Vec<usize>> = by_name.into_iter().map(|(n, all)| (n, sorted(all))).collect();
    if default.is_empty() {
        default = by_name.values().flatten().copied().collect();
    }
    let default = sorted(default);
    let by_name = by_name.into_iter().filter(|(_, own)| *own != default).collect();
    Witnessed::Serves(Serving { default, by_name })
}
