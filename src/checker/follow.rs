//! Clients of a view who begin with one name: where they may be led in each slot, and what they meet there.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::ops::RangeInclusive;

use super::answers::{Possible, Question, Reply};
use super::course::{Course, Slot};
use super::deadlines::InReach;
use super::history::{History, parents};
use super::meet::{Meeting, Trouble, meet};
use super::sources::Sources;
use super::words;
use crate::model::cutover::{CacheKind, CachedAnswer, Datum, HarmClass, NodeId, Second, Timeline, Witness};
use crate::model::name::Name;
use crate::model::plan::ViewId;
use crate::model::service::Way;

/// No resolver follows a longer chain; a circle ends here.
const LONGEST_CHAIN: usize = 16;

/// The paths that begin with the same question, and all that the answer to it can depend on.
pub(super) struct Group {
    pub view: ViewId,
    pub name: Name,
    pub entry: CacheKind,
    /// Indices into the timeline's paths.
    pub paths: Vec<usize>,
}

/// Paths that begin with the same question, in the order of the first of each.
pub(super) fn groups(timeline: &Timeline) -> Vec<Group> {
    let mut at: HashMap<(ViewId, &Name, CacheKind), usize> = HashMap::new();
    let mut groups: Vec<Group> = Vec::new();
    for (i, path) in timeline.paths.iter().enumerate() {
        let group = *at.entry((path.view, &path.name, path.entry)).or_insert_with(|| {
            let group = Group { view: path.view, name: path.name.clone(), entry: path.entry, paths: Vec::new() };
            groups.push(group);
            groups.len() - 1
        });
        groups[group].paths.push(i);
    }
    groups
}

/// Somewhere that a client may be led.
#[derive(Clone, Debug)]
pub(super) struct Arrival {
    pub address: IpAddr,
    /// The name that the client has in mind.
    pub reference: Name,
    pub costs: Second,
    pub answers: Vec<CachedAnswer>,
}

/// Nothing, where a client hoped for something.
#[derive(Clone, Debug)]
struct Nowhere {
    reference: Name,
    costs: Second,
    answers: Vec<CachedAnswer>,
}

/// What all looks at one group found.
#[derive(Default)]
pub(super) struct Found {
    /// Index of the path, and how its clients are hurt; one for each class.
    pub harms: Vec<(usize, Witness)>,
    /// Slack that may be added before somebody is hurt.
    pub spare: Option<u32>,
    pub unknown: BTreeSet<String>,
    pub reach: InReach,
}

/// One group on one course.
pub(super) struct Follower<'a> {
    pub timeline: &'a Timeline,
    pub history: &'a History<'a>,
    pub course: &'a Course,
    pub sources: &'a Sources<'a>,
    pub group: &'a Group,
    closure: Closure,
}

/// All that a group's clients can ever depend on.
#[derive(Default)]
struct Closure {
    /// Each question, and the steps that may change its answer.
    questions: HashMap<(Name, CacheKind), BTreeSet<usize>>,
    addresses: BTreeSet<IpAddr>,
    /// The steps that may change anything for them.
    steps: BTreeSet<usize>,
}

impl<'a> Follower<'a> {
    pub fn new(
        timeline: &'a Timeline,
        history: &'a History<'a>,
        course: &'a Course,
        sources: &'a Sources<'a>,
        group: &'a Group,
    ) -> Self {
        let mut follower = Self { timeline, history, course, sources, group, closure: Closure::default() };
        follower.close();
        follower
    }

    /// True if a step can change anything for the group's clients.
    pub fn is_touched_by(&self, step: usize) -> bool {
        self.closure.steps.contains(&step)
    }

    /// Looks in every slot in which something changes for the group, of those that are wanted.
    pub fn all(&self, wanted: impl Fn(Slot) -> bool) -> Found {
        let mut found = Found::default();
        let mut best: BTreeMap<(usize, HarmClass), Witness> = BTreeMap::new();
        let is_touched = |slot: Slot| match self.course.stage(slot) {
            Some(stage) => self.closure.steps.contains(&stage.step),
            None => slot == Slot::Start,
        };
        let touched = |slot: Slot| self.sources.time_matters || is_touched(slot);
        for slot in self.course.slots().filter(|slot| touched(*slot) && wanted(*slot)) {
            self.look(slot, &mut found, &mut best);
        }
        found.harms = best.into_iter().map(|((path, _), witness)| (path, witness)).collect();
        found
    }

