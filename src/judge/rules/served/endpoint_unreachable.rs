//! No certificate can be had from an endpoint that must serve.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::default_certificate_served::pools;
use super::endpoint_serves_wrong_certificate::{astray_keys, is_astray};
use super::mail_tls_endpoint_wrong::OnlyMail;
use crate::judge::RuleInfo;
use crate::judge::case::Case;
use crate::judge::draft::{Context, Draft, Item};
use crate::judge::problem::{Culprit, EndpointFault, Spot};
use crate::judge::wording;
use crate::model::finding::Severity;
use crate::model::obligation::Claim;
use crate::model::plan::{ServerId, Target, ViewId};
use crate::model::service::Way;
use crate::model::tls::{Stage, TlsOutcome};

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
    seen  STARTTLS not offered: SMTP 10.0.0.10:25 STARTTLS

# Cure

Start or bind the listener, open the firewall, correct the translation of addresses. For STARTTLS on Exchange look for
event 12014 and at the connector's TlsCertificateName. If the service is not meant to exist there, take it out of the plan.

# References

RFC 9293 section 3.10.7.1 (a reset in answer to SYN); RFC 3207 section 4; RFC 2595 section 3;
https://learn.microsoft.com/exchange/troubleshoot/email-delivery/cannot-receive-mail-with-new-certificate
";

/// What is mended together: a server's listeners, or one view's way to a target; what only DNS led to stands apart.
type Group = (Culprit, Option<ViewId>, bool);

/// One finding per server, and one per way that fails though the server itself answers. Mail services that listen and
/// have no certificate beside others that have one are another rule's.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let (silent, only_mail) = (silent(context), OnlyMail::of(context));
    let key = |item: &Item| {
        if only_mail.culprit(context.case, item).is_some() {
            return None;
        }
        let (spot, fault) = wording::endpoint_fault(item)?;
        let at_server = match spot.culprit {
            Culprit::Planned(Target::Server(s)) => silent.contains(&(s, spot.address.port())),
            _ => false,
        };
        // The address that a view is given, by translation or at the balancer, is mended elsewhere than the server.
        let view = spot.view.filter(|_| !at_server);
        matches!(fault, EndpointFault::NoTls).then(|| (spot.culprit, view, is_astray(item, spot)))
    };
    let groups = context.group(&INFO, key);
    drafts.extend(groups.into_iter().map(|((group, waiver), items)| draft(context, group, waiver, &items)));
}

/// Servers and ports that are silent at each of the server's own addresses.
fn silent(context: &Context) -> BTreeSet<(ServerId, u16)> {
    let mut silent: BTreeMap<(ServerId, u16), BTreeSet<IpAddr>> = BTreeMap::new();
    for item in context.items() {
        if let Some((
            Spot { culprit: Culprit::Planned(Target::Server(s)), view: None, address, .. },
            EndpointFault::NoTls,
        )) = wording::endpoint_fault(&item)
        {
            silent.entry((*s, address.port())).or_default().insert(address.ip());
        }
    }
    let plan = context.case.plan;
    let is_whole = |((server, _), at): &(&(ServerId, u16), &BTreeSet<IpAddr>)| {
        plan.server(*server).own_addresses(&plan.views).iter().all(|a| at.contains(a))
    };
    silent.iter().filter(is_whole).map(|(key, _)| *key).collect()
}

fn draft(context: &Context, (culprit, view, _): Group, waiver: Option<usize>, items: &[Item]) -> Draft {
    let (case, plan) = (context.case, context.case.plan);
    let who = wording::culprit(plan, culprit);
    let mut draft = Draft::of(context, &INFO, items, waiver);
    // What was met behind a balancer follows from what its member does.
    let at_home: Vec<Item> = items.iter().filter(|i| !is_by_balancer(i)).copied().collect();
    let shown = if at_home.is_empty() { items } else { &at_home };
    draft.title = match view {
        Some(v) => format!("clients of {} get no TLS connection to {who}", wording::view(plan, v)),
        None if is_down(context, culprit, shown) => {
            format!("{who} is down, or nothing listens ({})", wording::services(items).join(" "))
        }
        None => format!("{who} serves no certificate ({})", wording::services(items).join(" ")),
    };
    let names = wording::name_list(plan, &wording::names(items));
    draft.expected = vec![format!("a TLS connection for {names}")];
    draft.seen = wording::outcomes(case, shown);
    draft.hurts = if at_home.is_empty() { Vec::new() } else { wording::tries(case, &behind(items), context.assessed) };
    draft.hurts.push(format!("clients that ask for {names}: no connection"));
    draft.remedy.now = match view {
        None => pools(context, culprit).map(|pool| format!("take {who} out of the pool {pool}")).collect(),
        Some(_) => Vec::new(),
    };
    draft.remedy.cure = cures(case, shown, &who, view.map(|v| wording::view(plan, v)));
    draft.keys.extend(astray_keys(items));
    draft
}

