//! A cutover, played with real sockets on loopback: DNS servers, TLS servers whose certificates change, and clients with
//! caches that look up and connect all the while.
//!
//! The clock is the play's own: it stands still while clients connect and then goes on to the next moment at which anything
//! changes, so that a day takes seconds and no machine is too slow for a wait of a minute. Before each change some cache is
//! filled at the last moment; it keeps what it got for as long as a cache may.
#![allow(clippy::disallowed_methods, reason = "the play has a clock of its own, and limits for its sockets")]

mod client;
mod connect;
mod credentials;
mod names;
mod policies;
mod servers;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, PoisonError, RwLock};

use futures_util::StreamExt;
use futures_util::stream;

use crate::model::cutover::{
    CacheKey, CacheKind, Change, ClientPath, HarmClass, NodeId, Second, Step, Timeline, World,
};
use crate::model::name::Name;
use crate::model::plan::ViewId;
use client::{Cache, Client};
use connect::Met;
use credentials::Issued;
use names::NameServer;
use policies::PolicyHost;
use servers::Servers;

/// Connections at once.
const AT_ONCE: usize = 32;
/// So many caches of a view remember at once; the oldest are forgotten first.
const CACHES: usize = 32;

/// How long steps take, and in which order the parts of each are carried out.
#[derive(Clone, Debug)]
pub struct Execution {
    /// Start and end of each step; steps beyond are not carried out.
    pub times: Vec<(Second, Second)>,
    /// True: the last change of each step is made first.
    pub reversed: bool,
    /// True: the changes of each step are spread over its time. False: those of the last step are, from its very start on;
    /// earlier steps change everything at their end, so that caches keep what was before for as long as they can.
    pub spread: bool,
}

/// What clients met.
#[derive(Clone, Debug, Default)]
pub struct Rehearsal {
    /// Clients that came, those whose look-ups found nothing among them.
    pub tries: usize,
    /// Connections that were made: of clients that go the same way at the same moment, one connects for all.
    pub connections: usize,
    /// Questions that name servers answered, and those who give the policies of mail domains.
    pub questions: usize,
    /// Moments at which clients came.
    pub moments: usize,
    /// The paths that somebody went, by index.
    pub paths: BTreeSet<usize>,
    /// Tries that failed.
    pub failed: usize,
    /// For each path and class the first failure, by index of the path.
    pub failures: BTreeMap<(usize, HarmClass), Failure>,
}

/// One client that was hurt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// When, by the play's clock.
    pub at: Second,
    /// Index of the step that was being carried out, or was carried out last.
    pub step: Option<usize>,
    /// What happened, in words.
    pub words: String,
}

impl Rehearsal {
    /// The classes of harm that were met.
    pub fn classes(&self) -> Vec<HarmClass> {
        HarmClass::ALL.into_iter().filter(|class| self.failures.keys().any(|(_, c)| c == class)).collect()
    }

    /// Both together; of equal failures the first stays.
    pub fn join(&mut self, other: Rehearsal) {
        self.tries += other.tries;
        self.connections += other.connections;
        self.questions += other.questions;
        self.moments += other.moments;
        self.failed += other.failed;
        self.paths.extend(other.paths);
        for (key, failure) in other.failures {
            self.failures.entry(key).or_insert(failure);
        }
    }
}