    fn look(&self, slot: Slot, found: &mut Found, best: &mut BTreeMap<(usize, HarmClass), Witness>) {
        let (arrivals, nowhere) = self.led(slot);
        let mut hurt = |path: usize, costs: Second, witness: &dyn Fn() -> Witness| {
            if costs > 0 {
                let spare = u32::try_from(costs - 1).unwrap_or(u32::MAX);
                found.spare = Some(found.spare.map_or(spare, |s| s.min(spare)));
                return;
            }
            let witness = witness();
            best.entry((path, witness.class)).or_insert(witness);
        };
        for path in &self.group.paths {
            let by_hsts = match self.timeline.paths[*path].by_hsts {
                true => self.remembered(slot),
                false => Some(0),
            };
            let Some(at_least) = by_hsts else { continue };
            for arrival in arrivals.iter().filter(|a| self.fits(*path, a)) {
                let costs = arrival.costs.max(at_least);
                for meeting in meet(self, slot, *path, arrival) {
                    match meeting.trouble {
                        Trouble::None => {}
                        Trouble::Unknown(line) if costs == 0 => drop(found.unknown.insert(line)),
                        Trouble::Unknown(_) => {}
                        Trouble::Harm(class, more) => {
                            hurt(*path, costs.max(more), &|| self.witness(slot, *path, class, Some(arrival), &meeting));
                        }
                    }
                    if costs == 0 && !self.course.is_undoing(slot) {
                        found.reach.add(meeting.credential, self.course.stage(slot).map(|s| s.step));
                    }
                }
            }
            for none in nowhere.iter().filter(|n| self.is_web(*path) || is_no_hint(&n.answers)) {
                if let Some((uses, by)) = self.sources.uses(self, slot) {
                    let costs = none.costs.max(at_least).max(uses);
                    hurt(*path, costs, &|| self.absent(slot, *path, none, by));
                }
            }
            if self.is_web(*path) {
                for (node, costs) in self.sources.loops(self, slot) {
                    hurt(*path, costs.max(at_least), &|| self.looped(slot, *path, node));
                }
            }
        }
    }

    /// Hints are for web clients.
    fn fits(&self, path: usize, arrival: &Arrival) -> bool {
        self.is_web(path) || is_no_hint(&arrival.answers)
    }

    pub fn is_web(&self, path: usize) -> bool {
        let path = &self.timeline.paths[path];
        path.entry == CacheKind::A && path.service.way == Way::Implicit && matches!(path.service.word, "https" | "IIS")
    }

    pub fn is_web_group(&self) -> bool {
        self.group.paths.iter().any(|p| self.is_web(*p))
    }

    fn question<'q>(&'q self, name: &'q Name, kind: CacheKind) -> Question<'q> {
        Question { timeline: self.timeline, history: self.history, view: self.group.view, name, kind }
    }

    /// What a question may be answered with in a slot; nothing for one that no answer leads to.
    pub fn possible(&self, name: &Name, kind: CacheKind, slot: Slot) -> Vec<Possible> {
        match self.closure.questions.get(&(name.clone(), kind)) {
            Some(steps) => self.question(name, kind).possible(self.course, slot, steps),
            None => Vec::new(),
        }
    }

    /// What authoritative servers answer in a state.
    pub fn steady(&self, name: &Name, kind: CacheKind, state: usize) -> Reply {
        self.question(name, kind).steady(state)
    }

