//! Clients of a view who begin with one name, on one course: what they meet in each slot, and whether it hurts.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use super::closure::{Closure, Group, is_web};
use super::course::{Course, Slot};
use super::deadlines::InReach;
use super::history::History;
use super::led::{Arrival, Led, Nowhere};
use super::meet::{Trouble, meet};
use super::sources::Sources;
use super::witness;
use super::words::Unseen;
use crate::model::cutover::{CacheKind, Datum, HarmClass, NodeId, Second, Timeline, Witness};

/// What all looks at one group found.
#[derive(Default)]
pub(super) struct Found {
    /// Index of the path, and how its clients are hurt; one for each class.
    pub harms: Vec<(usize, Witness)>,
    /// Slack that may be added before somebody is hurt.
    pub spare: Option<u32>,
    pub unknown: BTreeSet<Unseen>,
    pub reach: InReach,
}

/// A URL that clients keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct KeptUrl {
    /// The first second at which no client has it any more.
    pub until: Second,
    /// Index of the step, done or undone, with which nobody tells it any more.
    pub told_until: usize,
}

/// One group on one course.
pub(super) struct Follower<'f, 'a> {
    pub timeline: &'a Timeline,
    pub history: &'f History<'a>,
    pub course: &'f Course<'f>,
    pub sources: &'f Sources<'f, 'a>,
    pub group: &'f Group<'a>,
    pub closure: &'f Closure<'f, 'a>,
}

impl<'a> Follower<'_, 'a> {
    /// Looks in every slot in which something changes for the group.
    pub fn all(&self) -> Found {
        match self.time_matters() {
            true => self.at(self.course.slots()),
            false => self.at(self.course.slots_of(&self.closure.steps)),
        }
    }

    /// Looks in every slot in which one turns back and something changes for the group, if the last step that is done touches
    /// it: undone after a later one, everything it knows of has had more time to be forgotten.
    pub fn back(&self, is_touched: bool, sooner: Option<&Course>, spare: Option<u32>) -> Found {
        let touched = self.course.slots_of(&self.closure.steps).filter(|_| is_touched);
        if !self.time_matters() {
            return self.at(touched);
        }
        // What the last step brought was in no cache of those who turned back before it.
        let mut slots = self.in_time(sooner.filter(|_| !is_touched), spare);
        slots.extend(touched);
        slots.sort_unstable();
        slots.dedup();
        self.at(slots.into_iter())
    }

    /// The slots on the way back at which a certificate is about to end, by no more than `spare` seconds, and in those
    /// in which it is first seen to have ended: while nothing else changes caches only forget, so that later is no worse; and
    /// where it had ended already when one turned back a step `sooner`, they had forgotten less.
    fn in_time(&self, sooner: Option<&Course>, spare: Option<u32>) -> Vec<Slot> {
        let mut slots = Vec::new();
        for end in &self.closure.ends {
            let from = spare.map_or(Second::MIN, |spare| end - Second::from(spare));
            let (about, ended) = self.course.around(from, *end);
            let had_ended = |slot: &Slot| {
                let step = self.course.stage(*slot).map(|stage| stage.step);
                step.zip(sooner).and_then(|(step, sooner)| sooner.undone_at(step)).is_some_and(|at| at >= *end)
            };
            slots.extend(about);
            let changed = self.course.slots_of(&self.closure.steps);
            let changed = changed.filter(|slot| self.course.earliest(*slot) >= *end);
            slots.extend(changed.chain(ended).filter(|slot| !had_ended(slot)));
        }
        slots
    }

    fn at(&self, slots: impl Iterator<Item = Slot>) -> Found {
        let mut looks = Looks::default();
        slots.for_each(|slot| self.look(slot, &mut looks));
        looks.found.harms = looks.best.into_iter().map(|((path, _), witness)| (path, witness)).collect();
        looks.found
    }

    /// True if a certificate that they may meet begins or ends before all is done.
    pub fn time_matters(&self) -> bool {
        let last = || self.timeline.at(self.course.earliest(Slot::End));
        self.closure.turns.is_some_and(|at| last().is_some_and(|last| at <= last))
    }

    fn look(&self, slot: Slot, looks: &mut Looks) {
        let led = Led::of(self, slot);
        for path in &self.group.paths {
            let by_hsts = match self.timeline.paths[*path].by_hsts {
                true => self.remembered(slot),
                false => Some(0),
            };
            let Some(at_least) = by_hsts else { continue };
            let here = Here { follower: self, slot, path: *path, led: &led, at_least };
            let is_web = is_web(&self.timeline.paths[*path]);
            for arrival in led.arrivals.iter().filter(|a| is_web || !a.way.is_hint) {
                here.met(arrival, looks);
            }
            for none in led.nowhere.iter().filter(|n| is_web || !n.way.is_hint) {
                here.missed(none, looks);
            }
            if is_web && self.closure.is_redirect_target {
                for (node, costs) in self.sources.loops(self, slot) {
                    here.hurt(costs, looks, || witness::looped(&here, node));
                }
            }
        }
    }

    /// The least cost at which the group's clients reach a node in a slot.
    pub fn costs_to(&self, node: NodeId, slot: Slot) -> Option<Second> {
        let states = self.states(slot);
        let led = Led::of(self, slot);
        let leads = |arrival: &&Arrival| {
            self.closure.route(arrival.address).is_some_and(|r| r.over(&states).any(|nodes| nodes.contains(&node)))
        };
        led.arrivals.iter().filter(leads).map(|a| a.way.costs).min()
    }

    /// The least cost at which clients use the name in a slot, and the URL that they keep if nobody tells them the name any
    /// more; `None` if nobody does.
    pub fn use_of(&self, slot: Slot) -> Option<(Second, Option<KeptUrl>)> {
        let used = self.closure.used?;
        if used.over(&self.states(slot)).any(|is| *is) {
            return Some((0, None));
        }
        let (hold, now) = (self.timeline.url_hold(), self.course.earliest(slot));
        let steps: Vec<usize> = used.steps().collect();
        let kept = self.course.before(slot, &steps).filter_map(|(i, stage)| {
            // What held before the stage: whoever was told it then keeps it.
            let was_told = *used.at(if stage.undo { stage.step + 1 } else { stage.step });
            let elapsed = self.course.elapsed(i, slot);
            let url = KeptUrl { until: now - elapsed + hold, told_until: stage.step };
            was_told.then_some(((elapsed - hold + 1).max(0), Some(url)))
        });
        kept.min()
    }

    /// The states that count in a slot: before its stage, and after.
    pub fn states(&self, slot: Slot) -> RangeInclusive<usize> {
        self.course.states(slot)
    }

    /// The least cost at which clients remember that the name is for TLS only.
    fn remembered(&self, slot: Slot) -> Option<Second> {
        let all = self.closure.asked.iter().filter(|asked| asked.kind == CacheKind::Hsts);
        let entries = all.flat_map(|asked| {
            let is_own = asked.name == *self.group.name;
            let below =
                |data: &BTreeSet<Datum>| data.iter().any(|d| matches!(d, Datum::Host(host) if host.is_wildcard()));
            let possible = asked.possible(self.course, slot).into_iter();
            possible.filter(move |p| p.reply.data().is_some_and(|data| is_own || below(data)))
        });
        entries.map(|p| p.costs).min()
    }
}

