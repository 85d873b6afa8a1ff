//! Certificates in files of the plan.

use std::collections::BTreeMap;

use super::{Certificates, Content};
use crate::judge::evidence::{Evidence, Found, Looks};
use crate::model::certificate::{BlobId, CertificateFacts};
use crate::model::observation::{FileOutcome, Probe};
use crate::model::pfx::PfxFacts;
use crate::model::plan::{CertificateSource, Plan};

impl<'a> Certificates<'a> {
    /// The end-entity certificates in a file of the plan; none if it was not read.
    pub(in crate::judge) fn in_file(&self, evidence: &Evidence<'a>, path: &str) -> Vec<BlobId> {
        match self.file_content(evidence, path) {
            Content::Leaves(leaves) => leaves.into_iter().map(|(leaf, _)| leaf).collect(),
            _ => Vec::new(),
        }
    }

    pub(super) fn file_content(&self, evidence: &Evidence<'a>, path: &str) -> Content {
        let look = match evidence.find(&Probe::File(path.to_string()), |_| true) {
            Found::Fresh(looks) => newest_file(evidence, looks),
            Found::Stale(why) => return Content::Unknown(format!("{path} was read {why}")),
            Found::Nothing => return Content::Unknown(format!("{path} was not read")),
        };
        match look {
            Some(FileOutcome::Certificates { chain, .. }) if !chain.is_empty() => {
                Content::Leaves(self.leaves_of_file(chain))
            }
            Some(FileOutcome::NoCertificate(what)) => Content::Unknown(format!("{path} holds no certificate: {what}")),
            Some(FileOutcome::Locked { why, .. }) => {
                Content::Unknown(format!("{path} is a PFX that was not opened: {why}"))
            }
            Some(FileOutcome::Unreadable(why)) => Content::Unknown(format!("{path} cannot be read: {why}")),
            Some(FileOutcome::Certificates { .. }) | None => Content::Unknown(format!("{path} was not read")),
        }
    }

    /// Every end-entity certificate of a file, an RSA and an ECDSA one, say, each before its chain; the first certificate
    /// if there is none. A root of version 1 does not say that it is an authority, but others in the file are by it.
    fn leaves_of_file(&self, file: &[BlobId]) -> Vec<(BlobId, Vec<BlobId>)> {
        let facts: Vec<&CertificateFacts> = file.iter().filter_map(|id| self.facts(*id).ok()).collect();
        let issues =
            |f: &CertificateFacts| facts.iter().any(|other| other.sha256 != f.sha256 && other.names_as_issuer(f));
        let mut leaves: Vec<BlobId> = Vec::new();
        for leaf in facts.iter().filter(|f| !f.is_ca && !issues(f)) {
            if !leaves.contains(&leaf.sha256) {
                leaves.push(leaf.sha256);
            }
        }
        if leaves.is_empty() {
            leaves.extend(file.first());
        }
        let rest: Vec<BlobId> = file.iter().copied().filter(|id| !leaves.contains(id)).collect();
        leaves.iter().map(|leaf| (*leaf, [&[*leaf], &rest[..]].concat())).collect()
    }
}

/// Where a certificate stands in a file, from 0.
pub(in crate::judge) fn place_in_file(evidence: &Evidence, path: &str, leaf: BlobId) -> Option<usize> {
    let Found::Fresh(looks) = evidence.find(&Probe::File(path.to_string()), |_| true) else { return None };
    match newest_file(evidence, looks)? {
        FileOutcome::Certificates { chain, .. } => chain.iter().position(|id| *id == leaf),
        FileOutcome::Locked { .. } | FileOutcome::NoCertificate(_) | FileOutcome::Unreadable(_) => None,
    }
}

/// What a file of certificates says beside them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Beside<'a> {
    pub notes: &'a [String],
    /// How a PFX file is protected.
    pub pfx: Option<&'a PfxFacts>,
}

pub(super) fn beside<'a>(plan: &Plan, evidence: &Evidence<'a>) -> BTreeMap<String, Beside<'a>> {
    let mut out = BTreeMap::new();
    for certificate in &plan.certificates {
        let CertificateSource::File(path) = &certificate.source else { continue };
        let Found::Fresh(looks) = evidence.find(&Probe::File(path.value.clone()), |_| true) else { continue };
        let beside = match newest_file(evidence, looks) {
            Some(FileOutcome::Certificates { notes, pfx, .. }) => Beside { notes, pfx: pfx.as_ref() },
            Some(FileOutcome::Locked { pfx, .. }) => Beside { notes: &[], pfx: Some(pfx) },
            _ => continue,
        };
        out.insert(path.value.clone(), beside);
    }
    out
}

/// A file is one thing wherever it was read from: the newest reading counts.
fn newest_file<'a>(evidence: &Evidence<'a>, looks: Looks) -> Option<&'a FileOutcome> {
    let newest = looks.into_iter().max_by_key(|l| (evidence.look(*l).at, *l))?;
    evidence.file(newest)
}
