//! A walk through the answers that are possible in one slot: where clients may be led, and where they find nothing.

use std::collections::BTreeSet;
use std::net::IpAddr;

use smallvec::SmallVec;

use super::answers::Reply;
use super::asked::{Asked, Possible};
use super::course::Slot;
use super::follow::Follower;
use super::history::hosts;
use super::words;
use crate::model::cutover::{CacheKey, CacheKind, CachedAnswer, Datum, Second};
use crate::model::name::Name;

/// No resolver follows a longer chain; a circle ends here.
const LONGEST_CHAIN: usize = 16;

/// Somewhere that a client may be led.
#[derive(Clone, Copy)]
pub(super) struct Arrival<'a> {
    pub address: IpAddr,
    /// The name that the client has in mind.
    pub reference: &'a Name,
    pub way: Way,
}

/// Nothing, where a client hoped for something.
#[derive(Clone, Copy)]
pub(super) struct Nowhere<'a> {
    pub reference: &'a Name,
    pub way: Way,
}

/// The answers that led somewhere.
#[derive(Clone, Copy, Default)]
pub(super) struct Way {
    pub costs: Second,
    /// True if HTTPS records were among them: hints are for web clients.
    pub is_hint: bool,
    /// The last of the answers.
    last: Option<usize>,
    /// How many there are.
    length: usize,
}

/// An answer on a way.
struct Told<'f, 'a> {
    before: Option<usize>,
    asked: &'f Asked<'a>,
    possible: Possible<'a>,
}

/// The walk, and what it found.
pub(super) struct Led<'f, 'a> {
    follower: &'f Follower<'f, 'a>,
    slot: Slot,
    told: Vec<Told<'f, 'a>>,
    pub arrivals: Vec<Arrival<'a>>,
    pub nowhere: Vec<Nowhere<'a>>,
}

impl<'f, 'a> Led<'f, 'a> {
    /// Where the group's clients may be led in a slot.
    pub fn of(follower: &'f Follower<'f, 'a>, slot: Slot) -> Self {
        let mut led = Self { follower, slot, told: Vec::with_capacity(8), arrivals: Vec::new(), nowhere: Vec::new() };
        let name = follower.group.name;
        match follower.group.entry {
            CacheKind::Mx | CacheKind::Srv => led.through(name, Way::default(), 0),
            _ => {
                led.host(name, name, Way::default());
                led.hints(name, name, Way::default(), 0);
            }
        }
        led
    }

    /// The answers of a way, in their order.
    pub fn answers(&self, way: &Way) -> Vec<CachedAnswer> {
        let told = std::iter::successors(way.last.map(|i| &self.told[i]), |told| told.before.map(|i| &self.told[i]));
        let mut all: Vec<CachedAnswer> = told.map(|told| self.answer(told)).collect();
        all.reverse();
        all
    }

    fn answer(&self, told: &Told) -> CachedAnswer {
        let (view, owner) = (self.follower.group.view, told.asked.name.clone());
        CachedAnswer {
            key: CacheKey { view, owner, kind: told.asked.kind },
            answer: words::reply(&told.possible.reply),
            replaced_by: told.possible.replaced_in.map(|i| self.follower.course.step(i)),
            kept_until: told.possible.kept_until,
        }
    }

    /// What a question may be answered with, each on its way; nothing for one that no answer leads to.
    fn ask(&mut self, name: &Name, kind: CacheKind, way: Way) -> SmallVec<[(Reply<'a>, Way); 2]> {
        let follower = self.follower;
        let Some(asked) = follower.closure.find(name, kind) else { return SmallVec::new() };
        let possible = asked.possible(follower.course, self.slot);
        let mut on = |possible: Possible<'a>| {
            self.told.push(Told { before: way.last, asked, possible });
            let next = Way {
                costs: way.costs.max(possible.costs),
                is_hint: way.is_hint || kind == CacheKind::Https,
                last: Some(self.told.len() - 1),
                length: way.length + 1,
            };
            (possible.reply, next)
        };
        possible.into_iter().map(&mut on).collect()
    }

    /// From the owner of MX or SRV records to their hosts.
    fn through(&mut self, owner: &'a Name, way: Way, depth: usize) {
        for (reply, way) in self.ask(owner, self.follower.group.entry, way) {
            match reply {
                Reply::Alias(target, _) if depth < LONGEST_CHAIN => self.through(target, way, depth + 1),
                Reply::Alias(..) | Reply::Absent(_) => self.nowhere.push(Nowhere { reference: owner, way }),
                Reply::Data(data, _) => hosts(data).for_each(|host| self.host(host, host, way)),
            }
        }
    }

    /// To the addresses of a host; nowhere, if it may be believed to have none of either family.
    fn host(&mut self, name: &'a Name, reference: &'a Name, way: Way) {
        let none = [CacheKind::A, CacheKind::Aaaa].map(|kind| {
            let mut none = None;
            self.addresses(kind, (name, reference), way, &mut none, 0);
            none
        });
        if let [Some(v4), Some(v6)] = none {
            let way = if v6.costs > v4.costs { v6 } else { v4 };
            self.nowhere.push(Nowhere { reference, way });
        }
    }

    fn addresses(
        &mut self,
        kind: CacheKind,
        (name, reference): (&'a Name, &'a Name),
        way: Way,
        none: &mut Option<Way>,
        depth: usize,
    ) {
        for (reply, way) in self.ask(name, kind, way) {
            match reply {
                Reply::Alias(target, _) if depth < LONGEST_CHAIN => {
                    self.addresses(kind, (target, reference), way, none, depth + 1);
                }
                Reply::Alias(..) | Reply::Absent(_) => {
                    let is_shorter = |old: &Way| (way.costs, way.length) < (old.costs, old.length);
                    if none.as_ref().is_none_or(is_shorter) {
                        *none = Some(way);
                    }
                }
                Reply::Data(data, _) => self.arrive(data, reference, way),
            }
        }
    }

    /// Addresses and hosts that HTTPS records hint at. Their absence hurts nobody.
    fn hints(&mut self, name: &Name, reference: &'a Name, way: Way, depth: usize) {
        for (reply, way) in self.ask(name, CacheKind::Https, way) {
            match reply {
                Reply::Alias(target, _) if depth < LONGEST_CHAIN => self.hints(target, reference, way, depth + 1),
                Reply::Alias(..) | Reply::Absent(_) => {}
                Reply::Data(data, _) => {
                    self.arrive(data, reference, way);
                    hosts(data).for_each(|host| self.host(host, reference, way));
                }
            }
        }
    }

    fn arrive(&mut self, data: &BTreeSet<Datum>, reference: &'a Name, way: Way) {
        for datum in data {
            if let Datum::Address(address) = datum {
                self.arrivals.push(Arrival { address: *address, reference, way });
            }
        }
    }
}
