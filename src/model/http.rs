//! What a web server says to a plain question for a page: the head of its answer, and the body only of an MTA-STS policy.

use std::fmt;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::name::Name;
use super::plan::{Plan, ServerId, Table, Target, Wanted};
use super::service::{Service, Way};

/// What is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Page {
    /// `/`, of which the head is read.
    #[default]
    Root,
    /// The MTA-STS policy (RFC 8461 section 3.3), which is read whole.
    MtaSts,
}

impl Page {
    /// Its path.
    pub fn path(self) -> &'static str {
        match self {
            Self::Root => "/",
            Self::MtaSts => "/.well-known/mta-sts.txt",
        }
    }

    fn is_root(&self) -> bool {
        *self == Self::Root
    }
}

/// A question for a page over TLS, with the name as SNI and as Host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct HttpProbe {
    /// The logical address.
    pub address: SocketAddr,
    /// The name asked for.
    pub name: Name,
    /// The page.
    #[serde(default, skip_serializing_if = "Page::is_root")]
    pub page: Page,
}

/// The parts of an answer's head that are kept (RFC 9110, RFC 6797), as the server has them, not escaped.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct HttpHead {
    /// The status code.
    pub status: u16,
    /// The first Location.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// The first Strict-Transport-Security; clients look at no other (RFC 6797 section 8.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hsts: Option<String>,
    /// The body of a page that is read whole, octets that are no UTF-8 replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Box<str>>,
}

/// What became of such a question.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HttpOutcome {
    /// An answer.
    Head(HttpHead),
    /// No TLS connection over which one could ask: why.
    NoTls(String),
    /// Closed before what is read was whole.
    Closed,
    /// Silence until the time was over.
    Timeout,
    /// What came is no HTTP; the first octets, as text.
    NotHttp(String),
    /// Larger than is read of any server.
    TooLarge,
}

impl fmt::Display for HttpOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Head(head) => write!(f, "status {}", head.status),
            Self::NoTls(why) => write!(f, "no TLS connection: {why}"),
            Self::Closed => f.write_str("closed before the answer was whole"),
            Self::Timeout => f.write_str("no answer in time"),
            Self::NotHttp(first) => write!(f, "no HTTP: \"{first}\""),
            Self::TooLarge => f.write_str("an answer that is too large"),
        }
    }
}

impl HttpHead {
    /// True of a redirect that clients follow (RFC 9110 section 15.4).
    pub fn is_redirect(&self) -> bool {
        matches!(self.status, 301 | 302 | 303 | 307 | 308)
    }

    /// For how many seconds clients will speak nothing but HTTPS without a way round, to this host and all below it; `None`
    /// unless the header says both `max-age` above 0 and `includeSubDomains` (RFC 6797 section 6.1).
    pub fn includes_subdomains(&self) -> Option<u64> {
        let hsts = self.hsts.as_deref().and_then(Hsts::parse)?;
        (hsts.below && hsts.max_age > 0).then_some(hsts.max_age)
    }
}

/// What a Strict-Transport-Security header makes browsers remember (RFC 6797 section 6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hsts {
    /// For how many seconds; 0 makes them forget.
    pub max_age: u64,
    /// True if of all hosts below, too.
    pub below: bool,
}

impl Hsts {
    /// Reads the header's value; `None` if it says no `max-age`, for then browsers do not heed it.
    pub fn parse(text: &str) -> Option<Self> {
        let directives = || text.split(';').map(str::trim);
        let below = directives().any(|d| d.eq_ignore_ascii_case("includeSubDomains"));
        let max_age = directives().find_map(|d| {
            let (name, value) = d.split_once('=')?;
            let value = value.trim().trim_matches('"');
            let is_number = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
            // More digits than fit are as good as for ever.
            (name.trim().eq_ignore_ascii_case("max-age") && is_number).then(|| value.parse().unwrap_or(u64::MAX))
        })?;
        Some(Self { max_age, below })
    }
}

/// True of a service of web browsers.
pub fn is_web(service: &Service) -> bool {
    matches!(service.word, "https" | "IIS") && service.way == Way::Implicit
}

/// True if the plan speaks of what a server's web site does: it declares `redirects`, or legacy names lead to it while another
/// server declares them.
pub fn is_declared(plan: &Plan, server: ServerId) -> bool {
    let any = plan.servers.iter().any(|s| !s.redirects.is_empty());
    let leads = |wanted: &Wanted| {
        let targets = if let Wanted::Targets(targets) = wanted { &targets[..] } else { &[] };
        targets.iter().any(|target| match target {
            Target::Server(id) => *id == server,
            Target::Pool(id) => plan.pool(*id).all_members().contains(&server),
        })
    };
    let legacy = || plan.names.iter().filter(|n| n.table == Table::Legacy);
    !plan.server(server).redirects.is_empty()
        || (any && legacy().any(|n| n.wanted.iter().flatten().any(|w| leads(&w.value))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hsts_is_read_as_browsers_read_it() {
        for (text, want) in [
            ("max-age=31536000; includeSubDomains", Some(31_536_000)),
            ("includesubdomains ; MAX-AGE=\"60\"; preload", Some(60)),
            ("max-age=31536000", None),
            ("max-age=0; includeSubDomains", None),
            ("includeSubDomains", None),
            ("max-age=x; includeSubDomains", None),
            ("max-age=-1; includeSubDomains", None),
            ("max-age=99999999999999999999; includeSubDomains", Some(u64::MAX)),
            ("", None),
        ] {
            let head = HttpHead { hsts: Some(text.into()), ..HttpHead::default() };
            assert_eq!(head.includes_subdomains(), want, "{text}");
        }
    }
}
