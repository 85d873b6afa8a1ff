//! Steps as they are put together: each is carried out on a copy of the facts, so that the next one knows its old values.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::facts::{Facts, NEGATIVE_TTL};
use super::{Ask, Planned, assumptions, guesses, nodes, schedule, summary, words};
use crate::model::cutover::{
    Answer, CacheKey, CacheKind, Change, Credential, Datum, RecordSet, Second, Step, StepKind, Timeline, ViewFacts,
    Wait, World,
};
use crate::model::name::Name;
use crate::model::plan::{Plan, PlannedName, ViewId, ViewKind, Window};

/// For how long clients keep URLs of which nobody says how long, in seconds: what Autodiscover answers without a TTL is valid
/// for an hour (learn.microsoft.com, Exchange client developer, "TTL (POX)").
const CACHED_URLS: u32 = 3_600;

/// The plan of steps so far.
pub(super) struct Draft<'a> {
    pub(super) facts: Facts<'a>,
    pub(super) plan: &'a Plan,
    /// What holds after the steps so far.
    pub(super) world: World,
    pub(super) steps: Vec<Step>,
    /// The step that changed a key last, and for how many seconds caches may give the answer before it.
    changed: BTreeMap<CacheKey, (usize, u32)>,
    /// The second from which on no cache gives an answer of before second 0 any more.
    forgotten: BTreeMap<CacheKey, Second>,
    /// The plan's names.
    names: BTreeMap<&'a Name, &'a PlannedName>,
    /// Labels of nodes.
    pub(super) nodes: Vec<Arc<str>>,
    /// Views, nodes and certificates, for words.
    frame: Timeline,
}

impl<'a> Draft<'a> {
    pub(super) fn new(facts: Facts<'a>) -> Self {
        let plan = facts.plan;
        let mut draft = Self {
            plan,
            world: facts.world.clone(),
            steps: Vec::new(),
            changed: BTreeMap::new(),
            forgotten: BTreeMap::new(),
            names: plan.names.iter().map(|n| (&n.name, n)).collect(),
            nodes: nodes::labels(plan),
            frame: Timeline {
                views: plan.views.iter().map(|v| ViewFacts { label: v.label.clone(), floor: 0 }).collect(),
                nodes: nodes::labels(plan),
                credentials: facts.credentials.clone(),
                ..Timeline::default()
            },
            facts,
        };
        for past in std::mem::take(&mut draft.facts.memory.past) {
            let until = past.until + i64::from(draft.hold(&past.key, &past.answer));
            let entry = draft.forgotten.entry(past.key.clone()).or_insert(until);
            *entry = until.max(*entry);
            draft.facts.memory.past.push(past);
        }
        draft
    }

