//! BIND 9: nsupdate for zones that take updates (nsupdate(1), RFC 2136: one message is done whole or not at all), the
//! file's lines for those that do not.

use super::act::{Act, Look, ZoneAct, ZonePlace};
use super::product::Product;
use super::quote::posix;
use super::rdata::Rdata;
use super::refusal::{Refusal, plain_host};
use super::script::Script;
use super::{Scripts, look, zone_file};
use crate::model::name::Name;

pub(super) fn scripts(act: &Act) -> Scripts {
    match act {
        Act::Zone { zone, act: ZoneAct::CreateZone } => {
            let mut all = zone_file::scripts(Product::Bind, act)?;
            all.extend(
                zone.apex.as_ref().map(|apex| Script::sh([format!("named-checkzone {apex} FILE && rndc reconfig")])),
            );
            Ok(all)
        }
        Act::Zone { zone, act } => zone_scripts(zone, act),
        Act::Look(Look::Record { zone, owner, kinds }) => look::dig(zone, owner, kinds),
        Act::Certificate { .. } | Act::Server { .. } | Act::Repoint { .. } | Act::Look(_) => {
            zone_file::scripts(Product::Other, act)
        }
    }
}

fn zone_scripts(zone: &ZonePlace, act: &ZoneAct) -> Scripts {
    let Some(apex) = &zone.apex else { return Ok(zone_file::edits("", zone, act)) };
    let update = Script::sh([nsupdate(zone, &updates(act))?]);
    let by_hand = zone_file::edits("where the zone takes no updates, instead: ", zone, act);
    let again = Script::sh([format!("named-checkzone {apex} FILE && rndc reload {apex}")]);
    Ok([vec![update], by_hand, vec![again]].concat())
}

/// One message to the zone's server, as one command. A line of nsupdate is an argument of printf's: no value is read as
/// a format, and none holds a line break.
pub(super) fn nsupdate(zone: &ZonePlace, updates: &[String]) -> Result<String, Refusal> {
    let server = match &zone.host() {
        Some((host, port)) => {
            let port = port.map(|port| format!(" {port}")).unwrap_or_default();
            Some(format!("server {}{port}", plain_host(host, "is no name or address of a server")?))
        }
        None => None,
    };
    let zone = zone.apex.as_ref().map(|apex| format!("zone {apex}"));
    let said = server.into_iter().chain(zone).chain(updates.iter().cloned()).chain(["send".to_string()]);
    let words: Vec<String> = said.map(|line| posix(&line)).collect();
    Ok(format!(r"printf '%s\n' {} | nsupdate", words.join(" ")))
}

fn updates(act: &ZoneAct) -> Vec<String> {
    match act {
        ZoneAct::CreateZone => Vec::new(),
        ZoneAct::Create { owner, ttl, values } => added(owner, *ttl, values),
        ZoneAct::Change { owner, ttl, old, new } => [deleted(owner, old), added(owner, *ttl, new)].concat(),
        ZoneAct::Ttl { owner, ttl, values } => [deleted(owner, values), added(owner, *ttl, values)].concat(),
        ZoneAct::Remove { owner, values } => deleted(owner, values),
    }
}

/// Lines that add records.
pub(super) fn added(owner: &Name, ttl: u32, values: &[Rdata]) -> Vec<String> {
    values.iter().map(|v| format!("update add {owner}. {ttl} {} {v}", v.kind())).collect()
}

fn deleted(owner: &Name, values: &[Rdata]) -> Vec<String> {
    values.iter().map(|v| format!("update delete {owner}. {} {v}", v.kind())).collect()
}
