//! A name for inside resolves outside.

use super::{about, apart, expected, keys, said};
use crate::judge::RuleInfo;
use crate::judge::draft::{Context, Draft, Item};
use crate::judge::problem::DnsFault;
use crate::judge::wording;
use crate::model::finding::Severity;
use crate::model::plan::{NameId, ViewId};

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "intranet-name-in-external-view",
    family: "dns",
    severity: Severity::Warning,
    summary: "a name that is for clients inside only resolves outside",
    citation: "RFC 1918 section 5; RFC 6950 section 4",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

The name stands in [intranet], or is a legacy name for inside, and an external resolver answers for it.

# Why it matters

The public zone tells strangers about inside servers, and clients outside may try an address that is not theirs. Often
the whole internal zone was published, or a wildcard record answers for everything.

# Example

    expected  external: no such name
    seen      10.0.0.10 from 9.9.9.9

# Cure

Delete the name from the public zone, or look for a wildcard record. If it is meant to be public, say
`leaks = \"allowed\"` for it, or move it to [internet].

# References

RFC 1918 section 5; RFC 6950 section 4 (split DNS)
";

/// One finding per name and view.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let groups = context.group(&INFO, |item| about(item, |f| matches!(f, DnsFault::Unwanted { forbidden: true, .. })));
    drafts.extend(groups.into_iter().map(|((group, waiver), items)| draft(context, group, waiver, &items)));
}

fn draft(context: &Context, (name, view): (NameId, ViewId), waiver: Option<usize>, items: &[Item]) -> Draft {
    let (case, plan) = (context.case, context.case.plan);
    let (name_text, view_text) = (&plan.name(name).name, wording::view(plan, view));
    let mut draft = Draft::of(context, &INFO, items, waiver);
    draft.title = format!("{name_text} is for inside and resolves in {view_text}");
    draft.expected = expected(case, items);
    draft.seen = said(case, items);
    draft.hurts = vec!["strangers learn of an inside server; clients outside may try a stranger's address".into()];
    let lines =
        vec![format!("delete {name_text} from the zone that {view_text} sees, or allow it: leaks = \"allowed\"")];
    draft.remedy.cure = apart(context, view, items, lines);
    draft.keys = keys(items);
    draft
}
