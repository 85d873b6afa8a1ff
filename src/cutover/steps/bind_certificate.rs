//! Let services use a certificate. The old one stays in the store: it is the way back.

use std::collections::BTreeMap;

use super::{WORK, blank, check, words};
use crate::commands::{CertificateAct, ServerAct};
use crate::cutover::draft::Draft;
use crate::cutover::needs::{is_reloaded, service_words};
use crate::cutover::typing;
use crate::cutover::words::list;
use crate::model::cutover::{Change, Ending, NodeId, Script, Step, StepKind, Undo};

pub(in crate::cutover) fn add(draft: &mut Draft, changes: &[Change]) {
    let bound: Vec<Change> =
        changes.iter().filter(|c| node(c).is_some_and(|n| !is_reloaded(draft, n))).cloned().collect();
    if !bound.is_empty() {
        let what = list(places(&bound).iter().map(|n| on(draft, &bound, *n)));
        let why = "clients of every name that leads there have to be served a certificate that covers it";
        let step = serving(draft, blank(StepKind::BindCertificate, what, why), bound);
        draft.push(step);
    }
}

/// The node of a change of what is served.
pub(in crate::cutover) fn node(change: &Change) -> Option<NodeId> {
    match change {
        Change::Serving { node, .. } => Some(*node),
        _ => None,
    }
}

/// The nodes of changes, each once.
pub(super) fn places(changes: &[Change]) -> Vec<NodeId> {
    let mut nodes: Vec<NodeId> = changes.iter().filter_map(node).collect();
    nodes.dedup();
    nodes
}

/// What a node is to serve, and where: `san on ex2003-fe (IIS)`.
pub(super) fn on(draft: &Draft, changes: &[Change], at: NodeId) -> String {
    let new = changes.iter().find_map(|c| match c {
        Change::Serving { node, new: Some(new), .. } if *node == at => Some(new.clone()),
        _ => None,
    });
    let what = new.map(|s| crate::cutover::words::serving(&s, &draft.facts.credentials)).unwrap_or_default();
    format!("{what} on {} ({})", draft.nodes[at.0], service_words(draft, at, &[]).join(", "))
}

/// A step that changes what nodes serve.
pub(super) fn serving(draft: &Draft, mut step: Step, changes: Vec<Change>) -> Step {
    let nodes = places(&changes);
    step.places = nodes.iter().map(|n| draft.nodes[n.0].clone()).collect();
    step.in_window = true;
    step.ending = Ending::Observed(WORK);
    step.verify = Some(check(draft, &format!("--ready-for {} --only tls", draft.facts.to)));
    let ports = changes.iter().filter_map(|c| match c {
        Change::Serving { port, .. } => Some(*port),
        _ => None,
    });
    let listed = super::change_tlsa::keys_at(draft, &ports.collect());
    (step.waits, step.not_before) = draft.forgetting(&listed);
    let undone: Vec<Change> = changes.iter().map(Change::undone).collect();
    step.commands = scripts(draft, &changes);
    let how = "put the old certificate back into use; it is still in the store";
    step.undo = Some(Undo { how: how.into(), settles: WORK, commands: scripts(draft, &undone) });
    step.changes = changes;
    step
}

/// What to type at each node, a certificate after the other; then each change exactly, for whoever does it by hand.
fn scripts(draft: &Draft, changes: &[Change]) -> Vec<Script> {
    let mut out = Vec::new();
    for node in places(changes) {
        let mut ports: BTreeMap<usize, Vec<u16>> = BTreeMap::new();
        for change in changes {
            if let Change::Serving { node: at, port, new: Some(new), .. } = change
                && *at == node
            {
                new.default.iter().for_each(|c| ports.entry(*c).or_default().push(*port));
            }
        }
        for (credential, ports) in ports {
            let services = service_words(draft, node, &ports);
            let act = match is_reloaded(draft, node) {
                true => {
                    let thumbprint = typing::thumbprint(draft, credential);
                    out.extend(typing::certificate(
                        draft,
                        node,
                        CertificateAct::Bind { thumbprint, services: services.clone() },
                    ));
                    out.extend(typing::at_node(draft, node, ServerAct::Restart { services }));
                    continue;
                }
                false => CertificateAct::Bind { thumbprint: typing::thumbprint(draft, credential), services },
            };
            out.extend(typing::certificate(draft, node, act));
        }
        let exact = changes.iter().filter(|c| self::node(c) == Some(node)).map(|c| draft.line(c));
        out.push(words(&draft.nodes[node.0], exact));
    }
    out
}