/// True if every port of a server that is asked for refuses.
fn is_down(context: &Context, culprit: Culprit, items: &[Item]) -> bool {
    let case = context.case;
    let Culprit::Planned(Target::Server(server)) = culprit else { return false };
    let refused = |item: &Item| {
        let mut outcomes = item.problem.looks.iter().filter_map(|look| case.evidence.tls(*look)).peekable();
        outcomes.peek().is_some() && outcomes.all(|o| matches!(o, TlsOutcome::Refused))
    };
    let port = |claim: &Claim| match claim {
        Claim::Serves { server: s, service, .. } if *s == server => Some(service.port),
        _ => None,
    };
    let refusing: BTreeSet<u16> = items.iter().filter_map(|i| port(&i.obligation.claim)).collect();
    let due = case.obligations.iter().enumerate().filter(|(i, _)| case.is_due(*i));
    items.iter().all(refused) && due.filter_map(|(_, o)| port(&o.claim)).all(|p| refusing.contains(&p))
}

fn is_by_balancer(item: &Item) -> bool {
    wording::endpoint_fault(item).is_some_and(|(spot, _)| wording::is_by_balancer(item, spot))
}

fn behind<'a>(items: &[Item<'a>]) -> Vec<Item<'a>> {
    items.iter().filter(|i| is_by_balancer(i)).copied().collect()
}

/// A line per reason, with its services.
fn cures(case: &Case, items: &[Item], who: &str, view: Option<&str>) -> Vec<String> {
    let mut by_reason: BTreeMap<String, Vec<Item>> = BTreeMap::new();
    for item in items {
        let outcomes = item.problem.looks.iter().filter_map(|look| case.evidence.tls(*look));
        if let Some((spot, _)) = wording::endpoint_fault(item) {
            for outcome in outcomes {
                let tried = (spot.address.port(), spot.way);
                by_reason.entry(cure(outcome, who, view, tried)).or_default().push(*item);
            }
        }
    }
    by_reason.iter().map(|(words, items)| format!("{}: {words}", wording::services_at(items))).collect()
}

/// What to do about an outcome, on a server or on the way to it.
fn cure(outcome: &TlsOutcome, who: &str, view: Option<&str>, (port, tried): (u16, Way)) -> String {
    use TlsOutcome as T;
    let way = |here: &str| match view {
        Some(view) => format!(
            "firewall, translation of addresses or balancer between {view} and {who}; the server itself is judged apart"
        ),
        None => format!("on {who}, {here}"),
    };
    match outcome {
        T::Refused => way("start the listener and bind it to this port, or open the firewall"),
        T::Timeout(_) | T::GivenUp(_) | T::Unreachable(_) => {
            way("see that the machine is up and has this address; then the firewalls and routes on the way")
        }
        T::Closed(Stage::Connect | Stage::Dialogue) => {
            way("see the listener's log, whom it lets connect, and how many at once")
                + &wording::or_at_once(tried, port)
        }
        T::Closed(Stage::Handshake) => {
            format!("on {who}, assign a certificate with its private key to the listener (on IIS: to the binding)")
                + &wording::or_after_dialogue(tried, port)
        }
        T::NotTls(first) => wording::cure_clear(who, port, first),
        T::NotThisProtocol(first) => wording::cure_foreign(who, tried, port, first),
        T::StarttlsNotOffered => wording::cure_not_offered(who, tried),
        T::StarttlsRefused(said) => wording::cure_refused(who, tried, said),
        T::Alert(_) => format!("on {who}, add the name to the listener's host names: it refuses the name"),
        T::Certificate(_) | T::BytesAfterGoAhead(_) | T::TryLater(_) | T::TooLarge(_) => way("see the listener's log"),
        T::OldVersion(_) | T::Protocol(_) | T::CannotLook(_) | T::Proxy(_) => way("see the listener's log"),
    }
}
