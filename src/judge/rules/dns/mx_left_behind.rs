//! A retired host still takes mail.

use std::collections::BTreeSet;

use super::record_differs::{self, MxState};
use crate::judge::RuleInfo;
use crate::judge::beside::{self, outward};
use crate::judge::draft::{Context, Draft};
use crate::judge::wording;
use crate::model::finding::Severity;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "mx-left-behind",
    family: "dns",
    severity: Severity::Warning,
    summary: "an MX host of an earlier phase still stands beside those of this one",
    citation: "RFC 5321 section 5.1",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

All hosts that take a domain's mail in this phase stand in its MX records, and beside them one that the plan names for an
earlier phase only.

# Why it matters

Senders choose by preference, and fall back to any of them. What the retired host takes is delivered to mailboxes that
nobody reads any more, or lost with the machine; spammers try the last host first.

# Example

    expected  MX contoso-com.mail.protection.outlook.com
    seen      10 contoso-com.mail.protection.outlook.com., 20 smtp.contoso.com.

# Cure

Delete the old MX record, and let the old host take mail until the record's TTL is over.

# References

RFC 5321 section 5.1
";

/// One finding per domain.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let plan = context.case.plan;
    for (index, mail) in plan.mail.iter().enumerate() {
        let states: Vec<MxState> =
            outward(context.case).into_iter().map(|v| record_differs::mx_state(context, index, v)).collect();
        let left: BTreeSet<&str> = states.iter().flat_map(|s| &s.left_behind).map(String::as_str).collect();
        if left.is_empty() {
            continue;
        }
        let labels: Vec<&str> = left.iter().copied().collect();
        let hosts = wording::list(labels.iter().copied());
        let mut draft = beside::draft(context, &INFO, (mail.domain.as_str(), None), mail.span, &labels);
        draft.title = format!("{hosts} still takes mail of {}", mail.domain);
        let expected: BTreeSet<&String> = states.iter().flat_map(|s| &s.expected).collect();
        draft.expected = expected.into_iter().cloned().collect();
        let seen: BTreeSet<&String> = states.iter().flat_map(|s| &s.seen).collect();
        draft.seen = wording::cut(seen.into_iter().cloned().collect());
        draft.hurts = vec![format!("whoever writes to {}: what {hosts} takes may be read by nobody", mail.domain)];
        draft.remedy.cure = left.iter().map(|h| format!("delete the MX record {h} of {}", mail.domain)).collect();
        draft.looks = states.iter().flat_map(|s| s.looks.iter().copied()).collect();
        drafts.push(draft);
    }
}
