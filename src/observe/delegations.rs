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
