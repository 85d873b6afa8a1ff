//! What authoritative servers answer in a state, and what caches may still return in a slot.

use std::collections::BTreeSet;

use super::course::{Course, Slot};
use super::history::{History, Owner, parents};
use crate::model::cutover::{CacheKey, CacheKind, Datum, Past, RecordSet, Second, Timeline};
use crate::model::name::Name;
use crate::model::plan::ViewId;

/// More owners than this that one step changes at once around one name are not tried in every combination.
const COMBINED: usize = 6;

/// What a question is answered with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reply {
    /// Records of the kind that was asked for, and for how long.
    Data(BTreeSet<Datum>, u32),
    /// An alias, and for how long.
    Alias(Name, u32),
    /// Nothing, and for how long.
    Absent(u32),
}

impl Reply {
    /// For how many seconds it may be kept, by its own word.
    fn ttl(&self) -> u32 {
        match self {
            Self::Data(_, ttl) | Self::Alias(_, ttl) | Self::Absent(ttl) => *ttl,
        }
    }
}

/// A reply that a client may be given in a slot.
#[derive(Clone, Debug)]
pub(super) struct Possible {
    pub reply: Reply,
    /// Seconds of slack that it takes beyond the timeline's; 0 if none.
    pub costs: Second,
    /// The stage that replaces it; `None` if it is authoritative, or was replaced before second 0.
    pub replaced_in: Option<usize>,
    /// The first second at which no cache returns it any more; `None` while it is authoritative.
    pub kept_until: Option<Second>,
}

/// A question of the clients of a view.
#[derive(Clone, Copy)]
pub(super) struct Question<'a> {
    pub timeline: &'a Timeline,
    pub history: &'a History<'a>,
    pub view: ViewId,
    pub name: &'a Name,
    pub kind: CacheKind,
}

