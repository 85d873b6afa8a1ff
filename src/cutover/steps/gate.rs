//! Nothing goes on until a check passes.

use super::{QUICK, blank};
use crate::cutover::draft::Draft;
use crate::model::cutover::{Ending, Gate, Script, StepKind};
use crate::model::plan::ViewId;

/// Every name at every server, by address, before any client is sent there.
pub(in crate::cutover) fn served(draft: &mut Draft) -> usize {
    let rest = format!("--ready-for {} --only san,tls", draft.facts.to);
    add(draft, None, &rest, "every name at every server, by address", "no client is sent to a server that is not ready")
}

/// All that must hold before the flip.
pub(in crate::cutover) fn ready(draft: &mut Draft) -> usize {
    let rest = format!("--ready-for {}", draft.facts.to);
    add(
        draft,
        None,
        &rest,
        "all that must hold before the flip",
        "certificates, names in every view, and short TTLs come first",
    )
}

/// A view has arrived.
pub(in crate::cutover) fn arrived(draft: &mut Draft, view: ViewId) -> usize {
    let label = crate::commands::posix(draft.label(view));
    let rest = format!("--phase {} --view {label} --from {label}", draft.facts.to);
    let shows = format!("all of {} passes", draft.label(view));
    add(draft, Some(view), &rest, &shows, "what is wrong shows here first, and the other views have not moved yet")
}

/// The way is done, and what is to go is still there.
pub(in crate::cutover) fn between(draft: &mut Draft) -> usize {
    let rest = format!("--phase {}..{}", draft.facts.from, draft.facts.to);
    add(draft, None, &rest, "old and new both pass in every view", "only then is anything taken away")
}

/// All views have arrived.
pub(in crate::cutover) fn all(draft: &mut Draft) -> usize {
    let rest = format!("--phase {}", draft.facts.to);
    add(draft, None, &rest, "everything passes in every view", "only then is there no way back")
}

fn add(draft: &mut Draft, view: Option<ViewId>, rest: &str, shows: &str, why: &str) -> usize {
    let command = super::check(draft, rest);
    let mut step = blank(StepKind::Gate, shows, why);
    step.view = view;
    step.places = view.map(|v| draft.label(v).clone()).into_iter().collect();
    step.ending = Ending::Observed(QUICK);
    step.gate = Some(Gate { command: command.clone(), shows: shows.into() });
    step.verify = Some(command.clone());
    step.commands = vec![Script { on: "".into(), shell: "sh".into(), lines: vec![command.to_string()] }];
    draft.push(step)
}
