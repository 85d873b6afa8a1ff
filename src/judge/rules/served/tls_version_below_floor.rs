//! A server speaks no version of TLS that current clients accept.

use std::collections::BTreeSet;

use super::default_certificate_served::pools;
use super::endpoint_serves_wrong_certificate::astray_keys;
use crate::commands;
use crate::judge::RuleInfo;
use crate::judge::abilities;
use crate::judge::case::Case;
use crate::judge::draft::{Context, Draft, Item, target_of};
use crate::judge::problem::{Culprit, EndpointFault};
use crate::judge::wording;
use crate::model::finding::{Severity, Subject, TYPED};
use crate::model::obligation::Claim;
use crate::model::plan::{ServerId, Target};
use crate::model::policy::Scope;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "tls-version-below-floor",
    family: "served",
    severity: Severity::Error,
    summary: "a server speaks no version of TLS that current clients accept",
    citation: "RFC 8996; RFC 9325 section 3.1.1",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

The server chose a version before TLS 1.2, or refused every handshake because it speaks none that it was offered. Where a
current client is declined, the certificate is read from the clear part of an older handshake, which is not finished, and
judged like any other; before TLS 1.2 that cannot prove that the server holds the key, and the report says so. A server
that hangs up on every hello, or finds no cipher suite, is counted only if its `product` is known to speak TLS 1.0 at
most (Exchange 2003, Windows Server 2003, ISA Server). `lint`, which sees no server, says as a warning what follows from
the product.

# Why it matters

Browsers, phones and current libraries refuse TLS 1.0 and 1.1 before they look at the certificate. The best certificate
on the old server helps nobody who is redirected to the legacy name with a current browser. If it showed none to any
hello, that stays an open question, whatever the plan accepts.

# Example

    expected  TLS 1.2 or 1.3
    seen      TLS 1.0 with TLS_RSA_WITH_RC4_128_SHA: IIS 10.0.0.3:443
              a current client: closed during the TLS handshake

# Cure

On a product that can do TLS 1.2, turn it on (on Windows: in the SCHANNEL registry keys, and for .NET). In front of one
that cannot, put a reverse proxy that speaks TLS 1.2, under the same name; if only old clients go there, or its end is
near, accept it in the plan with a waiver that ends.

# References

RFC 8996 (TLS 1.0 and 1.1 are deprecated); RFC 9325 section 3.1.1;
https://learn.microsoft.com/windows/win32/secauthn/protocols-in-tls-ssl--schannel-ssp-
";

/// One finding per server; without a network, what its product says.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let key = |item: &Item| match wording::endpoint_fault(item)? {
        (spot, EndpointFault::BelowFloor { .. }) => Some(spot.culprit),
        _ => None,
    };
    let groups = context.group(&INFO, key);
    drafts.extend(groups.into_iter().map(|((culprit, waiver), items)| seen(context, culprit, waiver, &items)));
    if context.case.policy.scope == Scope::Files {
        drafts.extend(asked(context.case).into_iter().filter_map(|server| by_product(context, server)));
    }
}

fn seen(context: &Context, culprit: Culprit, waiver: Option<usize>, items: &[Item]) -> Draft {
    let (case, plan) = (context.case, context.case.plan);
    let who = wording::culprit(plan, culprit);
    let version = items.iter().find_map(|i| match wording::endpoint_fault(i)?.1 {
        EndpointFault::BelowFloor { version, .. } => version.as_deref(),
        _ => None,
    });
    let mut draft = Draft::of(context, &INFO, items, waiver);
    draft.title = match version {
        Some(version) => format!("{who} speaks {version} at most"),
        None => format!("{who} speaks no TLS that current clients accept"),
    };
    let (read, unread): (Vec<Item>, Vec<Item>) = items.iter().partition(|i| is_read(i));
    draft.seen = [wording::negotiated(case, &read), wording::outcomes(case, &unread)].concat();
    draft.seen.extend(product(case, culprit));
    let names = wording::name_list(plan, &wording::names(items));
    draft.hurts = vec![format!("users of {names}: current browsers and phones refuse, whatever the certificate")];
    draft.keys.extend(astray_keys(items));
    draft.remedy.now = pools(context, culprit).map(|pool| format!("take {who} out of the pool {pool}")).collect();
    finish(case, culprit, &who, &mut draft);
    draft
}

