//! The plan's own hosts that take mail from outside, and where their TLSA records stand; its servers that send mail.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::dane;
use super::dns::RecordType;
use super::name::Name;
use super::phase::Phase;
use super::plan::{NameId, Plan, Target, ViewId, Wanted, asked_at};
use super::probes::is_private;
use super::questions::record_views;
use super::service::Service;

/// The port at which servers hand mail to each other (RFC 5321 section 4.5.4.2).
pub const SMTP: u16 = 25;

/// A name of the plan that takes a domain's mail in some phase, and that leads to servers of the plan that speak SMTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MailHost {
    /// Index into [`Plan::mail`].
    pub mail: usize,
    /// The name.
    pub name: NameId,
}

/// The hosts that the plan names as MX of its mail domains and has servers of its own for, as a view's clients are led.
pub fn mail_hosts(plan: &Plan, view: ViewId) -> Vec<MailHost> {
    let mut out = Vec::new();
    for (mail, domain) in plan.mail.iter().enumerate() {
        for host in domain.mx.iter().flatten().flatten() {
            let found = plan.names.iter().position(|n| n.name == host.value).map(NameId);
            out.extend(found.filter(|n| has_smtp(plan, *n, view)).map(|name| MailHost { mail, name }));
        }
    }
    out.sort_unstable();
    out.dedup();
    out
}

/// The owner of the TLSA records of a host's port (RFC 6698 section 3); `None` if no name has room for it.
pub fn tlsa_owner(host: &Name, port: u16) -> Option<Name> {
    Name::parse_owner(&format!("_{port}._tcp.{host}")).ok()
}

/// The other ports of a mail host at which its own servers have TLS, in some phase: who publishes keys for mail from others
/// may do so for its users and relays too.
pub fn other_ports(plan: &Plan, view: ViewId, host: NameId) -> BTreeSet<u16> {
    let name = plan.name(host);
    let mut out = BTreeSet::new();
    for phase in Phase::ALL {
        let Some(Wanted::Targets(targets)) = name.wanted.get(view.0).map(|w| &w[phase as usize].value) else {
            continue;
        };
        out.extend(targets.iter().flat_map(|t| asked_at(plan, name, *t, phase)).map(|s| s.port));
    }
    out.remove(&SMTP);
    out
}

/// The names and ports of the plan of whose TLSA records `[records]` speaks in a view.
pub fn listed_ports(plan: &Plan, view: ViewId) -> BTreeSet<(NameId, u16)> {
    let records = plan.records.iter().filter(|r| r.kind == RecordType::Tlsa.word());
    let here = records.filter(|r| record_views(plan, r).contains(&view));
    let of = |owner| {
        let (port, host) = dane::endpoint(owner)?;
        Some((NameId(plan.names.iter().position(|n| n.name.as_str() == host)?), port))
    };
    here.filter_map(|r| of(&r.owner)).collect()
}

fn has_smtp(plan: &Plan, name: NameId, view: ViewId) -> bool {
    let name = plan.name(name);
    let asked = name.services.as_ref().is_none_or(|all| all.iter().any(is_smtp));
    let leads = |wanted: &Wanted| match wanted {
        Wanted::Targets(targets) => targets.iter().any(|t| takes_mail(plan, *t)),
        _ => false,
    };
    asked && name.wanted.get(view.0).is_some_and(|w| w.iter().any(|w| leads(&w.value)))
}

/// A server's address from which mail comes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sender {
    /// The address.
    pub address: IpAddr,
    /// Whose it is.
    pub target: Target,
    /// A name that leads there.
    pub name: Name,
}

/// The public addresses of servers that speak SMTP and that names lead to in a phase.
pub fn senders(plan: &Plan, view: ViewId, phase: Phase) -> Vec<Sender> {
    let mut out: Vec<Sender> = Vec::new();
    for name in &plan.names {
        let Some(Wanted::Targets(targets)) = name.wanted.get(view.0).map(|w| &w[phase as usize].value) else {
            continue;
        };
        for target in targets.iter().filter(|t| takes_mail(plan, **t)) {
            let addresses = plan.target_addresses(*target, view, phase).into_iter().filter(|a| !is_private(*a));
            for address in addresses {
                if !out.iter().any(|s| s.address == address) {
                    out.push(Sender { address, target: *target, name: name.name.probe() });
                }
            }
        }
    }
    out.sort();
    out
}

/// Those of a phase that were not there in the one before; none where nobody sent before.
pub fn new_senders(plan: &Plan, view: ViewId, from: Phase, to: Phase) -> Vec<Sender> {
    let old = senders(plan, view, from);
    let is_new = |s: &Sender| !old.is_empty() && !old.iter().any(|o| o.address == s.address);
    senders(plan, view, to).into_iter().filter(is_new).collect()
}

/// The name under which the name of an address stands (RFC 1035 section 3.5, RFC 3596 section 2.5).
pub fn reverse(address: IpAddr) -> Option<Name> {
    let text = match address {
        IpAddr::V4(a) => {
            let [a, b, c, d] = a.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(a) => {
            let digits = a.octets().into_iter().rev().map(|o| format!("{:x}.{:x}.", o & 0x0f, o >> 4));
            digits.collect::<String>() + "ip6.arpa"
        }
    };
    Name::parse_owner(&text).ok()
}

/// True if a server, or some member of a pool, speaks SMTP at its own port.
pub fn takes_mail(plan: &Plan, target: Target) -> bool {
    let server = |id| plan.server(id).services.iter().any(|s| is_smtp(&s.value));
    match target {
        Target::Server(id) => server(id),
        Target::Pool(id) => match &plan.pool(id).services {
            Some(own) => own.iter().any(|s| is_smtp(&s.value)),
            None => plan.pool(id).all_members().into_iter().any(server),
        },
    }
}

/// True of the service by which servers hand mail to each other.
pub fn is_smtp(service: &Service) -> bool {
    service.port == SMTP
}
