//! The recording's order, and where in it what was seen of a probe stands. Observations are fat and names are long: each
//! distinct name and place is compared once, then numbers are dealt out.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::SocketAddr;
use std::ops::Range;

use super::evidence::Look;
use crate::model::dns::{RecordType, ResolverAddr};
use crate::model::name::Name;
use crate::model::observation::{Observation, Probe};
use crate::model::service::Way;
use crate::model::tls::Face;
use crate::parallel;

/// Where was looked, the name aside. Places are in the order of [`Probe`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Place<'a> {
    /// A file.
    File(&'a str),
    /// A resolver of a view.
    Resolver(&'a str, &'a ResolverAddr),
    /// An endpoint.
    Endpoint(SocketAddr, Way),
    /// A web site.
    Web(SocketAddr),
}

/// The number of a place that the recording knows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct KnownPlace(u32);

/// The number of a name that the recording knows; 0 is none.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct KnownName(u32);

/// A probe in parts: the last is what was asked for there, the type of records or the face.
type Parts<'a> = (Place<'a>, Option<&'a Name>, u32);

/// What is asked for where nothing else is said: any face.
pub(super) const ANY_FACE: u32 = 0;

/// What is asked for where it is one face alone.
pub(super) fn of_face(face: Face) -> u32 {
    face as u32 + 1
}

/// Beside the type, of a question without validation, and of one to a server for its own zones.
const UNCHECKED: u32 = 0x40;
const DIRECT: u32 = 0x20;

fn parts(probe: &Probe) -> Parts<'_> {
    match probe {
        Probe::File(path) => (Place::File(path), None, 0),
        Probe::Dns(p) => {
            (Place::Resolver(&p.view, &p.resolver), Some(&p.name), asked_for(p.kind, p.unchecked, p.direct))
        }
        Probe::Tls(p) => (Place::Endpoint(p.address, p.way), p.sni.as_ref(), p.face.map_or(ANY_FACE, of_face)),
        Probe::Http(p) => (Place::Web(p.address), Some(&p.name), p.page as u32),
    }
}

fn asked_for(kind: RecordType, unchecked: bool, direct: bool) -> u32 {
    kind as u32 | if unchecked { UNCHECKED } else { 0 } | if direct { DIRECT } else { 0 }
}

/// An observation by the numbers of what it is about.
#[derive(Clone, Copy)]
struct Row {
    place: u32,
    name: u32,
    kind: u32,
    /// Its place among those that came.
    at: u32,
}

impl Row {
    fn is_of_one_probe(&self, other: &Self) -> bool {
        (self.place, self.name, self.kind) == (other.place, other.name, other.kind)
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
    /// Where the observations of each probe end, in the recording's order.
    ends: Vec<u32>,
}

/// So many texts are known by where they stand.
const TEXTS: usize = 1024;

/// Numbers for things in the order in which they are met.
struct Numbers<K> {
    of: HashMap<K, u32>,
    /// Those met last, and whose turn it is to be forgotten.
    last: [Option<(K, u32)>; 8],
    turn: usize,
}

/// What can be the same by where it stands, which is told without reading it.
trait Standing {
    fn stands_where(&self, other: &Self) -> bool;
}

impl Standing for &str {
    fn stands_where(&self, other: &Self) -> bool {
        std::ptr::eq(*self, *other)
    }
}

impl Standing for Place<'_> {
    fn stands_where(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File(a), Self::File(b)) => a.stands_where(b),
            (Self::Resolver(view, a), Self::Resolver(other, b)) => std::ptr::eq(*a, *b) && view.stands_where(other),
            (Self::Endpoint(..), _) | (Self::Web(_), _) => self == other,
            _ => false,
        }
    }
}

impl<K: Copy + Eq + Hash + Ord + Send + Standing> Numbers<K> {
    fn new() -> Self {
        Self { of: HashMap::new(), last: [None; 8], turn: 0 }
    }

