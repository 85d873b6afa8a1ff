//! The words that several rules share: certificates, endpoints, names and times, each always said the same way.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jiff::Timestamp;

use super::assess::Assessment;
use super::case::Case;
use super::draft::Item;
use super::evidence::Look;
use super::problem::{Culprit, EndpointFault, Fault, Spot};
use crate::model::certificate::{BlobId, CertificateFacts};
use crate::model::finding::{ClaimKind, Subject};
use crate::model::identity::Mismatch;
use crate::model::obligation::{Claim, DnsExpectation, Obligation};
use crate::model::observation::Probe;
use crate::model::plan::{CertId, CertificateSource, NameId, Plan, Target, ViewId};
use crate::model::service::Way;

/// How many of a kind are listed before "and N more".
const LISTED: usize = 12;

/// The kind of an obligation.
pub(super) fn kind(claim: &Claim) -> ClaimKind {
    match claim {
        Claim::Covers { .. } => ClaimKind::San,
        Claim::Resolves { .. } => ClaimKind::Dns,
        Claim::Lowered { .. } => ClaimKind::Ttl,
        Claim::Serves { .. } => ClaimKind::Tls,
        Claim::Path { .. } => ClaimKind::Path,
    }
}

/// Whom an obligation is about.
pub(super) fn subject(plan: &Plan, obligation: &Obligation) -> Subject {
    let name = Some(plan.name(obligation.claim.name()).name.to_string());
    let view = |v: &ViewId| Some(plan.view(*v).label.to_string());
    let blank = Subject { name, ..Subject::default() };
    match &obligation.claim {
        Claim::Covers { certificate, .. } => {
            Subject { certificate: Some(plan.certificate(*certificate).label.to_string()), ..blank }
        }
        Claim::Resolves { view: v, .. } | Claim::Lowered { view: v, .. } => Subject { view: view(v), ..blank },
        Claim::Serves { server, service, .. } => Subject {
            server: Some(plan.server(*server).label.to_string()),
            service: Some(format!("{}:{}", service.word, service.port)),
            address: one(plan.server(*server).own_addresses(&plan.views)),
            ..blank
        },
        Claim::Path { view: v, target, service, addresses, .. } => Subject {
            view: view(v),
            server: Some(plan.target_label(*target).to_string()),
            service: Some(format!("{}:{}", service.word, service.port)),
            address: one(addresses.clone()),
            vantage: view(v),
            ..blank
        },
    }
}

fn one(addresses: Vec<IpAddr>) -> Option<String> {
    match addresses.as_slice() {
        [only] => Some(only.to_string()),
        _ => None,
    }
}

/// What the subjects of several obligations have in common.
pub(super) fn common_subject(case: &Case, obligations: &BTreeSet<usize>, items: &[Item]) -> Subject {
    let subjects: Vec<Subject> = obligations.iter().map(|i| subject(case.plan, &case.obligations[*i])).collect();
    let common = |field: fn(&Subject) -> &Option<String>| {
        let mut all = subjects.iter().map(field);
        let first = all.next()?.clone()?;
        all.all(|v| v.as_deref() == Some(first.as_str())).then_some(first)
    };
    let vantages: BTreeSet<Option<String>> =
        items.iter().flat_map(|i| &i.problem.looks).map(|l| vantage(case, *l)).collect();
    let mut out = Subject {
        name: common(|s| &s.name),
        view: common(|s| &s.view),
        server: common(|s| &s.server),
        address: common(|s| &s.address),
        service: common(|s| &s.service),
        vantage: if vantages.len() == 1 { vantages.into_iter().next().flatten() } else { None },
        certificate: common(|s| &s.certificate),
    };
    endpoint_subject(case, items, &mut out);
    out
}

/// Endpoint findings are about their culprit, and about the address where it was met if there is one only.
fn endpoint_subject(case: &Case, items: &[Item], out: &mut Subject) {
    let spots: Option<Vec<&Spot>> = items
        .iter()
        .map(|i| match &i.problem.fault {
            Fault::Endpoint(spot, _) => Some(spot),
            _ => None,
        })
        .collect();
    let Some(spots) = spots.filter(|s| !s.is_empty()) else { return };
    let culprits: BTreeSet<Culprit> = spots.iter().map(|s| s.culprit).collect();
    let addresses: BTreeSet<IpAddr> = spots.iter().map(|s| s.address.ip()).collect();
    out.server = match (culprits.len(), culprits.first()) {
        (1, Some(Culprit::Planned(target))) => Some(case.plan.target_label(*target).to_string()),
        _ => None,
    };
    out.address = one(addresses.into_iter().collect());
}

