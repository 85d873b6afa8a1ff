//! What was seen, as a set that grows fast: while it is gathered no two looks are compared, only what they saw.

use std::collections::HashSet;
use std::sync::Arc;

use super::observation::{Observation, Outcome};

/// Outcomes that are remembered, so that the next equal one is kept once.
const REMEMBERED: usize = 1024;

/// As many are compared with the next one before it is looked up: what is looked at in a row is often alike.
const LAST: usize = 4;

/// Observations in the order in which they came. Compared as a set; whoever needs the set's order sorts once.
#[derive(Clone, Debug, Default)]
pub struct Observations {
    all: Vec<Observation>,
    /// Some of their outcomes: names that lead to one server have answers and chains alike.
    outcomes: HashSet<Arc<Outcome>>,
    /// Those met last, and whose turn it is to be forgotten.
    last: [Option<Arc<Outcome>>; LAST],
    turn: usize,
}

impl Observations {
    /// Adds one; that it stands here already does no harm.
    pub fn insert(&mut self, mut observation: Observation) {
        observation.outcome = self.known(observation.outcome);
        self.make_room();
        self.all.push(observation);
    }

    /// The outcome as it stands here already, if it does.
    fn known(&mut self, outcome: Arc<Outcome>) -> Arc<Outcome> {
        if let Some(known) = self.last.iter().flatten().find(|known| **known == outcome) {
            return Arc::clone(known);
        }
        let known = self.outcomes.get(&outcome).cloned().unwrap_or_else(|| {
            if self.outcomes.len() == REMEMBERED {
                self.outcomes.clear();
            }
            self.outcomes.insert(Arc::clone(&outcome));
            outcome
        });
        self.last[self.turn % LAST] = Some(Arc::clone(&known));
        self.turn += 1;
        known
    }

    /// The looks are most of a run's memory: it grows by an eighth, where a list doubles.
    fn make_room(&mut self) {
        if self.all.len() == self.all.capacity() {
            self.all.reserve_exact((self.all.len() / 8).max(64));
        }
    }

    /// Makes room for about so many more.
    pub fn reserve(&mut self, more: usize) {
        self.all.reserve_exact(more.saturating_add(more / 64 + 16));
    }

    /// As they came.
    pub fn as_slice(&self) -> &[Observation] {
        &self.all
    }

    /// As they came.
    pub fn iter(&self) -> std::slice::Iter<'_, Observation> {
        self.all.iter()
    }

    /// How many came.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// True if none came.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Keeps those that fit.
    pub fn retain(&mut self, fits: impl FnMut(&Observation) -> bool) {
        self.all.retain(fits);
    }

    /// Each once, in their order.
    pub fn sorted(&self) -> Vec<&Observation> {
        let mut all: Vec<&Observation> = self.all.iter().collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

impl PartialEq for Observations {
    fn eq(&self, other: &Self) -> bool {
        self.sorted() == other.sorted()
    }
}

impl Eq for Observations {}

impl Extend<Observation> for Observations {
    fn extend<I: IntoIterator<Item = Observation>>(&mut self, more: I) {
        let more = more.into_iter();
        self.all.reserve(more.size_hint().0);
        more.for_each(|observation| self.insert(observation));
    }
}

impl FromIterator<Observation> for Observations {
    fn from_iter<I: IntoIterator<Item = Observation>>(all: I) -> Self {
        let mut observations = Self::default();
        observations.extend(all);
        observations
    }
}

impl IntoIterator for Observations {
    type Item = Observation;
    type IntoIter = std::vec::IntoIter<Observation>;

    fn into_iter(self) -> Self::IntoIter {
        self.all.into_iter()
    }
}

impl<'a> IntoIterator for &'a Observations {
    type Item = &'a Observation;
    type IntoIter = std::slice::Iter<'a, Observation>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