/// Plays one execution of a timeline. Must be called inside a tokio runtime.
///
/// # Errors
/// Those of the system, if it grants no sockets.
pub async fn rehearse(timeline: &Timeline, execution: &Execution) -> io::Result<Rehearsal> {
    let scene: Scene = Arc::new(RwLock::new(timeline.world.clone()));
    let issued = Arc::new(Issued::of(timeline)?);
    let mut servers = Servers::start(timeline, scene.clone(), issued.clone()).await?;
    let (mut name_servers, mut policies) = (Vec::new(), Vec::new());
    for view in (0..timeline.views.len()).map(ViewId) {
        name_servers.push(NameServer::start(timeline, view, scene.clone(), issued.clone()).await?);
        policies.push(PolicyHost::start(view, scene.clone(), &issued).await?);
    }
    let (caches, urls, told) = (BTreeMap::new(), BTreeMap::new(), Rehearsal::default());
    let mut play = Play { timeline, scene, issued, name_servers, policies, caches, urls, told };
    play.look(&servers, Moment { millis: 0, step: None }).await;
    for (at, step, part) in parts_in_time(timeline, execution) {
        play.remember(Moment { millis: at * 1000 - 1, step: Some(step) }).await;
        play.change(&part, at);
        servers.follow().await?;
        play.look(&servers, Moment { millis: at * 1000, step: Some(step) }).await;
    }
    let last = execution.times.last().map_or(0, |(_, end)| *end) + 1;
    play.look(&servers, Moment { millis: last * 1000, step: execution.times.len().checked_sub(1) }).await;
    Ok(play.told)
}

/// What holds now; name servers and servers read it, the play changes it.
type Scene = Arc<RwLock<World>>;

/// What clients of one view met at one moment: of which path, at which node, with which name in mind. Nothing changes
/// meanwhile, so that what one meets all do who go the same way.
type Meetings = BTreeMap<(usize, NodeId, Name), Met>;

/// A moment of the play.
#[derive(Clone, Copy)]
struct Moment {
    millis: i64,
    step: Option<usize>,
}

struct Play<'a> {
    timeline: &'a Timeline,
    scene: Scene,
    issued: Arc<Issued>,
    name_servers: Vec<NameServer>,
    policies: Vec<PolicyHost>,
    /// The caches of each view's clients, the oldest first.
    caches: BTreeMap<usize, Vec<Cache>>,
    /// Names that nobody is told any more: the second from which on no client has a URL with them.
    urls: BTreeMap<(ViewId, Name), Second>,
    told: Rehearsal,
}