    /// The plan's name of an owner.
    pub(super) fn name(&self, owner: &Name) -> Option<&'a PlannedName> {
        self.names.get(owner).copied()
    }

    /// The views, those inside first: who is inside is met every day, and can tell what went wrong.
    pub(super) fn views(&self) -> Vec<ViewId> {
        let of = |kind| self.plan.view_ids().filter(move |v| self.plan.view(*v).kind == kind);
        of(ViewKind::Internal).chain(of(ViewKind::External)).collect()
    }

    /// A view's label.
    pub(super) fn label(&self, view: ViewId) -> &'a Arc<str> {
        &self.plan.view(view).label
    }

    /// Seconds until all authoritative servers of a view hold a change.
    pub(super) fn propagation(&self, view: ViewId) -> u32 {
        self.plan.cutover.propagation[view.0]
    }

    /// The TTL during the change.
    pub(super) fn low_ttl(&self, owner: &Name) -> u32 {
        let planned = self.name(owner).and_then(|n| n.ttl.as_ref()).map(|t| t.value);
        planned.unwrap_or(self.plan.cutover.low_ttl)
    }

    /// For how long caches may give an answer once it is replaced, in seconds.
    pub(super) fn hold(&self, key: &CacheKey, answer: &Answer) -> u32 {
        let ttl = match answer {
            Some(set) => set.ttl,
            None => self.absence(key),
        };
        ttl.saturating_add(self.plan.cutover.slack)
    }

    /// For how long absence, or what a wildcard said instead, may be believed.
    fn absence(&self, key: &CacheKey) -> u32 {
        let zones = self.facts.zones.iter();
        let over = zones.filter(|z| z.view == key.view && key.owner.is_under(z.apex.as_str())).map(|z| z.negative_ttl);
        let negative = over.max().unwrap_or(NEGATIVE_TTL);
        negative.max(self.wildcard_ttl(key))
    }

    fn wildcard_ttl(&self, key: &CacheKey) -> u32 {
        let mut longest = 0;
        let mut rest = key.owner.parent();
        while let Some(parent) = rest {
            if let Ok(owner) = Name::parse_owner(&format!("*.{parent}")) {
                for kind in [key.kind, CacheKind::Cname] {
                    let wildcard = CacheKey { view: key.view, owner: owner.clone(), kind };
                    longest = self.world.records.get(&wildcard).map_or(longest, |s| s.ttl.max(longest));
                }
            }
            rest = parent.split_once('.').map(|(_, up)| up);
        }
        longest
    }

    /// What a key answers now.
    pub(super) fn now(&self, key: &CacheKey) -> Answer {
        self.world.records.get(key).cloned()
    }

    /// What is wanted of a key in the end.
    pub(super) fn wanted(&self, key: &CacheKey) -> BTreeSet<Datum> {
        self.facts.goal.sets.get(key).cloned().unwrap_or_default()
    }

    /// What a key answers now, and beside it what is wanted in the end.
    pub(super) fn widened(&self, key: &CacheKey) -> BTreeSet<Datum> {
        let mut data = self.now(key).map(|set| set.data).unwrap_or_default();
        data.extend(self.wanted(key));
        data
    }

    /// A change of a key into data with a TTL, or into nothing.
    pub(super) fn becomes(&self, key: &CacheKey, data: Option<(BTreeSet<Datum>, u32)>) -> Change {
        let new = data.map(|(data, ttl)| RecordSet { ttl, data });
        Change::Records { key: key.clone(), old: self.now(key), new }
    }

    /// A certificate for the same names with a new key, which the gates hold against every view's trust.
    pub(super) fn rekeyed(&mut self, old: usize) -> usize {
        let all = &mut self.facts.credentials;
        let names = all[old].names.clone();
        let mut label = format!("{}-new-key", all[old].label);
        while all.iter().any(|c| *c.label == *label) {
            label.push('-');
        }
        let trusted = Some(self.plan.view_ids().collect());
        all.push(Credential { label: label.into(), names, valid_from: None, valid_until: None, trusted });
        self.frame.credentials.clone_from(all);
        let new = all.len() - 1;
        self.facts.rekeyed.insert(new, old);
        new
    }

    /// Adds a step: what follows is planned as if it had been carried out.
    pub(super) fn push(&mut self, mut step: Step) -> usize {
        let moved = self.facts.sites.moved(&self.world, &step.changes);
        step.changes.extend(moved);
        let index = self.steps.len();
        for change in &step.changes {
            debug_assert!(self.world.expects(change), "{change:?}");
            if let Change::Records { key, old, .. } = change {
                let hold = self.hold(key, old);
                self.changed.insert(key.clone(), (index, hold));
            }
        }
        step.changes.iter().for_each(|c| self.world.apply(c));
        self.steps.push(step);
        index
    }

    /// What has to be waited for until caches have forgotten what these keys said before: for steps of this plan, and for
    /// what was done before second 0.
    pub(super) fn forgetting<'k>(&self, keys: impl IntoIterator<Item = &'k CacheKey>) -> (Vec<Wait>, Option<Second>) {
        let mut longest: BTreeMap<usize, (u32, &CacheKey)> = BTreeMap::new();
        let mut not_before = None;
        for key in keys {
            if let Some((step, hold)) = self.changed.get(key) {
                let entry = longest.entry(*step).or_insert((*hold, key));
                if *hold > entry.0 {
                    *entry = (*hold, key);
                }
            }
            not_before = not_before.max(self.forgotten.get(key).copied().filter(|s| *s > 0));
        }
        let wait = |(after, (seconds, key)): (usize, (u32, &CacheKey))| {
            let was_there = matches!(
                self.steps[after].changes.iter().find(|c| is_of(c, key)),
                Some(Change::Records { old: Some(_), .. })
            );
            let what = if was_there {
                format!("the old {} of {}", key.kind.word(), key.owner)
            } else {
                format!("that {} was absent", key.owner)
            };
            Wait { after, seconds, why: format!("caches forget {what}").into() }
        };
        (longest.into_iter().map(wait).collect(), not_before)
    }

    /// Waits until no client has a URL any more with a name on whose way some keys are.
    pub(super) fn forgetting_urls(&self, keys: &[CacheKey]) -> Vec<Wait> {
        let keys: BTreeSet<&CacheKey> = keys.iter().collect();
        let seconds = self.url_hold();
        let mut out = Vec::new();
        for (after, step) in self.steps.iter().enumerate().filter(|_| seconds > 0) {
            let ended = step.changes.iter().filter_map(|c| match c {
                Change::Used { view, name, new: false } => Some((*view, name)),
                _ => None,
            });
            let concerns = |(view, name): &(ViewId, &Name)| {
                super::steps::set_url::keys(self, *view, name).iter().any(|key| keys.contains(key))
            };
            if let Some((_, name)) = ended.into_iter().find(concerns) {
                out.push(Wait { after, seconds, why: format!("clients forget URLs with {name}").into() });
            }
        }
        out
    }

    /// For how many seconds clients use a name in a URL once nobody tells them that any more.
    pub(super) fn url_hold(&self) -> u32 {
        cached_urls(self.plan).saturating_add(self.plan.cutover.slack)
    }

    /// The keys of which caches may remember what was there before second 0.
    pub(super) fn remembered(&self) -> impl Iterator<Item = &CacheKey> {
        self.forgotten.keys()
    }

    /// Keys of an owner's addresses in a view.
    pub(super) fn address_keys(view: ViewId, owner: &Name) -> [CacheKey; 3] {
        [CacheKind::A, CacheKind::Aaaa, CacheKind::Cname].map(|kind| CacheKey { view, owner: owner.clone(), kind })
    }

    /// True if the owner has addresses, or an alias, now.
    pub(super) fn stands(&self, view: ViewId, owner: &Name) -> bool {
        Self::address_keys(view, owner).iter().any(|k| self.world.records.contains_key(k))
    }

    /// True if the owner is to have some in the end.
    pub(super) fn is_wanted(&self, view: ViewId, owner: &Name) -> bool {
        Self::address_keys(view, owner).iter().any(|k| self.facts.goal.sets.contains_key(k))
    }

    /// True if what holds is not yet what is wanted, for a key.
    pub(super) fn differs(&self, key: &CacheKey) -> bool {
        self.world.records.get(key).map(|s| &s.data) != self.facts.goal.sets.get(key)
    }

    /// Owners in a view whose addresses are not yet what is wanted.
    pub(super) fn unsettled(&self, view: ViewId) -> BTreeSet<Name> {
        let keys = self.world.records.keys().chain(self.facts.goal.sets.keys());
        let addresses = keys.filter(|k| matches!(k.kind, CacheKind::A | CacheKind::Aaaa | CacheKind::Cname));
        addresses.filter(|k| k.view == view && self.differs(k)).map(|k| k.owner.clone()).collect()
    }

    /// Nodes that names led to in some phase before the wanted one.
    pub(super) fn earlier_nodes(&self) -> BTreeSet<crate::model::cutover::NodeId> {
        let earlier = crate::model::phase::Phase::ALL.into_iter().filter(|p| *p < self.facts.to);
        let led = |phase| super::reach::led(self.plan, &vec![phase; self.plan.views.len()]);
        earlier.flat_map(|p| led(p).into_keys().map(|(node, _)| node)).collect()
    }

    /// True if servers run that nobody is led to in the end, which is the end of all phases.
    pub(super) fn has_idle_servers(&self) -> bool {
        if self.facts.to != crate::model::phase::Phase::After {
            return false;
        }
        let earlier = self.earlier_nodes();
        let still: BTreeSet<_> = self.facts.led[1].keys().map(|(node, _)| *node).collect();
        self.world.serving.keys().any(|(node, _)| !still.contains(node) && earlier.contains(node))
    }

    /// One line that says old and new of a change.
    pub(super) fn line(&self, change: &Change) -> String {
        words::change_line(&self.frame, change)
    }

    /// The last step of some kind.
    pub(super) fn last(&self, kind: StepKind) -> Option<usize> {
        self.steps.iter().rposition(|s| s.kind == kind)
    }

    /// Ends the planning.
    pub(super) fn finish(self, ask: &Ask) -> Planned {
        let summary = summary::lines(&self);
        let guesses = guesses::lines(&self);
        let mut unknown = self.facts.unknown;
        unknown.extend(guesses);
        if self.facts.zero.is_none()
            && self.plan.cutover.windows.iter().any(|w| !w.is_empty())
            && !self.steps.is_empty()
        {
            unknown.insert("the windows of [cutover] count once --start says when to begin".into());
        }
        let timeline = Timeline {
            zero: self.facts.zero,
            views: self.frame.views,
            slack: self.plan.cutover.slack,
            clock_error: self.plan.cutover.clock_error,
            cached_urls: cached_urls(self.plan),
            zones: self.facts.zones,
            negative_ttl: NEGATIVE_TTL,
            nodes: self.nodes,
            credentials: self.facts.credentials,
            world: self.facts.world,
            past: self.facts.memory.past,
            paths: self.facts.paths,
            steps: self.steps,
        };
        let windows = self.plan.cutover.windows.iter().map(|of_view| of_view.iter().map(|w| w.value).collect());
        let windows: Vec<Vec<Window>> = windows.collect();
        let schedule = schedule::schedule(&timeline, &windows, ask.zone);
        let rollback = summary::rollback(&timeline, self.plan.cutover.rollback_budget, &mut unknown);
        let assumptions = assumptions::all(self.plan, &timeline);
        Planned { timeline, schedule, summary, rollback, assumptions, unknown: unknown.into_iter().collect() }
    }
}

/// For how long clients keep URLs, the slack not counted.
pub(super) fn cached_urls(plan: &Plan) -> u32 {
    plan.cutover.cached_urls.unwrap_or(CACHED_URLS)
}

fn is_of(change: &Change, wanted: &CacheKey) -> bool {
    matches!(change, Change::Records { key, .. } if key == wanted)
}
