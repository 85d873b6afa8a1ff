//! An endpoint serves a certificate that is not right for a name.

use std::collections::BTreeSet;

use super::super::certificate::lacking;
use super::default_certificate_served::pools;
use crate::judge::RuleInfo;
use crate::judge::case::Case;
use crate::judge::cure;
use crate::judge::draft::{Context, Draft, Item, Key, Whose, target_of};
use crate::judge::problem::{Culprit, EndpointFault, Fault, Spot};
use crate::judge::wording;
use crate::model::certificate::BlobId;
use crate::model::finding::Severity;
use crate::model::obligation::Claim;
use crate::model::plan::{CertId, NameId, Target};
use crate::model::tls::Face;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "endpoint-serves-wrong-certificate",
    family: "served",
    severity: Severity::Error,
    summary: "an endpoint, asked for a name, serves a certificate that is not right for it",
    citation: "RFC 9525 section 6; RFC 6066 section 3",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

The endpoint was asked for the name, as clients ask, and the certificate that it served does not cover the name, is not
the very certificate that the plan demands, cannot be read, or is one whose key the server does not hold.

# Why it matters

Clients that are led there warn or refuse. Importing a certificate is not enough: it must be bound to each service, and
each daemon must have loaded it.

# Example

    expected  E8D1...A9B3  CN=mail.domain.com  (certificate \"san\")
    seen      77C0...21FE  CN=mail.domain.com (the old one, for that single name)
              10.0.0.3:443

On IIS 6 the new certificate was imported, but the web site was not told to replace the current one.

# Cure

Bind the wanted certificate to the services that the finding lists, on that server. Behind a load balancer do so on each
node. If DNS led to an address of somebody else, correct the record.

# References

RFC 9525 section 6; RFC 6066 section 3 (server name indication);
https://learn.microsoft.com/exchange/architecture/client-access/assign-certificates-to-services
";

/// What is mended together: a culprit's leaf, keys apart from names, and what only DNS led to apart from the rest.
type Group = (Culprit, BlobId, bool, bool);

/// One finding per server and served leaf: all names, services and addresses in one.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let groups = context.group(&INFO, |item| group(item));
    drafts.extend(groups.into_iter().map(|((group, waiver), items)| draft(context, group, waiver, &items)));
    let lacking = |item: &Item| match wording::endpoint_fault(item)? {
        (spot, EndpointFault::NoFace { face }) => Some((spot.culprit, *face)),
        _ => None,
    };
    let groups = context.group(&INFO, lacking);
    drafts.extend(
        groups.into_iter().map(|(((culprit, face), waiver), items)| faceless(context, culprit, face, waiver, &items)),
    );
}

/// One of the certificates that the plan lists is not there for those who take no other.
fn faceless(context: &Context, culprit: Culprit, face: Face, waiver: Option<usize>, items: &[Item]) -> Draft {
    let (case, plan) = (context.case, context.case.plan);
    let (who, names) = (wording::culprit(plan, culprit), wording::name_list(plan, &wording::names(items)));
    let mut draft = Draft::of(context, &INFO, items, waiver);
    draft.title = format!("{who} does not serve its {face} certificate for {names}");
    draft.expected = wording::wanted_at(case, target_of(culprit), items);
    draft.seen = wording::outcomes(case, items);
    draft.hurts = vec![format!("clients of {who} that take {face} only: no connection")];
    draft.remedy.cure = vec![format!("install the {face} certificate on {who} beside the other, for the same names")];
    draft
}

fn group(item: &Item) -> Option<Group> {
    let (spot, fault) = wording::endpoint_fault(item)?;
    let about_key = match fault {
        EndpointFault::WrongName { .. } | EndpointFault::WrongLeaf { .. } | EndpointFault::Unreadable { .. } => false,
        EndpointFault::WrongKey { .. } => true,
        _ => return None,
    };
    Some((spot.culprit, fault.leaf()?, about_key, is_astray(item, spot)))
}

/// True if only DNS led there: the plan's target does not have the address.
pub(super) fn is_astray(item: &Item, spot: &Spot) -> bool {
    match &*item.obligation.claim {
        Claim::Path { addresses, .. } => !addresses.contains(&spot.address.ip()),
        _ => false,
    }
}

/// The facts by which a wrong record in DNS explains what was met at the addresses that it gave.
pub(in crate::judge::rules) fn astray_keys(items: &[Item]) -> Vec<Key> {
    let key = |item: &Item| match (&*item.obligation.claim, &item.problem.fault) {
        (Claim::Path { view, .. }, Fault::Endpoint(spot, _)) if is_astray(item, spot) => {
            Some(Key::Stranger(item.obligation.name, *view, spot.address.ip()))
        }
        _ => None,
    };
    let keys: Option<Vec<Key>> = items.iter().map(key).collect();
    keys.unwrap_or_default()
}

