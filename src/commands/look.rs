//! Looks that verify, the same for every product.

use std::net::SocketAddr;

use super::Scripts;
use super::act::{ZonePlace, starttls};
use super::quote::{posix, powershell};
use super::refusal::plain_host;
use super::script::Script;
use crate::model::name::Name;
use crate::model::service::{Protocol, Way};

/// What an address serves: by our own eyes, which read old servers too, and by another's.
pub(super) fn endpoint(at: SocketAddr, way: Way, name: Option<&Name>) -> Vec<Script> {
    let asked = name.map(|name| posix(name.probe().as_str()));
    let ours = asked.as_ref().map_or("--no-sni".to_string(), |name| format!("--sni {name} --for {name}"));
    let place = posix(&format!("{at}/{}", service(way)));
    let inspect = format!("coexist inspect {place} {ours}");
    // openssl cannot begin TLS as RDP does.
    let theirs = starttls(way).map(|word| {
        let word = word.map(|word| format!("-starttls {word} ")).unwrap_or_default();
        let asked = asked.map_or("-noservername".into(), |name| format!("-servername {name}"));
        let shown = "openssl x509 -noout -subject -issuer -dates -ext subjectAltName -fingerprint -sha1";
        format!("openssl s_client {word}-connect {at} {asked} -showcerts </dev/null | {shown}")
    });
    vec![Script::sh(std::iter::once(inspect).chain(theirs.ok()))]
}

/// The word of a service that begins so.
fn service(way: Way) -> &'static str {
    match way {
        Way::Implicit => "tls",
        Way::Starttls(Protocol::Smtp) => "smtp",
        Way::Starttls(Protocol::Imap) => "imap",
        Way::Starttls(Protocol::Pop3) => "pop3",
        Way::Starttls(Protocol::Ldap) => "ldap",
        Way::Starttls(Protocol::Ftp) => "ftp",
        Way::Starttls(Protocol::Xmpp) => "xmpp",
        Way::Starttls(Protocol::XmppServer) => "xmpp-server",
        Way::Starttls(Protocol::Sieve) => "sieve",
        Way::Starttls(Protocol::Postgres) => "postgres",
        Way::Starttls(Protocol::Rdp) => "rdp",
    }
}

/// What a name resolves to at its server, for a POSIX shell.
pub(super) fn dig(zone: &ZonePlace, owner: &Name, kinds: &[&'static str]) -> Scripts {
    let server = match &zone.host() {
        Some((host, port)) => {
            let port = port.map(|port| format!("-p {port} ")).unwrap_or_default();
            format!("@{} {port}", plain_host(host, "is no name or address of a server")?)
        }
        None => String::new(),
    };
    let owner = posix(&format!("{owner}."));
    Ok(vec![Script::sh(kinds.iter().map(|kind| format!("dig +norecurse {server}{owner} {kind}")))])
}

/// The same for PowerShell.
pub(super) fn resolve(zone: &ZonePlace, owner: &Name, kinds: &[&'static str]) -> Vec<Script> {
    let server = zone.host().map(|(host, _)| format!(" -Server {}", powershell(&host))).unwrap_or_default();
    let owner = powershell(owner.as_str());
    vec![Script::powershell(
        kinds.iter().map(|kind| format!("Resolve-DnsName -Name {owner} -Type {kind} -DnsOnly -NoRecursion{server}")),
    )]
}
