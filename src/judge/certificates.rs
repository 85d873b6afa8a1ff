//! Facts of certificates and chains, each found once: parsing, identity and path building are the dear part of a judgement.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::Hash;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;

use super::evidence::{Evidence, Found, Look, Looks};
use super::in_use::{Few, insert};
use super::paths::Paths;
use super::planned::Planned;
use crate::model::certificate::{BlobId, CertificateFacts};
use crate::model::identity::{Matched, Mismatch};
use crate::model::name::Name;
use crate::model::observation::{FileOutcome, Outcome, Probe, Recording, TlsProbe};
use crate::model::plan::{CertId, CertificateSource, Plan, ServerId, ViewId};
use crate::model::service::{Service, Way};
use crate::model::source::Located;
use crate::model::tls::{Possession, Served, TlsOutcome};
use crate::parallel;
use crate::pki::{self, PathFacts, Presented};

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
    /// The place of each in `all`.
    places: HashMap<BlobId, u32>,
    paths: Paths<'a>,
    /// Leaves seen at each server's own addresses, each with the chains that came with it.
    served: BTreeMap<ServerId, Leaves<'a>>,
    /// The first chain, in the recording's order and not too old, in which each leaf was served.
    chains: BTreeMap<BlobId, &'a [BlobId]>,
    contents: Vec<Content>,
    /// Of each file of certificates that was read.
    notes: BTreeMap<String, &'a [String]>,
    /// The names of each declared certificate that is not ordered yet.
    planned: Vec<OnceLock<Presented>>,
    declared: BTreeMap<BlobId, CertId>,
    /// The served leaves that are taken for each declared certificate.
    seen_as: BTreeMap<CertId, BTreeSet<BlobId>>,
}

/// Leaves as a server served them.
type Leaves<'a> = BTreeMap<BlobId, Seen<'a>>;

/// How a leaf was served, both sorted: leaves are many, and few have more than one of either.
#[derive(Default)]
struct Seen<'a> {
    /// The chains that came with it, and whether its key was shown not to be there.
    chains: Vec<(&'a [BlobId], bool)>,
    /// Where.
    ports: Few<(u16, Way)>,
}

impl<'a> Certificates<'a> {
    /// Reads every certificate of the recording's chains, and finds out what the declared ones are.
    pub(super) fn new(plan: &Plan, evidence: &Evidence<'a>, recording: &'a Recording, now: Timestamp) -> Self {
        let looks = recording.observations.len();
        let ((served, first), (chains, all)) =
            parallel::both(looks, || (served(plan, evidence), first_chains(evidence)), || read_all(recording));
        let intermediate = |(id, c): &(BlobId, Certificate)| {
            c.facts.as_ref().is_ok_and(|f| f.is_ca).then(|| recording.blobs.get(id).cloned()).flatten()
        };
        let known: Vec<Arc<[u8]>> = all.iter().filter_map(intermediate).take(KNOWN_MAX).collect();
        let mut this = Self {
            places: all.iter().zip(0..).map(|((id, _), at)| (*id, at)).collect(),
            all,
            paths: Paths::new(plan, evidence, recording, now, known, chains.into_iter()),
            served,
            chains: first,
            contents: Vec::new(),
            notes: notes(plan, evidence),
            planned: plan.certificates.iter().map(|_| OnceLock::new()).collect(),
            declared: BTreeMap::new(),
            seen_as: BTreeMap::new(),
        };
        this.contents = (0..plan.certificates.len()).map(|i| this.find_content(plan, evidence, CertId(i))).collect();
        this.find_declared(plan);
        this
    }

    fn get(&self, id: BlobId) -> Option<&Certificate> {
        let at = usize::try_from(*self.places.get(&id)?).ok()?;
        self.all.get(at).map(|(_, certificate)| certificate)
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

    /// The leaves seen at a server's own addresses.
    pub(super) fn served_by(&self, server: ServerId) -> impl Iterator<Item = BlobId> + '_ {
        self.served.get(&server).into_iter().flat_map(|leaves| leaves.keys().copied())
    }

    /// The leaves seen at a service of a server's own addresses.
    pub(super) fn served_at(&self, server: ServerId, at: &Service) -> Vec<BlobId> {
        let leaves = self.served.get(&server).into_iter().flatten();
        leaves.filter(|(_, seen)| seen.ports.contains(&(at.port, at.way))).map(|(leaf, _)| *leaf).collect()
    }

    /// True if a server was seen to serve a leaf at its own addresses.
    pub(super) fn serves(&self, server: ServerId, leaf: BlobId) -> bool {
        self.served.get(&server).is_some_and(|leaves| leaves.contains_key(&leaf))
    }

