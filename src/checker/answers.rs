//! What authoritative servers answer in a state, or while a step is carried out.

use std::collections::BTreeSet;

use super::existence::COMBINED;
use super::history::{History, Owner, parents};
use crate::model::cutover::{CacheKind, Datum, Past, RecordSet, Second, Timeline};
use crate::model::name::Name;
use crate::model::plan::ViewId;

/// What a question is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reply<'a> {
    /// Records of the kind that was asked for, and for how long.
    Data(&'a BTreeSet<Datum>, u32),
    /// An alias, and for how long.
    Alias(&'a Name, u32),
    /// Nothing, and for how long.
    Absent(u32),
}

impl<'a> Reply<'a> {
    /// For how many seconds it may be kept, by its own word.
    pub fn ttl(&self) -> u32 {
        match self {
            Self::Data(_, ttl) | Self::Alias(_, ttl) | Self::Absent(ttl) => *ttl,
        }
    }

    /// The records, if there are any.
    pub fn data(&self) -> Option<&'a BTreeSet<Datum>> {
        match self {
            Self::Data(data, _) => Some(data),
            _ => None,
        }
    }

    /// The same, whatever its life.
    pub fn says(self) -> Self {
        match self {
            Self::Data(data, _) => Self::Data(data, 0),
            Self::Alias(target, _) => Self::Alias(target, 0),
            Self::Absent(_) => Self::Absent(0),
        }
    }
}

/// A question of the clients of a view.
#[derive(Clone, Copy)]
pub(super) struct Question<'h, 'a, 'n> {
    pub timeline: &'a Timeline,
    pub history: &'h History<'a>,
    pub view: ViewId,
    pub name: &'n Name,
    pub kind: CacheKind,
}

/// A state; some owners are one step ahead of it.
struct Moment<'m> {
    state: usize,
    ahead: &'m [&'m str],
}

impl Moment<'_> {
    fn of(&self, owner: &str) -> usize {
        self.state + usize::from(self.ahead.contains(&owner))
    }
}