/// True if the certificate came to light.
fn is_read(item: &Item) -> bool {
    matches!(wording::endpoint_fault(item), Some((_, EndpointFault::BelowFloor { unseen: false, .. })))
}

/// Servers that a run with a network would ask.
fn asked(case: &Case) -> BTreeSet<ServerId> {
    let asked = case.obligations.iter().filter(|o| case.policy.asks_for(case.plan, o));
    let server = |o: &crate::model::obligation::Obligation| match &*o.claim {
        Claim::Serves { server, .. } => Some(*server),
        _ => None,
    };
    asked.filter_map(server).collect()
}

/// A warning only: what stands in front of the server may be younger than it.
fn by_product(context: &Context, server: ServerId) -> Option<Draft> {
    let (case, plan) = (context.case, context.case.plan);
    let declared = plan.server(server);
    let abilities = abilities::of(declared)?;
    let who = declared.label.to_string();
    let mut draft = Draft::plain(&INFO, format!("{who} speaks {} at most, by its product", abilities.tls));
    draft.severity = Severity::Warning;
    draft.waiver = context.waiver(INFO.name, &BTreeSet::from([who.clone()]));
    draft.subject = Subject { server: Some(who.clone()), ..Subject::default() };
    draft.seen.extend(product(case, Culprit::Planned(Target::Server(server))));
    draft.hurts =
        vec![format!("whoever is led to {who}: current browsers and phones refuse, whatever the certificate")];
    draft.at = declared.product.as_ref().map(|p| p.span);
    finish(case, Culprit::Planned(Target::Server(server)), &who, &mut draft);
    Some(draft)
}

fn product(case: &Case, culprit: Culprit) -> Option<String> {
    let Some(Target::Server(server)) = target_of(culprit) else { return None };
    let abilities = abilities::of(case.plan.server(server))?;
    Some(format!("product {}: {} has {} at most", abilities.product, abilities.system, abilities.tls))
}

/// A product that can is told to; one that cannot gets a proxy or a waiver; of others nobody knows which.
fn finish(case: &Case, culprit: Culprit, who: &str, draft: &mut Draft) {
    draft.expected = vec!["TLS 1.2 or 1.3".into()];
    let server = match target_of(culprit) {
        Some(Target::Server(server)) => Some(case.plan.server(server)),
        _ => None,
    };
    let old = server.and_then(abilities::of);
    let able = server.is_some_and(abilities::can_speak_tls_1_2);
    let proxy = format!("put a reverse proxy that speaks TLS 1.2 in front of {who}, under the same names");
    draft.remedy.cure = match old {
        Some(_) => vec![proxy.clone()],
        None => vec![format!("turn on TLS 1.2 on {who} (Windows: in the SCHANNEL registry keys, and for .NET)")],
    };
    if able {
        return;
    }
    if old.is_none() {
        draft.remedy.cure.push(format!("or, if it cannot, {proxy}"));
    }
    draft.remedy.cure.push("or accept it until the server is retired; in the plan:".into());
    let why = format!("{}; retired soon", draft.title);
    draft.remedy.cure.extend(waiver(case, INFO.name, who, &why));
}

/// A waiver to paste, until the last day of coexistence.
pub(super) fn waiver(case: &Case, rule: &str, who: &str, why: &str) -> Vec<String> {
    let lines = [
        "[[waivers]]".into(),
        format!("rule = \"{rule}\""),
        format!("on = {}", commands::toml(who)),
        format!("reason = {}", commands::toml(why)),
        format!("until = {}", wording::day(last_day(case))),
    ];
    lines.into_iter().map(|line| format!("{TYPED}{line}")).collect()
}

/// The last day of the coexistence, if the plan says it and it is ahead; else three months from now.
fn last_day(case: &Case) -> jiff::Timestamp {
    const DAY: i64 = 86_400;
    let ahead =
        |days: i64| jiff::Timestamp::from_second(case.now.as_second().saturating_add(days * DAY)).unwrap_or(case.now);
    let ends = case.plan.phases.get(&crate::model::phase::Phase::Coexistence).and_then(|dates| dates.until);
    let last = ends.and_then(|end| end.checked_sub(jiff::SignedDuration::from_secs(1)).ok());
    last.filter(|last| *last > case.now).unwrap_or_else(|| ahead(90))
}
