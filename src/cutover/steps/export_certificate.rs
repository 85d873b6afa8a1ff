//! Export a certificate with its key, from a server that has it.

use super::{QUICK, blank};
use crate::commands::CertificateAct;
use crate::cutover::draft::Draft;
use crate::cutover::keys::Export;
use crate::cutover::needs::Need;
use crate::cutover::typing;
use crate::cutover::words::list;
use crate::model::cutover::{Ending, NodeId, StepKind};
use crate::model::plan::Target;

pub(in crate::cutover) fn add(draft: &mut Draft, needs: &[Need]) {
    let wanted: Vec<(&Need, NodeId)> = needs
        .iter()
        .filter(|n| !n.receivers(draft).is_empty())
        .filter_map(|n| n.donor(draft).map(|donor| (n, donor)))
        .collect();
    note_unknown(draft, needs);
    if wanted.is_empty() {
        return;
    }
    let label = |n: &Need| draft.facts.credentials[n.credential].label.clone();
    let from = |(n, donor): &(&Need, NodeId)| format!("{} with its key from {}", label(n), draft.nodes[donor.0]);
    let mut step = blank(
        StepKind::ExportCertificate,
        list(wanted.iter().map(from)),
        "the other servers need the same certificate and key",
    );
    step.places = wanted.iter().map(|(_, donor)| draft.nodes[donor.0].clone()).collect();
    let act = |(n, donor): &(&Need, NodeId)| {
        let thumbprint = typing::thumbprint(draft, n.credential);
        typing::certificate(draft, *donor, CertificateAct::Export { thumbprint })
    };
    step.commands = wanted.iter().flat_map(act).collect();
    step.ending = Ending::Observed(QUICK);
    draft.push(step);
}

/// Whether a key can be exported stands in no handshake.
fn note_unknown(draft: &mut Draft, needs: &[Need]) {
    let mut lines = Vec::new();
    for need in needs.iter().filter(|n| !n.receivers(draft).is_empty()) {
        let label = &draft.facts.credentials[need.credential].label;
        let rekey = "if not, say so (`key-exportable = false`), and a new key is planned";
        match need.export(draft) {
            Export::Unknown(Some(donor)) => {
                let server = match crate::cutover::nodes::target(draft.plan, donor) {
                    Target::Server(id) => Some(id),
                    Target::Pool(_) => None,
                };
                let why = match server.map(|id| (draft.facts.inventory.contains_key(&id), id)) {
                    Some((true, _)) => "its inventory does not say",
                    Some((false, id)) if draft.plan.inventory.contains_key(&id) => "its inventory could not be read",
                    _ => "no inventory",
                };
                lines.push(format!(
                    "whether the key of {label} can be exported from {} ({why}); {rekey}",
                    draft.nodes[donor.0]
                ));
            }
            Export::Unknown(None) => {
                lines.push(format!("which server has {label} with its key: nobody serves it today; {rekey}"));
            }
            Export::From(_) | Export::Nowhere => {}
        }
    }
    draft.facts.unknown.extend(lines);
}
