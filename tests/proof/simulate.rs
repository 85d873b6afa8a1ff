//! A second opinion on a timeline: plays executions second by second and looks at every client in every second. Written from
//! the definitions alone; nothing here is shared with the checker or with a planner.
//!
//! A second stands for the interval that begins with it. What is authoritative in it may be fetched at any moment of it, so
//! a cache may return it in every second before `second + 1 + hold`.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use coexist::model::cutover::{
    CacheKey, CacheKind, Change, Datum, Ending, HarmClass, NodeId, RecordSet, Serving, Step, Timeline, World,
};
use coexist::model::name::Name;
use coexist::model::plan::ViewId;
use coexist::model::service::Way;
use coexist::pki;

/// Who is hurt, and how: index of the path.
pub type Harms = BTreeSet<(usize, HarmClass)>;

/// When each step starts and ends.
pub type Times = Vec<(i64, i64)>;

/// Everything that can happen before and while one step is carried out, and how it can happen.
pub fn every_harm(timeline: &Timeline) -> Harms {
    harms_in(timeline, |parts| {
        assert!(parts <= 8, "too many parts for every order to be tried");
        (0..1usize << parts).map(|mask| (0..parts).map(|i| mask & (1 << i) != 0).collect()).collect()
    })
}

/// Some of it: the parts of a step change all at its end, or all at its start. Who is hurt here is hurt.
pub fn some_harm(timeline: &Timeline) -> Harms {
    harms_in(timeline, |parts| vec![vec![false; parts], vec![true; parts]])
}

/// In the orders of a step's parts that are told: which of them change early.
fn harms_in(timeline: &Timeline, orders: impl Fn(usize) -> Vec<Vec<bool>>) -> Harms {
    // A step that does nothing and takes no time stands for the end of all.
    let mut timeline = timeline.clone();
    let end = Step { changes: Vec::new(), waits: Vec::new(), not_before: None, at: None, ..timeline.steps[0].clone() };
    timeline.steps.push(Step { ending: Ending::Observed(0), ..end });
    let moments = moments(&timeline, &orders);
    let mut harms = play(&timeline, &[], &[], &[], (0, 0));
    for step in 0..timeline.steps.len() {
        let times = latest_before(&timeline, step);
        for early in orders(parts(&timeline.steps[step]).len()) {
            harms.extend(play(&timeline, &moments, &times, &early, times[step]));
        }
    }
    harms
}

/// A moment at which some parts of a step have changed and the others have not: it may last no second, and still be seen.
struct Moment {
    changed: Vec<bool>,
    replies: Vec<(CacheKey, Reply, i64)>,
    used: BTreeSet<(ViewId, Name)>,
}

/// Of each step, those that some order of its parts gives: what was before it and what comes of it are among them.
fn moments(timeline: &Timeline, orders: &impl Fn(usize) -> Vec<Vec<bool>>) -> Vec<Vec<Moment>> {
    let questions = questions(timeline);
    let mut before = timeline.world.clone();
    let of_step = |step: &Step| {
        let parts = parts(step);
        let moment = |changed: Vec<bool>| {
            let mut world = before.clone();
            let early = parts.iter().zip(&changed).filter(|(_, is)| **is).flat_map(|(part, _)| part);
            early.for_each(|c| world.apply(&step.changes[*c]));
            Moment { changed, replies: answers(timeline, &world, &questions), used: world.used }
        };
        let all = orders(parts.len()).into_iter().map(moment).collect();
        step.changes.iter().for_each(|c| before.apply(c));
        all
    };
    timeline.steps.iter().map(of_step).collect()
}

