//! What the resolvers of a view know, and how they answer.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::delegations::Cut;
use super::records;
use super::signed::Flaw;
use crate::model::dns::RecordType;
use crate::model::phase::{Moment, Phase};
use crate::model::plan::{Plan, PlannedName, Table, Target, ViewId, Wanted};
use crate::model::records::{DataRecord, RecordData};

/// TTL of records for which the plan names none, in seconds.
pub(super) const DEFAULT_TTL: u32 = 300;
/// How long absence may be cached, in seconds (RFC 2308 section 5).
const NEGATIVE_TTL: u32 = 300;
/// Links of a CNAME chain that are followed.
const MAX_LINKS: usize = 16;

/// What stands under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// These addresses, both families; none is NODATA.
    Addresses { ttl: u32, addresses: Vec<IpAddr> },
    /// An alias.
    Alias { ttl: u32, target: String },
    /// The resolver fails.
    Fails,
}

impl Entry {
    fn ttl_mut(&mut self) -> Option<&mut u32> {
        match self {
            Self::Addresses { ttl, .. } | Self::Alias { ttl, .. } => Some(ttl),
            Self::Fails => None,
        }
    }
}

/// The names of a view, in lower case without the final dot, wildcards with their `*`.
#[derive(Clone, Debug, Default)]
pub(super) struct Zone {
    pub entries: BTreeMap<String, Entry>,
    /// Zone cuts that the plan declares.
    pub apexes: Vec<String>,
    pub negative_ttl: u32,
    /// Records of other types than addresses, by their owner; the owner is an entry too.
    pub records: BTreeMap<String, Vec<DataRecord>>,
    /// Questions for which the resolver fails, though it answers others for the name.
    pub fails: BTreeSet<(String, RecordType)>,
    /// Zones whose answers do not validate, where the resolver validates.
    pub bogus: BTreeSet<String>,
    /// What is wrong with the signatures of signed zones.
    pub flaws: BTreeMap<String, Flaw>,
    /// Zones that other servers have, with these; whoever asks for a name in one is referred to them.
    pub cuts: BTreeMap<String, Cut>,
    /// The serial of every zone's SOA.
    pub serial: u32,
}

/// How a question ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Found,
    NoData,
    NxDomain,
    /// The aliases come back to where they were.
    Circle,
    Fails,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// The CNAME chain: owner, target, TTL.
    pub links: Vec<(String, String, u32)>,
    /// The addresses at its end: owner, address, TTL.
    pub addresses: Vec<(String, IpAddr, u32)>,
    /// The records of another type at its end.
    pub records: Vec<(String, DataRecord)>,
    pub ending: Ending,
    /// The zone whose SOA proves an absence.
    pub apex: String,
}

impl Zone {
    /// The view's zone in a moment.
    pub fn of(plan: &Plan, view: ViewId, moment: Moment, hosts: &BTreeMap<usize, IpAddr>) -> Self {
        let apexes = plan.zones.iter().filter(|z| z.views.contains(&view)).map(|z| z.apex.to_string()).collect();
        let mut zone =
            Self { apexes, negative_ttl: NEGATIVE_TTL, serial: records::serial(plan, view), ..Self::default() };
        for (server, address) in hosts {
            if let Some(host) = &plan.servers[*server].host {
                let entry = Entry::Addresses { ttl: DEFAULT_TTL, addresses: vec![*address] };
                zone.entries.insert(host.value.to_string(), entry);
            }
        }
        zone.add_others(plan, view);
        zone.add_mail(plan, moment);
        for name in &plan.names {
            if let Some((targets, phase)) = told(name, view, moment) {
                zone.add(plan, name, view, targets, phase, hosts);
            }
        }
        zone.delegate(plan, view);
        zone.sign(plan, view);
        zone.name_senders(plan, view);
        plan.names.iter().filter(|n| flips(plan, n, view, moment)).for_each(|n| zone.lower(n.name.as_str(), plan));
        zone
    }