    /// Where the group's clients may be led in a slot, and where they find nothing.
    fn led(&self, slot: Slot) -> (Vec<Arrival>, Vec<Nowhere>) {
        let mut led = Led { follower: self, slot, arrivals: Vec::new(), nowhere: Vec::new() };
        match self.group.entry {
            CacheKind::Mx | CacheKind::Srv => led.through(&self.group.name, 0, &[], 0),
            _ => {
                led.host(&self.group.name, &self.group.name, 0, &[]);
                led.hints(&self.group.name, &self.group.name, 0, &[], 0);
            }
        }
        (led.arrivals, led.nowhere)
    }

    /// The least cost at which the group's clients reach a node in a slot.
    pub fn costs_to(&self, node: NodeId, slot: Slot) -> Option<Second> {
        let at = |address| {
            let route = self.history.route(self.group.view, address);
            route.is_some_and(|r| self.states(slot).any(|s| r.at(s).contains(&node)))
        };
        self.led(slot).0.into_iter().filter(|a| at(a.address)).map(|a| a.costs).min()
    }

    /// True if any answer ever leads the group's clients to a node.
    pub fn ever_reaches(&self, node: NodeId) -> bool {
        let routes = self.closure.addresses.iter().filter_map(|a| self.history.route(self.group.view, *a));
        routes.flat_map(|r| r.all()).any(|nodes| nodes.contains(&node))
    }

    /// The states that count in a slot: before its stage, and after.
    pub fn states(&self, slot: Slot) -> RangeInclusive<usize> {
        self.course.states(slot)
    }

    /// The least cost at which clients remember that the name is for TLS only.
    fn remembered(&self, slot: Slot) -> Option<Second> {
        let name = self.group.name.as_str();
        let owners = std::iter::once(name).chain(parents(name)).filter_map(|n| Name::parse_owner(n).ok());
        let entries = owners.flat_map(|owner| {
            let is_own = owner == self.group.name;
            self.possible(&owner, CacheKind::Hsts, slot).into_iter().filter(move |p| match &p.reply {
                Reply::Data(data, _) => {
                    is_own || data.iter().any(|d| matches!(d, Datum::Host(host) if host.is_wildcard()))
                }
                _ => false,
            })
        });
        entries.map(|p| p.costs).min()
    }

    fn close(&mut self) {
        let mut closure = Closure::default();
        let mut open: Vec<(Name, CacheKind)> = vec![(self.group.name.clone(), self.group.entry)];
        if self.group.entry == CacheKind::A {
            open.extend([CacheKind::Aaaa, CacheKind::Https].map(|kind| (self.group.name.clone(), kind)));
        }
        if self.group.entry == CacheKind::Mx {
            open.push((self.group.name.clone(), CacheKind::MtaSts));
        }
        if self.group.paths.iter().any(|p| self.timeline.paths[*p].by_hsts) {
            let name = self.group.name.as_str();
            let owners = std::iter::once(name).chain(parents(name)).filter_map(|n| Name::parse_owner(n).ok());
            open.extend(owners.map(|owner| (owner, CacheKind::Hsts)));
        }
        while let Some((name, kind)) = open.pop() {
            if closure.questions.contains_key(&(name.clone(), kind)) {
                continue;
            }
            let question = self.question(&name, kind);
            let steps = question.steps();
            for reply in question.ever() {
                self.open(kind, &reply, &mut closure, &mut open);
            }
            closure.steps.extend(&steps);
            closure.questions.insert((name, kind), steps);
        }
        self.closure = closure;
        self.touching();
    }

    /// What a reply leads to.
    fn open(&self, kind: CacheKind, reply: &Reply, closure: &mut Closure, open: &mut Vec<(Name, CacheKind)>) {
        match reply {
            Reply::Alias(target, _) => open.push((target.clone(), kind)),
            Reply::Absent(_) => {}
            Reply::Data(data, _) => {
                for datum in data {
                    match (kind, datum) {
                        (_, Datum::Address(address)) => drop(closure.addresses.insert(*address)),
                        (CacheKind::Mx | CacheKind::Srv | CacheKind::Https, Datum::Host(host)) => {
                            open.extend([CacheKind::A, CacheKind::Aaaa].map(|kind| (host.clone(), kind)));
                            if kind == CacheKind::Mx {
                                open.extend(self.tlsa_of(host).map(|owner| (owner, CacheKind::Tlsa)));
                            }
                        }
                        _ => {}
                    }
                }
            }
        }
    }

