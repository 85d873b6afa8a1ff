//! DNS messages octet by octet (RFC 1035 section 4.1), and resolvers that send them.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::UdpSocket;

/// A question as it came.
#[derive(Clone)]
pub struct Query(pub Vec<u8>);

impl Query {
    /// The question section's end.
    fn end(&self) -> usize {
        let mut at = 12;
        while self.0[at] != 0 {
            at += 1 + usize::from(self.0[at]);
        }
        at + 5
    }

    /// The name, without its final dot.
    pub fn name(&self) -> String {
        let (mut at, mut labels) = (12, Vec::new());
        while self.0[at] != 0 {
            let end = at + 1 + usize::from(self.0[at]);
            labels.push(String::from_utf8(self.0[at + 1..end].to_vec()).unwrap());
            at = end;
        }
        labels.join(".")
    }

    /// The number of the type that it asks for.
    pub fn kind(&self) -> u16 {
        u16::from_be_bytes([self.0[self.end() - 4], self.0[self.end() - 3]])
    }

    /// True if it asks for IPv4 addresses.
    pub fn is_for_a(&self) -> bool {
        self.kind() == 1
    }

    /// True if it has an OPT record (RFC 6891).
    pub fn has_edns(&self) -> bool {
        self.0[11] == 1
    }

    /// An answer: flags, the number of answers that the header claims, and what stands behind the question.
    pub fn answer(&self, flags: [u8; 2], count: u16, body: &[u8]) -> Vec<u8> {
        let [high, low] = count.to_be_bytes();
        let header = [self.0[0], self.0[1], flags[0], flags[1], 0, 1, high, low, 0, 0, 0, 0];
        [&header, &self.0[12..self.end()], body].concat()
    }

    /// The offset behind the question section, where the first answer stands.
    pub fn behind(&self) -> u16 {
        self.end() as u16
    }
}

/// A response by a resolver that recurses, without an error.
pub const FINE: [u8; 2] = [0x81, 0x80];
/// The same, truncated.
pub const TRUNCATED: [u8; 2] = [0x83, 0x80];
/// The same: the query was not understood.
pub const FORMERR: [u8; 2] = [0x81, 0x81];
/// The same: the name does not exist.
pub const NXDOMAIN: [u8; 2] = [0x81, 0x83];

/// The name that was asked for, by a pointer to it.
pub const ASKED: [u8; 2] = [0xc0, 12];

/// An address of the name that was asked for.
pub fn record(address: Ipv4Addr) -> Vec<u8> {
    owned(&ASKED, 1, &address.octets())
}

/// A record of a class IN, with a TTL of 300.
pub fn owned(owner: &[u8], kind: u16, data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u16).to_be_bytes();
    [owner, &kind.to_be_bytes(), &[0, 1, 0, 0, 1, 44], &length, data].concat()
}

/// A good answer with these records.
pub fn reply(query: &Query, records: &[Vec<u8>]) -> Vec<u8> {
    query.answer(FINE, records.len() as u16, &records.concat())
}

/// A resolver over UDP that sends some datagrams for each question.
pub async fn resolver(play: impl Fn(&Query) -> Vec<Vec<u8>> + Send + 'static) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(answer(socket, play));
    address
}

/// As [`resolver`], on a socket that stands already.
pub async fn answer(socket: UdpSocket, play: impl Fn(&Query) -> Vec<Vec<u8>> + Send + 'static) {
    let mut buffer = [0; 4096];
    while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
        for datagram in play(&Query(buffer[..length].to_vec())) {
            let _ = socket.send_to(&datagram, from).await;
        }
    }
}
