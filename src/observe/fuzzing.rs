//! Bytes from the network without a network, for fuzzing: no part of the library's promises.
#![allow(clippy::result_large_err, reason = "an outcome is made once; to box it would save nothing")]

use super::dns::wire::{Fit, Question, Read};
use super::preamble::{self, Step};
use crate::model::dns::{DnsOutcome, RecordType};
use crate::model::name::Name;
use crate::model::service::Protocol;
use crate::model::tls::TlsOutcome;

/// What becomes of a question when these bytes come; `None` if they are no answer to it, or make the asker ask again.
pub fn dns_outcome(name: &Name, kind: RecordType, answer: &[u8], stream: bool) -> Option<DnsOutcome> {
    let question = Question::new(name, kind, true).ok()?;
    match (question.fit(answer), question.read(answer, stream, false)) {
        (Fit::Answer, Read::Outcome(outcome)) => Some(outcome),
        _ => None,
    }
}

/// Plays a dialogue with a server that sends these pieces, each after it has heard us or when we want more.
/// `Ok` with the number of pieces taken if TLS may begin; `Err` with how it ended, or `None` if it waits for more.
pub fn dialogue<'a>(
    protocol: Protocol,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<usize, Option<TlsOutcome>> {
    let mut dialogue = preamble::of(protocol, "probe.example", "mail.example");
    dialogue.begin();
    for (i, piece) in pieces.into_iter().enumerate() {
        match dialogue.receive(piece) {
            Step::NeedMore | Step::Send(_) => {}
            Step::GoAhead => return Ok(i + 1),
            Step::Done(outcome) => return Err(Some(outcome)),
        }
    }
    Err(None)
}