    fn tlsa_of<'n>(&'n self, host: &'n Name) -> impl Iterator<Item = Name> + 'n {
        let ports: BTreeSet<u16> = self.group.paths.iter().map(|p| self.timeline.paths[*p].service.port).collect();
        ports.into_iter().filter_map(|port| words::tlsa_owner(host, port))
    }

    /// The steps that change who answers, what is served, or who uses the name.
    fn touching(&mut self) {
        let view = self.group.view;
        let mut steps: BTreeSet<usize> = BTreeSet::new();
        let ports: BTreeSet<u16> = self.group.paths.iter().map(|p| self.timeline.paths[*p].service.port).collect();
        for route in self.closure.addresses.iter().filter_map(|a| self.history.route(view, *a)) {
            steps.extend(route.steps());
            for node in route.all().flatten() {
                let served = ports.iter().filter_map(|port| self.history.serving(*node, *port));
                steps.extend(served.flat_map(|s| s.steps()));
            }
        }
        steps.extend(self.history.used(view, &self.group.name).into_iter().flat_map(|u| u.steps()));
        // Where a redirect leads here, whatever changes for those who are sent changes something here.
        if self.sources.is_redirect_target(&self.group.name) {
            steps.extend(0..self.timeline.steps.len());
        }
        self.closure.steps.extend(steps);
    }

    fn witness(
        &self,
        slot: Slot,
        path: usize,
        class: HarmClass,
        arrival: Option<&Arrival>,
        meeting: &Meeting,
    ) -> Witness {
        let told = self.timeline.paths[path].clone();
        let answers = arrival.map(|a| a.answers.clone()).unwrap_or_default();
        let reference = arrival.map_or_else(|| told.name.clone(), |a| a.reference.clone());
        let stage = match slot {
            Slot::End => self.course.stages.last().copied(),
            _ => self.course.stage(slot),
        };
        let mut witness = Witness {
            class,
            path: told,
            step: stage.map(|s| s.step),
            after_step: slot == Slot::End,
            undoing: self.course.turned_after(slot),
            at: self.course.earliest(slot),
            answers,
            address: arrival.map(|a| a.address),
            node: meeting.node,
            credential: meeting.credential,
            reference,
            redirected_by: None,
            words: "".into(),
        };
        witness.words = words::witness(self.timeline, &witness).into();
        witness
    }

    fn absent(&self, slot: Slot, path: usize, none: &Nowhere, by: Option<NodeId>) -> Witness {
        let nobody = Meeting::nobody();
        let mut witness = self.witness(slot, path, HarmClass::BelievedAbsent, None, &nobody);
        witness.answers.clone_from(&none.answers);
        witness.reference = none.reference.clone();
        witness.redirected_by = by;
        witness.words = words::witness(self.timeline, &witness).into();
        witness
    }

    fn looped(&self, slot: Slot, path: usize, node: NodeId) -> Witness {
        let meeting = Meeting { node: Some(node), ..Meeting::nobody() };
        let mut witness = self.witness(slot, path, HarmClass::RedirectLoop, None, &meeting);
        witness.redirected_by = Some(node);
        witness.words = words::witness(self.timeline, &witness).into();
        witness
    }
}

/// A walk through the answers that are possible in one slot.
struct Led<'a> {
    follower: &'a Follower<'a>,
    slot: Slot,
    arrivals: Vec<Arrival>,
    nowhere: Vec<Nowhere>,
}

