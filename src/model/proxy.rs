//! Proxies: ways to stand in a view in which this machine is not.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::name::Name;
use super::text::escape_bytes;
use super::tls::hex_bytes;

/// What a proxy speaks, and what it is told of the endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProxyKind {
    /// SOCKS5 (RFC 1928), told the address: names are resolved here.
    Socks5,
    /// SOCKS5, told the name, which the proxy resolves.
    Socks5h,
    /// HTTP CONNECT (RFC 9110 section 9.3.6), told the address.
    Http,
}

impl ProxyKind {
    const ALL: [Self; 3] = [Self::Socks5, Self::Socks5h, Self::Http];

    /// The URL's scheme.
    pub fn scheme(self) -> &'static str {
        match self {
            Self::Socks5 => "socks5",
            Self::Socks5h => "socks5h",
            Self::Http => "http",
        }
    }
}

/// A proxy, by its URL: `SCHEME://[USER@]HOST:PORT`. Its password is never part of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Proxy {
    /// What it speaks.
    pub kind: ProxyKind,
    /// Its name or address, an IPv6 address without brackets.
    pub host: Arc<str>,
    /// TCP port.
    pub port: u16,
    /// Who we are to it.
    pub user: Option<Arc<str>>,
}

/// Why a text is not the URL of a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyError {
    /// No `://`.
    NoScheme,
    /// Another scheme.
    Scheme,
    /// A password stands in it.
    Password,
    /// The user cannot be sent: empty, too long, or with characters that no user name has.
    User,
    /// No host and port.
    HostAndPort,
}

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoScheme => "expected a scheme",
            Self::Scheme => "expected socks5, socks5h or http",
            Self::Password => "a password does not belong in the plan, nor on a command line",
            Self::User => "expected a user of 1 to 255 bytes, without `:` and control characters",
            Self::HostAndPort => "expected a host and a port",
        })
    }
}

impl ProxyError {
    /// What to write instead.
    pub fn help(self) -> &'static str {
        match self {
            Self::Password => "write the user alone, and set `password-env` to the variable that holds the password",
            _ => "socks5://HOST:PORT (names resolved here), socks5h://HOST:PORT (by the proxy) or http://HOST:PORT",
        }
    }
}

impl std::error::Error for ProxyError {}

impl Proxy {
    /// Reads a URL. Characters of the user may be percent-encoded (RFC 3986 section 2.1).
    pub fn parse(text: &str) -> Result<Self, ProxyError> {
        let (scheme, rest) = text.split_once("://").ok_or(ProxyError::NoScheme)?;
        let kind = ProxyKind::ALL.into_iter().find(|k| k.scheme() == scheme);
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (user, at) = match rest.rsplit_once('@') {
            Some((user, _)) if user.contains(':') => return Err(ProxyError::Password),
            Some((user, at)) => (Some(decoded(user).ok_or(ProxyError::User)?), at),
            None => (None, rest),
        };
        let kind = kind.ok_or(ProxyError::Scheme)?;
        let (host, port) = host_and_port(at).ok_or(ProxyError::HostAndPort)?;
        Ok(Self { kind, host: host.into(), port, user: user.map(Into::into) })
    }
}

fn host_and_port(text: &str) -> Option<(String, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let port = port.parse::<u16>().ok().filter(|p| *p > 0)?;
    let host = match host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
        Some(v6) => v6.parse::<IpAddr>().ok().filter(IpAddr::is_ipv6)?.to_string(),
        None => match host.parse::<IpAddr>() {
            Ok(IpAddr::V4(v4)) => v4.to_string(),
            Ok(IpAddr::V6(_)) => return None,
            Err(_) => Name::parse(host).ok().filter(|n| !n.is_wildcard())?.to_string(),
        },
    };
    Some((host, port))
}

fn decoded(user: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(user.len());
    let mut rest = user.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        rest = more;
        bytes.push(match (first, more) {
            (b'%', [high, low, more @ ..]) => {
                rest = more;
                let hex = |b: &u8| char::from(*b).to_digit(16);
                u8::try_from(hex(high)? * 16 + hex(low)?).ok()?
            }
            (b'%', _) => return None,
            (byte, _) => *byte,
        });
    }
    let user = String::from_utf8(bytes).ok()?;
    let fits = (1..=255).contains(&user.len()) && !user.chars().any(|c| c == ':' || c.is_control());
    fits.then_some(user)
}

/// Without the user: reports and recordings show it so.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, host) = (self.kind.scheme(), &self.host);
        match host.contains(':') {
            true => write!(f, "{scheme}://[{host}]:{}", self.port),
            false => write!(f, "{scheme}://{host}:{}", self.port),
        }
    }
}

