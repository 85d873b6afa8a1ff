//! TLSA records (RFC 6698, RFC 7671): which certificate or key senders are to expect.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::name::Name;
use super::tls::hex_bytes;

/// A TLSA record (RFC 6698 section 2.1), its numbers as they came.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Tlsa {
    /// Certificate usage: 2 is DANE-TA, 3 is DANE-EE.
    pub usage: u8,
    /// Selector: 0 is the certificate, 1 its public key.
    pub selector: u8,
    /// Matching type: 0 is the octets themselves, 1 their SHA-256, 2 their SHA-512.
    pub matching: u8,
    /// The association.
    #[serde(with = "hex_bytes")]
    pub association: Vec<u8>,
}

/// SMTP and submission (RFC 5321 section 4.5.4.2, RFC 8314 section 3.3, RFC 6409 section 3.1).
pub const MAIL_PORTS: [u16; 3] = [25, 465, 587];

/// The port and the host of whose service a TLSA record speaks, by its owner (RFC 6698 section 3).
pub fn endpoint(owner: &Name) -> Option<(u16, &str)> {
    let (port, rest) = owner.as_str().strip_prefix('_')?.split_once('.')?;
    Some((port.parse().ok()?, rest.strip_prefix("_tcp.")?))
}

impl Tlsa {
    /// Reads a record as a zone file has it; blanks may part the hex digits (RFC 6698 section 2.2).
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        let mut number = || words.next()?.parse::<u8>().ok();
        let (usage, selector, matching) = (number()?, number()?, number()?);
        let digits = words.collect::<String>();
        let association = data_encoding::HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok()?;
        (!association.is_empty()).then_some(Self { usage, selector, matching, association })
    }

    /// Why clients of a port cannot use it (RFC 7671 section 4); `None` if they can. Who hands mail on uses no usages that
    /// need public authorities (RFC 7672 section 3.1.3), and submission is done by the same programs.
    pub fn unusable(&self, port: u16) -> Option<&'static str> {
        match (self.usage, self.selector, self.matching, self.association.len()) {
            (0 | 1, ..) if MAIL_PORTS.contains(&port) => Some("usages 0 and 1 do not count for SMTP"),
            (4.., ..) => Some("its usage is unknown"),
            (_, 2.., ..) => Some("its selector is unknown"),
            (_, _, 3.., _) => Some("its matching type is unknown"),
            (_, _, 1, length) if length != 32 => Some("no SHA-256 has that length"),
            (_, _, 2, length) if length != 64 => Some("no SHA-512 has that length"),
            (_, _, _, 0) => Some("it is empty"),
            _ => None,
        }
    }
}

impl fmt::Display for Tlsa {
    /// As a zone file writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = data_encoding::HEXLOWER.encode(&self.association);
        write!(f, "{} {} {} {hex}", self.usage, self.selector, self.matching)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_as_a_zone_file_writes_it() {
        let read = |text: &str| Tlsa::parse(text).map(|t| t.to_string());
        assert_eq!(read("3 1 1 AB cd\tEF").as_deref(), Some("3 1 1 abcdef"));
        assert_eq!(read("255 9 8 00").as_deref(), Some("255 9 8 00"));
        for none in ["", "3 1 1", "3 1 1 a", "3 1 1 xy", "3 1 300 ab", "3 1 ab"] {
            assert_eq!(read(none), None, "{none}");
        }
    }

    /// RFC 7672 section 3.1.3; RFC 7671 section 4.
    #[test]
    fn what_a_sender_cannot_use_is_told() {
        let (sha256, sha512) = ("ab".repeat(32), "ab".repeat(64));
        let usable = |text: String| Tlsa::parse(&text).unwrap().unusable(25).is_none();
        for (record, is) in [
            (format!("3 1 1 {sha256}"), true),
            (format!("2 0 2 {sha512}"), true),
            ("3 0 0 ab".to_string(), true),
            (format!("1 1 1 {sha256}"), false),
            (format!("0 0 1 {sha256}"), false),
            (format!("4 1 1 {sha256}"), false),
            (format!("3 2 1 {sha256}"), false),
            (format!("3 1 3 {sha256}"), false),
            (format!("3 1 1 {sha512}"), false),
            (format!("3 1 2 {sha256}"), false),
        ] {
            assert_eq!(usable(record.clone()), is, "{record}");
        }
        for (port, is) in [(587, false), (465, false), (443, true), (5269, true)] {
            let record = Tlsa::parse(&format!("1 1 1 {sha256}")).unwrap();
            assert_eq!(record.unusable(port).is_none(), is, "{port}");
        }
    }

    #[test]
    fn the_owner_names_port_and_host() {
        let owner = |text: &str| Name::parse_owner(text).unwrap();
        assert_eq!(endpoint(&owner("_587._tcp.mail.example.org")), Some((587, "mail.example.org")));
        for other in ["_25._udp.mail.example.org", "_x._tcp.mail.example.org", "mail.example.org", "_70000._tcp.a.b"] {
            assert_eq!(endpoint(&owner(other)), None, "{other}");
        }
    }
}
