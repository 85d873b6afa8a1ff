//! What the tests' runs saw.

use std::net::{IpAddr, SocketAddr};

use super::{Chain, SEEN, World, https};
use crate::model::dns::{AddressRecord, DnsOutcome, Link, RecordType, Reply, Soa};
use crate::model::name::Name;
use crate::model::observation::{DnsProbe, Observation, Outcome, Probe, TlsProbe};
use crate::model::plan::ViewId;
use crate::model::records::{DataRecord, RecordData};
use crate::model::tls::{Possession, Served, TlsOutcome};

impl World {
    /// Records an observation of a run.
    pub(in crate::judge) fn see(&mut self, run: &str, probe: Probe, outcome: Outcome) {
        self.see_at(run, probe, 0, SEEN, outcome);
    }

    /// As [`World::see`], with sample and time.
    pub(in crate::judge) fn see_at(&mut self, run: &str, probe: Probe, sample: u32, at: &str, outcome: Outcome) {
        let at = at.parse().unwrap();
        let (run, outcome) = (run.into(), outcome.into());
        let seen = Observation { probe, run, sample, attempt: 0, dialled: None, at, outcome };
        self.recording.observations.insert(seen);
    }

    /// What a resolver says of a type.
    pub(in crate::judge) fn says(
        &mut self,
        view: ViewId,
        resolver: usize,
        name: &str,
        kind: RecordType,
        outcome: DnsOutcome,
    ) {
        self.says_in("in", view, resolver, name, kind, outcome);
    }

    /// As [`World::says`], to a run.
    pub(in crate::judge) fn says_in(
        &mut self,
        run: &str,
        view: ViewId,
        resolver: usize,
        name: &str,
        kind: RecordType,
        outcome: DnsOutcome,
    ) {
        let at = self.recording.runs.get(run).map_or_else(|| SEEN.to_string(), |r| r.started.to_string());
        let declared = self.plan.view(view);
        let (label, resolver) = (declared.label.clone(), declared.resolvers[resolver].value.clone().into());
        let probe = DnsProbe {
            view: label,
            resolver,
            name: Name::parse_owner(name).unwrap(),
            kind,
            unchecked: false,
            direct: false,
        };
        self.see_at(run, Probe::Dns(probe), 0, &at, Outcome::Dns(outcome));
    }

    /// Every resolver of the view says the same of both types to a run.
    pub(in crate::judge) fn say_in(&mut self, run: &str, view: ViewId, name: &str, outcome: &DnsOutcome) {
        for resolver in 0..self.plan.view(view).resolvers.len() {
            for kind in RecordType::ALL {
                self.says_in(run, view, resolver, name, kind, outcome.clone());
            }
        }
    }

    /// Every resolver of the view gives these addresses to a run.
    pub(in crate::judge) fn answer_in(&mut self, run: &str, view: ViewId, name: &str, addresses: &[&str]) {
        for resolver in 0..self.plan.view(view).resolvers.len() {
            for kind in RecordType::ALL {
                self.says_in(run, view, resolver, name, kind, answer(kind, addresses, &[]));
            }
        }
    }

    /// Every resolver of the view says the same of both types.
    pub(in crate::judge) fn say(&mut self, view: ViewId, name: &str, outcome: &DnsOutcome) {
        for resolver in 0..self.plan.view(view).resolvers.len() {
            RecordType::ALL.into_iter().for_each(|kind| self.says(view, resolver, name, kind, outcome.clone()));
        }
    }

    /// Every resolver of the view says this of one type.
    pub(in crate::judge) fn say_of(&mut self, view: ViewId, name: &str, kind: RecordType, outcome: &DnsOutcome) {
        for resolver in 0..self.plan.view(view).resolvers.len() {
            self.says(view, resolver, name, kind, outcome.clone());
        }
    }

    /// Every resolver of the view gives these addresses.
    pub(in crate::judge) fn answer(&mut self, view: ViewId, name: &str, addresses: &[&str]) {
        for resolver in 0..self.plan.view(view).resolvers.len() {
            self.answer_of(view, resolver, name, addresses);
        }
    }

    /// One resolver gives these addresses.
    pub(in crate::judge) fn answer_of(&mut self, view: ViewId, resolver: usize, name: &str, addresses: &[&str]) {
        for kind in RecordType::ALL {
            self.says(view, resolver, name, kind, answer(kind, addresses, &[]));
        }
    }

    /// An endpoint of https, asked for a name, serves a chain to a run.
    pub(in crate::judge) fn serve(&mut self, run: &str, address: &str, name: &str, chain: &Chain) {
        self.serve_sample(run, address, name, chain, 0);
    }

