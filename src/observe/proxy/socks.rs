//! SOCKS5 (RFC 1928, RFC 1929): what the library's word for a failure means.

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_socks::tcp::Socks5Stream;
use tokio_socks::{Error, TargetAddr};

use super::{Target, broken};
use crate::model::proxy::ProxyFault;
use crate::model::tls::TlsOutcome;
use crate::observe::tls::Wire;

/// Octets of the answers that come before the endpoint is asked for: the way to authenticate, and the word about it.
const METHOD: usize = 2;

/// Asks for a target. What the endpoint says first stays in the connection: no more is read than the answers have.
pub(super) async fn lead(
    tcp: TcpStream,
    target: Target<'_>,
    credentials: Option<(&str, &str)>,
    deadline: Instant,
) -> Result<TcpStream, TlsOutcome> {
    let target = match target {
        Target::Address(address) => TargetAddr::Ip(address),
        Target::Name(name, port) => TargetAddr::Domain(name.as_str().into(), port),
    };
    let mut wire = Wire::new(tcp);
    let asked = async {
        match credentials {
            None => Socks5Stream::connect_with_socket(&mut wire, target).await.map(drop),
            Some((user, password)) => {
                Socks5Stream::connect_with_password_and_socket(&mut wire, target, user, password).await.map(drop)
            }
        }
    };
    match timeout_at(deadline, asked).await {
        Ok(Ok(())) => Ok(wire.into_inner()),
        Ok(Err(e)) => Err(outcome(e, wire.first())),
        // A server that wants a password says so and then waits for one.
        Err(_) if wire.first().len() < METHOD => Err(TlsOutcome::Proxy(ProxyFault::Silent)),
        Err(_) => Err(TlsOutcome::Proxy(ProxyFault::NoWord)),
    }
}

/// What is said of the endpoint is the endpoint's (RFC 1928 section 6); all else is the proxy's.
fn outcome(error: Error, first: &[u8]) -> TlsOutcome {
    use ProxyFault as P;
    let says = |words: &str| format!("the proxy says: {words}");
    TlsOutcome::Proxy(match error {
        Error::ConnectionRefused => return TlsOutcome::Refused,
        Error::HostUnreachable => return TlsOutcome::Unreachable(says("host unreachable")),
        // What microsocks and others say when the endpoint did not answer them in time.
        Error::TtlExpired => return TlsOutcome::Unreachable(says("TTL expired")),
        Error::ParseError(_) | Error::InvalidTargetAddress(_) => return TlsOutcome::CannotLook(error.to_string()),
        Error::Io(e) => broken(&e),
        Error::ConnectionNotAllowedByRuleset => P::NotAllowed("connection not allowed by ruleset".into()),
        Error::NetworkUnreachable => P::Failed("network unreachable".into()),
        Error::GeneralSocksServerFailure => P::Failed("general SOCKS server failure".into()),
        Error::CommandNotSupported => P::Failed("command not supported".into()),
        Error::AddressTypeNotSupported => P::Failed("address type not supported".into()),
        Error::ProxyServerUnreachable => P::NotReached(error.to_string()),
        Error::NoAcceptableAuthMethods | Error::AuthorizationRequired => {
            P::Authentication("no acceptable way to authenticate".into())
        }
        Error::PasswordAuthFailure(code) => P::Authentication(format!("user or password refused ({code})")),
        Error::InvalidAuthValues(why) => P::Authentication(why.into()),
        Error::IdentdAuthFailure | Error::InvalidUserIdAuthFailure => P::Authentication("identd".into()),
        Error::InvalidResponseVersion | Error::UnknownAuthMethod | Error::UnknownError => {
            P::NotThisProtocol(first.to_vec())
        }
        Error::InvalidReservedByte | Error::UnknownAddressType => P::NotThisProtocol(first.to_vec()),
    })
}
