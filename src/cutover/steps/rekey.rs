//! A new key and certificate for the same names, where no server gives the old key away.

use super::{WORK, blank};
use crate::commands::CertificateAct;
use crate::cutover::draft::Draft;
use crate::cutover::keys::{self, Export};
use crate::cutover::needs::{self, Need};
use crate::cutover::typing;
use crate::cutover::words::list;
use crate::model::cutover::{Ending, NodeId, Serving, StepKind};
use crate::model::name::Name;

/// Puts a certificate with a new key in the place of each that some server lacks and nobody gives away.
pub(in crate::cutover) fn decide(draft: &mut Draft) {
    let stuck: Vec<usize> = needs::needs(draft)
        .iter()
        .filter(|n| n.credential < draft.plan.certificates.len() && !n.is_new(draft))
        .filter(|n| keys::export(&draft.facts, n.credential) == Export::Nowhere)
        .map(|n| n.credential)
        .collect();
    for old in stuck {
        let new = draft.rekeyed(old);
        for serving in draft.facts.goal.serving.values_mut() {
            let all = serving.default.iter_mut().chain(serving.by_name.values_mut().flatten());
            all.filter(|c| **c == old).for_each(|c| *c = new);
        }
        note(draft, old);
    }
    leave_untold(draft);
    draft.facts.goal.list_certificates(&draft.facts.listed, &draft.facts.associations);
}

/// Who issues the new ones, and whether TLSA records of an authority allow them, shows once they are issued.
fn leave_untold(draft: &mut Draft) {
    let facts = &mut draft.facts;
    let labels = |c: usize| facts.credentials.get(c).map_or_else(String::new, |c| c.label.to_string());
    let untold = facts.goal.untold(facts.plan, &facts.listed, &facts.associations, &labels, None);
    for (key, line) in untold {
        facts.listed.retain(|rrset| rrset.key != key);
        facts.goal.sets.remove(&key);
        facts.world.records.remove(&key);
        facts.memory.past.retain(|past| past.key != key);
        draft.world.records.remove(&key);
        facts.unknown.insert(line);
    }
}

/// What a new key breaks that stands in no record and no handshake.
fn note(draft: &mut Draft, old: usize) {
    let certificate = &draft.plan.certificates[old];
    let label = &certificate.label;
    let mut lines = vec![format!(
        "who pins the certificate or key of {label} (partners' connectors, apps): a new key breaks each pin until it is changed"
    )];
    if certificate.thumbprint.is_some() {
        lines.push(format!(
            "the thumbprint of {label} in the plan is the old one's: put the new one there once it is issued, for the gates hold servers against it"
        ));
    }
    draft.facts.unknown.extend(lines);
}

pub(in crate::cutover) fn add(draft: &mut Draft, needs: &[Need]) {
    let new: Vec<(&Need, usize)> =
        needs.iter().filter_map(|n| Some((n, *draft.facts.rekeyed.get(&n.credential)?))).collect();
    if new.is_empty() {
        return;
    }
    let label = |old: usize| draft.facts.credentials[old].label.clone();
    let what = list(new.iter().map(|(_, old)| format!("{}: no server gives its key away", label(*old))));
    let why = "until every server has it, old and new are served side by side: what names only one of them (a pin, a thumbprint, TLSA, Extended Protection at a bridge) fits only some servers";
    let act = |(n, old): &(&Need, usize)| {
        let names = draft.facts.credentials[*old].names.iter().flatten();
        let names = names.filter_map(|name| Name::parse(name).ok()).collect();
        let thumbprint = typing::thumbprint(draft, *old);
        typing::certificate(draft, n.requester(draft), CertificateAct::Rekey { thumbprint, names })
    };
    let mut step = blank(StepKind::Rekey, what, why);
    step.places = new.iter().map(|(n, _)| draft.nodes[n.requester(draft).0].clone()).collect();
    step.commands = new.iter().flat_map(act).collect();
    step.commands.extend(new.iter().map(|(_, old)| {
        let line =
            format!("in the plan: let certificates.{} be the new one, and take `key-exportable` away", label(*old));
        super::words(&"".into(), [line])
    }));
    step.ending = Ending::Observed(super::order_certificate::ISSUANCE.max(WORK));
    let certificate = &draft.plan.certificates[new[0].1];
    step.span = certificate.key_exportable.as_ref().map_or(certificate.span, |k| k.span);
    draft.push(step);
}

/// The old certificate and its key leave the servers that served it, once none does any more.
pub(in crate::cutover) fn retire(draft: &mut Draft) {
    let has = |serving: &Serving, c: usize| {
        serving.default.iter().chain(serving.by_name.values().flatten()).any(|served| *served == c)
    };
    let served = |old: usize| draft.world.serving.values().any(|s| has(s, old));
    let gone: Vec<usize> = draft.facts.rekeyed.values().copied().filter(|old| !served(*old)).collect();
    let mut held: Vec<(NodeId, usize)> = Vec::new();
    for ((node, _), serving) in &draft.facts.world.serving {
        held.extend(gone.iter().filter(|old| has(serving, **old)).map(|old| (*node, *old)));
    }
    held.dedup();
    if held.is_empty() {
        return;
    }
    let label =
        |(node, old): &(NodeId, usize)| format!("{} on {}", draft.facts.credentials[*old].label, draft.nodes[node.0]);
    let what = format!("the old key of {}", list(held.iter().map(label)));
    let mut step = blank(StepKind::RetireCertificate, what, "no server serves it any more; only now may it be revoked");
    let act = |(node, old): &(NodeId, usize)| {
        let thumbprint = typing::thumbprint(draft, *old);
        typing::certificate(draft, *node, CertificateAct::Retire { thumbprint })
    };
    step.commands = held.iter().flat_map(act).collect();
    step.places = held.iter().map(|(node, _)| draft.nodes[node.0].clone()).collect();
    step.in_window = true;
    step.ending = Ending::Observed(WORK);
    step.reversible = false;
    draft.push(step);
}
