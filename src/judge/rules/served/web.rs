//! What web sites answered to a question for `/`, where the plan speaks of redirects.

use std::net::SocketAddr;

use crate::judge::asked;
use crate::judge::case::Case;
use crate::judge::draft::Context;
use crate::judge::evidence::{Found, Look};
use crate::judge::truth::Truth;
use crate::model::http::{HttpOutcome, HttpProbe, Page, is_declared, is_web};
use crate::model::name::Name;
use crate::model::obligation::Claim;
use crate::model::observation::Probe;
use crate::model::plan::{NameId, Plan, ServerId};
use crate::model::policy::Scope;
use crate::model::questions;

/// An answer.
#[derive(Clone, Debug)]
pub(super) struct Answer<'a> {
    pub(super) name: NameId,
    pub(super) server: ServerId,
    pub(super) address: SocketAddr,
    /// The due obligation that the endpoint serves this name, which it fulfils.
    pub(super) obligation: usize,
    pub(super) look: Look,
    pub(super) outcome: &'a HttpOutcome,
}

/// Every answer that counts: over a connection whose certificate is right, as clients demand (RFC 6797 section 8.1). What is
/// wrong with others is told already.
pub(super) fn answers<'a>(context: &'a Context) -> Vec<Answer<'a>> {
    let (case, plan) = (context.case, context.case.plan);
    let mut out = Vec::new();
    if case.policy.scope == Scope::Files {
        return out;
    }
    for (obligation, of) in asked::endpoints(case) {
        let (name, Claim::Serves { server, service, .. }) = (of.name, &*of.claim) else { continue };
        let is_asked = is_web(service) && is_declared(plan, *server);
        if !is_asked || context.assessed[obligation].truth != Truth::Pass {
            continue;
        }
        for address in plan.server(*server).own_addresses(&plan.views) {
            let address = SocketAddr::new(address, service.port);
            let probe = Probe::Http(HttpProbe { address, name: plan.name(name).name.probe(), page: Page::Root });
            let Found::Fresh(looks) = case.evidence.find(&probe, |_| true) else { continue };
            out.extend(looks.into_iter().filter_map(|look| {
                let outcome = case.evidence.http(look)?;
                Some(Answer { name, server: *server, address, obligation, look, outcome })
            }));
        }
    }
    out
}

/// `GET https://mail.domain.com/ at 10.0.0.10:443: 302, Location: https://…`.
pub(super) fn said(case: &Case, answer: &Answer) -> String {
    let name = &case.plan.name(answer.name).name;
    let port = answer.address.port();
    let port = if port == 443 { String::new() } else { format!(":{port}") };
    let words = match answer.outcome {
        HttpOutcome::Head(head) => match &head.location {
            Some(location) => format!("{}, Location: {location}", head.status),
            None => format!("{}, without a Location", head.status),
        },
        other => other.to_string(),
    };
    format!("GET https://{name}{port}/ at {}: {words}", answer.address)
}

/// Where a Location leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Destination {
    /// To another place of the same site.
    Here { path: String },
    /// To a host.
    Host { secure: bool, host: Name, port: u16, path: String },
    /// To something that is no web site, or no host name: an address, say.
    Elsewhere,
}

/// Reads a Location (RFC 9110 section 10.2.2: a reference of RFC 3986, made whole by what was asked for); `None` if it is
/// empty.
pub(super) fn destination(location: &str) -> Option<Destination> {
    let location = location.trim();
    if location.is_empty() {
        return None;
    }
    let (secure, rest) = match location.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (true, rest),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (false, rest),
        Some((scheme, _)) if !scheme.contains(['/', '?', '#']) => return Some(Destination::Elsewhere),
        _ => match location.strip_prefix("//") {
            Some(rest) => (true, rest),
            None => return Some(Destination::Here { path: path(location) }),
        },
    };
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let (place, tail) = rest.split_at(end);
    let place = place.rsplit_once('@').map_or(place, |(_, host)| host);
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() => (host, port.parse().ok()),
        _ => (place, None),
    };
    Some(match Name::parse(host) {
        Ok(host) => {
            let port = port.unwrap_or(if secure { 443 } else { 80 });
            Destination::Host { secure, host, port, path: path(tail) }
        }
        Err(_) => Destination::Elsewhere,
    })
}

/// `/` for the root itself, with nothing asked of it.
fn path(text: &str) -> String {
    let text = text.split('#').next().unwrap_or_default();
    if text.is_empty() { "/".into() } else { text.to_string() }
}

/// True for a host in a domain of the plan.
pub(super) fn is_own(plan: &Plan, host: &Name) -> bool {
    let registrable = plan.names.iter().filter_map(|n| psl::domain_str(n.name.as_str()));
    registrable.into_iter().any(|domain| host.is_under(domain))
        || questions::domains(plan).iter().any(|domain| host.is_under(domain.as_str()))
}

/// True if the plan has a name, itself or by a wildcard.
pub(super) fn is_planned(plan: &Plan, host: &Name) -> bool {
    let is = |name: &Name| match name.as_str().strip_prefix("*.") {
        Some(base) => host.parent() == Some(base),
        None => name == host,
    };
    plan.names.iter().any(|n| is(&n.name)) || plan.servers.iter().flat_map(|s| &s.redirects).any(|r| is(&r.value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_read_as_browsers_read_it() {
        let told = |text: &str| match destination(text) {
            None => "-".to_string(),
            Some(Destination::Elsewhere) => "elsewhere".into(),
            Some(Destination::Here { path }) => format!("here {path}"),
            Some(Destination::Host { secure, host, port, path }) => format!("{secure} {host} {port} {path}"),
        };
        for (text, want) in [
            ("https://Mail.Domain.com/owa/", "true mail.domain.com 443 /owa/"),
            ("HTTP://mail.domain.com", "false mail.domain.com 80 /"),
            ("https://mail.domain.com:8443#x", "true mail.domain.com 8443 /"),
            ("https://user@mail.domain.com/?a", "true mail.domain.com 443 /?a"),
            ("//legacy.domain.com/", "true legacy.domain.com 443 /"),
            ("/owa", "here /owa"),
            ("/", "here /"),
            ("owa/?u=https://x.example/", "here owa/?u=https://x.example/"),
            ("https://10.0.0.1/", "elsewhere"),
            ("https://[::1]/", "elsewhere"),
            ("mailto://x", "elsewhere"),
            ("https:///", "elsewhere"),
            ("  ", "-"),
        ] {
            assert_eq!(told(text), want, "{text}");
        }
    }
}