fn draft(context: &Context, group: Group, waiver: Option<usize>, items: &[Item]) -> Draft {
    let (case, plan) = (context.case, context.case.plan);
    let (culprit, leaf, about_key, astray) = group;
    let names = wording::names(items);
    let listed = wording::name_list(plan, &names);
    let who = wording::culprit(plan, culprit);
    let mut draft = Draft::of(context, &INFO, items, waiver);
    draft.title = match about_key {
        true => format!("{who} does not hold the key of the certificate that it serves"),
        false => format!("{who} serves a certificate that is not right for {listed}"),
    };
    // What was replaced at some services of a server is often forgotten at another.
    let renewed = renewed(case, culprit, leaf, &names).filter(|_| !about_key && !astray);
    if let Some((at, _)) = &renewed {
        let left = wording::list(wording::services(items));
        draft.title = format!(
            "{who} was left on another certificate at {left}; {} already has the right one",
            wording::list(at.iter().copied())
        );
    }
    let wanted = wording::wanted_by(items);
    draft.expected = wording::wanted_at(case, target_of(culprit), items);
    if draft.expected.is_empty() {
        draft.expected.push(format!("a certificate that covers {listed}"));
    }
    draft.seen = seen(case, leaf, items);
    draft.seen.extend(renewed.map(|(at, leaf)| {
        format!("beside it, at {}: {}", wording::list(at.iter().copied()), wording::leaf(case, leaf))
    }));
    draft.hurts = wording::tries(case, items, context.assessed);
    draft.hurts.push(match about_key {
        true => format!("every client of {who}: each handshake fails, whatever it asks for"),
        false => format!("clients that ask {who} for {listed}: name mismatch, a warning or no connection"),
    });
    if !astray {
        draft.remedy.now = pools(context, culprit).map(|pool| format!("take {who} out of the pool {pool}")).collect();
    }
    let target = target_of(culprit).filter(|_| !astray);
    draft.remedy.cure = match about_key {
        true => cure::rekey(case, target, leaf, items),
        false => cure::install(case, target, items),
    };
    draft.keys = keys(case, culprit, leaf, &wanted, items);
    draft
}

/// The services of the same server that have a right certificate, and which.
fn renewed(case: &Case, culprit: Culprit, leaf: BlobId, names: &[NameId]) -> Option<(Vec<&'static str>, BlobId)> {
    let Culprit::Planned(Target::Server(server)) = culprit else { return None };
    let names: Vec<_> = names.iter().map(|n| case.plan.name(*n).name.probe()).collect();
    case.certificates.renewed(case.plan, server, leaf, &names)
}

fn seen(case: &Case, leaf: BlobId, items: &[Item]) -> Vec<String> {
    let mut out = vec![wording::leaf(case, leaf)];
    if let Ok(facts) = case.certificates.facts(leaf) {
        out.push(format!("its names: {}", wording::presented(facts)));
    }
    let reason = |item: &Item| match &item.problem.fault {
        Fault::Endpoint(_, EndpointFault::WrongKey { why, .. }) => Some(format!("signature: {why}")),
        Fault::Endpoint(_, EndpointFault::Unreadable { why, .. }) => Some(format!("cannot be read: {why}")),
        Fault::Endpoint(_, EndpointFault::WrongLeaf { .. }) => Some("not the very certificate that is declared".into()),
        Fault::Endpoint(_, EndpointFault::WrongName { why, .. }) => Some(wording::mismatch(why)),
        _ => None,
    };
    let reasons: BTreeSet<String> = items.iter().filter_map(reason).collect();
    out.extend(wording::cut(reasons.into_iter().collect()));
    out.extend(wording::spots(items));
    out
}

fn keys(case: &Case, culprit: Culprit, leaf: BlobId, wanted: &BTreeSet<CertId>, items: &[Item]) -> BTreeSet<Key> {
    let mut out: BTreeSet<Key> = astray_keys(items).into_iter().collect();
    out.insert(Key::Served(culprit, leaf));
    let wanted: Vec<CertId> = wanted.iter().copied().collect();
    let by_name = items.iter().all(|i| matches!(i.problem.fault, Fault::Endpoint(_, EndpointFault::WrongName { .. })));
    if by_name {
        let whose = |item: &Item| lacking::lacking(case, item).map_or(Whose::Leaf(leaf), |(whose, _)| whose);
        out.extend(items.iter().map(|i| Key::Uncovered(whose(i), i.obligation.name)));
    }
    out.extend(wanted.iter().map(|c| Key::Unused(culprit, *c)));
    // What is to be replaced anyway need not be mended otherwise.
    let meant = items.iter().all(|i| lacking::lacking(case, i).is_some()) || lacking::is_wanted(case, &wanted, leaf);
    if !meant && matches!(culprit, Culprit::Planned(Target::Server(_) | Target::Pool(_))) {
        out.insert(Key::Replaced(culprit, leaf));
    }
    out
}
