//! `[cutover]`: how a change is made.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::reader::{Fields, Reader};
use super::time::Edge;
use super::views::Views;
use crate::model::http::Hsts;
use crate::model::name::Name;
use crate::model::plan::{Cutover, ViewKind, Window};
use crate::model::source::Located;
use crate::plan::error::PlanError;
use crate::plan::keys;
use crate::plan::raw::Node;

/// TTL to lower to before a flip.
const LOW_TTL: u32 = 300;
/// Inside, changes wait for the directory's replication; outside, for NOTIFY between the provider's servers.
const PROPAGATION: fn(ViewKind) -> u32 = |kind| match kind {
    ViewKind::Internal => 900,
    ViewKind::External => 300,
};
/// Longest acceptable way back.
const ROLLBACK: u32 = 1800;

pub(super) fn cutover(reader: &Reader, node: Option<&Node>, views: &Views) -> Cutover {
    let fields = node.and_then(|node| reader.fields(node, "[cutover]", keys::CUTOVER));
    let get = |key| fields.as_ref().and_then(|f: &Fields| f.get(key));
    let given = |key| get(key).and_then(|n| reader.seconds(n)).map(|s| s.value);
    let seconds = |key, default| given(key).unwrap_or(default);
    let slack = seconds("slack", 0);
    Cutover {
        low_ttl: seconds("low-ttl", LOW_TTL),
        propagation: propagation(reader, get("propagation"), views),
        slack,
        clock_error: seconds("clock-error", slack),
        cached_urls: given("cached-urls"),
        rollback_budget: seconds("rollback-budget", ROLLBACK),
        flipped: flipped(reader, get("flipped"), views),
        windows: get("windows").map(|n| windows(reader, n, views)).unwrap_or_default(),
        hsts: hsts(reader, get("hsts")),
    }
}

/// The headers of sites, by their names.
fn hsts(reader: &Reader, node: Option<&Node>) -> BTreeMap<Name, Located<Hsts>> {
    let mut out = BTreeMap::new();
    for (site, node) in reader.entries(node, "sites", &|_| false) {
        let name = reader.full_name(Located::new(&site.value, site.span));
        let wanted = "a header such as \"max-age=31536000; includeSubDomains\"";
        let (Some(name), Some(text)) = (name, reader.line(node, wanted)) else { continue };
        match Hsts::parse(&text.value) {
            None => {
                let label = format!("expected {wanted}");
                reader.note::<()>(PlanError::at(text.span, "not a Strict-Transport-Security header", label));
            }
            Some(header) => {
                if out.insert(name.value, Located::new(header, text.span)).is_some() {
                    reader.note::<()>(PlanError::at(site.span, "the same site twice", "declared above"));
                }
            }
        }
    }
    out
}

fn propagation(reader: &Reader, node: Option<&Node>, views: &Views) -> Vec<u32> {
    let given = node.map(|node| per_view(reader, node, views, |n| reader.seconds(n).map(|s| s.value)));
    let given = given.unwrap_or_else(|| views.all.iter().map(|_| None).collect());
    views.all.iter().zip(given).map(|(view, seconds)| seconds.unwrap_or(PROPAGATION(view.kind))).collect()
}

fn flipped(reader: &Reader, node: Option<&Node>, views: &Views) -> Vec<Option<Timestamp>> {
    match node {
        Some(node) => per_view(reader, node, views, |n| reader.instant(n, Edge::From)),
        None => views.all.iter().map(|_| None).collect(),
    }
}

/// Reads the value of each view, one that stands for several once.
fn per_view<T: Clone>(
    reader: &Reader,
    node: &Node,
    views: &Views,
    read: impl Fn(&Node) -> Option<T>,
) -> Vec<Option<T>> {
    let mut known: Vec<(*const Node, Option<T>)> = Vec::new();
    let mut once = |node: &Node| match known.iter().find(|(n, _)| std::ptr::eq(*n, node)) {
        Some((_, value)) => value.clone(),
        None => {
            let value = read(node);
            known.push((node, value.clone()));
            value
        }
    };
    views.each(reader, node).into_iter().map(|node| node.and_then(&mut once)).collect()
}

fn windows(reader: &Reader, node: &Node, views: &Views) -> Vec<Vec<Located<Window>>> {
    let window = |item: &Node| {
        let text = reader.line(item, "a window such as \"Mon-Thu 20:00-06:00\"")?;
        match Window::parse(&text.value) {
            Ok(window) => Some(Located::new(window, text.span)),
            Err(words) => reader.note(PlanError::at(text.span, "not a window", words)),
        }
    };
    let all = |node: &Node| Some(reader.one_or_many(node).iter().filter_map(window).collect());
    per_view(reader, node, views, all).into_iter().map(Option::unwrap_or_default).collect()
}
