//! What to type for a step, by the products of its places.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::draft::Draft;
use super::nodes;
use crate::commands::{self, Act, CertificateAct, Language, Member, Product, Rdata, ServerAct, ZoneAct, ZonePlace};
use crate::model::cutover::{CacheKind, Change, Datum, NodeId, RecordSet, Script};
use crate::model::name::Name;
use crate::model::plan::{Target, ViewId, ViewKind, Zone};
use crate::parallel;

/// The scripts of a product, at a place. Neighbours for the same shell are one.
fn at(on: &Arc<str>, scripts: Vec<commands::Script>, out: &mut Vec<Script>) {
    for script in scripts {
        let shell = if script.language == Language::Words { "words" } else { script.language.word() };
        add(Script { on: on.clone(), shell: shell.into(), lines: script.lines }, out);
    }
}

fn add(script: Script, out: &mut Vec<Script>) {
    match out.last_mut() {
        Some(last) if last.on == script.on && last.shell == script.shell => last.lines.extend(script.lines),
        _ => out.push(script),
    }
}

/// Something to do at a node, in its product's words.
pub(super) fn at_node(draft: &Draft, node: NodeId, act: ServerAct) -> Vec<Script> {
    let on = &draft.nodes[node.0];
    let mut out = Vec::new();
    at(on, commands::for_act(product(draft, node), &Act::Server { server: on.to_string(), act }), &mut out);
    out
}

/// Something to do with a certificate at a node. A thumbprint that nobody knows yet stands as a word to be replaced.
pub(super) fn certificate(draft: &Draft, node: NodeId, act: CertificateAct) -> Vec<Script> {
    let on = &draft.nodes[node.0];
    let mut out = Vec::new();
    let act = Act::Certificate { server: on.to_string(), act };
    at(on, commands::for_act(product(draft, node), &act), &mut out);
    out
}

/// The product of a node.
pub(super) fn product(draft: &Draft, node: NodeId) -> Product {
    Product::of(nodes::product(draft.plan, node))
}

/// A certificate's thumbprint, or a word that says whose is to be put there.
pub(super) fn thumbprint(draft: &Draft, credential: usize) -> String {
    match draft.facts.thumbprints.get(&credential) {
        Some(thumbprint) => thumbprint.clone(),
        None => format!("THUMBPRINT-OF-{}", draft.facts.credentials[credential].label),
    }
}

/// A node as a member of a pool.
pub(super) fn member(draft: &Draft, node: NodeId) -> Option<Member> {
    let Target::Server(id) = nodes::target(draft.plan, node) else { return None };
    let server = draft.plan.server(id);
    let address = server.own_addresses(&draft.plan.views).first().copied()?;
    let port = server.services.first().map_or(443, |s| s.value.port);
    Some(Member { label: server.label.to_string(), at: SocketAddr::new(address, port) })
}

/// An address that leads elsewhere, in words for whoever works at the firewall or balancer.
pub(super) fn repoint(draft: &Draft, change: &Change) -> Vec<Script> {
    let Change::Route { address, old, new, .. } = change else { return Vec::new() };
    let inner = |nodes: Vec<&NodeId>| -> Vec<IpAddr> {
        let targets = nodes.into_iter().map(|n| nodes::target(draft.plan, *n));
        targets.flat_map(|t| own_addresses(draft, t)).collect()
    };
    let (gone, come) = (inner(old.difference(new).collect()), inner(new.difference(old).collect()));
    let mut out = Vec::new();
    let on: Arc<str> = "".into();
    for (from, to) in gone.into_iter().zip(come).filter(|(from, to)| from.is_ipv4() == to.is_ipv4()) {
        at(&on, commands::for_act(Product::Other, &Act::Repoint { what: address.to_string(), from, to }), &mut out);
    }
    at(&on, vec![commands::Script { language: Language::Words, lines: vec![draft.line(change)] }], &mut out);
    out
}

/// Where a server or balancer listens inside.
fn own_addresses(draft: &Draft, target: Target) -> Vec<IpAddr> {
    match target {
        Target::Server(id) => draft.plan.server(id).own_addresses(&draft.plan.views),
        Target::Pool(id) => {
            let inside = draft.plan.view_ids().find(|v| draft.plan.view(*v).kind == ViewKind::Internal);
            inside.map(|v| draft.plan.pool(id).addresses[v.0].clone()).unwrap_or_default()
        }
    }
}

/// Changes of records of a view, all types of one owner together.
pub(super) fn records(draft: &Draft, view: ViewId, changes: &[Change]) -> Vec<Script> {
    let mut owners: BTreeMap<&Name, Vec<&Change>> = BTreeMap::new();
    for change in changes {
        if let Change::Records { key, .. } = change {
            owners.entry(&key.owner).or_default().push(change);
        }
    }
    let owners: Vec<(&Name, Vec<&Change>)> = owners.into_iter().collect();
    let each = parallel::each(owners.len(), |i| of_owner(draft, view, owners[i].0, &owners[i].1));
    let mut out = Vec::new();
    each.into_iter().flatten().for_each(|script| add(script, &mut out));
    out
}