/// The view in which an observation's run stood, if it was one.
fn vantage(case: &Case, look: Look) -> Option<String> {
    match case.evidence.run(look)?.stands_in.as_slice() {
        [only] => Some(only.to_string()),
        _ => None,
    }
}

/// `B26C…1738  CN=mail.example, self-signed`.
pub(super) fn certificate(facts: &CertificateFacts) -> String {
    let subject = match facts.subject.is_empty() {
        true => facts.dns_ids.first().map_or_else(|| "no subject".into(), |d| format!("no subject, {d}")),
        false => facts.subject.clone(),
    };
    let own = if facts.is_self_issued() { ", self-signed" } else { "" };
    format!("{}  {subject}{own}", facts.thumbprint())
}

/// A leaf by its id.
pub(super) fn leaf(case: &Case, id: BlobId) -> String {
    match case.certificates.facts(id) {
        Ok(facts) => certificate(facts),
        Err(why) => format!("{} (cannot be read: {why})", short(&id.to_string())),
    }
}

fn short(text: &str) -> String {
    text.chars().take(16).collect()
}

/// The names of a certificate, or that it has none.
pub(super) fn presented(facts: &CertificateFacts) -> String {
    match facts.dns_ids.is_empty() {
        true => "no subjectAltName".into(),
        false => list(facts.dns_ids.iter().map(String::as_str)),
    }
}

/// What a set of declared certificates is, for `expected`.
pub(super) fn wanted(case: &Case, certificates: &BTreeSet<CertId>) -> Vec<String> {
    let line = |id: &CertId| {
        let declared = case.plan.certificate(*id);
        let label = format!("(certificate \"{}\")", declared.label);
        match (case.certificates.leaves(&[*id]).first(), &declared.source) {
            (Some(found), _) => format!("{}  {label}", leaf(case, *found)),
            (None, CertificateSource::Names(names)) => {
                format!("{}  {label}", list(names.iter().map(|n| n.value.as_str())))
            }
            (None, _) => match &declared.thumbprint {
                Some(t) => format!("{}  {label}", t.value),
                None => label,
            },
        }
    };
    certificates.iter().map(line).collect()
}

/// `a, b and c`; long lists are cut.
pub(super) fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<&str> = words.into_iter().collect();
    match words.as_slice() {
        [] => String::new(),
        [only] => (*only).to_string(),
        many if many.len() > LISTED => format!("{} and {} more", many[..LISTED].join(", "), many.len() - LISTED),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// The names that items are about, each once, in the plan's order.
pub(super) fn names(items: &[Item]) -> Vec<NameId> {
    items.iter().map(|i| i.obligation.claim.name()).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Names in words.
pub(super) fn name_list(plan: &Plan, names: &[NameId]) -> String {
    list(names.iter().map(|n| plan.name(*n).name.as_str()))
}

/// A view's label.
pub(super) fn view(plan: &Plan, view: ViewId) -> &str {
    &plan.view(view).label
}

/// Views in words.
pub(super) fn view_list<'a>(plan: &'a Plan, views: impl IntoIterator<Item = ViewId>) -> String {
    let labels: Vec<&'a str> = views.into_iter().map(|v| view(plan, v)).collect();
    list(labels)
}

/// Who an endpoint's culprit is.
pub(super) fn culprit(plan: &Plan, culprit: Culprit) -> String {
    match culprit {
        Culprit::Planned(target) => plan.target_label(target).to_string(),
        Culprit::Stranger(address) => address.to_string(),
    }
}

/// The endpoints of items: a line per address, `10.0.0.12:443  :25 STARTTLS`. Where a server is at fault, the balancers
/// that lead to it are said under `hurts`.
pub(super) fn spots(items: &[Item]) -> Vec<String> {
    let mut by_address: BTreeMap<IpAddr, BTreeSet<(u16, Way)>> = BTreeMap::new();
    for (item, (spot, _)) in items.iter().filter_map(|i| Some((i, endpoint_fault(i)?))) {
        if !is_by_balancer(item, spot) {
            by_address.entry(spot.address.ip()).or_default().insert((spot.address.port(), spot.way));
        }
    }
    cut(by_address.iter().map(|(address, ports)| at(*address, ports)).collect())
}

/// True if a balancer led to a member's fault.
fn is_by_balancer(item: &Item, spot: &Spot) -> bool {
    matches!(item.obligation.claim, Claim::Path { target: Target::Pool(_), .. })
        && matches!(spot.culprit, Culprit::Planned(Target::Server(_)))
}

/// `10.0.0.12:443  :25 STARTTLS`; the web first, as it is what people know.
fn at(address: IpAddr, ports: &BTreeSet<(u16, Way)>) -> String {
    let port = |(port, way): &(u16, Way)| match way.word() {
        "" => format!(":{port}"),
        word => format!(":{port} {word}"),
    };
    let mut all: Vec<&(u16, Way)> = ports.iter().collect();
    all.sort_by_key(|(port, _)| *port != 443);
    let bracket = if address.is_ipv6() { format!("[{address}]") } else { address.to_string() };
    format!("{bracket}{}", all.into_iter().map(port).collect::<Vec<_>>().join("  "))
}

/// The service words of items, as an administrator types them.
pub(super) fn services(items: &[Item]) -> Vec<&'static str> {
    let word = |i: &Item| match &i.obligation.claim {
        Claim::Serves { service, .. } | Claim::Path { service, .. } => Some(service.word),
        _ => None,
    };
    let mut out: Vec<&'static str> = Vec::new();
    items.iter().filter_map(word).for_each(|w| {
        if !out.contains(&w) {
            out.push(w);
        }
    });
    out
}

