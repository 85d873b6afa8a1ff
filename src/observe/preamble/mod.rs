//! Dialogues that upgrade to TLS: bytes in, wishes out; one file per protocol.

// An outcome is made once for a connection; to box it would save nothing that can be measured.
#![allow(clippy::result_large_err)]

mod farewell;
mod ftp;
mod imap;
mod ldap;
mod pop3;
mod postgres;
mod rdp;
mod sieve;
mod smtp;
#[cfg(test)]
mod tests;
mod xmpp;

pub use farewell::of as farewell;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::model::service::Protocol as Word;
use crate::model::tls::{Stage, TlsOutcome};
use crate::observe::dial;
use crate::observe::tls::of_fault;

/// Bytes of one line.
const LINE: usize = 4 * 1024;
/// Bytes that are read at a time: replies are short, and connections many.
const READ: usize = 512;
/// Bytes of all lines.
const TOTAL: usize = 64 * 1024;
/// Lines.
const LINES: usize = 100;
/// Bytes that are kept of what is not the protocol, and of what comes after the go-ahead.
const KEPT: usize = 64;
/// Characters that are kept of a server's words.
const WORDS: usize = 500;

/// What a dialogue wants next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// To send these bytes, and then to be given what comes; nothing may have come until then.
    Send(Vec<u8>),
    /// More bytes.
    NeedMore,
    /// TLS begins now.
    GoAhead,
    /// Nothing more: the outcome.
    Done(TlsOutcome),
}

/// What a protocol makes of what came.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Say {
    /// More.
    More,
    /// To send.
    Send(Vec<u8>),
    /// TLS begins now.
    GoAhead,
    /// Nothing more.
    End(TlsOutcome),
    /// This is not the protocol.
    Foreign,
}

impl Say {
    /// To send a line.
    fn line(text: &str) -> Self {
        Self::Send(format!("{text}\r\n").into_bytes())
    }
}

/// Where the next piece of a protocol ends.
enum Cut {
    /// After so many bytes.
    At(usize),
    /// Not yet.
    More,
    /// This is not the protocol.
    Foreign,
}

/// A protocol that is spoken before TLS.
trait Protocol: Send {
    /// What we say first; nothing where the server greets.
    fn opening(&mut self) -> Option<Vec<u8>> {
        None
    }

    /// What a first byte of this protocol may be.
    fn may_begin(&self, byte: u8) -> bool;

    /// Where the next piece of what came ends: a line, unless the protocol says otherwise.
    fn cut(&self, buffer: &[u8]) -> Cut {
        match buffer.iter().position(|b| *b == b'\n') {
            Some(end) => Cut::At(end + 1),
            None => Cut::More,
        }
    }

    /// Takes a piece: by default a line, without its end.
    fn take(&mut self, piece: &[u8]) -> Say {
        self.line(String::from_utf8_lossy(piece).trim_end_matches(['\r', '\n']))
    }

    /// Takes a line without its end.
    fn line(&mut self, _line: &str) -> Say {
        Say::Foreign
    }

    /// True if bytes may stand behind the piece that is answered now. Otherwise the peer does not listen to us, and what
    /// it says cannot be an answer.
    fn may_follow(&self, _rest: &[u8]) -> bool {
        false
    }
}

/// A dialogue: a protocol with its pieces cut and counted.
pub struct Dialogue {
    protocol: Box<dyn Protocol>,
    word: Word,
    buffer: Vec<u8>,
    total: usize,
    pieces: usize,
}

/// The dialogue of a protocol. `ehlo` is our name for SMTP; `name` is whom an XMPP client asks for.
pub fn of(protocol: Word, ehlo: &str, name: &str) -> Dialogue {
    let spoken: Box<dyn Protocol> = match protocol {
        Word::Smtp => Box::new(smtp::Smtp::new(ehlo)),
        Word::Imap => Box::new(imap::Imap::new()),
        Word::Pop3 => Box::new(pop3::Pop3::new()),
        Word::Ldap => Box::new(ldap::Ldap),
        Word::Ftp => Box::new(ftp::Ftp::new()),
        Word::Xmpp => Box::new(xmpp::Xmpp::new(name, xmpp::CLIENT)),
        Word::XmppServer => Box::new(xmpp::Xmpp::new(name, xmpp::SERVER)),
        Word::Sieve => Box::new(sieve::Sieve::new()),
        Word::Postgres => Box::new(postgres::Postgres),
        Word::Rdp => Box::new(rdp::Rdp),
    };
    Dialogue { protocol: spoken, word: protocol, buffer: Vec::new(), total: 0, pieces: 0 }
}

