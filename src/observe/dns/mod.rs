//! Questions to declared resolvers, and to the servers of zones to which their answers lead.

mod asker;
mod https;
mod inquiry;
mod line;
mod ports;
mod random;
mod silence;
mod stream;
#[cfg(test)]
mod tests;
mod udp;
pub(super) mod wire;

use std::io;
use std::sync::Arc;

use super::dial::{self, Fault};
use crate::model::dns::{DnsOutcome, ResolverAddr, Transport};
pub use asker::{Answers, Asker};
use https::Https;
pub use inquiry::Ask;
use inquiry::Inquiry;
pub use line::Line;
use stream::Stream;
use udp::Udp;

/// How a resolver is asked.
enum Way {
    Udp(Box<Udp>, Arc<Stream>),
    Stream(Arc<Stream>),
    Https(Arc<Https>),
    /// It cannot be asked: why.
    Never(String),
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Failure {
    Timeout,
    Unreachable(String),
    Malformed(String),
}

impl Way {
    fn new(resolver: &ResolverAddr, line: &Line, anchors: &[Arc<[u8]>]) -> Self {
        let logical = resolver.addr.ip();
        let stream = |tls| Arc::new(Stream::new(line.clone(), tls));
        match &resolver.transport {
            Transport::Udp => Self::Udp(Box::new(Udp::new(line.peer)), stream(None)),
            Transport::Tcp => Self::Stream(stream(None)),
            Transport::Tls => match https::config(anchors) {
                Ok(tls) => Self::Stream(stream(Some((Arc::new(tls), https::server_name(logical))))),
                Err(e) => Self::Never(e.to_string()),
            },
            Transport::Https(path) => match https::config(anchors) {
                Ok(tls) => Self::Https(Arc::new(Https::new(line.clone(), logical, path, tls))),
                Err(e) => Self::Never(e.to_string()),
            },
        }
    }
}

impl Failure {
    fn of(error: &io::Error) -> Self {
        match dial::fault(error) {
            Fault::Timeout => Self::Timeout,
            Fault::Refused => Self::Unreachable("connection refused".into()),
            Fault::Closed => Self::Unreachable("connection closed".into()),
            Fault::Unreachable(why) | Fault::Ours(why) => Self::Unreachable(why),
        }
    }
}

impl From<Failure> for DnsOutcome {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Timeout => Self::Timeout,
            Failure::Unreachable(why) => Self::Unreachable(why),
            Failure::Malformed(why) => Self::Malformed(why),
        }
    }
}

/// A random id (RFC 5452 section 9.2).
fn random_id() -> Result<u16, Failure> {
    let random = getrandom::u32().map_err(|e| Failure::Unreachable(format!("no random numbers: {e}")))?;
    Ok((random & 0xffff) as u16)
}
