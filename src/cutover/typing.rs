//! What to type for a step, by the products of its places.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use super::draft::Draft;
use super::nodes;
use crate::commands::{self, Act, CertificateAct, Language, Member, Product, Rdata, ServerAct, ZoneAct, ZonePlace};
use crate::model::cutover::{CacheKind, Change, Datum, NodeId, RecordSet, Script};
use crate::model::name::Name;
use crate::model::plan::{Target, ViewId, ViewKind, Zone};

/// The scripts of a product, at a place. Neighbours for the same shell are one.
fn at(on: &Arc<str>, scripts: Vec<commands::Script>, out: &mut Vec<Script>) {
    for script in scripts {
        let shell = if script.language == Language::Words { "words" } else { script.language.word() };
        match out.last_mut() {
            Some(last) if last.on == *on && &*last.shell == shell => last.lines.extend(script.lines),
            _ => out.push(Script { on: on.clone(), shell: shell.into(), lines: script.lines }),
        }
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

/// Changes of records of a view, all types of one owner together.
pub(super) fn records(draft: &Draft, view: ViewId, changes: &[Change]) -> Vec<Script> {
    let mut owners: BTreeMap<&Name, Vec<&Change>> = BTreeMap::new();
    for change in changes {
        if let Change::Records { key, .. } = change {
            owners.entry(&key.owner).or_default().push(change);
        }
    }
    let mut out = Vec::new();
    for (owner, changes) in owners {
        let zone = zone(draft, view, owner);
        let on: Arc<str> = match zone {
            Some(zone) => zone.apex.shared(),
            None => draft.label(view).clone(),
        };
        match act(draft, view, owner, &changes) {
            Some(act) => {
                let product = Product::of(zone.and_then(|z| z.product.as_deref()));
                at(&on, commands::for_act(product, &Act::Zone { zone: place(draft, view, zone), act }), &mut out);
            }
            None => {
                let lines = changes.iter().map(|c| draft.line(c)).collect();
                at(&on, vec![commands::Script { language: Language::Words, lines }], &mut out);
            }
        }
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

/// What is to be done to an owner; `None` where the records hold more than is known of them.
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
        // Preferences stand nowhere.
        _ => None,
    }
}

fn of_datum(datum: &Datum) -> Option<Rdata> {
    match datum {
        Datum::Address(address) => Some(Rdata::from(*address)),
        Datum::Host(host) | Datum::Elsewhere(host) => Some(Rdata::Cname(host.clone())),
        Datum::Certificate(_) => None,
    }
}
