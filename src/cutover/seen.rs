//! What recordings show, in the order of time: the newest word counts for what holds, the earliest that already says the
//! same for since when.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jiff::Timestamp;

use super::records::kind_of;
use crate::model::cutover::{CacheKind, Datum};
use crate::model::dane::Tlsa;
use crate::model::dns::{DnsOutcome, RecordType};
use crate::model::http::{HttpHead, HttpOutcome, Page};
use crate::model::name::Name;
use crate::model::observation::{Outcome, Probe, Recording};
use crate::model::plan::{Plan, ViewId};
use crate::model::records::RecordData;
use crate::model::tls::{Served, TlsOutcome};

/// Looks within so many seconds of the newest saw the same world.
const SAME_TIME: i64 = 600;

/// One answer of a name server.
struct Look<'a> {
    at: Timestamp,
    outcome: &'a DnsOutcome,
}

impl<'a> Look<'a> {
    fn tlsa(&self) -> impl Iterator<Item = &'a Tlsa> + use<'a> {
        let records = self.outcome.reply().into_iter().flat_map(|r| &r.records);
        records.filter_map(|r| match &r.data {
            RecordData::Tlsa(tlsa) => Some(tlsa),
            _ => None,
        })
    }
}

/// What a port served when it was asked last, by the name that was asked for.
pub(super) type Ports<'a> = BTreeMap<Option<&'a Name>, &'a TlsOutcome>;

/// The newest look at a port for each name that was asked for.
type Newest<'a> = BTreeMap<Option<&'a Name>, (Timestamp, &'a TlsOutcome)>;

/// What a site answered, each time it was asked for a page.
type Answers<'a> = Vec<(Timestamp, &'a HttpHead)>;

/// A recording, indexed.
pub(super) struct Seen<'a> {
    answers: BTreeMap<(ViewId, &'a Name, RecordType), Vec<Look<'a>>>,
    ports: BTreeMap<(IpAddr, u16), Newest<'a>>,
    pages: BTreeMap<(Page, &'a Name, IpAddr), Answers<'a>>,
    /// Negative TTLs in seconds, the longest that was seen.
    pub(super) negative: BTreeMap<(ViewId, Name), u32>,
    /// When the newest run began.
    pub(super) gathered: Option<Timestamp>,
}

/// An RRset as it is answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SeenSet {
    pub(super) data: BTreeSet<Datum>,
    /// The TTL that an authoritative server gave, in seconds.
    pub(super) authoritative: Option<u32>,
    /// The longest life that any answer had left, in seconds: the TTL is no shorter.
    pub(super) at_least: u32,
    /// The first look from which on all looks answered this.
    pub(super) since: Option<Timestamp>,
}

/// RRsets on the way from a name to its addresses, by owner and kind.
pub(super) type SeenSets = BTreeMap<(Name, CacheKind), SeenSet>;

impl<'a> Seen<'a> {
    pub(super) fn new(plan: &Plan, recording: &'a Recording) -> Self {
        let gathered = recording.runs.values().map(|r| r.started).max();
        let (answers, ports, pages, negative) = Default::default();
        let mut this = Self { answers, ports, pages, negative, gathered };
        let views: BTreeMap<&str, ViewId> = plan.view_ids().map(|v| (&*plan.view(v).label, v)).collect();
        for observation in recording.observations.sorted() {
            match (&observation.probe, &*observation.outcome) {
                (Probe::Dns(probe), Outcome::Dns(outcome)) if probe.is_of_clients() && outcome.reply().is_some() => {
                    let Some(view) = views.get(&*probe.view) else { continue };
                    let look = Look { at: observation.at, outcome };
                    this.answers.entry((*view, &probe.name, probe.kind)).or_default().push(look);
                    this.note_negative(*view, outcome);
                }
                (Probe::Tls(probe), Outcome::Tls(outcome)) if probe.face.is_none() => {
                    let port = this.ports.entry((probe.address.ip(), probe.address.port())).or_default();
                    let newest = port.entry(probe.sni.as_ref()).or_insert((observation.at, outcome));
                    if observation.at >= newest.0 {
                        *newest = (observation.at, outcome);
                    }
                }
                (Probe::Http(probe), Outcome::Http(HttpOutcome::Head(head))) => {
                    let key = (probe.page, &probe.name, probe.address.ip());
                    this.pages.entry(key).or_default().push((observation.at, head));
                }
                _ => {}
            }
        }
        this.answers.values_mut().for_each(|looks| looks.sort_by_key(|l| l.at));
        this.pages.values_mut().for_each(|looks| looks.sort_by_key(|(at, _)| *at));
        this
    }

