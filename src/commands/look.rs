//! Looks that verify, the same for every product.

use std::net::SocketAddr;

use super::act::{Act, Look, ZonePlace, starttls};
use super::quote::{posix, powershell};
use super::refusal::plain_host;
use super::script::Script;
use super::{Scripts, words};
use crate::model::name::Name;
use crate::model::service::Way;

/// What an address serves.
pub(super) fn endpoint(at: SocketAddr, way: Way, name: Option<&Name>) -> Vec<Script> {
    let Ok(starttls) = starttls(way) else {
        let look = Look::Endpoint { at, way, name: name.cloned() };
        return words::script(&Act::Look(look));
    };
    let starttls = starttls.map(|word| format!("-starttls {word} ")).unwrap_or_default();
    let asked = name.map_or("-noservername".into(), |n| format!("-servername {}", posix(n.probe().as_str())));
    let shown = "openssl x509 -noout -subject -issuer -dates -ext subjectAltName -fingerprint -sha1";
    vec![Script::sh([format!("openssl s_client {starttls}-connect {at} {asked} -showcerts </dev/null | {shown}")])]
}

/// What a name resolves to at its server, for a POSIX shell.
pub(super) fn dig(zone: &ZonePlace, owner: &Name, kinds: &[&'static str]) -> Scripts {
    let server = match &zone.server {
        Some(server) => format!("@{} ", plain_host(server, "is no name or address of a server")?),
        None => String::new(),
    };
    let owner = posix(&format!("{owner}."));
    Ok(vec![Script::sh(kinds.iter().map(|kind| format!("dig +norecurse {server}{owner} {kind}")))])
}

/// The same for PowerShell.
pub(super) fn resolve(zone: &ZonePlace, owner: &Name, kinds: &[&'static str]) -> Vec<Script> {
    let server = zone.server.as_ref().map(|s| format!(" -Server {}", powershell(s))).unwrap_or_default();
    let owner = powershell(owner.as_str());
    vec![Script::powershell(
        kinds.iter().map(|kind| format!("Resolve-DnsName -Name {owner} -Type {kind} -DnsOnly -NoRecursion{server}")),
    )]
}
