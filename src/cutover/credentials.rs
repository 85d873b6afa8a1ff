//! Certificates as far as a proof needs them: the plan's, and those that were seen.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::certificate::{BlobId, CertificateFacts};
use crate::model::cutover::Credential;
use crate::model::dane::Tlsa;
use crate::model::name::Name;
use crate::model::observation::{FileOutcome, Outcome, Probe, Recording};
use crate::model::plan::{CertId, CertificateSource, MatchMode, Plan, ViewId};
use crate::pki::{self, Anchors};

/// Intermediates offered to path building, at most.
const KNOWN_MAX: usize = 512;

/// What TLSA records say of a certificate (RFC 6698 section 2.1): the SHA-256 of the whole, and of its key; and the same of
/// the authorities that are served with it.
pub(super) struct Association {
    whole: BlobId,
    key: BlobId,
    authorities: Vec<(BlobId, BlobId)>,
}

impl Association {
    /// True if a value is about it. Only digests of SHA-256 are known, which all is published with.
    pub(super) fn is(&self, value: &Tlsa) -> bool {
        let is = |whole: &BlobId, key: &BlobId| {
            let digest = if value.selector == 0 { whole } else { key };
            value.matching == 1 && value.association == digest.0
        };
        match value.usage {
            3 => is(&self.whole, &self.key),
            // The authority has to come with the certificate (RFC 7671 section 5.2.2).
            2 => self.authorities.iter().any(|(whole, key)| is(whole, key)),
            _ => false,
        }
    }

    /// True if it is known which authorities are served with it.
    pub(super) fn has_authorities(&self) -> bool {
        !self.authorities.is_empty()
    }

    /// The digest for a selector.
    pub(super) fn digest(&self, selector: u8) -> &[u8] {
        if selector == 0 { &self.whole.0 } else { &self.key.0 }
    }
}

/// All certificates of a cutover.
pub(super) struct Credentials<'a> {
    plan: &'a Plan,
    recording: &'a Recording,
    pub(super) all: Vec<Credential>,
    /// By leaf; the plan's own first.
    leaves: BTreeMap<BlobId, usize>,
    /// By leaf: what was served or stands in a file behind it.
    behind: BTreeMap<BlobId, BTreeSet<BlobId>>,
    /// What each view trusts; `None` if no run says.
    anchors: Vec<Option<Anchors>>,
    known: Vec<Arc<[u8]>>,
    now: Timestamp,
    /// Plan's certificates that somebody has seen.
    pub(super) seen: BTreeSet<CertId>,
    /// By node and port, what stands for a certificate of which nothing is known.
    unknown: BTreeMap<(usize, u16), usize>,
    facts: BTreeMap<BlobId, Option<CertificateFacts>>,
    /// SHA-1 of what is known, in capital hex.
    pub(super) thumbprints: BTreeMap<usize, String>,
}

impl<'a> Credentials<'a> {
    pub(super) fn new(plan: &'a Plan, recording: &'a Recording, now: Timestamp) -> Self {
        let mut this = Self {
            plan,
            recording,
            all: Vec::new(),
            leaves: BTreeMap::new(),
            behind: BTreeMap::new(),
            anchors: plan.views.iter().map(|v| anchors(recording, &v.label)).collect(),
            known: Vec::new(),
            now,
            seen: BTreeSet::new(),
            unknown: BTreeMap::new(),
            facts: BTreeMap::new(),
            thumbprints: BTreeMap::new(),
        };
        this.known = this.intermediates();
        let everybody: BTreeSet<ViewId> = plan.view_ids().collect();
        for certificate in &plan.certificates {
            let names = match &certificate.source {
                CertificateSource::Names(names) => Some(names.iter().map(|n| n.value.to_string()).collect()),
                _ => None,
            };
            // Not issued yet: the gates see to it that it is trusted and valid before any client is sent to it.
            let trusted = names.is_some().then(|| everybody.clone());
            let label = certificate.label.clone();
            if let Some(thumbprint) = &certificate.thumbprint {
                this.thumbprints.insert(this.all.len(), thumbprint.value.to_string());
            }
            this.all.push(Credential { label, names, valid_from: None, valid_until: None, trusted });
        }
        for (path, chain) in files(recording) {
            let holds = |c: &&CertificateSource| matches!(c, CertificateSource::File(f) if f.value == path);
            let found = plan.certificates.iter().position(|c| holds(&&c.source));
            if let Some(id) = found {
                this.fill(id, &chain);
            }
        }
        this
    }

