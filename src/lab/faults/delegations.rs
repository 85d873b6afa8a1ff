//! Faults of what the zones above say of the plan's zones.

use std::net::{IpAddr, Ipv4Addr};

use super::super::delegations::{Cut, at};
use super::super::world::{Holds, World};
use super::super::zone::Entry;
use crate::model::records::RecordData;

/// Where a server once was (RFC 5737).
const FORMER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 199));

/// Where a hoster is that was to have the zone.
const HOSTER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 198));

/// The zones to which something leads from above.
pub(super) fn zones(world: &World) -> Vec<String> {
    let mut out: Vec<String> =
        world.views.iter().flat_map(|v| v.parents.values()).flat_map(|p| p.cuts.keys().cloned()).collect();
    out.sort();
    out.dedup();
    out
}

/// Those with several servers.
pub(super) fn with_several(world: &World) -> Vec<String> {
    let several = |zone: &String| cuts(world, zone).iter().any(|cut| cut.len() > 1);
    zones(world).into_iter().filter(several).collect()
}

fn cuts(world: &World, zone: &str) -> Vec<Cut> {
    world.views.iter().flat_map(|v| v.parents.values()).filter_map(|p| p.cuts.get(zone).cloned()).collect()
}

fn change(world: &mut World, zone: &str, change: impl Fn(&mut Cut)) {
    let parents = world.views.iter_mut().flat_map(|v| v.parents.values_mut());
    parents.filter_map(|p| p.cuts.get_mut(zone)).for_each(change);
}

pub(super) fn name_former_server(world: &mut World, zone: &str) {
    let host = "ns.former-hoster.example".to_string();
    for view in &mut world.views {
        view.zone.entries.insert(host.clone(), Entry::Addresses { ttl: 300, addresses: vec![FORMER] });
    }
    change(world, zone, |cut| {
        if cut.len() > 1 {
            cut.pop();
        }
        cut.push((host.clone(), Vec::new()));
    });
}

/// Parent and zone name one more server, which lies elsewhere.
fn add_server(world: &mut World, zone: &str, host: &str) {
    for view in world.views.iter_mut().filter(|v| v.parents.values().any(|p| p.cuts.contains_key(zone))) {
        view.zone.add_records(zone, vec![RecordData::Ns(host.into())]);
    }
    change(world, zone, |cut| cut.push((host.to_string(), Vec::new())));
}

pub(super) fn name_server_of_nowhere(world: &mut World, zone: &str) {
    add_server(world, zone, "ns.gone-hoster.example");
}

pub(super) fn let_hoster_refuse(world: &mut World, zone: &str) {
    let host = "ns.new-hoster.example";
    for view in world.views.iter_mut().filter(|v| v.parents.values().any(|p| p.cuts.contains_key(zone))) {
        view.zone.entries.insert(host.into(), Entry::Addresses { ttl: 300, addresses: vec![HOSTER] });
        view.servers.push((at(HOSTER), Holds::Nothing));
    }
    add_server(world, zone, host);
}

pub(super) fn keep_old_glue(world: &mut World, zone: &str) {
    change(world, zone, |cut| {
        if let Some((_, glue)) = cut.first_mut() {
            *glue = vec![FORMER];
        }
    });
}

pub(super) fn let_last_refuse(world: &mut World, zone: &str) {
    let last: Vec<IpAddr> =
        cuts(world, zone).into_iter().filter_map(|cut| cut.last().cloned()).flat_map(|(_, g)| g).collect();
    let servers = world.views.iter_mut().flat_map(|v| &mut v.servers);
    servers.filter(|(s, _)| last.contains(&s.addr.ip())).for_each(|(_, holds)| *holds = Holds::Nothing);
}
