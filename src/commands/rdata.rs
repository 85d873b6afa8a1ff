//! What a record says, typed, and as a master file writes it.

use std::fmt::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::model::dane::Tlsa;
use crate::model::dns::RecordType;
use crate::model::name::Name;
use crate::model::records::RecordData;

/// What a record says. A host that is `None` is the root, which says that there is no such service (RFC 7505, RFC 2782).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rdata {
    /// IPv4 address.
    A(Ipv4Addr),
    /// IPv6 address.
    Aaaa(Ipv6Addr),
    /// Alias.
    Cname(Name),
    /// Who takes mail (RFC 5321 section 5.1).
    Mx {
        /// Lower is asked first.
        preference: u16,
        /// The host.
        exchange: Option<Name>,
    },
    /// Where a service is (RFC 2782).
    Srv {
        /// Lower is asked first.
        priority: u16,
        /// Share among equals.
        weight: u16,
        /// TCP port.
        port: u16,
        /// The host.
        target: Option<Name>,
    },
    /// A text, its strings joined: SPF, the id of an MTA-STS policy, and others.
    Txt(String),
    /// Which certificate or key to expect (RFC 6698 section 2.1).
    Tlsa {
        /// Certificate usage, 0 to 3.
        usage: u8,
        /// Selector, 0 or 1.
        selector: u8,
        /// Matching type, 0 to 2.
        matching: u8,
        /// The association.
        association: Vec<u8>,
    },
    /// Who may issue certificates (RFC 8659 section 4.1).
    Caa {
        /// Bit 7 is "critical".
        flags: u8,
        /// `issue`, `issuewild` …
        tag: String,
        /// The property's value.
        value: String,
    },
}

impl From<IpAddr> for Rdata {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => Self::A(v4),
            IpAddr::V6(v6) => Self::Aaaa(v6),
        }
    }
}

impl Rdata {
    /// Reads a record as a plan writes it: the type in capitals, the text as in a master file. `None` if it is none of
    /// that type, or of a type that no command is known for.
    pub fn parse(kind: &str, text: &str) -> Option<Self> {
        match kind {
            "A" => text.trim().parse().ok().map(Self::A),
            "AAAA" => text.trim().parse().ok().map(Self::Aaaa),
            _ => Self::of(RecordData::parse(RecordType::of_word(kind)?, text)?),
        }
    }

    fn of(data: RecordData) -> Option<Self> {
        let host = |name: String| if name == "." { Some(None) } else { Name::parse_owner(&name).ok().map(Some) };
        Some(match data {
            RecordData::Cname(name) => Self::Cname(host(name)??),
            RecordData::Mx { preference, exchange } => Self::Mx { preference, exchange: host(exchange)? },
            RecordData::Srv { priority, weight, port, target } => {
                Self::Srv { priority, weight, port, target: host(target)? }
            }
            RecordData::Txt(text) => Self::Txt(unescaped(&text)?),
            RecordData::Caa { flags, tag, value } => Self::Caa { flags, tag, value: unescaped(&value)? },
            RecordData::Tlsa(Tlsa {
                usage: usage @ 0..=3,
                selector: selector @ 0..=1,
                matching: matching @ 0..=2,
                association,
            }) => Self::Tlsa { usage, selector, matching, association },
            RecordData::Tlsa(_)
            | RecordData::Dnskey(_)
            | RecordData::Ds(_)
            | RecordData::Https(_)
            | RecordData::Ns(_)
            | RecordData::Ptr(_)
            | RecordData::Soa(_) => return None,
        })
    }

    /// The type's word.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::A(_) => "A",
            Self::Aaaa(_) => "AAAA",
            Self::Cname(_) => "CNAME",
            Self::Mx { .. } => "MX",
            Self::Srv { .. } => "SRV",
            Self::Txt(_) => "TXT",
            Self::Tlsa { .. } => "TLSA",
            Self::Caa { .. } => "CAA",
        }
    }

    /// Texts that could be hostile.
    pub(super) fn texts(&self) -> Vec<&str> {
        match self {
            Self::Txt(text) => vec![text],
            Self::Caa { tag, value, .. } => vec![tag, value],
            Self::A(_) | Self::Aaaa(_) | Self::Cname(_) | Self::Mx { .. } | Self::Srv { .. } | Self::Tlsa { .. } => {
                Vec::new()
            }
        }
    }
}

