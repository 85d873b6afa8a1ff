//! Rules about what a view's resolvers answer.

mod ahead;
mod authoritatives_disagree;
mod autodiscover_candidate_uncovered;
mod caa;
mod caa_forbids_issuer;
mod caa_or_dcv_lookup_fails;
mod cname_conflict;
mod dane;
mod delegation;
mod delegation_mismatch;
mod dns_interception_suspected;
mod dnssec;
mod ds_dnskey_mismatch;
mod internal_zone_shadows_public;
mod intranet_name_in_external_view;
mod mixed_generation_rrset;
mod mta_sts_mismatch;
mod mx_left_behind;
mod mx_target_invalid;
mod name_probed_before_creation;
mod name_unresolved_in_view;
mod negative_ttl_too_high;
mod odd;
mod private_address_in_external_view;
mod ptr_helo_mismatch;
mod public_address_in_internal_view;
mod record_differs;
mod resolvers_disagree_in_view;
mod resolves_to_unexpected_target;
mod signatures;
mod special;
mod spf;
mod spf_lacks_new_outbound;
mod split_view_dnssec_bogus;
mod srv_target_invalid;
mod stale_or_unplanned_aaaa;
mod tlsa_mismatch;
mod ttl_not_lowered_in_time;
mod ttl_too_high_at_flip;
mod wildcard_record_answers;

pub(in crate::judge) use caa::unnamed;
pub(in crate::judge) use delegation::unknown as unknown_delegations;
pub(in crate::judge) use dnssec::unknown as unknown_keys;
pub(in crate::judge) use mta_sts_mismatch::unknown as unknown_policies;
pub(super) use name_unresolved_in_view::is_dangling;
pub(super) use odd::strangers;
pub(in crate::judge) use spf_lacks_new_outbound::unknown as unknown_senders;

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::Rule;
use crate::commands;
use crate::judge::case::Case;
use crate::judge::draft::{Context, Item, Key};
use crate::judge::problem::{DnsFault, Fault, Problem};
use crate::judge::wording;
use crate::model::dns::{RecordType, Reply};
use crate::model::finding::TYPED;
use crate::model::name::Name;
use crate::model::obligation::{Claim, Obligation};
use crate::model::plan::{NameId, ViewId, ViewKind, Zone};

/// The rules of this family.
pub(super) const RULES: &[Rule] = &[
    Rule { info: &name_unresolved_in_view::INFO, check: name_unresolved_in_view::check },
    Rule { info: &ds_dnskey_mismatch::INFO, check: ds_dnskey_mismatch::check },
    Rule { info: &split_view_dnssec_bogus::INFO, check: split_view_dnssec_bogus::check },
    Rule { info: &cname_conflict::INFO, check: cname_conflict::check },
    Rule { info: &resolves_to_unexpected_target::INFO, check: resolves_to_unexpected_target::check },
    Rule { info: &private_address_in_external_view::INFO, check: private_address_in_external_view::check },
    Rule { info: &public_address_in_internal_view::INFO, check: public_address_in_internal_view::check },
    Rule { info: &mixed_generation_rrset::INFO, check: mixed_generation_rrset::check },
    Rule { info: &stale_or_unplanned_aaaa::INFO, check: stale_or_unplanned_aaaa::check },
    Rule { info: &resolvers_disagree_in_view::INFO, check: resolvers_disagree_in_view::check },
    Rule { info: &intranet_name_in_external_view::INFO, check: intranet_name_in_external_view::check },
    Rule { info: &wildcard_record_answers::INFO, check: wildcard_record_answers::check },
    Rule { info: &internal_zone_shadows_public::INFO, check: internal_zone_shadows_public::check },
    Rule { info: &mx_target_invalid::INFO, check: mx_target_invalid::check },
    Rule { info: &mx_left_behind::INFO, check: mx_left_behind::check },
    Rule { info: &record_differs::INFO, check: record_differs::check },
    Rule { info: &spf_lacks_new_outbound::INFO, check: spf_lacks_new_outbound::check },
    Rule { info: &tlsa_mismatch::INFO, check: tlsa_mismatch::check },
    Rule { info: &mta_sts_mismatch::INFO, check: mta_sts_mismatch::check },
    Rule { info: &ptr_helo_mismatch::INFO, check: ptr_helo_mismatch::check },
    Rule { info: &srv_target_invalid::INFO, check: srv_target_invalid::check },
    Rule { info: &autodiscover_candidate_uncovered::INFO, check: autodiscover_candidate_uncovered::check },
    Rule { info: &caa_forbids_issuer::INFO, check: caa_forbids_issuer::check },
    Rule { info: &caa_or_dcv_lookup_fails::INFO, check: caa_or_dcv_lookup_fails::check },
    Rule { info: &authoritatives_disagree::INFO, check: authoritatives_disagree::check },
    Rule { info: &delegation_mismatch::INFO, check: delegation_mismatch::check },
    Rule { info: &dns_interception_suspected::INFO, check: dns_interception_suspected::check },
    Rule { info: &ttl_too_high_at_flip::INFO, check: ttl_too_high_at_flip::check },
    Rule { info: &ttl_not_lowered_in_time::INFO, check: ttl_not_lowered_in_time::check },
    Rule { info: &name_probed_before_creation::INFO, check: name_probed_before_creation::check },
    Rule { info: &negative_ttl_too_high::INFO, check: negative_ttl_too_high::check },
];