impl<'h, 'a> Question<'h, 'a, '_> {
    /// The apex of the zone in which it is asked; empty if none is declared.
    fn apex(&self) -> &'a str {
        self.history.zone(self.view, self.name.as_str()).map_or("", |z| z.apex.as_str())
    }

    fn has_wildcards(&self) -> bool {
        self.history.existence(self.view).is_some_and(|e| e.has_wildcards)
    }

    fn owner(&self) -> Option<&'h Owner<'a>> {
        self.history.owner(self.view, self.name.as_str())
    }

    fn exists(&self, state: usize) -> bool {
        self.owner().is_some_and(|o| o.exists(state))
    }

    /// The steps that may change the reply, in their order.
    pub fn steps(&self) -> Vec<usize> {
        let mut own: Vec<usize> = self.owner().into_iter().flat_map(|o| o.steps_of(self.kind)).collect();
        own.sort_unstable();
        own.dedup();
        // Only where the owner does not exist do others have a say.
        let always = self.exists(0) && own.iter().all(|step| self.exists(step + 1));
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

    /// What was answered before second 0, and up to which second.
    pub fn past(&self) -> impl Iterator<Item = (Reply<'a>, Second)> + '_ {
        let by_alias = self.kind.is_dns() && self.kind != CacheKind::Cname;
        let all = self.history.past(self.view, self.name.as_str());
        let is_alias = |past: &Past| past.key.kind == CacheKind::Cname && past.answer.is_some();
        all.filter(move |past| past.key.kind == self.kind || (by_alias && is_alias(past))).map(|past| {
            let reply = match &past.answer {
                Some(set) => of_set(set, past.key.kind != self.kind),
                None => Reply::Absent(self.absence(0)),
            };
            (reply, past.until)
        })
    }

    /// The reply in a state.
    pub fn steady(&self, state: usize) -> Reply<'a> {
        self.reply(&Moment { state, ahead: &[] })
    }

    /// Replies that no state gives, and some order of the changes of one step does.
    pub fn midway(&self, step: usize) -> Vec<Reply<'a>> {
        if !self.has_wildcards() || !self.kind.is_dns() || (self.exists(step) && self.exists(step + 1)) {
            return Vec::new();
        }
        let touched: Vec<&str> = self.touched(step).into_iter().collect();
        if touched.len() > COMBINED {
            return vec![Reply::Absent(self.absence(step).max(self.absence(step + 1)))];
        }
        let mix = |mask: usize| {
            let is_ahead = |i: usize| mask & (1 << i) != 0;
            let ahead: Vec<&str> = (0..touched.len()).filter(|i| is_ahead(*i)).map(|i| touched[i]).collect();
            self.reply(&Moment { state: step, ahead: &ahead })
        };
        let mut all: Vec<Reply> = (1..(1usize << touched.len()).saturating_sub(1)).map(mix).collect();
        all.sort();
        all.dedup();
        all
    }

    /// The owners whose changes in a step decide the reply: its own, those around its ancestors, the wildcards.
    fn touched(&self, step: usize) -> BTreeSet<&str> {
        let apex = self.apex();
        let name = self.name.as_str();
        let around = std::iter::once(name).chain(parents(name).take_while(|p| *p != apex));
        let existence = self.history.existence(self.view);
        let mut touched: BTreeSet<&str> = existence.map(|e| e.changed(around, step)).unwrap_or_default();
        touched.extend(self.owner().filter(|o| o.steps().any(|s| s == step)).map(|_| name));
        touched
    }

    /// RFC 1034 section 4.3.2 with RFC 4592, each owner in its state.
    fn reply(&self, moment: &Moment) -> Reply<'a> {
        let name = self.name.as_str();
        let own = moment.of(name);
        if let Some(owner) = self.owner().filter(|o| !self.kind.is_dns() || o.exists(own)) {
            return self.of_owner(owner, own);
        }
        if !self.kind.is_dns() || name == self.apex() || self.has_below(name, moment) {
            return Reply::Absent(self.absence(own));
        }
        let wildcard = match self.has_wildcards() {
            true => self.encloser(moment).map(|e| format!("*.{e}")).filter(|w| w != name),
            false => None,
        };
        let found = wildcard.and_then(|w| Some((self.history.owner(self.view, &w)?, moment.of(&w))));
        match found {
            Some((owner, at)) if owner.exists(at) => self.of_owner(owner, at),
            _ => Reply::Absent(self.absence(own)),
        }
    }

    fn of_owner(&self, owner: &Owner<'a>, state: usize) -> Reply<'a> {
        let alias = owner.at(CacheKind::Cname, state).filter(|_| self.kind.is_dns() && self.kind != CacheKind::Cname);
        match (alias, owner.at(self.kind, state)) {
            (Some(set), _) => of_set(set, true),
            (None, Some(set)) => of_set(set, false),
            (None, None) => Reply::Absent(self.absence(state)),
        }
    }

    fn has_below(&self, name: &str, moment: &Moment) -> bool {
        let Some(existence) = self.history.existence(self.view) else { return false };
        let mut count = existence.count_below(name, moment.state);
        for owner in moment.ahead.iter().filter(|owner| existence.is_below(owner, name)) {
            let Some(facts) = self.history.owner(self.view, owner) else { continue };
            match (facts.exists(moment.state), facts.exists(moment.state + 1)) {
                (true, false) => count -= 1,
                (false, true) => count += 1,
                _ => {}
            }
        }
        count > 0
    }

    /// The closest ancestor that exists (RFC 4592 section 3.3.1); an apex always does.
    fn encloser(&self, moment: &Moment) -> Option<&str> {
        let apex = self.apex();
        let exists = |parent: &str| {
            let own = self.history.owner(self.view, parent).is_some_and(|o| o.exists(moment.of(parent)));
            own || self.has_below(parent, moment)
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

fn of_set(set: &RecordSet, is_alias: bool) -> Reply<'_> {
    match set.data.first() {
        Some(Datum::Host(target)) if is_alias => Reply::Alias(target, set.ttl),
        _ => Reply::Data(&set.data, set.ttl),
    }
}
