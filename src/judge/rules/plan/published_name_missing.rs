//! A name leads to a reverse proxy that does not accept it.

use std::collections::{BTreeMap, BTreeSet};

use crate::judge::RuleInfo;
use crate::judge::asked;
use crate::judge::draft::{Context, Draft};
use crate::judge::wording;
use crate::model::finding::Severity;
use crate::model::http::is_web;
use crate::model::obligation::Claim;
use crate::model::plan::{NameId, Plan, Published, Target};

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "published-name-missing",
    family: "plan",
    severity: Severity::Error,
    summary: "a name leads to a reverse proxy, or balancer, that accepts listed names only, and is not in its list",
    citation: "Microsoft, Publishing Exchange Server 2013 using TMG (Public Name); nginx, Server names; RFC 9110 section 7.4",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

A server or pool has `publishes`, the public names that it accepts: the Public Name tab of a publishing rule of ISA or TMG,
the applications of a Web Application Proxy, the listeners of an Application Gateway, `server_name` of nginx. A name that leads to
its https in the phase is not among them. Without `publishes` nothing is known of what it accepts, and nothing is said.

`*.example.com` stands for the names below it by one label; where the product is nginx, Apache, Envoy or a Gateway of Kubernetes, by
any number of labels.

# Why it matters

Certificates and DNS are right, and the proxy answers with a page of its own (TMG: 403, \"denied the URL\"; nginx: the site of
another name; an Application Gateway: 404). From inside, where nobody goes through it, all is well. Autodiscover, and the legacy name
that users are redirected to, are the names that are forgotten.

# Example

    [servers.tmg]
    product = \"tmg\"
    publishes = [\"mail.domain.com\"]
    [internet]
    \"mail.domain.com\" = { external = \"tmg\", internal = \"ex2010\" }
    \"autodiscover.domain.com\" = { external = \"tmg\", internal = \"ex2010\" }

# Cure

Add the name to the rule, listener or `server_name`, then to `publishes`.

# References

https://techcommunity.microsoft.com/t5/exchange-team-blog/publishing-exchange-server-2013-using-tmg/ba-p/597563 (Public Name);
http://nginx.org/en/docs/http/server_names.html; RFC 9110 section 7.4 (misdirected requests)
";

/// The names that lead to a proxy, and their obligations.
type Concerned = (BTreeSet<NameId>, BTreeSet<usize>);

/// One finding per proxy.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let plan = context.case.plan;
    let mut found: BTreeMap<(Target, Option<usize>), Concerned> = BTreeMap::new();
    for (index, obligation) in asked::endpoints(context.case) {
        let (target, service) = match &*obligation.claim {
            Claim::Serves { server, service, .. } => (Target::Server(*server), service),
            Claim::Path { target, service, .. } => (*target, service),
            _ => continue,
        };
        if is_web(service) && plan.accepts(target, &plan.name(obligation.name).name) == Some(false) {
            let waiver = context.waiver(INFO.name, &asked::labels(plan, obligation, &[]));
            let (names, obligations) = found.entry((target, waiver)).or_default();
            names.insert(obligation.name);
            obligations.insert(index);
        }
    }
    for ((target, waiver), (names, obligations)) in found {
        let Some(published) = plan.published(target) else { continue };
        let mut draft = draft(plan, target, published, &names.into_iter().collect::<Vec<_>>());
        draft.waiver = waiver;
        draft.obligations = obligations.into_iter().filter(|i| context.case.is_due(*i)).collect();
        drafts.push(draft);
    }
}

fn draft(plan: &Plan, target: Target, published: &Published, names: &[NameId]) -> Draft {
    let (who, listed) = (plan.target_label(target), wording::name_list(plan, names));
    let mut draft = Draft::plain(&INFO, format!("{who} is not said to accept {listed}"));
    draft.subject.server = Some(who.to_string());
    if let [only] = names {
        draft.subject.name = Some(plan.name(*only).name.to_string());
    }
    draft.expected = vec![format!("{listed} among the names that {who} publishes")];
    draft.seen = match published.names.as_slice() {
        [] => vec!["publishes = []".into()],
        all => wording::cut(all.iter().map(|n| n.value.to_string()).collect()),
    };
    draft.seen.extend(wording::cut(names.iter().filter_map(|n| nearly(plan, *n, published)).collect()));
    draft.hurts =
        vec![format!("clients of {listed} by way of {who}: it answers with a page of its own, or not at all")];
    draft.remedy.cure = vec![at_proxy(wording::product(plan, target), who, &listed), in_plan(target, who)];
    draft.at = Some(published.span);
    draft
}

/// An entry that is a slip away from a name.
fn nearly(plan: &Plan, name: NameId, published: &Published) -> Option<String> {
    const SLIP: usize = 2;
    let name = plan.name(name).name.as_str();
    let near = |text: &str| (1..=SLIP).contains(&strsim::damerau_levenshtein(text, name));
    let listed = published.names.iter().find(|n| near(n.value.as_str()))?;
    Some(format!("{} is a letter or two from {name}", listed.value))
}

fn at_proxy(product: Option<&str>, who: &str, names: &str) -> String {
    match product {
        Some("isa" | "tmg") => format!("on {who}: properties of the publishing rule, Public Name: add {names}"),
        Some("wap") => format!("on {who}: publish an application for {names} (Add-WebApplicationProxyApplication)"),
        Some("nginx") => format!("on {who}: add {names} to server_name of the site, and reload"),
        Some("apache") => format!("on {who}: add {names} as ServerAlias of the site, and reload"),
        Some("iis") => format!("on {who}: add a binding, or a condition of the URL rewrite rule, for {names}"),
        _ => format!("at {who}: accept {names} in the rule, listener or site that publishes the others"),
    }
}

fn in_plan(target: Target, who: &str) -> String {
    let table = if matches!(target, Target::Server(_)) { "servers" } else { "pools" };
    format!("then add it to `publishes` of [{table}.{who}]")
}
