//! What answers lead to: hosts that they name, keys of signed zones, failures that may be a validator's; what to ask about
//! them in a second round. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::Seen;
use crate::model::dns::{DnsOutcome, RecordType, Reply};
use crate::model::http::{HttpProbe, Page};
use crate::model::mta_sts::Record;
use crate::model::name::Name;
use crate::model::observation::{DnsProbe, Outcome, Probe};
use crate::model::probes::{DnsAsk, Follow, Further, HttpAsk, PolicyAsk, Probes, Template};
use crate::model::records::RecordData;
use crate::model::service::Way;

/// Hosts that are followed in a run. More are no mail domain but somebody who plays for time.
const HOSTS: usize = 256;

/// Questions that failed and are asked once more without validation. A resolver that fails for all is known by then.
const DOUBTED: usize = 64;

/// Addresses of a policy's host that are asked.
const POLICY_ADDRESSES: usize = 8;

/// What answers named so far.
pub struct Followed<'a> {
    probes: &'a Probes,
    asked: BTreeSet<DnsProbe>,
    more: Probes,
    hosts: BTreeSet<(Arc<str>, Name)>,
    doubted: usize,
    /// Of each policy: whether its record is there, and the addresses of its host.
    policies: BTreeMap<usize, (bool, BTreeSet<IpAddr>)>,
    wanted: BTreeMap<(Arc<str>, Name, RecordType), &'a Follow>,
}

impl<'a> Followed<'a> {
    /// Nothing so far.
    pub fn new(probes: &'a Probes) -> Self {
        let wanted: BTreeMap<_, _> =
            probes.follow.iter().map(|f| ((f.view.clone(), f.name.clone(), f.kind), f)).collect();
        Self {
            probes,
            asked: BTreeSet::new(),
            more: Probes::default(),
            hosts: BTreeSet::new(),
            doubted: 0,
            policies: BTreeMap::new(),
            wanted,
        }
    }

    /// Takes what was seen.
    pub fn take(&mut self, seen: &Seen) {
        let Seen::Observation(observation) = seen else { return };
        let (Probe::Dns(probe), Outcome::Dns(outcome)) = (&observation.probe, &*observation.outcome) else { return };
        match outcome {
            DnsOutcome::ServFail => self.doubt(probe),
            _ if !self.probes.policies.is_empty() && self.note_policy(probe, outcome) => {}
            DnsOutcome::Answer(reply) if !RecordType::ALL.contains(&probe.kind) => {
                self.hosts(probe, reply);
                self.further(probe);
            }
            _ => {}
        }
    }

    /// Notes what hangs together with a policy; true if nothing else hangs on it.
    fn note_policy(&mut self, probe: &DnsProbe, outcome: &DnsOutcome) -> bool {
        let DnsOutcome::Answer(reply) = outcome else { return false };
        let of = |p: &&PolicyAsk| p.view == probe.view && (p.host == probe.name || p.owner == probe.name);
        let Some(at) = self.probes.policies.iter().position(|p| of(&p)) else { return false };
        let noted = self.policies.entry(at).or_default();
        let texts =
            reply.records.iter().filter_map(|r| if let RecordData::Txt(t) = &r.data { Some(t.as_str()) } else { None });
        noted.0 |= matches!(Record::of(texts), Record::Id(_));
        noted.1.extend(reply.addresses.iter().map(|a| a.address));
        true
    }

    /// The policies that the answers so far say are there, at each address of their hosts.
    pub fn policies(&self) -> Vec<HttpAsk> {
        let found = self.policies.iter().filter(|(_, (is_said, _))| *is_said);
        let asks = found.filter_map(|(at, (_, addresses))| Some((self.probes.policies.get(*at)?, addresses)));
        let each = |(ask, addresses): (&PolicyAsk, &BTreeSet<IpAddr>)| {
            let reached = addresses.iter().filter(|a| ask.reach.allows(**a)).take(POLICY_ADDRESSES);
            let probe = |a: &IpAddr| HttpProbe {
                address: SocketAddr::new(*a, 443),
                name: ask.host.clone(),
                page: Page::MtaSts,
            };
            reached
                .map(|a| HttpAsk { probe: probe(a), via: ask.via.clone(), timeout_ms: ask.timeout_ms })
                .collect::<Vec<_>>()
        };
        asks.flat_map(each).collect()
    }

    /// A failure may be the resolver's own word: that it has an answer which it could not validate (RFC 4035 section 5.5).
    fn doubt(&mut self, probe: &DnsProbe) {
        if !RecordType::ALL.contains(&probe.kind) || probe.unchecked || self.doubted == DOUBTED {
            return;
        }
        self.doubted += 1;
        let timeout_ms = self.timeout_of(probe);
        self.ask(DnsProbe { unchecked: true, ..probe.clone() }, timeout_ms);
    }

