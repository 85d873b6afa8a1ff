//! Where this machine stands.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// The address from which this machine would speak to another; nothing is sent. `None` without a route.
pub fn local_address(towards: SocketAddr) -> Option<IpAddr> {
    let any = match towards {
        SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    // Connecting a UDP socket only chooses a route and a source address.
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect(towards).ok()?;
    socket.local_addr().ok().map(|a| a.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_reached_from_loopback() {
        let towards = SocketAddr::from((Ipv4Addr::LOCALHOST, 53));
        assert_eq!(local_address(towards), Some(IpAddr::V4(Ipv4Addr::LOCALHOST)));
    }
}
