//! What clients keep beside addresses: HTTPS records and their hints, MTA-STS policies, TLSA records. As the plan declares
//! them for a phase.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::credentials::Association;
use super::reach;
use super::records::{Names, Sets, kind_of, known_host};
use crate::commands::Rdata;
use crate::model::cutover::{CacheKey, CacheKind, Datum, NodeId, Serving};
use crate::model::name::Name;
use crate::model::phase::Phase;
use crate::model::plan::{MailDomain, Plan, PlannedRecord, Target, ViewId};
use crate::model::questions;
use crate::pki;

/// No resolver follows a longer chain.
const LONGEST_CHAIN: usize = 16;

/// Patterns of the policy of each mail domain (RFC 8461 section 3.2): those of the plan, and the hosts that take mail in
/// the phase and fit none of them.
pub(super) fn mta_sts(plan: &Plan, view: ViewId, phase: Phase, sets: &mut Sets) {
    if !questions::outward(plan).contains(&view) {
        return;
    }
    for mail in &plan.mail {
        let Some(policy) = &mail.mta_sts else { continue };
        let mut patterns: BTreeSet<Datum> = policy.mx.iter().map(|p| Datum::Host(p.value.clone())).collect();
        let given: Vec<&str> = policy.mx.iter().map(|p| p.value.as_str()).collect();
        let new = exchanges(mail, phase).filter(|host| pki::identify_among(given.iter().copied(), host).is_err());
        patterns.extend(new.cloned().map(Datum::Host));
        if !patterns.is_empty() {
            let key = CacheKey { view, owner: mail.domain.clone(), kind: CacheKind::MtaSts };
            sets.insert(key, patterns);
        }
    }
}

/// The hosts that take a domain's mail in a phase; where nothing is said of one, mail goes where it goes later.
pub(super) fn exchanges(mail: &MailDomain, phase: Phase) -> impl Iterator<Item = &Name> {
    let later = Phase::ALL.into_iter().filter(move |p| *p >= phase).find_map(|p| mail.mx[p as usize].as_ref());
    later.into_iter().flatten().map(|host| &host.value)
}

/// HTTPS records (RFC 9460) of `[records]`: hints move with the addresses of their name, hosts stay.
pub(super) fn https(plan: &Plan, known: &Names, view: ViewId, phase: Phase, sets: &mut Sets) {
    for record in plan.records.iter().filter(|r| r.kind == "HTTPS") {
        let values = record.values.get(view.0).into_iter().flatten().flatten();
        let mut data = BTreeSet::new();
        for value in values {
            data.extend(of_https((plan, known), record, view, phase, value));
        }
        if !data.is_empty() {
            sets.insert(CacheKey { view, owner: record.owner.clone(), kind: CacheKind::Https }, data);
        }
    }
}

fn of_https(
    (plan, known): (&Plan, &Names),
    record: &PlannedRecord,
    view: ViewId,
    phase: Phase,
    value: &str,
) -> Vec<Datum> {
    let mut words = value.split_whitespace();
    let (Some(_priority), Some(target)) = (words.next(), words.next()) else { return Vec::new() };
    if target != "." {
        return Name::parse_owner(target).map(|host| vec![known_host(known, &host)]).unwrap_or_default();
    }
    let hints: Vec<IpAddr> = words.flat_map(hints).collect();
    let Some(name) = known.get(&record.owner).copied() else {
        return hints.into_iter().map(Datum::Address).collect();
    };
    let targets: Vec<Target> = reach::targets(name, view, phase).collect();
    let addresses = targets.into_iter().flat_map(|t| plan.target_addresses(t, view, phase));
    let is_hinted = |a: &IpAddr| hints.iter().any(|h| kind_of(*h) == kind_of(*a));
    addresses.filter(is_hinted).map(Datum::Address).collect()
}

fn hints(parameter: &str) -> Vec<IpAddr> {
    let list = parameter.strip_prefix("ipv4hint=").or(parameter.strip_prefix("ipv6hint="));
    list.into_iter().flat_map(|l| l.trim_matches('"').split(',')).filter_map(|a| a.parse().ok()).collect()
}

/// What TLSA records depend on, at one time.
pub(super) struct Led<'a> {
    /// What names answer.
    pub(super) data: &'a dyn Fn(&CacheKey) -> Vec<Datum>,
    /// Who answers at addresses.
    pub(super) routes: &'a BTreeMap<(ViewId, IpAddr), BTreeSet<NodeId>>,
    /// What nodes serve.
    pub(super) serving: &'a BTreeMap<(NodeId, u16), Serving>,
}

