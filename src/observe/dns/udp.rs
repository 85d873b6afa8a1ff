//! Questions over UDP: a few connected sockets and a table of what is in flight on them. No task of its own: whoever
//! asks polls it.
//!
//! A connected socket is told when the port is closed, and takes datagrams from its peer only. An answer has to hit the
//! port, the id and the question (RFC 5452 section 9).

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::ReadBuf;
use tokio::net::UdpSocket;
use tokio::time::Instant;

use super::random::Random;
use super::wire::{Fit, Question, Read};
use super::{Failure, Inquiry};
use crate::model::dns::DnsOutcome;

/// Sockets of one resolver, so that an answer has to guess the port too (RFC 5452 section 9.2).
const SOCKETS: usize = 4;

/// Datagrams sent for a question: the first and two retransmissions.
const SENDS: u32 = 3;

/// What became of a question.
pub enum Event {
    /// This.
    Over(Inquiry, DnsOutcome),
    /// Its answer did not fit into a datagram: it is to be asked again over TCP.
    Truncated(Inquiry),
}

/// A resolver asked over UDP.
pub struct Udp {
    peer: SocketAddr,
    sockets: [Option<UdpSocket>; SOCKETS],
    flights: HashMap<Key, Flight>,
    /// Those that the system did not take yet.
    unsent: Vec<Key>,
    /// Not later than the first time at which a question is to be sent again or given up.
    due: Option<Instant>,
    random: Random,
    buffer: Vec<u8>,
}

/// A socket and an id.
type Key = (usize, u16);

/// A question in flight.
struct Flight {
    inquiry: Inquiry,
    question: Question,
    /// Between two sendings.
    step: Duration,
    /// Sendings that are left.
    left: u32,
    due: Instant,
}

impl Udp {
    /// A resolver at an address; nothing is opened yet.
    pub fn new(peer: SocketAddr) -> Self {
        Self {
            peer,
            sockets: Default::default(),
            flights: HashMap::new(),
            unsent: Vec::new(),
            due: None,
            random: Random::default(),
            buffer: vec![0; usize::from(u16::MAX)],
        }
    }

    /// When to poll again at the latest.
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Asks; what becomes of it comes out of a poll.
    pub fn ask(&mut self, cx: &mut Context<'_>, now: Instant, inquiry: Inquiry, events: &mut Vec<Event>) {
        let mut question = match inquiry.question() {
            Ok(question) => question,
            Err(failure) => return events.push(Event::Over(inquiry, failure.into())),
        };
        let key = match self.free_key() {
            Ok(key) => key,
            Err(failure) => return events.push(Event::Over(inquiry, failure.into())),
        };
        question.set_id(key.1);
        let step = inquiry.deadline.saturating_duration_since(now) / SENDS;
        let due = inquiry.deadline;
        self.flights.insert(key, Flight { inquiry, question, step, left: SENDS, due });
        self.send(cx, key, events);
    }

    /// Receives all that came, sends again what is overdue, and gives up what has no time left.
    pub fn poll(&mut self, cx: &mut Context<'_>, now: Instant, events: &mut Vec<Event>) {
        (0..SOCKETS).for_each(|socket| self.receive(cx, now, socket, events));
        for key in std::mem::take(&mut self.unsent) {
            self.send(cx, key, events);
        }
        if self.due.is_some_and(|due| due <= now) {
            self.hurry(cx, now, events);
        }
    }

    /// A random socket, opened if it is not, and a random id that is not in use on it.
    fn free_key(&mut self) -> Result<Key, Failure> {
        loop {
            let random = self.random.next()?;
            let (socket, id) = ((random >> 16) as usize % SOCKETS, (random & 0xffff) as u16);
            if self.flights.contains_key(&(socket, id)) {
                continue;
            }
            if let Some(place @ None) = self.sockets.get_mut(socket) {
                *place = Some(open(self.peer).map_err(|e| failure(&e))?);
            }
            return Ok((socket, id));
        }
    }

