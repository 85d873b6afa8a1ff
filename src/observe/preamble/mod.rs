//! Dialogues that upgrade to TLS: bytes in, wishes out; one file per protocol.

// An outcome is made once for a connection; to box it would save nothing that can be measured.
#![allow(clippy::result_large_err)]

mod imap;
mod pop3;
mod smtp;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::model::service::Protocol;
use crate::model::tls::{Stage, TlsOutcome};
use crate::observe::dial;
use crate::observe::tls::of_fault;

/// Bytes of one line.
const LINE: usize = 4 * 1024;
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

/// What a protocol makes of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Say {
    /// More lines.
    More,
    /// To send a line.
    Send(String),
    /// TLS begins now.
    GoAhead,
    /// Nothing more.
    End(TlsOutcome),
    /// This is not the protocol.
    Foreign,
}

/// A protocol that works line by line.
trait Lines: Send {
    /// What a first byte of this protocol may be.
    fn may_begin(&self, byte: u8) -> bool;

    /// Takes a line without its end.
    fn line(&mut self, line: &str) -> Say;

    /// True if bytes may stand behind the line that is answered now. Otherwise the peer does not listen to us, and what
    /// it says cannot be an answer.
    fn may_follow(&self, _rest: &[u8]) -> bool {
        false
    }
}

/// A dialogue: a protocol with its lines cut and counted.
pub struct Dialogue {
    protocol: Box<dyn Lines>,
    buffer: Vec<u8>,
    total: usize,
    lines: usize,
}

/// The dialogue of a protocol; without one, what to say of it. `ehlo` is our name for SMTP.
pub fn of(protocol: Protocol, ehlo: &str) -> Result<Dialogue, TlsOutcome> {
    let later = |name: &str| {
        let why = format!("STARTTLS for {name} is not supported in this release");
        Err(TlsOutcome::CannotLook(why))
    };
    match protocol {
        Protocol::Smtp => Ok(Dialogue::new(smtp::Smtp::new(ehlo))),
        Protocol::Imap => Ok(Dialogue::new(imap::Imap::new())),
        Protocol::Pop3 => Ok(Dialogue::new(pop3::Pop3::new())),
        Protocol::Ldap => later("ldap"),
        Protocol::Ftp => later("ftp"),
        Protocol::Xmpp => later("xmpp"),
        Protocol::Sieve => later("sieve"),
        Protocol::Postgres => later("postgres"),
        Protocol::Rdp => later("rdp"),
    }
}

