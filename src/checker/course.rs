//! An order of stages, forth or forth and back, and how much time must pass between them.
//!
//! What lies between two steps on the way forth is worked out once; the way back is a chain of its own, so that the times of
//! every prefix and its undoing follow from that by sums.

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

/// The times of all steps on the way forth, whether or not one turns back.
pub(super) struct Forth<'a> {
    timeline: &'a Timeline,
    bounds: Vec<Bounds>,
    /// For step `i`, by `j - i - 1`: the least seconds from the end of `i` to the start of `j`, as far as waits say. The last
    /// `j` is the end of all.
    between: Vec<Vec<Second>>,
    /// The earliest start of each step, and the earliest end of all.
    earliest: Vec<Second>,
}

/// Stages in their order, with the least time between any two.
pub(super) struct Course<'f> {
    forth: &'f Forth<'f>,
    /// How many stages lead forth; each is the step of its own index.
    done: usize,
    /// The stages that lead back.
    back: Vec<Back>,
    /// By step, the stage in which it is undone.
    undone: Vec<Option<usize>>,
    /// The latest end of each stage that leads forth, where a time that is fixed bounds it.
    latest: Vec<Option<Second>>,
}

/// A step that is undone.
struct Back {
    step: usize,
    /// The least seconds since one turned back.
    since: Second,
}

/// What bounds the time of a step.
struct Bounds {
    at_least: Second,
    /// Set if it ends exactly so many seconds after its start.
    lasts: Option<Second>,
    waits: Vec<(usize, Second)>,
    not_before: Option<Second>,
    at: Option<Second>,
}

impl<'a> Forth<'a> {
    /// Works them out.
    pub fn of(timeline: &'a Timeline) -> Self {
        // One that takes no time stands for the end of all.
        let end = Bounds { at_least: 0, lasts: None, waits: Vec::new(), not_before: None, at: None };
        let bounds: Vec<Bounds> = (0..timeline.steps.len()).map(|i| bounds(timeline, i)).chain([end]).collect();
        let (earliest, between) = (earliest(&bounds), least_between(&bounds));
        Self { timeline, bounds, between, earliest }
    }

    fn steps(&self) -> usize {
        self.timeline.steps.len()
    }

    /// The least seconds from the end of a step to the end of a later one, or of itself.
    fn to_the_end(&self, from: usize, last: usize) -> Second {
        match last.checked_sub(from + 1) {
            Some(later) => self.between[from][later] + self.bounds[last].at_least,
            None => 0,
        }
    }
}

impl<'f> Course<'f> {
    /// All steps.
    pub fn forward(forth: &'f Forth<'f>) -> Self {
        let done = forth.steps();
        Self { forth, done, back: Vec::new(), undone: vec![None; done], latest: latest_ends(&forth.bounds) }
    }

    /// The steps up to `last`, and back as far as there is a way; `None` if there is none.
    pub fn back_from(forth: &'f Forth<'f>, last: usize) -> Option<Self> {
        let steps = &forth.timeline.steps[..=last];
        if steps[last].changes.is_empty() || !steps[last].reversible {
            return None;
        }
        let done = last + 1;
        let (mut back, mut undone, mut since) = (Vec::new(), vec![None; done], 0);
        // What had been undone just before has to settle; the undoing of the last step begins at once.
        for (step, told) in steps.iter().enumerate().rev().take_while(|(_, told)| told.reversible) {
            if !told.changes.is_empty() {
                undone[step] = Some(done + back.len());
                back.push(Back { step, since });
                since += told.undo.as_ref().map_or(0, |undo| Second::from(undo.settles));
            }
        }
        Some(Self { forth, done, back, undone, latest: latest_ends(&forth.bounds[..done]) })
    }

    fn stages(&self) -> usize {
        self.done + self.back.len()
    }

    /// The least seconds from the end of an earlier stage to the beginning of a slot.
    pub fn elapsed(&self, stage: usize, slot: Slot) -> Second {
        let to = match slot {
            Slot::Start => return 0,
            Slot::During(at) => at,
            Slot::End => self.stages(),
        };
        let least = match (stage.checked_sub(self.done), self.since(to)) {
            (Some(undone), Some(since)) => return since - self.back[undone].since,
            (None, Some(since)) => self.forth.to_the_end(stage, self.done - 1) + since,
            (_, None) => to.checked_sub(stage + 1).map_or(0, |later| self.forth.between[stage][later]),
        };
        self.latest[stage].map_or(least, |latest| least.max(self.start(to) - latest))
    }

    /// The seconds from when one turned back to a stage on the way back, or to its end.
    fn since(&self, stage: usize) -> Option<Second> {
        let back = stage.checked_sub(self.done)?;
        self.back.get(back).or(self.back.last()).map(|b| b.since)
    }

    /// The earliest start of a stage, or the end of all.
    fn start(&self, stage: usize) -> Second {
        match self.since(stage) {
            Some(since) => self.forth.earliest[self.done - 1] + self.forth.bounds[self.done - 1].at_least + since,
            None => self.forth.earliest[stage],
        }
    }