impl Led<'_> {
    /// From the owner of MX or SRV records to their hosts.
    fn through(&mut self, owner: &Name, costs: Second, answers: &[CachedAnswer], depth: usize) {
        let entry = self.follower.group.entry;
        for possible in self.follower.possible(owner, entry, self.slot) {
            let (costs, answers) = (costs.max(possible.costs), self.told(owner, entry, &possible, answers));
            match &possible.reply {
                Reply::Alias(target, _) if depth < LONGEST_CHAIN => self.through(target, costs, &answers, depth + 1),
                Reply::Alias(..) | Reply::Absent(_) => {
                    self.nowhere.push(Nowhere { reference: owner.clone(), costs, answers });
                }
                Reply::Data(data, _) => {
                    for host in data.iter().filter_map(host) {
                        self.host(host, host, costs, &answers);
                    }
                }
            }
        }
    }

    /// To the addresses of a host; nowhere, if it may be believed to have none of either family.
    fn host(&mut self, name: &Name, reference: &Name, costs: Second, answers: &[CachedAnswer]) {
        let none: Vec<Option<Nowhere>> = [CacheKind::A, CacheKind::Aaaa]
            .into_iter()
            .map(|kind| {
                let mut none = Vec::new();
                self.addresses(kind, (name, reference), costs, answers, &mut none, 0);
                none.into_iter().min_by_key(|n: &Nowhere| (n.costs, n.answers.len()))
            })
            .collect();
        if let [Some(v4), Some(v6)] = none.as_slice() {
            let worse = if v6.costs > v4.costs { v6 } else { v4 };
            self.nowhere.push(worse.clone());
        }
    }

    fn addresses(
        &mut self,
        kind: CacheKind,
        (name, reference): (&Name, &Name),
        costs: Second,
        answers: &[CachedAnswer],
        none: &mut Vec<Nowhere>,
        depth: usize,
    ) {
        for possible in self.follower.possible(name, kind, self.slot) {
            let (costs, answers) = (costs.max(possible.costs), self.told(name, kind, &possible, answers));
            match &possible.reply {
                Reply::Alias(target, _) if depth < LONGEST_CHAIN => {
                    self.addresses(kind, (target, reference), costs, &answers, none, depth + 1);
                }
                Reply::Alias(..) | Reply::Absent(_) => {
                    none.push(Nowhere { reference: reference.clone(), costs, answers });
                }
                Reply::Data(data, _) => self.arrive(data, reference, costs, &answers),
            }
        }
    }

    /// Addresses and hosts that HTTPS records hint at. Their absence hurts nobody.
    fn hints(&mut self, name: &Name, reference: &Name, costs: Second, answers: &[CachedAnswer], depth: usize) {
        for possible in self.follower.possible(name, CacheKind::Https, self.slot) {
            let (costs, answers) = (costs.max(possible.costs), self.told(name, CacheKind::Https, &possible, answers));
            match &possible.reply {
                Reply::Alias(target, _) if depth < LONGEST_CHAIN => {
                    self.hints(target, reference, costs, &answers, depth + 1);
                }
                Reply::Alias(..) | Reply::Absent(_) => {}
                Reply::Data(data, _) => {
                    self.arrive(data, reference, costs, &answers);
                    for host in data.iter().filter_map(host) {
                        self.host(host, reference, costs, &answers);
                    }
                }
            }
        }
    }

    fn arrive(&mut self, data: &BTreeSet<Datum>, reference: &Name, costs: Second, answers: &[CachedAnswer]) {
        for datum in data {
            if let Datum::Address(address) = datum {
                let (address, reference, answers) = (*address, reference.clone(), answers.to_vec());
                self.arrivals.push(Arrival { address, reference, costs, answers });
            }
        }
    }

    fn told(&self, name: &Name, kind: CacheKind, possible: &Possible, before: &[CachedAnswer]) -> Vec<CachedAnswer> {
        let mut all = before.to_vec();
        all.push(CachedAnswer {
            key: self.follower.question(name, kind).key(),
            answer: words::reply(&possible.reply),
            replaced_by: possible.replaced_in.map(|i| self.follower.course.stages[i].step),
            kept_until: possible.kept_until,
        });
        all
    }
}

fn is_no_hint(answers: &[CachedAnswer]) -> bool {
    answers.iter().all(|a| a.key.kind != CacheKind::Https)
}

fn host(datum: &Datum) -> Option<&Name> {
    match datum {
        Datum::Host(name) => Some(name),
        _ => None,
    }
}
