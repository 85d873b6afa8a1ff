//! What was looked at, from where, and what was seen: raw facts only.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::certificate::BlobId;
use super::dns::{DnsOutcome, RecordType, ResolverAddr};
use super::http::{HttpOutcome, HttpProbe};
use super::name::Name;
use super::observations::Observations;
use super::pfx::PfxFacts;
use super::service::Way;
use super::tls::{Face, TlsOutcome};

/// A question to a resolver.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DnsProbe {
    /// The label of the view whose resolver it is.
    pub view: Arc<str>,
    /// The resolver, as the plan names it. Shared, for it is asked often.
    pub resolver: Arc<ResolverAddr>,
    /// The name asked for.
    pub name: Name,
    /// The type asked for.
    pub kind: RecordType,
    /// True if the resolver was told not to validate (CD, RFC 4035 section 3.2.2), and to give the signatures (DO).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unchecked: bool,
    /// True if a server was asked for what its own zones hold (RD clear, RFC 1035 section 4.1.1), as resolvers ask.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub direct: bool,
}

impl DnsProbe {
    /// True if the answer is what clients get, and of the name's own zone: validated by those who validate, not of a server
    /// that only resolvers ask, and no DS, which the parent zone has.
    pub fn is_of_clients(&self) -> bool {
        !self.unchecked && !self.direct && self.kind != RecordType::Ds
    }
}

/// A connection to an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TlsProbe {
    /// The logical address: as the plan or DNS gives it, before any dial map.
    pub address: SocketAddr,
    /// How TLS begins.
    pub way: Way,
    /// The name sent as SNI; `None` sends none.
    pub sni: Option<Name>,
    /// The only kind of certificate that is taken; `None` takes what the server prefers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub face: Option<Face>,
}

/// What is looked at, without what is hoped for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Probe {
    /// A file of certificates, by its path as the plan writes it.
    File(String),
    /// A question to a resolver.
    Dns(DnsProbe),
    /// A connection to an endpoint.
    Tls(TlsProbe),
    /// A question for `/` to a web site.
    Http(HttpProbe),
}

/// What became of reading a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileOutcome {
    /// Certificates in the file's order; never empty.
    Certificates {
        /// The certificates.
        chain: Vec<BlobId>,
        /// What else is to be said of the file: a private key in it, bytes that were not read.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        notes: Vec<String>,
        /// How a PFX file is protected; `None` of any other.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pfx: Option<PfxFacts>,
    },
    /// It is a PFX file that was not opened.
    Locked {
        /// How it is protected.
        pfx: PfxFacts,
        /// Why it was not opened, and what would help.
        why: String,
    },
    /// It holds no certificate that can be read: what it holds instead.
    NoCertificate(String),
    /// It could not be opened or read: the system's words.
    Unreadable(String),
}

/// What became of a probe. The world's faults are outcomes; our own are errors.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Of a file.
    File(FileOutcome),
    /// Of a question to a resolver.
    Dns(DnsOutcome),
    /// Of a connection.
    Tls(TlsOutcome),
    /// Of a question to a web site.
    Http(HttpOutcome),
}

/// One look.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Observation {
    /// What was looked at.
    pub probe: Probe,
    /// The run in which: [`Run::id`].
    pub run: Arc<str>,
    /// Which of several equal looks, from 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub sample: u32,
    /// How many tries had failed before this one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub attempt: u32,
    /// The address really dialled, where a dial map changed it; boxed, for mostly none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialled: Option<Box<SocketAddr>>,
    /// When it was done, to the second.
    pub at: Timestamp,
    /// What was seen. Shared, for many looks see the same.
    pub outcome: Arc<Outcome>,
}

fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// The version of the recording format that this release writes; it reads this one.
pub const FORMAT: u32 = 1;

/// The minor version of [`FORMAT`]: it rises when recordings say something new. Older ones are read; a newer one says
/// what this release would not see, and is not.
///
/// 1: handshakes of servers older than current clients ([`Served::declined`](super::tls::Served::declined)), and the
/// certificate of each kind of key ([`TlsProbe::face`]); runs through a proxy ([`Run::proxy`]).
/// 2: what web sites answer ([`Probe::Http`]).
/// 3: XMPP between servers ([`Protocol::XmppServer`](super::service::Protocol::XmppServer)); TLSA, DS, DNSKEY and PTR records,
/// questions without validation ([`DnsProbe::unchecked`]), MTA-STS policies ([`Page`](super::http::Page)).
/// 4: referrals ([`DnsOutcome::Referral`]), questions to servers without recursion ([`DnsProbe::direct`]); HTTPS records
/// ([`RecordData::Https`](super::records::RecordData::Https)).
/// 5: signatures of what is asked for without validation ([`Reply::signed`](super::dns::Reply::signed)).
/// 6: PFX files ([`FileOutcome::Locked`], and how those that were opened are protected).
pub const MINOR: u32 = 6;

/// A run: where it stood and when.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Run {
    /// Unique: made of its content and a random number.
    pub id: Arc<str>,
    /// Format version of the recording.
    pub format: u32,
    /// Its minor version.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub minor: u32,
    /// Name and version of the tool.
    pub tool: String,
    /// SHA-256 of the plan's text.
    pub plan: BlobId,
    /// SHA-256 of each file that the plan refers to and that could be read, by its path as written.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, BlobId>,
    /// The labels of the views in which it stood.
    pub stands_in: Vec<Arc<str>>,
    /// The proxy through which it stood there, without user and password: `socks5://bastion.domain.com:1080`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<String>,
    /// Its own address, as far as it knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// The dial map, as given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub connect_to: Vec<String>,
    /// When it began, to the second.
    pub started: Timestamp,
    /// The trust anchors of each view, by the view's label.
    #[serde(default)]
    pub anchors: BTreeMap<Arc<str>, Vec<BlobId>>,
    /// Trust sources that could not be read, by the view's label.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub trust_errors: BTreeMap<Arc<str>, Vec<String>>,
}

