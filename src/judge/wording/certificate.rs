//! Certificates in words.

use std::collections::BTreeSet;

use super::list;
use crate::judge::case::Case;
use crate::model::certificate::{BlobId, CertificateFacts};
use crate::model::identity::Mismatch;
use crate::model::plan::{CertId, CertificateSource};

/// `B26C…1738  CN=mail.example, self-signed`.
pub(in crate::judge) fn certificate(facts: &CertificateFacts) -> String {
    let subject = match facts.subject.is_empty() {
        true => facts.dns_ids.first().map_or_else(|| "no subject".into(), |d| format!("no subject, {d}")),
        false => facts.subject.clone(),
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
