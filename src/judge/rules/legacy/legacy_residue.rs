//! What was only for the time side by side is still there after it.

use std::collections::{BTreeMap, BTreeSet};

use super::super::dns::{apart, expected, keys, said, strangers};
use crate::judge::RuleInfo;
use crate::judge::draft::{Context, Draft, Item};
use crate::judge::problem::{DnsFault, Fault};
use crate::judge::wording;
use crate::model::finding::{Severity, Subject};
use crate::model::obligation::Claim;
use crate::model::phase::{Moment, Phase};
use crate::model::plan::{
    CertId, CertificateSource, NameId, Plan, PlannedName, PoolId, Published, ServerId, Table, Target, ViewId, Wanted,
};

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "legacy-residue",
    family: "legacy",
    severity: Severity::Warning,
    summary: "after the old servers are gone something still speaks of their names",
    citation: "Microsoft, Transitioning Client Access to Exchange Server 2010; RFC 1912 section 2",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

The plan stands in `after`, and a name of [legacy] still resolves; or a server still has it in `redirects`, or a proxy that
is still in use in `publishes`; or a certificate that is still served lists it, which is a note only.

# Why it matters

The record points to an address that may be somebody else's tomorrow, who then is given what users type. A redirect to a
retired name is a dead end. A name that stays on certificates has to be proved and renewed each time for nothing.

# Example

    expected  external: no such name
    seen      203.0.113.3 from 9.9.9.9

# Cure

Delete the record in every view, once nobody uses it. Take the redirect from the server (for Exchange 2010,
Set-OwaVirtualDirectory -Exchange2003Url $null) and from the plan, and the name from the rules of the proxy. Order the next certificate without the name.

# References

https://techcommunity.microsoft.com/blog/exchange/transitioning-client-access-to-exchange-server-2010; RFC 1912 section 2
";

/// One finding per name and view, per server that redirects, per certificate.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let groups = context.group(&INFO, |item| match &item.problem.fault {
        Fault::Dns(view, _, _) if is_residue(context, item) => Some((item.obligation.name, *view)),
        _ => None,
    });
    drafts.extend(groups.into_iter().map(|((group, waiver), items)| of_answer(context, group, waiver, &items)));
    let retired = retired(context);
    drafts.extend(redirects(context, &retired));
    drafts.extend(published(context, &retired));
    drafts.extend(certificates(context, &retired));
}

/// True for a name of [legacy] that still resolves in the phase after.
pub(in super::super) fn is_residue(context: &Context, item: &Item) -> bool {
    let plan = context.case.plan;
    match &item.problem.fault {
        Fault::Dns(view, _, DnsFault::Unwanted { forbidden: false, .. }) => {
            context.case.policy.moment(plan, *view) == Moment::Steady(Phase::After)
                && plan.name(item.obligation.name).table == Table::Legacy
        }
        _ => false,
    }
}

/// Names of [legacy] that are to be gone everywhere, where the plan itself says that all views are past them. Who only
/// asks what will hold after has no need to have cleaned up yet.
fn retired(context: &Context) -> BTreeSet<NameId> {
    let (plan, policy) = (context.case.plan, &context.case.policy);
    let after = Moment::Steady(Phase::After);
    let past = plan.view_ids().all(|v| plan.standing.get(v.0) == Some(&after) && policy.moment(plan, v) == after);
    let gone = |n: &NameId| {
        let name = plan.name(*n);
        let leads = plan.view_ids().any(|v| matches!(name.wanted(v, Phase::After), Wanted::Targets(_)));
        name.table == Table::Legacy && !leads
    };
    (0..plan.names.len()).map(NameId).filter(|n| past && gone(n)).collect()
}

fn of_answer(context: &Context, (name, view): (NameId, ViewId), waiver: Option<usize>, items: &[Item]) -> Draft {
    let (case, plan) = (context.case, context.case.plan);
    let (text, label) = (&plan.name(name).name, wording::view(plan, view));
    let mut draft = Draft::of(context, &INFO, items, waiver);
    draft.title = format!("the legacy name {text} still resolves in {label}");
    draft.expected = expected(case, items);
    draft.seen = said(case, items);
    draft.hurts = vec![format!("whoever of {label} still types it: the address may be a stranger's one day")];
    let lines = vec![format!("delete {text} (A, AAAA, CNAME) from the zone that {label} sees")];
    draft.remedy.cure = apart(context, view, items, lines);
    draft.keys = keys(items);
    draft.keys.extend(strangers(items));
    draft
}

fn redirects(context: &Context, retired: &BTreeSet<NameId>) -> Vec<Draft> {
    let plan = context.case.plan;
    let is_retired = |name: &crate::model::name::Name| retired.iter().any(|n| plan.name(*n).name == *name);
    let all = (0..plan.servers.len()).map(ServerId).flat_map(|s| plan.server(s).redirects.iter().map(move |r| (s, r)));
    let of = |(server, redirect): (ServerId, &crate::model::source::Located<crate::model::name::Name>)| {
        let (label, text) = (&plan.server(server).label, &redirect.value);
        let mut draft = Draft::plain(&INFO, format!("{label} still redirects to the legacy name {text}"));
        draft.waiver = context.waiver(INFO.name, &BTreeSet::from([label.to_string(), text.to_string()]));
        draft.subject = Subject { name: Some(text.to_string()), server: Some(label.to_string()), ..Subject::default() };
        draft.expected = vec![format!("no redirect to {text} after coexistence")];
        draft.seen = vec![format!("redirects = [\"{text}\"] of [servers.{label}]")];
        draft.hurts = vec!["users whom it still sends there: the name is gone".into()];
        draft.remedy.cure =
            vec![format!("take the redirect to {text} from {label}, then from `redirects` of the plan")];
        draft.at = Some(redirect.span);
        draft
    };
    all.filter(|(_, r)| is_retired(&r.value)).map(of).collect()
}

