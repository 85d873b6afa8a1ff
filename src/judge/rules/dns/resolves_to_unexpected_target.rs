//! A name resolves to something that the plan does not say.

use super::{about, expected, keys, said, zone_lines};
use crate::judge::RuleInfo;
use crate::judge::draft::{Context, Draft, Item, Key};
use crate::judge::problem::{DnsFault, Fault};
use crate::judge::wording;
use crate::model::finding::Severity;
use crate::model::obligation::Claim;
use crate::model::plan::{NameId, ViewId};

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "resolves-to-unexpected-target",
    family: "dns",
    severity: Severity::Error,
    summary: "a name resolves to addresses other than those of its target",
    citation: "RFC 1034 section 3.6; RFC 2181 section 5",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

A resolver of the view answered with a set of addresses, A and AAAA together, that is not the set of the target which the
plan names in this phase; or an alias that must show does not; or a retired name still resolves.

# Why it matters

Clients are led to another machine: the old server after the flip, the new one before it, a stranger's. A forgotten AAAA
is the classic one: clients prefer it, and the administrator looks at the A record only.

# Example

    expected  external: A 203.0.113.10 (ex2010)
    seen      203.0.113.3 from 9.9.9.9

# Cure

Correct the record, or the plan. A and AAAA are changed in the same step. If it was changed just now, the old answer may
come from caches until its TTL is over.

# References

RFC 1034 section 3.6; RFC 2181 section 5 (the records of one type are one set); RFC 6724 (which address a client takes)
";

/// One finding per name and view.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let is = |f: &DnsFault| {
        matches!(
            f,
            DnsFault::Unexpected { .. } | DnsFault::NoAlias { .. } | DnsFault::Unwanted { forbidden: false, .. }
        )
    };
    let groups = context.group(&INFO, |item| about(item, is));
    drafts.extend(groups.into_iter().map(|((group, waiver), items)| draft(context, group, waiver, &items)));
}

fn draft(context: &Context, (name, view): (NameId, ViewId), waiver: Option<usize>, items: &[Item]) -> Draft {
    let (case, plan) = (context.case, context.case.plan);
    let mut draft = Draft::of(context, &INFO, items, waiver);
    let unwanted = items.iter().any(|i| matches!(i.problem.fault, Fault::Dns(_, _, DnsFault::Unwanted { .. })));
    let (name_text, view_text) = (&plan.name(name).name, wording::view(plan, view));
    draft.title = match unwanted {
        true => format!("{name_text} still resolves in {view_text}"),
        false => format!("{name_text} leads elsewhere in {view_text}"),
    };
    draft.expected = expected(case, items);
    draft.seen = said(case, items);
    draft.seen.extend(whose(context, view, items));
    draft.hurts = vec![format!("clients of {view_text}: they are led to another machine")];
    draft.remedy.cure = match unwanted {
        true => vec![format!("delete {name_text} in {view_text}, once nobody uses it")],
        false => zone_lines(case, items),
    };
    draft.keys = keys(items);
    draft.keys.extend(strangers(items));
    draft
}

/// Whose the addresses are, where the plan knows them.
fn whose(context: &Context, view: ViewId, items: &[Item]) -> Vec<String> {
    let case = context.case;
    let addresses = items.iter().flat_map(addresses).collect::<std::collections::BTreeSet<_>>();
    let line =
        |a: &std::net::IpAddr| case.owner(view, *a).map(|target| format!("{a} is {}", case.plan.target_label(target)));
    wording::cut(addresses.iter().filter_map(line).collect())
}

fn addresses(item: &Item) -> Vec<std::net::IpAddr> {
    match &item.problem.fault {
        Fault::Dns(_, _, DnsFault::Unexpected { addresses } | DnsFault::Unwanted { addresses, .. }) => {
            addresses.iter().copied().collect()
        }
        _ => Vec::new(),
    }
}

/// The addresses that only this answer leads to.
fn strangers(items: &[Item]) -> Vec<Key> {
    let of = |item: &Item| {
        let Claim::Resolves { name, view, .. } = &item.obligation.claim else { return Vec::new() };
        addresses(item).into_iter().map(|a| Key::Stranger(*name, *view, a)).collect()
    };
    items.iter().flat_map(of).collect()
}
