//! The recording, indexed for questions: what was seen of a probe, by the runs that no later run supersedes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use smallvec::{SmallVec, smallvec};

use super::ages::{Age, Ages};
use super::order::{KnownName, KnownPlace, Order, Place};
use crate::model::dns::{DnsOutcome, RecordType, ResolverAddr};
use crate::model::http::HttpOutcome;
use crate::model::name::Name;
use crate::model::observation::{Observation, Outcome, Probe, Recording, Run};
use crate::model::plan::Plan;
use crate::model::tls::{Stage, TlsOutcome};

/// Runs that began within so many seconds saw the same world: where they differ, the difference is evidence.
const SAME_TIME: i64 = 600;

/// Index of an observation in the recording's order.
pub(super) type Look = usize;

/// Some observations; mostly it is one.
pub(super) type Looks = SmallVec<[Look; 1]>;

/// What there is about a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Observations that count; never empty.
    Fresh(Looks),
    /// Only observations that do not count at this time.
    Stale(Outdated),
    /// Nothing.
    Nothing,
}

/// Why an observation does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outdated {
    /// It is so many hours older than the newest run, and that is too old.
    TooOld(i64),
    /// Its run began after the time that is judged.
    TooNew,
}

impl fmt::Display for Outdated {
    /// Goes on after "was seen".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooOld(hours) => write!(f, "{hours} h ago, which is too old"),
            Self::TooNew => f.write_str("after the time that is judged"),
        }
    }
}

/// A recording and the time at which it is judged.
pub(super) struct Evidence<'a> {
    looks: Vec<&'a Observation>,
    runs: &'a BTreeMap<Arc<str>, Run>,
    /// The runs by number, with what their age says.
    aged: Vec<(&'a Run, Age)>,
    /// The number of each observation's run; [`NOBODY`] where the recording has no such run.
    of_run: Vec<u32>,
    order: Order<'a>,
    now: Timestamp,
    /// The start of the newest run that is not after `now`: the time as of which the world is known.
    gathered: Option<Timestamp>,
    ages: Ages<'a>,
    /// Consequences rest on the same observations as their cause.
    ids: Mutex<HashMap<Look, String>>,
}

/// The run of an observation that says it is of a run which the recording does not have.
const NOBODY: u32 = u32::MAX;

impl<'a> Evidence<'a> {
    /// Indexes a recording. What is older than the newest run by more than `max-age` does not count, nor does what was
    /// seen by runs that began after `now`: `now` moves the calendar (validity, waivers), not the age of evidence.
    pub(super) fn new(recording: &'a Recording, now: Timestamp, plan: &'a Plan) -> Self {
        let all = recording.observations.as_slice();
        let runs = &recording.runs;
        let (places, order) = Order::of(all);
        let gathered = runs.values().map(|r| r.started).filter(|s| *s <= now).max();
        let age = |run: &Run| match run.started > now {
            true => Age::Future,
            false => Age::Past(gathered.map_or(0, |g| g.as_second() - run.started.as_second())),
        };
        let aged = runs.values().map(|run| (run, age(run))).collect();
        let numbers = run_numbers(all, runs);
        Self {
            looks: places.iter().map(|at| &all[*at as usize]).collect(),
            runs,
            aged,
            of_run: places.iter().map(|at| numbers[*at as usize]).collect(),
            order,
            now,
            gathered,
            ages: Ages::of(plan),
            ids: Mutex::default(),
        }
    }

    /// When the newest run began that counts.
    pub(super) fn gathered(&self) -> Option<Timestamp> {
        self.gathered
    }