    /// Records that the plan lists beside its names; of types that nobody here asks for, only the name exists.
    fn add_others(&mut self, plan: &Plan, view: ViewId) {
        for record in &plan.records {
            let Some(values) = record.values.get(view.0).and_then(Option::as_ref) else { continue };
            let entry = match (record.kind.as_str(), values.first()) {
                ("A" | "AAAA", _) => addresses(values.iter().filter_map(|v| v.parse().ok()).collect(), DEFAULT_TTL),
                ("CNAME", Some(target)) => Entry::Alias { ttl: DEFAULT_TTL, target: plain(target) },
                _ => nothing(),
            };
            match (self.entries.get_mut(record.owner.as_str()), entry) {
                (Some(Entry::Addresses { addresses: all, .. }), Entry::Addresses { addresses: more, .. }) => {
                    all.extend(more)
                }
                (_, entry) => drop(self.entries.insert(record.owner.to_string(), entry)),
            }
            if let Some(kind) = RecordType::of_word(&record.kind).filter(|k| *k != RecordType::Cname) {
                let data = values.iter().filter_map(|v| RecordData::parse(kind, v)).collect();
                self.add_records(record.owner.as_str(), data);
            }
        }
    }

    fn add(
        &mut self,
        plan: &Plan,
        name: &PlannedName,
        view: ViewId,
        targets: &[Target],
        phase: Phase,
        hosts: &BTreeMap<usize, IpAddr>,
    ) {
        let ttl = name.ttl.as_ref().map_or(DEFAULT_TTL, |t| t.value);
        let mut found: Vec<IpAddr> = Vec::new();
        let mut host = None;
        for target in targets {
            found.extend(plan.target_addresses(*target, view, phase));
            if let Target::Server(id) = target {
                host = host.or(plan.server(*id).host.as_ref().map(|h| h.value.to_string()));
                found.extend(hosts.get(&id.0));
            }
        }
        let alias = name.cname.as_ref().map(|c| c.value.to_string()).or(host.filter(|_| targets.len() == 1));
        if let Some(target) = alias.filter(|a| a != name.name.as_str()) {
            self.entries.insert(name.name.to_string(), Entry::Alias { ttl, target: target.clone() });
            if !plan.names.iter().any(|n| n.name.as_str() == target) {
                self.entries.entry(target).or_insert_with(|| addresses(found, ttl));
            }
        } else if !found.is_empty() {
            self.entries.insert(name.name.to_string(), addresses(found, ttl));
        }
    }

    /// Lowers the TTL of a name and of the aliases that it leads through, as is done before a flip.
    fn lower(&mut self, name: &str, plan: &Plan) {
        self.set_ttls(name, |ttl| ttl.min(plan.cutover.low_ttl));
    }

    /// Changes the TTL of a name and of the aliases that it leads through.
    pub fn set_ttls(&mut self, name: &str, change: impl Fn(u32) -> u32) {
        let mut at = name.to_string();
        for _ in 0..MAX_LINKS {
            let Some(entry) = self.entries.get_mut(&at) else { return };
            if let Some(ttl) = entry.ttl_mut() {
                *ttl = change(*ttl);
            }
            match entry {
                Entry::Alias { target, .. } => at = target.clone(),
                _ => return,
            }
        }
    }

    /// Answers a question; of types that are never asked for (`None`), only aliases and absence are known.
    pub fn answer(&self, name: &str, kind: Option<RecordType>) -> Answer {
        let mut at = plain(name);
        let mut answer = Answer {
            links: Vec::new(),
            addresses: Vec::new(),
            records: Vec::new(),
            ending: Ending::NoData,
            apex: self.apex_of(&at),
        };
        for _ in 0..MAX_LINKS {
            answer.apex = self.apex_of(&at);
            if kind.is_some_and(|k| self.fails.contains(&(at.clone(), k))) {
                return Answer { ending: Ending::Fails, ..answer };
            }
            match self.entry(&at) {
                Some(Entry::Alias { ttl, target }) if kind == Some(RecordType::Cname) => {
                    answer.links.push((at, target.clone(), *ttl));
                    return Answer { ending: Ending::Found, ..answer };
                }
                Some(Entry::Alias { ttl, target }) => {
                    answer.links.push((at, target.clone(), *ttl));
                    // As servers do that follow what they hold: the circle is in the answer.
                    if answer.links.iter().any(|(owner, _, _)| owner == target) {
                        return Answer { ending: Ending::Circle, ..answer };
                    }
                    at = target.clone();
                }
                Some(Entry::Addresses { ttl, addresses }) => {
                    let fits = addresses.iter().filter(|a| kind.is_some_and(|k| k.holds(**a)));
                    answer.addresses = fits.map(|a| (at.clone(), *a, *ttl)).collect();
                    return answer.with(&at, kind.map(|k| self.records_of(&at, k)).unwrap_or_default());
                }
                Some(Entry::Fails) => return Answer { ending: Ending::Fails, ..answer },
                None if self.is_within(&at) => {
                    return answer.with(&at, kind.map(|k| self.records_of(&at, k)).unwrap_or_default());
                }
                None => return Answer { ending: Ending::NxDomain, ..answer },
            }
        }
        Answer { ending: Ending::Fails, ..answer }
    }