/// Everything seen by one run or, merged, by several. Merging is a set union.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recording {
    /// The runs by id.
    pub runs: BTreeMap<Arc<str>, Run>,
    /// Certificates and trust anchors: DER by its SHA-256.
    pub blobs: BTreeMap<BlobId, Arc<[u8]>>,
    /// What was seen.
    pub observations: Observations,
}

impl Run {
    /// True if names were resolved by its proxy, so that nobody knows at which address an endpoint was met.
    pub fn resolves_at_proxy(&self) -> bool {
        self.proxy.as_deref().is_some_and(|p| p.starts_with("socks5h:"))
    }
}

impl Recording {
    /// The union with another.
    pub fn merge(&mut self, other: Recording) {
        self.runs.extend(other.runs);
        self.blobs.extend(other.blobs);
        self.observations.extend(other.observations);
    }
}

/// Where to dial instead: `HOST:PORT:ADDR:PORT` as curl's `--connect-to` has it. An empty host or port stands for any.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detour {
    /// The logical host: an address, or the name asked for; `None` is any.
    pub host: Option<String>,
    /// The logical port; `None` is any.
    pub port: Option<u16>,
    /// The address to dial; `None` keeps the logical one.
    pub address: Option<IpAddr>,
    /// The port to dial; `None` keeps the logical one.
    pub to_port: Option<u16>,
}

/// The dial map: the first detour that fits is taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DialMap(pub Vec<Detour>);

impl DialMap {
    /// Where to dial for a logical address, with the name that is asked for.
    pub fn resolve(&self, logical: SocketAddr, name: Option<&Name>) -> SocketAddr {
        let fits = |d: &&Detour| {
            let host = d.host.as_deref().is_none_or(|h| {
                h.parse::<IpAddr>().is_ok_and(|ip| ip == logical.ip())
                    || name.is_some_and(|n| n.as_str().eq_ignore_ascii_case(h.trim_end_matches('.')))
            });
            host && d.port.is_none_or(|p| p == logical.port())
        };
        match self.0.iter().find(fits) {
            Some(d) => SocketAddr::new(d.address.unwrap_or(logical.ip()), d.to_port.unwrap_or(logical.port())),
            None => logical,
        }
    }
}

impl Detour {
    /// Reads `HOST:PORT:ADDR:PORT`; IPv6 addresses in brackets.
    pub fn parse(text: &str) -> Option<Self> {
        let (host, rest) = part(text)?;
        let (port, rest) = rest.split_once(':')?;
        let (address, to_port) = part(rest)?;
        let number = |p: &str| match p {
            "" => Some(None),
            p => p.parse::<u16>().ok().filter(|p| *p > 0).map(Some),
        };
        let address = match address {
            "" => None,
            a => Some(a.parse().ok()?),
        };
        let host = (!host.is_empty()).then(|| host.to_string());
        Some(Self { host, port: number(port)?, address, to_port: number(to_port)? })
    }
}

/// Cuts `HOST:` or `[V6]:` off the front.
fn part(text: &str) -> Option<(&str, &str)> {
    match text.strip_prefix('[') {
        Some(rest) => rest.split_once("]:"),
        None => text.split_once(':'),
    }
}

impl fmt::Display for Detour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = |p: Option<u16>| p.map(|p| p.to_string()).unwrap_or_default();
        let bracket = |h: String| if h.contains(':') { format!("[{h}]") } else { h };
        let host = bracket(self.host.clone().unwrap_or_default());
        let address = bracket(self.address.map(|a| a.to_string()).unwrap_or_default());
        write!(f, "{host}:{}:{address}:{}", port(self.port), port(self.to_port))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detour_reads_back() {
        for text in
            ["10.0.0.10:443:127.0.0.1:8443", "::127.0.0.1:", "mail.domain.com:443::8443", "[2001:db8::1]:25:[::1]:2525"]
        {
            assert_eq!(Detour::parse(text).map(|d| d.to_string()).as_deref(), Some(text));
        }
        for bad in ["10.0.0.10:443", "a:b:127.0.0.1:1", "a:1:host:1", "a:0:127.0.0.1:1", ""] {
            assert_eq!(Detour::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_first_detour_that_fits_is_taken() {
        let map = DialMap(
            ["10.0.0.10:443:127.0.0.1:8443", "mail.domain.com::127.0.0.2:", ":25:127.0.0.3:2525"]
                .iter()
                .filter_map(|t| Detour::parse(t))
                .collect(),
        );
        let name = Name::parse("mail.domain.com").unwrap();
        let to = |a: &str, n| map.resolve(a.parse().unwrap(), n).to_string();
        assert_eq!(to("10.0.0.10:443", None), "127.0.0.1:8443");
        assert_eq!(to("10.0.0.11:443", Some(&name)), "127.0.0.2:443");
        assert_eq!(to("10.0.0.11:25", None), "127.0.0.3:2525");
        assert_eq!(to("10.0.0.11:443", None), "10.0.0.11:443");
    }
}
