//! The plan's own hosts that take mail from outside, and where their TLSA records stand.

use super::name::Name;
use super::plan::{NameId, Plan, Target, ViewId, Wanted};
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

/// The owner of the TLSA records of a mail host (RFC 7672 section 2.2.3); `None` if no name has room for it.
pub fn tlsa_owner(host: &Name) -> Option<Name> {
    Name::parse_owner(&format!("_{SMTP}._tcp.{host}")).ok()
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