/// What was found so far.
#[derive(Default)]
struct Looks {
    found: Found,
    best: BTreeMap<(usize, HarmClass), Witness>,
}

/// Clients of one path in one slot.
pub(super) struct Here<'l, 'f, 'a> {
    pub follower: &'l Follower<'f, 'a>,
    pub slot: Slot,
    /// Index of the path.
    pub path: usize,
    pub led: &'l Led<'l, 'a>,
    /// What it costs that they come by TLS at all.
    at_least: Second,
}

impl<'a> Here<'_, '_, 'a> {
    /// What they meet where they are led.
    fn met(&self, arrival: &Arrival<'a>, looks: &mut Looks) {
        let costs = arrival.way.costs.max(self.at_least);
        for meeting in meet(self.follower, self.slot, self.path, arrival) {
            match meeting.trouble {
                Trouble::Unknown(what) if costs == 0 => drop(looks.found.unknown.insert(what)),
                Trouble::None | Trouble::Unknown(_) => {}
                Trouble::Harm(class, more) => {
                    self.hurt(costs.max(more), looks, || witness::met(self, class, arrival, &meeting));
                }
            }
            if costs == 0 && !self.follower.course.is_undoing(self.slot) {
                let step = self.follower.course.stage(self.slot).map(|s| s.step);
                looks.found.reach.add(meeting.credential, step);
            }
        }
    }

    /// What it means that there is nothing.
    fn missed(&self, none: &Nowhere<'a>, looks: &mut Looks) {
        if let Some((uses, url, by)) = self.follower.sources.uses(self.follower, self.slot) {
            let costs = none.way.costs.max(uses);
            self.hurt(costs, looks, || witness::absent(self, none, url, by));
        }
    }

    /// They are hurt if it costs nothing; else that is to spare.
    fn hurt(&self, costs: Second, looks: &mut Looks, witness: impl FnOnce() -> Witness) {
        let costs = costs.max(self.at_least);
        if costs > 0 {
            let spare = u32::try_from(costs - 1).unwrap_or(u32::MAX);
            looks.found.spare = Some(looks.found.spare.map_or(spare, |s| s.min(spare)));
            return;
        }
        let witness = witness();
        looks.best.entry((self.path, witness.class)).or_insert(witness);
    }
}
