//! Some steps, and their undoing as steps that follow them: what somebody does who turns back.

use crate::model::cutover::{Ending, Second, Step, Timeline, Wait};

/// The first `done` steps, and after them the undoing of those that have a way back, the last one first; `None` if there is none.
/// Each undoing waits until what was undone in front of it has settled, and nobody turns back from it.
pub fn turned_back(timeline: &Timeline, done: usize) -> Option<Timeline> {
    let mut out = timeline.clone();
    out.steps.truncate(done);
    let way: Vec<&Step> = out.steps.iter().rev().take_while(|step| step.reversible).collect();
    let mut undoing: Vec<Step> = Vec::new();
    let mut settles = None;
    for step in way.into_iter().filter(|step| !step.changes.is_empty()) {
        let after = done + undoing.len() - usize::from(settles.is_some());
        let waits = settles.map(|seconds| Wait { after, seconds, why: "what was undone before has settled".into() });
        undoing.push(undone(step, waits.into_iter().collect()));
        settles = Some(step.undo.as_ref().map_or(0, |undo| undo.settles));
    }
    if undoing.is_empty() {
        return None;
    }
    out.steps.iter_mut().for_each(|step| step.reversible = false);
    out.steps.extend(undoing);
    Some(out)
}

fn undone(step: &Step, waits: Vec<Wait>) -> Step {
    Step {
        what: format!("undo: {}", step.what).into(),
        changes: step.changes.iter().rev().map(|change| change.undone()).collect(),
        waits,
        not_before: None,
        at: None,
        in_window: false,
        ending: Ending::Observed(1),
        gate: None,
        verify: None,
        undo: None,
        reversible: false,
        commands: Vec::new(),
        ..step.clone()
    }
}

/// Start and end of each undoing in a calendar in which one turns back at a second, by [`turned_back`]'s waits.
pub fn times_back(turned: &Timeline, done: usize, at: Second) -> Vec<(Second, Second)> {
    let mut end = at;
    let one = |step: &Step| {
        let start = end + step.waits.first().map_or(0, |wait| Second::from(wait.seconds));
        end = start + 1;
        (start, end)
    };
    turned.steps.iter().skip(done).map(one).collect()
}
