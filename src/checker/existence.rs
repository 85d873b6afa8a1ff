//! Which names of a view exist when: by records of their own, or by those of a name below them (RFC 4592 section 2.2.2).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::history::{Owner, Owners, Values, parents};

/// More owners than this that one step changes at once around one name are not tried in every combination.
pub(super) const COMBINED: usize = 6;

/// Owners that a step changes, each once; of many only some, and more than [`COMBINED`].
type Few<'a> = Vec<&'a str>;

/// Over all states.
#[derive(Default)]
pub(super) struct Existence<'a> {
    /// How many owners below a name exist, by state; of names below which any ever do. A zone cut ends it.
    below: HashMap<&'a str, Values<usize>>,
    /// The owners below a name that a step changes.
    changed_below: HashMap<(&'a str, usize), Few<'a>>,
    /// The wildcards that a step changes.
    changed_wildcards: HashMap<usize, Few<'a>>,
    /// True if a wildcard stands at any time.
    pub has_wildcards: bool,
    apexes: BTreeSet<&'a str>,
}

impl<'a> Existence<'a> {
    pub fn of(owners: &Owners<'a>, is_apex: impl Fn(&str) -> bool) -> Self {
        let mut out = Self::default();
        let mut counts: HashMap<&'a str, BTreeMap<usize, isize>> = HashMap::new();
        // In an order that is always the same, for what is only some of many.
        let mut names: Vec<&'a str> = owners.keys().copied().collect();
        names.sort_unstable();
        for name in names {
            let Some((_, owner)) = owners.get(name).filter(|(_, owner)| owner.ever_exists()) else { continue };
            let steps: BTreeSet<usize> = owner.steps().collect();
            if name.starts_with("*.") {
                out.has_wildcards = true;
                steps.iter().for_each(|step| push(out.changed_wildcards.entry(*step).or_default(), name));
            }
            if is_apex(name) {
                out.apexes.insert(name);
                continue;
            }
            for parent in parents(name) {
                if is_apex(parent) {
                    out.apexes.insert(parent);
                    break;
                }
                count(counts.entry(parent).or_default(), owner, &steps);
                steps.iter().for_each(|step| push(out.changed_below.entry((parent, *step)).or_default(), name));
            }
        }
        out.below = counts.into_iter().map(|(name, by_state)| (name, summed(&by_state))).collect();
        out
    }

    /// True if an owner below a name exists in a state.
    pub fn has_below(&self, name: &str, state: usize) -> bool {
        self.count_below(name, state) > 0
    }

    /// How many owners below a name exist in a state.
    pub fn count_below(&self, name: &str, state: usize) -> usize {
        self.below.get(name).map_or(0, |values| *values.at(state))
    }

    /// True if an owner counts as below a name: no zone cut is between.
    pub fn is_below(&self, owner: &str, name: &str) -> bool {
        let above = || parents(owner).take_while(|p| !self.apexes.contains(p));
        !self.apexes.contains(owner) && above().any(|p| p == name)
    }

    /// The owners that a step changes, of those below some names, and of all wildcards; more than [`COMBINED`] may be only
    /// some.
    pub fn changed<'n>(&self, names: impl Iterator<Item = &'n str>, step: usize) -> BTreeSet<&'a str> {
        let below = names.filter_map(|name| self.changed_below.get(&(name, step))).flatten();
        below.chain(self.changed_wildcards.get(&step).into_iter().flatten()).copied().collect()
    }
}

fn push<'a>(few: &mut Few<'a>, name: &'a str) {
    if few.len() <= COMBINED {
        few.push(name);
    }
}

fn count(by_state: &mut BTreeMap<usize, isize>, owner: &Owner, steps: &BTreeSet<usize>) {
    *by_state.entry(0).or_default() += isize::from(owner.exists(0));
    for step in steps {
        let more = isize::from(owner.exists(step + 1)) - isize::from(owner.exists(*step));
        if more != 0 {
            *by_state.entry(step + 1).or_default() += more;
        }
    }
}

fn summed(by_state: &BTreeMap<usize, isize>) -> Values<usize> {
    let mut sum: isize = 0;
    let mut values = Values::starting(0);
    for (state, more) in by_state {
        sum += more;
        values.put(*state, sum.unsigned_abs());
    }
    values
}
