//! The phases of a migration, the moments in which a plan can be judged, and sets of them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A steady state of the migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Only the old servers are used.
    Before,
    /// New and old servers are used side by side.
    Coexistence,
    /// Only the new servers are used.
    After,
}

impl Phase {
    /// All, in order.
    pub const ALL: [Phase; 3] = [Phase::Before, Phase::Coexistence, Phase::After];

    /// The word of the plan file.
    pub fn word(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::Coexistence => "coexistence",
            Self::After => "after",
        }
    }

    /// The phase of a word.
    pub fn of_word(word: &str) -> Option<Phase> {
        Self::ALL.into_iter().find(|p| p.word() == word)
    }

    /// The phase before this one.
    pub fn previous(self) -> Option<Phase> {
        match self {
            Self::Before => None,
            Self::Coexistence => Some(Self::Before),
            Self::After => Some(Self::Coexistence),
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What a run asks about: a steady phase, a change between two, or the eve of that change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Moment {
    /// A steady phase.
    Steady(Phase),
    /// Between two phases: DNS may answer either target, and the servers of both must serve.
    Transition(Phase, Phase),
    /// All that must hold before the flip from the first phase to the second may happen (`--ready-for`).
    Ready(Phase, Phase),
}

impl Moment {
    /// All moments, in a fixed order.
    pub const ALL: [Moment; 9] = {
        use Moment::{Ready, Steady, Transition};
        use Phase::{After, Before, Coexistence};
        [
            Steady(Before),
            Steady(Coexistence),
            Steady(After),
            Transition(Before, Coexistence),
            Transition(Coexistence, After),
            Transition(Before, After),
            Ready(Before, Coexistence),
            Ready(Coexistence, After),
            Ready(Before, After),
        ]
    };

    /// The phases that this moment touches, the earlier first.
    pub fn phases(self) -> (Phase, Option<Phase>) {
        match self {
            Self::Steady(p) => (p, None),
            Self::Transition(p, q) | Self::Ready(p, q) => (p, Some(q)),
        }
    }

    /// Reads `before`, `coexistence`, `after`, or a transition such as `before..coexistence`.
    pub fn parse(text: &str) -> Option<Moment> {
        match text.split_once("..") {
            None => Phase::of_word(text).map(Moment::Steady),
            Some((p, q)) => {
                let (p, q) = (Phase::of_word(p)?, Phase::of_word(q)?);
                (p < q).then_some(Moment::Transition(p, q))
            }
        }
    }

    fn bit(self) -> u16 {
        let flip = |p, q| match (p, q) {
            (Phase::Before, Phase::Coexistence) => 0,
            (Phase::Coexistence, Phase::After) => 1,
            _ => 2,
        };
        match self {
            Self::Steady(p) => 1 << p as u16,
            Self::Transition(p, q) => 1 << (3 + flip(p, q)),
            Self::Ready(p, q) => 1 << (6 + flip(p, q)),
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Steady(p) => write!(f, "{p}"),
            Self::Transition(p, q) => write!(f, "{p}..{q}"),
            Self::Ready(_, q) => write!(f, "ready-for {q}"),
        }
    }
}

/// A set of moments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MomentSet(u16);

impl MomentSet {
    /// No moment.
    pub const EMPTY: MomentSet = MomentSet(0);

    /// Adds a moment.
    pub fn insert(&mut self, moment: Moment) {
        self.0 |= moment.bit();
    }

    /// True if the moment is in the set.
    pub fn contains(self, moment: Moment) -> bool {
        self.0 & moment.bit() != 0
    }

    /// Both sets together.
    pub fn union(self, other: MomentSet) -> MomentSet {
        MomentSet(self.0 | other.0)
    }

    /// True if there is no moment.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The moments, in the order of [`Moment::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Moment> {
        Moment::ALL.into_iter().filter(move |m| self.contains(*m))
    }
}

impl FromIterator<Moment> for MomentSet {
    fn from_iter<I: IntoIterator<Item = Moment>>(moments: I) -> Self {
        let mut set = Self::EMPTY;
        moments.into_iter().for_each(|m| set.insert(m));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_reads_back_and_transitions_go_forward_only() {
        for m in Moment::ALL.into_iter().filter(|m| !matches!(m, Moment::Ready(..))) {
            assert_eq!(Moment::parse(&m.to_string()), Some(m));
        }
        assert_eq!(Moment::parse("after..before"), None);
        assert_eq!(Moment::parse("before..before"), None);
    }

    #[test]
    fn a_set_holds_what_was_put_in() {
        let set: MomentSet = Moment::ALL.into_iter().step_by(2).collect();
        assert_eq!(set.iter().collect::<Vec<_>>(), Moment::ALL.into_iter().step_by(2).collect::<Vec<_>>());
    }
}
