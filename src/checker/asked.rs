//! One question of one view's clients: all that it is ever answered with, and what caches may still return in a slot.

use smallvec::SmallVec;

use super::answers::{Question, Reply};
use super::course::{Course, Slot};
use super::history::Values;
use crate::model::cutover::{CacheKind, Second};
use crate::model::name::Name;

/// A question and its answers over all states.
pub(super) struct Asked<'a> {
    pub name: Name,
    pub kind: CacheKind,
    /// The steps that change the reply, in their order.
    pub steps: Vec<usize>,
    steady: Values<Reply<'a>>,
    /// What no state gives, and some order of the changes of a step does.
    midway: Vec<(usize, Reply<'a>)>,
    past: Vec<(Reply<'a>, Second)>,
    /// For how long resolvers keep an answer at least, and beyond its time, in seconds.
    floor: u32,
    slack: u32,
}

/// A reply that a client may be given in a slot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Possible<'a> {
    pub reply: Reply<'a>,
    /// Seconds of slack that it takes beyond the timeline's; 0 if none.
    pub costs: Second,
    /// The stage that replaces it; `None` if it is authoritative, or was replaced before second 0.
    pub replaced_in: Option<usize>,
    /// The first second at which no cache returns it any more; `None` while it is authoritative.
    pub kept_until: Option<Second>,
}

/// Mostly one.
pub(super) type Possibles<'a> = SmallVec<[Possible<'a>; 2]>;

impl<'a> Asked<'a> {
    pub fn of(question: &Question<'_, 'a, '_>) -> Self {
        let mut steps = question.steps();
        let mut steady = Values::starting(question.steady(0));
        let mut midway = Vec::new();
        steps.retain(|step| {
            let (before, new) = (midway.len(), question.steady(step + 1));
            midway.extend(question.midway(*step).into_iter().map(|reply| (*step, reply)));
            let is_new = *steady.last() != new;
            if is_new {
                steady.put(step + 1, new);
            }
            is_new || midway.len() > before
        });
        let floor = question.timeline.views.get(question.view.0).map_or(0, |v| v.floor);
        Self {
            name: question.name.clone(),
            kind: question.kind,
            steady,
            midway,
            past: question.past().collect(),
            steps,
            floor: if question.kind.is_dns() { floor } else { 0 },
            slack: question.timeline.slack,
        }
    }

    /// Every reply that any state gives, or gave before second 0; some more than once.
    pub fn ever(&self) -> impl Iterator<Item = Reply<'a>> + '_ {
        let midway = self.midway.iter().map(|(_, reply)| *reply);
        self.steady.all().copied().chain(midway).chain(self.past.iter().map(|(reply, _)| *reply))
    }

    /// The reply in a state.
    pub fn steady(&self, state: usize) -> Reply<'a> {
        *self.steady.at(state)
    }

    fn midway(&self, step: usize) -> impl Iterator<Item = Reply<'a>> + '_ {
        let first = self.midway.partition_point(|(s, _)| *s < step);
        self.midway[first..].iter().take_while(move |(s, _)| *s == step).map(|(_, reply)| *reply)
    }

    /// What may be returned in a slot.
    pub fn possible(&self, course: &Course, slot: Slot) -> Possibles<'a> {
        let mut out = Possibles::new();
        let mut fresh = |reply| out.push(Possible { reply, costs: 0, replaced_in: None, kept_until: None });
        let states = course.states(slot);
        match course.stage(slot).filter(|stage| self.steps.binary_search(&stage.step).is_ok()) {
            None => fresh(self.steady(*states.start())),
            Some(stage) => {
                self.midway(stage.step).for_each(&mut fresh);
                states.for_each(|state| fresh(self.steady(state)));
            }
        }
        let now = course.earliest(slot);
        for (i, stage) in course.before(slot, &self.steps) {
            let elapsed = course.elapsed(i, slot);
            let old = self.steady(if stage.undo { stage.step + 1 } else { stage.step });
            let gone = self.midway(stage.step).chain([old]);
            out.extend(gone.map(|reply| self.kept(reply, elapsed, now, Some(i))));
        }
        out.extend(self.past.iter().map(|(reply, until)| self.kept(*reply, now - until, now, None)));
        cheapest(out)
    }

    fn kept(&self, reply: Reply<'a>, elapsed: Second, now: Second, replaced_in: Option<usize>) -> Possible<'a> {
        let hold = self.hold(&reply);
        let kept_until = Some(now - elapsed + hold);
        Possible { costs: (elapsed - hold + 1).max(0), reply, replaced_in, kept_until }
    }

    /// For how many seconds a cache may keep a reply.
    fn hold(&self, reply: &Reply) -> Second {
        Second::from(reply.ttl().max(self.floor)) + Second::from(self.slack)
    }
}

/// Of equal data the one that costs least, and of those the one that is kept longest.
fn cheapest(mut all: Possibles<'_>) -> Possibles<'_> {
    if all.len() > 1 {
        let late = |p: &Possible| (p.kept_until.is_some(), p.kept_until.map(std::cmp::Reverse));
        all.sort_by(|a, b| {
            let same = a.reply.says().cmp(&b.reply.says());
            same.then(a.costs.cmp(&b.costs)).then_with(|| late(a).cmp(&late(b)))
        });
        all.dedup_by(|b, a| a.reply.says() == b.reply.says());
    }
    all
}
