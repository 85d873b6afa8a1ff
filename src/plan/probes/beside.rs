//! Questions that no obligation demands: those of [`questions`], after all that obligations ask.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Asker;
use crate::model::dane;
use crate::model::delegation::{self, Delegation};
use crate::model::dns::{RecordType, ResolverAddr};
use crate::model::mail_hosts::{listed_ports, other_ports, tlsa_owner};
use crate::model::mta_sts;
use crate::model::name::Name;
use crate::model::observation::DnsProbe;
use crate::model::plan::{NameId, ViewId};
use crate::model::policy::Policy;
use crate::model::probes::{DnsAsk, Follow, Further, PolicyAsk, Reach, Template};
use crate::model::questions::{self, Question, Topic};
use crate::model::service::Way;
use crate::model::signed;

/// The port at which candidates for autodiscover are asked.
const HTTPS: u16 = 443;

/// Adds the questions of the plan, and what hangs on their answers.
pub(super) fn ask(asker: &mut Asker, policy: &Policy) {
    let mut seen: BTreeSet<(ViewId, ResolverAddr, Name, RecordType)> = BTreeSet::new();
    for question in questions::questions(asker.plan, policy) {
        // Nothing hangs on it elsewhere.
        if question.topic == Topic::Delegations && asker.way_of(question.view).is_none() {
            continue;
        }
        for resolver in resolvers(asker, &question) {
            let Question { view, name, kind, .. } = &question;
            let known = RecordType::ALL.contains(kind)
                && question.server.is_none()
                && asker.dns.contains(&(*view, name.clone()));
            if !known && seen.insert((*view, resolver.clone(), name.clone(), *kind)) {
                let v = asker.plan.view(*view);
                let probe = DnsProbe {
                    view: v.label.clone(),
                    resolver: resolver.into(),
                    name: name.clone(),
                    kind: *kind,
                    unchecked: false,
                    direct: false,
                };
                asker.out.dns.push(DnsAsk { probe, timeout_ms: v.settings.timeout_ms });
            }
        }
        follow(asker, &question);
        further(asker, policy, &question);
    }
    if policy.asks_beside() {
        candidates(asker, policy);
        policies(asker, policy);
        delegations(asker, policy);
    }
}

/// What hangs on the answers of the zones above, where the run stands in the view; through its proxy by TCP, for no proxy
/// takes datagrams.
fn delegations(asker: &mut Asker, policy: &Policy) {
    for (view, zone) in delegation::zones(asker.plan, |v| policy.looks_at(v)) {
        match asker.way_of(view) {
            Some(via) => {
                asker.out.delegations.push(Delegation::of(asker.plan, view, zone, via.is_some()));
                asker.out.led.extend(via);
            }
            None => {
                let label = &asker.plan.view(view).label;
                asker.skip(format!("servers of {} at its parent: seen from {label} only", zone.apex));
            }
        }
    }
}

/// Whom to ask: a zone's server only if it is reached from here, or through the view's proxy, then by TCP, or is a resolver
/// anyway.
fn resolvers(asker: &mut Asker, question: &Question) -> Vec<ResolverAddr> {
    let v = asker.plan.view(question.view);
    let Some(server) = &question.server else { return v.resolvers.iter().map(|r| r.value.clone()).collect() };
    if v.resolvers.iter().any(|r| r.value == *server) || asker.reaches(server.addr.ip()) {
        return vec![server.clone()];
    }
    if asker.way_to(server.addr.ip()) == Some(Some(v.label.clone())) {
        return vec![server.by_stream()];
    }
    asker.skip(format!("{server} (server of a zone): not reached from here"));
    Vec::new()
}

/// The hosts of MX, SRV and PTR records; those of autodiscover are asked by TLS where one stands in the view.
fn follow(asker: &mut Asker, question: &Question) {
    let named = matches!(
        (question.topic, question.kind),
        (Topic::Mail | Topic::Records, RecordType::Mx | RecordType::Srv | RecordType::Ptr)
            | (Topic::Autodiscover, RecordType::Srv)
    );
    if !named {
        return;
    }
    let v = asker.plan.view(question.view);
    let way = asker.way_of(question.view).filter(|_| question.topic == Topic::Autodiscover);
    let tls = way.map(|via| (Reach::of(v), asker.manners(&v.settings, via)));
    let (view, name, kind) = (v.label.clone(), question.name.clone(), question.kind);
    match asker.out.follow.iter_mut().find(|f| f.view == view && f.name == name && f.kind == kind) {
        Some(known) => known.tls = known.tls.take().or(tls),
        None => asker.out.follow.push(Follow { view, name, kind, tls }),
    }
}

