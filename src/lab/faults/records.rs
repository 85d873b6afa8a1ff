//! Faults of records beside the plan's names: wildcards, mail, services, who may issue, zones and their servers.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::super::certificates::Issue;
use super::super::machines::{Door, Machine, Manner};
use super::super::policies::{WEEK, policy};
use super::super::web::Web;
use super::super::world::{Holds, World};
use super::super::zone::Entry;
use crate::model::dns::RecordType;
use crate::model::mail_hosts::{new_senders, reverse};
use crate::model::name::Name;
use crate::model::phase::Phase;
use crate::model::plan::{MailDomain, ViewKind};
use crate::model::questions;
use crate::model::records::RecordData;
use crate::model::service::Way;

/// A hoster (RFC 5737's TEST-NET-2): the wildcard's address, and that of web sites.
const PARKED: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 250));
const HOSTER: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 240));

fn texts<T: ToString>(all: impl IntoIterator<Item = T>) -> Vec<String> {
    let mut out: Vec<String> = all.into_iter().map(|t| t.to_string()).collect();
    out.dedup();
    out
}

fn to(address: IpAddr) -> Entry {
    Entry::Addresses { ttl: 300, addresses: vec![address] }
}

pub(super) fn parents(world: &World) -> Vec<String> {
    let parents = questions::parents(&world.plan);
    let of = |v: &crate::model::plan::View| texts(parents.iter().map(|p| format!("{}/{p}", v.label)));
    world.plan.views.iter().flat_map(of).collect()
}

pub(super) fn add_wildcard(world: &mut World, argument: &str) {
    let Some((label, parent)) = argument.rsplit_once('/') else { return };
    for (view, made) in world.plan.views.iter().zip(&mut world.views) {
        if *view.label == *label {
            made.zone.entries.insert(format!("*.{parent}"), to(PARKED));
        }
    }
}

pub(super) fn split_domains(world: &World) -> Vec<String> {
    let has = |kind| world.plan.views.iter().any(|v| v.kind == kind);
    let all =
        if has(ViewKind::Internal) && has(ViewKind::External) { questions::domains(&world.plan) } else { Vec::new() };
    texts(all.into_iter().filter(|d| public_name(world, d.as_str()).is_some()))
}

/// A name that stands outside usually, and that the plan does not have.
fn public_name(world: &World, domain: &str) -> Option<String> {
    let known = |name: &str| world.plan.names.iter().any(|n| n.name.as_str() == name);
    [format!("www.{domain}"), domain.to_string()].into_iter().find(|n| !known(n))
}

pub(super) fn hide_public_name(world: &mut World, domain: &str) {
    let Some(name) = public_name(world, domain) else { return };
    for (view, made) in world.plan.views.iter().zip(&mut world.views) {
        match view.kind {
            ViewKind::External => drop(made.zone.entries.insert(name.clone(), to(HOSTER))),
            ViewKind::Internal => made.zone.serial += 100,
        }
    }
}

/// The MX hosts of a domain in the moment's first phase that have addresses of their own.
fn mx_hosts(world: &World, mail: &MailDomain) -> Vec<String> {
    let phase = world.moments.iter().map(|m| m.phases().0).max();
    let hosts = phase.and_then(|p| mail.mx[p as usize].as_ref()).into_iter().flatten().map(|h| h.value.to_string());
    let there = |h: &String| {
        world
            .views
            .iter()
            .any(|v| matches!(v.zone.entries.get(h), Some(Entry::Addresses { addresses, .. }) if !addresses.is_empty()))
    };
    hosts.filter(there).collect()
}

fn domain<'a>(world: &'a World, domain: &str) -> Option<&'a MailDomain> {
    world.plan.mail.iter().find(|m| m.domain.as_str() == domain)
}

pub(super) fn mail_domains(world: &World) -> Vec<String> {
    texts(world.plan.mail.iter().filter(|m| !mx_hosts(world, m).is_empty()).map(|m| &m.domain))
}

pub(super) fn make_mx_alias(world: &mut World, text: &str) {
    let host = domain(world, text).and_then(|m| mx_hosts(world, m).into_iter().next());
    let Some(host) = host else { return };
    for view in &mut world.views {
        if let Some(entry) = view.zone.entries.remove(&host) {
            let target = format!("host.{text}");
            view.zone.entries.insert(host.clone(), Entry::Alias { ttl: 300, target: target.clone() });
            view.zone.entries.insert(target, entry);
        }
    }
}