impl Dialogue {
    /// What is wanted before anything has come.
    pub fn begin(&mut self) -> Step {
        self.protocol.opening().map_or(Step::NeedMore, Step::Send)
    }

    /// Takes bytes and says what is wanted next. After `Send`, it wants what comes then.
    pub fn receive(&mut self, bytes: &[u8]) -> Step {
        let begins = self.total == 0;
        self.total = self.total.saturating_add(bytes.len());
        if self.total > TOTAL {
            return too_large(format!("more than {TOTAL} bytes before TLS"));
        }
        self.buffer.extend_from_slice(bytes);
        match self.buffer.first() {
            Some(first) if begins && !self.protocol.may_begin(*first) => self.foreign(&[]),
            _ => self.take_pieces(),
        }
    }

    fn take_pieces(&mut self) -> Step {
        loop {
            let end = match self.protocol.cut(&self.buffer) {
                Cut::At(end) => end.min(self.buffer.len()),
                Cut::More if self.buffer.len() > LINE => {
                    return too_large(format!("a line of more than {LINE} bytes before TLS"));
                }
                Cut::More => return Step::NeedMore,
                Cut::Foreign => return self.foreign(&[]),
            };
            let piece: Vec<u8> = self.buffer.drain(..end).collect();
            self.pieces += 1;
            if self.pieces > LINES || piece.len() > LINE {
                return too_large(format!("more than {LINES} lines, or one of more than {LINE} bytes, before TLS"));
            }
            match self.protocol.take(&piece) {
                Say::More if self.buffer.is_empty() => return Step::NeedMore,
                Say::More => {}
                say => return self.step(say, &piece),
            }
        }
    }

    fn step(&mut self, say: Say, piece: &[u8]) -> Step {
        match say {
            Say::More => Step::NeedMore,
            Say::Foreign => self.foreign(piece),
            Say::End(outcome) => Step::Done(outcome),
            Say::Send(_) if !self.buffer.is_empty() && !self.protocol.may_follow(&self.buffer) => self.foreign(&[]),
            Say::Send(bytes) => Step::Send(bytes),
            Say::GoAhead if self.buffer.is_empty() => Step::GoAhead,
            Say::GoAhead => Step::Done(TlsOutcome::BytesAfterGoAhead(kept(&self.buffer))),
        }
    }

    fn foreign(&self, piece: &[u8]) -> Step {
        Step::Done(TlsOutcome::NotThisProtocol(kept(&[piece, &self.buffer].concat())))
    }
}

fn kept(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().take(KEPT).copied().collect()
}

fn too_large(what: String) -> Step {
    Step::Done(TlsOutcome::TooLarge(what))
}

/// A server's words, bounded.
fn words(text: &str) -> String {
    text.chars().take(WORDS).collect()
}

/// Speaks a protocol to a server until TLS may begin; `name` is whom the client asks for.
pub(crate) async fn upgraded(
    io: &mut (impl AsyncRead + AsyncWrite + Unpin),
    protocol: Word,
    name: &str,
) -> Result<(), TlsOutcome> {
    run(io, of(protocol, "client.invalid", name)).await
}

/// Plays a dialogue on a connection until TLS may begin.
pub async fn run(io: &mut (impl AsyncRead + AsyncWrite + Unpin), mut dialogue: Dialogue) -> Result<(), TlsOutcome> {
    let failed = |e: std::io::Error| of_fault(dial::fault(&e), Stage::Dialogue);
    let mut buffer = [0; READ];
    let mut step = dialogue.begin();
    loop {
        step = match step {
            Step::GoAhead => return Ok(()),
            Step::Done(outcome) => {
                if farewell::is_heard(&outcome) {
                    // Whether it arrives does not matter any more.
                    let _ = io.write_all(farewell::of(dialogue.word)).await;
                }
                return Err(outcome);
            }
            Step::Send(bytes) => {
                io.write_all(&bytes).await.map_err(failed)?;
                Step::NeedMore
            }
            Step::NeedMore => match io.read(&mut buffer).await.map_err(failed)? {
                0 => return Err(TlsOutcome::Closed(Stage::Dialogue)),
                n => dialogue.receive(buffer.get(..n).unwrap_or_default()),
            },
        };
    }
}
