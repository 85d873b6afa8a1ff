//! FTP (RFC 4217 section 4).

use super::{Protocol, Say, words};
use crate::model::tls::TlsOutcome;

/// A dialogue with an FTP server.
pub struct Ftp {
    asked: bool,
    /// The code of a reply of several lines that has begun.
    open: Option<String>,
}

impl Ftp {
    /// A dialogue.
    pub fn new() -> Self {
        Self { asked: false, open: None }
    }

    fn reply(&mut self, code: &str, line: &str) -> Say {
        match (self.asked, code) {
            // Ready in some minutes; the greeting follows (RFC 959 section 5.4).
            (false, "120") => Say::More,
            (false, "220") => {
                self.asked = true;
                Say::line("AUTH TLS")
            }
            // 334 is for mechanisms with more to say (RFC 2228 section 3); some say it where they mean 234.
            (true, "234" | "334") => Say::GoAhead,
            // Whoever does not know AUTH, or no TLS, does not offer it. 530 is no answer to AUTH (RFC 2228 section 5.3): a
            // server without TLS takes it for one more command before the login.
            (true, "500" | "502" | "504" | "530") => Say::End(TlsOutcome::StarttlsNotOffered),
            (_, code) if code.starts_with('4') => Say::End(TlsOutcome::TryLater(words(line))),
            (_, code) if code.starts_with('5') => Say::End(TlsOutcome::StarttlsRefused(words(line))),
            _ => Say::Foreign,
        }
    }
}

impl Protocol for Ftp {
    fn may_begin(&self, byte: u8) -> bool {
        byte.is_ascii_digit()
    }

    /// A reply of several lines ends with its code and a space; those between may be anything (RFC 959 section 4.2).
    fn line(&mut self, line: &str) -> Say {
        let head = line.split_at_checked(3).filter(|(code, _)| code.bytes().all(|b| b.is_ascii_digit()));
        match (self.open.take(), head) {
            (Some(open), Some((code, rest))) if open == code && !rest.starts_with('-') => self.reply(code, line),
            (Some(open), _) => {
                self.open = Some(open);
                Say::More
            }
            (None, Some((code, rest))) if rest.starts_with('-') => {
                self.open = Some(code.to_string());
                Say::More
            }
            (None, Some((code, rest))) if rest.is_empty() || rest.starts_with(' ') => self.reply(code, line),
            (None, _) => Say::Foreign,
        }
    }
}
