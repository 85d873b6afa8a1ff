//! What the parents of zones say of their servers: asked step by step, as far as the answers lead. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::Seen;
use crate::model::dns::DnsOutcome;
use crate::model::observation::{DnsProbe, Outcome, Probe};
use crate::model::probes::{DnsAsk, Probes};

/// What was heard on the ways so far.
pub struct Delegations<'a> {
    probes: &'a Probes,
    heard: BTreeMap<DnsProbe, DnsOutcome>,
    /// What the ways came to, heard of or not.
    asked: BTreeSet<DnsProbe>,
}

impl<'a> Delegations<'a> {
    /// At the beginning of every way, whose questions are among the probes.
    pub fn new(probes: &'a Probes) -> Self {
        let mut new = Self { probes, heard: BTreeMap::new(), asked: BTreeSet::new() };
        new.next();
        new
    }

    /// Takes what was seen.
    pub fn take(&mut self, seen: &Seen) {
        let Seen::Observation(observation) = seen else { return };
        if let (Probe::Dns(probe), Outcome::Dns(outcome)) = (&observation.probe, &*observation.outcome)
            && self.asked.contains(probe)
        {
            self.heard.insert(probe.clone(), outcome.clone());
        }
    }

    /// The questions of the next step; none at the end. What another question happened to ask already is asked again.
    pub fn next(&mut self) -> Probes {
        let mut more = Probes::default();
        for delegation in &self.probes.delegations {
            let way = delegation.walk(&|probe| self.heard.get(probe).into_iter().collect());
            for probe in way.asked.into_iter().filter(|p| !self.heard.contains_key(p)) {
                if self.asked.insert(probe.clone()) {
                    more.dns.push(DnsAsk { probe, timeout_ms: delegation.timeout_ms });
                }
            }
        }
        more
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;
    use crate::model::delegation::Delegation;
    use crate::model::dns::{AddressRecord, NamedServer, RecordType, Referral, Reply, ResolverAddr, Transport};
    use crate::model::name::Name;
    use crate::model::observation::Observation;
    use crate::model::plan::ViewKind;
    use crate::model::probes::Reach;
    use crate::model::records::{DataRecord, RecordData};

    fn probes(zone: &str) -> Probes {
        let resolver = |text| ResolverAddr::parse(text).unwrap().into();
        let delegation = Delegation {
            view: "internet".into(),
            zone: Name::parse(zone).unwrap(),
            resolvers: vec![resolver("9.9.9.9"), resolver("1.1.1.1")],
            above: Vec::new(),
            own: Vec::new(),
            reach: Reach { networks: None, kind: ViewKind::External },
            transport: Transport::Udp,
            timeout_ms: None,
        };
        Probes { delegations: vec![delegation], ..Probes::default() }
    }

    fn asked(answer: impl Fn(&DnsProbe) -> DnsOutcome) -> Vec<Vec<String>> {
        asked_of("example.org", answer)
    }

    /// Asks about a zone until nothing is open, and says what was asked of whom, step by step.
    fn asked_of(zone: &str, answer: impl Fn(&DnsProbe) -> DnsOutcome) -> Vec<Vec<String>> {
        let probes = probes(zone);
        let mut ways = Delegations::new(&probes);
        let mut step: Vec<DnsProbe> = ways.asked.iter().cloned().collect();
        let mut out = Vec::new();
        while !step.is_empty() {
            let word =
                |p: &DnsProbe| format!("{} {} {}{}", p.resolver, p.name, p.kind, if p.direct { " direct" } else { "" });
            out.push(step.iter().map(word).collect());
            for probe in step {
                let outcome = Outcome::Dns(answer(&probe)).into();
                let (run, at) = ("run".into(), jiff::Timestamp::UNIX_EPOCH);
                let probe = Probe::Dns(probe);
                ways.take(&Seen::Observation(Observation {
                    probe,
                    run,
                    sample: 0,
                    attempt: 0,
                    dialled: None,
                    at,
                    outcome,
                }));
            }
            step = ways.next().dns.into_iter().map(|a| a.probe).collect();
        }
        out
    }

    fn ns(hosts: impl Iterator<Item = String>) -> DnsOutcome {
        let records = hosts.map(|host| DataRecord { data: RecordData::Ns(host), ttl: 60 }).collect();
        DnsOutcome::Answer(Reply { records, authoritative: true, ..Reply::default() })
    }

    fn a(address: IpAddr) -> DnsOutcome {
        let addresses = vec![AddressRecord { address, ttl: 60 }];
        DnsOutcome::Answer(Reply { addresses, authoritative: true, ..Reply::default() })
    }

    fn refers(hosts: impl Iterator<Item = (String, IpAddr)>) -> DnsOutcome {
        let server =
            |(name, address)| NamedServer { name, ttl: 60, addresses: vec![AddressRecord { address, ttl: 60 }] };
        DnsOutcome::Referral(Referral { zone: "example.org".into(), servers: hosts.map(server).collect() })
    }

    #[test]
    fn one_answer_leads_to_the_next() {
        let steps = asked(|p| match (p.name.as_str(), p.kind, p.direct) {
            ("org", ..) if p.resolver.to_string() == "9.9.9.9" => DnsOutcome::Timeout,
            ("org", ..) => ns(["a.nic.org".to_string()].into_iter()),
            ("a.nic.org", RecordType::A, _) => a([192, 0, 2, 101].into()),
            ("example.org", ..) if p.resolver.to_string() == "192.0.2.101" => {
                refers([("ns1.example.org".to_string(), [198, 51, 100, 53].into())].into_iter())
            }
            ("example.org", ..) => ns(["ns1.example.org".to_string()].into_iter()),
            ("ns1.example.org", RecordType::A, _) => a([198, 51, 100, 53].into()),
            _ => DnsOutcome::NoData(Reply { authoritative: true, ..Reply::default() }),
        });
        let want: [&[&str]; 5] = [
            &["1.1.1.1 org NS", "9.9.9.9 org NS"],
            &["1.1.1.1 a.nic.org A", "1.1.1.1 a.nic.org AAAA"],
            &["192.0.2.101 example.org NS direct"],
            &["1.1.1.1 ns1.example.org A", "1.1.1.1 ns1.example.org AAAA", "198.51.100.53 example.org NS direct"],
            &["198.51.100.53 ns1.example.org A direct", "198.51.100.53 ns1.example.org AAAA direct"],
        ];
        assert_eq!(steps, want);
    }

    #[test]
    fn who_names_servers_without_end_is_not_followed_without_end_nor_to_machines_inside() {
        let number =
            |p: &DnsProbe| p.name.as_str().bytes().fold(p.kind as u32, |n, b| n.wrapping_mul(31) + u32::from(b));
        let steps = asked(|p| match p.kind {
            RecordType::Ns
                if p.direct && p.name.as_str() == "example.org" && p.resolver.addr.ip().to_string().ends_with(".1") =>
            {
                refers((0..256).map(|n| (format!("ns{n}.example.org"), Ipv4Addr::from(0x0a00_0000 + n).into())))
            }
            RecordType::Ns => ns((0..256).map(|n| format!("ns{n}.example.org"))),
            // One that nobody reaches from outside, or one of many.
            _ if number(p) % 2 == 0 => a([10, 0, 0, 9].into()),
            _ => a(Ipv4Addr::from(0xc633_0001 + ((number(p) % 200) << 8)).into()),
        });
        let all: Vec<&String> = steps.iter().flatten().collect();
        assert!((20..200).contains(&all.len()), "{}", all.len());
        assert!(steps.len() <= 7 && all.iter().all(|line| !line.starts_with("10.")), "{steps:?}");
    }

    /// No zone begins at this name, and this one has it.
    fn within(zone: &str) -> DnsOutcome {
        let (zone, primary) = (zone.to_string(), "ns1.example.org".to_string());
        let soa = crate::model::dns::Soa { zone, primary, serial: 1, ttl: 60, minimum: 60 };
        DnsOutcome::NoData(Reply { soa: Some(soa.into()), ..Reply::default() })
    }

    #[test]
    fn the_zone_above_may_begin_further_up() {
        let steps = asked_of("dmz.eu.example.org", |p| match p.name.as_str() {
            "eu.example.org" => within("example.org"),
            "example.org" => ns(["ns1.example.org".to_string()].into_iter()),
            _ => DnsOutcome::Timeout,
        });
        let want: [&[&str]; 3] = [
            &["1.1.1.1 eu.example.org NS", "9.9.9.9 eu.example.org NS"],
            &["9.9.9.9 example.org NS"],
            &["9.9.9.9 ns1.example.org A", "9.9.9.9 ns1.example.org AAAA"],
        ];
        assert_eq!(steps, want);
        for odd in [".", "eu.example.org", "dmz.eu.example.org", "other.example", "bad\\046name"] {
            assert_eq!(asked_of("dmz.eu.example.org", |_| within(odd)).len(), 1, "{odd} is no zone above");
        }
    }
}
