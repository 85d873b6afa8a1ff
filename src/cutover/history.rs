//! What DNS says at second 0, and what caches may remember of the time before: a TTL lowered an hour ago does not make a
//! day-old cache forget.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jiff::Timestamp;

use super::Refusal;
use super::policies::Lists;
use super::records::{Sets, foreign_host};
use super::seen::{Seen, SeenSet, SeenSets};
use crate::model::cutover::{CacheKey, CacheKind, Datum, Past, RecordSet, Second};
use crate::model::dns::RecordType;
use crate::model::name::Name;
use crate::model::phase::Phase;
use crate::model::plan::{Plan, PlannedName, ViewId, Wanted};

/// The TTL that is taken for one of which nothing is known, in seconds: a day, the longest in common use.
pub(super) const UNKNOWN_TTL: u32 = 86_400;

/// The life of a record before it is lowered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OldTtl {
    /// Seconds.
    pub(super) ttl: u32,
    /// False if it is the worst case, because nobody said or saw it.
    pub(super) known: bool,
}

/// What is known of the time before second 0.
#[derive(Default)]
pub(super) struct Memory {
    /// The TTL that caches may have got with each RRset that is there.
    pub(super) old_ttl: BTreeMap<CacheKey, OldTtl>,
    /// The old answers.
    pub(super) past: Vec<Past>,
}

/// What holds, and what is remembered.
pub(super) struct Held {
    pub(super) records: BTreeMap<CacheKey, RecordSet>,
    pub(super) memory: Memory,
}

/// Where the knowledge comes from.
pub(super) struct Ways<'a> {
    pub(super) plan: &'a Plan,
    pub(super) seen: &'a Seen<'a>,
    pub(super) zero: Option<Timestamp>,
    /// The phase of each view.
    pub(super) from: &'a [Phase],
    /// The phase that is left.
    pub(super) asked_from: Phase,
    /// The phase that is wanted.
    pub(super) to: Phase,
    /// The plan's names.
    pub(super) names: super::records::Names<'a>,
}

