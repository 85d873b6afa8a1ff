//! An order of stages, forth or forth and back, and how much time must pass between them.

use std::ops::RangeInclusive;

use crate::model::cutover::{Ending, Second, Timeline, Wait};

/// One stage: a step, done or undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stage {
    /// Index of the step.
    pub step: usize,
    /// True if it is being undone.
    pub undo: bool,
}

/// A moment at which clients are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Slot {
    /// Second 0, before the first stage.
    Start,
    /// The start of the stage of this index, while it is being carried out.
    During(usize),
    /// The end of the last stage.
    End,
}

/// Stages in their order, with the least time between any two.
pub(super) struct Course {
    pub stages: Vec<Stage>,
    /// For stage `i`, by `j`: the least seconds from the end of `i` to the start of `j`. The last `j` is the end of all.
    elapsed: Vec<Vec<Second>>,
    /// The earliest start of each stage, and the earliest end of all.
    earliest: Vec<Second>,
    /// How many stages lead forth; each is the step of its own index.
    done: usize,
    /// By step, the stage in which it is undone.
    undone: Vec<Option<usize>>,
}

/// What bounds the time of a stage.
struct Bounds {
    at_least: Second,
    /// Set if it ends exactly so many seconds after its start.
    lasts: Option<Second>,
    waits: Vec<(usize, Second)>,
    not_before: Option<Second>,
    at: Option<Second>,
}

impl Course {
    /// All steps.
    pub fn forward(timeline: &Timeline) -> Self {
        let stages = (0..timeline.steps.len()).map(|step| Stage { step, undo: false }).collect();
        Self::of(timeline, stages)
    }

    /// The steps up to `last`, and back as far as there is a way; `None` if there is none.
    pub fn back_from(timeline: &Timeline, last: usize) -> Option<Self> {
        let first = timeline.steps[..=last].iter().rposition(|s| !s.reversible).map_or(0, |i| i + 1);
        let undone = (first..=last).rev().filter(|i| !timeline.steps[*i].changes.is_empty());
        let undone: Vec<Stage> = undone.map(|step| Stage { step, undo: true }).collect();
        if undone.is_empty() || timeline.steps[last].changes.is_empty() {
            return None;
        }
        let done = (0..=last).map(|step| Stage { step, undo: false });
        Some(Self::of(timeline, done.chain(undone).collect()))
    }

    fn of(timeline: &Timeline, stages: Vec<Stage>) -> Self {
        // One that takes no time stands for the end of all.
        let end = Bounds { at_least: 0, lasts: None, waits: Vec::new(), not_before: None, at: None };
        let bounds = (0..stages.len()).map(|i| bounds(timeline, &stages, i)).chain([end]);
        let bounds: Vec<Bounds> = bounds.collect();
        let earliest = earliest(&bounds);
        let latest = latest_ends(&bounds);
        let mut elapsed = least_between(&bounds);
        for (row, latest) in elapsed.iter_mut().zip(latest) {
            let Some(latest) = latest else { continue };
            for (between, start) in row.iter_mut().zip(&earliest) {
                *between = (*between).max(start - latest);
            }
        }
        let done = stages.iter().filter(|s| !s.undo).count();
        let mut undone = vec![None; done];
        for (i, stage) in stages.iter().enumerate().filter(|(_, stage)| stage.undo) {
            undone[stage.step] = Some(i);
        }
        Self { stages, elapsed, earliest, done, undone }
    }

    /// The least seconds from the end of an earlier stage to the beginning of a slot.
    pub fn elapsed(&self, stage: usize, slot: Slot) -> Second {
        match slot {
            Slot::Start => 0,
            Slot::During(at) => self.elapsed[stage][at],
            Slot::End => self.elapsed[stage][self.stages.len()],
        }
    }

    /// The earliest second of a slot.
    pub fn earliest(&self, slot: Slot) -> Second {
        match slot {
            Slot::Start => 0,
            Slot::During(at) => self.earliest[at],
            Slot::End => self.earliest[self.stages.len()],
        }
    }

    /// The stages before a slot in which one of some steps is done or undone, in their order.
    pub fn before<'s>(&'s self, slot: Slot, steps: &'s [usize]) -> impl Iterator<Item = (usize, Stage)> + 's {
        let end = match slot {
            Slot::Start => 0,
            Slot::During(at) => at,
            Slot::End => self.stages.len(),
        };
        let done = steps.iter().copied();
        let undone = steps.iter().rev().filter_map(|step| *self.undone.get(*step)?);
        let stages = done.take_while(move |i| *i < end.min(self.done)).chain(undone.take_while(move |i| *i < end));
        stages.map(|i| (i, self.stages[i]))
    }

