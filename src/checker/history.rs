//! What each fact was before and after each step, in the order of the steps.
//!
//! State `i` is what holds after `i` steps. Undone steps lead back through the same states.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use crate::model::cutover::{
    Answer, CacheKey, CacheKind, Change, NodeId, Past, RecordSet, Serving, Timeline, ZoneFacts,
};
use crate::model::name::Name;
use crate::model::plan::ViewId;

/// The values of one fact: from which state on, and what. The first begins at state 0.
#[derive(Clone, Debug)]
pub(super) struct Values<T>(Vec<(usize, T)>);

impl<T> Values<T> {
    fn starting(value: T) -> Self {
        Self(vec![(0, value)])
    }

    fn put(&mut self, state: usize, value: T) {
        match self.0.last_mut() {
            Some((last, old)) if *last == state => *old = value,
            _ => self.0.push((state, value)),
        }
    }

    /// What holds in a state.
    pub fn at(&self, state: usize) -> &T {
        let after = self.0.partition_point(|(from, _)| *from <= state);
        &self.0[after.max(1) - 1].1
    }

    /// All that ever hold.
    pub fn all(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|(_, value)| value)
    }

    /// The steps that change it.
    pub fn steps(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().skip(1).map(|(state, _)| state - 1)
    }
}

/// The records of one owner in a view.
#[derive(Debug, Default)]
pub(super) struct Owner {
    kinds: BTreeMap<CacheKind, Values<Answer>>,
}

impl Owner {
    /// What stands under a kind in a state.
    pub fn at(&self, kind: CacheKind, state: usize) -> Option<&RecordSet> {
        self.kinds.get(&kind)?.at(state).as_ref()
    }

    /// True if DNS has a record of the owner in a state.
    pub fn exists(&self, state: usize) -> bool {
        self.kinds.iter().any(|(kind, values)| kind.is_dns() && values.at(state).is_some())
    }

    fn ever_exists(&self) -> bool {
        self.kinds.iter().any(|(kind, values)| kind.is_dns() && values.all().any(Option::is_some))
    }

    /// The steps that change one of its records.
    pub fn steps(&self) -> impl Iterator<Item = usize> + '_ {
        self.kinds.values().flat_map(Values::steps)
    }

    /// The steps that change this kind, its alias, or whether it exists.
    pub fn steps_of(&self, kind: CacheKind) -> impl Iterator<Item = usize> + '_ {
        let mine = [kind, CacheKind::Cname];
        let changed = mine.into_iter().filter_map(|k| self.kinds.get(&k)).flat_map(Values::steps);
        changed.chain(self.steps().filter(|step| self.exists(*step) != self.exists(step + 1)))
    }
}

/// The facts of one view's clients.
#[derive(Default)]
struct OfView<'a> {
    owners: HashMap<&'a Name, Owner>,
    /// Owners below a name, which make it exist without records of its own (RFC 4592 section 2.2.2).
    below: HashMap<&'a str, Vec<&'a Name>>,
    /// The wildcards that stand at any time.
    wildcards: BTreeSet<&'a Name>,
    zones: HashMap<&'a str, &'a ZoneFacts>,
    /// The steps that change records.
    steps: BTreeSet<usize>,
    past: HashMap<&'a Name, Vec<&'a Past>>,
    routes: HashMap<IpAddr, Values<BTreeSet<NodeId>>>,
    used: HashMap<&'a Name, Values<bool>>,
}

/// All facts over all states.
#[derive(Default)]
pub(super) struct History<'a> {
    views: HashMap<ViewId, OfView<'a>>,
    serving: HashMap<(NodeId, u16), Values<Option<&'a Serving>>>,
    redirects: BTreeMap<NodeId, Values<BTreeSet<Name>>>,
    /// Steps whose old value is not what holds: index and words.
    pub misfits: Vec<(usize, String)>,
}

impl<'a> History<'a> {
    /// Reads the facts of a timeline.
    pub fn of(timeline: &'a Timeline) -> Self {
        let mut history = Self::default();
        history.begin(timeline);
        let mut world = timeline.world.clone();
        for (i, step) in timeline.steps.iter().enumerate() {
            for change in &step.changes {
                if !world.expects(change) {
                    history.misfits.push((i, super::words::misfit(timeline, change)));
                }
                world.apply(change);
                history.change(i + 1, change);
            }
        }
        history.views.values_mut().for_each(OfView::relate);
        history
    }

    fn begin(&mut self, timeline: &'a Timeline) {
        for (key, set) in &timeline.world.records {
            self.of_view(key.view).records(0, key, &Some(set.clone()));
        }
        for ((view, address), nodes) in &timeline.world.routes {
            self.of_view(*view).routes.insert(*address, Values::starting(nodes.clone()));
        }
        for (at, serving) in &timeline.world.serving {
            self.serving.insert(*at, Values::starting(Some(serving)));
        }
        for (node, names) in &timeline.world.redirects {
            self.redirects.insert(*node, Values::starting(names.clone()));
        }
        for (view, name) in &timeline.world.used {
            self.of_view(*view).used.insert(name, Values::starting(true));
        }
        for past in &timeline.past {
            self.of_view(past.key.view).past.entry(&past.key.owner).or_default().push(past);
        }
        for zone in &timeline.zones {
            self.of_view(zone.view).zones.insert(zone.apex.as_str(), zone);
        }
    }

