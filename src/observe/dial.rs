//! TCP connections, and what the system's errors mean.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};

use tokio::net::TcpStream;

/// What an error of a socket says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nobody listens there.
    Refused,
    /// The system itself waited long enough.
    Timeout,
    /// Closed or reset by the peer.
    Closed,
    /// No way there: the system's words.
    Unreachable(String),
    /// The fault is this machine's or ours, and says nothing of the peer.
    Ours(String),
}

/// Connects at once: small messages are not held back.
pub async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// True for addresses that stand for no other machine: to dial the unspecified address is to dial oneself.
pub fn is_no_host(address: IpAddr) -> bool {
    let broadcast = matches!(address, IpAddr::V4(v4) if v4.is_broadcast());
    address.is_unspecified() || address.is_multicast() || broadcast
}

/// What an error says. A limit of this machine (open files, ports) must not be told as the peer's fault.
pub fn fault(error: &io::Error) -> Fault {
    match error.kind() {
        ErrorKind::ConnectionRefused => Fault::Refused,
        ErrorKind::TimedOut => Fault::Timeout,
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::NotConnected
        | ErrorKind::UnexpectedEof => Fault::Closed,
        // Somebody on the way, or what TLS says of a peer.
        ErrorKind::HostUnreachable | ErrorKind::InvalidData => Fault::Unreachable(error.to_string()),
        ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => {
            Fault::Ours(format!("this machine has no route there: {error}"))
        }
        _ if is_short(error) => Fault::Ours(format!("{SHORT}{error}")),
        ErrorKind::PermissionDenied => Fault::Ours(format!("this machine does not let it out: {error}")),
        _ => Fault::Ours(error.to_string()),
    }
}

/// Begins the words of a fault that comes of a limit of this machine and may be over soon.
const SHORT: &str = "this machine's limit is reached: ";

/// True of the words that [`fault`] has for too many open files, or no room for another socket.
pub fn is_our_limit(words: &str) -> bool {
    words.starts_with(SHORT)
}

/// Too many open files (of the process, of the system), no room for buffers, no memory.
fn is_short(error: &io::Error) -> bool {
    let code = error.raw_os_error();
    match () {
        () if cfg!(windows) => matches!(code, Some(10024 | 10055)),
        () if cfg!(target_os = "linux") => matches!(code, Some(23 | 24 | 105 | 12)),
        // The BSDs and macOS
        () => matches!(code, Some(23 | 24 | 55 | 12)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machines_limits_are_not_the_peers_fault() {
        let of = |kind: ErrorKind| fault(&io::Error::from(kind));
        assert_eq!(of(ErrorKind::ConnectionRefused), Fault::Refused);
        assert_eq!(of(ErrorKind::ConnectionReset), Fault::Closed);
        assert!(matches!(of(ErrorKind::HostUnreachable), Fault::Unreachable(_)));
        for ours in [ErrorKind::AddrNotAvailable, ErrorKind::NetworkUnreachable, ErrorKind::PermissionDenied] {
            assert!(matches!(of(ours), Fault::Ours(_)), "{ours}");
        }
        #[cfg(unix)]
        assert!(
            matches!(fault(&io::Error::from_raw_os_error(24)), Fault::Ours(words) if is_our_limit(&words)),
            "too many open files"
        );
    }

    #[test]
    fn what_is_no_host_is_not_dialled() {
        for (address, no_host) in [("0.0.0.0", true), ("::", true), ("224.0.0.1", true), ("10.0.0.255", false)] {
            assert_eq!(is_no_host(address.parse().unwrap()), no_host, "{address}");
        }
    }
}
