//! Rules about what a view's resolvers answer.

mod dns_interception_suspected;
mod intranet_name_in_external_view;
mod name_unresolved_in_view;
mod resolves_to_unexpected_target;
mod ttl_too_high_at_flip;

use std::collections::BTreeSet;

use super::Rule;
use crate::commands;
use crate::judge::case::Case;
use crate::judge::draft::{Item, Key};
use crate::judge::problem::{DnsFault, Fault};
use crate::judge::wording;
use crate::model::name::Name;
use crate::model::obligation::Claim;
use crate::model::plan::{NameId, ViewId, ViewKind, Zone};

/// The rules of this family.
pub(super) const RULES: &[Rule] = &[
    Rule { info: &name_unresolved_in_view::INFO, check: name_unresolved_in_view::check },
    Rule { info: &resolves_to_unexpected_target::INFO, check: resolves_to_unexpected_target::check },
    Rule { info: &intranet_name_in_external_view::INFO, check: intranet_name_in_external_view::check },
    Rule { info: &dns_interception_suspected::INFO, check: dns_interception_suspected::check },
    Rule { info: &ttl_too_high_at_flip::INFO, check: ttl_too_high_at_flip::check },
];

/// The name and view of a DNS problem whose fault `is` picks.
fn about(item: &Item, is: impl Fn(&DnsFault) -> bool) -> Option<(NameId, ViewId)> {
    match &item.problem.fault {
        Fault::Dns(view, _, fault) if is(fault) => Some((item.obligation.claim.name(), *view)),
        _ => None,
    }
}

/// What the items' obligations expect of DNS.
pub(super) fn expected(case: &Case, items: &[Item]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for item in items {
        if let Claim::Resolves { view, expected, .. } = &item.obligation.claim {
            out.extend(
                wording::dns_expected(case.plan, *view, expected)
                    .into_iter()
                    .filter(|l| !out.contains(l))
                    .collect::<Vec<_>>(),
            );
        }
    }
    out
}

/// What was said, and by which resolvers: `NXDOMAIN from 9.9.9.9 and 1.1.1.1, 2026-11-22 21:04Z`.
pub(super) fn said(case: &Case, items: &[Item]) -> Vec<String> {
    let mut words: Vec<(String, Vec<Item>)> = Vec::new();
    for item in items {
        let Fault::Dns(_, _, fault) = &item.problem.fault else { continue };
        let word = word(fault);
        match words.iter_mut().find(|(w, _)| *w == word) {
            Some((_, all)) => all.push(*item),
            None => words.push((word, vec![*item])),
        }
    }
    let line = |(word, all): &(String, Vec<Item>)| {
        format!("{word} from {}, {}{}", wording::resolvers(case, all), wording::when(case, all), authority(case, all))
    };
    wording::cut(words.iter().map(line).collect())
}

fn word(fault: &DnsFault) -> String {
    let list = |addresses: &BTreeSet<std::net::IpAddr>| {
        let words: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        wording::list(words.iter().map(String::as_str))
    };
    match fault {
        DnsFault::Unresolved { word } | DnsFault::Silent { word } => word.clone(),
        DnsFault::Unexpected { addresses } | DnsFault::Unwanted { addresses, .. } => list(addresses),
        DnsFault::NoAlias { alias } => format!("no CNAME to {alias}"),
        DnsFault::TtlTooHigh { owner, ttl, .. } => format!("{owner} TTL {ttl} s"),
        DnsFault::NotAsked => "not asked".into(),
        DnsFault::Stale(hours) => format!("{hours} h old"),
        DnsFault::LikeUnknown { host } => format!("no answer for {host}"),
        DnsFault::Intercepted => "answers that look intercepted".into(),
    }
}

