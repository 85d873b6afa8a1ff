//! A legacy name and the name that users keep lead to the same place.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::judge::RuleInfo;
use crate::judge::assess::answers;
use crate::judge::draft::{Context, Draft, Key};
use crate::judge::truth::Truth;
use crate::judge::wording;
use crate::model::finding::{Severity, Subject};
use crate::model::obligation::{Claim, Obligation};
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

/// Of each name that is due in a view: its obligation, and what was answered.
type Answered = BTreeMap<NameId, (usize, BTreeSet<IpAddr>)>;

/// One finding per legacy name and view; the plan's own fault before what DNS says.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let plan = context.case.plan;
    let (legacy, primary) = (names(plan, |table| table == Table::Legacy), primaries(plan));
    let asked = |v: &ViewId| context.case.policy.views.as_ref().is_none_or(|views| views.contains(v));
    for view in plan.view_ids().filter(asked).filter(|_| !legacy.is_empty()) {
        let given = given(context, view);
        for old in &legacy {
            let by_plan = planned(context, view, *old, &primary);
            drafts.extend(by_plan.or_else(|| answered(context, view, *old, &primary, &given)));
        }
    }
}

/// In coexistence only: in a transition both may still be where the old servers are.
fn given(context: &Context, view: ViewId) -> Answered {
    let case = context.case;
    if case.policy.moment(case.plan, view) != Moment::Steady(Phase::Coexistence) {
        return Answered::new();
    }
    let of = |(i, o): (usize, &Obligation)| match &*o.claim {
        Claim::Resolves { view: v, .. } if *v == view && case.is_due(i) => {
            let answers = answers(case, &case.plan.name(o.name).name.probe(), view, context.suspicion);
            Some((o.name, (i, answers)))
        }
        _ => None,
    };
    case.obligations.iter().enumerate().filter_map(of).collect()
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
fn planned(context: &Context, view: ViewId, old: NameId, primary: &[NameId]) -> Option<Draft> {
    let plan = context.case.plan;
    let legacy = addresses(plan, view, old);
    let shares = |new: &&NameId| !legacy.is_disjoint(&addresses(plan, view, **new));
    let same: Vec<NameId> = primary.iter().filter(shares).copied().collect();
    let shared = addresses(plan, view, *same.first()?).intersection(&legacy).next().copied()?;
    let mut draft = draft(context, view, old, &same, shared);
    draft.seen = vec![format!("the plan gives them {shared} in {}", wording::view(plan, view))];
    Some(draft)
}

/// The plan is right, and DNS gives them the same address in coexistence.
fn answered(context: &Context, view: ViewId, old: NameId, primary: &[NameId], given: &Answered) -> Option<Draft> {
    let (case, plan) = (context.case, context.case.plan);
    let (old_due, legacy) = given.get(&old)?;
    let shares = |new: &&NameId| given.get(new).is_some_and(|(_, answers)| !legacy.is_disjoint(answers));
    let same: Vec<NameId> = primary.iter().filter(shares).copied().collect();
    let shared = given.get(same.first()?)?.1.intersection(legacy).next().copied()?;
    let mut draft = draft(context, view, old, &same, shared);
    draft.seen = vec![format!("{} answers {shared} for all of them", wording::view(plan, view))];
    let all = same.iter().filter_map(|n| given.get(n)).map(|(i, _)| *i).chain([*old_due]);
    draft.obligations = all.filter(|i| context.assessed[*i].truth == Truth::Fail).collect();
    if draft.obligations.is_empty() {
        draft.obligations.insert(*old_due);
    }
    let problems = draft.obligations.iter().flat_map(|i| &context.assessed[*i].problems);
    draft.looks = problems.flat_map(|p| p.looks.iter().copied()).collect();
    draft.keys = draft.obligations.iter().map(|i| Key::Dns(case.obligations[*i].name, view)).collect();
    Some(draft)
}

fn draft(context: &Context, view: ViewId, old: NameId, same: &[NameId], shared: IpAddr) -> Draft {
    let plan = context.case.plan;
    let (legacy, primary) = (&plan.name(old).name, wording::name_list(plan, same));
    let label = wording::view(plan, view);
    let mut draft = Draft::plain(&INFO, format!("{legacy} and {primary} lead to the same address in {label}"));
    let mut on = BTreeSet::from([legacy.to_string(), label.to_string()]);
    on.extend(same.iter().map(|n| plan.name(*n).name.to_string()));
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
