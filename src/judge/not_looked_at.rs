//! What a run says nothing about, so that nobody takes its silence for a pass.

use std::collections::BTreeSet;

use super::beside;
use super::case::Case;
use super::draft::Context;
use super::rules::{LATER, dns};
use super::wording;
use crate::model::dns::RecordType;
use crate::model::http::Page;
use crate::model::obligation::Claim;
use crate::model::observation::{Probe, TlsProbe};
use crate::model::phase::Phase;
use crate::model::plan::{CertificateSource, Members, Target};
use crate::model::policy::Scope;
use crate::model::records::RecordData;
use crate::model::service::services_of;
use crate::model::tls::{ClientAuth, Possession, TlsOutcome};

/// A line each.
pub(super) fn lines(context: &Context) -> Vec<String> {
    let case = context.case;
    let mut out = Vec::new();
    out.extend(without_network(case));
    out.extend(another_time(case));
    out.extend(siblings(case));
    out.extend(default_services(case));
    out.extend(opaque_pools(case));
    out.extend(client_certificates(case));
    out.extend(keys(case));
    out.extend(possession(context));
    out.push("revocation of certificates (CRL, OCSP)".to_string());
    out.extend(ttl_of_caches(case));
    out.extend(beside::unanswered(context));
    out.extend(unnamed_authorities(context));
    out.extend(dns::unknown_senders(context));
    out.extend(dns::unknown_keys(context));
    out.extend(dns::unknown_policies(context));
    out.extend(dns::unknown_delegations(context));
    out.extend(web_sites(case));
    out.extend(declared_only(case));
    out.extend(later_rules(case));
    out
}

fn without_network(case: &Case) -> Vec<String> {
    if case.policy.scope == Scope::All {
        return Vec::new();
    }
    let unknown = case
        .plan
        .certificates
        .iter()
        .filter(|c| matches!(c.source, CertificateSource::Thumbprint | CertificateSource::From(_)));
    let labels: Vec<&str> = unknown.map(|c| c.label.as_ref()).collect();
    let mut out = vec!["DNS and endpoints (plan and certificate files only)".to_string()];
    if !labels.is_empty() {
        out.push(format!("certificates known only by what servers serve: {}", labels.join(", ")));
    }
    out
}

/// The calendar was moved on; the world was not looked at again.
fn another_time(case: &Case) -> Option<String> {
    let gathered = case.evidence.gathered()?;
    let later = case.now.as_second() - gathered.as_second();
    let word = |t: jiff::Timestamp| t.strftime("%Y-%m-%d %H:%MZ").to_string();
    (later > case.evidence.least_age())
        .then(|| format!("what is there at {}: judged as of {}", word(case.now), word(gathered)))
}

/// Servers that due obligations ask.
fn asked(case: &Case) -> BTreeSet<usize> {
    let of = |(i, o): (usize, &crate::model::obligation::Obligation)| match &*o.claim {
        Claim::Serves { server, .. } if case.is_due(i) => Some(server.0),
        _ => None,
    };
    case.obligations.iter().enumerate().filter_map(of).collect()
}

/// Ports that the service's words usually open too, of servers that were asked.
fn siblings(case: &Case) -> Option<String> {
    const MAIL: &[(&str, u16)] =
        &[("SMTP", 25), ("SMTP", 587), ("smtps", 465), ("IMAP", 143), ("IMAP", 993), ("POP", 110), ("POP", 995)];
    let servers: Vec<_> = asked(case).into_iter().filter_map(|i| case.plan.servers.get(i)).collect();
    let ports: BTreeSet<u16> = servers.iter().flat_map(|s| &s.services).map(|s| s.value.port).collect();
    let mail = |p: &u16| MAIL.iter().any(|(_, port)| port == p);
    let is_mail = ports.iter().any(mail) || servers.iter().any(|s| s.is_exchange());
    let missing: BTreeSet<u16> = MAIL.iter().map(|(_, p)| *p).filter(|p| !ports.contains(p)).collect();
    let words: Vec<String> = missing.iter().map(u16::to_string).collect();
    let noun = if words.len() == 1 { "port" } else { "ports" };
    (is_mail && !words.is_empty()).then(|| format!("{noun} {} (not in the plan)", words.join(", ")))
}

/// Where the product is an Exchange and its services are not said.
fn default_services(case: &Case) -> Vec<String> {
    let silent = case.plan.servers.iter().filter(|s| s.is_exchange() && !s.services_given);
    let labels: Vec<&str> = silent.map(|s| s.label.as_ref()).collect();
    let known = services_of("IIS").is_some();
    match labels.is_empty() || !known {
        true => Vec::new(),
        false => vec![format!("only https of {} (no services given: say [\"IIS\", \"SMTP\", ...])", labels.join(", "))],
    }
}

fn opaque_pools(case: &Case) -> Vec<String> {
    let due = |pool: usize| {
        case.obligations.iter().enumerate().any(|(i, o)| {
            case.is_due(i) && matches!(&*o.claim, Claim::Path { target: Target::Pool(p), .. } if p.0 == pool)
        })
    };
    let opaque = |p: &crate::model::plan::Pool| {
        Phase::ALL.iter().any(|phase| matches!(p.members[*phase as usize], Members::Opaque))
    };
    let pools = case.plan.pools.iter().enumerate().filter(|(i, p)| opaque(p) && due(*i));
    pools.map(|(_, p)| format!("the nodes of {} (opaque: equal samples prove nothing about each)", p.label)).collect()
}