    fn note_negative(&mut self, view: ViewId, outcome: &DnsOutcome) {
        if let Some(soa) = outcome.reply().and_then(|r| r.soa.as_deref())
            && let Ok(zone) = Name::parse(&soa.zone)
        {
            let longest = self.negative.entry((view, zone)).or_insert(0);
            *longest = soa.negative_ttl().max(*longest);
        }
    }

    /// What sites answered to a question for a page, by the name that was asked for and the address, in the order of time.
    pub(super) fn pages(
        &self,
        page: Page,
    ) -> impl Iterator<Item = (&'a Name, IpAddr, &[(Timestamp, &'a HttpHead)])> + '_ {
        let all = self.pages.iter().filter(move |((p, ..), _)| *p == page);
        all.map(|((_, name, address), looks)| (*name, *address, looks.as_slice()))
    }

    /// True if nothing was seen.
    pub(super) fn is_empty(&self) -> bool {
        self.answers.is_empty() && self.ports.is_empty()
    }

    /// What a port served, by the name that was asked for.
    pub(super) fn port(&self, address: IpAddr, port: u16) -> Ports<'a> {
        let all = self.ports.get(&(address, port)).into_iter().flatten();
        all.map(|(sni, (_, outcome))| (*sni, *outcome)).collect()
    }

    /// What a name resolves to in a view; `None` if nobody got a word.
    pub(super) fn name(&self, view: ViewId, name: &Name) -> Option<SeenSets> {
        let mut out: Option<SeenSets> = None;
        for kind in RecordType::ALL {
            if let Some(sets) = self.rrsets(view, name, kind) {
                let all = out.get_or_insert_with(SeenSets::new);
                for (key, set) in sets {
                    merge(all.entry(key).or_default(), set);
                }
            }
        }
        out
    }

    /// True if somebody got a word about this kind.
    pub(super) fn asked(&self, view: ViewId, name: &Name, kind: RecordType) -> bool {
        self.answers.contains_key(&(view, name, kind))
    }

    /// The RRsets of the newest looks at a question, each with the time since which it is so.
    pub(super) fn rrsets(&self, view: ViewId, name: &Name, kind: RecordType) -> Option<SeenSets> {
        let looks = self.answers.get(&(view, name, kind))?;
        let newest = looks.last()?.at.as_second();
        let mut out = SeenSets::new();
        for look in looks.iter().filter(|l| newest - l.at.as_second() <= SAME_TIME) {
            for (key, set) in sets_of(name, look.outcome) {
                merge(out.entry(key).or_default(), set);
            }
        }
        for (key, set) in &mut out {
            let same = |l: &&Look| sets_of(name, l.outcome).get(key).is_some_and(|s| alike(s, set));
            set.since = looks.iter().rev().take_while(same).last().map(|l| l.at);
        }
        Some(out)
    }

    /// The owners that were asked for records of a kind.
    pub(super) fn owners(&self, kind: RecordType) -> impl Iterator<Item = (ViewId, &'a Name)> + '_ {
        self.answers.keys().filter(move |(_, _, k)| *k == kind).map(|(view, owner, _)| (*view, *owner))
    }

    /// The TLSA records of the newest looks.
    pub(super) fn tlsa(&self, view: ViewId, owner: &Name) -> BTreeSet<&'a Tlsa> {
        let looks = self.answers.get(&(view, owner, RecordType::Tlsa)).map_or(&[][..], Vec::as_slice);
        let newest = looks.last().map_or(0, |l| l.at.as_second());
        looks.iter().filter(|l| newest - l.at.as_second() <= SAME_TIME).flat_map(|l| l.tlsa()).collect()
    }

    /// The texts that the newest look at an owner showed, and when that was.
    pub(super) fn texts(&self, view: ViewId, owner: &Name) -> Option<(Timestamp, Vec<&'a str>)> {
        let look = self.answers.get(&(view, owner, RecordType::Txt))?.last()?;
        let records = look.outcome.reply().into_iter().flat_map(|r| &r.records);
        let texts = records.filter_map(|r| match &r.data {
            RecordData::Txt(text) => Some(text.as_str()),
            _ => None,
        });
        Some((look.at, texts.collect()))
    }

    /// The longest TTL that an authoritative server ever gave with TLSA records, the longest life that any answer had left,
    /// and the first look from which on all answered the same records.
    pub(super) fn tlsa_life(&self, view: ViewId, owner: &Name) -> Option<(Option<u32>, u32, Timestamp)> {
        let looks = self.answers.get(&(view, owner, RecordType::Tlsa))?;
        let newest = self.tlsa(view, owner);
        let same = looks.iter().rev().take_while(|l| l.tlsa().collect::<BTreeSet<_>>() == newest).last();
        let longest = |is_meant: &dyn Fn(&Look) -> bool| {
            let replies = looks.iter().filter(|l| is_meant(l)).filter_map(|l| l.outcome.reply());
            replies.flat_map(|r| &r.records).map(|r| r.ttl).max()
        };
        let authoritative = longest(&|l| l.outcome.reply().is_some_and(|r| r.authoritative));
        Some((authoritative, longest(&|_| true).unwrap_or(0), same.or(looks.last())?.at))
    }

    /// The longest TTL that an authoritative server ever gave for a key, and the time of the last look that did.
    pub(super) fn longest_ttl(&self, view: ViewId, name: &Name, key: &(Name, CacheKind)) -> Option<(u32, Timestamp)> {
        let kinds = [RecordType::A, RecordType::Aaaa, RecordType::Mx, RecordType::Srv, RecordType::Https];
        let looks = kinds.into_iter().filter_map(|k| self.answers.get(&(view, name, k))).flatten();
        let ttl = |l: &Look| sets_of(name, l.outcome).get(key).and_then(|s| s.authoritative).map(|t| (t, l.at));
        looks.filter_map(ttl).max()
    }

    /// The chain that a port served last, where it did.
    pub(super) fn served(outcome: &TlsOutcome) -> Option<&Served> {
        match outcome {
            TlsOutcome::Certificate(served) => Some(served),
            _ => None,
        }
    }
}