impl Dialogue {
    fn new(protocol: impl Lines + 'static) -> Self {
        Self { protocol: Box::new(protocol), buffer: Vec::new(), total: 0, lines: 0 }
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
            _ => self.take_lines(),
        }
    }

    fn take_lines(&mut self) -> Step {
        while let Some(end) = self.buffer.iter().position(|b| *b == b'\n') {
            let line: Vec<u8> = self.buffer.drain(..=end).collect();
            self.lines += 1;
            if self.lines > LINES || line.len() > LINE {
                return too_large(format!("more than {LINES} lines, or one of more than {LINE} bytes, before TLS"));
            }
            let text = String::from_utf8_lossy(&line);
            match self.protocol.line(text.trim_end_matches(['\r', '\n'])) {
                Say::More => {}
                say => return self.step(say, &line),
            }
        }
        match self.buffer.len() {
            n if n > LINE => too_large(format!("a line of more than {LINE} bytes before TLS")),
            _ => Step::NeedMore,
        }
    }

    fn step(&mut self, say: Say, line: &[u8]) -> Step {
        match say {
            Say::More => Step::NeedMore,
            Say::Foreign => self.foreign(line),
            Say::End(outcome) => Step::Done(outcome),
            Say::Send(_) if !self.buffer.is_empty() && !self.protocol.may_follow(&self.buffer) => self.foreign(&[]),
            Say::Send(text) => Step::Send(format!("{text}\r\n").into_bytes()),
            Say::GoAhead if self.buffer.is_empty() => Step::GoAhead,
            Say::GoAhead => Step::Done(TlsOutcome::BytesAfterGoAhead(kept(&self.buffer))),
        }
    }

    fn foreign(&self, line: &[u8]) -> Step {
        Step::Done(TlsOutcome::NotThisProtocol(kept(&[line, &self.buffer].concat())))
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

/// Plays a dialogue on a connection until TLS may begin.
pub async fn run(io: &mut (impl AsyncRead + AsyncWrite + Unpin), mut dialogue: Dialogue) -> Result<(), TlsOutcome> {
    let failed = |e: std::io::Error| of_fault(dial::fault(&e), Stage::Dialogue);
    let mut buffer = vec![0; LINE];
    let mut step = Step::NeedMore;
    loop {
        step = match step {
            Step::GoAhead => return Ok(()),
            Step::Done(outcome) => return Err(outcome),
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;
    use crate::observe::file;

    /// A transcript: `C:` and `S:` lines, and after `=` how it ends.
    struct Transcript {
        file: String,
        protocol: Protocol,
        lines: Vec<(bool, String)>,
        end: String,
    }

    fn transcripts() -> Vec<Transcript> {
        file::folder("tests/transcripts").iter().map(|path| transcript(path)).collect()
    }

    fn transcript(path: &Path) -> Transcript {
        let stem = path.file_stem().unwrap().to_str().unwrap().to_string();
        let protocol = match stem.split('-').next().unwrap() {
            "smtp" => Protocol::Smtp,
            "imap" => Protocol::Imap,
            "pop3" => Protocol::Pop3,
            other => panic!("{other}: no such protocol"),
        };
        let text = String::from_utf8(file::read(path).unwrap()).unwrap();
        let (mut lines, mut end) = (Vec::new(), String::new());
        for line in text.lines().filter(|l| !l.starts_with('#') && !l.is_empty()) {
            match line.split_at(2) {
                ("C:", rest) => lines.push((true, format!("{}\r\n", rest.trim_start()))),
                ("S:", rest) => lines.push((false, format!("{}\r\n", rest.strip_prefix(' ').unwrap_or(rest)))),
                ("= ", rest) => end = rest.to_string(),
                _ => panic!("{stem}: {line}"),
            }
        }
        Transcript { file: stem, protocol, lines, end }
    }

    fn shown(step: &Step) -> String {
        match step {
            Step::GoAhead => "go ahead".into(),
            Step::Done(outcome) => outcome.to_string(),
            other => panic!("the dialogue goes on: {other:?}"),
        }
    }

    /// Gives the server's lines in pieces of a size, those between two of the client's together.
    fn play(transcript: &Transcript, piece: usize) -> String {
        let mut dialogue = of(transcript.protocol, "probe.example").unwrap();
        let mut step = Step::NeedMore;
        for group in transcript.lines.chunk_by(|a, b| a.0 == b.0) {
            let text: String = group.iter().map(|(_, line)| line.as_str()).collect();
            if group[0].0 {
                assert_eq!(step, Step::Send(text.into_bytes()), "{}", transcript.file);
                step = Step::NeedMore;
                continue;
            }
            for bytes in text.as_bytes().chunks(piece) {
                if step == Step::NeedMore {
                    step = dialogue.receive(bytes);
                }
            }
        }
        shown(&step)
    }

    #[test]
    fn every_transcript_ends_as_it_says() {
        for transcript in transcripts() {
            assert_eq!(play(&transcript, usize::MAX), transcript.end, "{}", transcript.file);
            // Whoever looks byte by byte cannot know what stands behind.
            if transcript.end.contains("after the go-ahead") || transcript.file.ends_with("out-of-turn") {
                continue;
            }
            let (bytes, kind) = (play(&transcript, 1), transcript.end.split(" protocol: ").next().unwrap());
            assert!(bytes.starts_with(kind), "{} by bytes: {bytes}", transcript.file);
        }
    }

    #[test]
    fn every_protocol_has_a_transcript_that_accepts_and_one_that_refuses() {
        let all = transcripts();
        for protocol in [Protocol::Smtp, Protocol::Imap, Protocol::Pop3] {
            let ends: Vec<_> = all.iter().filter(|t| t.protocol == protocol).map(|t| t.end.as_str()).collect();
            assert!(ends.contains(&"go ahead"), "{protocol:?}");
            assert!(ends.iter().any(|e| e.starts_with("STARTTLS refused")), "{protocol:?}");
        }
    }

    #[test]
    fn a_protocol_without_a_dialogue_says_so() {
        let Err(TlsOutcome::CannotLook(why)) = of(Protocol::Ldap, "x") else { panic!() };
        assert_eq!(why, "STARTTLS for ldap is not supported in this release");
    }

    #[test]
    fn what_a_server_sends_is_bounded() {
        let large = |bytes: &[u8]| {
            let step = of(Protocol::Smtp, "x").unwrap().receive(bytes);
            matches!(step, Step::Done(TlsOutcome::TooLarge(_)))
        };
        assert!(large(&[b'2'; LINE + 1]));
        assert!(large("220-a\r\n".repeat(LINES + 1).as_bytes()));
        assert!(large(&[b'2'; TOTAL + 1]));
        assert!(!large("220-a\r\n".repeat(LINES).as_bytes()));
    }

    fn protocols() -> impl Strategy<Value = Protocol> {
        prop::sample::select(vec![Protocol::Smtp, Protocol::Imap, Protocol::Pop3])
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(protocol in protocols(), pieces: Vec<Vec<u8>>) {
            let mut dialogue = of(protocol, "x").unwrap();
            for piece in pieces {
                match dialogue.receive(&piece) {
                    Step::NeedMore | Step::Send(_) => {}
                    Step::GoAhead => prop_assert!(false, "nothing was asked for"),
                    Step::Done(_) => break,
                }
            }
        }

        /// Whoever says everything at once, without listening, never gets a handshake.
        #[test]
        fn no_speech_without_listening_goes_ahead(protocol in protocols(), lines in prop::collection::vec(reply(), 1..12)) {
            let mut dialogue = of(protocol, "x").unwrap();
            prop_assert_ne!(dialogue.receive(lines.concat().as_bytes()), Step::GoAhead);
        }

        /// Whatever stands behind the go-ahead, TLS does not begin.
        #[test]
        fn bytes_behind_the_go_ahead_stop_it(rest in prop::collection::vec(any::<u8>(), 1..80)) {
            let mut dialogue = of(Protocol::Smtp, "x").unwrap();
            dialogue.receive(b"220 a\r\n");
            dialogue.receive(b"250-a\r\n250 STARTTLS\r\n");
            let step = dialogue.receive(&[b"220 go\r\n", &rest[..]].concat());
            prop_assert_eq!(step, Step::Done(TlsOutcome::BytesAfterGoAhead(kept(&rest))));
        }
    }

    fn reply() -> impl Strategy<Value = String> {
        let lines = [
            "220 go",
            "250-a",
            "250 STARTTLS",
            "* OK hi",
            "* CAPABILITY STARTTLS",
            "a1 OK",
            "a2 OK",
            "+OK",
            "STLS",
            ".",
        ];
        prop::sample::select(lines.to_vec()).prop_map(|l| format!("{l}\r\n"))
    }
}