    /// What TLSA records say of those that somebody has seen.
    pub(super) fn associations(&mut self) -> BTreeMap<usize, Association> {
        let leaves: Vec<(BlobId, usize)> = self.leaves.iter().map(|(id, index)| (*id, *index)).collect();
        let of = |(id, index): (BlobId, usize)| {
            let (whole, key) = self.facts(id).map(|f| (f.sha256, f.spki_sha256))?;
            let behind = self.behind.get(&id).cloned().unwrap_or_default();
            let read = |id| self.facts(id).filter(|f| f.is_ca).map(|f| (f.sha256, f.spki_sha256));
            let authorities = behind.into_iter().filter_map(read).collect();
            Some((index, Association { whole, key, authorities }))
        };
        leaves.into_iter().filter_map(of).collect()
    }

    fn intermediates(&mut self) -> Vec<Arc<[u8]>> {
        let ids: Vec<BlobId> = self.recording.blobs.keys().copied().collect();
        let mut out = Vec::new();
        for id in ids {
            if out.len() < KNOWN_MAX && self.facts(id).is_some_and(|f| f.is_ca) {
                out.extend(self.recording.blobs.get(&id).cloned());
            }
        }
        out
    }

    fn facts(&mut self, id: BlobId) -> Option<&CertificateFacts> {
        let blobs = &self.recording.blobs;
        let read = || blobs.get(&id).and_then(|der| pki::facts(der).ok());
        self.facts.entry(id).or_insert_with(read).as_ref()
    }

    /// Gives a certificate of the plan what was seen of it.
    fn fill(&mut self, index: usize, chain: &[BlobId]) {
        let Some(leaf) = chain.first().copied() else { return };
        self.behind.entry(leaf).or_default().extend(chain.iter().skip(1));
        let trusted = self.trusted(chain);
        let Some(facts) = self.facts(leaf).cloned() else { return };
        let credential = &mut self.all[index];
        credential.names = Some(facts.dns_ids.to_vec());
        credential.valid_from = Some(facts.not_before);
        credential.valid_until = facts.not_after.checked_add(jiff::SignedDuration::from_secs(1)).ok();
        credential.trusted = trusted;
        self.thumbprints.insert(index, facts.thumbprint());
        self.leaves.insert(leaf, index);
        self.seen.insert(CertId(index));
    }

    /// The views whose clients trust a chain; `None` if some view's anchors are not known.
    fn trusted(&self, chain: &[BlobId]) -> Option<BTreeSet<ViewId>> {
        let ders: Option<Vec<Arc<[u8]>>> = chain.iter().map(|id| self.recording.blobs.get(id).cloned()).collect();
        let ders = ders?;
        let mut out = BTreeSet::new();
        for view in self.plan.view_ids() {
            let anchors = self.anchors[view.0].as_ref()?;
            if pki::path(&ders, anchors, &self.known, self.now).untrusted.is_none() {
                out.insert(view);
            }
        }
        Some(out)
    }

