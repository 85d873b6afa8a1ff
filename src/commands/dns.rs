//! Adding an address to a zone, by product.

use std::net::IpAddr;

use super::product::Product;
use super::{posix, powershell};
use crate::model::name::Name;

/// A zone file's line (RFC 1035 section 5.1): `legacy.mail.domain.com. 300 IN A 203.0.113.3`. `ttl` in seconds.
pub fn zone_line(name: &Name, ttl: u32, address: IpAddr) -> String {
    format!("{name}. {ttl} IN {} {address}", kind(address))
}

/// Lines that add an address to a zone: commands where the product that serves the zone is known, else the line for the
/// zone file. `server` is the DNS server to talk to.
pub fn add_record(
    product: Option<&str>,
    zone: Option<&Name>,
    server: Option<&str>,
    name: &Name,
    ttl: u32,
    address: IpAddr,
) -> Vec<String> {
    let line = match (Product::of(product), zone) {
        (Product::WindowsDns, Some(zone)) => windows(zone, server, name, ttl, address),
        (Product::Bind, Some(zone)) => nsupdate(zone, server, name, ttl, address),
        _ => zone_line(name, ttl, address),
    };
    vec![line]
}

fn kind(address: IpAddr) -> &'static str {
    if address.is_ipv4() { "A" } else { "AAAA" }
}

fn windows(zone: &Name, server: Option<&str>, name: &Name, ttl: u32, address: IpAddr) -> String {
    let computer = server.map(|s| format!(" -ComputerName {}", powershell(s))).unwrap_or_default();
    let record = match address {
        IpAddr::V4(v4) => format!("-A -IPv4Address {v4}"),
        IpAddr::V6(v6) => format!("-AAAA -IPv6Address {v6}"),
    };
    let (zone, node) = (powershell(zone.as_str()), node(zone, name));
    typed!("Add-DnsServerResourceRecord{computer} -ZoneName {zone} -Name {node} {record} -TimeToLive {}", span(ttl))
}

/// The owner relative to its zone; `@` is the zone itself, and quoted, as PowerShell would splat a bare one.
fn node(zone: &Name, name: &Name) -> String {
    match name.as_str().strip_suffix(zone.as_str()) {
        Some("") => "'@'".into(),
        Some(relative) if relative.ends_with('.') => powershell(relative.trim_end_matches('.')),
        _ => powershell(&format!("{name}.")),
    }
}

/// A .NET TimeSpan: `d.hh:mm:ss`, days only where there are any.
fn span(seconds: u32) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let clock = format!("{:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60);
    if days == 0 { clock } else { format!("{days}.{clock}") }
}

fn nsupdate(zone: &Name, server: Option<&str>, name: &Name, ttl: u32, address: IpAddr) -> String {
    let server = server.map(|s| format!("{} ", posix(&format!("server {s}")))).unwrap_or_default();
    let (zone, update) = (posix(&format!("zone {zone}")), posix(&format!("update add {}", record(name, ttl, address))));
    // One argument is one line: no value is read as a format.
    typed!(r"printf '%s\n' {server}{zone} {update} send | nsupdate")
}

fn record(name: &Name, ttl: u32, address: IpAddr) -> String {
    format!("{name}. {ttl} {} {address}", kind(address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::finding::TYPED;

    fn added(product: Option<&str>, server: Option<&str>, name: &str, ttl: u32, address: &str) -> String {
        let (zone, name) = (Name::parse("domain.com").unwrap(), Name::parse(name).unwrap());
        add_record(product, Some(&zone), server, &name, ttl, address.parse().unwrap()).join("\n").replace(TYPED, "")
    }

    #[test]
    fn each_product_says_what_to_type() {
        for (product, server, name, ttl, address, want) in [
            (None, None, "legacy.mail.domain.com", 300, "203.0.113.3", "legacy.mail.domain.com. 300 IN A 203.0.113.3"),
            (Some("route53"), None, "mail.domain.com", 60, "2001:db8::1", "mail.domain.com. 60 IN AAAA 2001:db8::1"),
            (
                Some("windows-dns"),
                Some("dc1"),
                "legacy.mail.domain.com",
                300,
                "10.0.0.3",
                "Add-DnsServerResourceRecord -ComputerName dc1 -ZoneName domain.com -Name legacy.mail -A -IPv4Address 10.0.0.3 -TimeToLive 00:05:00",
            ),
            (
                Some("windows-dns"),
                None,
                "domain.com",
                90_061,
                "2001:db8::1",
                "Add-DnsServerResourceRecord -ZoneName domain.com -Name '@' -AAAA -IPv6Address 2001:db8::1 -TimeToLive 1.01:01:01",
            ),
            (
                Some("bind"),
                Some("10.0.0.53"),
                "mail.domain.com",
                300,
                "10.0.0.3",
                r"printf '%s\n' 'server 10.0.0.53' 'zone domain.com' 'update add mail.domain.com. 300 A 10.0.0.3' send | nsupdate",
            ),
            (
                Some("windows-dns"),
                Some("dc1; calc\n"),
                "*.domain.com",
                300,
                "10.0.0.3",
                r"Add-DnsServerResourceRecord -ComputerName 'dc1; calc\n' -ZoneName domain.com -Name '*' -A -IPv4Address 10.0.0.3 -TimeToLive 00:05:00",
            ),
        ] {
            assert_eq!(added(product, server, name, ttl, address), want);
        }
    }

    #[test]
    fn without_a_zone_the_line_is_enough() {
        let name = Name::parse("a.domain.com").unwrap();
        let lines = add_record(Some("bind"), None, None, &name, 300, "10.0.0.3".parse().unwrap());
        assert_eq!(lines, ["a.domain.com. 300 IN A 10.0.0.3"]);
    }
}
