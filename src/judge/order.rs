//! The recording's order, and where in it what was seen of a probe stands. Observations are fat and names are long: each
//! distinct name and place is compared once, then numbers are sorted.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::SocketAddr;
use std::ops::Range;

use super::evidence::Look;
use crate::model::dns::{RecordType, ResolverAddr};
use crate::model::name::Name;
use crate::model::observation::{Observation, Probe};
use crate::model::service::Way;

/// Where was looked, the name aside. Places are in the order of [`Probe`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Place<'a> {
    /// A file.
    File(&'a str),
    /// A resolver of a view.
    Resolver(&'a str, &'a ResolverAddr),
    /// An endpoint.
    Endpoint(SocketAddr, Way),
}

/// A probe in parts: the last is what was asked for there, the type of records or the face.
type Parts<'a> = (Place<'a>, Option<&'a Name>, u32);

fn parts(probe: &Probe) -> Parts<'_> {
    match probe {
        Probe::File(path) => (Place::File(path), None, 0),
        Probe::Dns(p) => (Place::Resolver(&p.view, &p.resolver), Some(&p.name), p.kind as u32),
        Probe::Tls(p) => (Place::Endpoint(p.address, p.way), p.sni.as_ref(), p.face.map_or(0, |f| f as u32 + 1)),
    }
}

/// What was seen of one probe: its place and type, and the observations that stand side by side in the recording's order.
struct Group {
    place: u64,
    first: u32,
    end: u32,
}

/// The index.
pub(super) struct Order<'a> {
    names: HashMap<&'a str, u32>,
    places: HashMap<Place<'a>, u32>,
    /// The groups of each name, by its number; those without a name come first.
    groups: Vec<Group>,
    starts: Vec<u32>,
}

/// Numbers for things in the order in which they are met.
struct Numbers<K> {
    of: HashMap<K, u32>,
    last: Option<(K, u32)>,
}

impl<K: Copy + Eq + Hash + Ord> Numbers<K> {
    fn new() -> Self {
        Self { of: HashMap::new(), last: None }
    }

    fn number(&mut self, key: K) -> u32 {
        // What is looked at in a row is often the same.
        if let Some((_, number)) = self.last.filter(|(last, _)| *last == key) {
            return number;
        }
        let next = number(self.of.len());
        let found = *self.of.entry(key).or_insert(next);
        self.last = Some((key, found));
        found
    }

    /// Of each number the rank of its thing; the things with their ranks from then on.
    fn ranks(mut self) -> (Vec<u32>, HashMap<K, u32>) {
        let mut all: Vec<(K, u32)> = self.of.iter().map(|(key, number)| (*key, *number)).collect();
        all.sort_unstable();
        let mut ranks = vec![0; all.len()];
        for (rank, (key, old)) in all.into_iter().enumerate() {
            ranks[old as usize] = number(rank);
            self.of.insert(key, number(rank));
        }
        (ranks, self.of)
    }
}

/// More than so many observations are in no machine's memory.
fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

impl<'a> Order<'a> {
    /// Sorts; each observation stands in the result once.
    pub(super) fn of(observations: impl Iterator<Item = &'a Observation>) -> (Vec<&'a Observation>, Self) {
        let (mut names, mut places) = (Numbers::new(), Numbers::new());
        let mut rows: Vec<(u64, u32, &Observation)> = Vec::with_capacity(observations.size_hint().0);
        for observation in observations {
            let (place, name, kind) = parts(&observation.probe);
            // No name is 0.
            let name = name.map_or(0, |n| names.number(n.as_str()) + 1);
            let place = places.number(place);
            rows.push((u64::from(place) << 32 | u64::from(name), kind, observation));
        }
        let (name_ranks, names) = names.ranks();
        let (place_ranks, places) = places.ranks();
        let rank = |name: u32| name.checked_sub(1).map_or(0, |n| name_ranks[n as usize] + 1);
        for (key, _, _) in &mut rows {
            *key = u64::from(place_ranks[(*key >> 32) as usize]) << 32 | u64::from(rank(*key as u32));
        }
        // Of one probe by all else.
        rows.sort_unstable_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then_with(|| a.2.cmp(b.2)));
        rows.dedup_by(|a, b| (a.0, a.1) == (b.0, b.1) && a.2 == b.2);
        let (groups, starts) = groups(&rows, names.len() + 1);
        (rows.into_iter().map(|(_, _, o)| o).collect(), Self { names, places, groups, starts })
    }

    /// Where the observations of a probe stand.
    pub(super) fn find(&self, probe: &Probe) -> Range<Look> {
        let (place, name, kind) = parts(probe);
        self.part(place, name, kind)
    }

    /// As [`Order::find`], of a question in parts.
    pub(super) fn at(&self, place: Place, name: Option<&Name>, kind: RecordType) -> Range<Look> {
        self.part(place, name, kind as u32)
    }

    fn part(&self, place: Place, name: Option<&Name>, kind: u32) -> Range<Look> {
        let name = match name {
            None => Some(0),
            Some(name) => self.names.get(name.as_str()).map(|n| n + 1),
        };
        let (Some(name), Some(place)) = (name, self.places.get(&place)) else { return 0..0 };
        let of_name = self.starts[name as usize] as usize..self.starts[name as usize + 1] as usize;
        let of_name = &self.groups[of_name];
        let wanted = place_and_type(*place, kind);
        match of_name.binary_search_by_key(&wanted, |g| g.place) {
            Ok(at) => of_name[at].first as usize..of_name[at].end as usize,
            Err(_) => 0..0,
        }
    }
}

fn place_and_type(place: u32, kind: u32) -> u64 {
    u64::from(place) << 8 | u64::from(kind)
}

/// The groups sorted by name, then place and type, and where each name's begin.
fn groups(rows: &[(u64, u32, &Observation)], names: usize) -> (Vec<Group>, Vec<u32>) {
    let same = |a: &(u64, u32, &Observation), b: &(u64, u32, &Observation)| (a.0, a.1) == (b.0, b.1);
    let mut starts = vec![0u32; names + 1];
    for group in rows.chunk_by(same) {
        starts[(group[0].0 as u32) as usize + 1] += 1;
    }
    for name in 1..starts.len() {
        starts[name] += starts[name - 1];
    }
    let (mut next, mut first) = (starts.clone(), 0);
    let mut groups: Vec<Group> = Vec::new();
    groups.resize_with(starts[names] as usize, || Group { place: 0, first: 0, end: 0 });
    for group in rows.chunk_by(same) {
        let (key, kind, _) = group[0];
        let end = first + number(group.len());
        let slot = &mut next[(key as u32) as usize];
        groups[*slot as usize] = Group { place: place_and_type((key >> 32) as u32, kind), first, end };
        (*slot, first) = (*slot + 1, end);
    }
    (groups, starts)
}
