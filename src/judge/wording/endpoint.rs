//! Endpoints in words.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::{cut, list};
use crate::judge::assess::Assessment;
use crate::judge::case::Case;
use crate::judge::draft::Item;
use crate::judge::problem::{Culprit, EndpointFault, Fault, Spot};
use crate::model::obligation::Claim;
use crate::model::observation::{Probe, TlsProbe};
use crate::model::plan::{CertId, Plan, Target};
use crate::model::service::{BARE_TLS, Way};
use crate::model::tls::{Face, Possession, TlsOutcome};

/// Who an endpoint's culprit is.
pub(in crate::judge) fn culprit(plan: &Plan, culprit: Culprit) -> String {
    match culprit {
        Culprit::Planned(target) => plan.target_label(target).to_string(),
        Culprit::Stranger(address) => address.to_string(),
    }
}

/// A port, the way into TLS, and the kind of certificate that was asked for alone.
type Door = (u16, Way, Option<Face>);

/// Ports of one address, each with the way into TLS, by the plan's word for the service.
type Ports = BTreeMap<&'static str, BTreeSet<Door>>;

/// The endpoints of items: a line per address, `10.0.0.12  IIS :443  SMTP :25 STARTTLS`. Where a server is at fault, the balancers
/// that lead to it are said under `hurts`.
pub(in crate::judge) fn spots(items: &[Item]) -> Vec<String> {
    let mut by_address: BTreeMap<IpAddr, Ports> = BTreeMap::new();
    for (item, (spot, _)) in items.iter().filter_map(|i| Some((i, endpoint_fault(i)?))) {
        if !is_by_balancer(item, spot) {
            insert(by_address.entry(spot.address.ip()).or_default(), item, spot);
        }
    }
    cut(by_address.iter().map(|(address, ports)| at(*address, ports)).collect())
}

fn insert(ports: &mut Ports, item: &Item, spot: &Spot) {
    ports.entry(service_word(item)).or_default().insert((spot.address.port(), spot.way, spot.face));
}

/// The plan's word for the service that an item is about.
fn service_word(item: &Item) -> &'static str {
    match &*item.obligation.claim {
        Claim::Serves { service, .. } | Claim::Path { service, .. } => service.word,
        _ => BARE_TLS,
    }
}

/// True if a balancer led to a member's fault.
pub(in crate::judge) fn is_by_balancer(item: &Item, spot: &Spot) -> bool {
    matches!(*item.obligation.claim, Claim::Path { target: Target::Pool(_), .. })
        && matches!(spot.culprit, Culprit::Planned(Target::Server(_)))
}

/// `10.0.0.12  IIS :443  SMTP :25 STARTTLS :587 STARTTLS`; the web first, as it is what people know.
fn at(address: IpAddr, ports: &Ports) -> String {
    let port = |(port, way, face): &Door| match way.word() {
        "" => format!(":{port}{}", alone(*face)),
        word => format!(":{port} {word}{}", alone(*face)),
    };
    let service = |(word, ports): (&str, &BTreeSet<Door>)| {
        format!("{word} {}", ports.iter().map(port).collect::<Vec<_>>().join(" "))
    };
    let each: Vec<String> = in_order(ports).into_iter().map(service).collect();
    format!("{address}  {}", each.join("  "))
}

/// Services, the web first.
fn in_order(ports: &Ports) -> Vec<(&'static str, &BTreeSet<Door>)> {
    let mut all: Vec<_> = ports.iter().map(|(word, ports)| (*word, ports)).collect();
    all.sort_by_key(|(_, ports)| !ports.iter().any(|(port, ..)| *port == 443));
    all
}

/// The service words of items, as an administrator types them.
pub(in crate::judge) fn services(items: &[Item]) -> Vec<&'static str> {
    let word = |i: &Item| match &*i.obligation.claim {
        Claim::Serves { .. } | Claim::Path { .. } => Some(service_word(i)),
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

/// The endpoints of items, those behind a balancer too.
pub(in crate::judge) fn met_at(items: &[Item]) -> Vec<String> {
    let mut by_address: BTreeMap<IpAddr, Ports> = BTreeMap::new();
    for (item, (spot, _)) in items.iter().filter_map(|i| Some((i, endpoint_fault(i)?))) {
        insert(by_address.entry(spot.address.ip()).or_default(), item, spot);
    }
    cut(by_address.iter().map(|(address, ports)| at(*address, ports)).collect())
}

/// What stands in the matrix of some tries, and where they were made.
type Tries<'a> = (BTreeSet<Cow<'a, str>>, Ports);

/// Who is hurt on the way through a balancer: `2 of 4 tries at owa 10.0.0.30 (IIS)`, a line per address of a pool.
pub(in crate::judge) fn tries(case: &Case, items: &[Item], assessed: &[Assessment]) -> Vec<String> {
    let mut out: BTreeMap<(&str, IpAddr), Tries> = BTreeMap::new();
    for (item, (spot, _)) in items.iter().filter_map(|i| Some((i, endpoint_fault(i)?))) {
        if let Claim::Path { target: target @ Target::Pool(_), .. } = &*item.obligation.claim {
            let key = (case.plan.target_label(*target).as_ref(), spot.address.ip());
            let entry = out.entry(key).or_default();
            entry.0.insert(assessed[item.index].cell.text());
            insert(&mut entry.1, item, spot);
        }
    }
    let line = |((pool, address), (cells, ports)): (&(&str, IpAddr), &Tries)| {
        let at = format!("{address} ({})", words(ports));
        match cells.iter().filter(|cell| cell.contains(" of ")).max_by_key(|cell| (leading(cell), *cell)) {
            Some(cell) => {
                let up_to = if cells.len() > 1 { "up to " } else { "" };
                format!("whoever the load balancer sends there: {up_to}{cell} tries at {pool} {at}")
            }
            None => format!("whoever the load balancer sends there: {pool} {at}"),
        }
    };
    cut(out.iter().map(line).collect())
}

