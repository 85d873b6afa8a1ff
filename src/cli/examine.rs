//! Observe, then judge: the one path that `check`, `lint` and `demo` take.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::load::{self, Beside};
use super::proxies::Way;
use super::{Trouble, output, passwords};
use crate::model::certificate::BlobId;
use crate::model::observation::{DialMap, FORMAT, FileOutcome, MINOR, Outcome, Probe, Recording, Run};
use crate::model::plan::{Plan, TrustSource};
use crate::model::probes::{Probes, Vantage};
use crate::model::text::shown;
use crate::observe::{self, Options, ReadFile, Route, Seen};
use crate::pki;

/// Where a run finds files and trust anchors.
pub enum Sources<'a> {
    /// Beside the plan on disk; `public` and `system` are what they say.
    Disk(Beside),
    /// In an embedded world: files by their paths as the plan writes them, and one set of anchors for `public` and `system`.
    World(&'a BTreeMap<String, Vec<u8>>, &'a [Arc<[u8]>]),
}

impl Sources<'_> {
    /// Those of a plan file.
    pub fn beside(plan: &Path) -> Self {
        Self::Disk(Beside::of(plan))
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        match self {
            Self::Disk(beside) => beside.read(name),
            Self::World(files, _) => files.get(name).cloned().ok_or_else(|| io::ErrorKind::NotFound.into()),
        }
    }

    /// The anchors of some trust sources, and what could not be read of them.
    fn anchors(&self, trust: &[TrustSource]) -> (Vec<Arc<[u8]>>, Vec<String>) {
        let read = |name: &str| self.read(name);
        match self {
            Self::Disk(_) => observe::anchors(trust, &read),
            Self::World(_, world) => {
                let files: Vec<_> = trust.iter().filter(|t| matches!(t, TrustSource::File(_))).cloned().collect();
                let (mut anchors, errors) = observe::anchors(&files, &read);
                if files.len() < trust.len() {
                    anchors.extend(world.iter().filter(|a| !anchors.contains(a)).cloned().collect::<Vec<_>>());
                }
                (anchors, errors)
            }
        }
    }
}

/// So much is said of one file; nobody reads more.
const NOTES: usize = 10;

/// How a run looks.
pub struct Place<'a> {
    /// Where it stands.
    pub vantage: &'a Vantage,
    /// Where files and anchors come from.
    pub sources: &'a Sources<'a>,
    /// Where to dial instead.
    pub dial: DialMap,
    /// The proxies that lead into views.
    pub ways: Vec<Way>,
    /// Limit of a query or a connection.
    pub timeout: Duration,
    /// Queries and connections in flight.
    pub concurrency: usize,
    /// When it begins.
    pub now: Timestamp,
}

/// The runs of one look.
pub struct Runs {
    /// From here.
    pub own: Run,
    /// Through the proxies, in the order of [`Place::ways`].
    pub through: Vec<Run>,
}

impl Runs {
    /// Adds them to a recording.
    pub fn enter(self, recording: &mut Recording) {
        recording.runs.extend(std::iter::once(self.own).chain(self.through).map(|run| (run.id.clone(), run)));
    }
}

/// Looks, and hands out what is seen as it comes. Runs and blobs are those of [`header`].
pub async fn look(
    plan: &Plan,
    probes: &Probes,
    place: &Place<'_>,
    (runs, blobs): (&Runs, &Blobs),
    sink: &mut (dyn FnMut(Seen) + Send),
) {
    let read = |name: &str| place.sources.read(name);
    let read_file: ReadFile = &read;
    let ders = |ids: &Vec<BlobId>| ids.iter().filter_map(|id| blobs.get(id).cloned()).collect();
    let anchors = runs.own.anchors.iter().map(|(label, ids)| (label.clone(), ders(ids))).collect();
    let routes = place.ways.iter().zip(&runs.through).map(|(way, run)| {
        let route = Route::new(run.id.clone(), way.proxy.clone(), way.password.clone());
        (plan.view(way.view).label.clone(), Arc::new(route))
    });
    let options = Options {
        run: runs.own.id.clone(),
        routes: routes.collect(),
        timeout: place.timeout,
        concurrency: place.concurrency,
        dial: place.dial.clone(),
        read_file,
        passwords: passwords::of(plan),
        anchors,
    };
    observe::observe(probes, &options, sink).await;
}

/// Certificates and anchors: DER by its SHA-256.
pub type Blobs = BTreeMap<BlobId, Arc<[u8]>>;