/// At most so many lines, and how many were left out.
pub(super) fn cut(mut lines: Vec<String>) -> Vec<String> {
    if lines.len() > LISTED {
        let more = lines.len() - LISTED;
        lines.truncate(LISTED);
        lines.push(format!("and {more} more"));
    }
    lines
}

/// The declared certificates that items' obligations want.
pub(super) fn wanted_by(items: &[Item]) -> BTreeSet<CertId> {
    let of = |i: &Item| match &i.obligation.claim {
        Claim::Serves { certificates, .. } | Claim::Path { certificates, .. } => certificates.clone(),
        Claim::Covers { certificate, .. } => vec![*certificate],
        _ => Vec::new(),
    };
    items.iter().flat_map(of).collect()
}

/// Why a certificate does not cover a name.
pub(super) fn mismatch(why: &Mismatch) -> String {
    match why {
        Mismatch::NoDnsId { common_name: true } => {
            "it has the name as commonName only, which clients ignore (RFC 9525)".into()
        }
        Mismatch::NoDnsId { common_name: false } => "it has no DNS name in subjectAltName".into(),
        Mismatch::CommonNameOnly { common_name } => {
            format!("only its commonName {common_name} matches, which clients ignore (RFC 9525)")
        }
        Mismatch::WildcardDepth { presented } => format!("{presented}: * stands for exactly one label"),
        Mismatch::IpInDnsId { presented } => format!("the address {presented} stands in a dNSName"),
        Mismatch::NotPresented => "the name is not on it".into(),
    }
}

/// What DNS should answer, a line per alternative.
pub(super) fn dns_expected(plan: &Plan, view_id: ViewId, expected: &DnsExpectation) -> Vec<String> {
    let view = view(plan, view_id);
    let mut out: Vec<String> = Vec::new();
    for alternative in &expected.present {
        let of = |v4: bool| {
            let addresses: Vec<String> =
                alternative.addresses.iter().filter(|a| a.is_ipv4() == v4).map(IpAddr::to_string).collect();
            (!addresses.is_empty()).then(|| format!("{} {}", if v4 { "A" } else { "AAAA" }, addresses.join(", ")))
        };
        let records: Vec<String> = [true, false].into_iter().filter_map(of).collect();
        let targets: Vec<&str> = alternative.targets.iter().map(|t| plan.target_label(*t).as_ref()).collect();
        let any = if expected.part { "any of " } else { "" };
        out.push(format!("{view}: {any}{} ({})", records.join(" and "), list(targets)));
    }
    out.extend(expected.like.iter().map(|host| format!("{view}: what {host} resolves to")));
    if expected.absent {
        out.push(format!("{view}: no such name"));
    }
    if let Some(cname) = &expected.cname {
        out.push(format!("{view}: CNAME {cname}"));
    }
    out
}

