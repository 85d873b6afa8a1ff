//! What to do about a server that does not serve what it should, in the words of its product.

use super::case::Case;
use super::draft::Item;
use super::wording;
use crate::commands;
use crate::model::certificate::BlobId;
use crate::model::plan::{CertId, CertificateSource, ServerId, Target};

/// How to bring a wanted certificate onto a target, for the services of some problems.
pub(super) fn install(case: &Case, target: Option<Target>, items: &[Item]) -> Vec<String> {
    let Some(target) = target else {
        return vec!["this address is not the target's: correct the record, or the plan".into()];
    };
    let certificates: Vec<CertId> = wording::wanted_by(items).into_iter().collect();
    let label = case.plan.target_label(target);
    let words = wording::services(items);
    let names: Vec<_> = wording::names(items).into_iter().map(|n| case.plan.name(n).name.probe()).collect();
    match case.certificates.good_leaf(&certificates, &names) {
        Some(leaf) => {
            let from = source(case, leaf, target);
            commands::install(product(case, target), from, label, &thumbprint(case, leaf), &words)
        }
        None => {
            let what = described(case, &certificates, items);
            vec![format!("on {label}: install {what} with its intermediates and key, for {}", words.join(" "))]
        }
    }
}

/// How to bring the right key to a target that serves a certificate without it: to import the same certificate beside what
/// is there changes nothing.
pub(super) fn rekey(case: &Case, target: Option<Target>, leaf: BlobId, items: &[Item]) -> Vec<String> {
    let Some(target) = target else { return install(case, target, items) };
    let wanted: Vec<CertId> = wording::wanted_by(items).into_iter().collect();
    let names: Vec<_> = wording::names(items).into_iter().map(|n| case.plan.name(n).name.probe()).collect();
    // Another certificate is to be there anyway.
    if case.certificates.good_leaf(&wanted, &names).is_some_and(|good| good != leaf) {
        return install(case, Some(target), items);
    }
    let label = case.plan.target_label(target);
    let from = source(case, leaf, target);
    commands::rekey(product(case, target), from, label, &thumbprint(case, leaf), &wording::services(items))
}

/// Another server from which it can be copied.
fn source(case: &Case, leaf: BlobId, target: Target) -> Option<commands::Donor> {
    let servers = (0..case.plan.servers.len()).map(ServerId).filter(|s| Target::Server(*s) != target);
    let donor = |s: ServerId| commands::Donor {
        server: case.plan.server(s).label.to_string(),
        product: product(case, Target::Server(s)),
    };
    servers.into_iter().find(|s| case.certificates.holds_key(*s, leaf)).map(donor)
}

fn product(case: &Case, target: Target) -> commands::Product {
    commands::Product::of(wording::product(case.plan, target))
}

fn thumbprint(case: &Case, leaf: BlobId) -> String {
    case.certificates.facts(leaf).map_or_else(|_| leaf.to_string(), |f| f.thumbprint())
}

fn described(case: &Case, wanted: &[CertId], items: &[Item]) -> String {
    match wanted {
        [] => format!("a certificate for {}", wording::name_list(case.plan, &wording::names(items))),
        [one, ..] => {
            let declared = case.plan.certificate(*one);
            let ordered = matches!(declared.source, CertificateSource::Names(_));
            let thumbprint = declared.thumbprint.as_ref().map(|t| format!(" {}", t.value)).unwrap_or_default();
            format!(
                "certificate \"{}\"{thumbprint}{}",
                declared.label,
                if ordered { ", once it is issued," } else { "" }
            )
        }
    }
}
