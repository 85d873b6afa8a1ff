//! What each fact was before and after each step, in the order of the steps.
//!
//! State `i` is what holds after `i` steps. Undone steps lead back through the same states.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use smallvec::SmallVec;

use super::existence::Existence;
use crate::model::cutover::{
    CacheKey, CacheKind, Change, Datum, NodeId, Past, RecordSet, Serving, Timeline, ZoneFacts,
};
use crate::model::name::Name;
use crate::model::plan::ViewId;

/// The values of one fact: from which state on, and what. The first begins at state 0.
#[derive(Clone, Debug)]
pub(super) struct Values<T>(SmallVec<[(usize, T); 2]>);

impl<T> Values<T> {
    pub fn starting(value: T) -> Self {
        let mut values = SmallVec::new();
        values.push((0, value));
        Self(values)
    }

    pub fn put(&mut self, state: usize, value: T) {
        match self.0.last_mut() {
            Some((last, old)) if *last == state => *old = value,
            _ => self.0.push((state, value)),
        }
    }

    fn index(&self, state: usize) -> usize {
        self.0.partition_point(|(from, _)| *from <= state).max(1) - 1
    }

    /// What holds in a state.
    pub fn at(&self, state: usize) -> &T {
        &self.0[self.index(state)].1
    }

    /// What holds in the states from one to another, each once.
    pub fn over(&self, states: &std::ops::RangeInclusive<usize>) -> impl Iterator<Item = &T> {
        self.0[self.index(*states.start())..=self.index(*states.end())].iter().map(|(_, value)| value)
    }

    /// What holds in the end.
    pub fn last(&self) -> &T {
        &self.0[self.0.len() - 1].1
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

/// What stands under one kind.
type Records<'a> = Values<Option<&'a RecordSet>>;

/// The records of one owner in a view.
#[derive(Debug, Default)]
pub(super) struct Owner<'a> {
    kinds: SmallVec<[(CacheKind, Records<'a>); 1]>,
}

impl<'a> Owner<'a> {
    fn of_kind(&self, kind: CacheKind) -> Option<&Records<'a>> {
        self.kinds.iter().find(|(k, _)| *k == kind).map(|(_, values)| values)
    }

    fn put(&mut self, kind: CacheKind, state: usize, set: Option<&'a RecordSet>) {
        match self.kinds.iter_mut().find(|(k, _)| *k == kind) {
            Some((_, values)) => values.put(state, set),
            None => {
                let mut values = Values::starting(None);
                values.put(state, set);
                self.kinds.push((kind, values));
            }
        }
    }

    /// What stands under a kind in a state.
    pub fn at(&self, kind: CacheKind, state: usize) -> Option<&'a RecordSet> {
        *self.of_kind(kind)?.at(state)
    }

    /// True if DNS has a record of the owner in a state.
    pub fn exists(&self, state: usize) -> bool {
        self.kinds.iter().any(|(kind, values)| kind.is_dns() && values.at(state).is_some())
    }

    pub fn ever_exists(&self) -> bool {
        self.kinds.iter().any(|(kind, values)| kind.is_dns() && values.all().any(Option::is_some))
    }

    /// The steps that change one of its records; some more than once.
    pub fn steps(&self) -> impl Iterator<Item = usize> + '_ {
        self.kinds.iter().flat_map(|(_, values)| values.steps())
    }

    /// The steps that change this kind, its alias, or whether it exists; some more than once.
    pub fn steps_of(&self, kind: CacheKind) -> impl Iterator<Item = usize> + '_ {
        let mine = [kind, CacheKind::Cname];
        let changed = mine.into_iter().filter_map(|k| self.of_kind(k)).flat_map(Values::steps);
        changed.chain(self.steps().filter(|step| self.exists(*step) != self.exists(step + 1)))
    }
}

/// The owners of one view.
pub(super) type Owners<'a> = HashMap<&'a str, (&'a Name, Owner<'a>)>;

