//! Certificates in words.

use std::collections::BTreeSet;

use super::{list, names, wanted_by};
use crate::judge::case::Case;
use crate::judge::certificates;
use crate::judge::draft::Item;
use crate::model::certificate::{BlobId, CertificateFacts};
use crate::model::identity::Mismatch;
use crate::model::name::Name;
use crate::model::plan::{CertId, CertificateSource, ServerId, Target};

/// `B26C…1738  CN=mail.example, self-signed`.
pub(in crate::judge) fn certificate(facts: &CertificateFacts) -> String {
    let subject = match facts.subject.is_empty() {
        true => facts.dns_ids.first().map_or_else(|| "no subject".into(), |d| format!("no subject, {d}")),
        false => facts.subject.to_string(),
    };
    let own = if facts.is_self_issued() { ", self-signed" } else { "" };
    format!("{}  {subject}{own}", facts.thumbprint())
}

/// A leaf by its id.
pub(in crate::judge) fn leaf(case: &Case, id: BlobId) -> String {
    match case.certificates.facts(id) {
        Ok(facts) => certificate(facts),
        Err(why) => format!("{} (cannot be read: {why})", short(&id.to_string())),
    }
}

fn short(text: &str) -> String {
    text.chars().take(16).collect()
}

/// The names of a certificate, or that it has none.
pub(in crate::judge) fn presented(facts: &CertificateFacts) -> String {
    match facts.dns_ids.is_empty() {
        true => "no subjectAltName".into(),
        false => list(facts.dns_ids.iter().map(String::as_str)),
    }
}

/// What is wanted of a target instead of what it serves, for `expected`; with a sibling that serves it already.
pub(in crate::judge) fn wanted_at(case: &Case, target: Option<Target>, items: &[Item]) -> Vec<String> {
    let names: Vec<Name> = names(items).into_iter().map(|n| case.plan.name(n).name.probe()).collect();
    let lines = |id: CertId| match case.certificates.good_leaf(&[id], &names) {
        Some(good) => {
            let by = sibling(case, target, good).map(|s| format!("; {s}")).unwrap_or_default();
            vec![leaf(case, good), format!("(certificate \"{}\"{by})", case.plan.certificate(id).label)]
        }
        None => wanted(case, &BTreeSet::from([id])),
    };
    wanted_by(items).into_iter().flat_map(lines).collect()
}

/// Another server that serves a leaf, members of the target's pools first: `ex19-01 serves it on all 7`.
fn sibling(case: &Case, target: Option<Target>, leaf: BlobId) -> Option<String> {
    let plan = case.plan;
    let is_near = |s: ServerId| {
        let pools = plan.pools.iter().map(|p| p.all_members());
        pools.into_iter().any(|all| all.contains(&s) && all.iter().any(|m| Some(Target::Server(*m)) == target))
    };
    let others = (0..plan.servers.len()).map(ServerId).filter(|s| Some(Target::Server(*s)) != target);
    let serving = others.filter(|s| case.certificates.serves(*s, leaf));
    let best = serving.min_by_key(|s| (!is_near(*s), *s))?;
    let (on, all) = (case.certificates.ports_of(best, leaf), plan.server(best).services.len());
    let label = &plan.server(best).label;
    Some(match (on, all) {
        (_, 1) => format!("{label} serves it"),
        (on, all) if on >= all => format!("{label} serves it on all {all}"),
        (on, all) => format!("{label} serves it on {on} of {all}"),
    })
}

/// Said where a leaf is not the first certificate of its file: some servers take the first one for theirs.
pub(in crate::judge) fn file_place(case: &Case, certificate: CertId, leaf: BlobId) -> Option<String> {
    let CertificateSource::File(path) = &case.plan.certificate(certificate).source else { return None };
    let place = certificates::place_in_file(case.evidence, &path.value, leaf).filter(|place| *place > 0)?;
    Some(format!("it is number {} in {}: some servers take the first one for theirs", place + 1, path.value))
}

/// What a set of declared certificates is, for `expected`.
pub(in crate::judge) fn wanted(case: &Case, certificates: &BTreeSet<CertId>) -> Vec<String> {
    let line = |id: &CertId| {
        let declared = case.plan.certificate(*id);
        let label = format!("(certificate \"{}\")", declared.label);
        match (case.certificates.leaves(&[*id]).first(), &declared.source) {
            (Some(found), _) => format!("{}  {label}", leaf(case, *found)),
            (None, CertificateSource::Names(names)) => {
                format!("{}  {label}", list(names.iter().map(|n| n.value.as_str())))
            }
            (None, _) => match &declared.thumbprint {
                Some(t) => format!("{}  {label}", t.value),
                None => label,
            },
        }
    };
    certificates.iter().map(line).collect()
}

/// Why a certificate does not cover a name.
pub(in crate::judge) fn mismatch(why: &Mismatch) -> String {
    match why {
        Mismatch::NoDnsId { common_name: true } => {
            "it has the name as commonName only, which clients ignore (RFC 9525)".into()
        }
        Mismatch::NoDnsId { common_name: false } => "it has no DNS name in subjectAltName".into(),
        Mismatch::CommonNameOnly { common_name } => {
            format!("only its commonName {common_name} matches, which clients ignore (RFC 9525)")
        }
        Mismatch::WildcardDepth { presented } => format!("{presented}: * stands for exactly one label"),
        Mismatch::IpInDnsId { presented } => format!("the address {presented} stands in a dNSName"),
        Mismatch::NotPresented => "the name is not on it".into(),
    }
}