/// The steps up to one, and their undoing, as a timeline of their own; `None` if there is no way back.
pub fn turned_back(timeline: &Timeline, last: usize) -> Option<Timeline> {
    let mut out = timeline.clone();
    out.steps.truncate(last + 1);
    let mut before: Option<(usize, u32)> = None;
    if timeline.steps[last].changes.is_empty() || !timeline.steps[last].reversible {
        return None;
    }
    for step in timeline.steps[..=last].iter().rev() {
        if !step.reversible {
            break;
        }
        if step.changes.is_empty() {
            continue;
        }
        let mut undo = step.clone();
        undo.changes = step.changes.iter().map(Change::undone).collect();
        undo.ending = Ending::Observed(1);
        undo.waits = Vec::new();
        (undo.not_before, undo.at) = (None, None);
        if let Some((after, seconds)) = before {
            undo.waits.push(coexist::model::cutover::Wait { after, seconds, why: "settles".into() });
        }
        before = Some((out.steps.len(), step.undo.as_ref().map_or(0, |u| u.settles)));
        out.steps.push(undo);
    }
    Some(out)
}

/// An execution in which one step starts as early as it can and lasts three seconds, and all before it ended as late as they
/// can.
pub fn latest_before(timeline: &Timeline, step: usize) -> Times {
    let steps = &timeline.steps;
    let mut early: Times = Vec::new();
    for s in &steps[..=step] {
        let mut start = early.last().map_or(0, |(_, end)| *end);
        for wait in &s.waits {
            start = start.max(early[wait.after].1 + i64::from(wait.seconds));
        }
        start = start.max(s.not_before.unwrap_or(0)).max(s.at.unwrap_or(0));
        early.push((start, start + least(s.ending)));
    }
    let (start, _) = early[step];
    let mut times = vec![(0, 0); step + 1];
    times[step] = (start, start + least(steps[step].ending).max(3));
    for j in (0..step).rev() {
        let mut end = times[j + 1].0;
        for (later, s) in steps[..=step].iter().enumerate().skip(j + 1) {
            for wait in s.waits.iter().filter(|w| w.after == j) {
                end = end.min(times[later].0 - i64::from(wait.seconds));
            }
        }
        times[j] = match (steps[j].at, steps[j].ending) {
            (Some(at), Ending::Assumed(lasts)) => (at, at + i64::from(lasts)),
            (Some(at), Ending::Observed(_)) => (at, end),
            (None, ending) => (end - least(ending), end),
        };
    }
    times
}

/// An execution drawn at random.
pub fn any_times(timeline: &Timeline, draw: &mut impl FnMut(u64) -> u64) -> Times {
    let mut times: Times = Vec::new();
    for s in &timeline.steps {
        let mut start = times.last().map_or(0, |(_, end)| *end);
        for wait in &s.waits {
            start = start.max(times[wait.after].1 + i64::from(wait.seconds));
        }
        start = start.max(s.not_before.unwrap_or(0));
        start = s.at.unwrap_or(start + draw(4).saturating_sub(1) as i64);
        let end = match s.ending {
            Ending::Assumed(lasts) => start + i64::from(lasts),
            Ending::Observed(_) => start + draw(4) as i64,
        };
        times.push((start, end));
    }
    times
}

fn least(ending: Ending) -> i64 {
    match ending {
        Ending::Assumed(seconds) => seconds.into(),
        Ending::Observed(_) => 0,
    }
}

/// What changes at once: a node's port, a route, the records of an owner that come or go or whose alias changes, else each
/// kind of its records.
pub fn parts(step: &Step) -> Vec<Vec<usize>> {
    let mut parts: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (i, change) in step.changes.iter().enumerate() {
        let part = match change {
            Change::Records { key, .. } if is_dns(key.kind) && as_a_whole(step, key) => {
                format!("{:?} {:?}", key.view, key.owner)
            }
            other => format!("{i} {other:?}"),
        };
        parts.entry(part).or_default().push(i);
    }
    parts.into_values().collect()
}

/// An owner whose alias changes, or of which all records come or all go, changes at once.
fn as_a_whole(step: &Step, key: &CacheKey) -> bool {
    let of_owner = step.changes.iter().filter_map(|c| match c {
        Change::Records { key: k, old, new } if is_dns(k.kind) && (k.view, &k.owner) == (key.view, &key.owner) => {
            Some((k.kind, old, new))
        }
        _ => None,
    });
    let all: Vec<_> = of_owner.collect();
    all.iter().any(|(kind, ..)| *kind == CacheKind::Cname)
        || all.iter().all(|(_, old, _)| old.is_none())
        || all.iter().all(|(_, _, new)| new.is_none())
}