impl Play<'_> {
    fn now_holds(&self) -> World {
        self.scene.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change(&mut self, part: &[&Change], at: Second) {
        for change in part {
            if let Change::Used { view, name, new: false } = change {
                self.urls.insert((*view, name.clone()), at + self.timeline.url_hold());
            }
        }
        let mut world = self.scene.write().unwrap_or_else(PoisonError::into_inner);
        part.iter().for_each(|change| world.apply(change));
    }

    /// True if clients are told the name of a path, or keep a URL with it.
    fn is_used(&self, world: &World, path: &ClientPath, now: Moment) -> bool {
        let name = (path.view, path.name.clone());
        world.used.contains(&name) || self.urls.get(&name).is_some_and(|until| now.millis < until * 1000)
    }

    /// In each view a cache is filled with all that clients ask for.
    async fn remember(&mut self, now: Moment) {
        for view in 0..self.timeline.views.len() {
            let mut cache = Cache::default();
            for path in self.timeline.paths.iter().filter(|p| p.view.0 == view) {
                let mut client = self.client(view, &mut cache, now);
                self.told.questions += client.fill(path).await;
            }
            let caches = self.caches.entry(view).or_default();
            caches.push(cache);
            if caches.len() > CACHES {
                caches.remove(0);
            }
        }
    }

    fn client<'c>(&'c self, view: usize, cache: &'c mut Cache, now: Moment) -> Client<'c> {
        let (name_server, policies) = (self.name_servers[view].address, self.policies[view].address);
        Client { timeline: self.timeline, scene: &self.scene, name_server, policies, cache, millis: now.millis }
    }

    /// Every client of every cache, and one with an empty cache, goes each of its paths.
    async fn look(&mut self, servers: &Servers, now: Moment) {
        self.told.moments += 1;
        for view in 0..self.timeline.views.len() {
            let mut caches = self.caches.remove(&view).unwrap_or_default();
            caches.push(Cache::default());
            let (mut sent, mut met) = (BTreeSet::new(), Meetings::new());
            for cache in &mut caches {
                sent.extend(self.look_with(servers, view, cache, now, &mut met).await);
            }
            // Who is sent on may ask another resolver than before, or the same for the first time.
            for (from, node, to) in &sent {
                for cache in &mut caches {
                    self.sent(*from, *node, to, cache, now).await;
                }
            }
            caches.pop();
            self.caches.insert(view, caches);
        }
    }

    /// The clients of one cache; those whom a server sends on: from which path, by which node, and where.
    async fn look_with(
        &mut self,
        servers: &Servers,
        view: usize,
        cache: &mut Cache,
        now: Moment,
        known: &mut Meetings,
    ) -> Vec<(usize, NodeId, Name)> {
        let mut trips = Vec::new();
        for (i, path) in self.timeline.paths.iter().enumerate() {
            let mut client = self.client(view, cache, now);
            if path.view.0 == view && client.comes(path) {
                let (found, asked) = client.led(path).await;
                self.told.questions += asked;
                trips.push((i, found));
            }
        }
        let world = self.now_holds();
        let (mut calls, mut keys) = (Vec::new(), BTreeMap::new());
        for (i, found) in trips {
            let path = &self.timeline.paths[i];
            self.told.paths.insert(i);
            keys.extend(found.keys.into_iter().map(|(host, keys)| ((i, host), keys)));
            if found.nowhere {
                self.told.tries += 1;
                if self.is_used(&world, path, now) {
                    self.fail(i, now, HarmClass::BelievedAbsent, format!("{} does not exist", path.name));
                }
            }
            for (address, reference) in found.addresses {
                if found.policy.as_ref().is_some_and(|policy| !policy.lists(reference.as_str())) {
                    self.fail(i, now, HarmClass::WrongName, format!("the mail policy does not name {reference}"));
                }
                let nodes = world.routes.get(&(path.view, address)).cloned().unwrap_or_default();
                if nodes.is_empty() {
                    self.told.tries += 1;
                    self.fail(i, now, HarmClass::NothingListens, format!("nobody answers at {address}"));
                }
                calls.extend(nodes.into_iter().map(|node| (i, node, reference.clone())));
            }
        }
        calls.sort();
        calls.dedup();
        let (timeline, issued) = (self.timeline, &*self.issued);
        let call = |(i, node, reference): (usize, NodeId, Name)| async move {
            let met = connect::connect(servers, issued, timeline, &timeline.paths[i], (node, &reference), now.millis);
            let met = met.await;
            ((i, node, reference), met)
        };
        let new: Vec<_> = calls.iter().filter(|c| !known.contains_key(c)).cloned().collect();
        self.told.connections += new.len();
        let met: Vec<_> = stream::iter(new).map(call).buffered(AT_ONCE).collect().await;
        known.extend(met);
        let mut sent = Vec::new();
        for call in calls {
            let Some(met) = known.get(&call).cloned() else { continue };
            let (i, node, reference) = call;
            self.told.tries += 1;
            match met {
                Met::Harm(class, words) => self.fail(i, now, class, format!("{} {words}", timeline.node(node))),
                Met::Well(key) => {
                    let allowed = keys.get(&(i, reference));
                    if allowed.is_some_and(|all| key.is_none_or(|key| !all.contains(&key))) {
                        let words = format!("{} shows a key that no TLSA record names", timeline.node(node));
                        self.fail(i, now, HarmClass::Untrusted, words);
                    }
                }
                Met::Sent(to) => sent.push((i, node, to)),
            }
        }
        sent
    }

    /// A client who is sent on looks the name up as any other; what it meets there counts for that name.
    async fn sent(&mut self, from: usize, node: NodeId, to: &Name, cache: &mut Cache, now: Moment) {
        let label = self.timeline.node(node).to_string();
        let path = &self.timeline.paths[from];
        let world = self.now_holds();
        let uses = self.is_used(&world, path, now);
        let is_target = |p: &ClientPath| {
            p.view == path.view && p.name == *to && p.entry == CacheKind::A && connect::is_web(p) && !p.by_hsts
        };
        let Some(target) = self.timeline.paths.iter().position(is_target).filter(|t| uses && *t != from) else {
            return;
        };
        let there = self.timeline.paths[target].clone();
        let (found, asked) = self.client(path.view.0, cache, now).led(&there).await;
        self.told.questions += asked;
        self.told.tries += 1;
        if found.nowhere {
            let words = format!("{label} sends clients to {to}, which does not exist");
            self.fail(target, now, HarmClass::BelievedAbsent, words);
        }
        let (afresh, asked) = self.client(path.view.0, &mut Cache::default(), now).led(&there).await;
        self.told.questions += asked;
        let at = |address| world.routes.get(&(there.view, address)).is_some_and(|nodes| nodes.contains(&node));
        if afresh.addresses.iter().any(|(address, _)| at(*address)) {
            let words = format!("{label} sends clients to {to}, which leads to {label}");
            self.fail(target, now, HarmClass::RedirectLoop, words);
        }
    }

    fn fail(&mut self, path: usize, now: Moment, class: HarmClass, words: String) {
        self.told.failed += 1;
        let failure = Failure { at: now.millis.div_euclid(1000), step: now.step, words };
        self.told.failures.entry((path, class)).or_insert(failure);
    }
}