/// Who said that there is nothing.
fn authority(case: &Case, items: &[Item]) -> String {
    let looks = items.iter().flat_map(|i| &i.problem.looks);
    let soas: BTreeSet<&str> =
        looks.filter_map(|l| case.evidence.dns(*l)?.reply()?.soa.as_ref()).map(|s| s.primary.as_str()).collect();
    match soas.is_empty() {
        true => String::new(),
        false => format!("; authority SOA {}", wording::list(soas)),
    }
}

/// How long caches may go on saying that a name does not exist once it does: the negative TTL (RFC 2308 section 5) and the
/// time until all authoritative servers hold the change.
pub(super) fn negative_wait(case: &Case, view: ViewId, items: &[Item]) -> Option<String> {
    let looks = items.iter().flat_map(|i| &i.problem.looks);
    let ttls = looks.filter_map(|l| case.evidence.dns(*l)?.reply()?.soa.as_ref()).map(|s| s.negative_ttl());
    let negative = i64::from(ttls.max()?);
    let propagation = i64::from(case.plan.cutover.propagation.get(view.0).copied().unwrap_or(0));
    Some(format!(
        "caches may say \"absent\" for {} more (negative TTL {negative} s + {} propagation)",
        wording::duration(negative + propagation),
        wording::duration(propagation)
    ))
}

/// The records to write: `public zone: legacy.mail.domain.com. 300 IN A 203.0.113.3`.
pub(super) fn zone_lines(case: &Case, items: &[Item]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for item in items {
        let Claim::Resolves { name, view, expected } = &item.obligation.claim else { continue };
        let name = case.plan.name(*name);
        let ttl = name.ttl.as_ref().map_or(case.plan.cutover.low_ttl, |t| t.value);
        let records = match (expected.cname.as_ref().or(expected.like.first()), expected.present.last()) {
            (Some(alias), _) => vec![format!("{}. {ttl} IN CNAME {alias}.", name.name)],
            (None, Some(set)) => set.addresses.iter().flat_map(|a| add(case, *view, &name.name, ttl, *a)).collect(),
            (None, None) => Vec::new(),
        };
        let zone = zone_word(case, *view);
        out.extend(
            records.into_iter().map(|r| format!("{zone}: {r}")).filter(|l| !out.contains(l)).collect::<Vec<_>>(),
        );
    }
    out
}

/// In the words of the product that serves the zone in this view, where the plan says so.
fn add(case: &Case, view: ViewId, name: &Name, ttl: u32, address: std::net::IpAddr) -> Vec<String> {
    let holds = |z: &&Zone| z.views.contains(&view) && name.is_under(z.apex.as_str());
    let zone = case.plan.zones.iter().filter(holds).max_by_key(|z| z.apex.as_str().len());
    let server = zone.and_then(|z| z.servers.first()).map(|s| s.value.addr.ip().to_string());
    let product = zone.and_then(|z| z.product.as_deref());
    commands::add_record(product, zone.map(|z| &z.apex), server.as_deref(), name, ttl, address)
}

/// `public zone` where one view is outside, else the view's own.
fn zone_word(case: &Case, view: ViewId) -> String {
    let kind = case.plan.view(view).kind;
    let alone = case.plan.views.iter().filter(|v| v.kind == kind).count() == 1;
    match (kind, alone) {
        (ViewKind::External, true) => "public zone".into(),
        (ViewKind::Internal, true) => "internal zone".into(),
        _ => format!("zone of {}", wording::view(case.plan, view)),
    }
}

/// The names and views of items, as facts.
fn keys(items: &[Item]) -> BTreeSet<Key> {
    let view = |i: &Item| match &i.problem.fault {
        Fault::Dns(view, _, _) => Some(Key::Dns(i.obligation.claim.name(), *view)),
        _ => None,
    };
    items.iter().filter_map(view).collect()
}

/// What a resolver said in an item, in a word.
fn word_of(item: &Item) -> String {
    match &item.problem.fault {
        Fault::Dns(_, _, fault) => word(fault),
        _ => String::new(),
    }
}
