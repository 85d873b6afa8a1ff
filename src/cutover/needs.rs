//! Which certificates are missing where, and who could give them.

use std::collections::{BTreeMap, BTreeSet};

use super::draft::Draft;
use super::keys::{self, Export};
use super::nodes;
use crate::model::cutover::{Change, NodeId, Serving};
use crate::model::name::Name;
use crate::model::plan::{CertId, Target};

/// Products that choose no certificate by SNI.
const WITHOUT_SNI: &[&str] = &[
    "exchange-2003",
    "exchange-2007",
    "exchange-2010",
    "windows-2003",
    "windows-2008",
    "windows-2008r2",
    "iis-6",
    "iis-7",
];

/// Products whose certificate is a file, which they read when they are told to.
const RELOADED: &[&str] = &["nginx", "apache", "haproxy", "postfix", "dovecot"];

/// A certificate that some nodes are to serve and do not have.
pub(super) struct Need {
    pub(super) credential: usize,
    pub(super) nodes: Vec<NodeId>,
}

/// The certificates that are missing somewhere, in the plan's order.
pub(super) fn needs(draft: &Draft) -> Vec<Need> {
    let mut out: BTreeMap<usize, BTreeSet<NodeId>> = BTreeMap::new();
    let mut has: BTreeMap<NodeId, BTreeSet<usize>> = BTreeMap::new();
    for ((node, _), serving) in &draft.world.serving {
        has.entry(*node).or_default().extend(certificates(serving));
    }
    for ((node, _), serving) in &draft.facts.goal.serving {
        let there = has.get(node);
        for credential in certificates(serving).filter(|c| there.is_none_or(|t| !t.contains(c))) {
            out.entry(credential).or_default().insert(*node);
        }
    }
    out.into_iter().map(|(credential, nodes)| Need { credential, nodes: nodes.into_iter().collect() }).collect()
}

fn certificates(serving: &Serving) -> impl Iterator<Item = usize> + '_ {
    serving.default.iter().chain(serving.by_name.values().flatten()).copied()
}

impl Need {
    /// True if it has to be ordered first.
    pub(super) fn is_new(&self, draft: &Draft) -> bool {
        let planned = self.credential < draft.plan.certificates.len();
        draft.facts.rekeyed.contains_key(&self.credential)
            || planned && !draft.facts.issued.contains(&CertId(self.credential))
    }

    /// The server that makes the request for a new one: an Exchange if there is one, else the first.
    pub(super) fn requester(&self, draft: &Draft) -> NodeId {
        let exchange = |n: &&NodeId| {
            nodes::product(draft.plan, **n).is_some_and(|p| p.starts_with("exchange-") && p != "exchange-2003")
        };
        *self.nodes.iter().find(exchange).or(self.nodes.first()).unwrap_or(&NodeId(0))
    }

    /// Who has it with its key, and whether it gives it away: who requests it makes a key that can be exported.
    pub(super) fn export(&self, draft: &Draft) -> Export {
        match self.is_new(draft) {
            true => Export::From(self.requester(draft)),
            false => keys::export(&draft.facts, self.credential),
        }
    }

    /// Who has it with its key, as far as is known.
    pub(super) fn donor(&self, draft: &Draft) -> Option<NodeId> {
        match self.export(draft) {
            Export::From(node) => Some(node),
            Export::Unknown(node) => node,
            Export::Nowhere => None,
        }
    }

    /// The nodes that get it from another one.
    pub(super) fn receivers(&self, draft: &Draft) -> Vec<NodeId> {
        let has = match self.export(draft) {
            Export::From(node) => Some(node),
            _ => None,
        };
        self.nodes.iter().copied().filter(|n| Some(*n) != has).collect()
    }
}

/// True if a node takes up a certificate once it is told to read it again.
pub(super) fn is_reloaded(draft: &Draft, node: NodeId) -> bool {
    nodes::product(draft.plan, node).is_some_and(|p| RELOADED.contains(&p))
}

/// What is to be served before the first flip: what is wanted, and beside it for names of today what covers them, until
/// nobody is led here under them.
pub(super) fn before_the_flip(draft: &mut Draft) -> Vec<Change> {
    let goal = draft.facts.goal.serving.clone();
    let mut out = Vec::new();
    for ((node, port), wanted) in goal {
        let now = draft.world.serving.get(&(node, port)).cloned();
        if now.as_ref() != Some(&wanted) {
            let new = now.as_ref().map_or(wanted.clone(), |now| both(draft, node, port, now, &wanted));
            if now.as_ref() != Some(&new) {
                out.push(Change::Serving { node, port, old: now, new: Some(new) });
            }
        }
    }
    out
}

fn both(draft: &mut Draft, node: NodeId, port: u16, now: &Serving, wanted: &Serving) -> Serving {
    let names: Vec<Name> = draft.facts.led[0].get(&(node, port)).into_iter().flatten().cloned().collect();
    let suits = |serving: &Serving, name: &Name| {
        let served = serving.for_name(Some(name));
        !served.is_empty() && served.iter().all(|c| draft.facts.covers(*c, name))
    };
    let kept: Vec<&Name> = names.iter().filter(|n| !suits(wanted, n) && suits(now, n)).collect();
    let mut new = wanted.clone();
    for name in &kept {
        new.by_name.insert((*name).clone(), now.for_name(Some(name)).to_vec());
    }
    let blind = nodes::product(draft.plan, node).is_some_and(|p| WITHOUT_SNI.contains(&p));
    if blind && !kept.is_empty() {
        let line = format!(
            "{} chooses no certificate by name (SNI): let the new one have {} too, for caches lead there still",
            draft.nodes[node.0],
            super::words::list(kept)
        );
        draft.facts.unknown.insert(line);
        return wanted.clone();
    }
    new
}

/// What is served beside what is wanted once nobody is led there any more.
pub(super) fn left_over(draft: &Draft) -> Vec<Change> {
    let goal = draft.facts.goal.serving.iter();
    let differs = goal.filter(|(key, wanted)| draft.world.serving.get(key).is_some_and(|now| now != *wanted));
    let change = |((node, port), wanted): (&(NodeId, u16), &Serving)| {
        let old = draft.world.serving.get(&(*node, *port)).cloned();
        Change::Serving { node: *node, port: *port, old, new: Some(wanted.clone()) }
    };
    differs.map(change).collect()
}

/// The services of a node at some ports, or all if none are given, in the plan's words.
pub(super) fn service_words(draft: &Draft, node: NodeId, ports: &[u16]) -> Vec<String> {
    let target: Target = nodes::target(draft.plan, node);
    let all = crate::model::plan::services_of(draft.plan, target, draft.facts.to);
    let at = all.iter().filter(|s| ports.is_empty() || ports.contains(&s.port));
    let mut words: Vec<String> = at.map(|s| s.word.to_string()).collect();
    words.dedup();
    words
}
