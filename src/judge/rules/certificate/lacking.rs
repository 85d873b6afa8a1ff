//! What the rules about missing names share: which certificate lacks a name, and what to order.

use std::collections::{BTreeMap, BTreeSet};

use super::idn_or_syntax::is_malformed;
use super::san_near_miss;
use crate::judge::RuleInfo;
use crate::judge::case::Case;
use crate::judge::draft::{Context, Draft, Item, Key, Whose};
use crate::judge::problem::{CertificateFault, EndpointFault, Fault};
use crate::judge::wording;
use crate::model::certificate::BlobId;
use crate::model::identity::Mismatch;
use crate::model::obligation::Claim;
use crate::model::plan::{CertId, CertificateSource, NameId, Table};
use crate::pki;

/// The certificate of which a problem says that it lacks the name, and why: a declared one, or a served one that is meant
/// to be the declared one.
pub(in crate::judge) fn lacking<'a>(case: &Case, item: &Item<'a>) -> Option<(Whose, &'a Mismatch)> {
    match &item.problem.fault {
        Fault::Certificate(_, CertificateFault::Uncovered { leaf: Some(leaf), why }) => Some((Whose::Leaf(*leaf), why)),
        Fault::Certificate(c, CertificateFault::Uncovered { leaf: None, why }) => Some((Whose::Planned(*c), why)),
        Fault::Endpoint(_, EndpointFault::WrongName { leaf, why }) if is_meant(case, item, *leaf, why) => {
            // What was never ordered cannot be served: one cause.
            Some((unordered(case, item).map_or(Whose::Leaf(*leaf), Whose::Planned), why))
        }
        _ => None,
    }
}

/// The wanted certificate whose planned names lack the name already.
fn unordered(case: &Case, item: &Item) -> Option<CertId> {
    let name = &case.plan.name(item.obligation.name).name;
    wanted(item).iter().copied().find(|c| match &case.plan.certificate(*c).source {
        CertificateSource::Names(names) => pki::identify_among(names.iter().map(|n| n.value.as_str()), name).is_err(),
        _ => false,
    })
}

/// A served leaf is meant to be the wanted certificate if it is that one; or where only names are planned, if it is
/// likest to it and nobody serves a better one. A wildcard or a certificate with nothing but a commonName is like none,
/// but says itself what it was meant for.
fn is_meant(case: &Case, item: &Item, leaf: BlobId, why: &Mismatch) -> bool {
    let wanted = wanted(item);
    let known = case.certificates.leaves(wanted);
    if !known.is_empty() {
        return known.contains(&leaf);
    }
    let name = case.plan.name(item.obligation.name).name.probe();
    let telling = is_depth(why) || is_common_name(case, item, why) || is_wanted(case, wanted, leaf);
    telling && case.certificates.good_leaf(wanted, &[name]).is_none()
}

/// True if a served leaf is one of the wanted certificates, as far as that is known.
pub(in crate::judge) fn is_wanted(case: &Case, wanted: &[CertId], leaf: BlobId) -> bool {
    case.certificates.declared(leaf).is_some_and(|c| wanted.contains(&c))
}

fn wanted<'a>(item: &Item<'a>) -> &'a [CertId] {
    match &*item.obligation.claim {
        Claim::Serves { certificates, .. } | Claim::Path { certificates, .. } => certificates,
        _ => &[],
    }
}

/// True if only a misread wildcard would cover the name.
pub(in crate::judge) fn is_depth(why: &Mismatch) -> bool {
    matches!(why, Mismatch::WildcardDepth { .. })
}

/// True if only a commonName would match; or if there is nothing but a commonName, and it is a name of the plan: then
/// all names are missing for that reason.
pub(in crate::judge) fn is_common_name(case: &Case, item: &Item, why: &Mismatch) -> bool {
    match why {
        Mismatch::CommonNameOnly { .. } | Mismatch::NoDnsId { common_name: true } => true,
        Mismatch::NoDnsId { common_name: false } => leaf(item).is_some_and(|l| has_planned_common_name(case, l)),
        Mismatch::WildcardDepth { .. } | Mismatch::IpInDnsId { .. } | Mismatch::NotPresented => false,
    }
}

fn leaf(item: &Item) -> Option<BlobId> {
    match &item.problem.fault {
        Fault::Certificate(_, CertificateFault::Uncovered { leaf, .. }) => *leaf,
        Fault::Endpoint(_, fault) => fault.leaf(),
        _ => None,
    }
}

fn has_planned_common_name(case: &Case, leaf: BlobId) -> bool {
    let planned = |cn: &String| case.plan.names.iter().any(|n| n.name.as_str().eq_ignore_ascii_case(cn));
    case.certificates.facts(leaf).is_ok_and(|f| f.common_names.iter().any(planned))
}

/// True if a fault says that a declared certificate does not cover a name.
pub(in crate::judge) fn is_uncovered(fault: &Fault) -> bool {
    matches!(fault, Fault::Certificate(_, CertificateFault::Uncovered { .. }))
}

/// The names that a certificate has, or shall have.
pub(in crate::judge) fn presented(case: &Case, whose: Whose) -> Vec<String> {
    match whose {
        Whose::Leaf(leaf) => case.certificates.facts(leaf).map(|f| f.dns_ids.to_vec()).unwrap_or_default(),
        Whose::Planned(c) => match &case.plan.certificate(c).source {
            CertificateSource::Names(names) => names.iter().map(|n| n.value.to_string()).collect(),
            _ => Vec::new(),
        },
    }
}

/// True if the item's name stands in `[legacy]`.
pub(in crate::judge) fn is_legacy(case: &Case, item: &Item) -> bool {
    case.plan.name(item.obligation.name).table == Table::Legacy
}

