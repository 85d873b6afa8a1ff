//! Until when everything must be done, because certificates end.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use smallvec::SmallVec;

use super::history::History;
use crate::model::cutover::{Credential, Deadline, Second, Timeline};

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

/// From when on, and until when, the clocks of all clients are within a certificate's validity: some may be wrong.
pub(super) fn valid(timeline: &Timeline, credential: &Credential) -> (Option<Timestamp>, Option<Timestamp>) {
    let error = SignedDuration::from_secs(i64::from(timeline.clock_error));
    let from = credential.valid_from.map(|at| at.checked_add(error).unwrap_or(Timestamp::MAX));
    (from, credential.valid_until.map(|at| at.checked_sub(error).unwrap_or(Timestamp::MIN)))
}

/// By how many seconds more clocks have to be wrong for a certificate not to be valid at an instant: 0 if it is not; `None`
/// if it always is.
pub(super) fn costs(timeline: &Timeline, credential: &Credential, now: Timestamp) -> Option<Second> {
    let (from, until) = valid(timeline, credential);
    let early = from.map(|from| now.as_second() - from.as_second() + 1);
    let late = until.map(|until| until.as_second() - now.as_second());
    early.into_iter().chain(late).min().map(|costs| costs.max(0))
}

/// Slack that may be added until clients whose clocks are ahead no longer take, once all is done, what is served then.
pub(super) fn spare(timeline: &Timeline, all: &[Deadline], end: Second) -> Option<u32> {
    let end = timeline.at(end)?.as_second();
    let to_the_end = all.iter().filter(|d| d.until_step.is_none());
    to_the_end.map(|d| u32::try_from((d.at.as_second() - end - 1).max(0)).unwrap_or(u32::MAX)).min()
}

/// Deadlines of all certificates that are met, the earliest first.
pub(super) fn of(timeline: &Timeline, history: &History, reach: &BTreeMap<usize, Option<usize>>) -> Vec<Deadline> {
    let ends = |credential: &usize| valid(timeline, timeline.credentials.get(*credential)?).1;
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