fn leading(cell: &str) -> Option<u32> {
    cell.split_whitespace().next().and_then(|n| n.parse().ok())
}

/// `IIS IMAP POP SMTP`.
fn words(ports: &Ports) -> String {
    in_order(ports).into_iter().map(|(word, _)| word).collect::<Vec<_>>().join(" ")
}

/// The services of items at a port that the plan gives them: `IIS :443  SMTP :25`.
pub(in crate::judge) fn services_at(items: &[Item]) -> String {
    let mut ports = Ports::new();
    items
        .iter()
        .filter_map(|i| Some((i, endpoint_fault(i)?.0)))
        .for_each(|(item, spot)| insert(&mut ports, item, spot));
    let numbers = |ports: &BTreeSet<Door>| ports.iter().map(|(port, ..)| format!(":{port}")).collect::<Vec<_>>();
    let each = in_order(&ports).into_iter().map(|(word, ports)| format!("{word} {}", numbers(ports).join(" ")));
    each.collect::<Vec<_>>().join("  ")
}

/// The words that an endpoint's outcome was observed with, each once.
pub(in crate::judge) fn outcomes(case: &Case, items: &[Item]) -> Vec<String> {
    let mut out: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for item in items {
        for look in &item.problem.looks {
            if let (Some(outcome), Probe::Tls(p)) = (case.evidence.tls(*look), &case.evidence.look(*look).probe) {
                let words = super::by_its_word(p.way, outcome.to_string());
                out.entry(words).or_default().insert(endpoint(service_word(item), p));
            }
        }
    }
    let line = |(word, at): (&String, &BTreeSet<String>)| format!("{word}: {}", list(at.iter().map(String::as_str)));
    cut(out.iter().map(line).collect())
}

/// What was negotiated with old servers, each line once: version and suite, what a current client came to, and whether the
/// key was shown to be the certificate's.
pub(in crate::judge) fn negotiated(case: &Case, items: &[Item]) -> Vec<String> {
    let mut spoken: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let (mut declined, mut unproved) = (BTreeSet::new(), BTreeSet::new());
    let looks = items.iter().flat_map(|i| i.problem.looks.iter().map(move |look| (i, look)));
    for (item, look) in looks {
        let (Some(TlsOutcome::Certificate(served)), Probe::Tls(p)) =
            (case.evidence.tls(*look), &case.evidence.look(*look).probe)
        else {
            continue;
        };
        let [version, suite] = [&served.version, &served.cipher].map(|w| w.as_deref().unwrap_or("unknown"));
        spoken.entry(format!("{version} with {suite}")).or_default().insert(endpoint(service_word(item), p));
        declined.extend(served.declined.as_ref().map(|why| format!("a current client: {why}")));
        if let Possession::NotProved(why) = &served.possession {
            unproved.insert(format!("possession of the key not proved: {why}"));
        }
    }
    let line = |(word, at): (&String, &BTreeSet<String>)| format!("{word}: {}", list(at.iter().map(String::as_str)));
    [cut(spoken.iter().map(line).collect()), declined.into_iter().collect(), unproved.into_iter().collect()].concat()
}

/// `SMTP 10.0.0.10:25 STARTTLS`.
fn endpoint(service: &str, probe: &TlsProbe) -> String {
    let (address, face) = (probe.address, alone(probe.face));
    match probe.way.word() {
        "" => format!("{service} {address}{face}"),
        word => format!("{service} {address} {word}{face}"),
    }
}

/// Behind an endpoint, where one kind of certificate was asked for alone.
fn alone(face: Option<Face>) -> String {
    face.map(|face| format!(" ({face})")).unwrap_or_default()
}

/// True if a fault speaks of what an endpoint served.
pub(in crate::judge) fn endpoint_fault<'a>(item: &Item<'a>) -> Option<(&'a Spot, &'a EndpointFault)> {
    match &item.problem.fault {
        Fault::Endpoint(spot, fault) => Some((spot, fault)),
        _ => None,
    }
}

/// The declared certificates that items' obligations want.
pub(in crate::judge) fn wanted_by(items: &[Item]) -> BTreeSet<CertId> {
    let of = |i: &Item| match &*i.obligation.claim {
        Claim::Serves { certificates, .. } | Claim::Path { certificates, .. } => certificates.to_vec(),
        Claim::Covers { certificate, .. } => vec![*certificate],
        _ => Vec::new(),
    };
    items.iter().flat_map(of).collect()
}

/// What a target's product is, if the plan says so.
pub(in crate::judge) fn product(plan: &Plan, target: Target) -> Option<&str> {
    match target {
        Target::Server(id) => plan.server(id).product.as_ref().map(|p| p.value.as_str()),
        Target::Pool(_) => None,
    }
}
