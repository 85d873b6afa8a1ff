//! What changes, one line each, and how long the way back is.

use std::collections::{BTreeMap, BTreeSet};

use super::draft::Draft;
use super::words;
use crate::model::cutover::{CacheKind, Change, StepKind, Timeline, span};
use crate::model::name::Name;
use crate::model::plan::ViewId;

/// What changes: names that come, go and move, then certificates.
pub(super) fn lines(draft: &Draft) -> Vec<String> {
    let (before, after) = (&draft.facts.world, &draft.world);
    let mut all: BTreeMap<(u8, Name), BTreeSet<ViewId>> = BTreeMap::new();
    let mut moves: BTreeMap<Name, String> = BTreeMap::new();
    let owners = |w: &crate::model::cutover::World| {
        let keys = w.records.keys().filter(|k| k.kind != CacheKind::Hsts);
        keys.map(|k| (k.view, k.owner.clone())).collect::<BTreeSet<(ViewId, Name)>>()
    };
    let (old, new) = (owners(before), owners(after));
    for (view, owner) in old.union(&new) {
        let mark = match (old.contains(&(*view, owner.clone())), new.contains(&(*view, owner.clone()))) {
            (false, true) => 0,
            (true, false) => 2,
            _ => match leads(draft, *view, owner) {
                Some(text) => {
                    moves.insert(owner.clone(), text);
                    1
                }
                None => continue,
            },
        };
        all.entry((mark, owner.clone())).or_default().insert(*view);
    }
    let everywhere = draft.plan.views.len();
    let line = |((mark, owner), views): (&(u8, Name), &BTreeSet<ViewId>)| {
        let labels: Vec<&str> = views.iter().map(|v| &**draft.label(*v)).collect();
        let only = if views.len() < everywhere { format!(" ({})", labels.join(", ")) } else { String::new() };
        match mark {
            0 => format!("+ {owner}{only}"),
            1 => format!("~ {owner}  {}{only}", moves.get(owner).map_or("", String::as_str)),
            _ => format!("- {owner}{only}"),
        }
    };
    let mut out: Vec<String> = all.iter().map(line).collect();
    out.extend(certificates(draft));
    out
}

/// Where an owner leads, before and after, by the labels of servers and pools; `None` if nothing of it changes.
fn leads(draft: &Draft, view: ViewId, owner: &Name) -> Option<String> {
    let moved = Draft::address_keys(view, owner).iter().any(|k| {
        let data = |w: &crate::model::cutover::World| w.records.get(k).map(|s| s.data.clone());
        data(&draft.facts.world) != data(&draft.world)
    });
    let name = draft.name(owner);
    let label = |phase| {
        let targets = name.into_iter().flat_map(|n| super::reach::targets(n, view, phase));
        words::list(targets.map(|t| draft.plan.target_label(t).clone()))
    };
    moved.then(|| format!("{} -> {}", label(draft.facts.from), label(draft.facts.to)))
}

fn certificates(draft: &Draft) -> Vec<String> {
    let mut out: BTreeSet<String> = BTreeSet::new();
    for ((node, port), new) in &draft.world.serving {
        let old = draft.facts.world.serving.get(&(*node, *port));
        if old != Some(new) {
            let text = |s| words::serving(s, &draft.facts.credentials);
            let old = old.map_or("nothing known".into(), text);
            out.insert(format!("~ {} certificate  {old} -> {}", draft.nodes[node.0], text(new)));
        }
    }
    out.into_iter().collect()
}

/// The longest way back from a step that moves clients, in seconds; what is over the budget is said.
pub(super) fn rollback(timeline: &Timeline, budget: u32, unknown: &mut BTreeSet<String>) -> u32 {
    let moves = |kind| {
        use StepKind::{ChangeMx, ChangePoolMembers, Flip, RepointAddress};
        matches!(kind, Flip | ChangeMx | ChangePoolMembers | RepointAddress)
    };
    let mut longest = 0;
    for (i, step) in timeline.steps.iter().enumerate().filter(|(_, s)| moves(s.kind)) {
        let back = step.undo.as_ref().map_or(0, |u| u.settles);
        longest = longest.max(back);
        if back > budget && step.changes.iter().any(|c| !matches!(c, Change::Used { .. })) {
            let (back, budget) = (span(i64::from(back)), span(i64::from(budget)));
            unknown.insert(format!(
                "the way back from step {} takes {back}, longer than rollback-budget ({budget})",
                i + 1
            ));
        }
    }
    longest
}