/// The parts of each step with the second at which each is carried out, in their order: what changes together, changes at
/// once.
fn parts_in_time<'a>(timeline: &'a Timeline, execution: &Execution) -> Vec<(Second, usize, Vec<&'a Change>)> {
    let mut all = Vec::new();
    for (i, (step, (start, end))) in timeline.steps.iter().zip(&execution.times).enumerate() {
        let mut parts = parts(step);
        if execution.reversed {
            parts.reverse();
        }
        let count = Second::try_from(parts.len()).unwrap_or(Second::MAX).max(1);
        let is_last = i + 1 == execution.times.len();
        let at = |n: usize| match (execution.spread, is_last) {
            (true, _) => start + (end - start) * (Second::try_from(n).unwrap_or(0) + 1) / count,
            (false, true) => start + (end - start) * Second::try_from(n).unwrap_or(0) / count,
            (false, false) => *end,
        };
        all.extend(parts.into_iter().enumerate().map(|(n, part)| (at(n), i, part)));
    }
    all
}

/// The records of an owner that come or go, or whose alias changes, change at once; all else one by one.
fn parts(step: &Step) -> Vec<Vec<&Change>> {
    let mut parts: Vec<(Option<&CacheKey>, Vec<&Change>)> = Vec::new();
    for change in &step.changes {
        let owner = match change {
            Change::Records { key, .. } if changes_as_a_whole(step, key) => Some(key),
            _ => None,
        };
        let same = |of: &CacheKey| owner.is_some_and(|key| (key.view, &key.owner) == (of.view, &of.owner));
        match parts.iter_mut().find(|(of, _)| of.is_some_and(same)) {
            Some((_, part)) => part.push(change),
            None => parts.push((owner, vec![change])),
        }
    }
    parts.into_iter().map(|(_, part)| part).collect()
}

fn changes_as_a_whole(step: &Step, key: &CacheKey) -> bool {
    let of_owner = || {
        step.changes.iter().filter_map(move |change| match change {
            Change::Records { key: k, old, new } if k.view == key.view && k.owner == key.owner => {
                Some((k.kind, old, new))
            }
            _ => None,
        })
    };
    of_owner().any(|(kind, ..)| kind == CacheKind::Cname)
        || of_owner().all(|(_, old, _)| old.is_none())
        || of_owner().all(|(_, _, new)| new.is_none())
}
