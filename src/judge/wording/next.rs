//! The next command to type.

use super::view;
use crate::commands;
use crate::judge::case::Case;
use crate::model::finding::TYPED;
use crate::model::plan::{ViewId, ViewKind};
use crate::model::policy::Ask;

/// Standing in a view, to look at what is not seen from here; then to judge it together with this run.
pub(in crate::judge) fn stand(case: &Case, view_id: ViewId) -> Vec<String> {
    let label = view(case.plan, view_id);
    let (place, record) = match case.plan.view(view_id).kind {
        ViewKind::External => ("on a phone hotspot:".to_string(), "out.jsonl"),
        ViewKind::Internal => (format!("from a client of {label}:"), "in.jsonl"),
    };
    match case.plan.views.len() {
        // There is no other view whose record could be judged with this one's.
        1 => vec![place, again(case)],
        _ => vec![place, look(case, view_id, record), judge(case)],
    }
}

/// From where a target can be reached.
pub(in crate::judge) fn reach(case: &Case, who: &str, view_id: Option<ViewId>) -> Vec<String> {
    let place = format!("from where {who} can be reached:");
    match view_id {
        Some(v) if case.plan.views.len() > 1 => vec![place, look(case, v, "in.jsonl"), judge(case)],
        _ => vec![place, again(case)],
    }
}

/// The same once more, from here.
pub(in crate::judge) fn again(case: &Case) -> String {
    let newest = case.evidence.runs().values().max_by_key(|r| (r.started, &r.id));
    let detours = newest.map_or(&[][..], |r| &r.connect_to).iter().map(|d| format!(" --connect-to {}", typed(d)));
    format!("{TYPED}coexist check {}{}{}", file(case), asked(case), detours.collect::<String>())
}

fn look(case: &Case, view_id: ViewId, record: &str) -> String {
    let from = typed(view(case.plan, view_id));
    format!("{TYPED}coexist check {}{} --from {from} --record {record}", file(case), asked(case))
}

fn judge(case: &Case) -> String {
    format!("{TYPED}coexist judge {} in.jsonl out.jsonl{}", file(case), asked(case))
}

/// What was asked, as options.
fn asked(case: &Case) -> String {
    let policy = case.policy;
    let ask = match policy.ask {
        Ask::Standing => String::new(),
        Ask::Phase(moment) => format!(" --phase {moment}"),
        Ask::ReadyFor(phase) => format!(" --ready-for {phase}"),
    };
    let views = policy.views.iter().flatten().map(|v| format!(" --view {}", typed(view(case.plan, *v))));
    let only = policy.only.iter().map(|word| format!(" --only {}", typed(word)));
    std::iter::once(ask).chain(views).chain(only).collect()
}

fn file(case: &Case) -> String {
    typed(&case.plan.source.file)
}

/// Backslashes are PowerShell's; what holds none is written alike in every shell that has single quotes.
fn typed(word: &str) -> String {
    if word.contains('\\') { commands::powershell(word) } else { commands::posix(word) }
}
