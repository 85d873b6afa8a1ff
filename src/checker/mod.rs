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
mod asked;
mod back;
mod closure;
mod course;
mod deadlines;
mod existence;
mod follow;
mod history;
mod led;
mod meet;
mod mend;
mod sources;
#[cfg(test)]
pub(crate) mod tests;
mod witness;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use crate::model::cutover::{HarmClass, Proof, Second, Timeline, Verdict, Witness};
use crate::parallel;
use closure::{Closure, Group};
use course::{Course, Forth, Slot};
use follow::Found;
use history::History;
use sources::{Comers, Sources, Targets};
use words::Unseen;

pub use back::{times_back, turned_back};
pub use mend::{mend, reordered, without};

/// Proves a timeline safe, or says who is hurt.
pub fn prove(timeline: &Timeline) -> Proof {
    let history = History::of(timeline);
    let targets = Targets::of(&history);
    let groups = closure::groups(timeline);
    let mut closures =
        parallel::each(groups.len(), |i| Closure::of(timeline, &history, &groups[i], targets.contains(groups[i].name)));
    let comers = sources::comers(&history, &groups, &closures);
    sources::linked(&history, &targets, &groups, &mut closures, &comers);
    let clients = Clients {
        timeline,
        history: &history,
        targets: &targets,
        groups: &groups,
        closures: &closures,
        comers: &comers,
    };
    let mut told = Told::default();
    let forth = Forth::of(timeline);
    clients.way_forth(&forth, &mut told);
    let ways_back = clients.ways_back(&forth, &mut told);
    told.proof(timeline, &history, (&forth, ways_back))
}

/// Everybody who is to be followed, and what they depend on.
struct Clients<'c, 'a> {
    timeline: &'a Timeline,
    history: &'c History<'a>,
    targets: &'c Targets<'a>,
    groups: &'c [Group<'a>],
    closures: &'c [Closure<'c, 'a>],
    comers: &'c Comers,
}

impl<'a> Clients<'_, 'a> {
    fn on<'s>(&'s self, course: &'s Course<'s>) -> Sources<'s, 'a> {
        let clients = (self.groups, self.closures);
        Sources::new(self.timeline, self.history, course, clients, (self.targets, self.comers))
    }

    fn way_forth(&self, forth: &Forth, told: &mut Told) {
        let course = Course::forward(forth);
        let sources = self.on(&course);
        let found = parallel::each(self.groups.len(), |i| sources.follower(i).all());
        found.into_iter().for_each(|found| told.add(found));
    }

    /// Each prefix of the steps and its undoing; how many there are.
    fn ways_back(&self, forth: &Forth, told: &mut Told) -> usize {
        let steps = self.timeline.steps.len();
        let mut touched: Vec<Vec<usize>> = vec![Vec::new(); steps];
        for (i, closure) in self.closures.iter().enumerate() {
            closure.steps.iter().for_each(|step| touched[*step].push(i));
        }
        let mut count = 0;
        let mut sooner: Option<Course> = None;
        for (last, touched) in touched.iter().enumerate() {
            let Some(course) = Course::back_from(forth, last) else { continue };
            count += 1;
            let sources = self.on(&course);
            let is_touched = |group: usize| touched.binary_search(&group).is_ok();
            let timed = (0..self.groups.len()).filter(|i| sources.follower(*i).time_matters());
            let mut groups: Vec<usize> = touched.iter().copied().chain(timed).collect();
            groups.sort_unstable();
            groups.dedup();
            let spare = told.spare;
            let back = |i: usize| sources.follower(groups[i]).back(is_touched(groups[i]), sooner.as_ref(), spare);
            let back = parallel::each(groups.len(), back);
            back.into_iter().for_each(|found| told.add(found));
            drop(sources);
            sooner = Some(course);
        }
        count
    }
}

/// The execution in which a step starts as early as it can, and every step before it ends as late as it can: start and end of
/// each, up to that step. Harm that can be met while it is carried out can be met in this one.
pub fn execution(timeline: &Timeline, step: usize) -> Vec<(Second, Second)> {
    let forth = Forth::of(timeline);
    let course = Course::forward(&forth);
    let slot = Slot::During(step);
    let at_least = |i: usize| timeline.steps.get(i).map_or(0, |s| Second::from(s.ending.at_least()));
    let ended = (0..step).map(|i| course.earliest(slot) - course.elapsed(i, slot));
    let mut times: Vec<(Second, Second)> = ended.enumerate().map(|(i, end)| (end - at_least(i), end)).collect();
    let start = course.earliest(slot);
    times.push((start, start + at_least(step).max(Second::from(timeline.steps[step].ending.estimate())).max(1)));
    times
}

/// What all followers found, put together.
#[derive(Default)]
struct Told {
    best: BTreeMap<HarmClass, Witness>,
    hurt: BTreeMap<HarmClass, BTreeSet<usize>>,
    spare: Option<u32>,
    unknown: BTreeSet<Unseen>,
    /// The certificates that clients can meet, each with the last step while which they can.
    reach: BTreeMap<usize, Option<usize>>,
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
        self.spare = self.spare.into_iter().chain(found.spare).min();
        self.unknown.extend(found.unknown);
        found.reach.join(&mut self.reach);
    }

    fn proof(self, timeline: &Timeline, history: &History, (forth, ways_back): (&Forth, usize)) -> Proof {
        let misfits = history.misfits.clone();
        let verdict = match (self.best.is_empty(), self.unknown.is_empty() && misfits.is_empty()) {
            (false, _) => Verdict::Harm,
            (true, false) => Verdict::CouldNotTell,
            (true, true) => Verdict::Safe,
        };
        let deadlines = deadlines::of(timeline, history, &self.reach);
        let end = Course::forward(forth).earliest(Slot::End);
        let spare = self.spare.into_iter().chain(deadlines::spare(timeline, &deadlines, end)).min();
        let unknown: BTreeSet<String> = self.unknown.iter().map(|what| words::unseen(timeline, *what)).collect();
        let mut harms: Vec<Witness> = self.best.into_values().collect();
        harms.sort_by_key(rank);
        Proof {
            verdict,
            paths: timeline.paths.len(),
            intervals: 2 * timeline.steps.len() + 1,
            ways_back,
            spare: spare.filter(|_| harms.is_empty()),
            harms,
            hurt: HarmClass::ALL.map(|class| self.hurt.get(&class).map_or(0, BTreeSet::len)),
            unknown: unknown.into_iter().collect(),
            deadlines,
            misfits,
        }
    }
}

/// What is told first: on the way forth, early, short; the rest so that nothing is left to chance.
fn rank(witness: &Witness) -> impl Ord + use<> {
    let told = (witness.answers.len(), witness.path.clone(), witness.address, witness.node, witness.credential);
    (witness.undoing.is_some(), witness.step, witness.at, told, witness.words.clone())
}
