//! Faults of web sites: where they send their users, and what they make browsers demand.

use super::super::machines::Door;
use super::super::web::Leads;
use super::super::world::World;
use super::servers;
use crate::model::http::is_declared;
use crate::model::name::Name;
use crate::model::plan::{Plan, ServerId, Table};

const HTTPS: u16 = 443;
const A_YEAR: &str = "max-age=31536000; includeSubDomains";

/// Servers of which the plan says where they send users.
pub(super) fn sites(world: &World) -> Vec<String> {
    let declared = (0..world.plan.servers.len()).map(ServerId).filter(|s| is_declared(&world.plan, *s));
    let labels = declared.map(|s| world.plan.server(s).label.to_string());
    labels.filter(|label| door(world, label).is_some()).collect()
}

fn door<'a>(world: &'a World, server: &str) -> Option<&'a Door> {
    world.machines.iter().find(|m| *m.label == *server)?.doors.get(&HTTPS)
}

fn change(world: &mut World, server: &str, change: impl Fn(&mut Door)) {
    let machine = world.machines.iter_mut().find(|m| *m.label == *server);
    machine.and_then(|m| m.doors.get_mut(&HTTPS)).into_iter().for_each(change);
}

pub(super) fn lead_to_itself(world: &mut World, server: &str) {
    change(world, server, |door| door.web.leads = Leads::Same);
}

pub(super) fn lead_into_the_clear(world: &mut World, server: &str) {
    let name = world.plan.names.iter().find(|n| n.table == Table::Legacy).or(world.plan.names.first());
    let Some(host) = name.map(|n| n.name.to_string()) else { return };
    change(world, server, |door| door.web.leads = Leads::To(format!("http://{host}/exchange")));
}

/// Names below a name, as labels of servers: those whose names lie below a name at another server of these.
pub(super) fn below(world: &World) -> Vec<String> {
    let sites = sites(world);
    sites.iter().filter(|server| above(world, server).next().is_some()).cloned().collect()
}

/// The other sites that have a name above one of a server's.
fn above<'a>(world: &'a World, server: &'a str) -> impl Iterator<Item = String> + 'a {
    let own = names(world, server);
    let covers = move |other: &String| {
        let theirs = names(world, other);
        own.iter().any(|n| theirs.iter().any(|parent| n != parent && n.is_under(parent.as_str())))
    };
    sites(world).into_iter().filter(move |other| other != server).filter(covers)
}

/// The names that a server's site has a certificate for.
fn names(world: &World, server: &str) -> Vec<Name> {
    let known = |plan: &Plan, text: &str| plan.names.iter().find(|n| n.name.as_str() == text).map(|n| n.name.clone());
    let all = door(world, server).into_iter().flat_map(|d| d.by_name.keys());
    all.filter_map(|text| known(&world.plan, text)).collect()
}

pub(super) fn cover_by_hsts(world: &mut World, server: &str) {
    let above: Vec<String> = above(world, server).collect();
    above.iter().for_each(|site| change(world, site, |door| door.web.hsts = Some(A_YEAR)));
    servers::show_default(world, server);
}
