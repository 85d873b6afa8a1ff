//! What clients keep beside addresses: HTTPS records and their hints, MTA-STS policies, TLSA records. As the plan declares
//! them for a phase; TLSA as it was seen, too.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::credentials::Association;
use super::reach;
use super::records::{Names, Sets, kind_of, known_host};
use super::seen::Seen;
use crate::model::cutover::{CacheKey, CacheKind, Datum, NodeId, Serving};
use crate::model::dane::{self, Tlsa};
use crate::model::dns::RecordType;
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
        let given = policy.mx.iter().map(|p| Datum::Host(p.value.clone())).collect();
        let patterns = with_exchanges(given, mail, phase);
        if !patterns.is_empty() {
            let key = CacheKey { view, owner: mail.domain.clone(), kind: CacheKind::MtaSts };
            sets.insert(key, patterns);
        }
    }
}

/// Patterns, and the hosts that take mail in a phase and fit none of them.
pub(super) fn with_exchanges(mut patterns: BTreeSet<Datum>, mail: &MailDomain, phase: Phase) -> BTreeSet<Datum> {
    let hosts = patterns.iter().filter_map(|d| match d {
        Datum::Host(host) => Some(host.as_str()),
        _ => None,
    });
    let given: Vec<&str> = hosts.collect();
    let fits_none = |host: &&Name| pki::identify_among(given.iter().copied(), host).is_err();
    let new: Vec<Datum> = exchanges(mail, phase).filter(fits_none).cloned().map(Datum::Host).collect();
    patterns.extend(new);
    patterns
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

/// A TLSA RRset of the plan or of a recording.
pub(super) struct Listed {
    pub(super) key: CacheKey,
    /// What the text in the plan says; empty if nothing.
    planned: Vec<Tlsa>,
    /// What it says today: as it was seen, or else as in the plan.
    now: Vec<Tlsa>,
    /// True if it was seen.
    is_seen: bool,
}

impl Listed {
    /// What senders heed: they leave out usages 0 and 1 (RFC 7672 section 3.1.3).
    fn usable(&self) -> impl Iterator<Item = &Tlsa> {
        let port = dane::endpoint(&self.key.owner).map_or(dane::MAIL_PORTS[0], |(port, _)| port);
        self.now.iter().chain(&self.planned).filter(move |v| v.unusable(port).is_none())
    }

    /// The record whose manner a new one follows: of a certificate or key (usage 3), not of an authority.
    pub(super) fn manner(&self, is_fit: impl Fn(&Tlsa) -> bool) -> Option<&Tlsa> {
        self.usable().find(|v| v.usage == 3 && is_fit(v))
    }

    /// True if it lists an authority (usage 2): of several certificates one record may speak.
    pub(super) fn is_by_authority(&self) -> bool {
        self.usable().any(|v| v.usage == 2)
    }

    /// The certificates that its clients meet; `None` where any certificate will do: nothing is listed that senders heed.
    fn served(&self, led: &Led) -> Option<BTreeSet<usize>> {
        self.usable().next()?;
        let (port, host) = endpoint(&self.key.owner)?;
        Some(served(led, self.key.view, &host, port).collect())
    }

    /// The certificates that somebody has seen and some text lists.
    fn of(texts: &[Tlsa], associations: &BTreeMap<usize, Association>) -> BTreeSet<usize> {
        associations.iter().filter(|(_, a)| texts.iter().any(|v| a.is(v))).map(|(i, _)| *i).collect()
    }
}

/// All TLSA RRsets that are known, sorted by owner and view.
pub(super) fn listed(plan: &Plan, seen: &Seen) -> Vec<Listed> {
    let mut all: BTreeMap<(Name, ViewId), Listed> = BTreeMap::new();
    let blank = |owner: &Name, view| Listed {
        key: CacheKey { view, owner: owner.clone(), kind: CacheKind::Tlsa },
        planned: Vec::new(),
        now: Vec::new(),
        is_seen: false,
    };
    for record in plan.records.iter().filter(|r| r.kind == "TLSA") {
        for view in plan.view_ids() {
            let texts = record.values.get(view.0).into_iter().flatten().flatten();
            let entry = all.entry((record.owner.clone(), view)).or_insert_with(|| blank(&record.owner, view));
            entry.planned = texts.filter_map(|text| Tlsa::parse(text)).collect();
            entry.now.clone_from(&entry.planned);
        }
    }
    for (view, owner) in seen.owners(RecordType::Tlsa) {
        let entry = all.entry((owner.clone(), view)).or_insert_with(|| blank(owner, view));
        (entry.now, entry.is_seen) = (seen.tlsa(view, owner).into_iter().cloned().collect(), true);
    }
    all.into_values().collect()
}

/// The RRsets of which it cannot be told which certificates they allow, each with a line: those that senders do not heed, and
/// those that list an authority where the chain of some certificate that is served, or is to be, is not known.
pub(super) fn untold(
    plan: &Plan,
    listed: &[Listed],
    associations: &BTreeMap<usize, Association>,
    labels: &dyn Fn(usize) -> String,
    leds: &[&Led],
) -> BTreeMap<CacheKey, String> {
    let mut out = BTreeMap::new();
    for rrset in listed {
        let (owner, label) = (&rrset.key.owner, &plan.view(rrset.key.view).label);
        let texts = rrset.now.len() + rrset.planned.len();
        let what = format!("not in the proof: {owner} TLSA in {label}");
        if texts > 0 && rrset.usable().next().is_none() {
            let why = "senders of mail heed none of its records (RFC 7672 section 3.1.3)";
            out.insert(rrset.key.clone(), format!("{what}: {why}"));
        }
        let is_told = |c: &usize| {
            let listed = |a: &Association| a.has_authorities() || rrset.usable().any(|v| a.is(v));
            associations.get(c).is_some_and(listed)
        };
        let served: BTreeSet<usize> = leds.iter().filter_map(|led| rrset.served(led)).flatten().collect();
        let unknown: BTreeSet<String> = served.iter().filter(|c| !is_told(c)).map(|c| labels(*c)).collect();
        if rrset.is_by_authority() && !unknown.is_empty() {
            let list = super::words::list(&unknown);
            out.insert(rrset.key.clone(), format!("{what}: it lists an authority, and who issued {list} is not known"));
        }
    }
    out
}

/// What a TLSA RRset lists.
pub(super) struct Lists {
    /// Today.
    pub(super) now: BTreeSet<Datum>,
    /// What it can be expected to list at any time: what its host serves, and what the plan says.
    pub(super) expected: BTreeSet<Datum>,
}

/// What TLSA RRsets list today (RFC 7672). Where they were seen, and list some certificate that is known: those that they
/// list, and such as nobody knows the digests of; else also what their hosts serve.
pub(super) fn tlsa_now(
    listed: &[Listed],
    associations: &BTreeMap<usize, Association>,
    led: &Led,
) -> Vec<(CacheKey, Lists)> {
    let mut sets = Vec::new();
    for rrset in listed {
        let Some(served) = rrset.served(led).filter(|s| !s.is_empty()) else { continue };
        let mut now = Listed::of(&rrset.now, associations);
        let sure = rrset.is_seen && !now.is_empty();
        now.extend(served.iter().filter(|c| !sure || !associations.contains_key(c)));
        let mut expected = served;
        expected.extend(Listed::of(&rrset.planned, associations));
        let [now, expected] = [now, expected].map(|all| all.into_iter().map(Datum::Certificate).collect());
        sets.push((rrset.key.clone(), Lists { now, expected }));
    }
    sets
}

/// What they are to list: the certificates that their hosts serve, and those that the plan's text lists and somebody has
/// seen.
pub(super) fn tlsa_wanted(listed: &[Listed], associations: &BTreeMap<usize, Association>, led: &Led) -> Sets {
    let mut sets = Sets::new();
    for rrset in listed {
        let Some(mut data) = rrset.served(led).filter(|s| !s.is_empty()) else { continue };
        data.extend(Listed::of(&rrset.planned, associations));
        sets.insert(rrset.key.clone(), data.into_iter().map(Datum::Certificate).collect());
    }
    sets
}

/// Hosts whose records list none of the certificates that they serve, though all of those are known: a line each.
pub(super) fn unlisted(
    plan: &Plan,
    listed: &[Listed],
    associations: &BTreeMap<usize, Association>,
    led: &Led,
) -> Vec<String> {
    let mut out = Vec::new();
    for rrset in listed {
        let Some((_, host)) = endpoint(&rrset.key.owner) else { continue };
        let served = rrset.served(led).unwrap_or_default();
        let lists = Listed::of(&rrset.now, associations);
        let is_other = |c: &usize| associations.contains_key(c) && !lists.contains(c);
        // What was seen and lists some certificate is believed, and the proof tells who is hurt.
        let believed = rrset.is_seen && !lists.is_empty();
        if !served.is_empty() && !believed && served.iter().all(is_other) {
            let (owner, label) = (&rrset.key.owner, &plan.view(rrset.key.view).label);
            let text = if rrset.is_seen { "as it was seen, it" } else { "its text in the plan" };
            out.push(format!(
                "what {owner} TLSA lists today in {label}: {text} does not list what {host} serves; taken as listing it"
            ));
        }
    }
    out
}

/// Port and host of `_25._tcp.mail.example.org`.
pub(super) fn endpoint(owner: &Name) -> Option<(u16, Name)> {
    let (port, host) = dane::endpoint(owner)?;
    Some((port, Name::parse(host).ok()?))
}

/// The certificates that clients of a host meet at a port.
fn served<'a>(led: &'a Led, view: ViewId, host: &Name, port: u16) -> impl Iterator<Item = usize> + use<'a> {
    let (nodes, host) = (nodes_of(led, view, host), host.clone());
    let of = move |node: NodeId| led.serving.get(&(node, port)).map(|s| s.for_name(Some(&host)).to_vec());
    nodes.into_iter().filter_map(of).flatten()
}

/// The nodes that a host leads to.
pub(super) fn nodes_of(led: &Led, view: ViewId, host: &Name) -> BTreeSet<NodeId> {
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
    nodes
}
