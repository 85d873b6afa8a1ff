//! A name that must resolve for a view's clients does not.

use std::collections::{BTreeMap, BTreeSet};

use super::{about, apart, expected, keys, missing_lines, negative_wait, said};
use crate::judge::RuleInfo;
use crate::judge::assess::hear;
use crate::judge::draft::{Context, Draft, Item, Key};
use crate::judge::problem::{DnsFault, Fault};
use crate::judge::wording;
use crate::model::dns::DnsOutcome;
use crate::model::finding::Severity;
use crate::model::obligation::Claim;
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

/// What is mended together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    Name(NameId, ViewId),
    /// A resolver that fails whatever it is asked.
    Resolver(ViewId, usize),
    /// All resolvers of a view fail whatever they are asked.
    View(ViewId),
}

/// One finding per name and view, and one per resolver that fails for every name, or per view if all of them do.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let broken = broken(context);
    let groups = context.group(&INFO, |item| {
        let (name, view) = about(item, |f| matches!(f, DnsFault::Unresolved { .. }))?;
        let resolver = resolver(item).filter(|r| broken.contains(r));
        Some(match resolver {
            None => Group::Name(name, view),
            Some((v, _)) if is_all_broken(context, v, &broken) => Group::View(v),
            Some((v, r)) => Group::Resolver(v, r),
        })
    });
    drafts.extend(groups.into_iter().map(|((group, waiver), items)| match group {
        Group::Name(name, view) => of_name(context, name, view, waiver, &items),
        Group::Resolver(view, resolver) => of_resolver(context, view, resolver, waiver, &items),
        Group::View(view) => of_view(context, view, waiver, &items),
    }));
}

fn resolver(item: &Item) -> Option<(ViewId, usize)> {
    match &item.problem.fault {
        Fault::Dns(view, resolver, _) => Some((*view, *resolver)),
        _ => None,
    }
}

/// Resolvers that answered SERVFAIL to every question about several names.
fn broken(context: &Context) -> BTreeSet<(ViewId, usize)> {
    let case = context.case;
    let mut words: BTreeMap<(ViewId, usize), (bool, BTreeSet<NameId>)> = BTreeMap::new();
    for (_, obligation) in case.obligations.iter().enumerate().filter(|(i, _)| case.is_due(*i)) {
        let (name, Claim::Resolves { view, .. }) = (obligation.name, &*obligation.claim) else { continue };
        for resolver in 0..case.plan.view(*view).resolvers.len() {
            // One word that is no failure is enough.
            if words.get(&(*view, resolver)).is_some_and(|(fails, _)| !fails) {
                continue;
            }
            let heard = hear(case, &case.plan.name(name).name.probe(), *view, resolver);
            let fails =
                !heard.outcomes.is_empty() && heard.outcomes.iter().all(|(_, _, o)| **o == DnsOutcome::ServFail);
            let entry = words.entry((*view, resolver)).or_insert((true, BTreeSet::new()));
            entry.0 &= fails;
            entry.1.insert(name);
        }
    }
    words.into_iter().filter(|(_, (fails, names))| *fails && names.len() > 1).map(|(r, _)| r).collect()
}

fn is_all_broken(context: &Context, view: ViewId, broken: &BTreeSet<(ViewId, usize)>) -> bool {
    (0..context.case.plan.view(view).resolvers.len()).all(|r| broken.contains(&(view, r)))
}

fn of_name(context: &Context, name: NameId, view: ViewId, waiver: Option<usize>, items: &[Item]) -> Draft {
    let (case, plan) = (context.case, context.case.plan);
    let mut draft = Draft::of(context, &INFO, items, waiver);
    draft.title = format!("{} does not resolve in {}", plan.name(name).name, wording::view(plan, view));
    draft.expected = expected(case, items);
    draft.seen = said(case, items);
    draft.hurts = vec![format!("clients of {}: they do not find the server", wording::view(plan, view))];
    let broken = items.iter().any(|i| super::word_of(i) == "SERVFAIL");
    draft.remedy.cure = match broken {
        true => vec!["SERVFAIL: look at the zone's servers, its delegation and its DNSSEC signatures".into()],
        false => apart(context, view, items, missing_lines(case, items)),
    };
    if !items.iter().any(is_dangling) {
        draft.remedy.cure.extend(negative_wait(case, view, items));
    }
    draft.keys = keys(items);
    if items.iter().all(is_dangling) {
        draft.keys.insert(Key::Alias(name, view));
    }
    draft
}

/// Then the absence is the target's.
pub(in super::super) fn is_dangling(item: &Item) -> bool {
    matches!(&item.problem.fault, Fault::Dns(_, _, DnsFault::Unresolved { dangling: Some(_), .. }))
}

/// What only its silence leaves open follows from it, whatever name it is about.
fn of_view(context: &Context, view: ViewId, waiver: Option<usize>, items: &[Item]) -> Draft {
    let (case, plan) = (context.case, context.case.plan);
    let label = wording::view(plan, view);
    let (title, cure) = match plan.view(view).resolvers.as_slice() {
        [only] => (format!("resolver {} of {label} fails whatever it is asked", only.value), "its"),
        _ => (format!("all resolvers of {label} fail whatever they are asked"), "their"),
    };
    let mut draft = Draft::of(context, &INFO, items, waiver);
    draft.title = title;
    draft.subject.view = Some(label.to_string());
    draft.expected = wording::cut(expected(case, items));
    draft.seen = said(case, items);
    draft.hurts = vec![format!("clients of {label}: they find no server")];
    draft.remedy.cure = vec![format!(
        "{}: look at {cure} forwarders, {cure} zones and {cure} DNSSEC validation",
        wording::resolvers(case, items)
    )];
    draft.at = Some(plan.view(view).span);
    let of_view = |(i, o): (usize, &crate::model::obligation::Obligation)| match &*o.claim {
        Claim::Resolves { view: v, .. } | Claim::Lowered { view: v, .. } if *v == view && case.is_due(i) => {
            Some(Key::Dns(o.name, view))
        }
        _ => None,
    };
    draft.keys = case.obligations.iter().enumerate().filter_map(of_view).collect();
    draft
}

fn of_resolver(context: &Context, view: ViewId, resolver: usize, waiver: Option<usize>, items: &[Item]) -> Draft {
    let (case, plan) = (context.case, context.case.plan);
    let (label, address) = (wording::view(plan, view), wording::resolver(plan, view, resolver));
    let mut draft = Draft::of(context, &INFO, items, waiver);
    draft.title = format!("resolver {address} of {label} fails whatever it is asked");
    draft.subject.address = Some(address.clone());
    draft.expected = expected(case, items);
    draft.seen = said(case, items);
    draft.hurts = vec![format!("clients of {label} that ask it: they find no server")];
    draft.remedy.cure = vec![format!("{address}: look at its forwarders, its zones and its DNSSEC validation")];
    draft.at = plan.view(view).resolvers.get(resolver).map(|r| r.span);
    draft.keys = keys(items);
    draft
}