    /// The runs, by id.
    pub(super) fn runs(&self) -> &'a BTreeMap<Arc<str>, Run> {
        self.runs
    }

    /// All observations, in the recording's order.
    pub(super) fn looks(&self) -> impl Iterator<Item = (Look, &'a Observation)> + '_ {
        self.looks.iter().copied().enumerate()
    }

    /// An observation.
    pub(super) fn look(&self, look: Look) -> &'a Observation {
        self.looks[look]
    }

    /// The run of an observation.
    pub(super) fn run(&self, look: Look) -> Option<&'a Run> {
        self.aged_run(look).map(|(run, _)| run)
    }

    fn aged_run(&self, look: Look) -> Option<(&'a Run, Age)> {
        self.aged.get(self.of_run[look] as usize).copied()
    }

    /// A short name of an observation, made of its content.
    pub(super) fn id(&self, look: Look) -> String {
        let digest = || {
            let json = serde_json::to_vec(self.looks[look]).unwrap_or_default();
            let mut hex = data_encoding::HEXLOWER.encode(&Sha256::digest(json));
            hex.truncate(12);
            hex
        };
        let mut ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        ids.entry(look).or_insert_with(digest).clone()
    }

    /// What was seen by the runs that `counts` lets count and that no later one supersedes. A run whose proxy resolves names
    /// does not know which address it met, and counts for none.
    pub(super) fn find(&self, probe: &Probe, counts: impl Fn(&Run) -> bool) -> Found {
        self.found(self.order.find(probe), |run| !run.resolves_at_proxy() && counts(run))
    }

    /// Each probe that was looked at, with its observations.
    pub(super) fn probes(&self) -> impl Iterator<Item = (&'a Probe, Range<Look>)> + '_ {
        self.order.probes().map(|looks| (&self.looks[looks.start].probe, looks))
    }

    /// As [`Evidence::find`], of a probe whose observations these are, by any run.
    pub(super) fn seen_at(&self, looks: Range<Look>) -> Found {
        self.found(looks, |run| !run.resolves_at_proxy())
    }

    /// As [`Evidence::find`], where it does not matter at which address a name was met.
    pub(super) fn find_by_name(&self, probe: &Probe, counts: impl Fn(&Run) -> bool) -> Found {
        self.found(self.order.find(probe), counts)
    }

    /// As [`Evidence::find`], of a question to a view's resolver, by any run.
    pub(super) fn question(&self, view: &str, resolver: &ResolverAddr, name: &Name, kind: RecordType) -> Found {
        self.found(self.order.at(Place::Resolver(view, resolver), Some(name), kind, false), |_| true)
    }

    /// As [`Evidence::question`], of one without validation.
    pub(super) fn unchecked(&self, view: &str, resolver: &ResolverAddr, name: &Name, kind: RecordType) -> Found {
        self.found(self.order.at(Place::Resolver(view, resolver), Some(name), kind, true), |_| true)
    }

    /// The number of a name, if anything was looked at under it.
    pub(super) fn name(&self, name: &Name) -> Option<KnownName> {
        self.order.name(name)
    }

    /// The number of a place, if anything was looked at there.
    pub(super) fn place(&self, place: &Place) -> Option<KnownPlace> {
        self.order.place(place)
    }

    /// As [`Evidence::find`], where the numbers of place and name are known.
    pub(super) fn known(
        &self,
        place: Option<KnownPlace>,
        name: Option<KnownName>,
        kind: u32,
        counts: impl Fn(&Run) -> bool,
    ) -> Found {
        self.found(self.order.known_at(place, name, kind), counts)
    }

    fn found(&self, range: Range<Look>, counts: impl Fn(&Run) -> bool) -> Found {
        if range.len() < 2 {
            let only = range.start..range.end;
            let counting = only.into_iter().find(|look| self.run(*look).is_some_and(&counts));
            return counting.map_or(Found::Nothing, |look| match self.outdated(look) {
                Some(why) => Found::Stale(why),
                None => Found::Fresh(smallvec![look]),
            });
        }
        let mut outdated: Option<Outdated> = None;
        let mut seen: BTreeMap<&str, Seen> = BTreeMap::new();
        for look in range.clone() {
            let Some(run) = self.run(look).filter(|r| counts(r)) else { continue };
            match self.outdated(look) {
                Some(why) => outdated = Some(outdated.map_or(why, |o| o.min(why))),
                None => {
                    let entry = seen.entry(&run.id).or_insert(Seen { run, has_word: false });
                    entry.has_word |= is_word(self.looks[look]);
                }
            }
        }
        let superseded = |old: &Seen| seen.values().any(|new| new.supersedes(old));
        let current: BTreeSet<&str> = seen.iter().filter(|(_, s)| !superseded(s)).map(|(id, _)| *id).collect();
        let fresh = self.last_attempts(range.clone().filter(|l| current.contains(&*self.looks[*l].run)));
        match (fresh.is_empty(), outdated) {
            (false, _) => Found::Fresh(fresh),
            (true, Some(why)) => Found::Stale(why),
            (true, None) => Found::Nothing,
        }
    }

    /// Of several tries of one sample only the last one counts.
    fn last_attempts(&self, looks: impl Iterator<Item = Look>) -> Looks {
        let mut last: BTreeMap<(&str, u32), Look> = BTreeMap::new();
        for look in looks {
            let o = self.looks[look];
            let best = last.entry((&o.run, o.sample)).or_insert(look);
            if (o.attempt, o.at, look) >= (self.looks[*best].attempt, self.looks[*best].at, *best) {
                *best = look;
            }
        }
        last.into_values().collect()
    }

    /// True if an observation is of a time that counts.
    pub(super) fn is_fresh(&self, look: Look) -> bool {
        self.outdated(look).is_none()
    }

    /// True if an observation is of a time that counts, and no later run supersedes it.
    pub(super) fn is_current(&self, look: Look) -> bool {
        matches!(self.find_by_name(&self.looks[look].probe, |_| true), Found::Fresh(looks) if looks.contains(&look))
    }

    /// True if a run counts for what it brings along. Where all began after the time that is judged, all do: trust
    /// anchors belong to the plan, as files do.
    pub(super) fn is_young(&self, run: &Run) -> bool {
        let age = |gathered: Timestamp| gathered.as_second() - run.started.as_second();
        self.gathered.is_none_or(|g| (0..=self.ages.plan).contains(&age(g)))
    }

    /// The strictest age of evidence that the plan names, in seconds.
    pub(super) fn least_age(&self) -> i64 {
        self.ages.least
    }

    /// True if an observation's run had begun by the time that is judged.
    pub(super) fn is_past(&self, look: Look) -> bool {
        self.run(look).is_some_and(|r| r.started <= self.now)
    }

    fn outdated(&self, look: Look) -> Option<Outdated> {
        match self.aged_run(look)?.1 {
            // What a file holds belongs to the plan; it is no news of the world.
            Age::Future if matches!(self.looks[look].probe, Probe::File(_)) => None,
            Age::Future => Some(Outdated::TooNew),
            Age::Past(age) => {
                let too_old = age > self.ages.least && age > self.ages.max(&self.looks[look].probe);
                too_old.then_some(Outdated::TooOld(age / 3600))
            }
        }
    }

    /// The outcome of an observation of a name server.
    pub(super) fn dns(&self, look: Look) -> Option<&'a DnsOutcome> {
        match &*self.looks[look].outcome {
            Outcome::Dns(outcome) => Some(outcome),
            _ => None,
        }
    }

    /// The outcome of an observation of an endpoint.
    pub(super) fn tls(&self, look: Look) -> Option<&'a TlsOutcome> {
        match &*self.looks[look].outcome {
            Outcome::Tls(outcome) => Some(outcome),
            _ => None,
        }
    }

    /// The outcome of an observation of a web site.
    pub(super) fn http(&self, look: Look) -> Option<&'a HttpOutcome> {
        match &*self.looks[look].outcome {
            Outcome::Http(outcome) => Some(outcome),
            _ => None,
        }
    }

    /// The outcome of reading a file.
    pub(super) fn file(&self, look: Look) -> Option<&'a crate::model::observation::FileOutcome> {
        match &*self.looks[look].outcome {
            Outcome::File(outcome) => Some(outcome),
            _ => None,
        }
    }
}