    /// True of a name that a resolver gives only to those who tell it not to validate.
    pub fn is_bogus(&self, name: &str) -> bool {
        let name = plain(name);
        self.bogus.iter().any(|zone| name.strip_suffix(zone.as_str()).is_some_and(|r| r.is_empty() || r.ends_with('.')))
    }

    /// The addresses, of both families, to which a name leads.
    pub fn addresses_of(&self, name: &str) -> Vec<IpAddr> {
        let of = |kind| self.answer(name, Some(kind)).addresses.into_iter().map(|(_, a, _)| a);
        RecordType::ALL.into_iter().flat_map(of).collect()
    }

    /// The entry of a name: its own, or that of the wildcard under the closest encloser (RFC 4592 section 3.3.1).
    fn entry(&self, name: &str) -> Option<&Entry> {
        if let Some(entry) = self.entries.get(name) {
            return Some(entry);
        }
        if self.is_within(name) {
            return None;
        }
        let mut rest = name;
        while let Some((_, parent)) = rest.split_once('.') {
            let wildcard = self.entries.get(&format!("*.{parent}"));
            if wildcard.is_some() || self.entries.contains_key(parent) || self.is_within(parent) {
                return wildcard;
            }
            rest = parent;
        }
        None
    }

    /// True if the name exists without records of its own: a zone's apex, or an empty non-terminal (RFC 8020).
    fn is_within(&self, name: &str) -> bool {
        let below = |key: &String| key.strip_suffix(name).is_some_and(|rest| rest.ends_with('.'));
        self.apexes.iter().any(|a| a == name) || self.entries.keys().any(below)
    }

    /// The zone that a name is in: the longest declared one, else its registrable domain.
    pub fn apex_of(&self, name: &str) -> String {
        let holds = |apex: &&String| name.strip_suffix(apex.as_str()).is_some_and(|r| r.is_empty() || r.ends_with('.'));
        match self.apexes.iter().filter(holds).max_by_key(|a| a.len()) {
            Some(apex) => apex.clone(),
            None => registrable(name),
        }
    }
}

impl Answer {
    /// Ends here, with these records.
    fn with(mut self, owner: &str, records: Vec<DataRecord>) -> Self {
        self.records = records.into_iter().map(|r| (owner.to_string(), r)).collect();
        let found = !self.addresses.is_empty() || !self.records.is_empty();
        self.ending = if found { Ending::Found } else { Ending::NoData };
        self
    }
}

/// The registrable domain of a name, by the public suffix list; the last two labels where the list knows nothing.
pub(super) fn registrable(name: &str) -> String {
    let name = name.strip_prefix("*.").unwrap_or(name);
    match psl::domain_str(name) {
        Some(domain) => domain.to_string(),
        None => name.to_string(),
    }
}

/// What a view is told of a name in a moment, and of which phase. On the eve of a change, and during it, DNS is as in
/// the phase before, but names that the change creates exist already, since they have to be created ahead.
pub(super) fn told(name: &PlannedName, view: ViewId, moment: Moment) -> Option<(&[Target], Phase)> {
    let at = |phase| match name.wanted(view, phase) {
        Wanted::Targets(targets) => Some((&targets[..], phase)),
        _ => None,
    };
    let (p, q) = moment.phases();
    let created = *name.wanted(view, p) == Wanted::Unconstrained || name.table == Table::Legacy;
    at(p).or_else(|| q.filter(|_| created).and_then(at))
}

