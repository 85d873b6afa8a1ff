//! Let a reverse proxy accept a name: a proxy that does not know it answers with a page of its own, or not at all.

use std::collections::BTreeSet;

use super::{WORK, blank};
use crate::commands::ServerAct;
use crate::cutover::draft::Draft;
use crate::cutover::words::list;
use crate::cutover::{nodes, reach, typing};
use crate::model::cutover::{Ending, NodeId, StepKind, Undo};
use crate::model::name::Name;
use crate::model::plan::Target;

/// Products that publish names of other servers.
const PROXIES: &[&str] = &["wap", "isa", "isa-2006", "tmg", "arr", "haproxy", "nginx", "apache"];

pub(in crate::cutover) fn add(draft: &mut Draft) {
    let new: BTreeSet<(NodeId, Name)> = new(draft);
    if new.is_empty() {
        return;
    }
    let mut at: Vec<NodeId> = new.iter().map(|(n, _)| *n).collect();
    at.dedup();
    let names: BTreeSet<&Name> = new.iter().map(|(_, n)| n).collect();
    let labels: Vec<_> = at.iter().map(|n| draft.nodes[n.0].clone()).collect();
    let mut step = blank(
        StepKind::PublishAtProxy,
        format!("{} accept {}", list(&labels), list(&names)),
        "a proxy that does not know a name turns its clients away",
    );
    let publish = |(node, name): &(NodeId, Name)| {
        typing::at_node(draft, *node, ServerAct::Publish { name: name.clone(), members: Vec::new() })
    };
    step.commands = new.iter().flat_map(publish).collect();
    step.places = labels;
    step.ending = Ending::Observed(WORK);
    step.undo = Some(Undo { how: "accept the names no longer".into(), settles: WORK, commands: Vec::new() });
    draft.push(step);
}

/// Names that are led to a proxy, or balancer that ends TLS, for the first time, and that are not there yet.
fn new(draft: &Draft) -> BTreeSet<(NodeId, Name)> {
    let is_proxy = |n: NodeId| match nodes::target(draft.plan, n) {
        Target::Pool(_) => true,
        target => {
            let publishes = draft.plan.published(target).is_some();
            publishes || nodes::product(draft.plan, n).is_some_and(|p| PROXIES.contains(&p))
        }
    };
    // What the plan says to be accepted is.
    let accepts = |n: NodeId, name: &Name| draft.plan.accepts(nodes::target(draft.plan, n), name) == Some(true);
    let mut out = BTreeSet::new();
    for view in draft.plan.view_ids() {
        for name in &draft.plan.names {
            let led = |phase| -> BTreeSet<NodeId> {
                reach::targets(name, view, phase).flat_map(|t| nodes::of_target(draft.plan, t, phase)).collect()
            };
            let (before, after) = (led(draft.facts.from), led(draft.facts.to));
            let keys = Draft::address_keys(view, &name.name);
            let is_done = draft.facts.observed && !keys.iter().any(|k| draft.differs(k));
            let fresh = after.difference(&before).filter(|n| is_proxy(**n) && !is_done && !accepts(**n, &name.name));
            out.extend(fresh.map(|n| (*n, name.name.clone())));
        }
    }
    out
}