    /// The stage that is carried out in a slot.
    pub fn stage(&self, slot: Slot) -> Option<Stage> {
        match slot {
            Slot::Start | Slot::End => None,
            Slot::During(at) => self.stages.get(at).copied(),
        }
    }

    /// The states that count in a slot: before its stage and after it, or the one that holds.
    pub fn states(&self, slot: Slot) -> RangeInclusive<usize> {
        match (slot, self.stage(slot), self.stages.last()) {
            (_, Some(stage), _) => stage.step..=stage.step + 1,
            (Slot::End, _, Some(last)) if last.undo => last.step..=last.step,
            (Slot::End, _, Some(last)) => last.step + 1..=last.step + 1,
            _ => 0..=0,
        }
    }

    /// True if something is being undone in a slot.
    pub fn is_undoing(&self, slot: Slot) -> bool {
        match slot {
            Slot::End => self.stages.last().is_some_and(|s| s.undo),
            _ => self.stage(slot).is_some_and(|s| s.undo),
        }
    }

    /// How many steps are done before one turns back, if a slot is on the way back.
    pub fn turned_after(&self, slot: Slot) -> Option<usize> {
        self.is_undoing(slot).then(|| self.stages.iter().filter(|s| !s.undo).count())
    }

    /// All slots.
    pub fn slots(&self) -> impl Iterator<Item = Slot> + use<> {
        std::iter::once(Slot::Start).chain((0..self.stages.len()).map(Slot::During)).chain([Slot::End])
    }
}

fn bounds(timeline: &Timeline, stages: &[Stage], i: usize) -> Bounds {
    let Stage { step, undo } = stages[i];
    let step = &timeline.steps[step];
    if undo {
        // What had been undone just before has to settle; the undoing of the last step begins at once.
        let settles = stages[i - 1].undo.then(|| timeline.steps[stages[i - 1].step].undo.as_ref()).flatten();
        let waits = settles.map(|u| (i - 1, Second::from(u.settles))).into_iter().collect();
        return Bounds { at_least: 0, lasts: None, waits, not_before: None, at: None };
    }
    let wait = |w: &Wait| (w.after, Second::from(w.seconds));
    Bounds {
        at_least: Second::from(step.ending.at_least()),
        lasts: match step.ending {
            Ending::Assumed(seconds) => Some(seconds.into()),
            Ending::Observed(_) => None,
        },
        waits: step.waits.iter().map(wait).filter(|(after, _)| *after < i).collect(),
        not_before: step.not_before,
        at: step.at,
    }
}

/// The earliest start of each stage, from second 0 on.
fn earliest(bounds: &[Bounds]) -> Vec<Second> {
    let mut starts: Vec<Second> = Vec::with_capacity(bounds.len());
    let end = |starts: &[Second], i: usize| starts[i].saturating_add(bounds[i].at_least);
    for (i, bound) in bounds.iter().enumerate() {
        let after_last = i.checked_sub(1).map_or(0, |last| end(&starts, last));
        let waits = bound.waits.iter().map(|(after, seconds)| end(&starts, *after).saturating_add(*seconds));
        let fixed = bound.not_before.into_iter().chain(bound.at);
        starts.push(waits.chain(fixed).fold(after_last, Second::max));
    }
    starts
}

/// The latest end of each stage, where a time that is fixed bounds it.
fn latest_ends(bounds: &[Bounds]) -> Vec<Option<Second>> {
    let mut ends: Vec<Option<Second>> = vec![None; bounds.len()];
    let mut next_start: Option<Second> = None;
    for (i, bound) in bounds.iter().enumerate().rev() {
        let own = bound.at.zip(bound.lasts).map(|(at, lasts)| at + lasts);
        ends[i] = match (own, next_start) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        let start = ends[i].map(|end| end - bound.at_least);
        next_start = match (bound.at, start) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
    ends
}

/// Longest paths: every bound is one on a difference of two times, and every stage follows the one before it.
fn least_between(bounds: &[Bounds]) -> Vec<Vec<Second>> {
    let n = bounds.len();
    let mut all = Vec::with_capacity(n);
    for from in 0..n {
        let mut starts = vec![0; n];
        let mut ends = vec![0; n];
        for to in from + 1..n {
            let waits = bounds[to].waits.iter().filter(|(after, _)| *after >= from);
            let waits = waits.map(|(after, seconds)| ends[*after] + seconds);
            starts[to] = waits.fold(ends[to - 1], Second::max);
            ends[to] = starts[to] + bounds[to].at_least;
        }
        all.push(starts);
    }
    all
}
