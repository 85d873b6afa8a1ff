//! No certificate can be had from an endpoint that must serve.

use std::collections::BTreeSet;

use super::endpoint_serves_wrong_certificate::{astray_keys, is_astray};
use crate::judge::RuleInfo;
use crate::judge::draft::{Context, Draft, Item, Key};
use crate::judge::problem::{Culprit, EndpointFault, Spot};
use crate::judge::wording;
use crate::model::finding::Severity;
use crate::model::phase::Phase;
use crate::model::plan::{ServerId, Target, ViewId};

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "endpoint-unreachable",
    family: "served",
    severity: Severity::Error,
    summary: "no TLS connection can be made to an endpoint that must serve",
    citation: "RFC 9293 section 3.10.7.1; RFC 3207; RFC 2595",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

From a vantage that counts, the connection was refused, timed out, was closed, had no route, or was answered by
something that is not TLS or does not offer STARTTLS. No certificate was served.

# Why it matters

The plan leads clients there. A flip to an address on which nothing listens is an outage, and a mail server that offers
no STARTTLS any more (a certificate was removed while its connector still names it) stops mail from strict partners.

# Example

    seen  connection refused: 10.0.0.10:443
    seen  STARTTLS not offered: 10.0.0.10:25 STARTTLS

# Cure

Start or bind the listener, open the firewall, correct the translation of addresses. For STARTTLS on Exchange look for
event 12014 and at the connector's TlsCertificateName. If the service is not meant to exist there, take it out of the plan.

# References

RFC 9293 section 3.10.7.1 (a reset in answer to SYN); RFC 3207 section 4; RFC 2595 section 3;
https://learn.microsoft.com/exchange/troubleshoot/email-delivery/cannot-receive-mail-with-new-certificate
";

/// What is mended together: a server's listeners, or one view's way to a target; what only DNS led to stands apart.
type Group = (Culprit, Option<ViewId>, bool);

/// One finding per server, and one per way that fails though the server itself answers.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let silent = silent(context);
    let key = |item: &Item| {
        let (spot, fault) = wording::endpoint_fault(item)?;
        let at_server = match spot.culprit {
            Culprit::Planned(Target::Server(s)) => silent.contains(&(s, spot.address.port())),
            _ => false,
        };
        let view = spot.view.filter(|_| !at_server);
        matches!(fault, EndpointFault::NoTls).then(|| (spot.culprit, view, is_astray(item, spot)))
    };
    let groups = context.group(&INFO, key);
    drafts.extend(groups.into_iter().map(|((group, waiver), items)| draft(context, &silent, group, waiver, &items)));
}

/// Servers and ports that are silent at the server's own address.
fn silent(context: &Context) -> BTreeSet<(ServerId, u16)> {
    let at = |item: Item| match wording::endpoint_fault(&item) {
        Some((
            Spot { culprit: Culprit::Planned(Target::Server(s)), view: None, address, .. },
            EndpointFault::NoTls,
        )) => Some((*s, address.port())),
        _ => None,
    };
    context.items().filter_map(at).collect()
}

fn draft(
    context: &Context,
    silent: &BTreeSet<(ServerId, u16)>,
    (culprit, view, _): Group,
    waiver: Option<usize>,
    items: &[Item],
) -> Draft {
    let (case, plan) = (context.case, context.case.plan);
    let who = wording::culprit(plan, culprit);
    let mut draft = Draft::of(context, &INFO, items, waiver);
    draft.title = match view {
        Some(v) => format!("clients of {} get no TLS connection to {who}", wording::view(plan, v)),
        None => format!("{who} serves no certificate ({})", wording::services(items).join(" ")),
    };
    let names = wording::name_list(plan, &wording::names(items));
    draft.expected = vec![format!("a TLS connection for {names}")];
    draft.seen = wording::outcomes(case, items);
    draft.hurts = vec![format!("clients that ask for {names}: no connection")];
    draft.remedy.cure = match view {
        Some(v) => vec![format!(
            "firewall, translation of addresses or balancer between {} and {who}; the server itself is judged apart",
            wording::view(plan, v)
        )],
        None => vec![format!("on {who}: start the listener, assign the certificate to it, open the firewall")],
    };
    let ports: BTreeSet<u16> =
        items.iter().filter_map(|i| wording::endpoint_fault(i)).map(|(s, _)| s.address.port()).collect();
    draft.keys = ports.iter().flat_map(|p| port_keys(context, silent, culprit, *p)).collect();
    draft.keys.extend(astray_keys(items));
    draft
}

/// A pool's balancer that leads to a silent member fails because of that member.
fn port_keys(context: &Context, silent: &BTreeSet<(ServerId, u16)>, culprit: Culprit, port: u16) -> Vec<Key> {
    match culprit {
        Culprit::Planned(Target::Server(s)) => vec![Key::Port(s, port)],
        Culprit::Planned(Target::Pool(pool)) => {
            let members = Phase::ALL.into_iter().flat_map(|p| context.case.plan.pool(pool).servers(p).iter().copied());
            let members: BTreeSet<ServerId> = members.filter(|m| silent.contains(&(*m, port))).collect();
            members.into_iter().map(|m| Key::Port(m, port)).collect()
        }
        Culprit::Stranger(_) => Vec::new(),
    }
}
