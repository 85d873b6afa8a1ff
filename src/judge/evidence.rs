//! The recording, indexed for questions: what was seen of a probe, by the newest run of each vantage, and how old it is.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::model::observation::{Observation, Outcome, Probe, Recording, Run};

/// Index of an observation in the recording's order.
pub(super) type Look = usize;

/// What there is about a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Observations that count; never empty.
    Fresh(Vec<Look>),
    /// Only observations that are too old: the youngest one's age in hours.
    Stale(i64),
    /// Nothing.
    Nothing,
}

/// A recording and the time at which it is judged.
pub(super) struct Evidence<'a> {
    looks: Vec<&'a Observation>,
    runs: &'a BTreeMap<Arc<str>, Run>,
    /// Observations of one probe stand side by side in the recording's order.
    places: HashMap<&'a Probe, Range<Look>>,
    now: Timestamp,
    max_age: i64,
    /// Consequences rest on the same observations as their cause.
    ids: RefCell<HashMap<Look, String>>,
}

impl<'a> Evidence<'a> {
    /// Indexes a recording; observations older than `max_age` seconds do not count.
    pub(super) fn new(recording: &'a Recording, now: Timestamp, max_age: u32) -> Self {
        let looks: Vec<&Observation> = recording.observations.iter().collect();
        let mut places: HashMap<&Probe, Range<Look>> = HashMap::with_capacity(looks.len());
        for (i, look) in looks.iter().enumerate() {
            places.entry(&look.probe).or_insert(i..i).end = i + 1;
        }
        Self { looks, runs: &recording.runs, places, now, max_age: i64::from(max_age), ids: RefCell::default() }
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
        self.runs.get(&self.looks[look].run)
    }

    /// A short name of an observation, made of its content.
    pub(super) fn id(&self, look: Look) -> String {
        let digest = || {
            let json = serde_json::to_vec(self.looks[look]).unwrap_or_default();
            let mut hex = data_encoding::HEXLOWER.encode(&Sha256::digest(json));
            hex.truncate(12);
            hex
        };
        self.ids.borrow_mut().entry(look).or_insert_with(digest).clone()
    }

    /// What the newest run of each vantage saw, among the runs that `counts` lets count.
    pub(super) fn find(&self, probe: &Probe, counts: impl Fn(&Run) -> bool) -> Found {
        let Some(range) = self.places.get(probe) else { return Found::Nothing };
        let mut youngest: Option<i64> = None;
        let mut newest: BTreeMap<&[Arc<str>], &Run> = BTreeMap::new();
        for look in range.clone() {
            let Some(run) = self.run(look).filter(|r| counts(r)) else { continue };
            let age = self.age(look);
            youngest = Some(youngest.map_or(age, |y| y.min(age)));
            if self.is_fresh(look) {
                let best = newest.entry(&run.stands_in).or_insert(run);
                if (run.started, &run.id) > (best.started, &best.id) {
                    *best = run;
                }
            }
        }
        let chosen = |look: &Look| {
            let run = self.run(*look).filter(|_| self.is_fresh(*look));
            run.is_some_and(|r| newest.get(r.stands_in.as_slice()).is_some_and(|n| n.id == r.id))
        };
        let fresh = self.last_attempts(range.clone().filter(chosen));
        match (fresh.is_empty(), youngest) {
            (false, _) => Found::Fresh(fresh),
            (true, Some(age)) => Found::Stale(age / 3600),
            (true, None) => Found::Nothing,
        }
    }

    /// Of several tries of one sample only the last one counts.
    fn last_attempts(&self, looks: impl Iterator<Item = Look>) -> Vec<Look> {
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

    /// True if an observation is young enough to count.
    pub(super) fn is_fresh(&self, look: Look) -> bool {
        self.age(look) <= self.max_age
    }

    /// Age in seconds; what lies in the future has none.
    fn age(&self, look: Look) -> i64 {
        (self.now.as_second() - self.looks[look].at.as_second()).max(0)
    }

    /// The outcome of an observation of a name server.
    pub(super) fn dns(&self, look: Look) -> Option<&'a crate::model::dns::DnsOutcome> {
        match &self.looks[look].outcome {
            Outcome::Dns(outcome) => Some(outcome),
            _ => None,
        }
    }

    /// The outcome of an observation of an endpoint.
    pub(super) fn tls(&self, look: Look) -> Option<&'a crate::model::tls::TlsOutcome> {
        match &self.looks[look].outcome {
            Outcome::Tls(outcome) => Some(outcome),
            _ => None,
        }
    }

    /// The outcome of reading a file.
    pub(super) fn file(&self, look: Look) -> Option<&'a crate::model::observation::FileOutcome> {
        match &self.looks[look].outcome {
            Outcome::File(outcome) => Some(outcome),
            _ => None,
        }
    }
}
