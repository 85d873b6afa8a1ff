//! Who gives a certificate's key away: as the plan says, as an inventory shows, or because the key is a file.

use super::facts::Facts;
use super::nodes;
use crate::model::certificate::Thumbprint;
use crate::model::cutover::{NodeId, Serving};
use crate::model::plan::{KeyExportable, ServerId, Target};

/// What is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Export {
    /// From this node.
    From(NodeId),
    /// Nobody said whether this node, which has it, gives it away; none if nobody is known to have it.
    Unknown(Option<NodeId>),
    /// From nobody: a new key is the only way.
    Nowhere,
}

/// Products whose key is a file that can be copied.
const FILES: &[&str] = &["nginx", "apache", "haproxy", "postfix", "dovecot"];

/// Who gives the key of a certificate of the plan away.
pub(super) fn export(facts: &Facts, credential: usize) -> Export {
    let holders = holders(facts, credential);
    let first = holders.first().copied();
    let declared = facts.plan.certificates.get(credential).and_then(|c| c.key_exportable.as_ref());
    match declared.map(|d| &d.value) {
        Some(KeyExportable::Everywhere(false)) => return Export::Nowhere,
        Some(KeyExportable::Everywhere(true)) => return first.map_or(Export::Unknown(None), Export::From),
        Some(KeyExportable::From(servers)) => {
            let listed: Vec<NodeId> = servers.iter().map(|s| nodes::of_server(*s)).collect();
            let best = listed.iter().find(|n| holders.contains(n)).or(listed.first());
            return best.map_or(Export::Nowhere, |n| Export::From(*n));
        }
        None => {}
    }
    let is_file = |n: &&NodeId| nodes::product(facts.plan, **n).is_some_and(|p| FILES.contains(&p));
    if let Some(node) = holders.iter().find(is_file) {
        return Export::From(*node);
    }
    shown(facts, credential, &holders)
}

/// As inventories show it.
fn shown(facts: &Facts, credential: usize, holders: &[NodeId]) -> Export {
    let unknown = Export::Unknown(holders.first().copied());
    let Some(thumbprint) = facts.thumbprints.get(&credential).and_then(|t| Thumbprint::parse(t)) else {
        return unknown;
    };
    let said = |server: ServerId| -> Option<bool> {
        let held = facts.inventory.get(&server)?.iter().find(|h| h.thumbprint == thumbprint)?;
        held.exportable
    };
    let gives = facts.inventory.keys().find(|server| said(**server) == Some(true));
    if let Some(server) = gives {
        return Export::From(nodes::of_server(*server));
    }
    let refuses = |node: &NodeId| match nodes::target(facts.plan, *node) {
        Target::Server(server) => said(server) == Some(false),
        Target::Pool(_) => false,
    };
    match !holders.is_empty() && holders.iter().all(refuses) {
        true => Export::Nowhere,
        false => unknown,
    }
}

/// The nodes that serve it today, and so have its key.
fn holders(facts: &Facts, credential: usize) -> Vec<NodeId> {
    let has = |s: &Serving| s.default.iter().chain(s.by_name.values().flatten()).any(|c| *c == credential);
    let mut out: Vec<NodeId> = facts.world.serving.iter().filter(|(_, s)| has(s)).map(|((n, _), _)| *n).collect();
    out.dedup();
    out
}