    /// The earliest second of a slot.
    pub fn earliest(&self, slot: Slot) -> Second {
        match slot {
            Slot::Start => 0,
            Slot::During(at) => self.start(at),
            Slot::End => self.start(self.stages()),
        }
    }

    /// The earliest second at which a step is undone, if it is.
    pub fn undone_at(&self, step: usize) -> Option<Second> {
        Some(self.start((*self.undone.get(step)?)?))
    }

    /// The slots on the way back from one second to before another, and the first slot after those.
    pub fn around(&self, from: Second, until: Second) -> (impl Iterator<Item = Slot> + use<>, Option<Slot>) {
        let turned = self.start(self.done);
        let place = |second: Second| self.back.partition_point(|b| turned + b.since < second);
        let (first, end, done) = (place(from), place(until), self.done);
        let during = move |back: usize| Slot::During(done + back);
        ((first.min(end)..end).map(during), (end < self.back.len()).then(|| during(end)))
    }

    /// The step of a stage.
    pub fn step(&self, stage: usize) -> usize {
        stage.checked_sub(self.done).and_then(|back| self.back.get(back)).map_or(stage, |back| back.step)
    }

    /// The stages before a slot in which one of some steps is done or undone, in their order.
    pub fn before<'s>(&'s self, slot: Slot, steps: &'s [usize]) -> impl Iterator<Item = (usize, Stage)> + 's {
        let end = match slot {
            Slot::Start => 0,
            Slot::During(at) => at,
            Slot::End => self.stages(),
        };
        let done = steps.iter().copied();
        let undone = steps.iter().rev().filter_map(|step| *self.undone.get(*step)?);
        let stages = done.take_while(move |i| *i < end.min(self.done)).chain(undone.take_while(move |i| *i < end));
        stages.map(|i| (i, self.at(i)))
    }

    fn at(&self, stage: usize) -> Stage {
        Stage { step: self.step(stage), undo: stage >= self.done }
    }

    /// The stage that is carried out in a slot.
    pub fn stage(&self, slot: Slot) -> Option<Stage> {
        match slot {
            Slot::Start | Slot::End => None,
            Slot::During(at) => Some(self.at(at)),
        }
    }

    /// The last stage of all.
    pub fn last(&self) -> Option<Stage> {
        self.stages().checked_sub(1).map(|last| self.at(last))
    }

    /// The states that count in a slot: before its stage and after it, or the one that holds.
    pub fn states(&self, slot: Slot) -> RangeInclusive<usize> {
        match (slot, self.stage(slot), self.last()) {
            (_, Some(stage), _) => stage.step..=stage.step + 1,
            (Slot::End, _, Some(last)) if last.undo => last.step..=last.step,
            (Slot::End, _, Some(last)) => last.step + 1..=last.step + 1,
            _ => 0..=0,
        }
    }

    /// True if something is being undone in a slot.
    pub fn is_undoing(&self, slot: Slot) -> bool {
        match slot {
            Slot::Start => false,
            Slot::During(at) => at >= self.done,
            Slot::End => !self.back.is_empty(),
        }
    }

    /// How many steps are done before one turns back, if a slot is on the way back.
    pub fn turned_after(&self, slot: Slot) -> Option<usize> {
        self.is_undoing(slot).then_some(self.done)
    }

    /// True if it does.
    pub fn turns_back(&self) -> bool {
        !self.back.is_empty()
    }

    /// All slots.
    pub fn slots(&self) -> impl Iterator<Item = Slot> + use<> {
        std::iter::once(Slot::Start).chain((0..self.stages()).map(Slot::During)).chain([Slot::End])
    }

    /// The start and the slots in which one of some steps is done; on a course that turns back, those in which it is undone.
    pub fn slots_of<'s>(&'s self, steps: &'s [usize]) -> impl Iterator<Item = Slot> + 's {
        let is_forward = !self.turns_back();
        let start = is_forward.then_some(Slot::Start);
        let done = steps.iter().copied().filter(move |_| is_forward);
        let undone = steps.iter().rev().filter_map(|step| *self.undone.get(*step)?);
        start.into_iter().chain(done.chain(undone).map(Slot::During))
    }
}

fn bounds(timeline: &Timeline, i: usize) -> Bounds {
    let step = &timeline.steps[i];
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

/// The earliest start of each step, from second 0 on.
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

/// The latest end of each step, where a time that is fixed bounds it; none follows the last.
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

/// Longest paths: every bound is one on a difference of two times, and every step follows the one before it.
fn least_between(bounds: &[Bounds]) -> Vec<Vec<Second>> {
    let n = bounds.len();
    let mut ends = vec![0; n];
    let row = |from: usize| {
        ends[from] = 0;
        let mut starts = Vec::with_capacity(n - from - 1);
        for (to, bound) in bounds.iter().enumerate().skip(from + 1) {
            let waits = bound.waits.iter().filter(|(after, _)| *after >= from);
            let waits = waits.map(|(after, seconds)| ends[*after] + seconds);
            let start = waits.fold(ends[to - 1], Second::max);
            ends[to] = start + bound.at_least;
            starts.push(start);
        }
        starts
    };
    (0..n).map(row).collect()
}