fn set_mx(world: &mut World, owner: &str, hosts: &[(u16, String)], keep: bool) {
    for view in &mut world.views {
        let of_owner = view.zone.records.entry(owner.to_string()).or_default();
        of_owner.retain(|r| keep || r.data.kind() != RecordType::Mx);
        let mx =
            |(preference, host): &(u16, String)| RecordData::Mx { preference: *preference, exchange: host.clone() };
        view.zone.add_records(owner, hosts.iter().map(mx).collect());
    }
}

pub(super) fn lead_mail_elsewhere(world: &mut World, text: &str) {
    let host = format!("mx.hoster.{}", text.rsplit('.').next().unwrap_or("example"));
    world.views.iter_mut().for_each(|v| drop(v.zone.entries.insert(host.clone(), to(HOSTER))));
    set_mx(world, text, &[(10, host)], false);
}

/// Hosts of an earlier phase that take no mail any more.
fn retired(world: &World, mail: &MailDomain) -> Vec<String> {
    let Some(phase) = world.moments.iter().map(|m| m.phases().0).max() else { return Vec::new() };
    let now: BTreeSet<&Name> = mail.mx[phase as usize].iter().flatten().map(|h| &h.value).collect();
    let earlier = mail.mx.iter().take(phase as usize).flatten().flatten().map(|h| &h.value);
    let steady = world.moments.iter().all(|m| m.phases().1.is_none());
    let gone = earlier.filter(|h| steady && !now.is_empty() && !now.contains(h));
    gone.map(|h| h.to_string()).collect()
}

pub(super) fn with_retired_hosts(world: &World) -> Vec<String> {
    texts(world.plan.mail.iter().filter(|m| !retired(world, m).is_empty()).map(|m| &m.domain))
}

pub(super) fn keep_retired_hosts(world: &mut World, text: &str) {
    let old = domain(world, text).map(|m| retired(world, m)).unwrap_or_default();
    let hosts: Vec<(u16, String)> = old.into_iter().map(|h| (20, h)).collect();
    set_mx(world, text, &hosts, true);
}

pub(super) fn planned_records(world: &World) -> Vec<String> {
    let asked = |r: &&crate::model::plan::PlannedRecord| {
        let kind = RecordType::of_word(&r.kind).filter(|k| !RecordType::ALL.contains(k));
        kind.is_some_and(|k| world.views.iter().any(|v| has(v, r.owner.as_str(), k)))
    };
    world.plan.records.iter().filter(asked).map(|r| format!("{}/{}", r.owner, r.kind)).collect()
}

fn has(view: &super::super::world::ViewWorld, owner: &str, kind: RecordType) -> bool {
    view.zone.records.get(owner).is_some_and(|all| all.iter().any(|r| r.data.kind() == kind))
}

pub(super) fn drop_record(world: &mut World, argument: &str) {
    let Some((owner, kind)) = argument.rsplit_once('/') else { return };
    let kind = RecordType::of_word(kind);
    for view in &mut world.views {
        if let Some(all) = view.zone.records.get_mut(owner) {
            all.retain(|r| Some(r.data.kind()) != kind);
        }
    }
}

/// The registrable domains of certificates that are to be ordered of an authority.
pub(super) fn ordered(world: &World) -> Vec<String> {
    let orders = world.plan.certificates.iter().filter(|c| questions::outside_issuer(c).is_some());
    let names = orders.flat_map(questions::ordered_names);
    let owners: BTreeSet<String> =
        names.filter_map(|n| questions::caa_owners(&n).pop()).map(|n| n.to_string()).collect();
    owners.into_iter().collect()
}

pub(super) fn allow_others_only(world: &mut World, owner: &str) {
    let (tag, value) = ("issue".to_string(), "other-ca.example".to_string());
    for view in &mut world.views {
        view.zone.records.entry(owner.to_string()).or_default().retain(|r| r.data.kind() != RecordType::Caa);
        view.zone.add_records(owner, vec![RecordData::Caa { flags: 0, tag: tag.clone(), value: value.clone() }]);
    }
}