    fn change(&mut self, state: usize, change: &'a Change) {
        match change {
            Change::Records { key, new, .. } => {
                let view = self.of_view(key.view);
                view.steps.insert(state - 1);
                view.records(state, key, new);
            }
            Change::Route { view, address, new, .. } => {
                let values = self.of_view(*view).routes.entry(*address);
                values.or_insert_with(|| Values::starting(BTreeSet::new())).put(state, new.clone());
            }
            Change::Serving { node, port, new, .. } => {
                self.serving.entry((*node, *port)).or_insert_with(|| Values::starting(None)).put(state, new.as_ref());
            }
            Change::Redirect { node, new, .. } => {
                let values = self.redirects.entry(*node);
                values.or_insert_with(|| Values::starting(BTreeSet::new())).put(state, new.clone());
            }
            Change::Used { view, name, new } => {
                let values = self.of_view(*view).used.entry(name);
                values.or_insert_with(|| Values::starting(false)).put(state, *new);
            }
        }
    }

    fn of_view(&mut self, view: ViewId) -> &mut OfView<'a> {
        self.views.entry(view).or_default()
    }

    /// An owner's records.
    pub fn owner(&self, view: ViewId, name: &Name) -> Option<&Owner> {
        self.views.get(&view)?.owners.get(name)
    }

    /// The owner that a text names.
    pub fn owner_of(&self, view: ViewId, name: &str) -> Option<(&'a Name, &Owner)> {
        let name = Name::parse_owner(name).ok()?;
        self.views.get(&view)?.owners.get_key_value(&name).map(|(name, owner)| (*name, owner))
    }

    /// True if a name exists in a state: by records of its own, or of one below it.
    pub fn exists(&self, view: ViewId, name: &str, state: usize) -> bool {
        self.owner_of(view, name).is_some_and(|(_, o)| o.exists(state))
            || self.below(view, name).any(|n| self.owner(view, n).is_some_and(|o| o.exists(state)))
    }

    /// The owners below a name that is no apex.
    pub fn below(&self, view: ViewId, name: &str) -> impl Iterator<Item = &'a Name> + use<'a> {
        let below = self.views.get(&view).and_then(|v| v.below.get(name)).cloned();
        below.into_iter().flatten()
    }

    /// The zone of a view that holds a name: the one with the longest apex.
    pub fn zone(&self, view: ViewId, name: &str) -> Option<&'a ZoneFacts> {
        let zones = &self.views.get(&view)?.zones;
        std::iter::once(name).chain(parents(name)).find_map(|n| zones.get(n).copied())
    }

    /// The wildcards that stand in a view at any time.
    pub fn wildcards(&self, view: ViewId) -> impl Iterator<Item = &'a Name> {
        self.views.get(&view).into_iter().flat_map(|v| &v.wildcards).copied()
    }

    /// The steps that change records of a view.
    pub fn record_steps(&self, view: ViewId) -> impl Iterator<Item = usize> {
        self.views.get(&view).into_iter().flat_map(|v| &v.steps).copied()
    }

    /// What was answered before second 0.
    pub fn past(&self, view: ViewId, name: &Name) -> impl Iterator<Item = &'a Past> {
        self.views.get(&view).and_then(|v| v.past.get(name)).into_iter().flatten().copied()
    }

    /// Who answers at an address.
    pub fn route(&self, view: ViewId, address: IpAddr) -> Option<&Values<BTreeSet<NodeId>>> {
        self.views.get(&view)?.routes.get(&address)
    }

    /// What a node serves at a port.
    pub fn serving(&self, node: NodeId, port: u16) -> Option<&Values<Option<&'a Serving>>> {
        self.serving.get(&(node, port))
    }

    /// Where a node sends its web clients.
    pub fn redirect(&self, node: NodeId) -> Option<&Values<BTreeSet<Name>>> {
        self.redirects.get(&node)
    }

    /// All nodes that ever send clients elsewhere.
    pub fn redirects(&self) -> impl Iterator<Item = (NodeId, &Values<BTreeSet<Name>>)> {
        self.redirects.iter().map(|(node, values)| (*node, values))
    }

    /// Whether clients use a name.
    pub fn used(&self, view: ViewId, name: &Name) -> Option<&Values<bool>> {
        self.views.get(&view)?.used.get(name)
    }
}

impl<'a> OfView<'a> {
    fn records(&mut self, state: usize, key: &'a CacheKey, answer: &Answer) {
        let owner = self.owners.entry(&key.owner).or_default();
        owner.kinds.entry(key.kind).or_insert_with(|| Values::starting(None)).put(state, answer.clone());
    }

    /// Who stands below whom, and where wildcards are.
    fn relate(&mut self) {
        let exist = self.owners.iter().filter(|(_, owner)| owner.ever_exists()).map(|(name, _)| *name);
        let mut names: Vec<&'a Name> = exist.collect();
        names.sort();
        for name in names {
            if name.is_wildcard() {
                self.wildcards.insert(name);
            }
            let is_apex = |n: &&str| self.zones.contains_key(n);
            let up = parents(name.as_str()).take_while(|p| !self.zones.contains_key(p));
            for parent in up.take(if is_apex(&name.as_str()) { 0 } else { usize::MAX }) {
                self.below.entry(parent).or_default().push(name);
            }
        }
    }
}

/// The ancestors of a name, the nearest first.
pub(super) fn parents(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(name.split_once('.').map(|(_, rest)| rest), |n| n.split_once('.').map(|(_, rest)| rest))
}