/// The TLSA records of `[records]` (RFC 7672): each lists the certificates that its host serves, and those that its text
/// lists and somebody has seen.
pub(super) fn tlsa(plan: &Plan, associations: &BTreeMap<usize, Association>, led: &Led) -> Sets {
    let mut sets = Sets::new();
    for record in plan.records.iter().filter(|r| r.kind == "TLSA") {
        let Some((port, host)) = endpoint(&record.owner) else { continue };
        for view in plan.view_ids() {
            let values = values(record, view);
            if !values.iter().any(|v| v.usage % 2 == 1) {
                // Nothing is declared, or an authority is (usages 0 and 2), under which any certificate will do.
                continue;
            }
            let mut data: BTreeSet<Datum> = served(led, view, &host, port).map(Datum::Certificate).collect();
            if !data.is_empty() {
                let listed = associations.iter().filter(|(_, a)| values.iter().any(|v| a.is(v)));
                data.extend(listed.map(|(i, _)| Datum::Certificate(*i)));
                sets.insert(CacheKey { view, owner: record.owner.clone(), kind: CacheKind::Tlsa }, data);
            }
        }
    }
    sets
}

/// Hosts whose records list none of the certificates that they serve, though all of those are known: a line each.
pub(super) fn unlisted(plan: &Plan, associations: &BTreeMap<usize, Association>, led: &Led) -> Vec<String> {
    let mut out = Vec::new();
    for record in plan.records.iter().filter(|r| r.kind == "TLSA") {
        let Some((port, host)) = endpoint(&record.owner) else { continue };
        for view in plan.view_ids() {
            let values = values(record, view);
            let served: Vec<usize> = served(led, view, &host, port).collect();
            let is_other =
                |c: &usize| associations.get(c).is_some_and(|a| !values.iter().any(|v| a.is(v) || v.usage % 2 == 0));
            if !values.is_empty() && !served.is_empty() && served.iter().all(is_other) {
                let label = &plan.view(view).label;
                out.push(format!(
                    "what {} TLSA lists today in {label}: its text in the plan does not list what {host} serves; taken as listing it",
                    record.owner
                ));
            }
        }
    }
    out
}

/// One TLSA value (RFC 6698 section 2.1).
pub(super) struct Value {
    pub(super) usage: u8,
    pub(super) selector: u8,
    pub(super) matching: u8,
    pub(super) association: Vec<u8>,
}

/// The values of a TLSA record in a view that can be read.
pub(super) fn values(record: &PlannedRecord, view: ViewId) -> Vec<Value> {
    let texts = record.values.get(view.0).into_iter().flatten().flatten();
    let parsed = texts.filter_map(|text| match Rdata::parse("TLSA", text)? {
        Rdata::Tlsa { usage, selector, matching, association } => {
            Some(Value { usage, selector, matching, association })
        }
        _ => None,
    });
    parsed.collect()
}

/// Port and host of `_25._tcp.mail.example.org`.
pub(super) fn endpoint(owner: &Name) -> Option<(u16, Name)> {
    let (port, rest) = owner.as_str().strip_prefix('_')?.split_once('.')?;
    let host = rest.strip_prefix("_tcp.")?;
    Some((port.parse().ok()?, Name::parse(host).ok()?))
}

/// The certificates that clients of a host meet at a port.
fn served<'a>(led: &'a Led, view: ViewId, host: &Name, port: u16) -> impl Iterator<Item = usize> + use<'a> {
    let mut nodes = BTreeSet::new();
    let mut open = vec![host.clone()];
    for _ in 0..LONGEST_CHAIN {
        let Some(owner) = open.pop() else { break };
        for kind in [CacheKind::A, CacheKind::Aaaa, CacheKind::Cname] {
            for datum in (led.data)(&CacheKey { view, owner: owner.clone(), kind }) {
                match datum {
                    Datum::Address(address) => nodes.extend(led.routes.get(&(view, address)).into_iter().flatten()),
                    Datum::Host(alias) => open.push(alias),
                    Datum::Elsewhere(_) | Datum::Certificate(_) => {}
                }
            }
        }
    }
    let host = host.clone();
    let of = move |node: NodeId| led.serving.get(&(node, port)).map(|s| s.for_name(Some(&host)).to_vec());
    nodes.into_iter().filter_map(of).flatten()
}