impl Question<'_> {
    /// What is asked, as a cache keeps it.
    pub fn key(&self) -> CacheKey {
        CacheKey { view: self.view, owner: self.name.clone(), kind: self.kind }
    }

    /// The apex of the zone in which it is asked; empty if none is declared.
    fn apex(&self) -> &str {
        self.history.zone(self.view, self.name.as_str()).map_or("", |z| z.apex.as_str())
    }

    fn has_wildcards(&self) -> bool {
        self.history.wildcards(self.view).next().is_some()
    }

    fn owner(&self) -> Option<&Owner> {
        self.history.owner(self.view, self.name)
    }

    /// The steps that may change the reply.
    pub fn steps(&self) -> BTreeSet<usize> {
        let own: BTreeSet<usize> = self.owner().into_iter().flat_map(|o| o.steps_of(self.kind)).collect();
        // Only where the owner does not exist do others have a say.
        let exists = |state| self.owner().is_some_and(|o| o.exists(state));
        let always = exists(0) && own.iter().all(|step| exists(step + 1));
        match always || !self.kind.is_dns() || self.is_alone() {
            true => own,
            false => self.history.record_steps(self.view).collect(),
        }
    }

    /// True if nothing but its own records decides: no wildcard, and every ancestor in the same zone.
    fn is_alone(&self) -> bool {
        let zone_of = |name: &str| self.history.zone(self.view, name).map(|z| &z.apex);
        let own = zone_of(self.name.as_str());
        let apex = own.map_or("", |apex| apex.as_str());
        let within = || parents(self.name.as_str()).take_while(|p| *p != apex);
        !self.has_wildcards() && (own.is_none() || within().all(|p| zone_of(p) == own))
    }

    /// Every reply that any state gives, or gave before second 0.
    pub fn ever(&self) -> Vec<Reply> {
        let mut all: Vec<Reply> = vec![self.steady(0)];
        for step in self.steps() {
            all.extend(self.midway(step));
            all.push(self.steady(step + 1));
        }
        all.extend(self.past().map(|(reply, _)| reply));
        all.sort();
        all.dedup();
        all
    }

    /// What may be returned in a slot.
    pub fn possible(&self, course: &Course, slot: Slot, steps: &BTreeSet<usize>) -> Vec<Possible> {
        let mut out: Vec<Possible> = Vec::new();
        for reply in self.authoritative(course, slot, steps) {
            out.push(Possible { reply, costs: 0, replaced_in: None, kept_until: None });
        }
        for (i, stage) in course.before(slot).filter(|(_, stage)| steps.contains(&stage.step)) {
            let old = if stage.undo { stage.step + 1 } else { stage.step };
            let elapsed = course.elapsed(i, slot);
            let mut gone = self.midway(stage.step);
            gone.push(self.steady(old));
            out.extend(gone.into_iter().map(|reply| self.kept(reply, elapsed, course.earliest(slot), Some(i))));
        }
        for (reply, until) in self.past() {
            let now = course.earliest(slot);
            out.push(self.kept(reply, now - until, now, None));
        }
        cheapest(out)
    }

    fn kept(&self, reply: Reply, elapsed: Second, now: Second, replaced_in: Option<usize>) -> Possible {
        let hold = self.hold(&reply);
        let kept_until = Some(now - elapsed + hold);
        Possible { costs: (elapsed - hold + 1).max(0), reply, replaced_in, kept_until }
    }

    /// For how many seconds a cache may keep a reply.
    fn hold(&self, reply: &Reply) -> Second {
        let floor = self.timeline.views.get(self.view.0).map_or(0, |v| v.floor);
        let floor = if self.kind.is_dns() { floor } else { 0 };
        Second::from(reply.ttl().max(floor)) + Second::from(self.timeline.slack)
    }

    fn past(&self) -> impl Iterator<Item = (Reply, Second)> + '_ {
        let by_alias = self.kind.is_dns() && self.kind != CacheKind::Cname;
        let all = self.history.past(self.view, self.name);
        let is_alias = |past: &Past| past.key.kind == CacheKind::Cname && past.answer.is_some();
        all.filter(move |past| past.key.kind == self.kind || (by_alias && is_alias(past))).map(|past| {
            let reply = match &past.answer {
                Some(set) => of_set(set, past.key.kind != self.kind),
                None => Reply::Absent(self.absence(0)),
            };
            (reply, past.until)
        })
    }

    /// What is authoritative at the slot's beginning, or becomes so while its stage is carried out.
    fn authoritative(&self, course: &Course, slot: Slot, steps: &BTreeSet<usize>) -> Vec<Reply> {
        let states = course.states(slot);
        match course.stage(slot).filter(|stage| steps.contains(&stage.step)) {
            None => vec![self.steady(*states.start())],
            Some(stage) => {
                let mut all = self.midway(stage.step);
                all.extend(states.map(|state| self.steady(state)));
                all
            }
        }
    }

    /// The reply in a state.
    pub fn steady(&self, state: usize) -> Reply {
        self.reply(&|_| state)
    }

    /// Replies that no state gives, and some order of the changes of one step does.
    fn midway(&self, step: usize) -> Vec<Reply> {
        let exists = |state| self.owner().is_some_and(|o| o.exists(state));
        if (exists(step) && exists(step + 1)) || !self.has_wildcards() || !self.kind.is_dns() {
            return Vec::new();
        }
        let touched = self.touched(step);
        if touched.len() > COMBINED {
            return vec![Reply::Absent(self.absence(step).max(self.absence(step + 1)))];
        }
        let mix = |mask: usize| {
            self.reply(&|name: &Name| match touched.iter().position(|t| *t == name) {
                Some(i) if mask & (1 << i) != 0 => step + 1,
                _ => step,
            })
        };
        let mut all: Vec<Reply> = (1..(1usize << touched.len()).saturating_sub(1)).map(mix).collect();
        all.sort();
        all.dedup();
        all
    }

    /// The owners whose changes in a step decide the reply: its own, those around its ancestors, their wildcards.
    fn touched(&self, step: usize) -> Vec<&Name> {
        let apex = self.apex();
        let mut around: BTreeSet<&Name> = self.history.below(self.view, self.name.as_str()).collect();
        for parent in parents(self.name.as_str()).take_while(|p| *p != apex) {
            around.extend(self.history.below(self.view, parent));
        }
        let others: Vec<&Name> = self.history.wildcards(self.view).chain(around).chain([self.name]).collect();
        let mut touched: Vec<&Name> = others
            .into_iter()
            .filter(|n| self.history.owner(self.view, n).is_some_and(|o| o.steps().any(|s| s == step)))
            .collect();
        touched.sort();
        touched.dedup();
        touched
    }

    /// RFC 1034 section 4.3.2 with RFC 4592, each owner in the state that is given for it.
    fn reply(&self, state: &dyn Fn(&Name) -> usize) -> Reply {
        let own = state(self.name);
        if let Some(owner) = self.owner().filter(|o| !self.kind.is_dns() || o.exists(own)) {
            return self.of_owner(owner, own);
        }
        let name = self.name.as_str();
        if !self.kind.is_dns() || name == self.apex() || self.has_below(name, state) {
            return Reply::Absent(self.absence(own));
        }
        let wildcard = self.encloser(state).and_then(|e| Name::parse_owner(&format!("*.{e}")).ok());
        let wildcard = wildcard.as_ref().filter(|w| *w != self.name);
        let found = wildcard.and_then(|w| Some((self.history.owner(self.view, w)?, state(w))));
        match found {
            Some((owner, at)) if owner.exists(at) => self.of_owner(owner, at),
            _ => Reply::Absent(self.absence(own)),
        }
    }

    fn of_owner(&self, owner: &Owner, state: usize) -> Reply {
        let alias = owner.at(CacheKind::Cname, state).filter(|_| self.kind.is_dns() && self.kind != CacheKind::Cname);
        match (alias, owner.at(self.kind, state)) {
            (Some(set), _) => of_set(set, true),
            (None, Some(set)) => of_set(set, false),
            (None, None) => Reply::Absent(self.absence(state)),
        }
    }

    fn has_below(&self, name: &str, state: &dyn Fn(&Name) -> usize) -> bool {
        self.history
            .below(self.view, name)
            .any(|n| self.history.owner(self.view, n).is_some_and(|o| o.exists(state(n))))
    }

    /// The closest ancestor that exists (RFC 4592 section 3.3.1); an apex always does.
    fn encloser(&self, state: &dyn Fn(&Name) -> usize) -> Option<&str> {
        let apex = self.apex();
        let exists = |parent: &str| {
            let own = self.history.owner_of(self.view, parent).is_some_and(|(name, o)| o.exists(state(name)));
            own || self.has_below(parent, state)
        };
        parents(self.name.as_str()).find(|p| *p == apex || exists(p))
    }

    /// For how long the name's absence may be kept: the longest of the zones in which it, or an ancestor that does not
    /// exist either, is looked for.
    fn absence(&self, state: usize) -> u32 {
        let of = |name: &str| {
            self.history.zone(self.view, name).map_or(self.timeline.negative_ttl, |zone| zone.negative_ttl)
        };
        let is_apex = |name: &str| self.history.zone(self.view, name).is_some_and(|z| z.apex.as_str() == name);
        let name = self.name.as_str();
        if is_apex(name) {
            return of(name);
        }
        let hiding = parents(name).take_while(|p| !is_apex(p) && !self.history.exists(self.view, p, state));
        hiding.map(of).fold(of(name), u32::max)
    }
}

fn of_set(set: &RecordSet, is_alias: bool) -> Reply {
    match set.data.first() {
        Some(Datum::Host(target)) if is_alias => Reply::Alias(target.clone(), set.ttl),
        _ => Reply::Data(set.data.clone(), set.ttl),
    }
}

/// Of equal data the one that costs least, and of those the one that is kept longest.
fn cheapest(mut all: Vec<Possible>) -> Vec<Possible> {
    let what = |reply: &Reply| match reply {
        Reply::Data(data, _) => Reply::Data(data.clone(), 0),
        Reply::Alias(target, _) => Reply::Alias(target.clone(), 0),
        Reply::Absent(_) => Reply::Absent(0),
    };
    all.sort_by_cached_key(|p| (what(&p.reply), p.costs, p.kept_until.is_some(), p.kept_until.map(std::cmp::Reverse)));
    all.dedup_by(|b, a| what(&a.reply) == what(&b.reply));
    all
}
