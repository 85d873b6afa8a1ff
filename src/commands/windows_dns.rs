//! DNS of Windows Server 2012 and later, by the module DnsServer (Microsoft, DnsServer: Add-, Get-, Set- and
//! Remove-DnsServerResourceRecord, Add-DnsServerPrimaryZone).

use super::act::{Act, Look, ZoneAct, ZonePlace};
use super::product::Product;
use super::quote::{powershell, string};
use super::rdata::{Rdata, hex, host};
use super::refusal::Refusal;
use super::script::Script;
use super::{Scripts, look, words, zone_file};
use crate::model::name::Name;

pub(super) fn scripts(act: &Act) -> Scripts {
    match act {
        Act::Zone { zone, act: change } => match &zone.apex {
            Some(apex) => in_zone(act, &Place { zone, apex }, change),
            None => Ok(zone_file::edits("", zone, change)),
        },
        Act::Look(Look::Record { zone, owner, kinds }) => Ok(look::resolve(zone, owner, kinds)),
        Act::Certificate { .. } | Act::Server { .. } | Act::Repoint { .. } | Act::Look(_) => {
            zone_file::scripts(Product::Other, act)
        }
    }
}

struct Place<'a> {
    zone: &'a ZonePlace,
    apex: &'a Name,
}

impl Place<'_> {
    /// `-ComputerName dc1 -ZoneName domain.com`.
    fn parameters(&self) -> String {
        format!("{} -ZoneName {}", self.computer(), powershell(self.apex.as_str()))
    }

    /// ` -ComputerName dc1`, where the server is known.
    fn computer(&self) -> String {
        self.zone.host().map(|(host, _)| format!(" -ComputerName {}", powershell(&host))).unwrap_or_default()
    }

    /// The owner relative to its zone; `@` is the zone itself, and quoted, as PowerShell would splat a bare one.
    fn node(&self, owner: &Name) -> String {
        match owner.as_str().strip_suffix(self.apex.as_str()) {
            Some("") => "'@'".into(),
            Some(relative) if relative.ends_with('.') => powershell(relative.trim_end_matches('.')),
            _ => powershell(&format!("{owner}.")),
        }
    }
}

fn in_zone(whole: &Act, place: &Place, act: &ZoneAct) -> Scripts {
    let in_words =
        act.values().into_iter().any(|v| matches!(v, Rdata::Caa { .. })) && !matches!(act, ZoneAct::Create { .. });
    if in_words {
        // An unknown type to these cmdlets: they add it by its number, and find it no more.
        return Ok(words::script(whole));
    }
    let lines = match act {
        ZoneAct::CreateZone => vec![create_zone(place)],
        ZoneAct::Create { owner, ttl, values } => added(place, owner, *ttl, values.iter())?,
        ZoneAct::Change { owner, ttl, old, new } => changed(place, owner, *ttl, old, new)?,
        ZoneAct::Ttl { owner, ttl, values } => {
            let mut kinds: Vec<&str> = values.iter().map(Rdata::kind).collect();
            kinds.dedup();
            kinds.iter().map(|kind| retimed(place, owner, *ttl, kind)).collect()
        }
        ZoneAct::Remove { owner, values } => values.iter().map(|v| removed(place, owner, v)).collect(),
    };
    Ok(vec![Script::powershell(lines)])
}

/// Replicated to every domain controller of the forest that runs DNS, as a pinpoint zone should be.
fn create_zone(place: &Place) -> String {
    let computer = place.computer();
    let zone = powershell(place.apex.as_str());
    format!("Add-DnsServerPrimaryZone{computer} -Name {zone} -ReplicationScope Forest -DynamicUpdate None")
}

/// The new records come before the old ones go, so that no resolver sees none; but an alias stands alone (RFC 1034
/// section 3.6.2), so that before or after one the old ones go first.
fn changed(place: &Place, owner: &Name, ttl: u32, old: &[Rdata], new: &[Rdata]) -> Result<Vec<String>, Refusal> {
    let added = added(place, owner, ttl, new.iter().filter(|v| !old.contains(v)))?;
    let removed: Vec<String> = old.iter().filter(|v| !new.contains(v)).map(|v| removed(place, owner, v)).collect();
    let alias = old.iter().chain(new).any(|v| matches!(v, Rdata::Cname(_)));
    Ok(if alias { [removed, added].concat() } else { [added, removed].concat() })
}

fn added<'a>(
    place: &Place,
    owner: &Name,
    ttl: u32,
    values: impl Iterator<Item = &'a Rdata>,
) -> Result<Vec<String>, Refusal> {
    values.map(|value| add(place, owner, ttl, value)).collect()
}

/// One record more.
pub(super) fn add_line(
    zone: &ZonePlace,
    apex: &Name,
    owner: &Name,
    ttl: u32,
    value: &Rdata,
) -> Result<String, Refusal> {
    add(&Place { zone, apex }, owner, ttl, value)
}

