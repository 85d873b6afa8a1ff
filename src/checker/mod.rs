//! The proof of a cutover: whether in any execution of its steps a client with any cached answer reaches a server that does
//! not serve a right certificate.
//!
//! It reads a [`Timeline`] and nothing else, knows no planner, and shares no code with one: a wrong plan is told, whoever
//! made it.
//!
//! # What is proved
//!
//! Steps are done one after another. Their times are not one calendar but every calendar that keeps the lower bounds: a step
//! starts no earlier than its waits and its `not_before` say, and ends when that is observed, or after the seconds that are
//! assumed. While a step is carried out, each of its changes may have happened or not.
//!
//! An answer that was authoritative at a second may be returned by a cache for `hold` seconds after it: the larger of TTL
//! and the view's floor, and the slack. Absence is kept for the negative TTL (RFC 2308 section 5), of the name or of an
//! ancestor whose NXDOMAIN hides it (RFC 8020); each link of a CNAME chain for a time of its own.
//!
//! What a client can be told at the start of a step is most when the earlier steps ended as late as they can. Lower bounds
//! are differences, so there is one execution in which all of them do: one look at each step, in that execution, stands
//! for all. Later in the same interval caches only forget. So the verdict is exact, and no time is sampled.
//!
//! Then each prefix of the steps followed by its undoing is proved in the same way.

mod answers;
mod course;
mod deadlines;
mod follow;
mod history;
mod meet;
mod mend;
mod sources;
#[cfg(test)]
pub(crate) mod tests;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use crate::model::cutover::{HarmClass, Proof, Second, Timeline, Verdict, Witness};
use crate::parallel;
use course::{Course, Slot};
use deadlines::InReach;
use follow::{Follower, Found, Group};
use history::History;
use sources::Sources;

pub use mend::{mend, reordered, without};

/// Proves a timeline safe, or says who is hurt.
pub fn prove(timeline: &Timeline) -> Proof {
    let history = History::of(timeline);
    let groups = follow::groups(timeline);
    let forward = Course::forward(timeline);
    let sources = Sources::of(timeline, &history, &groups, &forward);
    let mut told = Told::default();
    let forth = parallel::each(groups.len(), |i| {
        Follower::new(timeline, &history, &forward, &sources, &groups[i]).all(|_| true)
    });
    forth.into_iter().for_each(|found| told.add(found));
    let ways_back = ways_back(timeline, &history, &groups, &mut told);
    told.proof(timeline, &history, ways_back)
}

/// The execution in which a step starts as early as it can, and every step before it ends as late as it can: start and end of
/// each, up to that step. Harm that can be met while it is carried out can be met in this one.
pub fn execution(timeline: &Timeline, step: usize) -> Vec<(Second, Second)> {
    let course = Course::forward(timeline);
    let slot = Slot::During(step);
    let at_least = |i: usize| timeline.steps.get(i).map_or(0, |s| Second::from(s.ending.at_least()));
    let ended = (0..step).map(|i| course.earliest(slot) - course.elapsed(i, slot));
    let mut times: Vec<(Second, Second)> = ended.enumerate().map(|(i, end)| (end - at_least(i), end)).collect();
    let start = course.earliest(slot);
    times.push((start, start + at_least(step).max(Second::from(timeline.steps[step].ending.estimate())).max(1)));
    times
}

/// Each prefix of the steps and its undoing. A group is looked at again only where the last step of the prefix touches it:
/// undone after a later step, everything it knows of has had more time to be forgotten.
fn ways_back(timeline: &Timeline, history: &History, groups: &[Group], told: &mut Told) -> usize {
    let mut count = 0;
    for last in 0..timeline.steps.len() {
        let Some(course) = Course::back_from(timeline, last) else { continue };
        count += 1;
        let sources = Sources::of(timeline, history, groups, &course);
        let back = parallel::each(groups.len(), |i| {
            let follower = Follower::new(timeline, history, &course, &sources, &groups[i]);
            match follower.is_touched_by(last) || sources.time_matters {
                true => follower.all(|slot| course.is_undoing(slot)),
                false => Found::default(),
            }
        });
        back.into_iter().for_each(|found| told.add(found));
    }
    count
}

/// What all followers found, put together.
#[derive(Default)]
struct Told {
    best: BTreeMap<HarmClass, Witness>,
    hurt: BTreeMap<HarmClass, BTreeSet<usize>>,
    spare: Option<u32>,
    unknown: BTreeSet<String>,
    reach: InReach,
}

impl Told {
    fn add(&mut self, found: Found) {
        for (path, witness) in found.harms {
            self.hurt.entry(witness.class).or_default().insert(path);
            match self.best.get(&witness.class) {
                Some(best) if rank(best) <= rank(&witness) => {}
                _ => drop(self.best.insert(witness.class, witness)),
            }
        }
        self.spare = match (self.spare, found.spare) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.unknown.extend(found.unknown);
        self.reach.join(found.reach);
    }

    fn proof(self, timeline: &Timeline, history: &History, ways_back: usize) -> Proof {
        let misfits = history.misfits.clone();
        let verdict = match (self.best.is_empty(), self.unknown.is_empty() && misfits.is_empty()) {
            (false, _) => Verdict::Harm,
            (true, false) => Verdict::CouldNotTell,
            (true, true) => Verdict::Safe,
        };
        let mut harms: Vec<Witness> = self.best.into_values().collect();
        harms.sort_by_key(rank);
        Proof {
            verdict,
            paths: timeline.paths.len(),
            intervals: 2 * timeline.steps.len() + 1,
            ways_back,
            spare: self.spare.filter(|_| harms.is_empty()),
            harms,
            hurt: HarmClass::ALL.map(|class| self.hurt.get(&class).map_or(0, BTreeSet::len)),
            unknown: self.unknown.into_iter().collect(),
            deadlines: deadlines::of(timeline, &self.reach),
            misfits,
        }
    }
}

/// What is told first: on the way forth, early, short; the rest so that nothing is left to chance.
fn rank(witness: &Witness) -> impl Ord + use<> {
    let told = (witness.answers.len(), witness.path.clone(), witness.address, witness.node, witness.credential);
    (witness.undoing.is_some(), witness.step, witness.at, told, witness.words.clone())
}
