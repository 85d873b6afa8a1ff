//! What to do about a server that does not serve what it should, in the words of its product.

use std::collections::BTreeSet;

use super::case::Case;
use super::draft::Item;
use super::wording;
use crate::commands;
use crate::model::certificate::BlobId;
use crate::model::plan::{CertId, CertificateSource, NameId, ServerId, Target};

/// How to bring a wanted certificate onto a target, for the services of some problems.
pub(super) fn install(case: &Case, target: Option<Target>, items: &[Item]) -> Vec<String> {
    let Some(target) = target else {
        return vec!["this address is not the target's: correct the record, or the plan".into()];
    };
    let certificates: Vec<CertId> = wording::wanted_by(items).into_iter().collect();
    let label = case.plan.target_label(target);
    let words = wording::services(items);
    match good_leaf(case, &certificates, &wording::names(items)) {
        Some(leaf) => {
            let from = source(case, leaf, target);
            commands::install(wording::product(case.plan, target), from, label, &thumbprint(case, leaf), &words)
        }
        None => {
            let what = described(case, &certificates, items);
            vec![format!("on {label}: install {what} with its intermediates and key, for {}", words.join(" "))]
        }
    }
}

/// A known leaf of the wanted certificates that covers the names.
fn good_leaf(case: &Case, wanted: &[CertId], names: &[NameId]) -> Option<BlobId> {
    let covers = |leaf: &BlobId| {
        let name = |n: &NameId| case.plan.name(*n).name.probe();
        names.iter().all(|n| matches!(case.certificates.identify(*leaf, &name(n)), Some(Ok(_))))
    };
    let declared = case.certificates.leaves(wanted);
    // Where only names are planned, what another server already serves may be it.
    let is_wanted = |l: &BlobId| case.certificates.declared(case.plan, *l).is_some_and(|c| wanted.contains(&c));
    let servers = (0..case.plan.servers.len()).map(ServerId);
    let seen = servers.flat_map(|s| case.certificates.served_by(s));
    let found = declared.into_iter().find(|l| covers(l));
    found.or_else(|| seen.collect::<BTreeSet<_>>().into_iter().find(|l| covers(l) && is_wanted(l)))
}

/// Another server from which it can be copied.
fn source<'a>(case: &'a Case, leaf: BlobId, target: Target) -> Option<&'a str> {
    let servers = (0..case.plan.servers.len()).map(ServerId).filter(|s| Target::Server(*s) != target);
    servers.into_iter().find(|s| case.certificates.serves(*s, leaf)).map(|s| case.plan.server(s).label.as_ref())
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