/// Plays the steps of `times` and looks at every client in every second of `last`, both ends included; certificates may end
/// whenever that step is later than it can be, so whether they are valid counts at its start only. Of the last of these
/// steps the parts change at its start where `early` says so, else at its end; those of earlier ones at their end. What
/// changes in one second does so one after the other, and whatever is there between may be fetched.
fn play(
    timeline: &Timeline,
    moments: &[Vec<Moment>],
    times: &[(i64, i64)],
    early: &[bool],
    (start, until): (i64, i64),
) -> Harms {
    let mut when: Vec<(i64, &Change)> = Vec::new();
    let mut caches = Caches::of(timeline);
    for (i, (start, end)) in times.iter().enumerate() {
        let is_last = i + 1 == times.len();
        for (n, part) in parts(&timeline.steps[i]).iter().enumerate() {
            let at = if is_last && early.get(n).copied().unwrap_or(false) { *start } else { *end };
            when.extend(part.iter().map(|c| (at, &timeline.steps[i].changes[*c])));
        }
        let is_passed =
            |m: &&Moment| !is_last || m.changed.iter().zip(early).all(|(changed, early)| *early || !changed);
        let at = if is_last { *start } else { *end };
        for moment in moments[i].iter().filter(is_passed) {
            caches.fetched(timeline, &moment.replies, &moment.used, at);
        }
    }
    let seconds = play_with(caches, timeline, when, (start, until)).into_iter();
    let counts = |(now, class): (i64, HarmClass)| now == start || class != HarmClass::Expired;
    seconds.filter(|(now, (_, class))| counts((*now, *class))).map(|(_, harm)| harm).collect()
}

/// Plays changes at their times: who is hurt in which of some seconds, the last included.
pub fn play_changes(
    timeline: &Timeline,
    when: Vec<(i64, &Change)>,
    seconds: (i64, i64),
) -> BTreeSet<(i64, (usize, HarmClass))> {
    play_with(Caches::of(timeline), timeline, when, seconds)
}

fn play_with(
    mut caches: Caches,
    timeline: &Timeline,
    mut when: Vec<(i64, &Change)>,
    (first, last): (i64, i64),
) -> BTreeSet<(i64, (usize, HarmClass))> {
    when.sort_by_key(|(at, _)| *at);
    let mut world = timeline.world.clone();
    let questions = questions(timeline);
    let mut replies = answers(timeline, &world, &questions);
    // Until second 0 it was as it begins.
    caches.fetched(timeline, &replies, &world.used, 0);
    let mut harms = BTreeSet::new();
    let mut now = 0;
    while now <= last {
        if when.first().is_some_and(|(at, _)| *at <= now) {
            while when.first().is_some_and(|(at, _)| *at <= now) {
                world.apply(when.remove(0).1);
            }
            replies = answers(timeline, &world, &questions);
        }
        if now >= first {
            let look = Look { timeline, world: &world, caches: &caches, now };
            for path in 0..timeline.paths.len() {
                harms.extend(look.hurts(path).into_iter().map(|class| (now, (path, class))));
            }
        }
        // Until something changes or somebody is looked at, every second's answers are kept longer than those of the one
        // before: the last one's count.
        let looked = if now < first { first } else { now + 1 };
        let next = when.first().map_or(looked, |(at, _)| looked.min(*at)).max(now + 1);
        caches.fetched(timeline, &replies, &world.used, next);
        now = next;
    }
    harms
}

/// What authoritative servers say of every question, and for how many seconds a cache keeps it.
fn answers(timeline: &Timeline, world: &World, questions: &BTreeSet<CacheKey>) -> Vec<(CacheKey, Reply, i64)> {
    let answer = |key: &CacheKey| {
        let (reply, ttl) = ask(timeline, world, key);
        (key.clone(), reply, hold(timeline, key.view, key.kind, ttl))
    };
    questions.iter().map(answer).collect()
}