/// One finding per certificate, with everything that it lacks for the reason that `speaks_of` picks.
pub(in crate::judge) fn drafts<'a>(
    context: &Context<'a>,
    rule: &'static RuleInfo,
    speaks_of: impl Fn(&Item<'a>, &Mismatch) -> bool,
    title: impl Fn(&str, &str) -> String,
) -> Vec<Draft> {
    let case = context.case;
    let key = |item: &Item<'a>| lacking(case, item).filter(|(_, why)| speaks_of(item, why)).map(|(whose, _)| whose);
    let groups = context.group(rule, key);
    let slips = if groups.is_empty() { BTreeMap::new() } else { san_near_miss::slips(context) };
    let one = |((whose, waiver), items): ((Whose, Option<usize>), Vec<Item>)| {
        let mut draft = draft(context, rule, whose, waiver, &items, &title);
        let slip = |n: &NameId| {
            Some(format!("{} looks like a slip for {}", slips.get(&(whose, *n))?, case.plan.name(*n).name))
        };
        draft.seen.extend(wording::names(&items).iter().filter_map(slip));
        draft
    };
    groups.into_iter().map(one).collect()
}

fn draft(
    context: &Context,
    rule: &'static RuleInfo,
    whose: Whose,
    waiver: Option<usize>,
    items: &[Item],
    title: &impl Fn(&str, &str) -> String,
) -> Draft {
    let (case, plan) = (context.case, context.case.plan);
    let names = wording::names(items);
    let listed = wording::name_list(plan, &names);
    let certificate = declared(case, whose, items);
    let label = certificate
        .map_or_else(|| "the served certificate".into(), |c| format!("certificate \"{}\"", plan.certificate(c).label));
    let mut draft = Draft::of(context, rule, items, waiver);
    draft.title = title(&label, &listed);
    draft.subject.certificate = certificate.map(|c| plan.certificate(c).label.to_string());
    draft.expected = vec![format!("{listed} on {label}")];
    draft.seen = seen(case, whose, items);
    if let (Whose::Leaf(leaf), Some(c)) = (whose, certificate) {
        draft.seen.extend(wording::file_place(case, c, leaf));
    }
    draft.hurts = vec![format!("clients that ask for {listed}: name mismatch, a warning or no connection")];
    draft.remedy.cure = order(case, certificate, &names);
    draft.remedy.cure.extend(unplanned(case, whose));
    draft.keys = names.iter().map(|n| Key::Uncovered(whose, *n)).collect();
    // The place of the certificate itself, where a declared one is at fault.
    draft.at = certificate.map(|c| plan.certificate(c).span).or(draft.at);
    draft
}

fn declared(case: &Case, whose: Whose, items: &[Item]) -> Option<CertId> {
    match whose {
        Whose::Planned(c) => Some(c),
        Whose::Leaf(leaf) => {
            let by_file = items.iter().find_map(|i| match &i.problem.fault {
                Fault::Certificate(c, _) => Some(*c),
                _ => None,
            });
            by_file
                .or_else(|| case.certificates.declared(leaf))
                .or_else(|| items.iter().find_map(|i| wanted(i).first().copied()))
        }
    }
}

fn seen(case: &Case, whose: Whose, items: &[Item]) -> Vec<String> {
    let mut out = match whose {
        Whose::Leaf(leaf) => {
            let names = case.certificates.facts(leaf).map(wording::presented).unwrap_or_default();
            vec![wording::leaf(case, leaf), format!("its names: {names}")]
        }
        Whose::Planned(c) => match &case.plan.certificate(c).source {
            CertificateSource::Names(names) => {
                vec![format!("planned names: {}", wording::list(names.iter().map(|n| n.value.as_str())))]
            }
            _ => Vec::new(),
        },
    };
    let reasons: BTreeSet<String> =
        items.iter().filter_map(|i| lacking(case, i)).map(|(_, why)| wording::mismatch(why)).collect();
    out.extend(wording::cut(
        reasons.into_iter().filter(|r| *r != wording::mismatch(&Mismatch::NotPresented)).collect(),
    ));
    out.extend(wording::spots(items));
    out
}

/// Names on the certificate that no table of the plan knows: whoever orders the plan's names only drops them.
fn unplanned(case: &Case, whose: Whose) -> Option<String> {
    let presented = presented(case, whose);
    let planned: BTreeSet<&str> = case.plan.names.iter().map(|n| n.name.as_str()).collect();
    let own = |id: &&String| {
        let lower = id.to_ascii_lowercase();
        !is_malformed(id)
            && !planned.contains(lower.as_str())
            && san_near_miss::meant(case.plan, &lower, &presented).is_none()
    };
    let extra: Vec<String> = presented.iter().filter(own).cloned().collect();
    let listed = wording::cut(extra.clone()).join(", ");
    let them = if extra.len() == 1 { "it" } else { "them" };
    (!extra.is_empty()).then(|| {
        format!(
            "it has {listed} too, which the plan does not know: order {them} again, unless nobody uses {them} any more"
        )
    })
}

/// The whole list of names to order: what the plan demands of the certificate in any phase, and what it lacks.
fn order(case: &Case, certificate: Option<CertId>, lacking: &[NameId]) -> Vec<String> {
    let mut names: BTreeSet<NameId> = lacking.iter().copied().collect();
    for obligation in case.obligations {
        if let (name, Claim::Covers { certificate: c }) = (obligation.name, &*obligation.claim)
            && Some(*c) == certificate
        {
            names.insert(name);
        }
    }
    let all: Vec<&str> = names.iter().map(|n| case.plan.name(*n).name.as_str()).collect();
    vec![
        format!("reissue it with {}: {}", wording::count(all.len(), "name", "names"), all.join(", ")),
        "install the new one on every server that serves it; do not add a second certificate beside it".into(),
    ]
}
