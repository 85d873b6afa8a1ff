//! A record that is to be flipped still has a long TTL.

use super::{about, keys, said};
use crate::judge::RuleInfo;
use crate::judge::draft::{Context, Draft, Item};
use crate::judge::problem::{DnsFault, Fault};
use crate::judge::wording;
use crate::model::finding::Severity;
use crate::model::plan::{NameId, ViewId};

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "ttl-too-high-at-flip",
    family: "dns",
    severity: Severity::Error,
    summary: "on the eve of a flip a record's TTL is higher than planned",
    citation: "RFC 1034 section 3.6; RFC 2181 section 8",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

The name is to be flipped, and an address or a link of its CNAME chain has a TTL above what the plan wants (`ttl` of the
name, or `low-ttl` of the cutover). What caches show is the rest of the zone's TTL, so the zone's is at least that.

# Why it matters

After the flip caches go on giving the old address for that long, and after a roll-back the new one. Users meet both
sides for hours.

# Example

    expected  TTL at most 300 s
    seen      203.0.113.3 TTL 14400 s from 9.9.9.9

# Cure

Lower the TTL of A, AAAA and each CNAME link without changing the values, and wait the old TTL plus propagation before
the flip.

# References

RFC 1034 section 3.6; RFC 2181 section 8 (TTL)
";

/// One finding per name and view.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let groups = context.group(&INFO, |item| about(item, |f| matches!(f, DnsFault::TtlTooHigh { .. })));
    drafts.extend(groups.into_iter().map(|((group, waiver), items)| draft(context, group, waiver, &items)));
}

fn draft(context: &Context, (name, view): (NameId, ViewId), waiver: Option<usize>, items: &[Item]) -> Draft {
    let (case, plan) = (context.case, context.case.plan);
    let highest = items.iter().filter_map(|i| match &i.problem.fault {
        Fault::Dns(_, _, DnsFault::TtlTooHigh { ttl, at_most, .. }) => Some((*ttl, *at_most)),
        _ => None,
    });
    let (ttl, at_most) = highest.max().unwrap_or_default();
    let (name_text, view_text) = (&plan.name(name).name, wording::view(plan, view));
    let propagation = plan.cutover.propagation.get(view.0).copied().unwrap_or(0);
    let wait = i64::from(ttl) + i64::from(propagation) + i64::from(plan.cutover.slack);
    let mut draft = Draft::of(context, &INFO, items, waiver);
    draft.title = format!("{name_text} has a TTL of {ttl} s in {view_text}");
    draft.expected = vec![format!("TTL at most {at_most} s on every link, before the flip")];
    draft.seen = said(case, items);
    draft.hurts = vec![format!(
        "clients of {view_text}: for {} after the flip they may go to the old target",
        wording::duration(wait)
    )];
    draft.remedy.cure = vec![
        format!(
            "set the TTL of {name_text} (A, AAAA, each CNAME link{}) to {at_most} in {view_text}; values stay",
            others(items, name_text.as_str())
        ),
        format!("flip not before {} later", wording::duration(wait)),
    ];
    draft.keys = keys(items);
    draft
}

/// Links of the chain whose TTL is too high and that stand under other names: `: owa.domain.com`.
fn others(items: &[Item], name: &str) -> String {
    let owner = |item: &Item| match &item.problem.fault {
        Fault::Dns(_, _, DnsFault::TtlTooHigh { owner, .. }) => Some(owner.clone()),
        _ => None,
    };
    let is_link = |owner: &String| owner != name && owner.parse::<std::net::IpAddr>().is_err();
    let owners: std::collections::BTreeSet<String> = items.iter().filter_map(owner).filter(is_link).collect();
    match owners.is_empty() {
        true => String::new(),
        false => format!(": {}", wording::list(owners.iter().map(String::as_str))),
    }
}