/// The name and view of a DNS problem whose fault `is` picks.
fn about(item: &Item, is: impl Fn(&DnsFault) -> bool) -> Option<(NameId, ViewId)> {
    match &item.problem.fault {
        Fault::Dns(view, _, fault) if is(fault) => Some((item.obligation.name, *view)),
        _ => None,
    }
}

/// What the items' obligations expect of DNS.
pub(super) fn expected(case: &Case, items: &[Item]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for item in items {
        if let Claim::Resolves { view, expected, .. } = &*item.obligation.claim {
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
    let list = |addresses: &BTreeSet<IpAddr>| {
        let words: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        wording::list(words.iter().map(String::as_str))
    };
    match fault {
        DnsFault::Unresolved { word, dangling: Some((owner, target)) } => format!("{owner} -> {target}: {word}"),
        DnsFault::Unresolved { word, dangling: None } | DnsFault::Silent { word } => word.clone(),
        DnsFault::Unexpected { addresses } | DnsFault::Unwanted { addresses, .. } => list(addresses),
        DnsFault::NoAlias { alias } => format!("no CNAME to {alias}"),
        DnsFault::TtlTooHigh { owner, ttl, .. } => format!("{owner} TTL {ttl} s"),
        DnsFault::NotAsked => "not asked".into(),
        DnsFault::Stale(why) => format!("seen {why}"),
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
    lines_of(case, items.iter().map(|i| i.obligation))
}

/// As [`zone_lines`], of obligations.
fn lines_of<'a>(case: &Case, obligations: impl Iterator<Item = &'a Obligation>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for obligation in obligations {
        let (name, Claim::Resolves { view, expected }) = (obligation.name, &*obligation.claim) else { continue };
        let name = case.plan.name(name);
        let ttl = name.ttl.as_ref().map_or(case.plan.cutover.low_ttl, |t| t.value);
        // A CNAME stands alone (RFC 1034 section 3.6.2): beside own addresses only others' addresses can stand.
        let host = expected.like.first().filter(|_| expected.present.is_empty());
        let records = match (expected.cname.as_ref().or(host), expected.present.last()) {
            (Some(alias), _) => vec![format!("{}. {ttl} IN CNAME {alias}.", name.name)],
            (None, Some(set)) => set.addresses.iter().flat_map(|a| add(case, *view, &name.name, ttl, *a)).collect(),
            (None, None) => Vec::new(),
        };
        let zone = zone_word(case, *view);
        for record in records {
            in_zone(&zone, record, &mut out);
        }
        if !expected.present.is_empty() {
            let beside = expected.like.iter().map(|h| format!("{zone}: and the addresses of {h}, for {}", name.name));
            out.extend(beside.filter(|l| !out.contains(l)).collect::<Vec<_>>());
        }
    }
    out
}

/// A record of a zone; a command stands in a line of its own.
fn in_zone(zone: &str, record: String, out: &mut Vec<String>) {
    let lines = match record.starts_with(TYPED) {
        true if out.contains(&record) => Vec::new(),
        true => vec![format!("{zone}:"), record],
        false => vec![format!("{zone}: {record}")],
    };
    let new: Vec<String> = lines.into_iter().filter(|l| !out.contains(l) || l.ends_with(':')).collect();
    out.extend(new);
}

/// What a name's answers have that no right one has, and what the right one has that they lack.
pub(super) fn difference(items: &[Item]) -> (BTreeSet<IpAddr>, BTreeSet<IpAddr>) {
    let (mut strays, mut missing) = (BTreeSet::new(), BTreeSet::new());
    for item in items {
        let Claim::Resolves { expected, .. } = &*item.obligation.claim else { continue };
        let Fault::Dns(_, _, DnsFault::Unexpected { addresses }) = &item.problem.fault else { continue };
        let sets = || expected.present.iter().map(|p| &p.addresses);
        if expected.like.is_empty() {
            strays.extend(addresses.iter().filter(|a| !sets().any(|s| s.contains(a))));
        }
        let is_there = |s: &Vec<IpAddr>| match expected.part {
            true => s.iter().any(|a| addresses.contains(a)),
            false => s.iter().all(|a| addresses.contains(a)),
        };
        if let (false, Some(last)) = (sets().any(is_there), sets().next_back()) {
            missing.extend(last.iter().filter(|a| !addresses.contains(a)));
        }
    }
    (strays, missing)
}

/// The records to delete and to write, so that the answer becomes the right one; all of it where it cannot be told apart.
fn corrections(case: &Case, view: ViewId, items: &[Item]) -> Vec<String> {
    let (strays, missing) = difference(items);
    let alias = |i: &Item| matches!(&*i.obligation.claim, Claim::Resolves { expected, .. } if expected.cname.is_some());
    let (Some(item), false) = (items.first(), items.iter().any(alias) || strays.is_empty() && missing.is_empty())
    else {
        return zone_lines(case, items);
    };
    let name = case.plan.name(item.obligation.name);
    let ttl = name.ttl.as_ref().map_or(case.plan.cutover.low_ttl, |t| t.value);
    let zone = zone_word(case, view);
    let mut out = deletions(case, item.obligation.name, view, &strays);
    for address in missing {
        add(case, view, &name.name, ttl, address).into_iter().for_each(|r| in_zone(&zone, r, &mut out));
    }
    out
}

/// Where some resolvers of the view give the right answer, the record may well be right, and what the others say is old or
/// a copy: nothing is to be changed before the zone's own servers were asked.
pub(super) fn apart(context: &Context, view: ViewId, items: &[Item], lines: Vec<String>) -> Vec<String> {
    let case = context.case;
    let all = 0..case.plan.view(view).resolvers.len();
    let differs =
        |r: usize| move |p: &Problem| matches!(&p.fault, Fault::Dns(v, resolver, _) if *v == view && *resolver == r);
    let is_right = |r: &usize| !items.iter().any(|i| context.assessed[i.index].problems.iter().any(differs(*r)));
    let (right, wrong): (Vec<usize>, Vec<usize>) = all.partition(is_right);
    if right.is_empty() || wrong.is_empty() || lines.is_empty() {
        return lines;
    }
    let list = |who: &[usize]| {
        let words: Vec<String> = who.iter().map(|r| wording::resolver(case.plan, view, *r)).collect();
        wording::list(words.iter().map(String::as_str))
    };
    let looks = items.iter().flat_map(|i| &i.problem.looks);
    let rest = looks.filter_map(|l| case.evidence.dns(*l)?.reply()).flat_map(rest_of).max();
    let wait = rest.map(|s| format!(", or wait {}", wording::duration(i64::from(s)))).unwrap_or_default();
    let (right, verb) = (list(&right), if right.len() == 1 { "answers" } else { "answer" });
    let first = format!("{right} {verb} as planned: ask the zone's own servers before you change a record");
    let there = format!(
        "if the record is right there: flush the cache of {}{wait}; then look at its forwarders and zone copies",
        list(&wrong)
    );
    [vec![first, there, "if it is not:".into()], lines].concat()
}

/// How long an answer may live on, in seconds.
fn rest_of(reply: &Reply) -> Option<u32> {
    let ttls = reply.chain.iter().map(|l| l.ttl).chain(reply.addresses.iter().map(|a| a.ttl));
    ttls.max().or_else(|| reply.soa.as_ref().map(|s| s.negative_ttl()))
}

/// The records to delete.
fn deletions(case: &Case, name: NameId, view: ViewId, strays: &BTreeSet<IpAddr>) -> Vec<String> {
    let (name, zone) = (&case.plan.name(name).name, zone_word(case, view));
    let kind = |a: &IpAddr| if a.is_ipv4() { RecordType::A } else { RecordType::Aaaa };
    wording::cut(strays.iter().map(|a| format!("{zone}: delete {name}. {} {a}", kind(a))).collect())
}

/// What to write where a name does not resolve. Beside a CNAME no other record can stand (RFC 1034 section 3.6.2).
pub(super) fn missing_lines(case: &Case, items: &[Item]) -> Vec<String> {
    let targets = items.iter().filter_map(|i| match &i.problem.fault {
        Fault::Dns(_, _, DnsFault::Unresolved { dangling, .. }) => dangling.as_ref().map(|(_, target)| target.as_str()),
        _ => None,
    });
    let targets: BTreeSet<&str> = targets.collect();
    let lines = zone_lines(case, items);
    if targets.is_empty() {
        return lines;
    }
    // Where the alias itself is wanted, its target is what is missing.
    let target = wording::list(targets);
    let is_alias = lines.is_empty() || lines.iter().any(|l| l.contains(" IN CNAME "));
    let first = items.first().map(|i| (&i.problem.fault, &case.plan.name(i.obligation.name).name));
    match first {
        Some((Fault::Dns(view, _, _), name)) if !is_alias => {
            let delete = format!("{}: delete the CNAME of {name}", zone_word(case, *view));
            [vec![delete], lines, vec![format!("or create {target}, to which it leads")]].concat()
        }
        _ => vec![format!("replace the CNAME, or create its target {target}")],
    }
}

/// In the words of the product that serves the zone in this view, where the plan says so.
fn add(case: &Case, view: ViewId, name: &Name, ttl: u32, address: IpAddr) -> Vec<String> {
    let holds = |z: &&Zone| z.views.contains(&view) && name.is_under(z.apex.as_str());
    let zone = case.plan.zones.iter().filter(holds).max_by_key(|z| z.apex.as_str().len());
    let server = zone.and_then(|z| z.servers.first()).map(|s| s.value.addr.ip().to_string());
    let product = commands::Product::of(zone.and_then(|z| z.product.as_deref()));
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
pub(super) fn keys(items: &[Item]) -> BTreeSet<Key> {
    let view = |i: &Item| match &i.problem.fault {
        Fault::Dns(view, _, _) => Some(Key::Dns(i.obligation.name, *view)),
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
