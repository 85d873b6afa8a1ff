//! Facts of certificates and chains, each found once: parsing, identity and path building are the dear part of a judgement.

mod files;
mod reading;
mod serving;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;

use super::evidence::Evidence;
use super::paths::Paths;
use super::planned::Planned;
use crate::model::certificate::{BlobId, CertificateFacts};
use crate::model::identity::{Matched, Mismatch};
use crate::model::name::Name;
use crate::model::observation::Recording;
use crate::model::pfx::PfxFacts;
use crate::model::plan::{CertId, CertificateSource, Plan, ServerId, ViewId};
use crate::model::source::Located;
use crate::parallel;
use crate::pki::{self, PathFacts, Presented};

pub(super) use files::place_in_file;
use serving::Leaves;

/// Intermediates offered to path building, at most: what hostile servers can add is bounded.
const KNOWN_MAX: usize = 512;

/// What is known of the content of a declared certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// These end-entity certificates, with the chain of each as far as the file has it; never empty.
    Leaves(Vec<(BlobId, Vec<BlobId>)>),
    /// Only its names, in the plan.
    Planned,
    /// Nothing: why.
    Unknown(String),
}

/// So many places before and behind are looked at first.
const NEAR: usize = 256;

/// Up to so many DNS-IDs are looked at one by one.
const FEW: usize = 8;

/// A certificate as it was read.
struct Certificate {
    facts: Result<CertificateFacts, String>,
    /// Its identifiers, made ready where they are many and asked for.
    presented: OnceLock<Box<Presented>>,
}

/// Everything known of certificates, found once.
pub(super) struct Certificates<'a> {
    /// Sorted by the ids.
    all: Vec<(BlobId, Certificate)>,
    /// How each id begins.
    starts: Vec<u64>,
    paths: Paths<'a>,
    /// Leaves seen at each server's own addresses, each with the chains that came with it.
    served: BTreeMap<ServerId, Leaves<'a>>,
    /// The first chain, in the recording's order and not too old, in which each leaf was served.
    chains: BTreeMap<BlobId, &'a [BlobId]>,
    contents: Vec<Content>,
    /// Of each file of certificates that was read.
    beside: BTreeMap<String, files::Beside<'a>>,
    /// The names of each declared certificate that is not ordered yet.
    planned: Vec<OnceLock<Presented>>,
    declared: BTreeMap<BlobId, CertId>,
    /// The served leaves that are taken for each declared certificate.
    seen_as: BTreeMap<CertId, BTreeSet<BlobId>>,
}

