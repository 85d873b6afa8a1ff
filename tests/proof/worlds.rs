//! Small worlds drawn at random: few names, addresses and servers, short times, steps whose old values fit.

use std::collections::BTreeSet;
use std::net::IpAddr;

use coexist::model::cutover::{
    CacheKey, CacheKind, Change, ClientPath, Credential, Datum, Ending, NodeId, Past, RecordSet, Serving, Step,
    StepKind, Timeline, Undo, ViewFacts, Wait, World, ZoneFacts,
};
use coexist::model::name::Name;
use coexist::model::plan::ViewId;
use coexist::model::service::{Service, services_of};
use coexist::model::source::Span;

/// A sequence of draws (SplitMix64, Steele et al. 2014).
pub struct Draw(pub u64);

impl Draw {
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit.max(1)
    }

    pub fn chance(&mut self, one_in: u64) -> bool {
        self.below(one_in) == 0
    }

    pub fn one<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
}

const NAMES: [&str; 6] = [
    "mail.example.com",
    "legacy.mail.example.com",
    "www.example.com",
    "a.b.example.com",
    "b.example.com",
    "mx.example.com",
];
const WILDCARD: &str = "*.example.com";
const ADDRESSES: [&str; 4] = ["10.0.0.1", "10.0.0.2", "2001:db8::1", "2001:db8::2"];
const NODES: usize = 3;

