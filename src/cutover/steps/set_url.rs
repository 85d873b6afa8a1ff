//! Let servers tell their clients a name: only once it is there, and believed to be there, in every view.

use super::{WORK, blank, words};
use crate::commands::ServerAct;
use crate::cutover::draft::Draft;
use crate::cutover::words::list;
use crate::cutover::{nodes, reach, typing};
use crate::model::cutover::{CacheKey, CacheKind, Change, Ending, NodeId, StepKind, Undo};
use crate::model::name::Name;
use crate::model::plan::{Table, ViewId, ViewKind};

/// Names that clients begin to use, but for those that they are only sent to, which are sorted.
pub(in crate::cutover) fn add(draft: &mut Draft, redirected: &[Name]) {
    let goal = draft.facts.goal.used.iter();
    let new: Vec<(ViewId, Name)> = goal
        .filter(|u| !draft.world.used.contains(u) && redirected.binary_search(&u.1).is_err() && is_there(draft, u))
        .cloned()
        .collect();
    if !new.is_empty() {
        let what = format!("clients are told {}", names(&new));
        announce(draft, what, "they begin to use it, so it has to be there first", &new, true);
    }
}

fn is_there(draft: &Draft, (view, name): &(ViewId, Name)) -> bool {
    keys(draft, *view, name).iter().any(|k| draft.world.records.contains_key(k))
}

/// Names that clients no longer use: first nobody tells them any more, then nobody asks.
pub(in crate::cutover) fn end(draft: &mut Draft) {
    let old: Vec<(ViewId, Name)> =
        draft.world.used.iter().filter(|u| !draft.facts.goal.used.contains(u)).cloned().collect();
    if !old.is_empty() {
        let what = format!("no client is told {} any more", names(&old));
        announce(draft, what, "what is removed while somebody uses it is missed", &old, false);
    }
}

fn names(all: &[(ViewId, Name)]) -> String {
    let mut names: Vec<&Name> = all.iter().map(|(_, n)| n).collect();
    names.sort();
    names.dedup();
    list(names)
}

fn announce(draft: &mut Draft, what: String, why: &'static str, all: &[(ViewId, Name)], new: bool) {
    let keys: Vec<CacheKey> = all.iter().flat_map(|(v, n)| keys(draft, *v, n)).collect();
    let (waits, not_before) = draft.forgetting(&keys);
    let changes: Vec<Change> =
        all.iter().map(|(view, name)| Change::Used { view: *view, name: name.clone(), new }).collect();
    let mut step = blank(StepKind::SetUrl, what, why);
    if new {
        (step.waits, step.not_before) = (waits, not_before);
    }
    step.in_window = true;
    step.ending = Ending::Observed(WORK);
    step.commands = vec![words(&"".into(), lines(draft, all, new))];
    if new {
        step.commands.extend(exchange(draft, all));
    }
    let settles = if new { WORK.max(draft.url_hold()) } else { WORK };
    step.undo = Some(Undo { how: "set back the URLs that were there".into(), settles, commands: Vec::new() });
    step.span = all.iter().find_map(|(_, n)| draft.name(n)).map(|n| n.span).unwrap_or_default();
    step.changes = changes;
    draft.push(step);
}

fn lines(draft: &Draft, all: &[(ViewId, Name)], new: bool) -> Vec<String> {
    let line = |(view, name): &(ViewId, Name)| {
        let view = draft.label(*view);
        let legacy = draft.name(name).is_some_and(|n| n.table == Table::Legacy);
        match (new, legacy) {
            (true, true) => format!("{view}: set the URLs of the old servers to {name}"),
            (true, false) => format!("{view}: set the URLs that servers tell their clients to {name}"),
            (false, _) => {
                format!("{view}: set no URL to {name} any more, and see in the servers' logs that nobody asks for it")
            }
        }
    };
    all.iter().map(line).collect()
}

/// The records on the way from a name that clients use.
pub(in crate::cutover) fn keys(draft: &Draft, view: ViewId, name: &Name) -> Vec<CacheKey> {
    let mut owners = vec![name.clone()];
    // A wildcard is used by a name under it.
    owners.extend(name.parent().and_then(|p| Name::parse(&format!("*.{p}")).ok()));
    for kind in [CacheKind::Mx, CacheKind::Srv, CacheKind::Cname] {
        let key = CacheKey { view, owner: name.clone(), kind };
        for datum in draft.world.records.get(&key).into_iter().flat_map(|s| &s.data) {
            if let crate::model::cutover::Datum::Host(host) = datum {
                owners.push(host.clone());
            }
        }
    }
    let kinds = [CacheKind::A, CacheKind::Aaaa, CacheKind::Cname, CacheKind::Mx, CacheKind::Srv];
    let of = |owner: &Name| kinds.map(|kind| CacheKey { view, owner: owner.clone(), kind });
    owners.iter().flat_map(of).collect()
}

/// What Exchange servers tell their clients: the web name of each view, and inside the name of autodiscover too. A server
/// that a name leads to tells that name.
fn exchange(draft: &Draft, all: &[(ViewId, Name)]) -> Vec<crate::model::cutover::Script> {
    let mut urls: std::collections::BTreeMap<NodeId, [Option<Name>; 3]> = std::collections::BTreeMap::new();
    for (view, name) in all {
        let Some(planned) = draft.name(name).filter(|n| n.table != Table::Legacy) else { continue };
        let slot = match (name.as_str().starts_with("autodiscover."), draft.plan.view(*view).kind) {
            (true, ViewKind::Internal) => 2,
            (true, ViewKind::External) => continue,
            (false, ViewKind::Internal) => 0,
            (false, ViewKind::External) => 1,
        };
        let to = draft.facts.to;
        let led = reach::targets(planned, *view, to).flat_map(|t| nodes::of_target(draft.plan, t, to));
        let tells = |n: &NodeId| nodes::product(draft.plan, *n).is_some_and(|p| p.starts_with("exchange-"));
        for node in led.filter(tells) {
            urls.entry(node).or_default()[slot].get_or_insert(name.clone());
        }
    }
    let act = |(node, [internal, external, connection_point]): (NodeId, [Option<Name>; 3])| {
        typing::at_node(draft, node, ServerAct::SetUrls { internal, external, connection_point })
    };
    urls.into_iter().flat_map(act).collect()
}
