//! A name that must resolve for a view's clients does not.

use super::{about, expected, keys, negative_wait, said, zone_lines};
use crate::judge::RuleInfo;
use crate::judge::draft::{Context, Draft, Item};
use crate::judge::problem::DnsFault;
use crate::judge::wording;
use crate::model::finding::Severity;
use crate::model::plan::{NameId, ViewId};

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "name-unresolved-in-view",
    family: "dns",
    severity: Severity::Error,
    summary: "a name that a view's clients need has no address there",
    citation: "RFC 1034 section 4.3.2; RFC 2308 section 2; RFC 8020",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

A resolver of the view was asked for the name and answered that there is none (NXDOMAIN), that it has no address (NODATA),
or that it cannot tell (SERVFAIL). The finding says which: NXDOMAIN wants a record, NODATA a record of the right type,
SERVFAIL a look at the zone, its delegation or its DNSSEC.

# Why it matters

Clients of the view cannot reach the service at all. With split DNS the internal zone hides every public name that it
does not hold itself, so a name that works outside may be missing inside.

# Example

    expected  external: A 203.0.113.3 (ex2003-fe)
    seen      NXDOMAIN from 9.9.9.9 and 1.1.1.1; authority SOA ns1.domain.com

# Cure

Write the record that the finding prints into the view's zone. Then wait: caches may go on saying that the name is
absent for the negative TTL.

# References

RFC 1034 section 4.3.2; RFC 2308 sections 2 and 5; RFC 8020 (NXDOMAIN: there really is nothing underneath)
";

/// One finding per name and view.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let groups = context.group(&INFO, |item| about(item, |f| matches!(f, DnsFault::Unresolved { .. })));
    drafts.extend(groups.into_iter().map(|((group, waiver), items)| draft(context, group, waiver, &items)));
}

fn draft(context: &Context, (name, view): (NameId, ViewId), waiver: Option<usize>, items: &[Item]) -> Draft {
    let (case, plan) = (context.case, context.case.plan);
    let mut draft = Draft::of(context, &INFO, items, waiver);
    draft.title = format!("{} does not resolve in {}", plan.name(name).name, wording::view(plan, view));
    draft.expected = expected(case, items);
    draft.seen = said(case, items);
    draft.hurts = vec![format!("clients of {}: they do not find the server", wording::view(plan, view))];
    let broken = items.iter().any(|i| super::word_of(i) == "SERVFAIL");
    draft.remedy.cure = match broken {
        true => vec!["SERVFAIL: look at the zone's servers, its delegation and its DNSSEC signatures".into()],
        false => zone_lines(case, items),
    };
    draft.remedy.cure.extend(negative_wait(case, view, items));
    draft.keys = keys(items);
    draft
}
