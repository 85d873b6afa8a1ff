//! Change the members of a pool: nobody is led to one that does not serve.

use super::repoint_address::{self, Moved};
use super::{QUICK, blank};
use crate::commands::{Member, ServerAct};
use crate::cutover::draft::Draft;
use crate::cutover::words::list;
use crate::cutover::{nodes, typing};
use crate::model::cutover::{Change, NodeId, StepKind};
use crate::model::phase::Phase;
use crate::model::plan::PoolId;

pub(in crate::cutover) fn add(draft: &mut Draft) {
    for pool in (0..draft.plan.pools.len()).map(PoolId) {
        let changes: Vec<Change> = repoint_address::moved(draft, |m| m == Moved::Members(pool));
        if changes.is_empty() {
            continue;
        }
        let label = draft.plan.pool(pool).label.clone();
        let what = format!("{label}: {}", list(changes.iter().map(|c| draft.line(c))));
        let step = blank(
            StepKind::ChangePoolMembers,
            what,
            "connections go to the new members at once: no cache stands between",
        );
        let mut step = repoint_address::routed(draft, step, changes);
        let [before, after] = [draft.facts.from, draft.facts.to].map(|p| members(draft, pool, p));
        let gone = |a: &[NodeId], b: &[NodeId]| -> Vec<Member> {
            a.iter().filter(|n| !b.contains(n)).filter_map(|n| typing::member(draft, *n)).collect()
        };
        let act = ServerAct::ChangeMembers {
            pool: label.to_string(),
            add: gone(&after, &before),
            remove: gone(&before, &after),
        };
        step.commands.extend(typing::at_node(draft, nodes::of_pool(draft.plan, pool), act));
        step.places = vec![label];
        step.span = draft.plan.pool(pool).span;
        step.ending = crate::model::cutover::Ending::Observed(QUICK);
        draft.push(step);
    }
}

fn members(draft: &Draft, pool: PoolId, phase: Phase) -> Vec<NodeId> {
    draft.plan.pool(pool).servers(phase).iter().map(|m| nodes::of_server(*m)).collect()
}
