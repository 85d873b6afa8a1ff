//! A waiver's last day is over.

use crate::judge::RuleInfo;
use crate::judge::draft::{Context, Draft};
use crate::judge::wording;
use crate::model::finding::Severity;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "waiver-expired",
    family: "plan",
    severity: Severity::Warning,
    summary: "a waiver's last day is over; it accepts nothing any more",
    citation: "the plan file, [[waivers]]",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

A waiver in the plan has an `until` that lies in the past. What it accepted counts again.

# Why it matters

A waiver with an end is a promise to mend something by then. This is the reminder.

# Example

    [[waivers]]
    rule = \"endpoint-unreachable\"
    on = \"ex2003-fe\"
    reason = \"retired in March\"
    until = 2027-03-31

# Cure

Mend what it accepted and delete the waiver, or give it a new `until` with a reason that still holds.

# References

The plan file: `[[waivers]]`
";

/// One finding per expired waiver.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    for waiver in &context.case.plan.waivers {
        let Some(until) = waiver.until.as_ref().filter(|u| context.case.now >= u.value) else { continue };
        let on = waiver.on.as_ref().map(|on| format!(" on {}", on.value)).unwrap_or_default();
        let mut draft = Draft::plain(&INFO, format!("the waiver of {}{on} has expired", waiver.rule.value));
        draft.expected = vec![format!("judged on {}", wording::day(context.case.now))];
        draft.seen = vec![format!("it held until just before {}: {}", wording::day(until.value), waiver.reason.value)];
        draft.remedy.cure = vec!["mend what it accepted, or renew the waiver with its reason".into()];
        draft.at = Some(waiver.span);
        drafts.push(draft);
    }
}
