//! A retired host still takes mail.

use std::collections::{BTreeMap, BTreeSet};

use super::record_differs::{self, MxState};
use crate::judge::RuleInfo;
use crate::judge::beside::{self, outward};
use crate::judge::draft::{Context, Draft};
use crate::judge::wording;
use crate::model::finding::Severity;
use crate::model::plan::{MailDomain, ViewId};

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

/// One finding per domain. A waiver of one host says nothing of another.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    for (index, mail) in context.case.plan.mail.iter().enumerate() {
        let views = outward(context.case);
        let states: BTreeMap<ViewId, MxState> =
            views.into_iter().map(|v| (v, record_differs::mx_state(context, index, v))).collect();
        let mut groups: BTreeMap<Option<usize>, BTreeMap<&str, BTreeSet<ViewId>>> = BTreeMap::new();
        for (view, state) in &states {
            for host in &state.left_behind {
                let labels = [host, mail.domain.as_str(), wording::view(context.case.plan, *view)];
                let group = groups.entry(context.waiver_on(&INFO, &labels)).or_default();
                group.entry(host).or_default().insert(*view);
            }
        }
        drafts.extend(groups.iter().map(|(waiver, hosts)| draft(context, mail, *waiver, hosts, &states)));
    }
}

fn draft(
    context: &Context,
    mail: &MailDomain,
    waiver: Option<usize>,
    left: &BTreeMap<&str, BTreeSet<ViewId>>,
    states: &BTreeMap<ViewId, MxState>,
) -> Draft {
    let views: BTreeSet<ViewId> = left.values().flatten().copied().collect();
    let states: Vec<&MxState> = states.iter().filter(|(v, _)| views.contains(v)).map(|(_, s)| s).collect();
    let hosts = wording::list(left.keys().copied());
    let mut draft = beside::draft(context, &INFO, (mail.domain.as_str(), None), mail.span, &[]);
    draft.waiver = waiver;
    let verb = if left.len() == 1 { "still takes" } else { "still take" };
    draft.title = format!("{hosts} {verb} mail of {}", mail.domain);
    let expected: BTreeSet<&String> = states.iter().flat_map(|s| &s.expected).collect();
    draft.expected = expected.into_iter().cloned().collect();
    let seen: BTreeSet<&String> = states.iter().flat_map(|s| &s.seen).collect();
    draft.seen = wording::cut(seen.into_iter().cloned().collect());
    let takes = if left.len() == 1 { "takes" } else { "take" };
    draft.hurts = vec![format!("whoever writes to {}: what {hosts} {takes} may be read by nobody", mail.domain)];
    draft.remedy.cure = left.keys().map(|h| format!("delete the MX record {h} of {}", mail.domain)).collect();
    draft.looks = states.iter().flat_map(|s| s.looks.iter().copied()).collect();
    draft
}
