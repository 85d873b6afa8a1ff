//! Clients outside are given an address that means nothing to them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::ahead::{Ahead, ahead};
use super::odd::{self, Odd};
use super::special::special_purpose;
use crate::judge::RuleInfo;
use crate::judge::beside;
use crate::judge::draft::{Context, Draft, Item, Key};
use crate::judge::wording;
use crate::model::dns::Transport;
use crate::model::finding::{Severity, Subject};
use crate::model::phase::Phase;
use crate::model::plan::{NameId, Plan, Target, ViewId, ViewKind, Wanted};
use crate::model::source::Span;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "private-address-in-external-view",
    family: "dns",
    severity: Severity::Error,
    summary: "a name has a private address for clients outside",
    citation: "RFC 1918 section 5; RFC 6890 (special-purpose addresses); RFC 4193 section 4.4",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

A resolver of an external view answered with an address that is not reachable from the internet: private (RFC 1918),
shared behind carrier NAT (RFC 6598), unique local (RFC 4193), link-local or loopback. Or the plan itself gives a server
such an address for an external view, and the view's `reaches` does not hold it.

# Why it matters

Clients outside cannot reach it. In their own network it may be another machine, which then is given their passwords if
it can show a certificate, and a warning if it cannot. The usual reasons: the internal zone was published, or a
controller wrote the private address of a load balancer into the public zone.

# Example

    expected  external: A 203.0.113.10 (ex2010)
    seen      10.0.0.10 from 9.9.9.9

# Cure

Publish the public address. If clients of this view do reach the network, over a VPN for example, say so:

    [views.partner]
    kind = \"external\"
    reaches = [\"10.0.0.0/8\"]

# References

RFC 1918 section 5; RFC 4193 section 4.4; RFC 6598; RFC 6890 and the IANA special-purpose address registries
";

/// One finding per target and view that the plan gets wrong; else one per name and view.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let planned = planned(context);
    drafts
        .extend(planned.iter().map(|((view, target, waiver), found)| of_plan(context, *view, *target, *waiver, found)));
    let groups = context.group(&INFO, |item| odd::about(context, item, Odd::PrivateOutside));
    drafts.extend(groups.into_iter().map(|((group, waiver), items)| of_answer(context, group, waiver, &items)));
    drafts.extend(ahead(context).iter().filter_map(|a| before_it_is_due(context, a)));
}

/// Of a name that the plan leads nowhere yet: users follow what is there all the same.
fn before_it_is_due(context: &Context, ahead: &Ahead) -> Option<Draft> {
    let (case, plan) = (context.case, context.case.plan);
    let private = ahead.private(case);
    if private.is_empty() {
        return None;
    }
    let (name, view_text) = (plan.name(ahead.name), wording::view(plan, ahead.view));
    let mut draft = beside::draft(context, &INFO, (name.name.as_str(), Some(ahead.view)), name.span, &[]);
    draft.title = format!("{} has the private address {} in {view_text}", name.name, odd::words(&private));
    draft.expected = vec![format!("{view_text}: no such name yet, or addresses that clients reach")];
    draft.seen = ahead.host.said.iter().cloned().chain(kinds(&private)).collect();
    draft.hurts = vec![format!("clients of {view_text}: they reach nobody, or a stranger in their own network")];
    draft.remedy.cure = ahead.cure(case, &private);
    draft.looks = ahead.host.looks.clone();
    draft.keys = BTreeSet::from([Key::Dns(ahead.name, ahead.view)]);
    Some(draft)
}

/// What the plan gives a target in an external view: its private addresses, and the names that lead there.
#[derive(Default)]
struct Found {
    addresses: BTreeSet<IpAddr>,
    names: BTreeSet<NameId>,
}

/// By target and view, and by the waiver that accepts it: that of one name says nothing of another.
type Planned = BTreeMap<(ViewId, Target, Option<usize>), Found>;

fn planned(context: &Context) -> Planned {
    let plan = context.case.plan;
    let asked = |v: &ViewId| context.case.policy.views.as_ref().is_none_or(|views| views.contains(v));
    let external = plan.view_ids().filter(|v| plan.view(*v).kind == ViewKind::External).filter(asked);
    let mut out = Planned::new();
    // Most plans have none, and need not be walked through.
    for view in external.filter(|v| has_private(plan, *v)) {
        for name in (0..plan.names.len()).map(NameId) {
            for (target, address) in leads_to(context, name, view) {
                let (text, label) = (plan.name(name).name.as_str(), &**plan.target_label(target));
                if is_wrong(plan, view, address) && context.case.policy.asks_about("dns", &[text, label]) {
                    let waiver = context.waiver_on(&INFO, &[text, label, wording::view(plan, view)]);
                    let found = out.entry((view, target, waiver)).or_default();
                    found.addresses.insert(address);
                    found.names.insert(name);
                }
            }
        }
    }
    out
}