    /// As [`World::serve`], the nth sample.
    pub(in crate::judge) fn serve_sample(&mut self, run: &str, address: &str, name: &str, chain: &Chain, sample: u32) {
        let outcome = self.served(chain, Possession::Proved);
        self.see_at(run, tls_probe(address, name), sample, SEEN, outcome);
    }

    /// The outcome of a chain that was served.
    pub(in crate::judge) fn served(&mut self, chain: &Chain, possession: Possession) -> Outcome {
        let chain = self.blobs(chain);
        let served = Served {
            chain,
            possession,
            version: Some("TLS 1.3".into()),
            cipher: None,
            client: None,
            ended: None,
            declined: None,
        };
        Outcome::Tls(TlsOutcome::Certificate(served))
    }

    /// An endpoint fails.
    pub(in crate::judge) fn fail(&mut self, run: &str, address: &str, name: &str, outcome: TlsOutcome) {
        self.see(run, tls_probe(address, name), Outcome::Tls(outcome));
    }

    /// As [`World::fail`], the nth sample.
    pub(in crate::judge) fn fail_sample(&mut self, run: &str, at: &str, name: &str, outcome: TlsOutcome, sample: u32) {
        self.see_at(run, tls_probe(at, name), sample, SEEN, Outcome::Tls(outcome));
    }

    /// Takes back what was seen of an endpoint.
    pub(in crate::judge) fn forget(&mut self, address: &str) {
        let address: IpAddr = address.parse().unwrap();
        self.recording.observations.retain(|o| !matches!(&o.probe, Probe::Tls(p) if p.address.ip() == address));
    }

    /// Takes back what was said of a name in a view.
    pub(in crate::judge) fn unsay(&mut self, view: ViewId, name: &str) {
        let label = self.plan.view(view).label.clone();
        self.recording
            .observations
            .retain(|o| !matches!(&o.probe, Probe::Dns(p) if p.view == label && p.name.as_str() == name));
    }
}

/// A connection to https.
pub(in crate::judge) fn tls_probe(address: &str, name: &str) -> Probe {
    let service = https();
    Probe::Tls(TlsProbe {
        address: SocketAddr::new(address.parse().unwrap(), service.port),
        way: service.way,
        sni: Some(Name::parse(name).unwrap()),
        face: None,
    })
}

/// The answer for a type: those of the addresses that are of it, behind these aliases (`owner`, `target`).
pub(in crate::judge) fn answer(kind: RecordType, addresses: &[&str], chain: &[(&str, &str)]) -> DnsOutcome {
    let all = addresses.iter().map(|a| a.parse::<IpAddr>().unwrap()).filter(|a| kind.holds(*a));
    let addresses: Vec<_> = all.map(|address| AddressRecord { address, ttl: 300 }).collect();
    let link = |(owner, target): &(&str, &str)| Link { owner: (*owner).into(), target: (*target).into(), ttl: 300 };
    let reply = Reply { addresses, chain: chain.iter().map(link).collect(), ..Reply::default() };
    if reply.addresses.is_empty() { DnsOutcome::NoData(reply) } else { DnsOutcome::Answer(reply) }
}

/// These records of a type, as a zone file writes them; none is NODATA.
pub(in crate::judge) fn records(kind: RecordType, texts: &[&str]) -> DnsOutcome {
    let record = |text: &&str| DataRecord { data: RecordData::parse(kind, text).unwrap(), ttl: 300 };
    let reply = Reply { records: texts.iter().map(record).collect(), ..Reply::default() };
    if texts.is_empty() { DnsOutcome::NoData(reply) } else { DnsOutcome::Answer(reply) }
}

/// The head of a zone.
pub(in crate::judge) fn head(zone: &str, serial: u32) -> DnsOutcome {
    let soa = Soa { zone: zone.into(), primary: format!("ns1.{zone}"), serial, ttl: 3600, minimum: 900 };
    let records = vec![DataRecord { data: RecordData::Soa(soa), ttl: 3600 }];
    DnsOutcome::Answer(Reply { records, ..Reply::default() })
}

/// NXDOMAIN with its SOA.
pub(in crate::judge) fn nxdomain() -> DnsOutcome {
    let soa = Soa { zone: "domain.com".into(), primary: "ns1.domain.com".into(), serial: 1, ttl: 3600, minimum: 900 };
    DnsOutcome::NxDomain(Reply { soa: Some(soa.into()), ..Reply::default() })
}