/// The resolvers of DNS items: `9.9.9.9 and 1.1.1.1`.
pub(super) fn resolvers(case: &Case, items: &[Item]) -> String {
    let mut seen: BTreeSet<(ViewId, usize)> = BTreeSet::new();
    for item in items {
        if let Fault::Dns(view, resolver, _) = &item.problem.fault {
            seen.insert((*view, *resolver));
        }
    }
    let words: Vec<String> = seen.iter().map(|(v, r)| resolver(case.plan, *v, *r)).collect();
    list(words.iter().map(String::as_str))
}

/// A resolver in words.
pub(super) fn resolver(plan: &Plan, view: ViewId, index: usize) -> String {
    plan.view(view).resolvers.get(index).map_or_else(String::new, |r| r.value.to_string())
}

/// When the observations of items were made: `21:04`, or with the date if they span days.
pub(super) fn when(case: &Case, items: &[Item]) -> String {
    let times = items.iter().flat_map(|i| &i.problem.looks).map(|l| case.evidence.look(*l).at);
    times.max().map_or_else(String::new, |t| t.strftime("%Y-%m-%d %H:%MZ").to_string())
}

/// A day.
pub(super) fn day(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d").to_string()
}

/// Seconds as an administrator says them.
pub(super) fn duration(seconds: i64) -> String {
    match seconds {
        s if s >= 172_800 && s % 3600 == 0 => format!("{} d {} h", s / 86_400, s % 86_400 / 3600).replace(" 0 h", ""),
        s if s >= 7200 => format!("{} h {} min", s / 3600, s % 3600 / 60).replace(" 0 min", ""),
        s if s >= 120 => format!("{} min", (s + 59) / 60),
        s => format!("{s} s"),
    }
}

/// How many, with the right ending.
pub(super) fn count(n: usize, one: &str, many: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {many}") }
}

/// What a target's product is, if the plan says so.
pub(super) fn product(plan: &Plan, target: Target) -> Option<&str> {
    match target {
        Target::Server(id) => plan.server(id).product.as_ref().map(|p| p.value.as_str()),
        Target::Pool(_) => None,
    }
}

/// The words that an endpoint's outcome was observed with, each once.
pub(super) fn outcomes(case: &Case, items: &[Item]) -> Vec<String> {
    let mut out: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for item in items {
        for look in &item.problem.looks {
            if let (Some(outcome), Probe::Tls(p)) = (case.evidence.tls(*look), &case.evidence.look(*look).probe) {
                out.entry(outcome.to_string()).or_default().insert(endpoint(p.address, p.way));
            }
        }
    }
    let line = |(word, at): (&String, &BTreeSet<String>)| format!("{word}: {}", list(at.iter().map(String::as_str)));
    cut(out.iter().map(line).collect())
}

fn endpoint(address: std::net::SocketAddr, way: Way) -> String {
    match way.word() {
        "" => address.to_string(),
        word => format!("{address} {word}"),
    }
}

/// Who is hurt on the way through a balancer: `2 of 4 tries at owa 10.0.0.30:443`.
pub(super) fn tries(case: &Case, items: &[Item], assessed: &[Assessment]) -> Vec<String> {
    let mut out: BTreeMap<(&str, IpAddr), (&str, BTreeSet<(u16, Way)>)> = BTreeMap::new();
    for (item, (spot, _)) in items.iter().filter_map(|i| Some((i, endpoint_fault(i)?))) {
        if let Claim::Path { target: target @ Target::Pool(_), .. } = &item.obligation.claim {
            let key = (case.plan.target_label(*target).as_ref(), spot.address.ip());
            let entry = out.entry(key).or_insert_with(|| (&assessed[item.index].cell, BTreeSet::new()));
            entry.1.insert((spot.address.port(), spot.way));
        }
    }
    let line = |((pool, address), (cell, ports)): (&(&str, IpAddr), &(&str, BTreeSet<(u16, Way)>))| {
        let at = at(*address, ports);
        match cell.contains(" of ") {
            true => format!("whoever the load balancer sends there: {cell} tries at {pool} {at}"),
            false => format!("whoever the load balancer sends there: {pool} {at}"),
        }
    };
    cut(out.iter().map(line).collect())
}

/// True if a fault speaks of what an endpoint served.
pub(super) fn endpoint_fault<'a>(item: &Item<'a>) -> Option<(&'a Spot, &'a EndpointFault)> {
    match &item.problem.fault {
        Fault::Endpoint(spot, fault) => Some((spot, fault)),
        _ => None,
    }
}
