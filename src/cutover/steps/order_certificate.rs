//! Order a certificate: the request is made where the key shall live.

use super::{WORK, blank};
use crate::commands::CertificateAct;
use crate::cutover::draft::Draft;
use crate::cutover::needs::Need;
use crate::cutover::typing;
use crate::cutover::words::list;
use crate::model::cutover::{Ending, StepKind};
use crate::model::name::Name;

/// An authority takes so long to issue, in seconds, as a calendar counts it.
pub(super) const ISSUANCE: u32 = 86_400;

pub(in crate::cutover) fn add(draft: &mut Draft, needs: &[Need]) {
    let new: Vec<&Need> =
        needs.iter().filter(|n| n.is_new(draft) && !draft.facts.rekeyed.contains_key(&n.credential)).collect();
    if new.is_empty() {
        return;
    }
    let label = |n: &&Need| draft.facts.credentials[n.credential].label.clone();
    let act = |n: &&Need| {
        let names = draft.facts.credentials[n.credential].names.iter().flatten();
        let names = names.filter_map(|name| Name::parse(name).ok()).collect();
        let issuer = draft.plan.certificates[n.credential].issuer.as_ref().map(|i| i.value.clone());
        typing::certificate(draft, n.requester(draft), CertificateAct::Order { names, issuer })
    };
    let mut step = blank(
        StepKind::OrderCertificate,
        format!("order {}", list(new.iter().map(label))),
        "it has to have every name of old and new servers before any client is sent to them",
    );
    step.places = new.iter().map(|n| draft.nodes[n.requester(draft).0].clone()).collect();
    step.commands = new.iter().flat_map(act).collect();
    step.ending = Ending::Observed(ISSUANCE.max(WORK));
    step.span = draft.plan.certificates[new[0].credential].span;
    draft.push(step);
}