fn add(place: &Place, owner: &Name, ttl: u32, value: &Rdata) -> Result<String, Refusal> {
    let (parameters, node) = (place.parameters(), place.node(owner));
    let says = match value {
        Rdata::A(v4) => format!("-A -IPv4Address {v4}"),
        Rdata::Aaaa(v6) => format!("-AAAA -IPv6Address {v6}"),
        Rdata::Cname(name) => format!("-CName -HostNameAlias {}", powershell(&format!("{name}."))),
        Rdata::Mx { preference, exchange } => {
            format!("-MX -MailExchange {} -Preference {preference}", powershell(&host(exchange)))
        }
        Rdata::Srv { priority, weight, port, target } => {
            format!("-Srv -DomainName {} -Priority {priority} -Weight {weight} -Port {port}", powershell(&host(target)))
        }
        Rdata::Txt(text) => format!("-Txt -DescriptiveText {}", string(short(text)?)),
        Rdata::Tlsa { usage, selector, matching, association } => tlsa(*usage, *selector, *matching, association),
        // A record of a type that is not known is given by number and octets (RFC 3597, RFC 8659 section 4.1).
        Rdata::Caa { flags, tag, value } => {
            let tag_length = u8::try_from(tag.len()).map_err(|_| Refusal::new(tag, "is no tag of a CAA record"))?;
            let octets = [&[*flags, tag_length], tag.as_bytes(), value.as_bytes()].concat();
            format!("-Type 257 -RecordData '{}'", hex(&octets))
        }
    };
    Ok(format!("Add-DnsServerResourceRecord{parameters} -Name {node} {says} -TimeToLive {}", span(ttl)))
}

/// The cmdlet takes one string, and one string is 255 octets at most (RFC 1035 section 3.3).
fn short(text: &str) -> Result<&str, Refusal> {
    if text.len() <= 255 { Ok(text) } else { Err(Refusal::new(text, "is longer than one string of a TXT record")) }
}

/// The words of the cmdlet for the numbers of RFC 6698 section 2.1; Windows Server 2016 and later.
fn tlsa(usage: u8, selector: u8, matching: u8, association: &[u8]) -> String {
    let usage = match usage {
        0 => "CAConstraint",
        1 => "ServiceCertificateConstraint",
        2 => "TrustAnchorAssertion",
        _ => "DomainIssuedCertificate",
    };
    let selector = if selector == 0 { "FullCertificate" } else { "SubjectPublicKeyInfo" };
    let matching = match matching {
        0 => "ExactMatch",
        1 => "Sha256Hash",
        _ => "Sha512Hash",
    };
    let association = hex(association);
    format!(
        "-TLSA -CertificateUsage {usage} -Selector {selector} -MatchingType {matching} -CertificateAssociationData '{association}'"
    )
}

/// Finds records of the owner itself: without -Node those of all names below it come too.
fn found(place: &Place, owner: &Name, kind: &str) -> String {
    format!("Get-DnsServerResourceRecord{} -Name {} -Node -RRType {kind}", place.parameters(), place.node(owner))
}

/// The same records with another TTL, one by one, each a copy of itself (Set-DnsServerResourceRecord, example 1).
fn retimed(place: &Place, owner: &Name, ttl: u32, kind: &str) -> String {
    let set = format!("Set-DnsServerResourceRecord{} -OldInputObject $o -NewInputObject $n", place.parameters());
    let time = span(ttl);
    let found = found(place, owner, kind);
    format!("foreach ($o in @({found})) {{ $n = [ciminstance]::new($o); $n.TimeToLive = [TimeSpan]'{time}'; {set} }}")
}

/// One record less; the cmdlet asks before it deletes.
fn removed(place: &Place, owner: &Name, value: &Rdata) -> String {
    let says = match value {
        Rdata::A(v4) => format!("[ipaddress]'{v4}' -eq $_.RecordData.IPv4Address"),
        Rdata::Aaaa(v6) => format!("[ipaddress]'{v6}' -eq $_.RecordData.IPv6Address"),
        Rdata::Cname(name) => format!("$_.RecordData.HostNameAlias -eq {}", string(&format!("{name}."))),
        Rdata::Mx { preference, exchange } => format!(
            "$_.RecordData.MailExchange -eq {} -and $_.RecordData.Preference -eq {preference}",
            string(&host(exchange))
        ),
        Rdata::Srv { port, target, .. } => {
            format!("$_.RecordData.DomainName -eq {} -and $_.RecordData.Port -eq {port}", string(&host(target)))
        }
        Rdata::Txt(text) => format!("$_.RecordData.DescriptiveText -ceq {}", string(text)),
        Rdata::Tlsa { association, .. } => {
            format!("$_.RecordData.CertificateAssociationData -eq '{}'", hex(association))
        }
        Rdata::Caa { .. } => "$false".into(),
    };
    let remove = format!("Remove-DnsServerResourceRecord{}", place.parameters());
    format!("{} | Where-Object {{ {says} }} | {remove}", found(place, owner, value.kind()))
}

/// A .NET TimeSpan: `d.hh:mm:ss`, days only where there are any.
fn span(seconds: u32) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let clock = format!("{:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60);
    if days == 0 { clock } else { format!("{days}.{clock}") }
}
