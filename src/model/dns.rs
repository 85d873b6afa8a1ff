//! DNS as it is observed: record types, outcomes.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::records::DataRecord;
use super::rrsig::Signed;

pub use super::resolver::{ResolverAddr, ResolverError, Transport};

/// The record types that are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RecordType {
    /// IPv4 address.
    A,
    /// IPv6 address.
    Aaaa,
    /// Who may issue certificates (RFC 8659).
    Caa,
    /// Alias.
    Cname,
    /// A zone's keys (RFC 4034).
    Dnskey,
    /// The parent's word for a zone's key (RFC 4034).
    Ds,
    /// Other hosts of a web site, and hints at addresses (RFC 9460).
    Https,
    /// Who takes the domain's mail.
    Mx,
    /// Who serves the zone.
    Ns,
    /// The name of an address (RFC 1035 section 3.5).
    Ptr,
    /// The zone's head.
    Soa,
    /// Where a service is (RFC 2782).
    Srv,
    /// Which certificate or key to expect (RFC 6698).
    Tlsa,
    /// Text.
    Txt,
}

impl RecordType {
    /// Those of addresses, in the order in which they are asked.
    pub const ALL: [RecordType; 2] = [RecordType::A, RecordType::Aaaa];

    const EVERY: [RecordType; 14] = {
        use RecordType::{A, Aaaa, Caa, Cname, Dnskey, Ds, Https, Mx, Ns, Ptr, Soa, Srv, Tlsa, Txt};
        [A, Aaaa, Caa, Cname, Dnskey, Ds, Https, Mx, Ns, Ptr, Soa, Srv, Tlsa, Txt]
    };

    /// True if an address is of this type.
    pub fn holds(self, ip: IpAddr) -> bool {
        match self {
            Self::A => ip.is_ipv4(),
            Self::Aaaa => ip.is_ipv6(),
            _ => false,
        }
    }

    /// The type of a word in capitals; `None` for one that is never asked for.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::EVERY.into_iter().find(|t| t.word() == word)
    }

    /// Its number (IANA, Resource Record TYPEs).
    pub fn number(self) -> u16 {
        match self {
            Self::A => 1,
            Self::Ns => 2,
            Self::Cname => 5,
            Self::Soa => 6,
            Self::Ptr => 12,
            Self::Mx => 15,
            Self::Txt => 16,
            Self::Aaaa => 28,
            Self::Srv => 33,
            Self::Ds => 43,
            Self::Dnskey => 48,
            Self::Tlsa => 52,
            Self::Https => 65,
            Self::Caa => 257,
        }
    }

    /// The type of a number; `None` for one that is never asked for.
    pub fn of_number(number: u16) -> Option<Self> {
        Self::EVERY.into_iter().find(|t| t.number() == number)
    }

    /// The field's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Caa => "CAA",
            Self::Cname => "CNAME",
            Self::Dnskey => "DNSKEY",
            Self::Ds => "DS",
            Self::Https => "HTTPS",
            Self::Mx => "MX",
            Self::Ns => "NS",
            Self::Ptr => "PTR",
            Self::Soa => "SOA",
            Self::Srv => "SRV",
            Self::Tlsa => "TLSA",
            Self::Txt => "TXT",
        }
    }
}

impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// One link of a CNAME chain. Names are as the answer gave them: A-labels or escaped octets, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Link {
    /// Owner of the record.
    pub owner: String,
    /// What it points to.
    pub target: String,
    /// Remaining TTL in seconds.
    pub ttl: u32,
}

/// An address and its remaining TTL.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AddressRecord {
    /// The address.
    pub address: IpAddr,
    /// Remaining TTL in seconds.
    pub ttl: u32,
}

/// The SOA of a negative answer; its negative TTL is the smaller of the two (RFC 2308 section 5).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Soa {
    /// The zone.
    pub zone: String,
    /// Primary server.
    pub primary: String,
    /// Serial.
    pub serial: u32,
    /// TTL of the SOA record in seconds.
    pub ttl: u32,
    /// The MINIMUM field in seconds.
    pub minimum: u32,
}