fn of_owner(draft: &Draft, view: ViewId, owner: &Name, changes: &[&Change]) -> Vec<Script> {
    let mut out = Vec::new();
    let zone = zone(draft, view, owner);
    let on: Arc<str> = match zone {
        Some(zone) => zone.apex.shared(),
        None => draft.label(view).clone(),
    };
    // What is known in full is typed together; the rest of an owner is told in words.
    let (typed, told): (Vec<_>, Vec<_>) = changes.iter().copied().partition(|c| is_known(draft, view, owner, c));
    if let Some(act) = act(draft, view, owner, &typed) {
        let product = Product::of(zone.and_then(|z| z.product.as_deref()));
        at(&on, commands::for_act(product, &Act::Zone { zone: place(draft, view, zone), act }), &mut out);
    }
    if !told.is_empty() {
        let lines = told.iter().map(|c| draft.line(c)).collect();
        at(&on, vec![commands::Script { language: Language::Words, lines }], &mut out);
    }
    out
}

/// The zone of a view that an owner stands in, as the plan cuts them.
fn zone<'a>(draft: &Draft<'a>, view: ViewId, owner: &Name) -> Option<&'a Zone> {
    let over = |z: &&Zone| z.views.contains(&view) && owner.is_under(z.apex.as_str());
    draft.plan.zones.iter().filter(over).max_by_key(|z| z.apex.as_str().len())
}

fn place(draft: &Draft, view: ViewId, zone: Option<&Zone>) -> ZonePlace {
    ZonePlace {
        apex: zone.map(|z| z.apex.clone()),
        server: zone.and_then(|z| z.servers.first()).map(|s| s.value.addr.ip().to_string()),
        view: Some(draft.label(view).to_string()),
        internal: draft.plan.view(view).kind == ViewKind::Internal,
    }
}

/// True if all that a change's records say is known.
fn is_known(draft: &Draft, view: ViewId, owner: &Name, change: &Change) -> bool {
    match change {
        Change::Records { key, old, new } => {
            [old, new].into_iter().all(|set| rdata(draft, view, owner, key.kind, set.as_ref()).is_some())
        }
        _ => false,
    }
}

/// What is to be done to an owner; `None` where nothing is.
fn act(draft: &Draft, view: ViewId, owner: &Name, changes: &[&Change]) -> Option<ZoneAct> {
    let (mut old, mut new, mut ttl) = (Vec::new(), Vec::new(), 0);
    for change in changes {
        let Change::Records { key, old: before, new: after } = change else { continue };
        old.extend(rdata(draft, view, owner, key.kind, before.as_ref())?);
        new.extend(rdata(draft, view, owner, key.kind, after.as_ref())?);
        ttl = after.as_ref().map_or(ttl, |set| set.ttl.max(ttl));
    }
    let owner = owner.clone();
    Some(match (old.is_empty(), new.is_empty()) {
        (true, true) => return None,
        (_, true) => ZoneAct::Remove { owner, values: old },
        (true, false) => ZoneAct::Create { owner, ttl, values: new },
        (false, false) if old == new => ZoneAct::Ttl { owner, ttl, values: new },
        (false, false) => ZoneAct::Change { owner, ttl, old, new },
    })
}

fn rdata(draft: &Draft, view: ViewId, owner: &Name, kind: CacheKind, set: Option<&RecordSet>) -> Option<Vec<Rdata>> {
    let Some(set) = set else { return Some(Vec::new()) };
    match kind {
        CacheKind::A | CacheKind::Aaaa | CacheKind::Cname => set.data.iter().map(of_datum).collect(),
        CacheKind::Srv => {
            let record = draft.plan.records.iter().find(|r| r.owner == *owner && r.kind == kind.word())?;
            let values = record.values.get(view.0)?.as_ref()?;
            values.iter().map(|v| Rdata::parse(kind.word(), v)).collect()
        }
        CacheKind::Tlsa => set.data.iter().map(|d| association(draft, view, owner, d)).collect(),
        CacheKind::Mx => set.data.iter().map(|d| exchange(draft, owner, d)).collect(),
        _ => None,
    }
}

/// A host that takes mail: with its own preference where the plan or a recording has it, else with the best of those that
/// are known of its domain.
fn exchange(draft: &Draft, owner: &Name, datum: &Datum) -> Option<Rdata> {
    let (Datum::Host(host) | Datum::Elsewhere(host)) = datum else { return None };
    let known = draft.facts.preferences.iter().filter(|((domain, _), _)| domain == owner);
    let own = draft.facts.preferences.get(&(owner.clone(), host.clone()));
    let preference = own.or_else(|| known.map(|(_, preference)| preference).min())?;
    Some(Rdata::Mx { preference: *preference, exchange: Some(host.clone()) })
}

/// A certificate that somebody has seen, in the manner of the records that are there.
fn association(draft: &Draft, view: ViewId, owner: &Name, datum: &Datum) -> Option<Rdata> {
    let Datum::Certificate(index) = datum else { return None };
    let rrset = draft.facts.listed.iter().find(|l| l.key.owner == *owner && l.key.view == view)?;
    if rrset.is_by_authority() {
        // Its records are not one for each certificate.
        return None;
    }
    let manner = rrset.manner(|v| v.matching == 1)?;
    let association = draft.facts.associations.get(index)?.digest(manner.selector).to_vec();
    Some(Rdata::Tlsa { usage: manner.usage, selector: manner.selector, matching: 1, association })
}

fn of_datum(datum: &Datum) -> Option<Rdata> {
    match datum {
        Datum::Address(address) => Some(Rdata::from(*address)),
        Datum::Host(host) | Datum::Elsewhere(host) => Some(Rdata::Cname(host.clone())),
        Datum::Certificate(_) => None,
    }
}
