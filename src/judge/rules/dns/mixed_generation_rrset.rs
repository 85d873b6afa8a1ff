//! Old and new addresses stand side by side under one name.

use super::odd::{self, Odd};
use crate::judge::RuleInfo;
use crate::judge::draft::{Context, Draft, Item};
use crate::judge::wording;
use crate::model::finding::Severity;
use crate::model::plan::{NameId, ViewId};

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "mixed-generation-rrset",
    family: "dns",
    severity: Severity::Error,
    summary: "an RRset holds addresses of this phase and of another",
    citation: "RFC 2181 section 5; RFC 1794",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

One answer holds addresses of the target that the plan wants in this phase, and beside them some that the name has in
another phase only. That is no flip in progress: caches keep the records of one type as a whole, the old set or the new.
On the eve of a flip the name may have its old target or its new one already, but not both.

# Why it matters

The record was added instead of changed, or changed ahead of its time. Clients take either, now one and now the other:
some users meet the old server for as long as it stands, and those who test see the right one every second time.

# Example

    expected  external: A 203.0.113.10 (ex2010)
    seen      203.0.113.3, 203.0.113.10 from 9.9.9.9

# Cure

Delete the address that does not belong to this phase. If both are meant, list both targets in the plan.

# References

RFC 2181 section 5 (the records of one type are one set); RFC 1794 (clients take any of them)
";

/// One finding per name and view.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let groups = context.group(&INFO, |item| odd::about(context, item, Odd::Generations));
    drafts.extend(groups.into_iter().map(|((group, waiver), items)| draft(context, group, waiver, &items)));
}

fn draft(context: &Context, (name, view): (NameId, ViewId), waiver: Option<usize>, items: &[Item]) -> Draft {
    let plan = context.case.plan;
    let (name_text, view_text) = (&plan.name(name).name, wording::view(plan, view));
    let mut draft = odd::draft(context, &INFO, view, waiver, items);
    let mut strays = odd::all_strays(items);
    if strays.is_empty() {
        strays = items.iter().flat_map(|i| odd::ahead(context, i)).collect();
        let lines = super::deletions(context.case, name, view, &strays);
        draft.remedy.cure = super::apart(context, view, items, lines);
    }
    let strays = odd::words(&strays);
    draft.title = format!("{name_text} has {strays} of another phase beside the right addresses in {view_text}");
    draft.hurts = vec![format!("clients of {view_text}: now the one, now the other, as chance has it")];
    draft
}