impl Ways<'_> {
    /// What holds at second 0. Where an alias leads to what is wanted, the goal keeps the alias.
    pub(super) fn held(
        &self,
        declared: &Sets,
        goal: &mut Sets,
        unknown: &mut BTreeSet<String>,
    ) -> Result<Held, Vec<Refusal>> {
        let mut now = declared.clone();
        let mut shown: BTreeMap<CacheKey, SeenSet> = BTreeMap::new();
        let mut refusals = Vec::new();
        for view in self.plan.view_ids() {
            let mut unseen: Vec<&Name> = Vec::new();
            for name in &self.plan.names {
                match self.seen.name(view, &name.name.probe()) {
                    Some(sets) => {
                        refusals.extend(self.contradiction(name, view, &sets));
                        self.take_over(name, view, sets, &mut now, goal, &mut shown);
                    }
                    None if stands(declared, view, &name.name) => unseen.push(&name.name),
                    None => {}
                }
            }
            if !unseen.is_empty() && !self.seen.is_empty() {
                let (label, from) = (&self.plan.view(view).label, self.asked_from);
                let names = super::words::list(std::mem::take(&mut unseen));
                unknown.insert(format!(
                    "what DNS says in {label} of {names}: no recording shows it; taken as the plan has it in {from}"
                ));
            }
        }
        self.take_hosts(&mut now, goal, &mut shown);
        unknown.extend(self.take_hints(&mut now, goal, &mut shown));
        if !refusals.is_empty() {
            return Err(refusals);
        }
        unknown.extend(self.standing_elsewhere(&shown));
        let mut declared = declared.clone();
        let policies = super::mail_policy::take(self, &mut declared, &mut now, goal);
        shown.extend(policies.shown);
        unknown.extend(policies.told);
        let declared = &declared;
        self.note_missing(declared, &now, unknown);
        let mut held = Held { records: BTreeMap::new(), memory: Memory::default() };
        for (key, data) in now {
            let old = self.old_ttl(&key, shown.get(&key));
            let ttl = shown.get(&key).and_then(|s| s.authoritative).unwrap_or(old.ttl);
            held.memory.old_ttl.insert(key.clone(), old);
            held.records.insert(key, RecordSet { ttl, data });
        }
        self.remember(declared, &shown, &mut held);
        held.memory.past.extend(policies.past);
        Ok(held)
    }

    /// What was seen in place of what the plan says.
    fn take_over(
        &self,
        name: &PlannedName,
        view: ViewId,
        sets: SeenSets,
        now: &mut Sets,
        goal: &mut Sets,
        shown: &mut BTreeMap<CacheKey, SeenSet>,
    ) {
        let key = |owner: &Name, kind| CacheKey { view, owner: owner.clone(), kind };
        let kinds = [CacheKind::A, CacheKind::Aaaa, CacheKind::Cname];
        for kind in kinds {
            let asked = match kind {
                CacheKind::Aaaa => self.seen.asked(view, &name.name.probe(), RecordType::Aaaa),
                _ => true,
            };
            if asked {
                now.remove(&key(&name.name, kind));
            }
        }
        let sets = self.normal(name, view, sets);
        let addresses: BTreeSet<&Datum> =
            sets.iter().filter(|((_, k), _)| *k != CacheKind::Cname).flat_map(|(_, s)| &s.data).collect();
        let of_goal = |kind| goal.get(&key(&name.name, kind)).into_iter().flatten();
        let wanted: BTreeSet<&Datum> = of_goal(CacheKind::A).chain(of_goal(CacheKind::Aaaa)).collect();
        let by_alias = sets.contains_key(&(name.name.clone(), CacheKind::Cname));
        let keeps_alias = by_alias && name.cname.is_none() && !wanted.is_empty() && wanted == addresses;
        if keeps_alias {
            kinds.iter().for_each(|kind| drop(goal.remove(&key(&name.name, *kind))));
        }
        for ((owner, kind), set) in sets {
            if keeps_alias {
                goal.insert(key(&owner, kind), set.data.clone());
            }
            now.insert(key(&owner, kind), set.data.clone());
            shown.insert(key(&owner, kind), set);
        }
    }

    /// Somebody else's host stands for all that it leads to; a wildcard is asked for by a name under it.
    fn normal(&self, name: &PlannedName, view: ViewId, sets: SeenSets) -> SeenSets {
        let phases = Phase::ALL.into_iter().flat_map(|p| super::reach::targets(name, view, p));
        let foreign: BTreeSet<&Name> = phases.filter_map(|t| foreign_host(self.plan, t)).collect();
        let probe = name.name.probe();
        let mut out = SeenSets::new();
        for ((owner, kind), mut set) in sets {
            let elsewhere = set.data.iter().find_map(|d| match d {
                Datum::Host(host) if foreign.contains(host) => Some(host.clone()),
                _ => None,
            });
            let owner = if owner == probe { name.name.clone() } else { owner };
            if let Some(host) = elsewhere {
                set.data = [Datum::Elsewhere(host)].into();
                return [((owner, kind), set)].into();
            }
            out.insert((owner, kind), set);
        }
        out
    }

    fn take_hosts(&self, now: &mut Sets, goal: &Sets, shown: &mut BTreeMap<CacheKey, SeenSet>) {
        let keys: BTreeSet<CacheKey> = now.keys().chain(goal.keys()).cloned().collect();
        for key in keys {
            let kind = match key.kind {
                CacheKind::Mx => RecordType::Mx,
                CacheKind::Srv => RecordType::Srv,
                _ => continue,
            };
            let Some(sets) = self.seen.rrsets(key.view, &key.owner, kind) else { continue };
            now.remove(&key);
            if let Some(mut set) = sets.get(&(key.owner.clone(), key.kind)).cloned() {
                let known = |d: Datum| match d {
                    Datum::Host(host) => super::records::known_host(&self.names, &host),
                    other => other,
                };
                set.data = std::mem::take(&mut set.data).into_iter().map(known).collect();
                now.insert(key.clone(), set.data.clone());
                shown.insert(key, set);
            }
        }
    }

    /// HTTPS records as they were seen, in the plan or not: hints flip with the addresses of their name. Where the plan has
    /// others, a line.
    fn take_hints(&self, now: &mut Sets, goal: &mut Sets, shown: &mut BTreeMap<CacheKey, SeenSet>) -> BTreeSet<String> {
        let mut told = BTreeSet::new();
        for (view, owner) in self.seen.owners(RecordType::Https) {
            let key = CacheKey { view, owner: owner.clone(), kind: CacheKind::Https };
            let Some(sets) = self.seen.rrsets(view, owner, RecordType::Https) else { continue };
            let mut set = sets.get(&(owner.clone(), CacheKind::Https)).cloned();
            if let Some(set) = &mut set {
                let known = |d: Datum| match d {
                    Datum::Host(host) => super::records::known_host(&self.names, &host),
                    other => other,
                };
                set.data = std::mem::take(&mut set.data).into_iter().map(known).collect();
            }
            let declared = now.remove(&key);
            let is_declared = self.plan.records.iter().any(|r| r.kind == "HTTPS" && r.owner == *owner);
            let seen = set.as_ref().map(|s| &s.data);
            if is_declared && declared.as_ref() != seen {
                let said = |data: Option<&BTreeSet<Datum>>| data.map_or("nothing".into(), super::words::data);
                told.insert(format!(
                    "what {owner} HTTPS says in {}: the plan has {}, and {} was seen; taken as seen",
                    self.plan.view(view).label,
                    said(declared.as_ref()),
                    said(seen)
                ));
            }
            let Some(set) = set else { continue };
            if !is_declared {
                goal.insert(key.clone(), self.moved_hints(&key, &set.data));
            }
            now.insert(key.clone(), set.data.clone());
            shown.insert(key, set);
        }
        told
    }

    /// The same hosts, and hints of the same families at where the name leads in the end.
    fn moved_hints(&self, key: &CacheKey, data: &BTreeSet<Datum>) -> BTreeSet<Datum> {
        let then = self.names.get(&key.owner).and_then(|name| self.planned(name, key.view, self.to));
        let Some(then) = then.filter(|all| !all.is_empty()) else { return data.clone() };
        let families: BTreeSet<CacheKind> = addresses_in(data).map(super::records::kind_of).collect();
        let hosts = data.iter().filter(|d| !matches!(d, Datum::Address(_))).cloned();
        let hints = then.into_iter().filter(|a| families.contains(&super::records::kind_of(*a)));
        hosts.chain(hints.map(Datum::Address)).collect()
    }

    /// The addresses that the plan has for a name in a phase; `None` if it leads to somebody else's host.
    fn planned(&self, name: &PlannedName, view: ViewId, phase: Phase) -> Option<BTreeSet<IpAddr>> {
        let mut out = BTreeSet::new();
        for target in super::reach::targets(name, view, phase) {
            if foreign_host(self.plan, target).is_some() {
                return None;
            }
            out.extend(self.plan.target_addresses(target, view, phase));
        }
        Some(out)
    }

    /// The first phase in which the plan has an address for a name.
    fn phase_of(&self, name: &PlannedName, view: ViewId, address: &IpAddr) -> Option<Phase> {
        Phase::ALL.into_iter().find(|p| self.planned(name, view, *p).is_some_and(|all| all.contains(address)))
    }

    /// An address that the plan knows in no phase cannot be planned away from; one of a phase that is not on the way shows
    /// that the world is not where the way begins.
    fn contradiction(&self, name: &PlannedName, view: ViewId, sets: &SeenSets) -> Option<Refusal> {
        let from = self.from[view.0];
        if !matches!(name.wanted(view, from), Wanted::Targets(_)) {
            return None;
        }
        let mut on_the_way = BTreeSet::new();
        for phase in Phase::ALL {
            let all = self.planned(name, view, phase)?;
            on_the_way.extend(all.into_iter().filter(|_| (self.asked_from..=self.to).contains(&phase)));
        }
        let strays: Vec<IpAddr> = addresses(sets.values()).filter(|a| !on_the_way.contains(a)).collect();
        if strays.is_empty() {
            return None;
        }
        let label = &self.plan.view(view).label;
        let listed = strays.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let known = strays.iter().find_map(|a| self.phase_of(name, view, a));
        let phase = known.filter(|_| strays.iter().all(|a| self.phase_of(name, view, a).is_some()));
        let refusal = |phase: Phase, title, help| Refusal {
            in_runbook: false,
            span: Some(name.wanted[view.0][phase as usize].span),
            title,
            help,
        };
        Some(match phase {
            None => refusal(
                from,
                format!("{} resolves to {listed} in {label}, which is in no phase", name.name),
                "the recordings contradict the plan: correct the address there, or look again".into(),
            ),
            Some(phase) => refusal(
                phase,
                format!(
                    "{} resolves to {listed} in {label}, which the plan has in {phase}, and the way goes from {} to {}",
                    name.name, self.asked_from, self.to
                ),
                format!("the world seems to be in {phase} there: say --from {phase}, or look again"),
            ),
        })
    }

    /// Names that lead where they are to lead in a later phase, up to the one that is wanted: a line for each view and phase.
    fn standing_elsewhere(&self, shown: &BTreeMap<CacheKey, SeenSet>) -> Vec<String> {
        let mut moved: BTreeMap<(ViewId, Phase), Vec<&PlannedName>> = BTreeMap::new();
        let mut stays: BTreeSet<ViewId> = BTreeSet::new();
        for view in self.plan.view_ids() {
            for name in &self.plan.names {
                let sets = super::draft::Draft::address_keys(view, &name.name);
                let seen: BTreeSet<IpAddr> = addresses(sets.iter().filter_map(|k| shown.get(k))).collect();
                let Some(from) = self.planned(name, view, self.from[view.0]).filter(|all| !all.is_empty()) else {
                    continue;
                };
                let later = Phase::ALL.into_iter().filter(|p| (self.from[view.0]..=self.to).contains(p)).find(|p| {
                    self.planned(name, view, *p)
                        .is_some_and(|all| all != from && !seen.is_empty() && seen.is_subset(&all))
                });
                let moves = self.planned(name, view, self.to).is_some_and(|to| to != from);
                match later.filter(|_| !seen.is_subset(&from)) {
                    Some(phase) => moved.entry((view, phase)).or_default().push(name),
                    None if moves && !seen.is_empty() => drop(stays.insert(view)),
                    None => {}
                }
            }
        }
        let line = |((view, phase), names): (&(ViewId, Phase), &Vec<&PlannedName>)| {
            let (label, from) = (&self.plan.view(*view).label, self.from[view.0]);
            let place = |name: &&PlannedName| {
                let place = self.plan.source.place(name.wanted[view.0][*phase as usize].span);
                format!("{} ({}:{})", name.name, place.file, place.line)
            };
            let verb = if names.len() == 1 { "leads" } else { "lead" };
            let whole = match stays.contains(view) {
                true => format!("{label} seems to be on the way from {from} to {phase}"),
                false => format!("{label} seems to be in {phase} already, not in {from}"),
            };
            let names = super::words::list(names.iter().map(place));
            format!("whether that is meant: {whole}: {names} {verb} there; what is done is not planned again")
        };
        moved.iter().map(line).collect()
    }

    fn note_missing(&self, declared: &Sets, now: &Sets, unknown: &mut BTreeSet<String>) {
        for key in declared.keys().filter(|k| !now.contains_key(k) && !stands(now, k.view, &k.owner)) {
            let label = &self.plan.view(key.view).label;
            unknown.insert(format!(
                "{} was not found in {label}, though the plan has it in {}; taken as used by nobody yet",
                key.owner, self.asked_from
            ));
        }
    }

    fn name_of(&self, key: &CacheKey) -> Option<&PlannedName> {
        self.names.get(&key.owner).copied()
    }

    /// The longest of what the plan says, and of what authoritative servers were seen to give. What a cache has left is
    /// no evidence but that the TTL is no shorter.
    pub(super) fn old_ttl(&self, key: &CacheKey, shown: Option<&SeenSet>) -> OldTtl {
        if key.kind == CacheKind::MtaSts
            && let Some(policy) =
                self.plan.mail.iter().filter(|m| m.domain == key.owner).find_map(|m| m.mta_sts.as_ref())
        {
            let seen = shown.and_then(|s| s.authoritative).unwrap_or(0);
            return OldTtl { ttl: policy.max_age.value.max(seen), known: true };
        }
        let name = self.name_of(key);
        let declared = name.and_then(|n| n.ttl_before.as_ref()).map(|t| t.value);
        let planned = name.and_then(|n| n.ttl.as_ref()).map(|t| t.value);
        let probe = name.map_or(key.owner.clone(), |n| n.name.probe());
        let owner = (probe.clone(), key.kind);
        let authoritative = self.seen.longest_ttl(key.view, &probe, &owner).map(|(ttl, _)| ttl);
        let authoritative = authoritative.max(shown.and_then(|s| s.authoritative));
        let least = shown.map_or(0, |s| s.at_least);
        match declared.max(authoritative) {
            Some(ttl) => OldTtl { ttl: ttl.max(planned.unwrap_or(0)).max(least), known: true },
            None => OldTtl { ttl: UNKNOWN_TTL.max(planned.unwrap_or(0)).max(least), known: false },
        }
    }

    /// A TLSA RRset. One that was seen to list more than can be expected may do so only since then, and caches may keep the
    /// one before.
    pub(super) fn listed(&self, key: &CacheKey, lists: Lists, memory: &mut Memory) -> RecordSet {
        let life = self.seen.tlsa_life(key.view, &key.owner);
        let shown = life.map(|(authoritative, at_least, since)| SeenSet {
            data: lists.now.clone(),
            authoritative,
            at_least,
            since: Some(since),
        });
        let old = self.old_ttl(key, shown.as_ref());
        memory.old_ttl.insert(key.clone(), old);
        if let Some(shown) = shown.filter(|shown| !shown.data.is_subset(&lists.expected)) {
            let until = self.until(key.view, shown.since);
            let answer = Some(RecordSet { ttl: old.ttl, data: lists.expected });
            memory.past.push(Past { key: key.clone(), answer, until });
        }
        RecordSet { ttl: old.ttl, data: lists.now }
    }

    /// Seconds, at most 0, up to which something may have been answered that changed at this time; with no time at all,
    /// until just now.
    pub(super) fn until(&self, view: ViewId, since: Option<Timestamp>) -> Second {
        let (Some(zero), Some(since)) = (self.zero, since) else { return 0 };
        let propagation = i64::from(self.plan.cutover.propagation[view.0]);
        (since.as_second() - zero.as_second() + propagation).min(0)
    }

    /// What caches may hold of the time before: the same with a longer TTL, other values, absence.
    fn remember(&self, declared: &Sets, shown: &BTreeMap<CacheKey, SeenSet>, held: &mut Held) {
        for (key, set) in shown {
            let old = held.memory.old_ttl.get(key).map_or(UNKNOWN_TTL, |o| o.ttl);
            let until = self.until(key.view, set.since);
            let past = |answer| Past { key: key.clone(), answer, until };
            if set.authoritative.is_some_and(|ttl| ttl < old) {
                let data = set.data.clone();
                held.memory.past.push(past(Some(RecordSet { ttl: old, data })));
            }
            match declared.get(key) {
                Some(data) if *data != set.data => {
                    let data = data.clone();
                    held.memory.past.push(past(Some(RecordSet { ttl: old, data })));
                }
                None => held.memory.past.push(past(None)),
                Some(_) => {}
            }
        }
        self.remember_flips(held);
    }

    /// When a view flipped into the phase where it stands: as declared, or by the calendar of the phases.
    fn flipped(&self, view: ViewId) -> Option<Timestamp> {
        let began = self.plan.phases.get(&self.from[view.0]).and_then(|d| d.from);
        self.plan.cutover.flipped[view.0].or(began.filter(|b| self.zero.is_some_and(|zero| *b <= zero)))
    }

    /// Flips before second 0: into the phase where a view stands, whether from the phase that is left or into it.
    fn remember_flips(&self, held: &mut Held) {
        let earlier = |phase: &Phase| match *phase == self.asked_from {
            true => phase.previous().unwrap_or(*phase),
            false => self.asked_from,
        };
        let before: Vec<Phase> = self.from.iter().map(earlier).collect();
        for (key, data) in super::records::declared(self.plan, &before) {
            if held.records.get(&key).is_none_or(|now| now.data != data) {
                let until = self.until(key.view, self.flipped(key.view));
                let ttl = self.old_ttl(&key, None).ttl;
                held.memory.past.push(Past { key, answer: Some(RecordSet { ttl, data }), until });
            }
        }
    }
}

/// True if an owner has addresses or an alias.
fn stands(sets: &Sets, view: ViewId, owner: &Name) -> bool {
    let kinds = [CacheKind::A, CacheKind::Aaaa, CacheKind::Cname, CacheKind::Mx, CacheKind::Srv];
    kinds.into_iter().any(|kind| sets.contains_key(&CacheKey { view, owner: owner.clone(), kind }))
}

fn addresses<'s>(sets: impl Iterator<Item = &'s SeenSet>) -> impl Iterator<Item = IpAddr> {
    sets.flat_map(|set| addresses_in(&set.data))
}

fn addresses_in(data: &BTreeSet<Datum>) -> impl Iterator<Item = IpAddr> {
    data.iter().filter_map(|d| match d {
        Datum::Address(address) => Some(*address),
        _ => None,
    })
}
