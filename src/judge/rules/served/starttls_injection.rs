//! A server goes ahead with TLS and still speaks in the clear.

use std::collections::BTreeSet;

use super::default_certificate_served::pools;
use super::endpoint_serves_wrong_certificate::{astray_keys, is_astray};
use crate::judge::RuleInfo;
use crate::judge::draft::{Context, Draft, Item};
use crate::judge::problem::{Culprit, EndpointFault};
use crate::judge::wording;
use crate::model::finding::Severity;
use crate::model::plan::ViewId;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "starttls-injection",
    family: "served",
    severity: Severity::Error,
    summary: "clear text follows a server's word to go ahead with TLS",
    citation: "RFC 3207 section 6; CVE-2011-0411; Why TLS Is Better Without STARTTLS (USENIX Security 2021)",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

The server agreed to STARTTLS, and behind its word to go ahead came more text in the clear, where nothing but the TLS
handshake may come. The text was kept as evidence, and never given to TLS. No certificate was seen.

# Why it matters

Whatever stands between the go-ahead and the handshake is protected by nobody: anyone on the way can have put it there.
A peer that keeps it takes it for a part of the protected conversation, as servers did with commands (CVE-2011-0411) and
clients with answers. So mail can be read or redirected though every certificate is right. A server that sends such text
itself mixes the two, or says go ahead and does not begin TLS at all; strict clients hang up.

# Example

    C: STARTTLS
    S: 220 2.0.0 ready to start TLS
    S: 250 2.0.0 ok                      this came before the handshake

# Cure

Update the server, or whatever answers in its place (a load balancer, a mail gateway, a firewall that inspects SMTP), so
that it throws away what is pending in the clear when TLS begins. If only one view sees it, something on that view's way
puts it there. Implicit TLS (ports 465, 993, 995) has no such gap (RFC 8314 section 3).

# References

RFC 3207 sections 4.2 and 6; RFC 2595 section 3; RFC 8314 section 3; CVE-2011-0411 (VU#555316);
Poddebniak, Ising, Boeck, Schinzel: Why TLS Is Better Without STARTTLS, USENIX Security 2021;
https://nostarttls.secvuln.info
";

/// Who injects; the view that alone meets it, where the server itself does not; what only DNS led to stands apart.
type Group = (Culprit, Option<ViewId>, bool);

/// One finding per server, and one per way on which it happens though the server itself is clean.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let at_home: BTreeSet<Culprit> = context
        .items()
        .filter_map(|item| wording::endpoint_fault(&item))
        .filter(|(spot, fault)| spot.view.is_none() && matches!(fault, EndpointFault::Injected))
        .map(|(spot, _)| spot.culprit)
        .collect();
    let key = |item: &Item| {
        let (spot, fault) = wording::endpoint_fault(item)?;
        let view = spot.view.filter(|_| !at_home.contains(&spot.culprit));
        matches!(fault, EndpointFault::Injected).then(|| (spot.culprit, view, is_astray(item, spot)))
    };
    let groups = context.group(&INFO, key);
    drafts.extend(groups.into_iter().map(|((group, waiver), items)| draft(context, group, waiver, &items)));
}

fn draft(context: &Context, (culprit, view, _): Group, waiver: Option<usize>, items: &[Item]) -> Draft {
    let (case, plan) = (context.case, context.case.plan);
    let who = wording::culprit(plan, culprit);
    let label = view.map(|v| wording::view(plan, v));
    let mut draft = Draft::of(context, &INFO, items, waiver);
    draft.title = match label {
        Some(label) => format!("clients of {label} get clear text where TLS with {who} begins"),
        None => format!("{who} speaks in the clear where TLS begins ({})", wording::services(items).join(" ")),
    };
    draft.expected = vec!["nothing but the TLS handshake behind the word to go ahead".into()];
    draft.seen = wording::outcomes(case, items);
    draft.hurts = vec!["whoever upgrades there: what anybody on the way inserts may count as said under TLS".into()];
    draft.remedy.now = match view {
        None => pools(context, culprit).map(|pool| format!("take {who} out of the pool {pool}")).collect(),
        Some(_) => Vec::new(),
    };
    draft.remedy.cure = vec![match label {
        Some(label) => {
            format!("find what inspects or changes mail between {label} and {who}; the server itself is judged apart")
        }
        None => format!("update {who}, or what answers in its place, so that it drops what is pending when TLS begins"),
    }];
    draft.keys.extend(astray_keys(items));
    draft
}