    /// What hangs on there being such records.
    fn further(&mut self, probe: &DnsProbe) {
        let of = |f: &&Further| f.view == probe.view && f.kind == probe.kind && f.name == probe.name;
        for ask in self.probes.further.iter().filter(of).flat_map(|f| &f.asks) {
            self.ask(ask.probe.clone(), ask.timeout_ms);
        }
    }

    fn ask(&mut self, probe: DnsProbe, timeout_ms: Option<u64>) {
        if self.asked.insert(probe.clone()) {
            self.more.dns.push(DnsAsk { probe, timeout_ms });
        }
    }

    fn timeout_of(&self, probe: &DnsProbe) -> Option<u64> {
        self.probes.dns.iter().find(|a| a.probe == *probe).and_then(|a| a.timeout_ms)
    }

    fn hosts(&mut self, probe: &DnsProbe, reply: &Reply) {
        if self.wanted.is_empty() {
            return;
        }
        let key = (probe.view.clone(), probe.name.clone(), probe.kind);
        let Some(follow) = self.wanted.get(&key).copied() else { return };
        for (host, port) in reply.records.iter().filter_map(|r| r.data.host()) {
            // A name that cannot be asked for is none that can be reached.
            if let Ok(host) = Name::parse_owner(host) {
                self.host(probe, follow, &host, port);
            }
        }
    }

    fn host(&mut self, probe: &DnsProbe, follow: &Follow, host: &Name, port: Option<u16>) {
        let at = (probe.view.clone(), host.clone());
        if !self.hosts.contains(&at) && self.hosts.len() == HOSTS {
            return;
        }
        self.hosts.insert(at);
        let tls = follow.tls.as_ref().zip(port);
        for kind in RecordType::ALL {
            let ask = DnsProbe { name: host.clone(), kind, ..probe.clone() };
            // For its connections the answers are wanted again: they wait for this round's.
            let known = tls.is_none() && self.probes.dns.iter().any(|a| a.probe == ask);
            if !known {
                let timeout_ms = self.timeout_of(probe);
                self.ask(ask, timeout_ms);
            }
        }
        if let Some(((reach, manners), port)) = tls {
            let template = Template {
                view: probe.view.clone(),
                name: host.clone(),
                port,
                way: Way::Implicit,
                reach: reach.clone(),
                samples: 1,
                manners: manners.clone(),
            };
            if !self.more.templates.contains(&template) {
                self.more.templates.push(template);
            }
        }
    }

