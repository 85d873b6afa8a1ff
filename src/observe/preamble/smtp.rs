//! SMTP and submission (RFC 3207).

use super::{Protocol, Say, words};
use crate::model::tls::TlsOutcome;

/// A dialogue with an SMTP server.
pub struct Smtp {
    state: State,
    ehlo: String,
    reply: Reply,
}

#[derive(Clone, Copy)]
enum State {
    Greeting,
    Ehlo,
    Starttls,
}

/// A reply of one or more lines (RFC 5321 section 4.2.1).
#[derive(Default)]
struct Reply {
    code: Option<u16>,
    lines: Vec<String>,
}

impl Smtp {
    /// A dialogue in which we call ourselves `ehlo`.
    pub fn new(ehlo: &str) -> Self {
        Self { state: State::Greeting, ehlo: ehlo.into(), reply: Reply::default() }
    }

    fn answer(&mut self, code: u16, lines: &[String]) -> Say {
        let said = || words(&format!("{code} {}", lines.join(" ")));
        match (self.state, code) {
            (State::Greeting, 220) => {
                self.state = State::Ehlo;
                Say::line(&format!("EHLO {}", self.ehlo))
            }
            (State::Ehlo, 250) if offers_starttls(lines) => {
                self.state = State::Starttls;
                Say::line("STARTTLS")
            }
            // Whoever does not know EHLO (RFC 5321 section 3.2) has no extensions.
            (State::Ehlo, 250 | 500 | 502) => Say::End(TlsOutcome::StarttlsNotOffered),
            (State::Starttls, 220) => Say::GoAhead,
            (_, 400..=499) => Say::End(TlsOutcome::TryLater(said())),
            (_, 500..=599) => Say::End(TlsOutcome::StarttlsRefused(said())),
            _ => Say::Foreign,
        }
    }
}

impl Protocol for Smtp {
    fn may_begin(&self, byte: u8) -> bool {
        byte.is_ascii_digit()
    }

    fn line(&mut self, line: &str) -> Say {
        let Some((code, last, text)) = reply_line(line) else { return Say::Foreign };
        if self.reply.code.is_some_and(|c| c != code) {
            return Say::Foreign;
        }
        self.reply.code = Some(code);
        self.reply.lines.push(text.to_string());
        match last {
            false => Say::More,
            true => {
                let reply = std::mem::take(&mut self.reply);
                self.answer(code, &reply.lines)
            }
        }
    }
}

/// `250-text` or `250 text` or `250`: the code, whether it is the reply's last line, the text.
fn reply_line(line: &str) -> Option<(u16, bool, &str)> {
    let (code, rest) = line.split_at_checked(3)?;
    let code = code.bytes().all(|b| b.is_ascii_digit()).then(|| code.parse().ok())??;
    match rest.as_bytes().first() {
        None => Some((code, true, "")),
        Some(b' ') => Some((code, true, rest.get(1..)?)),
        Some(b'-') => Some((code, false, rest.get(1..)?)),
        Some(_) => None,
    }
}

/// The first line of the reply is the server's name, the others are keywords in any case (RFC 5321 section 4.1.1.1).
fn offers_starttls(lines: &[String]) -> bool {
    lines.iter().skip(1).filter_map(|l| l.split_whitespace().next()).any(|k| k.eq_ignore_ascii_case("STARTTLS"))
}
