//! Browsers that ask a resolver of their own do not see the internal view.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::judge::RuleInfo;
use crate::judge::draft::{Context, Draft};
use crate::judge::wording;
use crate::model::finding::Severity;
use crate::model::phase::Phase;
use crate::model::plan::{NameId, Plan, Table, Target, ViewId, ViewKind, Wanted};
use crate::model::policy::Scope;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "doh-bypass",
    family: "plan",
    severity: Severity::Info,
    summary: "names lead elsewhere inside, which browsers with DNS over HTTPS do not see",
    citation: "RFC 8484; Mozilla, Canary domain use-application-dns.net",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

Names of [internet] lead to other addresses inside than outside, and by the view's `reaches` clients inside do not reach
the outside ones. Clients inside whose browser asks a public resolver over HTTPS get the outside answer. `lint` says so
once for a plan, as a note; a run with a network sees the resolvers of the plan only, and says nothing.

# Why it matters

On machines that nobody manages, a browser turns DNS over HTTPS on by itself. The user inside is led to the outside
address, which many firewalls do not turn back (hairpin), or round through the proxy; and only in that one browser.

# Example

    mail.domain.com   internal 10.0.0.10   external 203.0.113.10
    [views.internal]
    reaches = [\"10.0.0.0/8\"]

# Cure

Let the internal resolvers answer NXDOMAIN for use-application-dns.net, or set the browsers' policy. Or let the outside
address work from inside, too.

# References

RFC 8484 section 8; https://support.mozilla.org/kb/canary-domain-use-application-dnsnet
";

/// One note per plan.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let (case, plan) = (context.case, context.case.plan);
    if case.policy.scope != Scope::Files {
        return;
    }
    let split = |name: &NameId| plan.name(*name).table == Table::Internet && is_split(context, *name);
    let names: Vec<NameId> = (0..plan.names.len()).map(NameId).filter(split).collect();
    let Some(first) = names.first() else { return };
    let listed = wording::name_list(plan, &names);
    let mut draft =
        Draft::plain(&INFO, format!("browsers with DNS over HTTPS do not see the inside answers for {listed}"));
    draft.waiver = context.waiver(INFO.name, &names.iter().map(|n| plan.name(*n).name.to_string()).collect());
    draft.hurts = vec!["users inside on machines that nobody manages, in one browser and not in another".into()];
    draft.remedy.cure = vec![
        "let the resolvers inside answer NXDOMAIN for use-application-dns.net, or set the browsers' policy".into(),
    ];
    draft.at = Some(plan.name(*first).span);
    drafts.push(draft);
}

/// True if in a phase that is asked about the clients of a view inside do not reach where a view outside is led.
fn is_split(context: &Context, name: NameId) -> bool {
    let plan = context.case.plan;
    let views = |kind| plan.view_ids().filter(move |v| plan.view(*v).kind == kind);
    views(ViewKind::Internal).any(|inside| {
        let (first, second) = context.case.policy.moment(plan, inside).phases();
        let phase = second.unwrap_or(first);
        let own = addresses(plan, name, inside, phase);
        let differs = |outside| {
            let others = addresses(plan, name, outside, phase);
            let reaches = |a: &IpAddr| {
                plan.view(inside).reaches.as_ref().is_none_or(|networks| networks.iter().any(|n| n.contains(a)))
            };
            !own.is_empty() && !others.is_empty() && own.is_disjoint(&others) && !others.iter().any(reaches)
        };
        views(ViewKind::External).any(differs)
    })
}

fn addresses(plan: &Plan, name: NameId, view: ViewId, phase: Phase) -> BTreeSet<IpAddr> {
    let of = |target: &Target| plan.target_addresses(*target, view, phase);
    match plan.name(name).wanted(view, phase) {
        Wanted::Targets(targets) => targets.iter().flat_map(of).collect(),
        _ => BTreeSet::new(),
    }
}
