//! A name resolves to something that the plan does not say.

use super::super::legacy::is_residue;
use super::odd::{self, Odd};
use super::{apart, corrections, difference, expected, keys, said};
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

Clients are led to another machine: the old server after the flip, the new one before it, a stranger's. What is known more
nearly (a forgotten AAAA, a private address outside, old and new side by side) has a rule of its own.

# Example

    expected  external: A 203.0.113.10 (ex2010)
    seen      203.0.113.3 from 9.9.9.9

# Cure

Correct the record, or the plan. A and AAAA are changed in the same step. If it was changed just now, the old answer may
come from caches until its TTL is over.

# References

RFC 1034 section 3.6; RFC 2181 section 5 (the records of one type are one set); RFC 6724 (which address a client takes)
";

/// One finding per name and view; what has a nearer rule, which weighs as much, is left to it. A public address inside
/// weighs less there, and so is said here too.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let groups = context.group(&INFO, |item| {
        let Fault::Dns(view, _, fault) = &item.problem.fault else { return None };
        let hairpin = match fault {
            DnsFault::Unexpected { .. } => match odd::of(context, item)? {
                Odd::Elsewhere => false,
                Odd::PublicInside => true,
                Odd::PrivateOutside | Odd::Generations | Odd::Aaaa => return None,
            },
            DnsFault::NoAlias { .. } => false,
            DnsFault::Unwanted { forbidden: false, .. } if !is_residue(context, item) => false,
            _ => return None,
        };
        Some((item.obligation.name, *view, hairpin))
    });
    for (((name, view, hairpin), waiver), items) in groups {
        let mut draft = draft(context, (name, view), waiver, &items);
        if hairpin {
            draft.keys.insert(Key::Hairpin(name, view));
        }
        drafts.push(draft);
    }
}

fn draft(context: &Context, (name, view): (NameId, ViewId), waiver: Option<usize>, items: &[Item]) -> Draft {
    let (case, plan) = (context.case, context.case.plan);
    let mut draft = Draft::of(context, &INFO, items, waiver);
    let unwanted = items.iter().any(|i| matches!(i.problem.fault, Fault::Dns(_, _, DnsFault::Unwanted { .. })));
    let (name_text, view_text) = (&plan.name(name).name, wording::view(plan, view));
    draft.title = match unwanted {
        true => format!("{name_text} still resolves in {view_text}"),
        false => title(items, name_text.as_str(), view_text),
    };
    draft.expected = expected(case, items);
    draft.seen = said(case, items);
    draft.seen.extend(odd::whose(context, view, items));
    draft.hurts = vec![match unwanted || difference(items) != Default::default() {
        true => format!("clients of {view_text}: they are led to another machine"),
        false => format!("clients of {view_text}: they are not led where the plan says"),
    }];
    draft.remedy.cure = match unwanted {
        true => vec![format!("delete {name_text} in {view_text}, once nobody uses it")],
        false => corrections(case, view, items),
    };
    draft.remedy.cure = apart(context, view, items, draft.remedy.cure);
    draft.keys = keys(items);
    draft.keys.extend(odd::strangers(items));
    draft
}

/// Right addresses may be there too, or only some be missing.
fn title(items: &[Item], name: &str, view: &str) -> String {
    let (strays, missing) = difference(items);
    let alias = items.iter().find_map(|i| match &i.problem.fault {
        Fault::Dns(_, _, DnsFault::NoAlias { alias }) => Some(alias),
        _ => None,
    });
    let hosts = items
        .iter()
        .any(|i| matches!(&*i.obligation.claim, Claim::Resolves { expected, .. } if !expected.like.is_empty()));
    match (strays.is_empty(), missing.is_empty()) {
        (false, true) => format!("{name} also leads to {} in {view}", odd::words(&strays)),
        (true, false) if !hosts => format!("{name} does not lead to {} in {view}", odd::words(&missing)),
        (true, true) if alias.is_some() => format!("{name} is not the alias in {view} that the plan says"),
        _ if items.iter().all(is_half) => format!("{name} leads to a part only of its targets in {view}"),
        _ => format!("{name} leads elsewhere in {view}"),
    }
}

/// True if nothing but right addresses of the target's own is there.
fn is_half(item: &Item) -> bool {
    let (Claim::Resolves { expected, .. }, Fault::Dns(_, _, DnsFault::Unexpected { addresses })) =
        (&*item.obligation.claim, &item.problem.fault)
    else {
        return false;
    };
    addresses.iter().all(|a| expected.present.iter().any(|p| p.addresses.contains(a)))
}