impl Soa {
    /// How long the absence may be cached, in seconds.
    pub fn negative_ttl(&self) -> u32 {
        self.ttl.min(self.minimum)
    }
}

/// What an answer held.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Reply {
    /// The CNAME chain from the name that was asked, in its order. A circle ends with the link that closes it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chain: Vec<Link>,
    /// The addresses at the chain's end, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<AddressRecord>,
    /// The records of another type, where one was asked for, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<DataRecord>,
    /// The SOA of the authority section; boxed, for most replies have none and there are many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soa: Option<Box<Soa>>,
    /// The signatures of the addresses or records, where they were asked for and the server speaks of them; boxed likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<Box<Signed>>,
    /// The AA bit.
    #[serde(default)]
    pub authoritative: bool,
    /// The AD bit.
    #[serde(default)]
    pub authenticated: bool,
    /// True if the answer came over TCP after a truncated one.
    #[serde(default)]
    pub after_truncation: bool,
}

/// Whom a server named that has no answer and knows who has (RFC 1034 section 4.3.2): no word about the name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Referral {
    /// The zone that they serve: the name that was asked, or one above it; `.` is the root.
    pub zone: String,
    /// Its servers, sorted; never empty.
    pub servers: Vec<NamedServer>,
}

/// A server of a zone as a referral names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NamedServer {
    /// Its name, as records have names.
    pub name: String,
    /// TTL of the NS record in seconds.
    pub ttl: u32,
    /// The addresses that came with it, sorted: glue (RFC 9499 section 7), or what the server knew besides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<AddressRecord>,
}

/// What became of a query.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DnsOutcome {
    /// At least one record of the type asked for.
    Answer(Reply),
    /// NOERROR without a record of that type (RFC 2308 section 2.2).
    NoData(Reply),
    /// The name, or the end of its CNAME chain, does not exist.
    NxDomain(Reply),
    /// NOERROR without a word about the name: others are to be asked.
    Referral(Referral),
    /// The resolver refused.
    Refused,
    /// The resolver failed.
    ServFail,
    /// Another response code.
    Code(u16),
    /// No answer in time.
    Timeout,
    /// The resolver could not be reached: the system's words.
    Unreachable(String),
    /// What came was no answer to the question: why.
    Malformed(String),
    /// Not asked any more, since the resolver had been silent three times.
    GivenUp,
}

impl DnsOutcome {
    /// What was learned, where there was an answer.
    pub fn reply(&self) -> Option<&Reply> {
        match self {
            Self::Answer(r) | Self::NoData(r) | Self::NxDomain(r) => Some(r),
            _ => None,
        }
    }
}

impl fmt::Display for Referral {
    /// Where it leads, the first servers by name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMED: usize = 4;
        let names: Vec<&str> = self.servers.iter().take(NAMED).map(|s| s.name.as_str()).collect();
        write!(f, "referral to the servers of {} ({}", self.zone, names.join(", "))?;
        match self.servers.len().saturating_sub(NAMED) {
            0 => f.write_str(")"),
            more => write!(f, " and {more} more)"),
        }
    }
}

impl fmt::Display for DnsOutcome {
    /// The field's word for it: `NXDOMAIN`, `NODATA`, the addresses ...
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer(r) => {
                let addresses = r.addresses.iter().map(|a| a.address.to_string());
                let all: Vec<String> = addresses.chain(r.records.iter().map(|r| r.data.to_string())).collect();
                f.write_str(&all.join(", "))
            }
            Self::NoData(_) => f.write_str("NODATA"),
            Self::NxDomain(_) => f.write_str("NXDOMAIN"),
            Self::Referral(referral) => write!(f, "{referral}"),
            Self::Refused => f.write_str("REFUSED"),
            Self::ServFail => f.write_str("SERVFAIL"),
            Self::Code(c) => write!(f, "response code {c}"),
            Self::Timeout => f.write_str("no answer in time"),
            Self::Unreachable(why) => write!(f, "unreachable ({why})"),
            Self::Malformed(why) => write!(f, "malformed answer ({why})"),
            Self::GivenUp => f.write_str("not asked any more"),
        }
    }
}
