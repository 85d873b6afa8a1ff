//! A waiver that accepts nothing.

use std::collections::BTreeSet;

use super::super::{LATER, is_known};
use crate::judge::RuleInfo;
use crate::judge::draft::{Context, Draft};
use crate::judge::waive;
use crate::model::finding::Severity;
use crate::model::policy::{Ask, Scope};

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "waiver-matched-nothing",
    family: "plan",
    severity: Severity::Warning,
    summary: "a waiver accepts nothing of what was found",
    citation: "the plan file, [[waivers]]",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

A waiver in the plan is in force, and no finding of its rule is about what it names.

# Why it matters

Either the fault is gone, then the waiver would hide its return; or the waiver has a wrong `on`, then it does not do what
its author believes.

# Example

    [[waivers]]
    rule = \"endpoint-unreachable\"
    on = \"ex2003\"            # the server is called ex2003-fe
    reason = \"retired in March\"

# Cure

Delete it, or correct `rule` and `on`: a name, a server, a pool, a certificate or a view of the plan.

# References

The plan file: `[[waivers]]`
";

/// Only said where everything was asked for: a narrowed run does not see what the waiver is for.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let case = context.case;
    if case.policy.is_narrowed() || case.policy.scope == Scope::Files || case.policy.ask != Ask::Standing {
        return;
    }
    let used: BTreeSet<usize> = drafts.iter().filter_map(|d| d.waiver).collect();
    for (index, waiver) in case.plan.waivers.iter().enumerate() {
        let expired = waiver.until.as_ref().is_some_and(|u| case.now >= u.value);
        let rule = waiver.rule.value.as_str();
        let is_clear = waive::meanings(case.plan, waiver).len() < 2;
        if used.contains(&index) || expired || !is_clear || LATER.contains(&rule) || !is_known(rule) {
            continue;
        }
        let on = waiver.on.as_ref().map(|on| format!(" on {}", on.value)).unwrap_or_default();
        let mut draft = Draft::plain(&INFO, format!("the waiver of {rule}{on} accepts nothing"));
        draft.expected = vec![format!("a finding {rule}{on}")];
        draft.seen = vec!["none".into()];
        draft.remedy.cure = vec!["delete it, or correct its rule and on".into()];
        draft.at = Some(waiver.span);
        drafts.push(draft);
    }
}
