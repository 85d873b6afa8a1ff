//! One question on its way.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::Failure;
use super::wire::{Question, Read};
use crate::model::dns::{DnsOutcome, RecordType};
use crate::model::name::Name;
use crate::observe::jobs::{Room, survive};

/// What is to be asked.
#[derive(Clone, Debug)]
pub struct Ask {
    /// By which the one who asks knows it again.
    pub number: usize,
    /// The name.
    pub name: Name,
    /// The type.
    pub kind: RecordType,
    /// Without validation.
    pub unchecked: bool,
    /// Out of the server's own zones.
    pub direct: bool,
    /// For all tries together.
    pub limit: Duration,
}

/// A question on its way.
pub struct Inquiry {
    /// What is asked.
    pub ask: Ask,
    /// When it was asked first.
    pub asked: Instant,
    /// When it is given up.
    pub deadline: Instant,
    /// With EDNS.
    pub edns: bool,
    /// How long it waits for room on this machine.
    pub room: Room,
}

impl Inquiry {
    /// A question that is asked now.
    pub fn new(ask: Ask, now: Instant) -> Self {
        Self { asked: now, deadline: now + ask.limit, edns: true, room: Room::new(ask.limit), ask }
    }

    /// Asks as if for the first time: it was this machine that took the time, not the resolver.
    pub fn begin(&mut self, now: Instant) {
        self.asked = now;
        self.deadline = now + self.ask.limit;
    }

    /// The question, its id zero.
    pub fn question(&self) -> Result<Question, Failure> {
        let Ask { name, kind, unchecked, direct, .. } = &self.ask;
        let question = Question::new(name, *kind, self.edns, *unchecked).map_err(Failure::Malformed)?;
        Ok(if *direct { question.without_recursion() } else { question })
    }

    /// Asks otherwise than over UDP, by a way of sending; once more as in 1987 if the server does not know EDNS (RFC 6891
    /// section 7). `after_truncation` says that the answer did not fit into a datagram (RFC 7766 section 5).
    pub async fn over<F>(mut self, after_truncation: bool, send: impl Fn(Arc<Question>) -> F) -> (Self, DnsOutcome)
    where
        F: Future<Output = Result<Vec<u8>, Failure>>,
    {
        loop {
            let read = async {
                let question = Arc::new(self.question()?);
                Ok(question.read(&send(question.clone()).await?, true, after_truncation))
            };
            match self.in_time(read).await {
                Read::FormErr if self.edns => self.edns = false,
                Read::FormErr => return (self, DnsOutcome::Code(1)),
                Read::Truncated => return (self, DnsOutcome::Malformed("truncated".into())),
                Read::Outcome(DnsOutcome::Unreachable(why)) if self.room.may_come(&why).await => {
                    self.begin(Instant::now());
                }
                Read::Outcome(outcome) => return (self, outcome),
            }
        }
    }

    async fn in_time(&self, read: impl Future<Output = Result<Read, Failure>>) -> Read {
        let outcome = match survive(timeout_at(self.deadline, read)).await {
            Ok(Ok(Ok(read))) => return read,
            Ok(Ok(Err(failure))) => failure.into(),
            Ok(Err(_)) => DnsOutcome::Timeout,
            Err(fault) => DnsOutcome::Malformed(fault.into()),
        };
        Read::Outcome(outcome)
    }
}