    fn send(&mut self, cx: &mut Context<'_>, key: Key, events: &mut Vec<Event>) {
        let Some(flight) = self.flights.get_mut(&key) else { return };
        let Some(Some(io)) = self.sockets.get(key.0) else { return };
        match io.poll_send(cx, flight.question.bytes()) {
            Poll::Ready(Ok(_)) => {
                flight.left = flight.left.saturating_sub(1);
                flight.due = flight.inquiry.deadline - flight.step * flight.left;
            }
            // What the system tells of an earlier datagram is true of all of them.
            Poll::Ready(Err(e)) if is_closed(&e) => return self.fail(key.0, &e, events),
            Poll::Ready(Err(e)) => {
                let gone = self.flights.remove(&key);
                return events.extend(gone.map(|f| Event::Over(f.inquiry, failure(&e).into())));
            }
            Poll::Pending => {
                flight.due = flight.inquiry.deadline;
                self.unsent.push(key);
            }
        }
        let due = flight.due;
        self.due = Some(self.due.map_or(due, |d| d.min(due)));
    }

    fn receive(&mut self, cx: &mut Context<'_>, now: Instant, socket: usize, events: &mut Vec<Event>) {
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut error = None;
        while let Some(Some(io)) = self.sockets.get(socket) {
            let mut datagram = ReadBuf::new(&mut buffer);
            match io.poll_recv(cx, &mut datagram) {
                Poll::Ready(Ok(())) => self.take(cx, now, socket, datagram.filled(), events),
                // What came before the error is told after it.
                Poll::Ready(Err(e)) if error.is_none() => error = Some(e),
                Poll::Ready(Err(_)) | Poll::Pending => break,
            }
        }
        self.buffer = buffer;
        if let Some(error) = error {
            self.fail(socket, &error, events);
        }
    }

    /// Gives a datagram to the question that it answers; a foreign one to nobody.
    fn take(&mut self, cx: &mut Context<'_>, now: Instant, socket: usize, bytes: &[u8], events: &mut Vec<Event>) {
        let &[high, low, ..] = bytes else { return };
        let key = (socket, u16::from_be_bytes([high, low]));
        if self.flights.get(&key).is_none_or(|f| f.question.fit(bytes) == Fit::Foreign) {
            return;
        }
        let Some(Flight { mut inquiry, question, .. }) = self.flights.remove(&key) else { return };
        // A fault of a library is this question's only.
        match catch_unwind(AssertUnwindSafe(|| question.read(bytes, false, false))) {
            Ok(Read::Outcome(outcome)) => events.push(Event::Over(inquiry, outcome)),
            Ok(Read::Truncated) => events.push(Event::Truncated(inquiry)),
            Ok(Read::FormErr) if inquiry.edns => {
                inquiry.edns = false;
                self.ask(cx, now, inquiry, events);
            }
            Ok(Read::FormErr) => events.push(Event::Over(inquiry, DnsOutcome::Code(1))),
            Err(_) => events.push(Event::Over(inquiry, DnsOutcome::Malformed(crate::observe::jobs::FAULT.into()))),
        }
    }

    /// An ICMP error about a datagram, or a fault of the system: nothing will come here any more. The next question opens
    /// another port.
    fn fail(&mut self, socket: usize, error: &io::Error, events: &mut Vec<Event>) {
        let gone = self.flights.extract_if(|key, _| key.0 == socket);
        events.extend(gone.map(|(_, f)| Event::Over(f.inquiry, failure(error).into())));
        if let Some(place) = self.sockets.get_mut(socket) {
            *place = None;
        }
    }

    fn hurry(&mut self, cx: &mut Context<'_>, now: Instant, events: &mut Vec<Event>) {
        let over = |f: &Flight| f.due <= now && (f.left == 0 || f.inquiry.deadline <= now);
        let gone = self.flights.extract_if(|_, f| over(f));
        events.extend(gone.map(|(_, f)| Event::Over(f.inquiry, DnsOutcome::Timeout)));
        let late: Vec<Key> = self.flights.iter().filter(|(_, f)| f.due <= now).map(|(key, _)| *key).collect();
        for key in late {
            self.send(cx, key, events);
        }
        self.due = self.flights.values().map(|f| f.due).min();
    }
}

fn open(peer: SocketAddr) -> io::Result<UdpSocket> {
    let local: SocketAddr = match peer {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let io = std::net::UdpSocket::bind(local)?;
    io.connect(peer)?;
    io.set_nonblocking(true)?;
    UdpSocket::from_std(io)
}

/// Windows calls a closed port a reset (WSAECONNRESET).
fn is_closed(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused)
}

fn failure(error: &io::Error) -> Failure {
    match is_closed(error) {
        true => Failure::of(&io::ErrorKind::ConnectionRefused.into()),
        false => Failure::of(error),
    }
}
