//! What was seen, as a set that grows fast: nothing is compared while it is gathered.

use super::observation::Observation;

/// Observations in the order in which they came. Compared as a set; whoever needs the set's order sorts once.
#[derive(Clone, Debug, Default)]
pub struct Observations(Vec<Observation>);

impl Observations {
    /// Adds one; that it stands here already does no harm.
    pub fn insert(&mut self, observation: Observation) {
        self.0.push(observation);
    }

    /// Makes room for so many more, and for no more than that.
    pub fn reserve(&mut self, more: usize) {
        self.0.reserve_exact(more);
    }

    /// As they came.
    pub fn as_slice(&self) -> &[Observation] {
        &self.0
    }

    /// As they came.
    pub fn iter(&self) -> std::slice::Iter<'_, Observation> {
        self.0.iter()
    }

    /// How many came.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True if none came.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Keeps those that fit.
    pub fn retain(&mut self, fits: impl FnMut(&Observation) -> bool) {
        self.0.retain(fits);
    }

    /// Each once, in their order.
    pub fn sorted(&self) -> Vec<&Observation> {
        let mut all: Vec<&Observation> = self.0.iter().collect();
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
        self.0.extend(more);
    }
}

impl FromIterator<Observation> for Observations {
    fn from_iter<I: IntoIterator<Item = Observation>>(all: I) -> Self {
        Self(all.into_iter().collect())
    }
}

impl IntoIterator for Observations {
    type Item = Observation;
    type IntoIter = std::vec::IntoIter<Observation>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Observations {
    type Item = &'a Observation;
    type IntoIter = std::slice::Iter<'a, Observation>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
