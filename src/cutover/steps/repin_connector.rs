//! Name the certificate that mail connectors use: Exchange's connectors keep the issuer and subject of the old one.

use super::{QUICK, blank, check, words};
use crate::commands::{MailWay, ServerAct};
use crate::cutover::draft::Draft;
use crate::cutover::words::list;
use crate::cutover::{nodes, steps::bind_certificate, typing};
use crate::model::cutover::{Change, Ending, NodeId, Script, Serving, StepKind, Undo};

/// Ports of mail, and the connectors that setup makes there: of 2013 and later, and before.
const MAIL: [(u16, &str, &str); 2] = [(25, "Default Frontend", "Default"), (587, "Client Frontend", "Client")];

/// Where setup's connectors have the older names.
const OLDER: [&str; 2] = ["exchange-2007", "exchange-2010"];

pub(in crate::cutover) fn add(draft: &mut Draft, changes: &[Change]) {
    let is_mail =
        |c: &&Change| matches!(c, Change::Serving { port, old: Some(_), .. } if MAIL.iter().any(|m| m.0 == *port));
    let is_exchange =
        |n: &NodeId| nodes::product(draft.plan, *n).is_some_and(|p| p.starts_with("exchange-") && p != "exchange-2003");
    let pinned: Vec<&Change> =
        changes.iter().filter(is_mail).filter(|c| bind_certificate::node(c).is_some_and(|n| is_exchange(&n))).collect();
    let mut at: Vec<NodeId> = pinned.iter().filter_map(|c| bind_certificate::node(c)).collect();
    at.dedup();
    if at.is_empty() {
        return;
    }
    let mut step = blank(
        StepKind::RepinConnector,
        list(at.iter().map(|n| format!("connectors of {}", draft.nodes[n.0]))),
        "a connector that names the old certificate's issuer and subject offers no STARTTLS without it",
    );
    step.places = at.iter().map(|n| draft.nodes[n.0].clone()).collect();
    for node in at {
        step.commands.push(words(&draft.nodes[node.0], [
            "those that setup made, where TlsCertificateName is set; then every other receive and send connector that names the old certificate".to_string(),
        ]));
        let of_node = pinned.iter().filter(|c| bind_certificate::node(c) == Some(node));
        step.commands.extend(of_node.flat_map(|c| pin(draft, c)));
    }
    let back = pinned.iter().flat_map(|c| pin(draft, &c.undone())).collect();
    step.in_window = true;
    step.ending = Ending::Observed(QUICK);
    step.verify = Some(check(draft, &format!("--ready-for {} --only tls", draft.facts.to)));
    step.undo = Some(Undo { how: "name the old certificate again".into(), settles: QUICK, commands: back });
    draft.push(step);
}

/// The connector of a port names the certificate that is served there now.
fn pin(draft: &Draft, change: &Change) -> Vec<Script> {
    let Change::Serving { node, port, new: Some(Serving { default, .. }), .. } = change else { return Vec::new() };
    let Some(credential) = default.first() else { return Vec::new() };
    let Some((_, newer, older)) = MAIL.iter().find(|m| m.0 == *port) else { return Vec::new() };
    let is_older = nodes::product(draft.plan, *node).is_some_and(|p| OLDER.contains(&p));
    let connector = format!("{} {}", if is_older { older } else { newer }, draft.nodes[node.0]);
    let thumbprint = typing::thumbprint(draft, *credential);
    typing::at_node(draft, *node, ServerAct::PinConnector { connector, way: MailWay::Receive, thumbprint })
}
