//! Values in words: the one way in which every report says them.

use std::collections::BTreeSet;

use super::{
    Answer, CacheKey, CacheKind, Change, Credential, Datum, Moved, NodeId, RecordSet, Serving, Timeline, span,
};
use crate::model::name::Name;

/// A datum as a zone file would have it, certificates by label.
fn datum(datum: &Datum) -> String {
    match datum {
        Datum::Address(a) => a.to_string(),
        Datum::Host(n) | Datum::Elsewhere(n) => n.to_string(),
        Datum::Certificate(i) => format!("certificate {i}"),
    }
}

/// The data of an RRset.
pub fn data_words(set: &BTreeSet<Datum>) -> String {
    set.iter().map(datum).collect::<Vec<_>>().join(", ")
}

/// An answer: its data, or `absent`.
pub fn answer_words(answer: &Answer) -> String {
    answer.as_ref().map_or("absent".into(), |set| data_words(&set.data))
}

/// One change as a line that says old and new exactly.
pub fn change_line(timeline: &Timeline, change: &Change) -> String {
    let node = |id: &NodeId| timeline.node(*id).to_string();
    let some = |ids: &BTreeSet<NodeId>| match ids.is_empty() {
        true => "nobody".to_string(),
        false => ids.iter().map(node).collect::<Vec<_>>().join(", "),
    };
    match change {
        Change::Records { key, old, new } => records(key, old, new, &timeline.credentials),
        Change::Route { view, address, old, new } => {
            format!("{address} in {}: {} -> {}", timeline.view(*view), some(old), some(new))
        }
        Change::Serving { node: id, port, old, new } => {
            let text = |s: &Option<Serving>| {
                s.as_ref().map_or("nothing known".into(), |s| serving_words(s, &timeline.credentials))
            };
            format!("{} :{port}: {} -> {}", node(id), text(old), text(new))
        }
        Change::Redirect { node: id, old, new } => {
            let names = |n: &BTreeSet<_>| {
                if n.is_empty() {
                    "nowhere".to_string()
                } else {
                    n.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
                }
            };
            format!("{} sends its users to: {} -> {}", node(id), names(old), names(new))
        }
        Change::Used { view, name, new } => {
            let verb = if *new { "begin to use" } else { "no longer use" };
            format!("clients of {} {verb} {name}", timeline.view(*view))
        }
    }
}

fn records(key: &CacheKey, old: &Answer, new: &Answer, all: &[Credential]) -> String {
    let (owner, kind) = (&key.owner, key.kind.word());
    let said = |set: &RecordSet| labelled(&set.data, all);
    if key.kind == CacheKind::Hsts {
        return hsts(owner, new);
    }
    match (old, new) {
        (Some(old), Some(new)) if old.data == new.data => {
            format!("{owner} {kind} {}: TTL {} -> {}", said(new), old.ttl, new.ttl)
        }
        (None, Some(new)) => format!("add {owner} {} {kind} {}", new.ttl, said(new)),
        (Some(old), None) => format!("delete {owner} {kind} {}", said(old)),
        (Some(old), Some(set)) => {
            format!("{owner} {kind} {} -> {}, TTL {}", said(old), said(set), set.ttl)
        }
        (None, None) => format!("{owner} {kind}: nothing"),
    }
}

/// What browsers hear of a site from now on.
fn hsts(owner: &Name, new: &Answer) -> String {
    let Some(set) = new else { return format!("browsers are told nothing of HSTS any more by {owner}") };
    let below = set.data.iter().any(|d| matches!(d, Datum::Host(host) if host.is_wildcard()));
    let what = if below { format!("{owner} and all below it") } else { owner.to_string() };
    format!("browsers led here begin to remember HSTS of {what} for {}", span(i64::from(set.ttl)))
}

/// The data of an RRset, certificates by their labels.
fn labelled(set: &BTreeSet<Datum>, all: &[Credential]) -> String {
    let said = |d: &Datum| match d {
        Datum::Certificate(i) => all.get(*i).map_or_else(|| datum(d), |c| c.label.to_string()),
        _ => datum(d),
    };
    set.iter().map(said).collect::<Vec<_>>().join(", ")
}

/// The certificates of a port by their labels.
pub fn serving_words(serving: &Serving, all: &[Credential]) -> String {
    let label = |i: &usize| all.get(*i).map_or("", |c| &c.label).to_string();
    let labels = |ids: &[usize]| ids.iter().map(label).collect::<Vec<_>>().join(" and ");
    let named = serving.by_name.iter().map(|(name, ids)| format!("{name}: {}", labels(ids)));
    let default = labels(&serving.default);
    match serving.by_name.len() {
        0 => default,
        _ => format!("{default} ({})", named.collect::<Vec<_>>().join(", ")),
    }
}

/// A change of the steps in words, steps numbered from 1: `step 3, and all after it, 15 min later`.
pub fn moved_words(timeline: &Timeline, moved: &Moved) -> String {
    match moved {
        Moved::Later { step, by } => format!("step {}, and all after it, {} later", step + 1, span(i64::from(*by))),
        Moved::Settle { step, by } => format!("{} more once step {} is undone", span(i64::from(*by)), step + 1),
        Moved::Before { step, other } => format!("step {} before step {}", step + 1, other + 1),
        Moved::Serve { before, node, port, credential } => {
            let label = timeline.credentials.get(*credential).map_or("", |c| &c.label);
            format!("{label} on {} at {port} before step {}", timeline.node(*node), before + 1)
        }
        Moved::Without { step } => format!("without step {}", step + 1),
    }
}
