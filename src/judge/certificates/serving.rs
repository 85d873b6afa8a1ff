//! What servers were seen to serve at their own addresses.

use std::collections::{BTreeMap, HashMap};

use super::Certificates;
use crate::judge::evidence::{Evidence, Found, Look};
use crate::judge::in_use::{Few, insert};
use crate::model::certificate::BlobId;
use crate::model::name::Name;
use crate::model::observation::{Probe, TlsProbe};
use crate::model::plan::{Plan, ServerId};
use crate::model::service::{Service, Way};
use crate::model::tls::{Possession, Served, TlsOutcome};

/// Leaves as a server served them, sorted.
#[derive(Default)]
pub(super) struct Leaves<'a>(Box<[(BlobId, Seen<'a>)]>);

/// How a leaf was served, both sorted: leaves are many, and few have more than one of either.
#[derive(Default)]
struct Seen<'a> {
    /// The chains that came with it, and whether its key was shown not to be there.
    chains: Vec<(&'a [BlobId], bool)>,
    /// Where.
    ports: Few<(u16, Way)>,
}

impl<'a> Leaves<'a> {
    /// The leaves.
    pub(super) fn ids(&self) -> impl Iterator<Item = BlobId> + '_ {
        self.0.iter().map(|(leaf, _)| *leaf)
    }

    fn get(&self, leaf: BlobId) -> Option<&Seen<'a>> {
        let at = self.0.binary_search_by_key(&leaf, |(leaf, _)| *leaf).ok()?;
        self.0.get(at).map(|(_, seen)| seen)
    }
}

impl Certificates<'_> {
    /// The leaves seen at a server's own addresses.
    pub(in crate::judge) fn served_by(&self, server: ServerId) -> impl Iterator<Item = BlobId> + '_ {
        self.served.get(&server).into_iter().flat_map(Leaves::ids)
    }

    /// The leaves seen at a service of a server's own addresses.
    pub(in crate::judge) fn served_at(&self, server: ServerId, at: &Service) -> Vec<BlobId> {
        let leaves = self.served.get(&server).into_iter().flat_map(|leaves| &leaves.0);
        leaves.filter(|(_, seen)| seen.ports.contains(&(at.port, at.way))).map(|(leaf, _)| *leaf).collect()
    }

    /// True if a server was seen to serve a leaf at its own addresses.
    pub(in crate::judge) fn serves(&self, server: ServerId, leaf: BlobId) -> bool {
        self.served.get(&server).is_some_and(|leaves| leaves.get(leaf).is_some())
    }

    /// True if a server was seen to serve a leaf at its own addresses, and nowhere without its key.
    pub(in crate::judge) fn holds_key(&self, server: ServerId, leaf: BlobId) -> bool {
        let seen = self.served.get(&server).and_then(|leaves| leaves.get(leaf));
        seen.is_some_and(|seen| seen.chains.iter().all(|(_, keyless)| !keyless))
    }

    /// At how many ports a server was seen to serve a leaf.
    pub(in crate::judge) fn ports_of(&self, server: ServerId, leaf: BlobId) -> usize {
        self.served.get(&server).and_then(|leaves| leaves.get(leaf)).map_or(0, |seen| seen.ports.len())
    }

    /// True if a server was seen to serve this very chain at its own addresses, with its key or without it alike.
    pub(in crate::judge) fn serves_alike(&self, server: ServerId, served: &Served) -> bool {
        let leaves = self.served.get(&server).zip(served.chain.first());
        let chains = leaves.and_then(|(leaves, leaf)| leaves.get(*leaf));
        chains.is_some_and(|seen| seen.chains.binary_search(&(served.chain.as_slice(), is_keyless(served))).is_ok())
    }

    /// The services of a server that were seen to serve another leaf than `old`, one that is right for these names: their
    /// words, and that leaf.
    pub(in crate::judge) fn renewed(
        &self,
        plan: &Plan,
        server: ServerId,
        old: BlobId,
        names: &[Name],
    ) -> Option<(Vec<&'static str>, BlobId)> {
        let is_right = |leaf: &BlobId| {
            *leaf != old && self.is_known(*leaf) && names.iter().all(|n| matches!(self.identify(*leaf, n), Some(Ok(_))))
        };
        let (leaf, seen) = self.served.get(&server)?.0.iter().find(|(leaf, _)| is_right(leaf))?;
        let services = plan.server(server).services.iter().map(|s| &s.value);
        let mut words: Vec<&'static str> = Vec::new();
        for service in services.filter(|s| seen.ports.contains(&(s.port, s.way))) {
            if !words.contains(&service.word) {
                words.push(service.word);
            }
        }
        (!words.is_empty()).then_some((words, *leaf))
    }
}

pub(super) fn first_chains<'a>(evidence: &Evidence<'a>) -> BTreeMap<BlobId, &'a [BlobId]> {
    let mut out = HashMap::new();
    for (look, _) in evidence.looks() {
        if let Some(TlsOutcome::Certificate(served)) = evidence.tls(look)
            && let Some(leaf) = served.chain.first()
            && !out.contains_key(leaf)
            && evidence.is_current(look)
        {
            out.insert(*leaf, served.chain.as_slice());
        }
    }
    out.into_iter().collect()
}

fn is_keyless(served: &Served) -> bool {
    matches!(served.possession, Possession::Failed(_))
}

pub(super) fn served<'a>(plan: &Plan, evidence: &Evidence<'a>) -> BTreeMap<ServerId, Leaves<'a>> {
    let mut owners = Owners::new();
    for (i, server) in plan.servers.iter().enumerate() {
        for address in server.own_addresses(&plan.views) {
            owners.entry(address).or_default().push(ServerId(i));
        }
    }
    let mut out: BTreeMap<ServerId, BTreeMap<BlobId, Seen>> = BTreeMap::new();
    for (probe, looks) in evidence.probes() {
        let Probe::Tls(TlsProbe { address, way, sni: Some(_), .. }) = probe else { continue };
        if !owners.contains_key(&address.ip()) {
            continue;
        }
        // What an older run of the same vantage saw is not served any more.
        let Found::Fresh(looks) = evidence.seen_at(looks) else { continue };
        for served in looks.into_iter().filter_map(|look| certificate(evidence, look)) {
            let Some(leaf) = served.chain.first() else { continue };
            for server in owners.get(&address.ip()).into_iter().flatten() {
                let seen = out.entry(*server).or_default().entry(*leaf).or_default();
                let chain = (served.chain.as_slice(), is_keyless(served));
                if let Err(at) = seen.chains.binary_search(&chain) {
                    seen.chains.reserve_exact(usize::from(seen.chains.is_empty()));
                    seen.chains.insert(at, chain);
                }
                insert(&mut seen.ports, (address.port(), *way));
            }
        }
    }
    out.into_iter().map(|(server, leaves)| (server, Leaves(leaves.into_iter().collect()))).collect()
}

type Owners = BTreeMap<std::net::IpAddr, Vec<ServerId>>;

fn certificate<'a>(evidence: &Evidence<'a>, look: Look) -> Option<&'a Served> {
    match evidence.tls(look)? {
        TlsOutcome::Certificate(served) => Some(served),
        _ => None,
    }
}
