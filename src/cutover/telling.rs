//! A timeline with a step left out, to tell what the step is for.

use crate::model::cutover::{Ending, Schedule, Timeline, Witness};

/// The timeline without a step: later ones move up, and nobody waits for it.
pub(super) fn without(timeline: &Timeline, left_out: usize) -> Timeline {
    let mut out = timeline.clone();
    if left_out >= out.steps.len() {
        return out;
    }
    out.steps.remove(left_out);
    for step in &mut out.steps {
        step.waits.retain(|w| w.after != left_out);
        step.waits.iter_mut().filter(|w| w.after > left_out).for_each(|w| w.after -= 1);
    }
    out
}

/// As [`without`], in the one execution that the calendar of the whole shows, and not back.
pub(super) fn without_by_calendar(timeline: &Timeline, schedule: &[Schedule], left_out: usize) -> Timeline {
    let mut out = without(timeline, left_out);
    let kept = schedule.iter().enumerate().filter(|(i, _)| *i != left_out).map(|(_, times)| times);
    for (step, times) in out.steps.iter_mut().zip(kept) {
        let lasts = u32::try_from(times.end - times.start).unwrap_or_default();
        (step.at, step.ending, step.reversible) = (Some(times.start), Ending::Assumed(lasts), false);
    }
    out
}

/// A witness of a timeline with a step left out, its steps numbered as in the whole one.
pub(super) fn renumbered(mut witness: Witness, left_out: usize) -> Witness {
    let whole = |i: usize| if i >= left_out { i + 1 } else { i };
    witness.step = witness.step.map(whole);
    witness.answers.iter_mut().for_each(|a| a.replaced_by = a.replaced_by.map(whole));
    witness.undoing = witness.undoing.map(|done| if done > left_out { done + 1 } else { done });
    witness
}
