//! ManageSieve (RFC 5804 sections 1.2, 1.7 and 2.2).

use super::{Protocol, Say, words};
use crate::model::tls::TlsOutcome;

/// A dialogue with a ManageSieve server.
pub struct Sieve {
    asked: bool,
    offered: bool,
    /// The line that comes is a string that was announced by its length; true if it is a capability's name.
    literal: Option<bool>,
}

impl Sieve {
    /// A dialogue.
    pub fn new() -> Self {
        Self { asked: false, offered: false, literal: None }
    }

    fn response(&mut self, word: &str, line: &str) -> Say {
        match (self.asked, word) {
            (false, "OK") if self.offered => {
                self.asked = true;
                Say::line("STARTTLS")
            }
            (false, "OK") => Say::End(TlsOutcome::StarttlsNotOffered),
            (true, "OK") => Say::GoAhead,
            (_, "BYE") => Say::End(TlsOutcome::TryLater(words(line))),
            // RFC 5804 section 1.3: what passes by itself.
            (_, "NO") if line.to_ascii_uppercase().contains("(TRYLATER") => Say::End(TlsOutcome::TryLater(words(line))),
            (_, "NO") => Say::End(TlsOutcome::StarttlsRefused(words(line))),
            _ => Say::Foreign,
        }
    }
}

impl Protocol for Sieve {
    fn may_begin(&self, byte: u8) -> bool {
        matches!(byte.to_ascii_uppercase(), b'"' | b'O' | b'N' | b'B' | b'{')
    }

    fn line(&mut self, line: &str) -> Say {
        if let Some(is_name) = self.literal.take() {
            self.offered |= is_name && line.eq_ignore_ascii_case("STARTTLS");
            return Say::More;
        }
        if line.starts_with(['"', '{']) && !self.asked {
            let name = line.trim_start_matches('"').split('"').next().unwrap_or_default();
            self.offered |= name.eq_ignore_ascii_case("STARTTLS");
            // RFC 5804 section 1.2: a string may be written as {5}, and then itself.
            self.literal = line.ends_with('}').then(|| line.starts_with('{'));
            return Say::More;
        }
        let word = line.split([' ', '(']).next().unwrap_or_default();
        self.response(&word.to_ascii_uppercase(), line)
    }
}