fn has_private(plan: &Plan, view: ViewId) -> bool {
    let all = plan.servers.iter().map(|s| &s.addresses).chain(plan.pools.iter().map(|p| &p.addresses));
    all.filter_map(|a| a.get(view.0)).flatten().any(|a| is_wrong(plan, view, *a))
}

/// Who writes this machine's loopback into a plan stands in for the world on it: that has no strangers.
fn is_wrong(plan: &Plan, view: ViewId, address: IpAddr) -> bool {
    !address.is_loopback() && odd::is_private_for(plan, view, address)
}

/// In the phases to come, and in the one before, to which caches may lead still.
fn leads_to<'a>(context: &Context<'a>, name: NameId, view: ViewId) -> impl Iterator<Item = (Target, IpAddr)> + use<'a> {
    let plan = context.case.plan;
    let (now, _) = context.case.policy.moment(plan, view).phases();
    let first = now.previous().unwrap_or(now);
    Phase::ALL.into_iter().filter(move |phase| *phase >= first).flat_map(move |phase| {
        let targets: &[Target] = match plan.name(name).wanted(view, phase) {
            Wanted::Targets(targets) => targets,
            _ => &[],
        };
        let of =
            move |t: &Target| plan.target_addresses(*t, view, phase).into_iter().map(|a| (*t, a)).collect::<Vec<_>>();
        targets.iter().flat_map(of)
    })
}

fn of_plan(context: &Context, view: ViewId, target: Target, waiver: Option<usize>, found: &Found) -> Draft {
    let plan = context.case.plan;
    let (label, view_text) = (plan.target_label(target), wording::view(plan, view));
    let names: Vec<NameId> = found.names.iter().copied().collect();
    let list = odd::words(&found.addresses);
    let mut draft = Draft::plain(&INFO, format!("the plan gives {label} the private address {list} for {view_text}"));
    draft.waiver = waiver;
    draft.subject = Subject { view: Some(view_text.into()), server: Some(label.to_string()), ..Subject::default() };
    draft.expected = vec![format!("an address that clients of {view_text} reach")];
    draft.seen = kinds(&found.addresses);
    draft.hurts = vec![format!("clients of {view_text}: they cannot reach {}", wording::name_list(plan, &names))];
    draft.remedy.cure = vec![
        format!("give {label} its public address: address = {{ …, {view_text} = \"…\" }}"),
        format!("or, if these clients do reach {list}, say so: reaches = […] of [views.{view_text}]"),
    ];
    draft.at = Some(place(plan, target));
    draft
}

fn place(plan: &Plan, target: Target) -> Span {
    match target {
        Target::Server(id) => plan.server(id).address_span,
        Target::Pool(id) => plan.pool(id).span,
    }
}

fn of_answer(context: &Context, (name, view): (NameId, ViewId), waiver: Option<usize>, items: &[Item]) -> Draft {
    let plan = context.case.plan;
    let (name_text, view_text) = (&plan.name(name).name, wording::view(plan, view));
    let strays = odd::all_strays(items);
    let private: BTreeSet<IpAddr> = strays.into_iter().filter(|a| odd::is_private_for(plan, view, *a)).collect();
    let mut draft = odd::draft(context, &INFO, view, waiver, items);
    draft.title = format!("{name_text} has the private address {} in {view_text}", odd::words(&private));
    draft.seen.extend(kinds(&private));
    draft.hurts = vec![format!("clients of {view_text}: they reach nobody, or a stranger in their own network")];
    // A firewall that answers all DNS itself looks just so.
    let encrypted = |t: &Transport| matches!(t, Transport::Tls | Transport::Https(_));
    if !plan.view(view).resolvers.iter().any(|r| encrypted(&r.value.transport)) {
        draft.remedy.next =
            vec!["if this run stood inside, ask a resolver that cannot be redirected: \"tls://9.9.9.9\"".into()];
    }
    draft
}

fn kinds(addresses: &BTreeSet<IpAddr>) -> Vec<String> {
    let line = |a: &IpAddr| special_purpose(*a).map(|word| format!("{a} is {word}"));
    wording::cut(addresses.iter().filter_map(line).collect())
}