/// What is asked where a question is answered by records.
fn further(asker: &mut Asker, policy: &Policy, question: &Question) {
    let asks = match (question.topic, question.kind) {
        (Topic::Signed, RecordType::Ds) => keys(asker, policy, question),
        (Topic::Mail, RecordType::Tlsa) => other_tlsa(asker, question),
        _ => return,
    };
    if !asks.is_empty() {
        let view = asker.plan.view(question.view).label.clone();
        asker.out.further.push(Further { view, name: question.name.clone(), kind: question.kind, asks });
    }
}

/// The keys of a zone, its SOA and the addresses of its names, wherever the world outside says that it is signed: there, and inside, where they may be
/// others. The resolver is not to validate, for then it would keep the very keys and signatures that are wrong.
fn keys(asker: &Asker, policy: &Policy, question: &Question) -> Vec<DnsAsk> {
    let inside = signed::inward(asker.plan).into_iter().filter(|v| policy.looks_at(*v));
    let views: BTreeSet<ViewId> = inside.chain([question.view]).collect();
    let of = |view| {
        let names = signed::names(asker.plan, view, &question.name);
        let addresses = names.flat_map(|name| RecordType::ALL.map(|kind| (name.clone(), kind)));
        let apex = [RecordType::Dnskey, RecordType::Soa].map(|kind| (question.name.clone(), kind));
        let all = apex.into_iter().chain(addresses).collect::<Vec<_>>();
        all.into_iter().flat_map(move |(name, kind)| asks(asker, view, &name, kind, true))
    };
    views.into_iter().flat_map(of).collect()
}

/// The TLSA records of a mail host's other services; what [records] lists is asked anyway.
fn other_tlsa(asker: &Asker, question: &Question) -> Vec<DnsAsk> {
    let (plan, view) = (asker.plan, question.view);
    let host =
        dane::endpoint(&question.name).and_then(|(_, host)| plan.names.iter().position(|n| n.name.as_str() == host));
    let Some(host) = host.map(NameId) else { return Vec::new() };
    let listed = listed_ports(plan, view);
    let ports = other_ports(plan, view, host).into_iter().filter(|port| !listed.contains(&(host, *port)));
    let owners = ports.filter_map(|port| tlsa_owner(&plan.name(host).name, port));
    owners.flat_map(|owner| asks(asker, view, &owner, RecordType::Tlsa, false)).collect()
}

/// A question to every resolver of a view.
fn asks(asker: &Asker, view: ViewId, name: &Name, kind: RecordType, unchecked: bool) -> Vec<DnsAsk> {
    let v = asker.plan.view(view);
    let ask = |resolver: &Arc<ResolverAddr>| {
        let (view, resolver, name) = (v.label.clone(), resolver.clone(), name.clone());
        let probe = DnsProbe { view, resolver, name, kind, unchecked, direct: false };
        DnsAsk { probe, timeout_ms: v.settings.timeout_ms }
    };
    asker.resolvers[view.0].iter().map(ask).collect()
}

/// The policies of mail domains, and the certificate of who gives them, where the run stands in the view.
fn policies(asker: &mut Asker, policy: &Policy) {
    let asked = |v: &ViewId| policy.views.as_ref().is_none_or(|views| views.contains(v));
    let plan = asker.plan;
    for (view, mail) in questions::outward(plan).into_iter().flat_map(|v| plan.mail.iter().map(move |m| (v, m))) {
        let (Some(owner), Some(host)) = (mta_sts::owner(&mail.domain), mta_sts::host(&mail.domain)) else { continue };
        let (Some(via), true) = (asker.way_of(view), asked(&view)) else {
            asker.skip(format!("https://{host}: seen from {} only", plan.view(view).label));
            continue;
        };
        let v = plan.view(view);
        let (label, reach, timeout_ms) = (v.label.clone(), Reach::of(v), v.settings.timeout_ms);
        let manners = asker.manners(&v.settings, via.clone());
        asker.out.templates.push(Template {
            view: label.clone(),
            name: host.clone(),
            port: HTTPS,
            way: Way::Implicit,
            reach: reach.clone(),
            samples: 1,
            manners,
        });
        asker.out.policies.push(PolicyAsk { view: label, owner, host, reach, via, timeout_ms });
    }
}

/// Connections to the undeclared names at which clients look for autodiscover.
fn candidates(asker: &mut Asker, policy: &Policy) {
    let asked = |v: &ViewId| policy.views.as_ref().is_none_or(|views| views.contains(v));
    let all = questions::candidates(asker.plan);
    for view in asker.plan.view_ids().filter(asked) {
        let Some(via) = asker.way_of(view) else { continue };
        let v = asker.plan.view(view);
        let manners = asker.manners(&v.settings, via);
        let template = |name: &Name| Template {
            view: v.label.clone(),
            name: name.clone(),
            port: HTTPS,
            way: Way::Implicit,
            reach: Reach::of(v),
            samples: 1,
            manners: manners.clone(),
        };
        asker.out.templates.extend(all.iter().flat_map(|c| &c.names).map(template));
    }
}