/// The same data, and where both tell it, the same authoritative TTL.
fn alike(a: &SeenSet, b: &SeenSet) -> bool {
    let ttl = a.authoritative.zip(b.authoritative).is_none_or(|(a, b)| a == b);
    a.data == b.data && ttl
}

fn merge(into: &mut SeenSet, set: SeenSet) {
    into.data.extend(set.data);
    into.authoritative = into.authoritative.max(set.authoritative);
    into.at_least = into.at_least.max(set.at_least);
    into.since = match (into.since, set.since) {
        (Some(a), Some(b)) => Some(a.max(b)),
        (a, b) => a.or(b),
    };
}

fn sets_of(name: &Name, outcome: &DnsOutcome) -> SeenSets {
    let mut out = SeenSets::new();
    let Some(reply) = outcome.reply() else { return out };
    let mut add = |owner: &Name, kind, datum, ttl: u32| {
        let set = out.entry((owner.clone(), kind)).or_default();
        set.data.insert(datum);
        set.at_least = set.at_least.max(ttl);
        set.authoritative = set.authoritative.max(reply.authoritative.then_some(ttl));
    };
    let mut owner = name.clone();
    for link in &reply.chain {
        let Ok(target) = Name::parse_owner(&link.target) else { return out };
        add(&owner, CacheKind::Cname, Datum::Host(target.clone()), link.ttl);
        owner = target;
    }
    for record in &reply.addresses {
        add(&owner, kind_of(record.address), Datum::Address(record.address), record.ttl);
    }
    for record in &reply.records {
        if let RecordData::Https(https) = &record.data {
            let host = Name::parse_owner(&https.target).ok().filter(|_| https.target != ".").map(Datum::Host);
            let all = https.hints().map(Datum::Address).chain(host);
            all.for_each(|datum| add(&owner, CacheKind::Https, datum, record.ttl));
            continue;
        }
        let kind = match record.data {
            RecordData::Mx { .. } => CacheKind::Mx,
            RecordData::Srv { .. } => CacheKind::Srv,
            _ => continue,
        };
        if let Some(host) = record.data.host().and_then(|(h, _)| Name::parse(h).ok()) {
            add(&owner, kind, Datum::Host(host), record.ttl);
        }
    }
    out
}