/// For each question, each reply that was ever given: the first second at which no cache returns it; and the same for names
/// that clients were told to use.
struct Caches(BTreeMap<CacheKey, BTreeMap<Reply, i64>>, BTreeMap<(ViewId, Name), i64>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reply {
    Alias(Name),
    Data(BTreeSet<Datum>),
    Nothing,
}

impl Caches {
    fn of(timeline: &Timeline) -> Self {
        let mut caches = Self(BTreeMap::new(), BTreeMap::new());
        for past in &timeline.past {
            let key = &past.key;
            let hold = |ttl: u32, kind: CacheKind| hold(timeline, key.view, kind, ttl);
            match &past.answer {
                Some(set) if key.kind == CacheKind::Cname => {
                    for kind in KINDS {
                        let reply = Reply::Alias(only_host(set));
                        caches.keep(&CacheKey { kind, ..key.clone() }, reply, past.until + hold(set.ttl, kind));
                    }
                }
                Some(set) => {
                    caches.keep(key, Reply::Data(set.data.clone()), past.until + hold(set.ttl, key.kind));
                }
                None => {
                    let ttl = negative(timeline, &timeline.world, key.view, &key.owner);
                    caches.keep(key, Reply::Nothing, past.until + hold(ttl, key.kind));
                }
            }
        }
        caches
    }

    /// What may be fetched, and which names are told, until a second.
    fn fetched(
        &mut self,
        timeline: &Timeline,
        replies: &[(CacheKey, Reply, i64)],
        used: &BTreeSet<(ViewId, Name)>,
        until: i64,
    ) {
        replies.iter().for_each(|(key, reply, hold)| self.keep(key, reply.clone(), until + hold));
        let urls = i64::from(timeline.cached_urls) + i64::from(timeline.slack);
        for name in used {
            let kept = self.1.entry(name.clone()).or_insert(until + urls);
            *kept = (*kept).max(until + urls);
        }
    }

    fn keep(&mut self, key: &CacheKey, reply: Reply, until: i64) {
        let kept = self.0.entry(key.clone()).or_default().entry(reply).or_insert(until);
        *kept = (*kept).max(until);
    }
}

/// Kinds for which an alias stands.
const KINDS: [CacheKind; 6] =
    [CacheKind::A, CacheKind::Aaaa, CacheKind::Mx, CacheKind::Srv, CacheKind::Https, CacheKind::Tlsa];

/// Every question that a client of this world may ask.
fn questions(timeline: &Timeline) -> BTreeSet<CacheKey> {
    let mut owners: BTreeSet<(ViewId, Name)> = BTreeSet::new();
    let mut set = |view: ViewId, set: &RecordSet| {
        for datum in &set.data {
            if let Datum::Host(host) = datum {
                owners.insert((view, host.clone()));
            }
        }
    };
    timeline.world.records.iter().for_each(|(key, s)| set(key.view, s));
    timeline.past.iter().for_each(|p| p.answer.iter().for_each(|s| set(p.key.view, s)));
    for change in timeline.steps.iter().flat_map(|s| &s.changes) {
        if let Change::Records { key, new: Some(s), .. } = change {
            set(key.view, s);
        }
    }
    owners.extend(timeline.paths.iter().map(|p| (p.view, p.name.clone())));
    let mut all: BTreeSet<CacheKey> = BTreeSet::new();
    // Of kinds of which there is never a record, only the absence of addresses and of what paths begin with is of account.
    let ever = kinds(timeline);
    for (view, owner) in owners {
        for kind in KINDS.into_iter().chain([CacheKind::MtaSts, CacheKind::Hsts]).filter(|k| *k != CacheKind::Tlsa) {
            if ever.contains(&kind) {
                all.insert(CacheKey { view, owner: owner.clone(), kind });
            }
        }
        for port in [25, 443].into_iter().filter(|_| ever.contains(&CacheKind::Tlsa)) {
            let owner = Name::parse_owner(&format!("_{port}._tcp.{}", owner.as_str()));
            all.extend(owner.ok().map(|owner| CacheKey { view, owner, kind: CacheKind::Tlsa }));
        }
        for above in above(&owner).into_iter().filter(|_| ever.contains(&CacheKind::Hsts)) {
            all.insert(CacheKey { view, owner: above, kind: CacheKind::Hsts });
        }
    }
    all
}

/// Addresses, what paths begin with, and all of which there is ever a record.
fn kinds(timeline: &Timeline) -> BTreeSet<CacheKind> {
    let mut all = BTreeSet::from([CacheKind::A, CacheKind::Aaaa]);
    all.extend(timeline.paths.iter().map(|p| p.entry));
    all.extend(timeline.world.records.keys().map(|k| k.kind));
    all.extend(timeline.past.iter().map(|p| p.key.kind));
    for change in timeline.steps.iter().flat_map(|s| &s.changes) {
        if let Change::Records { key, .. } = change {
            all.insert(key.kind);
        }
    }
    all
}

fn above(name: &Name) -> Vec<Name> {
    let labels: Vec<&str> = name.labels().collect();
    (1..labels.len()).filter_map(|i| Name::parse_owner(&labels[i..].join(".")).ok()).collect()
}

fn hold(timeline: &Timeline, view: ViewId, kind: CacheKind, ttl: u32) -> i64 {
    let is_dns = !matches!(kind, CacheKind::MtaSts | CacheKind::Hsts);
    let floor = if is_dns { timeline.views[view.0].floor } else { 0 };
    i64::from(ttl.max(floor)) + i64::from(timeline.slack)
}

fn only_host(set: &RecordSet) -> Name {
    match set.data.first() {
        Some(Datum::Host(host)) => host.clone(),
        other => panic!("an alias leads to a host, not to {other:?}"),
    }
}

/// What authoritative servers say, and for how long it may be kept.
fn ask(timeline: &Timeline, world: &World, key: &CacheKey) -> (Reply, u32) {
    if matches!(key.kind, CacheKind::MtaSts | CacheKind::Hsts) {
        return match world.records.get(key) {
            Some(set) => (Reply::Data(set.data.clone()), set.ttl),
            None => (Reply::Nothing, negative(timeline, world, key.view, &key.owner)),
        };
    }
    let apex = apex(timeline, key.view, &key.owner);
    let mut owner = key.owner.clone();
    // An apex always exists.
    let is_apex = apex.as_ref() == Some(&owner);
    if !is_apex && !has_records(world, key.view, &owner) && !has_records_below(world, key.view, &owner) {
        // The closest encloser's wildcard, if there is one (RFC 4592).
        let encloser = above(&owner).into_iter().find(|n| {
            Some(n) == apex.as_ref() || has_records(world, key.view, n) || has_records_below(world, key.view, n)
        });
        let wildcard = encloser.and_then(|e| Name::parse_owner(&format!("*.{}", e.as_str())).ok());
        match wildcard {
            Some(w) if has_records(world, key.view, &w) => owner = w,
            _ => return (Reply::Nothing, negative(timeline, world, key.view, &key.owner)),
        }
    }
    let at = |kind| world.records.get(&CacheKey { view: key.view, owner: owner.clone(), kind });
    match (at(CacheKind::Cname), at(key.kind)) {
        (Some(alias), _) => (Reply::Alias(only_host(alias)), alias.ttl),
        (None, Some(set)) => (Reply::Data(set.data.clone()), set.ttl),
        (None, None) => (Reply::Nothing, negative(timeline, world, key.view, &key.owner)),
    }
}

fn has_records(world: &World, view: ViewId, owner: &Name) -> bool {
    world.records.keys().any(|k| k.view == view && k.owner == *owner && is_dns(k.kind))
}

fn has_records_below(world: &World, view: ViewId, owner: &Name) -> bool {
    let below = |n: &Name| n != owner && n.is_under(owner.as_str());
    world.records.keys().any(|k| k.view == view && below(&k.owner) && is_dns(k.kind))
}

fn is_dns(kind: CacheKind) -> bool {
    !matches!(kind, CacheKind::MtaSts | CacheKind::Hsts)
}

/// The apex of the innermost zone that holds a name.
fn apex(timeline: &Timeline, view: ViewId, name: &Name) -> Option<Name> {
    let zones = timeline.zones.iter().filter(|z| z.view == view && name.is_under(z.apex.as_str()));
    zones.max_by_key(|z| z.apex.as_str().len()).map(|z| z.apex.clone())
}

/// For how long a name's absence is kept: the name is not there, or an ancestor is not.
fn negative(timeline: &Timeline, world: &World, view: ViewId, name: &Name) -> u32 {
    let of = |name: &Name| {
        let apex = apex(timeline, view, name);
        let zone = timeline.zones.iter().find(|z| z.view == view && Some(&z.apex) == apex.as_ref());
        zone.map_or(timeline.negative_ttl, |z| z.negative_ttl)
    };
    let mut longest = of(name);
    if apex(timeline, view, name).as_ref() == Some(name) {
        return longest;
    }
    for parent in above(name) {
        let is_apex = apex(timeline, view, &parent).as_ref() == Some(&parent);
        if is_apex || has_records(world, view, &parent) || has_records_below(world, view, &parent) {
            break;
        }
        longest = longest.max(of(&parent));
    }
    longest
}

/// One second.
struct Look<'a> {
    timeline: &'a Timeline,
    world: &'a World,
    caches: &'a Caches,
    now: i64,
}

