//! The zones above those of the plan, and what the registrar was told to write there.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::zone::{DEFAULT_TTL, Zone, addresses};
use crate::model::delegation::{external, parent_of, zones};
use crate::model::dns::{RecordType, ResolverAddr, Transport};
use crate::model::plan::{self, Plan, ViewId};
use crate::model::probes::is_private;
use crate::model::records::RecordData;

/// The server of zones of which the plan names none that is seen from outside (RFC 5737).
pub(super) const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 53));
/// TTL of what a parent says, in seconds.
pub(super) const TTL: u32 = 86_400;

/// The servers of a zone as its parent has them, with their glue.
pub(super) type Cut = Vec<(String, Vec<IpAddr>)>;

/// A zone above, its server, and the cuts below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parent {
    pub address: IpAddr,
    pub cuts: BTreeMap<String, Cut>,
}

/// The zones above those of a view, by their names. A parent that the plan has itself is on the same servers.
pub(super) fn parents(plan: &Plan, view: ViewId) -> BTreeMap<String, Parent> {
    let mut out: BTreeMap<String, Parent> = BTreeMap::new();
    for (_, zone) in zones(plan, |v| v == view) {
        let Some(parent) = parent_of(&zone.apex).filter(|p| !plan.zones.iter().any(|z| z.apex == *p)) else { continue };
        let cut = servers(plan, zone).into_iter().map(|(host, address)| (host, vec![address])).collect();
        let number = u8::try_from(out.len()).unwrap_or(u8::MAX).saturating_add(100);
        let made = || Parent { address: Ipv4Addr::new(192, 0, 2, number).into(), cuts: BTreeMap::new() };
        out.entry(parent.to_string()).or_insert_with(made).cuts.insert(zone.apex.to_string(), cut);
    }
    out
}

/// A server of zones.
pub(super) fn at(address: IpAddr) -> ResolverAddr {
    ResolverAddr { transport: Transport::Udp, addr: SocketAddr::new(address, 53) }
}

/// The servers of a zone that are seen from outside, by name.
fn servers(plan: &Plan, zone: &plan::Zone) -> Vec<(String, IpAddr)> {
    let is_outer = external(plan, zone).count() == zone.views.len();
    let at = zone.servers.iter().map(|s| s.value.addr).filter(|a| a.port() == 53).map(|a| a.ip());
    let mut seen: Vec<IpAddr> = at.filter(|a| is_outer || !is_private(*a)).collect();
    seen.sort();
    seen.dedup();
    if seen.is_empty() {
        seen.push(ELSEWHERE);
    }
    let named = |(number, address)| (format!("ns{}.{}", number + 1, zone.apex), address);
    seen.into_iter().enumerate().map(named).collect()
}

impl Zone {
    /// The zones that are seen from outside name their servers; each view knows where those of the zones above are.
    pub fn delegate(&mut self, plan: &Plan, view: ViewId) {
        let outer = plan.zones.iter().filter(|z| z.views.contains(&view) && external(plan, z).next().is_some());
        for zone in outer.filter(|z| !self.has(z.apex.as_str(), RecordType::Ns)).collect::<Vec<_>>() {
            let servers = servers(plan, zone);
            self.add_records(
                zone.apex.as_str(),
                servers.iter().map(|(host, _)| RecordData::Ns(host.clone())).collect(),
            );
            for (host, address) in servers {
                self.entries.entry(host).or_insert_with(|| addresses(vec![address], DEFAULT_TTL));
            }
        }
        for (name, parent) in parents(plan, view) {
            let host = format!("a.nic.{name}");
            self.add_records(&name, vec![RecordData::Ns(host.clone())]);
            self.entries.entry(host).or_insert_with(|| addresses(vec![parent.address], DEFAULT_TTL));
        }
    }

    /// The cut at or above a name.
    pub fn cut(&self, name: &str) -> Option<(&String, &Cut)> {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let holds = |zone: &str| name.strip_suffix(zone).is_some_and(|r| r.is_empty() || r.ends_with('.'));
        self.cuts.iter().find(|(zone, _)| holds(zone))
    }
}
