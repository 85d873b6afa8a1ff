//! Questions over UDP: a few connected sockets, each with a table of ids and one task that receives.
//!
//! A connected socket is told when the port is closed, and takes datagrams from its peer only.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use super::Failure;
use super::wire::{Fit, Question};

/// Sockets of one resolver, so that an answer has to guess the port too (RFC 5452 section 9.2).
const SOCKETS: usize = 4;

/// Datagrams sent for a question: the first and two retransmissions.
const SENDS: u32 = 3;

/// Errors in a row after which a socket is not listened to any more.
const ERRORS: u32 = 100;

/// What the one who asked is told: the datagram, or why none comes.
type Reply = Result<Vec<u8>, Failure>;

/// A resolver asked over UDP.
pub struct Udp {
    peer: SocketAddr,
    sockets: [Mutex<Option<Arc<Socket>>>; SOCKETS],
    turn: AtomicUsize,
}

struct Socket {
    shared: Arc<Shared>,
    receiver: JoinHandle<()>,
}

struct Shared {
    io: UdpSocket,
    waiting: Mutex<HashMap<u16, Waiting>>,
}

struct Waiting {
    question: Arc<Question>,
    answer: oneshot::Sender<Reply>,
}

/// An entry in the table of ids, taken out again whatever becomes of the question.
struct Entry<'a> {
    shared: &'a Shared,
    question: &'a Arc<Question>,
    id: u16,
}

impl Udp {
    /// A resolver at an address; nothing is opened yet.
    pub fn new(peer: SocketAddr) -> Self {
        Self { peer, sockets: Default::default(), turn: AtomicUsize::new(0) }
    }

    /// Asks, twice again at a third and two thirds of the time, and waits for the answer.
    pub async fn ask(&self, question: &Arc<Question>, deadline: Instant) -> Result<Vec<u8>, Failure> {
        let socket = self.socket().map_err(|e| failure(&e))?;
        let (entry, mut answer) = socket.shared.enter(question)?;
        let bytes = question.with_id(entry.id);
        let step = deadline.saturating_duration_since(Instant::now()) / SENDS;
        for left in (0..SENDS).rev() {
            socket.shared.io.send(&bytes).await.map_err(|e| failure(&e))?;
            match timeout_at(deadline - step * left, &mut answer).await {
                Ok(Ok(answer)) => return answer,
                Ok(Err(_)) => return Err(Failure::Unreachable("the socket was closed".into())),
                Err(_) => {}
            }
        }
        Err(Failure::Timeout)
    }

    fn socket(&self) -> io::Result<Arc<Socket>> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % SOCKETS;
        let mut place = lock(&self.sockets[turn]);
        match &*place {
            Some(socket) if !socket.receiver.is_finished() => Ok(socket.clone()),
            _ => Ok(place.insert(Arc::new(Socket::open(self.peer)?)).clone()),
        }
    }
}

impl Socket {
    fn open(peer: SocketAddr) -> io::Result<Self> {
        let local: SocketAddr = match peer {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let io = std::net::UdpSocket::bind(local)?;
        io.connect(peer)?;
        io.set_nonblocking(true)?;
        let shared = Arc::new(Shared { io: UdpSocket::from_std(io)?, waiting: Mutex::default() });
        Ok(Self { receiver: tokio::spawn(receive(shared.clone())), shared })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.receiver.abort();
    }
}

impl Shared {
    /// Takes a random id that is not in use.
    fn enter<'a>(&'a self, question: &'a Arc<Question>) -> Result<(Entry<'a>, oneshot::Receiver<Reply>), Failure> {
        let mut waiting = lock(&self.waiting);
        if waiting.len() > usize::from(u16::MAX) / 2 {
            return Err(Failure::Unreachable("too many questions at once".into()));
        }
        loop {
            let id = super::random_id()?;
            if waiting.contains_key(&id) {
                continue;
            }
            let (answer, receiver) = oneshot::channel();
            waiting.insert(id, Waiting { question: question.clone(), answer });
            return Ok((Entry { shared: self, question, id }, receiver));
        }
    }

    /// Gives a datagram to the question that it answers; a foreign one to nobody.
    fn deliver(&self, datagram: &[u8]) {
        let &[high, low, ..] = datagram else { return };
        let id = u16::from_be_bytes([high, low]);
        let mut waiting = lock(&self.waiting);
        if waiting.get(&id).is_some_and(|w| w.question.fit(datagram) == Fit::Answer)
            && let Some(found) = waiting.remove(&id)
        {
            let _ = found.answer.send(Ok(datagram.to_vec()));
        }
    }

    fn fail_all(&self, error: &io::Error) {
        for (_, waiting) in lock(&self.waiting).drain() {
            let _ = waiting.answer.send(Err(failure(error)));
        }
    }
}

impl Drop for Entry<'_> {
    /// An answer has freed the id, and another question may have it by now.
    fn drop(&mut self) {
        let mut waiting = lock(&self.shared.waiting);
        if waiting.get(&self.id).is_some_and(|w| Arc::ptr_eq(&w.question, self.question)) {
            waiting.remove(&self.id);
        }
    }
}

async fn receive(shared: Arc<Shared>) {
    let mut buffer = vec![0; usize::from(u16::MAX)];
    let mut errors = 0;
    while errors < ERRORS {
        match shared.io.recv(&mut buffer).await {
            Ok(length) => {
                errors = 0;
                shared.deliver(buffer.get(..length).unwrap_or_default());
            }
            // An ICMP error about a datagram of ours, or a fault of the system: no answer will come.
            Err(e) => {
                errors += 1;
                shared.fail_all(&e);
            }
        }
        if errors > 1 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

/// Windows calls a closed port a reset (WSAECONNRESET).
fn failure(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::ConnectionReset => Failure::of(&io::ErrorKind::ConnectionRefused.into()),
        _ => Failure::of(error),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::dns::RecordType;
    use crate::model::name::Name;
    use crate::observe::testbed;

    #[tokio::test]
    async fn who_leaves_late_takes_only_their_own_entry_along() {
        let question = |name| Arc::new(Question::new(&Name::parse(name).unwrap(), RecordType::A, true).unwrap());
        let (first, second) = (question("a.domain.com"), question("b.domain.com"));
        let socket = Socket::open(testbed::udp(|_, _| vec![]).await).unwrap();
        let (entry, mut given) = socket.shared.enter(&first).unwrap();
        socket.shared.deliver(&testbed::answer(&first.with_id(entry.id)));
        assert!(given.try_recv().unwrap().is_ok());
        let (answer, mut waits) = oneshot::channel();
        lock(&socket.shared.waiting).insert(entry.id, Waiting { question: second, answer });
        drop(entry);
        assert_eq!(waits.try_recv(), Err(oneshot::error::TryRecvError::Empty));
    }
}