    fn number(&mut self, key: K) -> u32 {
        // What is looked at in a row is often the same, or takes turns.
        let last = || self.last.iter().flatten();
        let known = last().find(|(last, _)| last.stands_where(&key)).or_else(|| last().find(|(last, _)| *last == key));
        if let Some((_, number)) = known {
            return *number;
        }
        let next = number(self.of.len());
        let found = *self.of.entry(key).or_insert(next);
        self.last[self.turn % self.last.len()] = Some((key, found));
        self.turn += 1;
        found
    }

    /// Of each number the rank of its thing; the things with their ranks from then on.
    fn ranks(mut self) -> (Vec<u32>, HashMap<K, u32>) {
        let mut all: Vec<(K, u32)> = self.of.iter().map(|(key, number)| (*key, *number)).collect();
        parallel::sort(&mut all);
        let mut ranks = vec![0; all.len()];
        for (rank, (_, old)) in all.into_iter().enumerate() {
            ranks[old as usize] = number(rank);
        }
        self.of.values_mut().for_each(|n| *n = ranks[*n as usize]);
        (ranks, self.of)
    }
}

/// More than so many observations are in no machine's memory.
fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

impl<'a> Order<'a> {
    /// Sorts; of each observation its place among those that came, once.
    pub(super) fn of(observations: &'a [Observation]) -> (Vec<u32>, Self) {
        let (mut names, mut places) = (Numbers::new(), Numbers::new());
        // Of one name there is mostly one text, which its observations share.
        let mut texts: [Option<(&str, u32)>; TEXTS] = [None; TEXTS];
        let mut named = |name: &'a Name| {
            let text = name.as_str();
            let slot = &mut texts[(text.as_ptr() as usize >> 5) % TEXTS];
            match slot {
                Some((known, number)) if std::ptr::eq(*known, text) => *number,
                _ => slot.insert((text, names.number(text))).1,
            }
        };
        let row = |(at, observation): (usize, &'a Observation)| {
            let (place, name, kind) = parts(&observation.probe);
            // No name is 0.
            let name = name.map_or(0, |n| named(n) + 1);
            Row { place: places.number(place), name, kind, at: number(at) }
        };
        let mut rows: Vec<Row> = observations.iter().enumerate().map(row).collect();
        let (name_ranks, names) = names.ranks();
        let (place_ranks, places) = places.ranks();
        for row in &mut rows {
            row.name = row.name.checked_sub(1).map_or(0, |n| name_ranks[n as usize] + 1);
            row.place = place_ranks[row.place as usize];
        }
        let kinds = rows.iter().map(|r| r.kind).max().unwrap_or(0);
        // The last key first: each dealing keeps the order of the one before.
        let rows = dealt(&rows, kinds as usize + 1, |r| r.kind);
        let rows = dealt(&rows, names.len() + 1, |r| r.name);
        let mut rows = dealt(&rows, places.len(), |r| r.place);
        settle(&mut rows, observations);
        let (groups, starts) = groups(&rows, names.len() + 1);
        let (looks, mut ends) = (rows.iter().map(|r| r.at).collect(), Vec::new());
        ends.reserve_exact(groups.len());
        rows.chunk_by(Row::is_of_one_probe).for_each(|same| ends.push(ends.last().unwrap_or(&0) + number(same.len())));
        (looks, Self { names, places, groups, starts, ends })
    }

    /// Where the observations of each probe stand, one after the other.
    pub(super) fn probes(&self) -> impl Iterator<Item = Range<Look>> + '_ {
        let starts = std::iter::once(&0).chain(&self.ends);
        starts.zip(&self.ends).map(|(start, end)| *start as usize..*end as usize)
    }

    /// The number of a name, if anything was looked at under it.
    pub(super) fn name(&self, name: &Name) -> Option<KnownName> {
        self.names.get(name.as_str()).map(|n| KnownName(n + 1))
    }

    /// The number of a place, if anything was looked at there.
    pub(super) fn place(&self, place: &Place) -> Option<KnownPlace> {
        self.places.get(place).copied().map(KnownPlace)
    }

    /// Where the observations of a probe stand.
    pub(super) fn find(&self, probe: &Probe) -> Range<Look> {
        let (place, name, kind) = parts(probe);
        self.part(place, name, kind)
    }

    /// As [`Order::find`], of a question in parts.
    pub(super) fn at(&self, place: Place, name: Option<&Name>, kind: RecordType, unchecked: bool) -> Range<Look> {
        self.part(place, name, asked_for(kind, unchecked, false))
    }

    fn part(&self, place: Place, name: Option<&Name>, kind: u32) -> Range<Look> {
        let name = match name {
            None => Some(KnownName(0)),
            Some(name) => self.name(name),
        };
        self.known_at(self.place(&place), name, kind)
    }

    /// As [`Order::find`], where the numbers are known.
    pub(super) fn known_at(&self, place: Option<KnownPlace>, name: Option<KnownName>, kind: u32) -> Range<Look> {
        let (Some(KnownName(name)), Some(KnownPlace(place))) = (name, place) else { return 0..0 };
        let of_name = self.starts[name as usize] as usize..self.starts[name as usize + 1] as usize;
        let of_name = &self.groups[of_name];
        let wanted = place_and_type(place, kind);
        match of_name.binary_search_by_key(&wanted, |g| g.place) {
            Ok(at) => of_name[at].first as usize..of_name[at].end as usize,
            Err(_) => 0..0,
        }
    }
}

