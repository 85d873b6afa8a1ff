//! Who ends TLS, and which addresses lead there.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::model::cutover::NodeId;
use crate::model::phase::Phase;
use crate::model::plan::{Members, Plan, PoolId, PoolTls, ServerId, Target, ViewId, Wanted};

/// A server's node.
pub(super) fn of_server(id: ServerId) -> NodeId {
    NodeId(id.0)
}

/// A balancer's node.
pub(super) fn of_pool(plan: &Plan, id: PoolId) -> NodeId {
    NodeId(plan.servers.len() + id.0)
}

/// The server or pool that a node is.
pub(super) fn target(plan: &Plan, node: NodeId) -> Target {
    match node.0.checked_sub(plan.servers.len()) {
        None => Target::Server(ServerId(node.0)),
        Some(pool) => Target::Pool(PoolId(pool)),
    }
}

/// The product word of a node, where the plan says it.
pub(super) fn product(plan: &Plan, node: NodeId) -> Option<&str> {
    match target(plan, node) {
        Target::Server(id) => plan.server(id).product.as_ref().map(|p| p.value.as_str()),
        Target::Pool(_) => None,
    }
}

/// Labels of all nodes, by their ids.
pub(super) fn labels(plan: &Plan) -> Vec<std::sync::Arc<str>> {
    plan.servers.iter().map(|s| s.label.clone()).chain(plan.pools.iter().map(|p| p.label.clone())).collect()
}

/// The nodes that clients of a target meet in a phase: a balancer that ends TLS itself, or whose members nobody can ask,
/// is one; else its members are.
pub(super) fn of_target(plan: &Plan, target: Target, phase: Phase) -> Vec<NodeId> {
    match target {
        Target::Server(id) => vec![of_server(id)],
        Target::Pool(id) => match (&plan.pool(id).members[phase as usize], plan.pool(id).tls) {
            (Members::Servers(members), PoolTls::Passthrough) => members.iter().map(|m| of_server(*m)).collect(),
            _ => vec![of_pool(plan, id)],
        },
    }
}

/// The targets that names of a view lead to in a phase, the members of a round robin with it.
pub(super) fn used_targets(plan: &Plan, view: ViewId, phase: Phase) -> BTreeSet<Target> {
    let mut used = BTreeSet::new();
    for name in &plan.names {
        if let Wanted::Targets(targets) = name.wanted(view, phase) {
            used.extend(targets.iter().copied());
        }
    }
    let robins: Vec<Target> = used.iter().copied().filter(|t| is_round_robin(plan, *t)).collect();
    for robin in robins {
        if let Target::Pool(id) = robin {
            used.extend(plan.pool(id).servers(phase).iter().map(|m| Target::Server(*m)));
        }
    }
    used
}

fn is_round_robin(plan: &Plan, target: Target) -> bool {
    matches!(target, Target::Pool(id) if plan.pool(id).is_round_robin())
}

/// Which nodes answer at each address in a view. Of several targets behind one address those count that names lead to in
/// that phase; the flag says that there are such.
pub(super) fn routes(plan: &Plan, view: ViewId, phase: Phase) -> BTreeMap<IpAddr, (bool, BTreeSet<NodeId>)> {
    let used = used_targets(plan, view, phase);
    let servers = (0..plan.servers.len()).map(|i| Target::Server(ServerId(i)));
    let pools = (0..plan.pools.len()).map(|i| Target::Pool(PoolId(i)));
    let mut out: BTreeMap<IpAddr, (bool, BTreeSet<NodeId>)> = BTreeMap::new();
    for target in servers.chain(pools).filter(|t| !is_round_robin(plan, *t)) {
        let (is_used, nodes) = (used.contains(&target), of_target(plan, target, phase));
        for address in plan.target_addresses(target, view, phase) {
            let entry = out.entry(address).or_default();
            match (entry.0, is_used) {
                (true, false) => {}
                (false, true) => *entry = (true, nodes.iter().copied().collect()),
                _ => entry.1.extend(nodes.iter().copied()),
            }
        }
    }
    out
}

/// The nodes whose own word is heard at each address: a server's own addresses; and of a balancer that ends TLS its own and
/// those of its members, who say through it what they say.
pub(super) fn at_addresses(plan: &Plan) -> BTreeMap<IpAddr, BTreeSet<NodeId>> {
    let mut out: BTreeMap<IpAddr, BTreeSet<NodeId>> = BTreeMap::new();
    for (i, server) in plan.servers.iter().enumerate() {
        for address in server.own_addresses(&plan.views) {
            out.entry(address).or_default().insert(of_server(ServerId(i)));
        }
    }
    for id in (0..plan.pools.len()).map(PoolId) {
        let pool = plan.pool(id);
        let members = pool.all_members();
        let own = members.iter().flat_map(|m| plan.server(*m).own_addresses(&plan.views));
        for address in own.chain(pool.addresses.iter().flatten().copied()) {
            out.entry(address).or_default().insert(of_pool(plan, id));
        }
    }
    out
}
