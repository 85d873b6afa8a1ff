//! IMAP (RFC 9051 section 6.2.1).

use super::{Protocol, Say, words};
use crate::model::tls::TlsOutcome;

/// A dialogue with an IMAP server.
pub struct Imap {
    state: State,
    offered: bool,
}

#[derive(Clone, Copy)]
enum State {
    Greeting,
    Capability,
    Starttls,
}

/// The tag of CAPABILITY.
const ASK: &str = "a1";
/// The tag of STARTTLS.
const UPGRADE: &str = "a2";

impl Imap {
    /// A dialogue.
    pub fn new() -> Self {
        Self { state: State::Greeting, offered: false }
    }

    fn greeting(&mut self, word: &str, line: &str) -> Say {
        match word {
            "OK" => {
                self.offered = offers_starttls(line);
                match self.offered {
                    true => self.upgrade(),
                    false => {
                        self.state = State::Capability;
                        Say::line(&format!("{ASK} CAPABILITY"))
                    }
                }
            }
            // Logged in already, where STARTTLS is not valid any more.
            "PREAUTH" => Say::End(TlsOutcome::StarttlsRefused(words(line))),
            "BYE" => Say::End(TlsOutcome::TryLater(words(line))),
            _ => Say::Foreign,
        }
    }

    fn upgrade(&mut self) -> Say {
        self.state = State::Starttls;
        Say::line(&format!("{UPGRADE} STARTTLS"))
    }

    fn untagged(&mut self, word: &str, line: &str) -> Say {
        match word {
            "BYE" => return Say::End(TlsOutcome::TryLater(words(line))),
            "CAPABILITY" => self.offered |= offers_starttls(line),
            _ => {}
        }
        Say::More
    }

    fn tagged(&mut self, tag: &str, word: &str, line: &str) -> Say {
        match (self.state, tag, word) {
            (State::Capability, ASK, "OK") if self.offered || offers_starttls(line) => self.upgrade(),
            (State::Capability, ASK, "OK") => Say::End(TlsOutcome::StarttlsNotOffered),
            (State::Starttls, UPGRADE, "OK") => Say::GoAhead,
            (State::Capability, ASK, "NO" | "BAD") | (State::Starttls, UPGRADE, "NO" | "BAD") => {
                // RFC 5530 section 3: the subsystem is down for now
                match line.to_ascii_uppercase().contains("[UNAVAILABLE]") {
                    true => Say::End(TlsOutcome::TryLater(words(line))),
                    false => Say::End(TlsOutcome::StarttlsRefused(words(line))),
                }
            }
            _ => Say::Foreign,
        }
    }
}

impl Protocol for Imap {
    fn may_begin(&self, byte: u8) -> bool {
        byte == b'*'
    }

    fn line(&mut self, line: &str) -> Say {
        let mut parts = line.split(' ');
        let (Some(tag), Some(word)) = (parts.next(), parts.next()) else { return Say::Foreign };
        let word = word.to_ascii_uppercase();
        match (self.state, tag) {
            (State::Greeting, "*") => self.greeting(&word, line),
            (_, "*") => self.untagged(&word, line),
            (_, tag) => self.tagged(tag, &word, line),
        }
    }

    /// Untagged lines may come at any time (RFC 9051 section 7); an answer may not come before its question.
    fn may_follow(&self, rest: &[u8]) -> bool {
        rest.split(|b| *b == b'\n').all(|line| line.is_empty() || line.starts_with(b"* "))
    }
}

/// True if a line lists STARTTLS: `* CAPABILITY IMAP4rev1 STARTTLS`, `* OK [CAPABILITY … STARTTLS] ready`.
fn offers_starttls(line: &str) -> bool {
    let upper = line.to_ascii_uppercase();
    let Some((_, list)) = upper.split_once("CAPABILITY ") else { return false };
    let list = list.split(']').next().unwrap_or_default();
    list.split_whitespace().any(|c| c == "STARTTLS")
}
