//! A server has one redirect address for all its users, and some of them cannot use it.

use std::collections::{BTreeMap, BTreeSet};

use crate::judge::RuleInfo;
use crate::judge::draft::{Context, Draft, Key};
use crate::judge::problem::{DnsFault, Fault};
use crate::judge::wording;
use crate::model::finding::{Severity, Subject};
use crate::model::name::Name;
use crate::model::phase::{Moment, Phase};
use crate::model::plan::{NameId, Plan, ServerId, Target, ViewId, Wanted};
use crate::model::questions;
use crate::model::source::Located;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "redirect-target-single-url",
    family: "legacy",
    severity: Severity::Error,
    summary: "the one redirect address of a server is not there for all of its users",
    citation: "Microsoft, Transitioning Client Access to Exchange Server 2010 (Exchange2003Url is one value)",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

A server sends its users to a name of `redirects`. Clients of several views use that server, and in one of these views
the plan does not want the name to resolve, or knows no such name at all, so that nobody looks whether it resolves there
and whether a certificate covers it. Or the plan wants it there, and DNS does not have it. Hosts of domains that are not
the plan's, such as outlook.office365.com, are left to those who run them.

# Why it matters

Exchange 2010 has one redirect address (Exchange2003Url) for everybody: there is none for inside and another one for
outside. Users who are sent to a name that does not exist for them see an error page and cannot read their mail.

# Example

    [servers.ex2010]
    redirects = [\"legacy.mail.domain.com\"]
    [legacy]
    \"legacy.mail.domain.com\" = { server = \"ex2003-fe\", audience = \"outside\" }

# Cure

Use one legacy name that resolves in all views of the server's users, with the address that each view reaches, and put
it on the old servers' certificate.

# References

https://techcommunity.microsoft.com/blog/exchange/transitioning-client-access-to-exchange-server-2010;
https://learn.microsoft.com/powershell/module/exchange/set-owavirtualdirectory (Exchange2003Url)
";

/// One finding per redirect of the plan; else one per redirect that DNS does not have.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let plan = context.case.plan;
    let policy = context.case.policy;
    // After coexistence a redirect is residue, wherever it leads.
    let counts = |v: &ViewId| policy.moment(plan, *v) != Moment::Steady(Phase::After);
    let asked = |v: &ViewId| policy.views.as_ref().is_none_or(|views| views.contains(v)) && counts(v);
    for server in (0..plan.servers.len()).map(ServerId).filter(|s| !plan.server(*s).redirects.is_empty()) {
        let views: Vec<ViewId> = plan.view_ids().filter(asked).filter(|v| has_users(plan, server, *v)).collect();
        let label = &plan.server(server).label;
        let in_scope = |r: &&Located<Name>| policy.asks_about("dns", &[label, r.value.as_str()]);
        for redirect in plan.server(server).redirects.iter().filter(in_scope) {
            let name = plan.names.iter().position(|n| n.name == redirect.value).map(NameId);
            let wanted = |v: &ViewId| name.is_some_and(|n| leads(plan, n, *v));
            let missing: Vec<ViewId> = views.iter().copied().filter(|v| !wanted(v)).collect();
            match (missing.as_slice(), name) {
                ([], Some(name)) => {
                    let groups = by_waiver(context, server, redirect, &views);
                    drafts.extend(groups.iter().filter_map(|v| unresolved(context, server, redirect, name, v)));
                }
                ([], None) => {}
                // What others run, such as a cloud, is theirs to look after.
                (_, None) if !is_own(plan, &redirect.value) => {}
                (missing, name) => {
                    let groups = by_waiver(context, server, redirect, missing);
                    drafts.extend(groups.iter().map(|v| of_plan(context, server, redirect, name, v)));
                }
            }
        }
    }
}

/// True for a host in a domain of the plan.
fn is_own(plan: &Plan, host: &Name) -> bool {
    let registrable = plan.names.iter().filter_map(|n| psl::domain_str(n.name.as_str()));
    registrable.into_iter().any(|domain| host.is_under(domain))
        || questions::domains(plan).iter().any(|domain| host.is_under(domain.as_str()))
}

/// What a waiver accepts in one view stands apart from what it does not in another.
fn by_waiver(context: &Context, server: ServerId, redirect: &Located<Name>, views: &[ViewId]) -> Vec<Vec<ViewId>> {
    let plan = context.case.plan;
    let mut out: BTreeMap<Option<usize>, Vec<ViewId>> = BTreeMap::new();
    for view in views {
        let labels = [&*plan.server(server).label, redirect.value.as_str(), &*plan.view(*view).label];
        out.entry(context.waiver_on(&INFO, &labels)).or_default().push(*view);
    }
    out.into_values().collect()
}