/// A text in which no password of a URL stands any more: it is shown as stars, byte for byte.
pub fn without_passwords(text: &str) -> String {
    let mut out = text.to_string();
    for (scheme, _) in text.match_indices("://") {
        let from = scheme + 3;
        let rest = text.get(from..).unwrap_or_default();
        let end = rest.find(|c: char| c.is_whitespace() || "\"'/,]}".contains(c)).unwrap_or(rest.len());
        let userinfo = rest.get(..end).and_then(|r| r.rsplit_once('@')).map_or("", |(user, _)| user);
        if let Some((user, password)) = userinfo.split_once(':') {
            let at = from + user.len() + 1;
            out.replace_range(at..at + password.len(), &"*".repeat(password.len()));
        }
    }
    out
}

/// What kept a proxy from leading us to an endpoint. None of it is a word about the endpoint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProxyFault {
    /// No connection to the proxy itself: the system's words.
    NotReached(String),
    /// The proxy was silent until the time was over.
    Silent,
    /// The proxy was asked for the endpoint, and nothing came of it in time: whose silence that is, is not known.
    NoWord,
    /// The proxy hung up.
    Closed,
    /// It wants a user and a password, or not these: its words.
    Authentication(String),
    /// It does not let us go there: its words.
    NotAllowed(String),
    /// It failed: its words.
    Failed(String),
    /// It speaks something else; the first bytes are kept.
    NotThisProtocol(#[serde(with = "hex_bytes")] Vec<u8>),
    /// It sent more than is read of any proxy: what was too large.
    TooLarge(String),
    /// Not asked any more, since it had been nothing but silent, again and again.
    GivenUp,
}

impl fmt::Display for ProxyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotReached(why) => write!(f, "the proxy cannot be reached ({why})"),
            Self::Silent => f.write_str("the proxy does not answer in time"),
            Self::NoWord => f.write_str("no word in time on the connection that the proxy was asked for"),
            Self::Closed => f.write_str("the proxy hung up"),
            Self::Authentication(words) => write!(f, "the proxy does not let us in: \"{words}\""),
            Self::NotAllowed(words) => write!(f, "the proxy does not allow it: \"{words}\""),
            Self::Failed(words) => write!(f, "the proxy failed: \"{words}\""),
            Self::NotThisProtocol(bytes) => {
                write!(f, "the proxy speaks another protocol: \"{}\"", escape_bytes(bytes, 40))
            }
            Self::TooLarge(what) => write!(f, "the proxy sends too much: {what}"),
            Self::GivenUp => f.write_str("the proxy is not asked any more, after nothing but silence"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_read_and_shown_without_its_user() {
        for (text, kind, host, user, shown) in [
            ("socks5://bastion.domain.com:1080", ProxyKind::Socks5, "bastion.domain.com", None, ""),
            ("socks5h://10.0.0.1:1080/", ProxyKind::Socks5h, "10.0.0.1", None, "socks5h://10.0.0.1:1080"),
            (
                "http://al%40ice@[2001:db8::1]:3128",
                ProxyKind::Http,
                "2001:db8::1",
                Some("al@ice"),
                "http://[2001:db8::1]:3128",
            ),
        ] {
            let proxy = Proxy::parse(text).unwrap();
            assert_eq!((proxy.kind, &*proxy.host, proxy.user.as_deref()), (kind, host, user));
            assert_eq!(proxy.to_string(), if shown.is_empty() { text } else { shown });
        }
    }

    #[test]
    fn what_is_no_proxy_says_why() {
        for (text, why) in [
            ("bastion:1080", ProxyError::NoScheme),
            ("https://bastion:1080", ProxyError::Scheme),
            ("socks4://me:secret@bastion:1080", ProxyError::Password),
            ("socks5://:@bastion:1080", ProxyError::Password),
            ("socks5://me:se@cret@bastion:1080", ProxyError::Password),
            ("http://@bastion:1080", ProxyError::User),
            ("http://a%3ab@bastion:1080", ProxyError::User),
            ("http://a%0@bastion:1080", ProxyError::User),
            ("http://a%é@bastion:1080", ProxyError::User),
            ("http://bastion", ProxyError::HostAndPort),
            ("http://bastion:0", ProxyError::HostAndPort),
            ("http://2001:db8::1:1080", ProxyError::HostAndPort),
            ("http://bastion:1080/path", ProxyError::HostAndPort),
            ("http://*.domain.com:1080", ProxyError::HostAndPort),
        ] {
            assert_eq!(Proxy::parse(text), Err(why), "{text}");
        }
    }

    #[test]
    fn passwords_in_urls_become_stars() {
        let text = "a = \"socks5://me:se:cr@t@bastion:1080\" # http://x:ü@y and tls://9.9.9.9 a:b@c";
        let shown = "a = \"socks5://me:*******@bastion:1080\" # http://x:**@y and tls://9.9.9.9 a:b@c";
        assert_eq!(without_passwords(text), shown);
        assert_eq!(text.len(), shown.len());
    }
}
