//! Faults of what the zones above say of the plan's zones.

use std::net::{IpAddr, Ipv4Addr};

use super::super::delegations::Cut;
use super::super::world::{Holds, World};
use super::super::zone::Entry;

/// Where a server once was (RFC 5737).
const FORMER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 199));

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