/// What servers that demand client certificates said of ours. What is behind is not seen without one.
fn client_certificates(case: &Case) -> BTreeSet<String> {
    let demanding = case.plan.servers.iter().filter(|s| s.settings.mtls && case.policy.scope == Scope::All);
    let mut out = BTreeSet::new();
    for server in demanding {
        let is_its = |p: &TlsProbe| server.addresses.iter().flatten().any(|a| *a == p.address.ip());
        let looks = case
            .evidence
            .looks()
            .filter(|(l, o)| case.evidence.is_fresh(*l) && matches!(&o.probe, Probe::Tls(p) if is_its(p)));
        let served = looks.filter_map(|(l, _)| match case.evidence.tls(l) {
            Some(TlsOutcome::Certificate(served)) => Some(served),
            _ => None,
        });
        let shown = server.settings.client_certificate.as_ref().map_or("", |c| &c.file.value);
        for served in served {
            let said = match (served.client, &served.ended) {
                (Some(ClientAuth::Asked), _) => {
                    "it asks for a client certificate, and the plan has none to show".into()
                }
                (Some(ClientAuth::Shown), Some(ended)) => format!("it refused {shown} ({ended})"),
                (Some(ClientAuth::Shown), None) => continue,
                (None, Some(_)) => continue,
                (None, None) => "it asked for no client certificate in the handshake".into(),
            };
            out.insert(format!("what {} shows to its clients: {said}", server.label));
        }
    }
    out
}

/// Windows marks keys as exportable or not.
fn keys(case: &Case) -> Option<String> {
    let windows = |p: &str| p.starts_with("exchange-") || p.starts_with("windows-");
    let any = case.plan.servers.iter().any(|s| s.product.as_ref().is_none_or(|p| windows(&p.value)));
    let unsaid = case.plan.certificates.iter().any(|c| c.key_exportable.is_none());
    (any && case.plan.inventory.is_empty() && unsaid)
        .then(|| "whether the key is exportable (no inventory)".to_string())
}

/// Old servers whose certificate was judged, and of which nobody knows whether they hold its key.
fn possession(context: &Context) -> Option<String> {
    let case = context.case;
    let due = context.assessed.iter().enumerate().filter(|(i, _)| case.is_due(*i));
    let is_unproved = |look| match case.evidence.tls(look) {
        Some(TlsOutcome::Certificate(served)) => {
            served.declined.is_some() && matches!(served.possession, Possession::NotProved(_))
        }
        _ => false,
    };
    let met = due.flat_map(|(_, a)| &a.met).filter(|met| is_unproved(met.look));
    let labels: BTreeSet<String> = met.map(|met| wording::culprit(case.plan, met.culprit)).collect();
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    (!labels.is_empty())
        .then(|| format!("whether {} holds the key (its handshake shows that only at its end)", wording::list(labels)))
}

/// A cache shows the rest of a TTL only.
fn ttl_of_caches(case: &Case) -> Option<String> {
    let lowered = |(i, o): (usize, &crate::model::obligation::Obligation)| {
        case.is_due(i) && matches!(*o.claim, Claim::Lowered { .. })
    };
    case.obligations.iter().enumerate().any(lowered).then(|| {
        "the zones' own TTLs where a cache answered (it shows what is left; ask an authoritative server)".to_string()
    })
}

/// Authorities by a name that leads to no CAA domain.
fn unnamed_authorities(context: &Context) -> Vec<String> {
    let line = |(issuer, label): (&str, &str)| {
        format!(
            "could not tell whether CAA lets \"{issuer}\" issue \"{label}\" (no CAA domain of that name is known: say issuer by its domain)"
        )
    };
    dns::unnamed(context).into_iter().map(line).collect()
}

/// A recording of an earlier release, or a look that was narrowed.
fn web_sites(case: &Case) -> Option<String> {
    let plan = case.plan;
    let declared = plan.servers.iter().any(|s| !s.redirects.is_empty());
    let asked = case.evidence.looks().any(|(_, look)| matches!(&look.probe, Probe::Http(p) if p.page == Page::Root));
    (declared && !asked && case.policy.scope == Scope::All)
        .then(|| "redirects and HSTS (no web site was asked)".to_string())
}

/// Tables of the plan that no rule of this release judges.
fn declared_only(case: &Case) -> Option<String> {
    let plan = case.plan;
    let authoritative = plan.settings.authoritative || plan.views.iter().any(|v| v.settings.authoritative);
    let unread = |r: &crate::model::plan::PlannedRecord| {
        let kind = RecordType::of_word(&r.kind);
        let texts = r.values.iter().flatten().flatten();
        kind.is_none_or(|k| {
            !RecordType::ALL.contains(&k) && texts.into_iter().any(|t| RecordData::parse(k, t).is_none())
        })
    };
    let tables = [
        (plan.records.iter().any(unread), "[records] of types or texts that are not read"),
        (authoritative && !plan.zones.iter().any(|z| z.servers.len() > 1), "authoritative servers (none in [zones])"),
        (!plan.inventory.is_empty(), "[inventory]"),
    ];
    let words: Vec<&str> = tables.iter().filter(|(is, _)| *is).map(|(_, word)| *word).collect();
    (!words.is_empty()).then(|| format!("declared, not yet judged: {}", words.join(", ")))
}

/// Rules that the plan speaks of and that later releases bring.
fn later_rules(case: &Case) -> Option<String> {
    let waived = case.plan.waivers.iter().map(|w| w.rule.value.as_str());
    let changed = case.plan.severity.keys().map(String::as_str);
    let later: BTreeSet<&str> = waived.chain(changed).filter(|r| LATER.contains(r)).collect();
    let words: Vec<&str> = later.into_iter().collect();
    (!words.is_empty()).then(|| format!("rules of later releases: {}", words.join(", ")))
}
