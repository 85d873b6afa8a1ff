//! Lead an address to other servers, by NAT or a virtual address: no record changes, and no cache stands between.

use super::{QUICK, blank, check, words};
use crate::cutover::draft::Draft;
use crate::cutover::typing;
use crate::cutover::words::list;
use crate::model::cutover::{Change, Ending, Step, StepKind, Undo};
use crate::model::plan::{PoolId, ViewId};

/// Why another node answers at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moved {
    /// The pool behind it has other members.
    Members(PoolId),
    /// It leads to another server or pool.
    Elsewhere,
}

pub(in crate::cutover) fn add(draft: &mut Draft, view: ViewId) {
    let here = |c: &Change| matches!(c, Change::Route { view: v, .. } if *v == view);
    let changes: Vec<Change> = moved(draft, |m| m == Moved::Elsewhere).into_iter().filter(here).collect();
    if changes.is_empty() {
        return;
    }
    let what = list(changes.iter().map(|c| draft.line(c)));
    let mut step = blank(
        StepKind::RepointAddress,
        what,
        "the address stays, so that no cache has to forget it; new connections meet the new servers at once",
    );
    step.view = Some(view);
    let mut step = routed(draft, step, changes);
    step.places = vec![draft.label(view).clone()];
    let commands = step.changes.iter().flat_map(|c| typing::repoint(draft, c)).collect();
    let back = step.changes.iter().flat_map(|c| typing::repoint(draft, &c.undone())).collect();
    step.commands = commands;
    step.undo = step.undo.map(|u| Undo { commands: back, ..u });
    draft.push(step);
}

/// True if other nodes are to answer somewhere.
pub(in crate::cutover) fn is_due(draft: &Draft) -> bool {
    !moved(draft, |_| true).is_empty()
}

/// A step that changes who answers at addresses.
pub(super) fn routed(draft: &Draft, mut step: Step, changes: Vec<Change>) -> Step {
    step.in_window = true;
    step.ending = Ending::Observed(QUICK);
    step.verify = Some(check(draft, &format!("--phase {} --only tls", draft.facts.to)));
    let device = "".into();
    step.commands = vec![words(&device, changes.iter().map(|c| draft.line(c)))];
    let back = words(&device, changes.iter().map(|c| draft.line(&c.undone())));
    step.undo = Some(Undo { how: "lead it back".into(), settles: QUICK, commands: vec![back] });
    step.changes = changes;
    step
}

/// The addresses at which other nodes are to answer, for one reason.
pub(super) fn moved(draft: &Draft, is_meant: impl Fn(Moved) -> bool) -> Vec<Change> {
    let mut out = Vec::new();
    for ((view, address), new) in &draft.facts.goal.routes {
        let old = draft.world.routes.get(&(*view, *address)).cloned().unwrap_or_default();
        if old == *new {
            continue;
        }
        let pools = (0..draft.plan.pools.len()).map(PoolId);
        let pool = pools.into_iter().find(|p| {
            let pool = draft.plan.pool(*p);
            let members = |phase: crate::model::phase::Phase| {
                let ids = pool.servers(phase).iter().map(|m| crate::cutover::nodes::of_server(*m));
                ids.collect::<std::collections::BTreeSet<_>>()
            };
            pool.addresses[view.0].contains(address)
                && members(draft.facts.from) == old
                && members(draft.facts.to) == *new
        });
        if is_meant(pool.map_or(Moved::Elsewhere, Moved::Members)) {
            out.push(Change::Route { view: *view, address: *address, old, new: new.clone() });
        }
    }
    out
}