/// The headers of the runs and the trust anchors that they name: the run from here, then one for each way through a proxy.
pub fn header(plan: &Plan, place: &Place<'_>) -> Result<(Runs, Blobs), Trouble> {
    let mut blobs = BTreeMap::new();
    let mut anchors = BTreeMap::new();
    let mut trust_errors = BTreeMap::new();
    let mut known: BTreeMap<Vec<TrustSource>, (Vec<BlobId>, Vec<String>)> = BTreeMap::new();
    for view in &plan.views {
        // Stores are large, and most views trust the same.
        let trust: Vec<TrustSource> = view.trust.iter().map(|t| t.value.clone()).collect();
        let (ids, errors) = known.entry(trust).or_insert_with_key(|trust| {
            let (ders, errors) = place.sources.anchors(trust);
            let ids: Vec<BlobId> = ders.iter().map(|der| pki::blob_id(der)).collect();
            blobs.extend(ids.iter().copied().zip(ders));
            (ids, errors)
        });
        anchors.insert(view.label.clone(), ids.clone());
        if !errors.is_empty() {
            trust_errors.insert(view.label.clone(), errors.clone());
        }
    }
    let run = Run {
        id: random_id()?,
        format: FORMAT,
        minor: MINOR,
        tool: format!("coexist {}", env!("CARGO_PKG_VERSION")),
        plan: pki::blob_id(plan.source.text.as_bytes()),
        files: file_digests(plan, place),
        stands_in: place.vantage.stands_in.iter().map(|v| plan.view(*v).label.clone()).collect(),
        address: place.vantage.address,
        proxy: None,
        connect_to: place.dial.0.iter().map(ToString::to_string).collect(),
        started: to_the_second(place.now),
        anchors,
        trust_errors,
    };
    let through = |way: &Way| {
        let stands_in = vec![plan.view(way.view).label.clone()];
        Ok(Run { id: random_id()?, stands_in, proxy: Some(way.proxy.to_string()), ..run.clone() })
    };
    let through = place.ways.iter().map(through).collect::<Result<Vec<_>, Trouble>>()?;
    Ok((Runs { own: run, through }, blobs))
}

fn file_digests(plan: &Plan, place: &Place<'_>) -> BTreeMap<String, BlobId> {
    let digest = |path: &String| Some((path.clone(), pki::blob_id(&place.sources.read(path).ok()?)));
    load::names(plan).filter_map(digest).collect()
}

/// The whole of it: looks, and gives what was seen. `watch` sees everything as it comes.
pub async fn examine(
    plan: &Plan,
    probes: &Probes,
    place: &Place<'_>,
    watch: &mut (dyn FnMut(&Seen) + Send),
) -> Result<Recording, Trouble> {
    let (runs, blobs) = header(plan, place)?;
    let mut recording = Recording { blobs: blobs.clone(), ..Recording::default() };
    recording.observations.reserve(probes.count());
    look(plan, probes, place, (&runs, &blobs), &mut |seen| {
        watch(&seen);
        keep(&mut recording, seen);
    })
    .await;
    runs.enter(&mut recording);
    Ok(recording)
}

/// Adds what was seen to a recording.
pub fn keep(recording: &mut Recording, seen: Seen) {
    match seen {
        Seen::Blob(id, der) => {
            recording.blobs.insert(id, der);
        }
        Seen::Observation(observation) => {
            recording.observations.insert(observation);
        }
    }
}

/// Says on stderr what is to be said of the plan's files beside their certificates: a private key in one, parts that could
/// not be read.
pub fn tell_notes(recording: &Recording) {
    for observation in &recording.observations {
        if let (Probe::File(path), Outcome::File(FileOutcome::Certificates { notes, .. })) =
            (&observation.probe, &*observation.outcome)
        {
            notes.iter().take(NOTES).for_each(|note| output::tell(&shown(&format!("warning: {path}: {note}"))));
        }
    }
}

/// When the evidence was gathered: the time at which it is judged unless another is asked for.
pub fn gathered(recording: &Recording) -> Option<Timestamp> {
    recording.runs.values().map(|r| r.started).max()
}

fn random_id() -> Result<Arc<str>, Trouble> {
    let mut bytes = [0u8; 8];
    getrandom::fill(&mut bytes).map_err(|e| Trouble::new(format!("the system gives no random numbers: {e}")))?;
    Ok(data_encoding::HEXLOWER.encode(&bytes).into())
}

/// Without what is finer than a second.
pub(super) fn to_the_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}
