//! Records of other types than addresses: typed, and as a plan or a zone file writes them.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::dane::Tlsa;
use super::dns::{RecordType, Soa};
use super::dnssec::{Dnskey, Ds};
use super::svcb::Svcb;

/// A record and its remaining TTL.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DataRecord {
    /// What it says.
    pub data: RecordData,
    /// Remaining TTL in seconds.
    pub ttl: u32,
}

/// What a record says. Names are in lower case without the final dot, the root is `.`; octets that are no printable ASCII
/// are written `\DDD` (RFC 1035 section 5.1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordData {
    /// A property of certification authority authorization (RFC 8659 section 4.1).
    Caa {
        /// Bit 7 is "critical".
        flags: u8,
        /// `issue`, `issuewild`, `iodef` …, in lower case.
        tag: String,
        /// The property's value.
        value: String,
    },
    /// The name that this one is an alias of.
    Cname(String),
    /// A key of the zone (RFC 4034 section 2.1).
    Dnskey(Dnskey),
    /// The parent's word for a key of the zone (RFC 4034 section 5.1).
    Ds(Ds),
    /// Other hosts of a web site, and hints at addresses (RFC 9460).
    Https(Svcb),
    /// A host that takes mail (RFC 5321 section 5.1).
    Mx {
        /// Lower is asked first.
        preference: u16,
        /// The host; `.` takes none (RFC 7505).
        exchange: String,
    },
    /// A host that serves the zone.
    Ns(String),
    /// The name of an address.
    Ptr(String),
    /// The zone's head.
    Soa(Soa),
    /// Where a service is (RFC 2782).
    Srv {
        /// Lower is asked first.
        priority: u16,
        /// Share among equals.
        weight: u16,
        /// TCP port.
        port: u16,
        /// The host; `.` says that there is no such service.
        target: String,
    },
    /// Which certificate or key to expect (RFC 6698 section 2.1).
    Tlsa(Tlsa),
    /// A text, its strings joined (RFC 7208 section 3.3).
    Txt(String),
}

impl RecordData {
    /// Reads a record's text as a zone file has it; the strings of a TXT may stand without quotes. `None` if it is none
    /// of that type, or of one that is not read.
    pub fn parse(kind: RecordType, text: &str) -> Option<Self> {
        let text = text.trim();
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        match (kind, words.as_slice()) {
            (RecordType::Txt, _) => Some(Self::Txt(escape_octets(&unquote(text)?))),
            (RecordType::Caa, [flags, tag, ..]) => {
                let rest = text.get(text.find(tag)? + tag.len()..)?;
                let value = escape_octets(&unquote(rest.trim())?);
                Some(Self::Caa { flags: flags.parse().ok()?, tag: tag.to_ascii_lowercase(), value })
            }
            (RecordType::Ds, _) => Ds::parse(text).map(Self::Ds),
            (RecordType::Dnskey, _) => Dnskey::parse(text).map(Self::Dnskey),
            (RecordType::Tlsa, _) => Tlsa::parse(text).map(Self::Tlsa),
            (RecordType::Https, _) => Svcb::parse(text).map(Self::Https),
            (RecordType::Cname, [target]) => Some(Self::Cname(host(target))),
            (RecordType::Ns, [target]) => Some(Self::Ns(host(target))),
            (RecordType::Ptr, [target]) => Some(Self::Ptr(host(target))),
            (RecordType::Mx, [preference, exchange]) => {
                Some(Self::Mx { preference: preference.parse().ok()?, exchange: host(exchange) })
            }
            (RecordType::Srv, [priority, weight, port, target]) => Some(Self::Srv {
                priority: priority.parse().ok()?,
                weight: weight.parse().ok()?,
                port: port.parse().ok()?,
                target: host(target),
            }),
            _ => None,
        }
    }

    /// Its type.
    pub fn kind(&self) -> RecordType {
        match self {
            Self::Caa { .. } => RecordType::Caa,
            Self::Cname(_) => RecordType::Cname,
            Self::Dnskey(_) => RecordType::Dnskey,
            Self::Ds(_) => RecordType::Ds,
            Self::Https(_) => RecordType::Https,
            Self::Mx { .. } => RecordType::Mx,
            Self::Ns(_) => RecordType::Ns,
            Self::Ptr(_) => RecordType::Ptr,
            Self::Soa(_) => RecordType::Soa,
            Self::Srv { .. } => RecordType::Srv,
            Self::Tlsa(_) => RecordType::Tlsa,
            Self::Txt(_) => RecordType::Txt,
        }
    }

    /// The host that a record of mail, of a service or of an address leads to, with the service's port; `None` for `.`.
    pub fn host(&self) -> Option<(&str, Option<u16>)> {
        match self {
            Self::Mx { exchange, .. } if exchange != "." => Some((exchange, None)),
            Self::Ptr(name) if name != "." => Some((name, None)),
            Self::Srv { target, port, .. } if target != "." => Some((target, Some(*port))),
            _ => None,
        }
    }
}