/// The facts of one view's clients.
#[derive(Default)]
struct OfView<'a> {
    owners: Owners<'a>,
    existence: Existence<'a>,
    zones: HashMap<&'a str, &'a ZoneFacts>,
    /// The steps that change records.
    steps: BTreeSet<usize>,
    past: HashMap<&'a str, Vec<&'a Past>>,
    routes: HashMap<IpAddr, Values<&'a BTreeSet<NodeId>>>,
    used: HashMap<&'a str, Values<bool>>,
}

/// What holds where nothing is said.
static NOBODY: BTreeSet<NodeId> = BTreeSet::new();
static NO_NAMES: BTreeSet<Name> = BTreeSet::new();

/// All facts over all states.
#[derive(Default)]
pub(super) struct History<'a> {
    views: HashMap<ViewId, OfView<'a>>,
    serving: HashMap<(NodeId, u16), Values<Option<&'a Serving>>>,
    redirects: BTreeMap<NodeId, Values<&'a BTreeSet<Name>>>,
    /// Steps whose old value is not what holds: index and words.
    pub misfits: Vec<(usize, String)>,
}

impl<'a> History<'a> {
    /// Reads the facts of a timeline.
    pub fn of(timeline: &'a Timeline) -> Self {
        let mut history = Self::default();
        history.begin(timeline);
        for (i, step) in timeline.steps.iter().enumerate() {
            for change in &step.changes {
                if !history.expects(change) {
                    history.misfits.push((i, super::words::misfit(timeline, change)));
                }
                history.change(i + 1, change);
            }
        }
        for view in history.views.values_mut() {
            view.existence = Existence::of(&view.owners, |name| view.zones.contains_key(name));
        }
        history
    }

    fn begin(&mut self, timeline: &'a Timeline) {
        for (key, set) in &timeline.world.records {
            self.of_view(key.view).records(0, key, Some(set));
        }
        for ((view, address), nodes) in &timeline.world.routes {
            self.of_view(*view).routes.insert(*address, Values::starting(nodes));
        }
        for (at, serving) in &timeline.world.serving {
            self.serving.insert(*at, Values::starting(Some(serving)));
        }
        for (node, names) in &timeline.world.redirects {
            self.redirects.insert(*node, Values::starting(names));
        }
        for (view, name) in &timeline.world.used {
            self.of_view(*view).used.insert(name.as_str(), Values::starting(true));
        }
        for past in &timeline.past {
            self.of_view(past.key.view).past.entry(past.key.owner.as_str()).or_default().push(past);
        }
        for zone in &timeline.zones {
            self.of_view(zone.view).zones.insert(zone.apex.as_str(), zone);
        }
    }

    /// True if the old value of a change is what holds after the changes so far.
    fn expects(&self, change: &Change) -> bool {
        match change {
            Change::Records { key, old, .. } => {
                let values = self.owner(key.view, key.owner.as_str()).and_then(|o| o.of_kind(key.kind));
                values.and_then(|v| *v.last()) == old.as_ref()
            }
            Change::Route { view, address, old, .. } => {
                self.route(*view, *address).map_or(&NOBODY, |v| v.last()) == old
            }
            Change::Serving { node, port, old, .. } => {
                self.serving(*node, *port).and_then(|v| *v.last()) == old.as_ref()
            }
            Change::Redirect { node, old, .. } => self.redirect(*node).map_or(&NO_NAMES, |v| v.last()) == old,
            Change::Used { view, name, new } => self.used(*view, name).is_some_and(|v| *v.last()) != *new,
        }
    }

    fn change(&mut self, state: usize, change: &'a Change) {
        match change {
            Change::Records { key, new, .. } => {
                let view = self.of_view(key.view);
                view.steps.insert(state - 1);
                view.records(state, key, new.as_ref());
            }
            Change::Route { view, address, new, .. } => {
                let values = self.of_view(*view).routes.entry(*address);
                values.or_insert_with(|| Values::starting(&NOBODY)).put(state, new);
            }
            Change::Serving { node, port, new, .. } => {
                self.serving.entry((*node, *port)).or_insert_with(|| Values::starting(None)).put(state, new.as_ref());
            }
            Change::Redirect { node, new, .. } => {
                self.redirects.entry(*node).or_insert_with(|| Values::starting(&NO_NAMES)).put(state, new);
            }
            Change::Used { view, name, new } => {
                let values = self.of_view(*view).used.entry(name.as_str());
                values.or_insert_with(|| Values::starting(false)).put(state, *new);
            }
        }
    }

