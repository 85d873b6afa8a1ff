//! Until when everything must be done, because certificates end.

use std::collections::BTreeMap;

use crate::model::cutover::{Deadline, Timeline};

/// The certificates that clients can meet, each with the last step while which they can.
#[derive(Default)]
pub(super) struct InReach(BTreeMap<usize, Option<usize>>);

impl InReach {
    /// A certificate is met while a step is carried out; `None`: before the first.
    pub fn add(&mut self, credential: Option<usize>, step: Option<usize>) {
        let Some(credential) = credential else { return };
        let last = self.0.entry(credential).or_insert(step);
        *last = (*last).max(step);
    }

    /// Both together.
    pub fn join(&mut self, other: Self) {
        other.0.into_iter().for_each(|(credential, step)| self.add(Some(credential), step));
    }
}

/// Deadlines of all certificates that are met, the earliest first.
pub(super) fn of(timeline: &Timeline, reach: &InReach) -> Vec<Deadline> {
    let deadline = |(credential, last): (&usize, &Option<usize>)| {
        let at = timeline.credentials.get(*credential)?.valid_until?;
        // Clients are looked at only where something changes for them: one that is met last while a step takes it away is
        // out of reach after it.
        let until_step = last.filter(|step| !is_served_after(timeline, *credential, *step));
        Some(Deadline { credential: *credential, at, until_step })
    };
    let mut all: Vec<Deadline> = reach.0.iter().filter_map(deadline).collect();
    all.sort_by_key(|d| (d.at, d.credential));
    all
}

/// True if some node serves a certificate after a step, by what the world and the changes up to it say.
fn is_served_after(timeline: &Timeline, credential: usize, step: usize) -> bool {
    let mut world = timeline.world.clone();
    let changes = timeline.steps[..=step].iter().flat_map(|s| &s.changes);
    changes.for_each(|change| world.apply(change));
    let has = |all: &[usize]| all.contains(&credential);
    world.serving.values().any(|s| has(&s.default) || s.by_name.values().any(|all| has(all)))
}