    /// True if a server was seen to serve a leaf at its own addresses, and nowhere without its key.
    pub(super) fn holds_key(&self, server: ServerId, leaf: BlobId) -> bool {
        let seen = self.served.get(&server).and_then(|leaves| leaves.get(&leaf));
        seen.is_some_and(|seen| seen.chains.iter().all(|(_, keyless)| !keyless))
    }

    /// At how many ports a server was seen to serve a leaf.
    pub(super) fn ports_of(&self, server: ServerId, leaf: BlobId) -> usize {
        self.served.get(&server).and_then(|leaves| leaves.get(&leaf)).map_or(0, |seen| seen.ports.len())
    }

    /// True if a server was seen to serve this very chain at its own addresses, with its key or without it alike.
    pub(super) fn serves_alike(&self, server: ServerId, served: &Served) -> bool {
        let leaves = self.served.get(&server).zip(served.chain.first());
        let chains = leaves.and_then(|(leaves, leaf)| leaves.get(leaf));
        chains.is_some_and(|seen| seen.chains.binary_search(&(served.chain.as_slice(), is_keyless(served))).is_ok())
    }

    /// A chain in which a leaf was served.
    pub(super) fn chain_of(&self, leaf: BlobId) -> Option<&'a [BlobId]> {
        self.chains.get(&leaf).copied()
    }

    /// What was said of a file of certificates beside them; nothing where it was not read.
    pub(super) fn notes(&self, path: &str) -> &'a [String] {
        self.notes.get(path).copied().unwrap_or_default()
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
        let seen: BTreeSet<BlobId> = self.served.values().flat_map(|leaves| leaves.keys().copied()).collect();
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
            CertificateSource::From(server) => match self.served.get(server).filter(|s| !s.is_empty()) {
                Some(leaves) => Content::Leaves(leaves.keys().map(|l| (*l, vec![*l])).collect()),
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

    /// The end-entity certificates in a file of the plan; none if it was not read.
    pub(super) fn in_file(&self, evidence: &Evidence<'a>, path: &str) -> Vec<BlobId> {
        match self.file_content(evidence, path) {
            Content::Leaves(leaves) => leaves.into_iter().map(|(leaf, _)| leaf).collect(),
            _ => Vec::new(),
        }
    }

    fn file_content(&self, evidence: &Evidence<'a>, path: &str) -> Content {
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

impl Certificates<'_> {
    /// The services of a server that were seen to serve another leaf than `old`, one that is right for these names: their
    /// words, and that leaf.
    pub(super) fn renewed(
        &self,
        plan: &Plan,
        server: ServerId,
        old: BlobId,
        names: &[Name],
    ) -> Option<(Vec<&'static str>, BlobId)> {
        let is_right = |leaf: &BlobId| {
            *leaf != old && self.is_known(*leaf) && names.iter().all(|n| matches!(self.identify(*leaf, n), Some(Ok(_))))
        };
        let (leaf, seen) = self.served.get(&server)?.iter().find(|(leaf, _)| is_right(leaf))?;
        let services = plan.server(server).services.iter().map(|s| &s.value);
        let mut words: Vec<&'static str> = Vec::new();
        for service in services.filter(|s| seen.ports.contains(&(s.port, s.way))) {
            if !words.contains(&service.word) {
                words.push(service.word);
            }
        }
        (!words.is_empty()).then_some((words, *leaf))
    }
}

/// Where a certificate stands in a file, from 0.
pub(super) fn place_in_file(evidence: &Evidence, path: &str, leaf: BlobId) -> Option<usize> {
    let Found::Fresh(looks) = evidence.find(&Probe::File(path.to_string()), |_| true) else { return None };
    match newest_file(evidence, looks)? {
        FileOutcome::Certificates { chain, .. } => chain.iter().position(|id| *id == leaf),
        FileOutcome::NoCertificate(_) | FileOutcome::Unreadable(_) => None,
    }
}

fn notes<'a>(plan: &Plan, evidence: &Evidence<'a>) -> BTreeMap<String, &'a [String]> {
    let mut out = BTreeMap::new();
    for certificate in &plan.certificates {
        let CertificateSource::File(path) = &certificate.source else { continue };
        let Found::Fresh(looks) = evidence.find(&Probe::File(path.value.clone()), |_| true) else { continue };
        if let Some(FileOutcome::Certificates { notes, .. }) = newest_file(evidence, looks) {
            out.insert(path.value.clone(), notes.as_slice());
        }
    }
    out
}

/// A file is one thing wherever it was read from: the newest reading counts.
fn newest_file<'a>(evidence: &Evidence<'a>, looks: Looks) -> Option<&'a FileOutcome> {
    let newest = looks.into_iter().max_by_key(|l| (evidence.look(*l).at, *l))?;
    evidence.file(newest)
}

