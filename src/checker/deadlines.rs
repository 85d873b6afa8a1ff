//! Until when everything must be done, because certificates end.

use std::collections::{BTreeMap, BTreeSet};

use smallvec::SmallVec;

use super::history::History;
use crate::model::cutover::{Deadline, Timeline};

/// The certificates that clients can meet, each with the last step while which they can; `None`: before the first.
#[derive(Default)]
pub(super) struct InReach(SmallVec<[(usize, Option<usize>); 2]>);

impl InReach {
    /// A certificate is met while a step is carried out.
    pub fn add(&mut self, credential: Option<usize>, step: Option<usize>) {
        let Some(credential) = credential else { return };
        match self.0.iter_mut().find(|(c, _)| *c == credential) {
            Some((_, last)) => *last = (*last).max(step),
            None => self.0.push((credential, step)),
        }
    }

    /// Puts it to what others can meet.
    pub fn join(self, all: &mut BTreeMap<usize, Option<usize>>) {
        for (credential, step) in self.0 {
            let last = all.entry(credential).or_insert(step);
            *last = (*last).max(step);
        }
    }
}

/// Deadlines of all certificates that are met, the earliest first.
pub(super) fn of(timeline: &Timeline, history: &History, reach: &BTreeMap<usize, Option<usize>>) -> Vec<Deadline> {
    let ends = |credential: &usize| timeline.credentials.get(*credential)?.valid_until;
    let mut served: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    let mut all = Vec::new();
    for (credential, last) in reach {
        let Some(at) = ends(credential) else { continue };
        // Clients are looked at only where something changes for them: one that is met last while a step takes it away is
        // out of reach after it.
        let is_served_after =
            |step: &usize| served.entry(*step).or_insert_with(|| history.served(step + 1)).contains(credential);
        let until_step =
            last.map(|step| (step, is_served_after)).and_then(|(step, mut is)| (!is(&step)).then_some(step));
        all.push(Deadline { credential: *credential, at, until_step });
    }
    all.sort_by_key(|d| (d.at, d.credential));
    all
}
