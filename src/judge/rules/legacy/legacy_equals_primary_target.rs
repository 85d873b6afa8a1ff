//! A legacy name and the name that users keep lead to the same place.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::judge::RuleInfo;
use crate::judge::assess::answers;
use crate::judge::draft::{Context, Draft, Key};
use crate::judge::wording;
use crate::model::finding::{Severity, Subject};
use crate::model::obligation::Claim;
use crate::model::phase::{Moment, Phase};
use crate::model::plan::{NameId, Plan, Table, ViewId, Wanted};

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "legacy-equals-primary-target",
    family: "legacy",
    severity: Severity::Error,
    summary: "in coexistence a legacy name and a primary name lead to the same endpoint: a redirect loop",
    citation: "Microsoft, Transitioning Client Access to Exchange Server 2010",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

While both generations run, the name that users keep leads to the new servers and the legacy name to the old ones. Here
both lead to the same address, in the plan itself or in what DNS answers.

# Why it matters

The new server redirects a user to the legacy name; the legacy name leads back to the new server, which redirects again:
a loop. Or the primary name still leads to the old server, and nobody reaches the new one.

# Example

    mail.domain.com         A 10.0.0.10
    legacy.mail.domain.com  A 10.0.0.10

# Cure

Give the old servers an address of their own, in every view, and point the legacy name to it. Behind one public address
a reverse proxy must tell the two names apart.

# References

https://techcommunity.microsoft.com/blog/exchange/transitioning-client-access-to-exchange-server-2010
";

/// One finding per legacy name, primary name and view; the plan's own fault before what DNS says.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let plan = context.case.plan;
    let legacy = names(plan, |table| table == Table::Legacy);
    let primary = primaries(plan);
    for view in plan.view_ids() {
        let asked = context.case.policy.views.as_ref().is_none_or(|views| views.contains(&view));
        for (old, new) in legacy.iter().flat_map(|l| primary.iter().map(move |p| (*l, *p))).filter(|_| asked) {
            drafts.extend(planned(context, view, old, new).or_else(|| answered(context, view, old, new)));
        }
    }
}

fn names(plan: &Plan, is: impl Fn(Table) -> bool) -> Vec<NameId> {
    (0..plan.names.len()).map(NameId).filter(|n| is(plan.name(*n).table)).collect()
}

/// The names that move at the flip; where none does, all internet names.
fn primaries(plan: &Plan) -> Vec<NameId> {
    let all = names(plan, |table| table == Table::Internet);
    let moves = |n: &NameId| {
        let wanted = |v: ViewId, phase| plan.name(*n).wanted(v, phase);
        plan.view_ids().any(|v| {
            matches!(wanted(v, Phase::Coexistence), Wanted::Targets(_))
                && wanted(v, Phase::Before) != wanted(v, Phase::Coexistence)
        })
    };
    let moving: Vec<NameId> = all.iter().copied().filter(moves).collect();
    if moving.is_empty() { all } else { moving }
}

fn addresses(plan: &Plan, view: ViewId, name: NameId) -> BTreeSet<IpAddr> {
    match plan.name(name).wanted(view, Phase::Coexistence) {
        Wanted::Targets(targets) => {
            targets.iter().flat_map(|t| plan.target_addresses(*t, view, Phase::Coexistence)).collect()
        }
        _ => BTreeSet::new(),
    }
}

/// The plan itself says so.
fn planned(context: &Context, view: ViewId, old: NameId, new: NameId) -> Option<Draft> {
    let plan = context.case.plan;
    let (legacy, primary) = (addresses(plan, view, old), addresses(plan, view, new));
    let shared = legacy.intersection(&primary).next()?;
    let mut draft = draft(context, view, old, new, *shared);
    draft.seen = vec![format!("the plan gives both {shared} in {}", wording::view(plan, view))];
    Some(draft)
}

/// The plan is right, and DNS gives both the same address in coexistence.
fn answered(context: &Context, view: ViewId, old: NameId, new: NameId) -> Option<Draft> {
    let (case, plan) = (context.case, context.case.plan);
    if case.policy.moment(plan, view) != Moment::Steady(Phase::Coexistence) {
        return None;
    }
    let due = |name: NameId| {
        case.obligations.iter().enumerate().find(|(i, o)| {
            case.is_due(*i) && matches!(o.claim, Claim::Resolves { name: n, view: v, .. } if n == name && v == view)
        })
    };
    let (old_due, new_due) = (due(old)?.0, due(new)?.0);
    let given = |name: NameId| answers(case, &plan.name(name).name.probe(), view, context.suspicion);
    let (legacy, primary) = (given(old), given(new));
    let shared = legacy.intersection(&primary).next()?;
    let mut draft = draft(context, view, old, new, *shared);
    draft.seen = vec![format!("{} answers {shared} for both", wording::view(plan, view))];
    draft.obligations = [old_due, new_due]
        .into_iter()
        .filter(|i| context.assessed[*i].truth == crate::judge::truth::Truth::Fail)
        .collect();
    if draft.obligations.is_empty() {
        draft.obligations.insert(old_due);
    }
    draft.looks = draft
        .obligations
        .iter()
        .flat_map(|i| &context.assessed[*i].problems)
        .flat_map(|p| p.looks.iter().copied())
        .collect();
    draft.keys = draft.obligations.iter().map(|i| Key::Dns(case.obligations[*i].claim.name(), view)).collect();
    Some(draft)
}

fn draft(context: &Context, view: ViewId, old: NameId, new: NameId, shared: IpAddr) -> Draft {
    let plan = context.case.plan;
    let (legacy, primary) = (&plan.name(old).name, &plan.name(new).name);
    let label = wording::view(plan, view);
    let mut draft = Draft::plain(&INFO, format!("{legacy} and {primary} lead to the same address in {label}"));
    let on = BTreeSet::from([legacy.to_string(), primary.to_string(), label.to_string()]);
    draft.waiver = context.waiver(INFO.name, &on);
    draft.subject = Subject {
        name: Some(legacy.to_string()),
        view: Some(label.into()),
        address: Some(shared.to_string()),
        ..Subject::default()
    };
    draft.expected = vec![format!("{legacy} to the old servers, {primary} to the new ones, in coexistence")];
    draft.hurts = vec![format!("users that are redirected to {legacy}: they come back to where they were")];
    draft.remedy.cure =
        vec![format!("give the old servers an address of their own in {label}, and {legacy} that address")];
    draft.at = Some(plan.name(old).span);
    draft
}
