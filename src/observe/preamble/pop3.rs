//! POP3 (RFC 2595 section 4).

use super::{Protocol, Say, words};
use crate::model::tls::TlsOutcome;

/// A dialogue with a POP3 server.
pub struct Pop3 {
    state: State,
    offered: bool,
}

#[derive(Clone, Copy)]
enum State {
    Greeting,
    Capa,
    List,
    /// STLS was sent; whether CAPA had listed it.
    Stls(bool),
}

impl Pop3 {
    /// A dialogue.
    pub fn new() -> Self {
        Self { state: State::Greeting, offered: false }
    }

    fn go(&mut self, state: State, command: &str) -> Say {
        self.state = state;
        Say::line(command)
    }

    fn status(&mut self, ok: bool, line: &str) -> Say {
        match (self.state, ok) {
            (State::Greeting, true) => self.go(State::Capa, "CAPA"),
            (State::Greeting, false) => Say::End(TlsOutcome::TryLater(words(line))),
            (State::Capa | State::List, true) => {
                self.state = State::List;
                Say::More
            }
            // CAPA is younger than POP3 (RFC 2449): without it, asking is the only way to know.
            (State::Capa | State::List, false) => self.go(State::Stls(false), "STLS"),
            (State::Stls(_), true) => Say::GoAhead,
            (State::Stls(_), false) if is_temporary(line) => Say::End(TlsOutcome::TryLater(words(line))),
            (State::Stls(true), false) => Say::End(TlsOutcome::StarttlsRefused(words(line))),
            (State::Stls(false), false) => Say::End(TlsOutcome::StarttlsNotOffered),
        }
    }

    fn listed(&mut self, line: &str) -> Say {
        match line {
            "." if self.offered => self.go(State::Stls(true), "STLS"),
            "." => Say::End(TlsOutcome::StarttlsNotOffered),
            _ => {
                self.offered |= line.split_whitespace().next().is_some_and(|c| c.eq_ignore_ascii_case("STLS"));
                Say::More
            }
        }
    }
}

impl Protocol for Pop3 {
    fn may_begin(&self, byte: u8) -> bool {
        matches!(byte, b'+' | b'-')
    }

    fn line(&mut self, line: &str) -> Say {
        if matches!(self.state, State::List) {
            return self.listed(line);
        }
        match line.split(' ').next().map(str::to_ascii_uppercase).as_deref() {
            Some("+OK") => self.status(true, line),
            Some("-ERR") => self.status(false, line),
            _ => Say::Foreign,
        }
    }
}

/// RFC 3206 section 4, RFC 2449 section 8.1: what passes by itself.
fn is_temporary(line: &str) -> bool {
    let upper = line.to_ascii_uppercase();
    ["[SYS/TEMP]", "[IN-USE]", "[LOGIN-DELAY]"].iter().any(|code| upper.contains(code))
}