/// Rules of proxies that are still in use; what is retired itself takes its rules along.
fn published(context: &Context, retired: &BTreeSet<NameId>) -> Vec<Draft> {
    let plan = context.case.plan;
    let servers = (0..plan.servers.len()).map(|i| Target::Server(ServerId(i)));
    let targets = servers.chain((0..plan.pools.len()).map(|i| Target::Pool(PoolId(i))));
    let is_used = |target: &Target| {
        let leads =
            |n: &PlannedName, v| matches!(n.wanted(v, Phase::After), Wanted::Targets(all) if all.contains(target));
        plan.names.iter().any(|n| plan.view_ids().any(|v| leads(n, v)))
    };
    let listed = |target: Target| {
        let published = plan.published(target)?;
        let names: Vec<NameId> = retired.iter().copied().filter(|n| published.lists(&plan.name(*n).name)).collect();
        (!names.is_empty() && is_used(&target)).then(|| of_proxy(context, target, published, &names))
    };
    targets.filter_map(listed).collect()
}

fn of_proxy(context: &Context, target: Target, published: &Published, names: &[NameId]) -> Draft {
    let plan = context.case.plan;
    let (label, text) = (plan.target_label(target), wording::name_list(plan, names));
    let mut draft = Draft::plain(&INFO, format!("{label} still publishes the legacy name {text}"));
    let mut on = BTreeSet::from([label.to_string()]);
    on.extend(names.iter().map(|n| plan.name(*n).name.to_string()));
    draft.waiver = context.waiver(INFO.name, &on);
    draft.subject = Subject { server: Some(label.to_string()), ..Subject::default() };
    draft.expected = vec![format!("no rule for {text} after coexistence")];
    draft.seen = vec![format!("`publishes` of {label} lists {text}")];
    draft.hurts = vec!["nobody today; whoever takes over the old address would be reached through it".into()];
    draft.remedy.cure = vec![format!("take {text} from the rules of {label}, then from `publishes` of the plan")];
    draft.at = Some(published.span);
    draft
}

/// Harmless, so a note: it goes with the next renewal.
fn certificates(context: &Context, retired: &BTreeSet<NameId>) -> Vec<Draft> {
    let plan = context.case.plan;
    let mut found: BTreeMap<CertId, BTreeSet<NameId>> = BTreeMap::new();
    for certificate in in_use(context).into_iter().filter(|_| !retired.is_empty()) {
        let listed = listed(context, certificate);
        let names = retired.iter().copied().filter(|n| listed.contains(plan.name(*n).name.as_str()));
        let names: BTreeSet<NameId> = names.collect();
        if !names.is_empty() {
            found.insert(certificate, names);
        }
    }
    found.into_iter().map(|(certificate, names)| of_certificate(context, certificate, &names)).collect()
}

fn in_use(context: &Context) -> BTreeSet<CertId> {
    let case = context.case;
    let of = |(i, o): (usize, &crate::model::obligation::Obligation)| match &*o.claim {
        Claim::Covers { certificate, .. } if case.is_due(i) => Some(*certificate),
        _ => None,
    };
    case.obligations.iter().enumerate().filter_map(of).collect()
}

/// The names that a certificate lists, as planned or as issued.
fn listed(context: &Context, certificate: CertId) -> BTreeSet<String> {
    let case = context.case;
    match &case.plan.certificate(certificate).source {
        CertificateSource::Names(names) => names.iter().map(|n| n.value.to_string()).collect(),
        _ => {
            let leaves = case.certificates.leaves(&[certificate]);
            let facts = leaves.into_iter().filter_map(|l| case.certificates.facts(l).ok());
            facts.flat_map(|f| f.dns_ids.iter().map(|n| n.to_ascii_lowercase()).collect::<Vec<_>>()).collect()
        }
    }
}

fn of_certificate(context: &Context, certificate: CertId, names: &BTreeSet<NameId>) -> Draft {
    let plan: &Plan = context.case.plan;
    let label = &plan.certificate(certificate).label;
    let names: Vec<NameId> = names.iter().copied().collect();
    let text = wording::name_list(plan, &names);
    let mut draft = Draft::plain(&INFO, format!("certificate \"{label}\" still lists the legacy name {text}"));
    draft.severity = Severity::Info;
    let mut on = BTreeSet::from([label.to_string()]);
    on.extend(names.iter().map(|n| plan.name(*n).name.to_string()));
    draft.waiver = context.waiver(INFO.name, &on);
    draft.subject = Subject { certificate: Some(label.to_string()), ..Subject::default() };
    draft.expected = vec!["the names that are in use after coexistence, and no more".into()];
    draft.seen = vec![text.clone()];
    draft.hurts = vec!["nobody; it has to be proved at each renewal".into()];
    draft.remedy.cure = vec![format!("order the next one without {text}")];
    draft.at = Some(plan.certificate(certificate).span);
    draft
}
