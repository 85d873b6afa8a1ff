//! Name the certificate that mail connectors use: Exchange's connectors keep the issuer and subject of the old one.

use super::{QUICK, blank, words};
use crate::cutover::draft::Draft;
use crate::cutover::words::list;
use crate::cutover::{nodes, steps::bind_certificate};
use crate::model::cutover::{Change, Ending, NodeId, StepKind, Undo};

/// Ports of mail.
const MAIL: [u16; 2] = [25, 587];

pub(in crate::cutover) fn add(draft: &mut Draft, changes: &[Change]) {
    let is_mail = |c: &&Change| matches!(c, Change::Serving { port, old: Some(_), .. } if MAIL.contains(port));
    let is_exchange =
        |n: &NodeId| nodes::product(draft.plan, *n).is_some_and(|p| p.starts_with("exchange-") && p != "exchange-2003");
    let mut at: Vec<NodeId> =
        changes.iter().filter(is_mail).filter_map(bind_certificate::node).filter(is_exchange).collect();
    at.dedup();
    if at.is_empty() {
        return;
    }
    let mut step = blank(
        StepKind::RepinConnector,
        list(at.iter().map(|n| format!("connectors of {}", draft.nodes[n.0]))),
        "a connector that names the old certificate's issuer and subject offers no STARTTLS without it",
    );
    let line = "set TlsCertificateName of receive and send connectors that name the old certificate to the new one's <I>issuer<S>subject";
    step.places = at.iter().map(|n| draft.nodes[n.0].clone()).collect();
    step.commands = step.places.iter().map(|p| words(p, [line.to_string()])).collect();
    step.in_window = true;
    step.ending = Ending::Observed(QUICK);
    step.undo = Some(Undo { how: "name the old certificate again".into(), settles: QUICK, commands: Vec::new() });
    draft.push(step);
}
