//! Who may send, which certificates and which hosts may take a domain's mail: widened before mail moves, narrowed after.

use super::{blank, check, words};
use crate::cutover::draft::Draft;
use crate::cutover::words::list;
use crate::model::cutover::{Ending, StepKind, Undo};
use crate::model::plan::PlannedRecord;

/// A policy's kind and where it stands.
struct Policy {
    kind: StepKind,
    wide: &'static str,
    narrow: &'static str,
    is_it: fn(&PlannedRecord) -> bool,
}

const POLICIES: [Policy; 3] = [
    Policy {
        kind: StepKind::ChangeMtaSts,
        wide: "list the new MX hosts beside the old ones, under a new id; senders keep the old policy for its max_age",
        narrow: "list the new MX hosts only, under a new id",
        is_it: |r| r.kind == "TXT" && r.owner.as_str().starts_with("_mta-sts."),
    },
    Policy {
        kind: StepKind::ChangeSpf,
        wide: "let old and new servers send",
        narrow: "let the new servers send only",
        is_it: |r| {
            r.kind == "TXT" && r.values.iter().flatten().flatten().any(|v| v.trim_matches('"').starts_with("v=spf1"))
        },
    },
    Policy {
        kind: StepKind::ChangeTlsa,
        wide: "list the new certificate or key beside the old one",
        narrow: "list the new certificate or key only",
        is_it: |r| r.kind == "TLSA",
    },
];

/// Before mail moves.
pub(in crate::cutover) fn widen(draft: &mut Draft) {
    POLICIES.iter().for_each(|p| add(draft, p, true));
}

/// Once no mail goes to the old hosts any more.
pub(in crate::cutover) fn narrow(draft: &mut Draft) {
    let moved = draft.last(StepKind::ChangeMtaSts).is_some() || draft.last(StepKind::ChangeSpf).is_some();
    if moved || draft.last(StepKind::ChangeTlsa).is_some() {
        POLICIES.iter().for_each(|p| add(draft, p, false));
    }
}

fn add(draft: &mut Draft, policy: &Policy, wide: bool) {
    let records: Vec<&PlannedRecord> = draft.plan.records.iter().filter(|r| (policy.is_it)(r)).collect();
    if records.is_empty() {
        return;
    }
    let owners = list(records.iter().map(|r| &r.owner));
    let action = if wide { policy.wide } else { policy.narrow };
    let why = match wide {
        true => {
            "receivers and senders judge by what their caches hold: old and new have to be allowed while both are seen"
        }
        false => "what is not needed any more is a door left open",
    };
    let mut step = blank(policy.kind, format!("{owners}: {action}"), why);
    let wanted = records
        .iter()
        .flat_map(|r| r.values.iter().flatten().flatten().map(|v| format!("in the plan: {} {} {v}", r.owner, r.kind)));
    let mut lines = vec![action.to_string()];
    lines.extend(wanted);
    lines.dedup();
    step.commands = vec![words(&"".into(), lines)];
    step.span = records[0].span;
    step.in_window = true;
    step.ending = Ending::Observed(draft.plan.cutover.propagation.iter().max().copied().unwrap_or(0));
    step.verify = Some(check(draft, "--only dns"));
    step.undo = Some(Undo { how: "the old record again".into(), settles: 0, commands: Vec::new() });
    draft.push(step);
}