/// How an id begins, in the order of the ids.
fn start(id: BlobId) -> u64 {
    id.0.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

/// The first place among sorted starts that has this one. Digests are spread evenly: it is near where the start itself
/// says, and the longer search is for those that somebody has chosen.
fn place(starts: &[u64], start: u64) -> Option<usize> {
    let near = usize::try_from((u128::from(start) * starts.len() as u128) >> 64).ok()?;
    let (from, to) = (near.saturating_sub(NEAR), starts.len().min(near + NEAR));
    let part = starts.get(from..to)?;
    // What stands before the part may be the same as its first.
    let within = (from == 0 || *part.first()? < start) && *part.last()? >= start;
    let (from, part) = if within { (from, part) } else { (0, starts) };
    let at = from + part.partition_point(|other| *other < start);
    (starts.get(at) == Some(&start)).then_some(at)
}

impl<'a> Certificates<'a> {
    /// Reads every certificate of the recording's chains, and finds out what the declared ones are.
    pub(super) fn new(plan: &Plan, evidence: &Evidence<'a>, recording: &'a Recording, now: Timestamp) -> Self {
        let looks = recording.observations.len();
        let seen = || (serving::served(plan, evidence), serving::first_chains(evidence));
        let ((served, first), (chains, all)) = parallel::both(looks, seen, || reading::read_all(recording));
        let intermediate = |(id, c): &(BlobId, Certificate)| {
            c.facts.as_ref().is_ok_and(|f| f.is_ca).then(|| recording.blobs.get(id).cloned()).flatten()
        };
        let known: Vec<Arc<[u8]>> = all.iter().filter_map(intermediate).take(KNOWN_MAX).collect();
        let mut this = Self {
            starts: all.iter().map(|(id, _)| start(*id)).collect(),
            all,
            paths: Paths::new(plan, evidence, recording, now, known, chains.into_iter()),
            served,
            chains: first,
            contents: Vec::new(),
            beside: files::beside(plan, evidence),
            planned: plan.certificates.iter().map(|_| OnceLock::new()).collect(),
            declared: BTreeMap::new(),
            seen_as: BTreeMap::new(),
        };
        this.contents = (0..plan.certificates.len()).map(|i| this.find_content(plan, evidence, CertId(i))).collect();
        this.find_declared(plan);
        this
    }

    fn get(&self, id: BlobId) -> Option<&Certificate> {
        let from = self.all.get(place(&self.starts, start(id))?..)?;
        from.iter().take_while(|(other, _)| *other <= id).find(|(other, _)| *other == id).map(|(_, found)| found)
    }

    /// What a certificate says, or why it cannot be read.
    pub(super) fn facts(&self, id: BlobId) -> Result<&CertificateFacts, &str> {
        self.get(id).map_or(Err("not in the recording"), |c| c.facts.as_ref().map_err(String::as_str))
    }

    /// Whether a certificate covers a name (RFC 9525); `None` if it cannot be read.
    pub(super) fn identify(&self, leaf: BlobId, name: &Name) -> Option<Result<Matched, Mismatch>> {
        let certificate = self.get(leaf)?;
        let facts = certificate.facts.as_ref().ok()?;
        Some(match facts.dns_ids.len() > FEW {
            true => certificate.presented.get_or_init(|| Box::new(Presented::of(facts))).identify(name),
            false => pki::identify(facts, name),
        })
    }

    /// Whether the names of a certificate that is not ordered yet cover a name.
    pub(super) fn identify_planned(
        &self,
        id: CertId,
        names: &[Located<Name>],
        name: &Name,
    ) -> Result<Matched, Mismatch> {
        let all = || names.iter().map(|n| n.value.as_str());
        match self.planned.get(id.0).filter(|_| names.len() > FEW) {
            Some(ready) => ready.get_or_init(|| Presented::among(all())).identify(name),
            None => pki::identify_among(all(), name),
        }
    }

    /// The path of a chain for a view's clients; `None` if the view's anchors or a part of the chain are not recorded.
    pub(super) fn path(&self, chain: &'a [BlobId], view: ViewId) -> Option<Arc<PathFacts>> {
        self.paths.path(chain, view, |id| self.facts(id))
    }

    /// As [`Certificates::path`], of a declared certificate's file.
    pub(super) fn declared_path(&self, chain: &[BlobId], view: ViewId) -> Option<PathFacts> {
        self.paths.declared(chain, view, |id| self.facts(id))
    }

    /// Trust sources of a view that could not be read: its anchors are not all there.
    pub(super) fn trust_errors(&self, view: ViewId) -> &[String] {
        self.paths.errors(view)
    }

    /// True if some run brought this view's anchors.
    pub(super) fn has_anchors(&self, view: ViewId) -> bool {
        self.paths.has_anchors(view)
    }

    /// A chain in which a leaf was served.
    pub(super) fn chain_of(&self, leaf: BlobId) -> Option<&'a [BlobId]> {
        self.chains.get(&leaf).copied()
    }

    /// What was said of a file of certificates beside them; nothing where it was not read.
    pub(super) fn notes(&self, path: &str) -> &'a [String] {
        self.beside.get(path).map_or(&[], |beside| beside.notes)
    }

    /// How a PFX file is protected; `None` of any other, and where it was not read.
    pub(super) fn pfx(&self, path: &str) -> Option<&'a PfxFacts> {
        self.beside.get(path)?.pfx
    }

    /// A certificate's bytes.
    pub(super) fn der(&self, id: BlobId) -> Option<&'a [u8]> {
        self.paths.der(id)
    }

    /// Whether a certificate's signature is by another's key; `None` if that cannot be told.
    pub(super) fn is_signed_by(&self, certificate: BlobId, issuer: BlobId) -> Option<bool> {
        pki::is_signed_by(self.paths.der(certificate)?, self.paths.der(issuer)?)
    }

    /// What a declared certificate is.
    pub(super) fn content(&self, certificate: CertId) -> &Content {
        &self.contents[certificate.0]
    }

    /// The leaves of declared certificates, as far as they are known.
    pub(super) fn leaves(&self, certificates: &[CertId]) -> Vec<BlobId> {
        let of = |c: &CertId| match self.content(*c) {
            Content::Leaves(leaves) => leaves.iter().map(|(leaf, _)| *leaf).collect(),
            _ => Vec::new(),
        };
        certificates.iter().flat_map(of).collect()
    }

    /// The declared certificate that a leaf is: by its content, or where only names are planned, the one whose names
    /// it shares most of.
    pub(super) fn declared(&self, leaf: BlobId) -> Option<CertId> {
        self.declared.get(&leaf).copied()
    }

    /// True if a leaf is a declared certificate by its content.
    pub(super) fn is_known(&self, leaf: BlobId) -> bool {
        let is = |c: &Content| matches!(c, Content::Leaves(l) if l.iter().any(|(id, _)| *id == leaf));
        self.declared(leaf).and_then(|c| self.contents.get(c.0)).is_some_and(is)
    }

    /// A leaf that is one of these certificates and covers these names: from a file, or as some server serves it.
    pub(super) fn good_leaf(&self, certificates: &[CertId], names: &[Name]) -> Option<BlobId> {
        let covers = |leaf: &BlobId| names.iter().all(|n| matches!(self.identify(*leaf, n), Some(Ok(_))));
        let seen = certificates.iter().filter_map(|c| self.seen_as.get(c)).flatten().copied();
        self.leaves(certificates).into_iter().chain(seen).find(covers)
    }

    fn find_declared(&mut self, plan: &Plan) {
        let planned = Planned::of(plan);
        for (i, content) in self.contents.iter().enumerate().rev() {
            if let Content::Leaves(leaves) = content {
                self.declared.extend(leaves.iter().map(|(leaf, _)| (*leaf, CertId(i))));
            }
        }
        let seen: BTreeSet<BlobId> = self.served.values().flat_map(Leaves::ids).collect();
        let seen: Vec<BlobId> =
            seen.into_iter().chain(self.chains.keys().copied()).collect::<BTreeSet<_>>().into_iter().collect();
        let found = parallel::each(seen.len(), |i| self.declared(seen[i]).or_else(|| self.likest(&planned, seen[i])));
        for (leaf, found) in seen.into_iter().zip(found) {
            if let Some(certificate) = found {
                self.declared.insert(leaf, certificate);
                self.seen_as.entry(certificate).or_default().insert(leaf);
            }
        }
    }

    /// What made itself was not ordered for these names.
    fn likest(&self, planned: &Planned, leaf: BlobId) -> Option<CertId> {
        let facts = self.facts(leaf).ok().filter(|f| !f.is_self_issued())?;
        planned.likest(&facts.dns_ids)
    }

    fn find_content(&self, plan: &Plan, evidence: &Evidence<'a>, id: CertId) -> Content {
        let certificate = plan.certificate(id);
        match &certificate.source {
            CertificateSource::Names(_) => Content::Planned,
            CertificateSource::File(path) => self.file_content(evidence, &path.value),
            CertificateSource::From(server) => match self.served.get(server) {
                Some(leaves) => Content::Leaves(leaves.ids().map(|leaf| (leaf, vec![leaf])).collect()),
                None => Content::Unknown(format!("{} was not seen to serve one", plan.server(*server).label)),
            },
            CertificateSource::Thumbprint => {
                let wanted = certificate.thumbprint.as_ref().map(|t| t.value);
                let is = |f: &CertificateFacts| wanted.is_some_and(|t| t.is_of(f));
                match self.all.iter().find(|(_, c)| c.facts.as_ref().is_ok_and(is)) {
                    Some((leaf, _)) => Content::Leaves(vec![(*leaf, vec![*leaf])]),
                    None => Content::Unknown("no server was seen to serve the certificate of this thumbprint".into()),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_found_wherever_it_stands() {
        let spread: Vec<u64> = (0..10_000).map(|n| n << 50).collect();
        let chosen: Vec<u64> = (0..10_000).collect();
        let alike = [[7; 2000], [8; 2000]].concat();
        for all in [&spread[..], &chosen[..], &alike[..], &spread[..1], &[]] {
            for start in all.iter().copied().chain([0, 1, 77, 20_000, 9_999 << 50, u64::MAX]) {
                assert_eq!(place(all, start), all.iter().position(|other| *other == start), "{start}");
            }
        }
    }
}