impl Look<'_> {
    /// What a client may be told now.
    fn told(&self, view: ViewId, owner: &Name, kind: CacheKind) -> BTreeSet<Reply> {
        let key = CacheKey { view, owner: owner.clone(), kind };
        let mut all = BTreeSet::from([ask(self.timeline, self.world, &key).0]);
        let kept = self.caches.0.get(&key).into_iter().flatten();
        all.extend(kept.filter(|(_, until)| self.now < **until).map(|(reply, _)| reply.clone()));
        all
    }

    /// Where a question may lead through aliases: data, or nothing.
    fn ends(&self, view: ViewId, owner: &Name, kind: CacheKind, depth: usize) -> BTreeSet<Reply> {
        let mut ends = BTreeSet::new();
        for reply in self.told(view, owner, kind) {
            match reply {
                Reply::Alias(target) if depth < 16 => ends.extend(self.ends(view, &target, kind, depth + 1)),
                Reply::Alias(_) => drop(ends.insert(Reply::Nothing)),
                other => drop(ends.insert(other)),
            }
        }
        ends
    }

    /// The addresses at which a client of a host may end; and whether it may believe that there are none.
    fn host(&self, view: ViewId, host: &Name) -> (BTreeSet<IpAddr>, bool) {
        let v4 = self.ends(view, host, CacheKind::A, 0);
        let v6 = self.ends(view, host, CacheKind::Aaaa, 0);
        let nothing = v4.contains(&Reply::Nothing) && v6.contains(&Reply::Nothing);
        (addresses(v4.iter().chain(&v6)), nothing)
    }

    /// Where a path leads: addresses, each with the name in mind; and whether it may lead nowhere.
    fn leads(&self, path: usize) -> (BTreeSet<(IpAddr, Name)>, bool) {
        let path = &self.timeline.paths[path];
        let mut at = BTreeSet::new();
        let mut nowhere = false;
        if matches!(path.entry, CacheKind::Mx | CacheKind::Srv) {
            for end in self.ends(path.view, &path.name, path.entry, 0) {
                let Reply::Data(data) = end else {
                    nowhere = true;
                    continue;
                };
                for host in hosts(&data) {
                    let (addresses, nothing) = self.host(path.view, &host);
                    at.extend(addresses.into_iter().map(|a| (a, host.clone())));
                    nowhere |= nothing;
                }
            }
            return (at, nowhere);
        }
        let (addresses_of, nothing) = self.host(path.view, &path.name);
        at.extend(addresses_of.into_iter().map(|a| (a, path.name.clone())));
        nowhere |= nothing;
        if is_web(self.timeline, self.timeline.paths.iter().position(|p| p == path).unwrap_or(0)) {
            for end in self.ends(path.view, &path.name, CacheKind::Https, 0) {
                let Reply::Data(data) = end else { continue };
                at.extend(addresses([Reply::Data(data.clone())].iter()).into_iter().map(|a| (a, path.name.clone())));
                for host in hosts(&data) {
                    let (addresses, nothing) = self.host(path.view, &host);
                    at.extend(addresses.into_iter().map(|a| (a, path.name.clone())));
                    nowhere |= nothing;
                }
            }
        }
        (at, nowhere)
    }

    fn hurts(&self, index: usize) -> BTreeSet<HarmClass> {
        let path = &self.timeline.paths[index];
        let mut classes = BTreeSet::new();
        if path.by_hsts && !self.remembers(path.view, &path.name) {
            return classes;
        }
        let (at, nowhere) = self.leads(index);
        for (address, reference) in &at {
            classes.extend(self.meets(index, *address, reference));
            if path.entry == CacheKind::Mx && self.policy_forbids(path.view, &path.name, reference) {
                classes.insert(HarmClass::WrongName);
            }
        }
        let senders = self.senders(path.view, &path.name);
        if nowhere && (self.uses(path.view, &path.name) || !senders.is_empty()) {
            classes.insert(HarmClass::BelievedAbsent);
        }
        if is_web(self.timeline, index) && senders.iter().any(|node| self.leads_back(path.view, &path.name, *node)) {
            classes.insert(HarmClass::RedirectLoop);
        }
        classes
    }

    /// True if clients are told a name, or keep a URL with it.
    fn uses(&self, view: ViewId, name: &Name) -> bool {
        let name = (view, name.clone());
        self.world.used.contains(&name) || self.caches.1.get(&name).is_some_and(|until| self.now < *until)
    }

    fn meets(&self, index: usize, address: IpAddr, reference: &Name) -> BTreeSet<HarmClass> {
        let path = &self.timeline.paths[index];
        let nodes = self.world.routes.get(&(path.view, address)).cloned().unwrap_or_default();
        let mut classes = BTreeSet::new();
        if nodes.is_empty() {
            classes.insert(HarmClass::NothingListens);
        }
        for node in nodes {
            let Some(serving) = self.world.serving.get(&(node, path.service.port)) else {
                classes.insert(HarmClass::NothingListens);
                continue;
            };
            for credential in certificates(serving, path.sni.then_some(reference)) {
                classes.extend(self.judge(index, reference, credential));
            }
        }
        classes
    }

    fn judge(&self, index: usize, reference: &Name, credential: usize) -> Option<HarmClass> {
        let path = &self.timeline.paths[index];
        let known = &self.timeline.credentials[credential];
        let names = known.names.as_ref()?;
        if pki::identify_among(names.iter().map(String::as_str), reference).is_err() {
            return Some(HarmClass::WrongName);
        }
        // Clients' clocks go before or after.
        let error = i64::from(self.timeline.clock_error);
        let [slow, fast] = [-error, error].map(|by| self.timeline.at(self.now + by));
        if known.valid_until.zip(fast).is_some_and(|(u, n)| n >= u)
            || known.valid_from.zip(slow).is_some_and(|(f, n)| n < f)
        {
            return Some(HarmClass::Expired);
        }
        if !known.trusted.as_ref()?.contains(&path.view) {
            return Some(HarmClass::Untrusted);
        }
        if path.entry == CacheKind::Mx {
            let owner = Name::parse_owner(&format!("_{}._tcp.{}", path.service.port, reference.as_str())).ok()?;
            let against = |r: &Reply| matches!(r, Reply::Data(d) if !d.contains(&Datum::Certificate(credential)));
            if self.told(path.view, &owner, CacheKind::Tlsa).iter().any(against) {
                return Some(HarmClass::Untrusted);
            }
        }
        None
    }

    fn policy_forbids(&self, view: ViewId, domain: &Name, host: &Name) -> bool {
        self.told(view, domain, CacheKind::MtaSts).iter().any(|reply| {
            let Reply::Data(data) = reply else { return false };
            let patterns = hosts(data);
            pki::identify_among(patterns.iter().map(|p| p.as_str()), host).is_err()
        })
    }

    fn remembers(&self, view: ViewId, name: &Name) -> bool {
        let holds = |reply: &Reply, own: bool| match reply {
            Reply::Data(data) => own || hosts(data).iter().any(Name::is_wildcard),
            _ => false,
        };
        let own = self.told(view, name, CacheKind::Hsts).iter().any(|r| holds(r, true));
        own || above(name).iter().any(|n| self.told(view, n, CacheKind::Hsts).iter().any(|r| holds(r, false)))
    }

    /// The nodes that now send web clients of the view, who use another name and may come to them, to this name.
    fn senders(&self, view: ViewId, name: &Name) -> BTreeSet<NodeId> {
        let sends = self.world.redirects.iter().filter(|(_, names)| names.contains(name)).map(|(node, _)| *node);
        sends.filter(|node| self.somebody_comes(view, name, *node)).collect()
    }

    fn somebody_comes(&self, view: ViewId, name: &Name, node: NodeId) -> bool {
        (0..self.timeline.paths.len()).any(|other| {
            let path = &self.timeline.paths[other];
            let is_other = path.view == view && path.name != *name && is_web(self.timeline, other);
            let is_used = self.uses(view, &path.name);
            let comes = |(address, _): &(IpAddr, Name)| {
                self.world.routes.get(&(view, *address)).is_some_and(|nodes| nodes.contains(&node))
            };
            is_other && is_used && self.leads(other).0.iter().any(comes)
        })
    }

    /// True if the name leads to the node, as authoritative servers have it.
    fn leads_back(&self, view: ViewId, name: &Name, node: NodeId) -> bool {
        [CacheKind::A, CacheKind::Aaaa].into_iter().any(|kind| {
            let mut owner = name.clone();
            for _ in 0..16 {
                match ask(self.timeline, self.world, &CacheKey { view, owner: owner.clone(), kind }).0 {
                    Reply::Alias(target) => owner = target,
                    Reply::Nothing => return false,
                    Reply::Data(data) => {
                        let at = addresses([Reply::Data(data)].iter());
                        let routes = &self.world.routes;
                        return at.iter().any(|a| routes.get(&(view, *a)).is_some_and(|n| n.contains(&node)));
                    }
                }
            }
            false
        })
    }
}

fn is_web(timeline: &Timeline, path: usize) -> bool {
    let path = &timeline.paths[path];
    path.entry == CacheKind::A && path.service.way == Way::Implicit && matches!(path.service.word, "https" | "IIS")
}

fn certificates(serving: &Serving, sni: Option<&Name>) -> Vec<usize> {
    match sni.and_then(|name| serving.by_name.get(name)) {
        Some(own) => own.clone(),
        None => serving.default.clone(),
    }
}

fn addresses<'a>(replies: impl Iterator<Item = &'a Reply>) -> BTreeSet<IpAddr> {
    let mut all = BTreeSet::new();
    for reply in replies {
        if let Reply::Data(data) = reply {
            all.extend(data.iter().filter_map(|d| match d {
                Datum::Address(address) => Some(*address),
                _ => None,
            }));
        }
    }
    all
}

fn hosts(data: &BTreeSet<Datum>) -> Vec<Name> {
    let host = |d: &Datum| match d {
        Datum::Host(host) => Some(host.clone()),
        _ => None,
    };
    data.iter().filter_map(host).collect()
}