impl fmt::Display for RecordData {
    /// As a zone file writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dot = |name: &str| if name == "." { String::new() } else { name.to_string() };
        match self {
            Self::Caa { flags, tag, value } => write!(f, "{flags} {tag} \"{value}\""),
            Self::Cname(name) | Self::Ns(name) | Self::Ptr(name) => write!(f, "{}.", dot(name)),
            Self::Dnskey(key) => write!(f, "{key}"),
            Self::Ds(ds) => write!(f, "{ds}"),
            Self::Https(https) => write!(f, "{https}"),
            Self::Mx { preference, exchange } => write!(f, "{preference} {}.", dot(exchange)),
            Self::Soa(soa) => write!(f, "{}. serial {}", dot(&soa.primary), soa.serial),
            Self::Srv { priority, weight, port, target } => write!(f, "{priority} {weight} {port} {}.", dot(target)),
            Self::Tlsa(tlsa) => write!(f, "{tlsa}"),
            Self::Txt(text) => write!(f, "\"{text}\""),
        }
    }
}

/// Octets as text: what is no printable ASCII, and the backslash, as `\DDD`.
pub fn escape_octets(octets: &[u8]) -> String {
    let mut out = String::with_capacity(octets.len());
    for &octet in octets {
        match octet {
            b'\\' => out.push_str("\\092"),
            b' '..=b'~' => out.push(char::from(octet)),
            _ => out.push_str(&format!("\\{octet:03}")),
        }
    }
    out
}

/// A name as records have it.
fn host(text: &str) -> String {
    match text.strip_suffix('.').unwrap_or(text) {
        "" => ".".into(),
        name => match super::name::Name::parse_owner(name) {
            Ok(name) => name.to_string(),
            Err(_) => name.to_ascii_lowercase(),
        },
    }
}

/// The octets of one or more quoted strings, joined; of a text without quotes, the text. `None` if a quote is missing.
fn unquote(text: &str) -> Option<Vec<u8>> {
    if !text.starts_with('"') {
        return Some(text.as_bytes().to_vec());
    }
    let (mut out, mut quoted) = (Vec::new(), false);
    let mut octets = text.bytes();
    while let Some(octet) = octets.next() {
        match octet {
            b'"' => quoted = !quoted,
            b'\\' if quoted => out.push(octets.next()?),
            _ if quoted => out.push(octet),
            b' ' | b'\t' => {}
            _ => return None,
        }
    }
    (!quoted).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_as_a_zone_file_writes_it() {
        for (kind, text, shown) in [
            (RecordType::Mx, "10 Mail.Example.org.", "10 mail.example.org."),
            (RecordType::Mx, "0 .", "0 ."),
            (RecordType::Mx, "5 10.0.0.1", "5 10.0.0.1."),
            (RecordType::Srv, "0 1 465 smtp.example.org", "0 1 465 smtp.example.org."),
            (RecordType::Cname, "front.example.org.", "front.example.org."),
            (RecordType::Ns, "ns1.example.org.", "ns1.example.org."),
            (RecordType::Caa, "0 issue \"letsencrypt.org\"", "0 issue \"letsencrypt.org\""),
            (RecordType::Caa, "128 IssueWild ;", "128 issuewild \";\""),
            (RecordType::Tlsa, "3 1 1 AB cd", "3 1 1 abcd"),
            (RecordType::Ds, "60485 5 1 2BB1 83AF", "60485 5 1 2bb183af"),
            (RecordType::Dnskey, "257 3 13 AQID BAUG", "257 3 13 AQIDBAUG"),
            (RecordType::Txt, "v=spf1 -all", "\"v=spf1 -all\""),
            (RecordType::Txt, "\"v=spf1 \" \"-all\"", "\"v=spf1 -all\""),
            (RecordType::Txt, "a\\b\u{7}", "\"a\\092b\\007\""),
        ] {
            assert_eq!(RecordData::parse(kind, text).map(|r| r.to_string()).as_deref(), Some(shown), "{text}");
        }
    }

    #[test]
    fn what_is_no_such_record_is_none() {
        for (kind, text) in [
            (RecordType::Mx, "mail.example.org."),
            (RecordType::Mx, "70000 mail.example.org."),
            (RecordType::Srv, "0 0 443"),
            (RecordType::Caa, "0"),
            (RecordType::Caa, "256 issue x"),
            (RecordType::Txt, "\"open"),
            (RecordType::A, "10.0.0.1"),
        ] {
            assert_eq!(RecordData::parse(kind, text), None, "{text}");
        }
    }

    #[test]
    fn a_record_is_readable_in_a_recording() {
        let data = RecordData::Mx { preference: 10, exchange: "mail.example.org".into() };
        let json = serde_json::to_string(&DataRecord { data, ttl: 300 }).unwrap();
        assert_eq!(json, r#"{"data":{"mx":{"preference":10,"exchange":"mail.example.org"}},"ttl":300}"#);
    }
}
