//! A queue of jobs in lanes: each lane has a cap on what runs at once, and lanes with room take turns.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// Jobs waiting in lanes.
pub struct Lanes<K, J> {
    lanes: HashMap<K, Lane<J>>,
    /// Lanes that have both a job and room, each once.
    ready: VecDeque<K>,
}

struct Lane<J> {
    jobs: VecDeque<J>,
    running: usize,
    /// How many may run, and how many may run now.
    cap: usize,
    now: usize,
    listed: bool,
}

impl<K: Clone + Eq + Hash, J> Lanes<K, J> {
    /// No lanes yet.
    pub fn new() -> Self {
        Self { lanes: HashMap::new(), ready: VecDeque::new() }
    }

    /// Puts a job at the end of a lane. A lane has the smallest cap of all that were given to it, at least 1.
    pub fn push(&mut self, key: &K, cap: usize, job: J) {
        let new = || Lane { jobs: VecDeque::new(), running: 0, cap, now: cap, listed: false };
        let lane = self.lanes.entry(key.clone()).or_insert_with(new);
        lane.cap = lane.cap.min(cap).max(1);
        lane.now = lane.now.min(lane.cap).max(1);
        lane.jobs.push_back(job);
        self.list(key);
    }

    /// Takes the next job, of the lane whose turn it is.
    pub fn next(&mut self) -> Option<(K, J)> {
        while let Some(key) = self.ready.pop_front() {
            let Some(lane) = self.lanes.get_mut(&key) else { continue };
            lane.listed = false;
            // A lane may have been narrowed meanwhile.
            if lane.running >= lane.now {
                continue;
            }
            let Some(job) = lane.jobs.pop_front() else { continue };
            lane.running += 1;
            self.list(&key);
            return Some((key, job));
        }
        None
    }

    /// Says that a job of a lane is done.
    pub fn done(&mut self, key: &K) {
        if let Some(lane) = self.lanes.get_mut(key) {
            lane.running = lane.running.saturating_sub(1);
        }
        self.list(key);
    }

    /// Jobs of a lane that run.
    pub fn running(&self, key: &K) -> usize {
        self.lanes.get(key).map_or(0, |lane| lane.running)
    }

    /// Halves the cap of a lane, down to 1.
    pub fn narrow(&mut self, key: &K) {
        if let Some(lane) = self.lanes.get_mut(key) {
            lane.now = (lane.now / 2).max(1);
        }
    }

    /// Gives a lane its cap again.
    pub fn restore(&mut self, key: &K) {
        if let Some(lane) = self.lanes.get_mut(key) {
            lane.now = lane.cap;
        }
        self.list(key);
    }

    /// Lets a lane that was narrowed have one more, up to the cap that it was given.
    pub fn widen(&mut self, key: &K) {
        if let Some(lane) = self.lanes.get_mut(key) {
            lane.now = lane.cap.min(lane.now.saturating_add(1));
        }
        self.list(key);
    }

    fn list(&mut self, key: &K) {
        if let Some(lane) = self.lanes.get_mut(key)
            && !lane.listed
            && !lane.jobs.is_empty()
            && lane.running < lane.now
        {
            lane.listed = true;
            self.ready.push_back(key.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(lanes: &mut Lanes<&'static str, u32>) -> Vec<(&'static str, u32)> {
        std::iter::from_fn(|| lanes.next()).collect()
    }

    #[test]
    fn lanes_take_turns_and_keep_their_caps() {
        let mut lanes = Lanes::new();
        (0..4).for_each(|job| lanes.push(&"a", 2, job));
        lanes.push(&"b", 2, 9);
        assert_eq!(order(&mut lanes), [("a", 0), ("b", 9), ("a", 1)]);
        lanes.done(&"a");
        assert_eq!(order(&mut lanes), [("a", 2)]);
        lanes.done(&"a");
        assert_eq!(order(&mut lanes), [("a", 3)]);
        assert_eq!((order(&mut lanes), lanes.running(&"a")), (vec![], 2));
    }

    #[test]
    fn a_lane_is_narrowed_down_to_one_and_widened_up_to_its_cap() {
        let mut lanes = Lanes::new();
        (0..9).for_each(|job| lanes.push(&"a", 4, job));
        assert_eq!(lanes.next(), Some(("a", 0)));
        // it is listed already
        (0..9).for_each(|_| lanes.narrow(&"a"));
        assert_eq!(order(&mut lanes), []);
        lanes.done(&"a");
        assert_eq!(order(&mut lanes), [("a", 1)]);
        lanes.widen(&"a");
        assert_eq!(order(&mut lanes), [("a", 2)]);
        lanes.narrow(&"a");
        lanes.restore(&"a");
        assert_eq!(order(&mut lanes), [("a", 3), ("a", 4)]);
    }

    #[test]
    fn no_cap_is_below_one() {
        let mut lanes = Lanes::new();
        lanes.push(&"a", 0, 1);
        assert_eq!(lanes.next(), Some(("a", 1)));
    }
}
