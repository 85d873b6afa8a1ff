//! The bare DNS loop: one connected socket per resolver, a window of questions in flight.

use std::net::UdpSocket;
use std::thread;
use std::time::Duration;

use crate::world::World;

/// Questions in flight at each resolver.
const WINDOW: usize = 128;

/// Asks every resolver its half of A and AAAA for every name; how many answers were right.
pub fn all(world: &World) -> usize {
    let halves = world.names.chunks(world.names.len().div_ceil(2));
    thread::scope(|scope| {
        let asked: Vec<_> = world
            .at
            .dns
            .iter()
            .zip(halves)
            .map(|(resolver, names)| scope.spawn(move || ask(*resolver, names)))
            .collect();
        asked.into_iter().map(|a| a.join().expect("a thread that ends")).sum()
    })
}

fn ask(resolver: std::net::SocketAddr, names: &[String]) -> usize {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    socket.connect(resolver).expect("a resolver");
    socket.set_read_timeout(Some(Duration::from_secs(5))).expect("a limit");
    let mut questions = names.iter().enumerate().flat_map(|(i, n)| [(2 * i, n, 1), (2 * i + 1, n, 28)]);
    let mut send = || match questions.next() {
        Some((id, name, kind)) => socket.send(&query(id as u16, name, kind)).is_ok(),
        None => false,
    };
    let mut flight = (0..WINDOW).take_while(|_| send()).count();
    let (mut right, mut buffer) = (0, [0; 1232]);
    while flight > 0 {
        let len = socket.recv(&mut buffer).expect("an answer in time");
        // An address at the end of a whole answer, or none where none was asked for.
        let nothing = buffer[7] == 0 && buffer[len - 4..len] == [0, 28, 0, 1];
        right += usize::from(nothing || buffer[7] == 1 && buffer[len - 4..len] == [127, 0, 0, 1]);
        flight -= usize::from(!send());
    }
    right
}

/// A question with recursion desired (RFC 1035 section 4.1).
fn query(id: u16, name: &str, kind: u8) -> Vec<u8> {
    let mut out = id.to_be_bytes().to_vec();
    out.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.split('.') {
        out.push(label.len() as u8);
        out.extend(label.as_bytes());
    }
    out.extend([0, 0, kind, 0, 1]);
    out
}
