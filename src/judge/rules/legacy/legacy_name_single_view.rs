//! A legacy name exists for one audience and not for the other.

use std::collections::{BTreeMap, BTreeSet};

use super::super::dns::{apart, is_dangling, missing_lines, negative_wait};
use crate::judge::RuleInfo;
use crate::judge::assess::Cell;
use crate::judge::draft::{Context, Draft, Item, Key};
use crate::judge::problem::{DnsFault, Fault};
use crate::judge::truth::Truth;
use crate::judge::wording;
use crate::model::finding::Severity;
use crate::model::obligation::Claim;
use crate::model::plan::{NameId, Table, ViewId, ViewKind};

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "legacy-name-single-view",
    family: "legacy",
    severity: Severity::Error,
    summary: "a legacy name resolves in one view of its audience and is absent in another",
    citation: "Practical 365, Export an Exchange Server 2010 Certificate to Exchange 2003; RFC 2308",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

A name of [legacy] has clients in several views. In one of them it resolves as it should, in another it does not exist.

# Why it matters

Exchange 2010 has one redirect address (Exchange2003Url) for all users. A name that exists inside only sends every user
outside, whose mailbox has not moved yet, to a name that is not found.

# Example

    internal: legacy.mail.domain.com A 10.0.0.3
    external: NXDOMAIN

# Cure

Write the record into the zone of the other view. Then wait for the negative TTL before the first redirect: caches may
still say that the name is absent.

# References

https://practical365.com/export-an-exchange-server-2010-certificate-to-exchange-2003/ (the questions below the article);
RFC 2308 section 5
";

/// One finding per name.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let present = present(context);
    let groups = context.group(&INFO, |item| {
        let name = item.obligation.name;
        let absent = is_absent(context, item) && context.case.plan.name(name).table == Table::Legacy;
        (absent && present.contains_key(&name)).then_some(name)
    });
    for ((name, waiver), items) in groups {
        let there = present.get(&name).cloned().unwrap_or_default();
        drafts.push(draft(context, name, &there, waiver, &items));
    }
}

/// The views in which each legacy name resolves as wanted.
fn present(context: &Context) -> BTreeMap<NameId, BTreeSet<ViewId>> {
    let mut out: BTreeMap<NameId, BTreeSet<ViewId>> = BTreeMap::new();
    for (obligation, assessment) in context.case.obligations.iter().zip(context.assessed) {
        if let (name, Claim::Resolves { view, expected }) = (obligation.name, &*obligation.claim) {
            if context.case.plan.name(name).table != Table::Legacy {
                continue;
            }
            let wanted = !expected.present.is_empty() || !expected.like.is_empty();
            if wanted && assessment.truth == Truth::Pass && assessment.cell != Cell::Word("absent") {
                out.entry(name).or_default().insert(*view);
            }
        }
    }
    out
}

/// NXDOMAIN and NODATA are absences; SERVFAIL is none.
fn is_absent(context: &Context, item: &Item) -> bool {
    let nothing = |look: &usize| context.case.evidence.dns(*look).is_some_and(|o| o.reply().is_some());
    matches!(item.problem.fault, Fault::Dns(_, _, DnsFault::Unresolved { .. }))
        && item.problem.looks.iter().any(nothing)
}

fn draft(context: &Context, name: NameId, there: &BTreeSet<ViewId>, waiver: Option<usize>, items: &[Item]) -> Draft {
    let (case, plan) = (context.case, context.case.plan);
    let missing: BTreeSet<ViewId> = items.iter().filter_map(view).collect();
    let inside = |views: &BTreeSet<ViewId>| views.iter().all(|v| plan.view(*v).kind == ViewKind::Internal);
    let outside = |views: &BTreeSet<ViewId>| views.iter().all(|v| plan.view(*v).kind == ViewKind::External);
    let only = match (inside(there), outside(there)) {
        (true, _) => "inside only".to_string(),
        (_, true) => "outside only".to_string(),
        _ => format!("in {} only", wording::view_list(plan, there.iter().copied())),
    };
    let mut draft = Draft::of(context, &INFO, items, waiver);
    draft.title = format!("{} exists {only}", plan.name(name).name);
    draft.expected = super::super::dns::expected(case, items);
    draft.seen = super::super::dns::said(case, items);
    let who = if outside(&missing) { "users outside" } else { "users inside" };
    draft.hurts = vec![hurts(context, name, who)];
    draft.remedy.cure = missing_lines(case, items);
    if let (1, Some(view)) = (missing.len(), missing.first()) {
        draft.remedy.cure = apart(context, *view, items, draft.remedy.cure);
    }
    draft.remedy.cure.extend(missing.iter().filter_map(|v| negative_wait(case, *v, items)).take(1));
    draft.keys = missing.iter().map(|v| Key::Dns(name, *v)).collect();
    if items.iter().all(is_dangling) {
        draft.keys.extend(missing.iter().map(|v| Key::Alias(name, *v)));
    }
    draft
}

fn hurts(context: &Context, name: NameId, who: &str) -> String {
    let plan = context.case.plan;
    let wanted = &plan.name(name).name;
    let redirects = |s: &&crate::model::plan::Server| s.redirects.iter().any(|r| r.value == *wanted);
    match plan.servers.iter().find(redirects) {
        Some(server) => {
            format!(
                "{who} whose mailbox is still on the old servers: {} redirects them to a name not found",
                server.label
            )
        }
        None => format!("{who} whose mailbox is still on the old servers: they are sent to a name not found"),
    }
}

fn view(item: &Item) -> Option<ViewId> {
    match &item.problem.fault {
        Fault::Dns(view, _, _) => Some(*view),
        _ => None,
    }
}
