//! A timeline with a step left out, to tell what the step is for.

use crate::model::cutover::{ClientPath, Ending, Schedule, Step, Timeline, Undo, Witness};

/// The timeline without a step: later ones move up, and nobody waits for it.
pub(super) fn without(timeline: &Timeline, left_out: usize) -> Timeline {
    let kept = timeline.steps.iter().enumerate().filter(|(i, _)| *i != left_out);
    let mut out = with(timeline, kept.map(|(_, step)| untyped(step)).collect(), timeline.paths.clone());
    for step in &mut out.steps {
        step.waits.retain(|w| w.after != left_out);
        step.waits.iter_mut().filter(|w| w.after > left_out).for_each(|w| w.after -= 1);
    }
    out
}

/// A timeline with other steps and paths.
fn with(timeline: &Timeline, steps: Vec<Step>, paths: Vec<ClientPath>) -> Timeline {
    let Timeline { zero, slack, clock_error, cached_urls, negative_ttl, .. } = *timeline;
    Timeline {
        zero,
        views: timeline.views.clone(),
        slack,
        clock_error,
        cached_urls,
        zones: timeline.zones.clone(),
        negative_ttl,
        nodes: timeline.nodes.clone(),
        credentials: timeline.credentials.clone(),
        world: timeline.world.clone(),
        past: timeline.past.clone(),
        paths,
        steps,
    }
}

/// A step as a checker reads it, without what is to be typed: that is most of a large cutover.
fn untyped(step: &Step) -> Step {
    let undo = step.undo.as_ref().map(|u| Undo { how: u.how.clone(), settles: u.settles, commands: Vec::new() });
    Step {
        kind: step.kind,
        what: step.what.clone(),
        why: step.why.clone(),
        places: step.places.clone(),
        view: step.view,
        changes: step.changes.clone(),
        waits: step.waits.clone(),
        not_before: step.not_before,
        at: step.at,
        in_window: step.in_window,
        ending: step.ending,
        gate: step.gate.clone(),
        verify: step.verify.clone(),
        undo,
        reversible: step.reversible,
        commands: Vec::new(),
        span: step.span,
    }
}

/// A timeline without a step, in the one execution that the calendar of the whole shows, and not back.
pub(super) fn by_calendar(mut out: Timeline, schedule: &[Schedule], left_out: usize) -> Timeline {
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