pub(super) fn fail_caa(world: &mut World, owner: &str) {
    for view in &mut world.views {
        view.zone.fails.insert((owner.to_string(), RecordType::Caa));
    }
}

/// The machines that give policies, by their mail domains.
pub(super) fn with_policies(world: &World) -> Vec<String> {
    let has = |m: &&MailDomain| policy_of(world, m.domain.as_str()).is_some();
    texts(world.plan.mail.iter().filter(has).map(|m| &m.domain))
}

fn policy_of(world: &World, domain: &str) -> Option<usize> {
    let label = format!("mta-sts.{domain}");
    world.machines.iter().position(|m| *m.label == *label)
}

fn set_policy(world: &mut World, domain: &str, policy: Option<String>) {
    let machine = policy_of(world, domain).and_then(|at| world.machines.get_mut(at));
    machine.into_iter().flat_map(|m| m.doors.values_mut()).for_each(|door| door.web.policy = policy.clone());
}

pub(super) fn list_others_only(world: &mut World, domain: &str) {
    let former = Name::parse(&format!("former.{domain}")).ok();
    set_policy(world, domain, Some(policy(former.iter(), WEEK)));
}

pub(super) fn take_policy_away(world: &mut World, domain: &str) {
    set_policy(world, domain, None);
}

/// Addresses from which mail comes.
pub(super) fn senders(world: &World) -> Vec<String> {
    let new = |phase: Phase| {
        let views = questions::outward(&world.plan).into_iter();
        let of = |view| phase.previous().map(|from| new_senders(&world.plan, view, from, phase)).unwrap_or_default();
        views.flat_map(of).collect::<Vec<_>>()
    };
    let all: BTreeSet<IpAddr> =
        Phase::ALL.into_iter().filter(|_| !world.plan.mail.is_empty()).flat_map(new).map(|s| s.address).collect();
    all.iter().map(IpAddr::to_string).collect()
}

pub(super) fn forget_name(world: &mut World, address: &str) {
    let Some(owner) = address.parse().ok().and_then(reverse) else { return };
    world.views.iter_mut().for_each(|v| drop(v.zone.records.remove(owner.as_str())));
}

/// Mail hosts with TLSA records.
pub(super) fn with_keys(world: &World) -> Vec<String> {
    world.tlsa.iter().filter(|(_, issues)| !issues.is_empty()).map(|(host, _)| host.clone()).collect()
}

/// The records are of a key that nobody shows any more.
pub(super) fn publish_old_key(world: &mut World, host: &str) {
    world.issues.push(Issue::new("the one before", vec![host.to_string()]));
    let old = world.issues.len() - 1;
    world.tlsa.entry(host.to_string()).and_modify(|issues| *issues = [old].into());
}

pub(super) fn zone_servers(world: &World) -> Vec<String> {
    texts(world.views.iter().flat_map(|v| &v.servers).map(|(server, _)| server))
}

pub(super) fn let_lag(world: &mut World, server: &str) {
    let servers = world.views.iter_mut().flat_map(|v| &mut v.servers);
    servers.filter(|(s, _)| s.to_string() == server).for_each(|(_, holds)| *holds = Holds::Older);
}

pub(super) fn candidates(world: &World) -> Vec<String> {
    texts(questions::candidates(&world.plan).into_iter().flat_map(|c| c.names))
}

/// A web site at a hoster, with a certificate for another name.
pub(super) fn put_web_site(world: &mut World, name: &str) {
    world.issues.push(Issue::new("hoster", vec!["www.hoster.example".into()]));
    let door = Door {
        word: "https",
        way: Way::Implicit,
        manner: Manner::Serves,
        by_name: BTreeMap::new(),
        default: world.issues.len() - 1,
        whole_chain: true,
        wrong_key: false,
        web: Web::default(),
    };
    world.machines.push(Machine { label: "hoster".into(), doors: [(443, door)].into() });
    world.endpoints.insert(SocketAddr::new(HOSTER, 443), vec![vec![world.machines.len() - 1]]);
    world.views.iter_mut().for_each(|v| drop(v.zone.entries.insert(name.to_string(), to(HOSTER))));
}