/// True if a view's records for the name are about to change: its targets, or the members behind a round robin.
pub(super) fn flips(plan: &Plan, name: &PlannedName, view: ViewId, moment: Moment) -> bool {
    let (p, Some(q)) = moment.phases() else { return false };
    let before = name.wanted(view, p);
    let Wanted::Targets(targets) = before else { return false };
    let moves = |t: &Target| plan.target_addresses(*t, view, p) != plan.target_addresses(*t, view, q);
    name.wanted(view, q) != before || targets.iter().any(moves)
}

pub(super) fn addresses(mut addresses: Vec<IpAddr>, ttl: u32) -> Entry {
    addresses.sort();
    addresses.dedup();
    Entry::Addresses { ttl, addresses }
}

/// A name without records of its own.
pub(super) fn nothing() -> Entry {
    Entry::Addresses { ttl: DEFAULT_TTL, addresses: Vec::new() }
}

fn plain(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone() -> Zone {
        let ip = |a: &str| a.parse().unwrap();
        let mut zone = Zone { apexes: vec!["domain.com".into()], negative_ttl: 300, ..Zone::default() };
        let mut put = |name: &str, entry| zone.entries.insert(name.to_string(), entry);
        put("mail.domain.com", addresses(vec![ip("10.0.0.10")], 60));
        put("a.b.domain.com", addresses(vec![ip("10.0.0.11"), ip("fd00::11")], 60));
        put("autodiscover.domain.com", Entry::Alias { ttl: 30, target: "mail.domain.com".into() });
        put("dangling.domain.com", Entry::Alias { ttl: 30, target: "gone.domain.com".into() });
        put("loop.domain.com", Entry::Alias { ttl: 30, target: "loop.domain.com".into() });
        put("*.apps.domain.com", addresses(vec![ip("10.0.0.12")], 60));
        put("x.y.apps.domain.com", addresses(vec![ip("10.0.0.13")], 60));
        put("broken.domain.com", Entry::Fails);
        zone
    }

    #[test]
    fn absence_and_emptiness_are_told_apart() {
        let end = |name: &str, kind| zone().answer(name, Some(kind)).ending;
        for (name, kind, want) in [
            ("mail.domain.com", RecordType::A, Ending::Found),
            ("MAIL.domain.com.", RecordType::A, Ending::Found),
            ("mail.domain.com", RecordType::Aaaa, Ending::NoData),
            ("a.b.domain.com", RecordType::Aaaa, Ending::Found),
            ("b.domain.com", RecordType::A, Ending::NoData),
            ("domain.com", RecordType::A, Ending::NoData),
            ("c.b.domain.com", RecordType::A, Ending::NxDomain),
            ("nowhere.example", RecordType::A, Ending::NxDomain),
            ("broken.domain.com", RecordType::A, Ending::Fails),
            ("dangling.domain.com", RecordType::A, Ending::NxDomain),
            ("loop.domain.com", RecordType::A, Ending::Circle),
        ] {
            assert_eq!(end(name, kind), want, "{name} {kind}");
        }
    }

    #[test]
    fn a_wildcard_answers_below_its_closest_encloser_only() {
        let end = |name: &str| zone().answer(name, Some(RecordType::A)).ending;
        assert_eq!(end("shop.apps.domain.com"), Ending::Found);
        assert_eq!(end("deep.shop.apps.domain.com"), Ending::Found);
        assert_eq!(end("apps.domain.com"), Ending::NoData);
        assert_eq!(end("y.apps.domain.com"), Ending::NoData);
        assert_eq!(end("z.y.apps.domain.com"), Ending::NxDomain);
    }

    #[test]
    fn an_alias_is_kept_where_its_end_is_missing() {
        let answer = zone().answer("dangling.domain.com", Some(RecordType::A));
        assert_eq!(answer.links, [("dangling.domain.com".into(), "gone.domain.com".into(), 30)]);
        assert_eq!(answer.apex, "domain.com");
        assert_eq!(zone().addresses_of("autodiscover.domain.com"), ["10.0.0.10".parse::<IpAddr>().unwrap()]);
    }

    #[test]
    fn a_name_outside_every_declared_zone_has_its_registrable_domain() {
        assert_eq!(registrable("a.b.example.co.uk"), "example.co.uk");
        assert_eq!(registrable("*.apps.example.com"), "example.com");
        assert_eq!(registrable("portal.corp.local"), "corp.local");
    }
}
