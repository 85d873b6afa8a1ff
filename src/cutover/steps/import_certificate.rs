//! Import a certificate with its key and intermediates, on every server that is to serve it.

use super::{WORK, blank};
use crate::commands::{CertificateAct, Donor};
use crate::cutover::draft::Draft;
use crate::cutover::needs::Need;
use crate::cutover::typing;
use crate::cutover::words::list;
use crate::model::cutover::{Ending, NodeId, StepKind};

pub(in crate::cutover) fn add(draft: &mut Draft, needs: &[Need]) {
    let wanted: Vec<(&Need, Vec<NodeId>)> =
        needs.iter().map(|n| (n, n.receivers(draft))).filter(|(_, nodes)| !nodes.is_empty()).collect();
    if wanted.is_empty() {
        return;
    }
    let label = |n: &Need| draft.facts.credentials[n.credential].label.clone();
    let on = |(n, nodes): &(&Need, Vec<NodeId>)| {
        format!("{} on {}", label(n), list(nodes.iter().map(|id| draft.nodes[id.0].clone())))
    };
    let mut step = blank(
        StepKind::ImportCertificate,
        list(wanted.iter().map(on)),
        "nothing serves it yet: it is only put into the store, with its intermediates",
    );
    let places = wanted.iter().flat_map(|(n, nodes)| nodes.iter().map(move |id| (*n, *id)));
    let act = |(n, id): (&Need, NodeId)| {
        let thumbprint = typing::thumbprint(draft, n.credential);
        let donor = |d: NodeId| Donor { server: draft.nodes[d.0].to_string(), product: typing::product(draft, d) };
        let from = n.donor(draft).map(donor);
        typing::certificate(draft, id, CertificateAct::Import { thumbprint, from })
    };
    step.commands = places.clone().flat_map(act).collect();
    step.places = places.map(|(_, id)| draft.nodes[id.0].clone()).collect();
    step.places.dedup();
    step.ending = Ending::Observed(WORK);
    draft.push(step);
}
