//! Questions to declared resolvers, and to no others.

mod https;
mod silence;
mod stream;
mod udp;
mod wire;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::dial::{self, Fault};
use crate::model::dns::{DnsOutcome, RecordType, ResolverAddr, Transport};
use crate::model::name::Name;
use https::Https;
pub use silence::{Silence, Turn};
use stream::Stream;
use udp::Udp;
use wire::{Question, Read};

/// A resolver that is being asked.
pub struct Resolver {
    way: Way,
}

enum Way {
    Udp(Udp, Stream),
    Stream(Stream),
    Https(Box<Https>),
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

impl Resolver {
    /// A resolver, dialled at `peer`; one by TLS or HTTPS has to prove its own address under the anchors.
    pub fn new(resolver: &ResolverAddr, peer: SocketAddr, anchors: &[Arc<[u8]>]) -> Self {
        let logical = resolver.addr.ip();
        let way = match &resolver.transport {
            Transport::Udp => Way::Udp(Udp::new(peer), Stream::new(peer, None)),
            Transport::Tcp => Way::Stream(Stream::new(peer, None)),
            Transport::Tls => match https::config(anchors) {
                Ok(tls) => Way::Stream(Stream::new(peer, Some((Arc::new(tls), https::server_name(logical))))),
                Err(e) => Way::Never(e.to_string()),
            },
            Transport::Https(path) => match https::config(anchors) {
                Ok(tls) => Way::Https(Box::new(Https::new(peer, logical, path, tls))),
                Err(e) => Way::Never(e.to_string()),
            },
        };
        Self { way }
    }

    /// Asks a question within a limit of time, all tries together.
    pub async fn ask(&self, name: &Name, kind: RecordType, limit: Duration) -> DnsOutcome {
        let deadline = Instant::now() + limit;
        let tries = async {
            match self.look(name, kind, true, deadline).await {
                // The server does not know EDNS (RFC 6891 section 7): once more as in 1987.
                Ok(Read::FormErr) => self.look(name, kind, false, deadline).await,
                other => other,
            }
        };
        match timeout_at(deadline, tries).await.unwrap_or(Err(Failure::Timeout)) {
            Ok(Read::Outcome(outcome)) => outcome,
            Ok(Read::FormErr) => DnsOutcome::Code(1),
            Ok(Read::Truncated) => DnsOutcome::Malformed("truncated".into()),
            Err(failure) => failure.into(),
        }
    }

    async fn look(&self, name: &Name, kind: RecordType, edns: bool, deadline: Instant) -> Result<Read, Failure> {
        let question = Arc::new(Question::new(name, kind, edns).map_err(Failure::Malformed)?);
        match &self.way {
            Way::Udp(udp, tcp) => match question.read(&udp.ask(&question, deadline).await?, false, false) {
                Read::Truncated => Ok(question.read(&tcp.ask(&question).await?, true, true)),
                other => Ok(other),
            },
            Way::Stream(stream) => Ok(question.read(&stream.ask(&question).await?, true, false)),
            Way::Https(https) => Ok(question.read(&https.ask(&question).await?, true, false)),
            Way::Never(why) => Err(Failure::Unreachable(why.clone())),
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
