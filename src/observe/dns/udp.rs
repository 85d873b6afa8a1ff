//! Questions over UDP: a few connected sockets and a table of what is in flight on them. No task of its own: whoever
//! asks polls it. An answer has to hit the port, the id and the question (RFC 5452 section 9).

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::ReadBuf;
use tokio::time::Instant;

use super::ports::{Key, Ports, SOCKETS, failure};
use super::wire::{Fit, Question, Read};
use super::{Failure, Inquiry};
use crate::model::dns::DnsOutcome;
use crate::observe::dial::is_our_limit;
use crate::observe::jobs::PAUSE;

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
    ports: Ports,
    flights: HashMap<Key, Flight>,
    /// Those that the system did not take yet.
    unsent: Vec<Key>,
    /// Those for which this machine had no room yet.
    roomless: Vec<Inquiry>,
    /// Not later than the first time at which a question is to be sent again or given up.
    due: Option<Instant>,
    buffer: Vec<u8>,
}

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
        Self::on(Ports::new(peer))
    }

    /// A resolver asked from these sockets.
    pub fn on(ports: Ports) -> Self {
        Self {
            ports,
            flights: HashMap::new(),
            unsent: Vec::new(),
            roomless: Vec::new(),
            due: None,
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
        let key = match self.ports.free(cx, |key| self.flights.contains_key(key)) {
            Ok(key) => key,
            Err(failure) => return self.put_off(now, inquiry, failure, events),
        };
        question.set_id(key.1);
        let step = inquiry.deadline.saturating_duration_since(now) / SENDS;
        let due = inquiry.deadline;
        self.flights.insert(key, Flight { inquiry, question, step, left: SENDS, due });
        self.send(cx, now, key, events);
    }

    /// Lets a question wait where this machine has no room for it: others close their sockets.
    fn put_off(&mut self, now: Instant, inquiry: Inquiry, failure: Failure, events: &mut Vec<Event>) {
        match &failure {
            Failure::Unreachable(why) if inquiry.room.is_awaited(why, now) => {
                self.roomless.push(inquiry);
                self.hurry_at(now + PAUSE);
            }
            _ => events.push(Event::Over(inquiry, failure.into())),
        }
    }

    fn hurry_at(&mut self, due: Instant) {
        self.due = Some(self.due.map_or(due, |d| d.min(due)));
    }

    /// Receives all that came, sends again what is overdue, and gives up what has no time left.
    pub fn poll(&mut self, cx: &mut Context<'_>, now: Instant, events: &mut Vec<Event>) {
        (0..SOCKETS).for_each(|socket| self.receive(cx, now, socket, events));
        for key in std::mem::take(&mut self.unsent) {
            self.send(cx, now, key, events);
        }
        if self.due.is_some_and(|due| due <= now) {
            self.hurry(cx, now, events);
        }
    }

    fn send(&mut self, cx: &mut Context<'_>, now: Instant, key: Key, events: &mut Vec<Event>) {
        let Some(flight) = self.flights.get_mut(&key) else { return };
        match self.ports.poll_send(cx, key.0, flight.question.bytes()) {
            Poll::Ready(Ok(_)) => {
                flight.left = flight.left.saturating_sub(1);
                flight.due = flight.inquiry.deadline - flight.step * flight.left;
            }
            Poll::Ready(Err(e)) => return self.refuse(now, key, &e, events),
            Poll::Pending => {
                flight.due = flight.inquiry.deadline;
                self.unsent.push(key);
            }
        }
        let due = flight.due;
        self.hurry_at(due);
    }

    /// What the system tells of an earlier datagram is true of all of them; that it has no room, of this one.
    fn refuse(&mut self, now: Instant, key: Key, error: &io::Error, events: &mut Vec<Event>) {
        let failure = failure(error);
        match &failure {
            Failure::Unreachable(why) if is_our_limit(why) => {
                if let Some(flight) = self.flights.remove(&key) {
                    self.put_off(now, flight.inquiry, failure, events);
                }
            }
            _ => self.fail(key.0, &failure, events),
        }
    }

    fn receive(&mut self, cx: &mut Context<'_>, now: Instant, socket: usize, events: &mut Vec<Event>) {
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut error = None;
        loop {
            let mut datagram = ReadBuf::new(&mut buffer);
            match self.ports.poll_receive(cx, socket, &mut datagram) {
                Poll::Ready(Ok(())) => self.take(cx, now, socket, datagram.filled(), events),
                // What came before the error is told after it.
                Poll::Ready(Err(e)) if error.is_none() => error = Some(e),
                Poll::Ready(Err(_)) | Poll::Pending => break,
            }
        }
        self.buffer = buffer;
        if let Some(error) = error {
            self.fail(socket, &failure(&error), events);
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
    fn fail(&mut self, socket: usize, failure: &Failure, events: &mut Vec<Event>) {
        let gone = self.flights.extract_if(|key, _| key.0 == socket);
        events.extend(gone.map(|(_, f)| Event::Over(f.inquiry, failure.clone().into())));
        self.ports.close(socket);
    }

    fn hurry(&mut self, cx: &mut Context<'_>, now: Instant, events: &mut Vec<Event>) {
        let over = |f: &Flight| f.due <= now && (f.left == 0 || f.inquiry.deadline <= now);
        let gone = self.flights.extract_if(|_, f| over(f));
        events.extend(gone.map(|(_, f)| Event::Over(f.inquiry, DnsOutcome::Timeout)));
        let late: Vec<Key> = self.flights.iter().filter(|(_, f)| f.due <= now).map(|(key, _)| *key).collect();
        for key in late {
            self.send(cx, now, key, events);
        }
        self.due = self.flights.values().map(|f| f.due).min();
        for mut inquiry in std::mem::take(&mut self.roomless) {
            inquiry.begin(now);
            self.ask(cx, now, inquiry, events);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Duration;

    use tokio::time::timeout_at;

    use super::super::Ask;
    use super::*;
    use crate::model::dns::RecordType;
    use crate::model::name::Name;
    use crate::observe::testbed;

    /// Asks from sockets of which only some can be opened.
    async fn ask_all(peer: SocketAddr, may: fn(usize) -> bool, limit: Duration, count: usize) -> Vec<DnsOutcome> {
        let mut udp = Udp::on(Ports::limited(peer, may));
        let (mut events, mut outcomes) = (Vec::new(), Vec::new());
        let name = Name::parse("mail.domain.com").unwrap();
        poll_fn(|cx| {
            for number in 0..count {
                let ask =
                    Ask { number, name: name.clone(), kind: RecordType::A, unchecked: false, direct: false, limit };
                udp.ask(cx, Instant::now(), Inquiry::new(ask, Instant::now()), &mut events);
            }
            Poll::Ready(())
        })
        .await;
        while outcomes.len() < count {
            let due = udp.due().unwrap();
            let polled = poll_fn(|cx| {
                udp.poll(cx, Instant::now(), &mut events);
                if events.is_empty() { Poll::Pending } else { Poll::Ready(()) }
            });
            let _ = timeout_at(due, polled).await;
            for event in events.drain(..) {
                let Event::Over(_, outcome) = event else { panic!("truncated") };
                outcomes.push(outcome);
            }
        }
        outcomes
    }

    fn are_answers(outcomes: &[DnsOutcome]) -> bool {
        outcomes.iter().all(|o| matches!(o, DnsOutcome::Answer(_)))
    }

    #[tokio::test]
    async fn one_socket_does_where_no_other_can_be_opened() {
        let peer = testbed::udp(|_, query| vec![testbed::answer(&query)]).await;
        assert!(are_answers(&ask_all(peer, |tried| tried == 0, Duration::from_secs(20), 64).await));
    }

    /// The waiting takes longer than the resolver's limit, and nothing from it.
    #[tokio::test]
    async fn room_for_a_socket_is_waited_for() {
        let peer = testbed::udp(|_, query| vec![testbed::answer(&query)]).await;
        let limit = PAUSE * 20;
        let begun = Instant::now();
        assert!(are_answers(&ask_all(peer, |tried| tried > 24, limit, 1).await));
        assert!(begun.elapsed() > limit);
    }

    #[tokio::test]
    async fn room_that_never_comes_is_told_as_this_machines_limit() {
        let nobody = testbed::nobody();
        for outcome in ask_all(nobody, |_| false, Duration::from_millis(10), 3).await {
            assert!(matches!(&outcome, DnsOutcome::Unreachable(why) if is_our_limit(why)), "{outcome:?}");
        }
    }
}