    fn of_view(&mut self, view: ViewId) -> &mut OfView<'a> {
        self.views.entry(view).or_default()
    }

    /// An owner's records.
    pub fn owner(&self, view: ViewId, name: &str) -> Option<&Owner<'a>> {
        self.views.get(&view)?.owners.get(name).map(|(_, owner)| owner)
    }

    /// Which names of a view exist when.
    pub fn existence(&self, view: ViewId) -> Option<&Existence<'a>> {
        self.views.get(&view).map(|v| &v.existence)
    }

    /// True if a name exists in a state: by records of its own, or of one below it.
    pub fn exists(&self, view: ViewId, name: &str, state: usize) -> bool {
        self.owner(view, name).is_some_and(|o| o.exists(state))
            || self.existence(view).is_some_and(|e| e.has_below(name, state))
    }

    /// The zone of a view that holds a name: the one with the longest apex.
    pub fn zone(&self, view: ViewId, name: &str) -> Option<&'a ZoneFacts> {
        let zones = &self.views.get(&view)?.zones;
        std::iter::once(name).chain(parents(name)).find_map(|n| zones.get(n).copied())
    }

    /// The steps that change records of a view.
    pub fn record_steps(&self, view: ViewId) -> impl Iterator<Item = usize> {
        self.views.get(&view).into_iter().flat_map(|v| &v.steps).copied()
    }

    /// What was answered before second 0.
    pub fn past(&self, view: ViewId, name: &str) -> impl Iterator<Item = &'a Past> {
        self.views.get(&view).and_then(|v| v.past.get(name)).into_iter().flatten().copied()
    }

    /// Who answers at an address.
    pub fn route(&self, view: ViewId, address: IpAddr) -> Option<&Values<&'a BTreeSet<NodeId>>> {
        self.views.get(&view)?.routes.get(&address)
    }

    /// What a node serves at a port.
    pub fn serving(&self, node: NodeId, port: u16) -> Option<&Values<Option<&'a Serving>>> {
        self.serving.get(&(node, port))
    }

    /// The certificates that somebody serves in a state, whoever it is.
    pub fn served(&self, state: usize) -> BTreeSet<usize> {
        let all = self.serving.values().filter_map(|values| *values.at(state));
        all.flat_map(|s| s.default.iter().chain(s.by_name.values().flatten())).copied().collect()
    }

    /// Where a node sends its web clients.
    pub fn redirect(&self, node: NodeId) -> Option<&Values<&'a BTreeSet<Name>>> {
        self.redirects.get(&node)
    }

    /// All nodes that ever send clients elsewhere.
    pub fn redirects(&self) -> impl Iterator<Item = (NodeId, &Values<&'a BTreeSet<Name>>)> {
        self.redirects.iter().map(|(node, values)| (*node, values))
    }

    /// Whether clients use a name.
    pub fn used(&self, view: ViewId, name: &Name) -> Option<&Values<bool>> {
        self.views.get(&view)?.used.get(name.as_str())
    }
}

impl<'a> OfView<'a> {
    fn records(&mut self, state: usize, key: &'a CacheKey, set: Option<&'a RecordSet>) {
        let (_, owner) = self.owners.entry(key.owner.as_str()).or_insert_with(|| (&key.owner, Owner::default()));
        owner.put(key.kind, state, set);
    }
}

/// The ancestors of a name, the nearest first.
pub(super) fn parents(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(name.split_once('.').map(|(_, rest)| rest), |n| n.split_once('.').map(|(_, rest)| rest))
}

/// The hosts among some data.
pub(super) fn hosts(data: &BTreeSet<Datum>) -> impl Iterator<Item = &Name> {
    data.iter().filter_map(|datum| match datum {
        Datum::Host(name) => Some(name),
        _ => None,
    })
}