    /// The credential of a chain that was served.
    pub(super) fn of_chain(&mut self, chain: &[BlobId]) -> Option<usize> {
        let leaf = *chain.first()?;
        self.behind.entry(leaf).or_default().extend(chain.iter().skip(1));
        if let Some(index) = self.leaves.get(&leaf) {
            return Some(*index);
        }
        let facts = self.facts(leaf)?.clone();
        if let Some(index) = self.plan.certificates.iter().position(|c| self.is_meant(c, &facts)) {
            self.fill(index, chain);
            return Some(index);
        }
        let trusted = self.trusted(chain);
        let label = facts.dns_ids.first().map_or(&*facts.subject, String::as_str);
        let label = format!("{label} ({}…)", facts.thumbprint().get(..8).unwrap_or_default());
        self.all.push(Credential {
            label: label.into(),
            names: Some(facts.dns_ids.to_vec()),
            valid_from: Some(facts.not_before),
            valid_until: facts.not_after.checked_add(jiff::SignedDuration::from_secs(1)).ok(),
            trusted,
        });
        self.thumbprints.insert(self.all.len() - 1, facts.thumbprint());
        self.leaves.insert(leaf, self.all.len() - 1);
        Some(self.all.len() - 1)
    }

    /// A certificate of which the plan knows only a thumbprint or names, and that nobody was taken for yet.
    fn is_meant(&self, certificate: &crate::model::plan::Certificate, facts: &CertificateFacts) -> bool {
        if let Some(thumbprint) = &certificate.thumbprint {
            return thumbprint.value.is_of(facts);
        }
        match &certificate.source {
            CertificateSource::Names(names) => {
                let is_taken = self.plan.certificates.iter().position(|c| c.label == certificate.label);
                !is_taken.is_some_and(|i| self.seen.contains(&CertId(i)))
                    && !names.is_empty()
                    && names.len() == facts.dns_ids.len()
                    && names.iter().all(|n| pki::identify(facts, &n.value).is_ok())
            }
            _ => false,
        }
    }

    /// What stands for what a port serves where nobody knows.
    pub(super) fn unknown(&mut self, node: usize, port: u16, label: &str) -> usize {
        let all = &mut self.all;
        *self.unknown.entry((node, port)).or_insert_with(|| {
            let label = format!("what {label} serves at {port}");
            all.push(Credential {
                label: label.into(),
                names: None,
                valid_from: None,
                valid_until: None,
                trusted: None,
            });
            all.len() - 1
        })
    }

    /// True if all names are known to be covered, and no view is known to distrust it.
    pub(super) fn suits<'n>(&self, index: usize, names: impl IntoIterator<Item = &'n Name>) -> bool {
        let credential = &self.all[index];
        let Some(presented) = &credential.names else { return false };
        let trusted = credential.trusted.as_ref().is_none_or(|t| t.len() == self.plan.views.len());
        let covers = |n: &Name| pki::identify_among(presented.iter().map(String::as_str), n).is_ok();
        trusted && names.into_iter().all(covers)
    }

    /// True if it is known: seen, or of the plan.
    pub(super) fn seen_or_planned(&self, index: usize) -> bool {
        self.all[index].names.is_some()
    }

    /// True if any certificate that covers will do in its place.
    pub(super) fn by_names(&self, index: usize) -> bool {
        self.plan.certificates.get(index).is_none_or(|c| c.match_mode == MatchMode::Names)
    }
}

fn anchors(recording: &Recording, label: &str) -> Option<Anchors> {
    let told = recording.runs.values().filter(|r| r.anchors.contains_key(label) && !r.trust_errors.contains_key(label));
    let run = told.max_by_key(|r| (r.started, r.id.clone()))?;
    let ders: Option<Vec<Arc<[u8]>>> =
        run.anchors.get(label)?.iter().map(|id| recording.blobs.get(id).cloned()).collect();
    Some(Anchors::new(&ders?).0)
}

/// The chain of each file as it was read last.
fn files(recording: &Recording) -> BTreeMap<&str, Vec<BlobId>> {
    let mut out: BTreeMap<&str, (Timestamp, &Vec<BlobId>)> = BTreeMap::new();
    for observation in recording.observations.sorted() {
        if let (Probe::File(path), Outcome::File(FileOutcome::Certificates { chain, .. })) =
            (&observation.probe, &*observation.outcome)
        {
            let newest = out.entry(path.as_str()).or_insert((observation.at, chain));
            if observation.at >= newest.0 {
                *newest = (observation.at, chain);
            }
        }
    }
    out.into_iter().map(|(path, (_, chain))| (path, chain.clone())).collect()
}