impl fmt::Display for Rdata {
    /// As a master file writes it, names with their final dot.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::A(address) => write!(f, "{address}"),
            Self::Aaaa(address) => write!(f, "{address}"),
            Self::Cname(name) => write!(f, "{name}."),
            Self::Mx { preference, exchange } => write!(f, "{preference} {}", host(exchange)),
            Self::Srv { priority, weight, port, target } => {
                write!(f, "{priority} {weight} {port} {}", host(target))
            }
            Self::Txt(text) => f.write_str(&strings(text)),
            Self::Tlsa { usage, selector, matching, association } => {
                write!(f, "{usage} {selector} {matching} {}", hex(association))
            }
            Self::Caa { flags, tag, value } => write!(f, "{flags} {tag} {}", string(value.as_bytes())),
        }
    }
}

/// A host with its final dot.
pub(super) fn host(name: &Option<Name>) -> String {
    name.as_ref().map_or_else(|| ".".to_string(), |name| format!("{name}."))
}

/// Octets in hexadecimal digits.
pub(super) fn hex(octets: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(octets)
}

/// A text as strings of at most 255 octets each (RFC 1035 section 3.3).
fn strings(text: &str) -> String {
    if text.is_empty() {
        return "\"\"".into();
    }
    text.as_bytes().chunks(255).map(string).collect::<Vec<_>>().join(" ")
}

/// One quoted string (RFC 1035 section 5.1): a quote and a backslash escaped, what is no printable ASCII as `\DDD`.
fn string(octets: &[u8]) -> String {
    let mut out = String::from("\"");
    for octet in octets {
        match octet {
            b'"' | b'\\' => {
                out.push('\\');
                out.push(char::from(*octet));
            }
            b' '..=b'~' => out.push(char::from(*octet)),
            _ => {
                let _ = write!(out, "\\{octet:03}");
            }
        }
    }
    out.push('"');
    out
}

/// What [`crate::model::records::escape_octets`] wrote, read back.
fn unescaped(text: &str) -> Option<String> {
    let (mut out, mut octets) = (Vec::new(), text.bytes());
    while let Some(octet) = octets.next() {
        match octet {
            b'\\' => {
                let digits = [octets.next()?, octets.next()?, octets.next()?];
                out.push(std::str::from_utf8(&digits).ok()?.parse().ok()?);
            }
            _ => out.push(octet),
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_s_record_reads_and_is_written_again() {
        for (kind, text, want) in [
            ("A", "10.0.0.3", "10.0.0.3"),
            ("AAAA", "2001:DB8::1", "2001:db8::1"),
            ("CNAME", "Front.example", "front.example."),
            ("MX", "10 mail.domain.com", "10 mail.domain.com."),
            ("MX", "0 .", "0 ."),
            ("SRV", "0 0 443 autodiscover.domain.com.", "0 0 443 autodiscover.domain.com."),
            ("TXT", "v=spf1 mx -all", "\"v=spf1 mx -all\""),
            ("TXT", r#""a;\" b""#, r#""a;\" b""#),
            ("TXT", "münchen", r#""m\195\188nchen""#),
            ("TLSA", "3 1 1 AB cd", "3 1 1 abcd"),
            ("CAA", "0 issue \"letsencrypt.org\"", "0 issue \"letsencrypt.org\""),
        ] {
            assert_eq!(Rdata::parse(kind, text).map(|r| r.to_string()).as_deref(), Some(want), "{kind} {text}");
        }
        for (kind, text) in [("A", "::1"), ("TLSA", "4 1 1 ab"), ("TLSA", "3 1 1"), ("NS", "a.example"), ("X", "y")] {
            assert_eq!(Rdata::parse(kind, text), None, "{kind} {text}");
        }
    }

    #[test]
    fn a_long_text_is_several_strings() {
        let text = Rdata::Txt("a".repeat(300)).to_string();
        assert_eq!(text, format!("\"{}\" \"{}\"", "a".repeat(255), "a".repeat(45)));
        assert_eq!(Rdata::Txt(String::new()).to_string(), "\"\"");
    }
}
