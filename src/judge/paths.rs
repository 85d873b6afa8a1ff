//! Certification paths, each found once: views that trust the same anchors share them, and so do all who ask.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use jiff::Timestamp;

use super::evidence::Evidence;
use crate::model::certificate::{BlobId, CertificateFacts};
use crate::model::observation::{Recording, Run};
use crate::model::plan::{Plan, TrustSource, ViewId};
use crate::pki::{self, Anchors, PathFacts, Read};

/// The trust of one view.
struct Trust {
    /// Index of its anchors.
    anchors: usize,
    errors: Vec<String>,
}

/// A path, once it was asked for.
type Slot = OnceLock<Option<Arc<PathFacts>>>;

/// What a certificate says, or why it cannot be read.
type Facts<'f> = Result<&'f CertificateFacts, &'f str>;

/// Paths of chains for the clients of views.
pub(super) struct Paths<'a> {
    recording: &'a Recording,
    now: Timestamp,
    /// Intermediates that are known, sent or not.
    known: Vec<Arc<[u8]>>,
    trust: Vec<Option<Trust>>,
    /// Each set of anchors once.
    anchors: Vec<Anchors>,
    /// Of each chain that was served: its path for each set of anchors, once it was asked for.
    found: HashMap<&'a [BlobId], Box<[Slot]>>,
    /// The last of them: most are alike.
    alike: Mutex<Option<Arc<PathFacts>>>,
}

impl<'a> Paths<'a> {
    /// Reads the anchors of every view, for paths of these chains.
    pub(super) fn new(
        plan: &Plan,
        evidence: &Evidence<'a>,
        recording: &'a Recording,
        now: Timestamp,
        known: Vec<Arc<[u8]>>,
        chains: impl Iterator<Item = &'a [BlobId]>,
    ) -> Self {
        let (trust, anchors, found, alike) = (Vec::new(), Vec::new(), HashMap::new(), Mutex::default());
        let mut this = Self { recording, now, known, trust, anchors, found, alike };
        let mut read: BTreeMap<&[BlobId], (usize, Vec<String>)> = BTreeMap::new();
        for view in plan.view_ids() {
            let run = newest(plan, evidence, recording, view);
            let trust = run.map(|run| this.trust(&plan.view(view).label, run, &mut read));
            this.trust.push(trust);
        }
        let blank = || this.anchors.iter().map(|_| OnceLock::new()).collect();
        this.found = chains.map(|chain| (chain, blank())).collect();
        this
    }

    fn trust(&mut self, label: &str, run: &'a Run, read: &mut BTreeMap<&'a [BlobId], (usize, Vec<String>)>) -> Trust {
        let ids = run.anchors.get(label).map_or(&[][..], Vec::as_slice);
        let (anchors, unusable) = read.entry(ids).or_insert_with(|| {
            let ders: Vec<Arc<[u8]>> = ids.iter().filter_map(|id| self.recording.blobs.get(id).cloned()).collect();
            let (anchors, mut errors) = Anchors::new(&ders);
            if ders.len() < ids.len() {
                errors.insert(0, "the recording lacks some of its trust anchors".into());
            }
            self.anchors.push(anchors);
            (self.anchors.len() - 1, errors)
        });
        let mut errors = run.trust_errors.get(label).cloned().unwrap_or_default();
        errors.extend(unusable.iter().cloned());
        Trust { anchors: *anchors, errors }
    }

    fn of(&self, view: ViewId) -> Option<&Trust> {
        self.trust.get(view.0)?.as_ref()
    }

    /// The path of a chain for a view's clients; `None` if the view's anchors or a part of the chain are not recorded.
    pub(super) fn path<'f>(
        &self,
        chain: &'a [BlobId],
        view: ViewId,
        facts: impl Fn(BlobId) -> Facts<'f>,
    ) -> Option<Arc<PathFacts>> {
        let anchors = self.of(view)?.anchors;
        let find = || self.find(chain, anchors, facts).map(|path| self.shared(path));
        match self.found.get(chain).and_then(|slots| slots.get(anchors)) {
            Some(slot) => slot.get_or_init(find).clone(),
            None => find(),
        }
    }

    /// The one found last, if it is the same.
    fn shared(&self, path: PathFacts) -> Arc<PathFacts> {
        let mut last = self.alike.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some(last) if **last == path => last.clone(),
            _ => last.insert(Arc::new(path)).clone(),
        }
    }

    /// As [`Paths::path`], of a chain that is not the recording's.
    pub(super) fn declared<'f>(
        &self,
        chain: &[BlobId],
        view: ViewId,
        facts: impl Fn(BlobId) -> Facts<'f>,
    ) -> Option<PathFacts> {
        self.find(chain, self.of(view)?.anchors, facts)
    }

    fn find<'f>(&self, chain: &[BlobId], anchors: usize, facts: impl Fn(BlobId) -> Facts<'f>) -> Option<PathFacts> {
        let facts = |id: &BlobId| facts(*id).map(Cow::Borrowed).map_err(str::to_string);
        let read = |id: &BlobId| Some(Read { der: self.recording.blobs.get(id)?, facts: facts(id) });
        let chain: Option<Vec<Read<'_>>> = chain.iter().map(read).collect();
        Some(pki::path_of(&chain?, self.anchors.get(anchors)?, &self.known, self.now))
    }

    /// A certificate's bytes.
    pub(super) fn der(&self, id: BlobId) -> Option<&'a [u8]> {
        self.recording.blobs.get(&id).map(AsRef::as_ref)
    }

    /// Trust sources of a view that could not be read: its anchors are not all there.
    pub(super) fn errors(&self, view: ViewId) -> &[String] {
        self.of(view).map_or(&[], |t| &t.errors)
    }

    /// True if some run brought this view's anchors.
    pub(super) fn has_anchors(&self, view: ViewId) -> bool {
        self.of(view).is_some()
    }
}

/// The newest run that is not too old and brings a view's anchors. What `system` stands for differs from machine to
/// machine: there a run that stood in the view comes before others.
fn newest<'a>(plan: &Plan, evidence: &Evidence, recording: &'a Recording, view: ViewId) -> Option<&'a Run> {
    let (label, declared) = (&plan.view(view).label, &plan.view(view).trust);
    let by_machine = declared.iter().any(|t| t.value == TrustSource::System);
    let brings = |r: &Run| r.anchors.contains_key(label) || r.trust_errors.contains_key(label);
    let runs = recording.runs.values().filter(|r| evidence.is_young(r) && brings(r));
    runs.max_by_key(|r| (by_machine && r.stands_in.contains(label), r.started, &r.id))
}