/// True if a name leads the view's clients to the server while both generations run.
fn has_users(plan: &Plan, server: ServerId, view: ViewId) -> bool {
    let is = |target: &Target| match target {
        Target::Server(id) => *id == server,
        Target::Pool(id) => plan.pool(*id).servers(Phase::Coexistence).contains(&server),
    };
    let leads = |wanted: &Wanted| matches!(wanted, Wanted::Targets(targets) if targets.iter().any(is));
    plan.names.iter().any(|n| leads(n.wanted(view, Phase::Coexistence)))
}

fn leads(plan: &Plan, name: NameId, view: ViewId) -> bool {
    matches!(plan.name(name).wanted(view, Phase::Coexistence), Wanted::Targets(_))
}

fn draft(context: &Context, server: ServerId, redirect: &Located<Name>, views: &[ViewId], title: String) -> Draft {
    let plan = context.case.plan;
    let (label, text) = (&plan.server(server).label, &redirect.value);
    let mut draft = Draft::plain(&INFO, title);
    let mut on = BTreeSet::from([label.to_string(), text.to_string()]);
    on.extend(views.iter().map(|v| plan.view(*v).label.to_string()));
    draft.waiver = context.waiver(INFO.name, &on);
    let view = if let [only] = views { Some(wording::view(plan, *only).to_string()) } else { None };
    draft.subject =
        Subject { name: Some(text.to_string()), view, server: Some(label.to_string()), ..Subject::default() };
    let list = wording::view_list(plan, views.iter().copied());
    draft.expected = vec![format!("{text} resolves in every view whose clients use {label}, {list} included")];
    draft.hurts =
        vec![format!("users of {list} whose mailbox is still on the old servers: {label} sends them nowhere")];
    draft.at = Some(redirect.span);
    draft
}

/// By the plan nobody looks whether the name is there.
fn of_plan(
    context: &Context,
    server: ServerId,
    redirect: &Located<Name>,
    name: Option<NameId>,
    missing: &[ViewId],
) -> Draft {
    let plan = context.case.plan;
    let (label, text) = (&plan.server(server).label, &redirect.value);
    let list = wording::view_list(plan, missing.iter().copied());
    let title = match name {
        Some(_) => format!("{label} redirects its users of {list} to {text}, which the plan does not want there"),
        None => format!("{label} redirects its users to {text}, which is no name of the plan"),
    };
    let mut draft = draft(context, server, redirect, missing, title);
    draft.seen = vec![match name {
        Some(_) => format!("the plan does not lead {text} anywhere in {list}"),
        None => format!("no table of the plan has {text}: nobody looks at its DNS and certificates"),
    }];
    draft.remedy.cure = vec![match name {
        Some(_) => {
            format!("lead {text} to the old servers in {list} too: audience = \"both\", and their address there")
        }
        None => format!("add to [legacy]: \"{text}\" = the old front end, and the name to its certificate"),
    }];
    draft
}

/// By the plan all is right, and DNS has no such name somewhere.
fn unresolved(
    context: &Context,
    server: ServerId,
    redirect: &Located<Name>,
    name: NameId,
    views: &[ViewId],
) -> Option<Draft> {
    let is = |item: &crate::judge::draft::Item| match &item.problem.fault {
        Fault::Dns(view, _, DnsFault::Unresolved { .. }) => item.obligation.name == name && views.contains(view),
        _ => false,
    };
    let items: Vec<_> = context.items().filter(is).collect();
    let missing: BTreeSet<ViewId> = items
        .iter()
        .filter_map(|i| match &i.problem.fault {
            Fault::Dns(view, _, _) => Some(*view),
            _ => None,
        })
        .collect();
    let missing: Vec<ViewId> = missing.into_iter().collect();
    if missing.is_empty() {
        return None;
    }
    let plan = context.case.plan;
    let (label, list) = (&plan.server(server).label, wording::view_list(plan, missing.iter().copied()));
    let title = format!("{label} redirects its users to {}, which does not resolve in {list}", redirect.value);
    let mut draft = draft(context, server, redirect, &missing, title);
    draft.seen = super::super::dns::said(context.case, &items);
    draft.remedy.cure = super::super::dns::missing_lines(context.case, &items);
    draft.looks = items.iter().flat_map(|i| i.problem.looks.iter().copied()).collect();
    draft.obligations = items.iter().map(|i| i.index).collect();
    draft.keys = missing.iter().map(|v| Key::Dns(name, *v)).collect();
    Some(draft)
}
