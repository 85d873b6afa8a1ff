//! Resolvers, as a plan writes them.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

/// How a resolver is asked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// UDP, and TCP upon truncation (RFC 1035, RFC 7766).
    Udp,
    /// TCP only.
    Tcp,
    /// DNS over TLS (RFC 7858).
    Tls,
    /// DNS over HTTPS (RFC 8484), with the path.
    Https(String),
}

/// A resolver: transport, address and port.
///
/// Written `10.0.0.53`, `8.8.8.8:53`, `tcp://…`, `tls://9.9.9.9`, `https://1.1.1.1/dns-query`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResolverAddr {
    /// Transport.
    pub transport: Transport,
    /// Address and port.
    pub addr: SocketAddr,
}

/// Why a text is not a resolver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResolverError {
    /// A scheme other than udp, tcp, tls and https.
    Scheme(String),
    /// A host name: only declared addresses are asked, so that nothing has to be resolved first.
    HostName(String),
    /// Not an address at all.
    Address(String),
}

impl fmt::Display for ResolverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scheme(s) => write!(f, "`{s}://` is not a way to ask a resolver: udp, tcp, tls or https"),
            Self::HostName(h) => write!(f, "`{h}` is a name; a resolver is given by its IP address"),
            Self::Address(a) => write!(f, "`{a}` is not an IP address with an optional port"),
        }
    }
}

impl std::error::Error for ResolverError {}

impl ResolverAddr {
    /// Reads a resolver as the plan writes it.
    pub fn parse(text: &str) -> Result<Self, ResolverError> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("udp", text));
        let (host, path) = match rest.find('/') {
            Some(i) => (&rest[..i], &rest[i..]),
            None => (rest, "/dns-query"),
        };
        let (transport, port) = match scheme {
            "udp" => (Transport::Udp, 53),
            "tcp" => (Transport::Tcp, 53),
            "tls" => (Transport::Tls, 853),
            "https" => (Transport::Https(path.to_string()), 443),
            other => return Err(ResolverError::Scheme(other.to_string())),
        };
        if scheme != "https" && rest.contains('/') {
            return Err(ResolverError::Address(rest.to_string()));
        }
        let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
        let addr = match (bare.parse::<IpAddr>(), host.parse::<SocketAddr>()) {
            (Ok(ip), _) => SocketAddr::new(ip, port),
            (_, Ok(addr)) if addr.port() != 0 => addr,
            _ if host.chars().any(|c| c.is_ascii_alphabetic()) && !host.contains("::") => {
                return Err(ResolverError::HostName(host.to_string()));
            }
            _ => return Err(ResolverError::Address(host.to_string())),
        };
        Ok(Self { transport, addr })
    }
}

impl ResolverAddr {
    /// The same one asked without datagrams, which no proxy takes: by TCP instead.
    pub fn by_stream(&self) -> Self {
        match self.transport {
            Transport::Udp => Self { transport: Transport::Tcp, ..self.clone() },
            _ => self.clone(),
        }
    }
}

impl fmt::Display for ResolverAddr {
    /// As short as it can be written; reads back to the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, port, path) = match &self.transport {
            Transport::Udp => ("", 53, ""),
            Transport::Tcp => ("tcp://", 53, ""),
            Transport::Tls => ("tls://", 853, ""),
            Transport::Https(path) => ("https://", 443, path.as_str()),
        };
        f.write_str(scheme)?;
        match (self.addr.port() == port, self.addr.ip()) {
            (true, IpAddr::V6(ip)) if !scheme.is_empty() => write!(f, "[{ip}]")?,
            (true, ip) => write!(f, "{ip}")?,
            (false, _) => write!(f, "{}", self.addr)?,
        }
        f.write_str(path)
    }
}

impl Serialize for ResolverAddr {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ResolverAddr {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resolver_reads_back_as_it_is_shown() {
        for (text, shown) in [
            ("10.0.0.53", "10.0.0.53"),
            ("8.8.8.8:53", "8.8.8.8"),
            ("udp://127.0.0.1:5353", "127.0.0.1:5353"),
            ("tcp://10.0.0.53", "tcp://10.0.0.53"),
            ("tls://9.9.9.9", "tls://9.9.9.9"),
            ("tls://[2620:fe::fe]:8853", "tls://[2620:fe::fe]:8853"),
            ("2620:fe::fe", "2620:fe::fe"),
            ("tls://[2620:fe::fe]", "tls://[2620:fe::fe]"),
            ("https://1.1.1.1/dns-query", "https://1.1.1.1/dns-query"),
            ("https://1.1.1.1", "https://1.1.1.1/dns-query"),
        ] {
            let resolver = ResolverAddr::parse(text).unwrap();
            assert_eq!(resolver.to_string(), shown, "{text}");
            assert_eq!(ResolverAddr::parse(shown).as_ref(), Ok(&resolver), "{shown}");
        }
    }

    #[test]
    fn what_is_no_resolver_says_why() {
        let error = |text| ResolverAddr::parse(text).unwrap_err();
        assert_eq!(error("quic://1.1.1.1"), ResolverError::Scheme("quic".into()));
        assert_eq!(error("https://dns.google/dns-query"), ResolverError::HostName("dns.google".into()));
        for bad in ["10.0.0.256", "10.0.0.53:0", "10.0.0.53:70000", "", "10.0.0.53/24"] {
            assert!(matches!(error(bad), ResolverError::Address(_)), "{bad}");
        }
    }
}