/// Of each observation the number of its run in the order of their ids. What comes in a row is mostly of one run.
fn run_numbers<'a>(all: &'a [Observation], runs: &BTreeMap<Arc<str>, Run>) -> Vec<u32> {
    let numbers: HashMap<&str, u32> = runs.keys().map(|id| &**id).zip(0..).collect();
    let mut last: Option<(&Arc<str>, u32)> = None;
    let number = |observation: &'a Observation| match last {
        Some((id, number)) if Arc::ptr_eq(id, &observation.run) => number,
        _ => {
            let number = numbers.get(&*observation.run).copied().unwrap_or(NOBODY);
            last = Some((&observation.run, number));
            number
        }
    };
    all.iter().map(number).collect()
}

/// A run that looked at a probe.
struct Seen<'a> {
    run: &'a Run,
    /// It got a word, and not just silence, which may be about where it stood.
    has_word: bool,
}

impl Seen<'_> {
    /// A later run of the same vantage says it anew. One of another vantage does so if it is later by more than a moment
    /// and got a word, or stood wherever the older one did.
    fn supersedes(&self, old: &Self) -> bool {
        let later = (self.run.started, &self.run.id) > (old.run.started, &old.run.id);
        let long = self.run.started.as_second() - old.run.started.as_second() > SAME_TIME;
        let stood_there = || old.run.stands_in.iter().all(|v| self.run.stands_in.contains(v));
        later && (self.run.stands_in == old.run.stands_in || (long && (self.has_word || stood_there())))
    }
}

/// True unless an outcome is silence: a resolver that did not answer, an endpoint that was not reached.
fn is_word(look: &Observation) -> bool {
    match &*look.outcome {
        Outcome::File(_) => true,
        Outcome::Dns(DnsOutcome::ServFail) => true,
        // A resolver that refers may do so for strangers only.
        Outcome::Dns(DnsOutcome::Referral(_)) => matches!(&look.probe, Probe::Dns(p) if p.direct),
        Outcome::Dns(outcome) => outcome.reply().is_some(),
        Outcome::Http(outcome) => matches!(outcome, HttpOutcome::Head(_) | HttpOutcome::NotHttp(_)),
        Outcome::Tls(outcome) => !matches!(
            outcome,
            TlsOutcome::Refused
                | TlsOutcome::Unreachable(_)
                | TlsOutcome::Timeout(Stage::Connect)
                | TlsOutcome::GivenUp(_)
                | TlsOutcome::CannotLook(_)
                | TlsOutcome::Proxy(_)
        ),
    }
}