fn chains(recording: &Recording) -> impl Iterator<Item = &[BlobId]> {
    // Of what was seen alike in a row, the first tells it all.
    let runs = recording.observations.as_slice().chunk_by(|a, b| Arc::ptr_eq(&a.outcome, &b.outcome));
    runs.filter_map(<[_]>::first).filter_map(|o| match &*o.outcome {
        Outcome::Tls(TlsOutcome::Certificate(served)) => Some(served.chain.as_slice()),
        Outcome::File(FileOutcome::Certificates { chain, .. }) => Some(chain.as_slice()),
        _ => None,
    })
}

/// The chains of a recording, and what each of their certificates says, sorted by the ids.
fn read_all(recording: &Recording) -> (HashSet<&[BlobId]>, Vec<(BlobId, Certificate)>) {
    let chains: HashSet<&[BlobId]> = chains(recording).collect();
    let mut ids: Vec<BlobId> = chains.iter().copied().flatten().copied().collect();
    ids.sort_unstable();
    ids.dedup();
    let certificate = |common: &mut Common, i: usize| {
        let mut facts = read(recording, &ids[i]);
        facts.iter_mut().for_each(|facts| common.share(facts));
        (ids[i], Certificate { facts, presented: OnceLock::new() })
    };
    let all = parallel::runs(ids.len(), Common::default, certificate);
    (chains, all)
}

/// What many certificates have alike, kept once.
#[derive(Default)]
struct Common {
    texts: HashSet<Arc<str>>,
    names: HashSet<Arc<[u8]>>,
}

impl Common {
    fn share(&mut self, facts: &mut CertificateFacts) {
        keep(&mut self.names, &mut facts.issuer_der);
        [&mut facts.issuer, &mut facts.key, &mut facts.signature]
            .into_iter()
            .for_each(|text| keep(&mut self.texts, text));
    }
}

/// Takes what is known where it is the same.
fn keep<T: Eq + Hash + ?Sized>(known: &mut HashSet<Arc<T>>, one: &mut Arc<T>) {
    match known.get(one) {
        Some(same) => *one = same.clone(),
        None => _ = known.insert(one.clone()),
    }
}

fn read(recording: &Recording, id: &BlobId) -> Result<CertificateFacts, String> {
    let der = recording.blobs.get(id).ok_or("not in the recording")?;
    let facts = pki::facts(der).map_err(|e| e.0)?;
    // A recording may come from anywhere; what it calls a certificate must be that certificate.
    if facts.sha256 == *id { Ok(facts) } else { Err("the recording has other bytes under its digest".into()) }
}

fn first_chains<'a>(evidence: &Evidence<'a>) -> BTreeMap<BlobId, &'a [BlobId]> {
    let mut out = HashMap::new();
    for (look, _) in evidence.looks() {
        if let Some(TlsOutcome::Certificate(served)) = evidence.tls(look)
            && let Some(leaf) = served.chain.first()
            && !out.contains_key(leaf)
            && evidence.is_current(look)
        {
            out.insert(*leaf, served.chain.as_slice());
        }
    }
    out.into_iter().collect()
}

fn is_keyless(served: &Served) -> bool {
    matches!(served.possession, Possession::Failed(_))
}

fn served<'a>(plan: &Plan, evidence: &Evidence<'a>) -> BTreeMap<ServerId, Leaves<'a>> {
    let mut owners = Owners::new();
    for (i, server) in plan.servers.iter().enumerate() {
        for address in server.own_addresses(&plan.views) {
            owners.entry(address).or_default().push(ServerId(i));
        }
    }
    let mut out: BTreeMap<ServerId, Leaves> = BTreeMap::new();
    for (probe, looks) in evidence.probes() {
        let Probe::Tls(TlsProbe { address, way, sni: Some(_), .. }) = probe else { continue };
        if !owners.contains_key(&address.ip()) {
            continue;
        }
        // What an older run of the same vantage saw is not served any more.
        let Found::Fresh(looks) = evidence.seen_at(looks) else { continue };
        for served in looks.into_iter().filter_map(|look| certificate(evidence, look)) {
            let Some(leaf) = served.chain.first() else { continue };
            for server in owners.get(&address.ip()).into_iter().flatten() {
                let seen = out.entry(*server).or_default().entry(*leaf).or_default();
                let chain = (served.chain.as_slice(), is_keyless(served));
                if let Err(at) = seen.chains.binary_search(&chain) {
                    seen.chains.reserve_exact(usize::from(seen.chains.is_empty()));
                    seen.chains.insert(at, chain);
                }
                insert(&mut seen.ports, (address.port(), *way));
            }
        }
    }
    out
}

type Owners = BTreeMap<std::net::IpAddr, Vec<ServerId>>;

fn certificate<'a>(evidence: &Evidence<'a>, look: Look) -> Option<&'a Served> {
    match evidence.tls(look)? {
        TlsOutcome::Certificate(served) => Some(served),
        _ => None,
    }
}