fn name(text: &str) -> Name {
    Name::parse_owner(text).unwrap()
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn service(word: &str) -> Service {
    services_of(word).unwrap().remove(0)
}

/// A timeline.
pub fn timeline(draw: &mut Draw) -> Timeline {
    let views = 1 + draw.below(2) as usize;
    let mut out = Timeline {
        zero: Some("2026-12-01T20:00:00Z".parse().unwrap()),
        views: (0..views).map(|i| ViewFacts { label: format!("v{i}").into(), floor: floor(draw) }).collect(),
        slack: if draw.chance(3) { draw.below(3) as u32 } else { 0 },
        clock_error: if draw.chance(3) { draw.below(4) as u32 } else { 0 },
        cached_urls: if draw.chance(2) { draw.below(7) as u32 } else { 0 },
        zones: zones(draw, views),
        negative_ttl: draw.below(6) as u32,
        nodes: (0..NODES).map(|i| format!("s{i}").into()).collect(),
        credentials: credentials(draw, views),
        ..Timeline::default()
    };
    out.world = world(draw, views);
    out.past = past(draw, views);
    out.paths = paths(draw, views);
    let mut world = out.world.clone();
    for i in 0..1 + draw.below(5) as usize {
        let step = step(draw, views, i, &mut world);
        out.steps.push(step);
    }
    out
}

fn floor(draw: &mut Draw) -> u32 {
    if draw.chance(3) { draw.below(4) as u32 } else { 0 }
}

fn zones(draw: &mut Draw, views: usize) -> Vec<ZoneFacts> {
    let mut all = Vec::new();
    for view in (0..views).map(ViewId) {
        for (apex, one_in) in [("example.com", 1), ("b.example.com", 3)] {
            if draw.chance(one_in) {
                all.push(ZoneFacts { view, apex: name(apex), negative_ttl: draw.below(7) as u32 });
            }
        }
    }
    all
}

fn credentials(draw: &mut Draw, views: usize) -> Vec<Credential> {
    (0..3)
        .map(|i| {
            let mut names: Vec<String> = NAMES.iter().filter(|_| !draw.chance(4)).map(ToString::to_string).collect();
            if draw.chance(2) {
                names = vec![WILDCARD.into(), "legacy.mail.example.com".into(), "a.b.example.com".into()];
            }
            let trusted: BTreeSet<ViewId> = (0..views).filter(|_| !draw.chance(6)).map(ViewId).collect();
            let until = draw.chance(8).then(|| format!("2026-12-01T20:00:{:02}Z", draw.below(30)).parse().unwrap());
            let from = draw.chance(8).then(|| format!("2026-12-01T19:59:{:02}Z", 55 + draw.below(5)).parse().unwrap());
            Credential {
                label: format!("c{i}").into(),
                names: Some(names),
                valid_from: from,
                valid_until: until,
                trusted: Some(trusted),
            }
        })
        .collect()
}

fn world(draw: &mut Draw, views: usize) -> World {
    let mut world = World::default();
    for view in (0..views).map(ViewId) {
        for text in NAMES {
            for (kind, set) in owner(draw, text) {
                world.records.insert(CacheKey { view, owner: name(text), kind }, set);
            }
            if draw.chance(2) {
                world.used.insert((view, name(text)));
            }
        }
        if draw.chance(4) {
            let set = addresses(draw, CacheKind::A);
            world.records.insert(CacheKey { view, owner: name(WILDCARD), kind: CacheKind::A }, set);
        }
        for text in ADDRESSES {
            let nodes = nodes(draw);
            world.routes.insert((view, address(text)), nodes);
        }
    }
    for node in (0..NODES).map(NodeId) {
        for port in [25, 443] {
            if !draw.chance(8) {
                world.serving.insert((node, port), serving(draw));
            }
        }
        if draw.chance(5) {
            world.redirects.insert(node, BTreeSet::from([name(draw.one(&NAMES))]));
        }
    }
    world
}

fn nodes(draw: &mut Draw) -> BTreeSet<NodeId> {
    let many = if draw.chance(10) { 0 } else { 1 + draw.below(2) };
    (0..many).map(|_| NodeId(draw.below(NODES as u64) as usize)).collect()
}

fn serving(draw: &mut Draw) -> Serving {
    let one = |draw: &mut Draw| vec![draw.below(3) as usize];
    let mut serving = Serving { default: one(draw), ..Serving::default() };
    if draw.chance(4) {
        let certificates = one(draw);
        serving.by_name.insert(name(draw.one(&NAMES)), certificates);
    }
    serving
}

/// The records of an owner: an alias, or addresses and more, or nothing.
fn owner(draw: &mut Draw, text: &str) -> Vec<(CacheKind, RecordSet)> {
    let ttl = draw.below(7) as u32;
    if draw.chance(5) {
        return Vec::new();
    }
    if draw.chance(5) {
        let target = name(draw.one(&NAMES));
        return vec![(CacheKind::Cname, RecordSet { ttl, data: BTreeSet::from([Datum::Host(target)]) })];
    }
    let mut all = vec![(CacheKind::A, addresses(draw, CacheKind::A))];
    if draw.chance(3) {
        all.push((CacheKind::Aaaa, addresses(draw, CacheKind::Aaaa)));
    }
    if draw.chance(6) {
        all.push((CacheKind::Https, addresses(draw, CacheKind::A)));
    }
    if text == "mail.example.com" && draw.chance(2) {
        all.push((CacheKind::Mx, mx(draw)));
    }
    for kind in [CacheKind::MtaSts, CacheKind::Hsts] {
        if draw.chance(8) {
            let ttl = draw.below(12) as u32;
            let host = if draw.chance(2) { name(WILDCARD) } else { name(draw.one(&NAMES)) };
            all.push((kind, RecordSet { ttl, data: BTreeSet::from([Datum::Host(host)]) }));
        }
    }
    all
}

fn mx(draw: &mut Draw) -> RecordSet {
    let ttl = draw.below(7) as u32;
    let data = (0..1 + draw.below(2)).map(|_| Datum::Host(name(draw.one(&NAMES)))).collect();
    RecordSet { ttl, data }
}

fn addresses(draw: &mut Draw, kind: CacheKind) -> RecordSet {
    let ttl = draw.below(7) as u32;
    let of_kind: Vec<IpAddr> =
        ADDRESSES.iter().map(|a| address(a)).filter(|a| a.is_ipv4() == (kind == CacheKind::A)).collect();
    let data = (0..1 + draw.below(2)).map(|_| Datum::Address(draw.one(&of_kind))).collect();
    RecordSet { ttl, data }
}

fn past(draw: &mut Draw, views: usize) -> Vec<Past> {
    let mut all = Vec::new();
    for _ in 0..draw.below(3) {
        let view = ViewId(draw.below(views as u64) as usize);
        let answer = (!draw.chance(3)).then(|| addresses(draw, CacheKind::A));
        let key = CacheKey { view, owner: name(draw.one(&NAMES)), kind: CacheKind::A };
        all.push(Past { key, answer, until: -(draw.below(6) as i64) });
    }
    all
}

fn paths(draw: &mut Draw, views: usize) -> Vec<ClientPath> {
    let mut all = Vec::new();
    for view in (0..views).map(ViewId) {
        for text in NAMES {
            if draw.chance(3) {
                continue;
            }
            let path = ClientPath {
                view,
                name: name(text),
                entry: CacheKind::A,
                service: service("https"),
                sni: true,
                by_hsts: draw.chance(6),
            };
            if draw.chance(4) {
                all.push(ClientPath { sni: false, ..path.clone() });
            }
            if draw.chance(4) {
                all.push(ClientPath { service: service("smtp"), by_hsts: false, ..path.clone() });
            }
            if text == "mail.example.com" {
                let by_mx =
                    ClientPath { entry: CacheKind::Mx, service: service("smtp"), by_hsts: false, ..path.clone() };
                all.push(by_mx);
            }
            all.push(path);
        }
    }
    all
}

fn step(draw: &mut Draw, views: usize, index: usize, world: &mut World) -> Step {
    let mut changes: Vec<Change> = Vec::new();
    for _ in 0..draw.below(3) {
        for change in change(draw, views, world) {
            if changes.len() < 5 && !changes.iter().any(|c| same_fact(c, &change)) {
                changes.push(change);
            }
        }
    }
    changes.iter().for_each(|c| world.apply(c));
    let ending = match draw.chance(2) {
        true => Ending::Assumed(1 + draw.below(3) as u32),
        false => Ending::Observed(1),
    };
    let mut waits = Vec::new();
    if index > 0 && !draw.chance(3) {
        for _ in 0..1 + draw.below(2) {
            let after = draw.below(index as u64) as usize;
            waits.push(Wait { after, seconds: draw.below(11) as u32, why: "".into() });
        }
    }
    Step {
        kind: StepKind::Flip,
        what: "".into(),
        why: "".into(),
        places: Vec::new(),
        view: None,
        changes,
        waits,
        not_before: draw.chance(6).then(|| draw.below(12) as i64),
        at: None,
        in_window: false,
        ending,
        gate: None,
        verify: None,
        undo: Some(Undo { how: "".into(), settles: draw.below(9) as u32, commands: Vec::new() }),
        reversible: !draw.chance(6),
        commands: Vec::new(),
        span: Span::default(),
    }
}

fn same_fact(a: &Change, b: &Change) -> bool {
    match (a, b) {
        (Change::Records { key: a, .. }, Change::Records { key: b, .. }) => a == b,
        (Change::Route { view: v, address: a, .. }, Change::Route { view: w, address: b, .. }) => (v, a) == (w, b),
        (Change::Serving { node: n, port: p, .. }, Change::Serving { node: m, port: q, .. }) => (n, p) == (m, q),
        (Change::Redirect { node: n, .. }, Change::Redirect { node: m, .. }) => n == m,
        (Change::Used { view: v, name: n, .. }, Change::Used { view: w, name: m, .. }) => (v, n) == (w, m),
        _ => false,
    }
}

/// One fact changes; or the records of an owner all together.
fn change(draw: &mut Draw, views: usize, world: &World) -> Vec<Change> {
    let view = ViewId(draw.below(views as u64) as usize);
    match draw.below(8) {
        0 => {
            let node = NodeId(draw.below(NODES as u64) as usize);
            let port = draw.one(&[25, 443]);
            let new = (!draw.chance(6)).then(|| serving(draw));
            vec![Change::Serving { node, port, old: world.serving.get(&(node, port)).cloned(), new }]
        }
        1 => {
            let address = address(draw.one(&ADDRESSES));
            let old = world.routes.get(&(view, address)).cloned().unwrap_or_default();
            vec![Change::Route { view, address, old, new: nodes(draw) }]
        }
        2 => {
            let node = NodeId(draw.below(NODES as u64) as usize);
            let old = world.redirects.get(&node).cloned().unwrap_or_default();
            let new = if draw.chance(2) { BTreeSet::new() } else { BTreeSet::from([name(draw.one(&NAMES))]) };
            vec![Change::Redirect { node, old, new }]
        }
        3 => {
            let name = name(draw.one(&NAMES));
            let new = !world.used.contains(&(view, name.clone()));
            vec![Change::Used { view, name, new }]
        }
        _ => records(draw, view, world),
    }
}

fn records(draw: &mut Draw, view: ViewId, world: &World) -> Vec<Change> {
    let text = draw.one(&NAMES);
    let new = owner(draw, text);
    use CacheKind::{A, Aaaa, Cname, Hsts, Https, MtaSts, Mx};
    let kinds = [A, Aaaa, Cname, Mx, Https, MtaSts, Hsts];
    let key = |kind| CacheKey { view, owner: name(text), kind };
    let change = |kind: CacheKind| {
        let old = world.records.get(&key(kind)).cloned();
        let new = new.iter().find(|(k, _)| *k == kind).map(|(_, set)| set.clone());
        (old != new).then(|| Change::Records { key: key(kind), old, new })
    };
    kinds.into_iter().filter_map(change).collect()
}