    /// The second round.
    pub fn probes(self) -> Probes {
        self.more
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::dns::{AddressRecord, ResolverAddr};
    use crate::model::observation::Observation;
    use crate::model::plan::ViewKind;
    use crate::model::probes::{Manners, Reach};
    use crate::model::records::DataRecord;

    fn name(text: &str) -> Name {
        Name::parse_owner(text).unwrap()
    }

    fn question(text: &str, kind: RecordType) -> DnsProbe {
        let resolver = ResolverAddr::parse("9.9.9.9").unwrap().into();
        DnsProbe { view: "external".into(), resolver, name: name(text), kind, unchecked: false, direct: false }
    }

    fn answer(text: &str, kind: RecordType, records: Vec<RecordData>) -> Seen {
        let records = records.into_iter().map(|data| DataRecord { data, ttl: 60 }).collect();
        Seen::Observation(Observation {
            probe: Probe::Dns(question(text, kind)),
            run: "run".into(),
            sample: 0,
            attempt: 0,
            dialled: None,
            at: jiff::Timestamp::UNIX_EPOCH,
            outcome: Outcome::Dns(DnsOutcome::Answer(Reply { records, ..Reply::default() })).into(),
        })
    }

    fn mx(exchange: &str) -> RecordData {
        RecordData::Mx { preference: 10, exchange: exchange.into() }
    }

    fn follow(text: &str, kind: RecordType, tls: bool) -> Follow {
        let manners = Arc::new(Manners { per_host: 1, ehlo: "probe.example".into(), ..Manners::default() });
        let reach = Reach { networks: None, kind: ViewKind::External };
        Follow { view: "external".into(), name: name(text), kind, tls: tls.then_some((reach, manners)) }
    }

    #[test]
    fn the_hosts_of_an_answer_are_asked_for_once() {
        let known = DnsAsk { probe: question("known.domain.com", RecordType::A), timeout_ms: None };
        let probes =
            Probes { dns: vec![known], follow: vec![follow("domain.com", RecordType::Mx, false)], ..Probes::default() };
        let mut followed = Followed::new(&probes);
        let hosts = ["a.domain.com", "known.domain.com", ".", "10.0.0.1", "bad\\046name.com"].map(mx).to_vec();
        followed.take(&answer("domain.com", RecordType::Mx, hosts.clone()));
        followed.take(&answer("domain.com", RecordType::Mx, hosts.clone()));
        followed.take(&answer("other.com", RecordType::Mx, hosts));
        let asked: Vec<String> =
            followed.probes().dns.iter().map(|a| format!("{} {}", a.probe.name, a.probe.kind)).collect();
        assert_eq!(asked, ["a.domain.com A", "a.domain.com AAAA", "known.domain.com AAAA"]);
    }

    #[test]
    fn a_service_is_asked_at_its_port_and_the_hosts_are_bounded() {
        let probes = Probes { follow: vec![follow("_x._tcp.domain.com", RecordType::Srv, true)], ..Probes::default() };
        let mut followed = Followed::new(&probes);
        let srv = |n: u16| RecordData::Srv { priority: 0, weight: 0, port: n, target: format!("h{n}.domain.com") };
        followed.take(&answer("_x._tcp.domain.com", RecordType::Srv, (0..300).map(srv).collect()));
        let more = followed.probes();
        assert_eq!((more.templates.len(), more.dns.len()), (256, 512));
        assert_eq!((more.templates[7].port, more.templates[7].name.as_str()), (7, "h7.domain.com"));
    }

    fn failed(text: &str, kind: RecordType, unchecked: bool) -> Seen {
        let Seen::Observation(seen) = answer(text, kind, Vec::new()) else { panic!() };
        let probe = Probe::Dns(DnsProbe { unchecked, ..question(text, kind) });
        Seen::Observation(Observation { probe, outcome: Outcome::Dns(DnsOutcome::ServFail).into(), ..seen })
    }

    #[test]
    fn a_failure_is_asked_once_more_without_validation() {
        let probes = Probes::default();
        let mut followed = Followed::new(&probes);
        for (kind, unchecked) in [(RecordType::A, false), (RecordType::Mx, false), (RecordType::Aaaa, true)] {
            followed.take(&failed("a.domain.com", kind, unchecked));
        }
        let more = followed.probes();
        assert_eq!(more.dns.len(), 1);
        assert_eq!((more.dns[0].probe.kind, more.dns[0].probe.unchecked), (RecordType::A, true));
        let mut followed = Followed::new(&probes);
        (0..1000).for_each(|n| followed.take(&failed(&format!("h{n}.domain.com"), RecordType::A, false)));
        assert_eq!(followed.probes().dns.len(), DOUBTED);
    }

    #[test]
    fn a_policy_is_asked_for_where_its_record_is() {
        let ask = PolicyAsk {
            view: "external".into(),
            owner: name("_mta-sts.domain.com"),
            host: name("mta-sts.domain.com"),
            reach: Reach { networks: None, kind: ViewKind::External },
            via: None,
            timeout_ms: None,
        };
        let probes = Probes { policies: vec![ask], ..Probes::default() };
        let mut followed = Followed::new(&probes);
        let Seen::Observation(seen) = answer("mta-sts.domain.com", RecordType::A, Vec::new()) else { panic!() };
        let addresses =
            ["203.0.113.9", "10.0.0.9", "203.0.113.8"].map(|a| AddressRecord { address: a.parse().unwrap(), ttl: 1 });
        let reply = Reply { addresses: addresses.to_vec(), ..Reply::default() };
        followed
            .take(&Seen::Observation(Observation { outcome: Outcome::Dns(DnsOutcome::Answer(reply)).into(), ..seen }));
        followed.take(&answer("_mta-sts.domain.com", RecordType::Txt, vec![RecordData::Txt("other".into())]));
        assert_eq!(followed.policies(), []);
        followed.take(&answer("_mta-sts.domain.com", RecordType::Txt, vec![RecordData::Txt("v=STSv1; id=1".into())]));
        let asked: Vec<_> = followed.policies().iter().map(|a| a.probe.address.to_string()).collect();
        assert_eq!(asked, ["203.0.113.8:443", "203.0.113.9:443"], "and no stranger's machine inside");
        assert_eq!(followed.probes().dns, []);
    }

    #[test]
    fn the_keys_of_a_zone_are_asked_for_where_it_is_signed() {
        let keys = DnsAsk {
            probe: DnsProbe { unchecked: true, ..question("domain.com", RecordType::Dnskey) },
            timeout_ms: Some(7),
        };
        let further = Further {
            view: "external".into(),
            name: name("domain.com"),
            kind: RecordType::Ds,
            asks: vec![keys.clone()],
        };
        let probes = Probes { further: vec![further], ..Probes::default() };
        let ds = || RecordData::parse(RecordType::Ds, "1 13 2 ab").unwrap();
        let mut followed = Followed::new(&probes);
        followed.take(&answer("other.com", RecordType::Ds, vec![ds()]));
        followed.take(&answer("domain.com", RecordType::Mx, vec![mx("a.domain.com")]));
        assert_eq!(Followed::new(&probes).probes().dns, []);
        followed.take(&answer("domain.com", RecordType::Ds, vec![ds()]));
        followed.take(&answer("domain.com", RecordType::Ds, vec![ds()]));
        assert_eq!(followed.probes().dns, [keys]);
    }
}