/// The rows by a number that is below `count`; those with the same number keep their order.
fn dealt(rows: &[Row], count: usize, key: impl Fn(&Row) -> u32) -> Vec<Row> {
    let mut starts = vec![0u32; count + 1];
    rows.iter().for_each(|row| starts[key(row) as usize + 1] += 1);
    for i in 1..starts.len() {
        starts[i] += starts[i - 1];
    }
    let mut out = rows.to_vec();
    for row in rows {
        let at = &mut starts[key(row) as usize];
        out[*at as usize] = *row;
        *at += 1;
    }
    out
}

/// Sorts what was seen of one probe by all else, and drops what stands twice.
fn settle(rows: &mut Vec<Row>, observations: &[Observation]) {
    let of = |row: &Row| &observations[row.at as usize];
    let mut is_settled = true;
    for same in rows.chunk_by_mut(Row::is_of_one_probe).filter(|same| same.len() > 1) {
        same.sort_unstable_by(|a, b| of(a).cmp(of(b)));
        is_settled = false;
    }
    if !is_settled {
        rows.dedup_by(|a, b| a.is_of_one_probe(b) && of(a) == of(b));
    }
}

fn place_and_type(place: u32, kind: u32) -> u64 {
    u64::from(place) << 8 | u64::from(kind)
}

/// The groups sorted by name, then place and type, and where each name's begin.
fn groups(rows: &[Row], names: usize) -> (Vec<Group>, Vec<u32>) {
    let mut starts = vec![0u32; names + 1];
    for group in rows.chunk_by(Row::is_of_one_probe) {
        starts[group[0].name as usize + 1] += 1;
    }
    for name in 1..starts.len() {
        starts[name] += starts[name - 1];
    }
    let (mut next, mut first) = (starts.clone(), 0);
    let mut groups: Vec<Group> = Vec::new();
    groups.resize_with(starts[names] as usize, || Group { place: 0, first: 0, end: 0 });
    for group in rows.chunk_by(Row::is_of_one_probe) {
        let Row { place, name, kind, .. } = group[0];
        let end = first + number(group.len());
        let slot = &mut next[name as usize];
        groups[*slot as usize] = Group { place: place_and_type(place, kind), first, end };
        (*slot, first) = (*slot + 1, end);
    }
    (groups, starts)
}
