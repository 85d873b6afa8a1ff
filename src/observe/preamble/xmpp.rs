//! XMPP (RFC 6120 section 5.4).

use super::{Cut, Protocol, Say, words};
use crate::model::tls::TlsOutcome;

/// A dialogue with an XMPP server: a stream is opened, and upgraded.
pub struct Xmpp {
    to: String,
    /// What the stream is for.
    content: &'static str,
    state: State,
}

#[derive(Clone, PartialEq, Eq)]
enum State {
    Opened,
    Features {
        starttls: bool,
    },
    Asked,
    /// Inside of what says why not: its condition, and the words beside it.
    Failed {
        condition: String,
        said: String,
    },
}

/// The namespace of the upgrade.
const TLS: &str = "urn:ietf:params:xml:ns:xmpp-tls";

/// The namespace of what clients say to servers (RFC 6120 section 4.8.2).
pub const CLIENT: &str = "jabber:client";

/// The namespace of what servers say to servers.
pub const SERVER: &str = "jabber:server";

impl Xmpp {
    /// A dialogue with the server of a domain, with content of a namespace. Who we are is not said: a server tells only one
    /// that has shown its certificate (RFC 6120 section 4.7.1).
    pub fn new(to: &str, content: &'static str) -> Self {
        Self { to: to.into(), content, state: State::Opened }
    }

    fn tag(&mut self, name: &str, closes: bool, before: &str) -> Say {
        match (&mut self.state, name) {
            (State::Opened, "stream:stream") => Say::More,
            (State::Opened, "stream:features") if closes => Say::End(TlsOutcome::StarttlsNotOffered),
            (State::Opened, "stream:features") => {
                self.state = State::Features { starttls: false };
                Say::More
            }
            (State::Features { .. }, "starttls") => {
                self.state = State::Features { starttls: true };
                Say::More
            }
            (State::Features { starttls: true }, "/stream:features") => {
                self.state = State::Asked;
                Say::Send(format!("<starttls xmlns='{TLS}'/>").into_bytes())
            }
            (State::Features { starttls: false }, "/stream:features") => Say::End(TlsOutcome::StarttlsNotOffered),
            (State::Failed { condition, said }, "/stream:error" | "/stream:stream") => {
                Say::End(failure(condition, said))
            }
            (State::Failed { said, .. }, "/text") => {
                *said = before.to_string();
                Say::More
            }
            (State::Failed { condition, .. }, name) => {
                if condition.is_empty() && name != "text" {
                    *condition = name.to_string();
                }
                Say::More
            }
            (_, "stream:error") => {
                self.state = State::Failed { condition: String::new(), said: String::new() };
                Say::More
            }
            (State::Features { .. }, _) => Say::More,
            (State::Asked, "proceed") if !closes => Say::More,
            (State::Asked, "proceed" | "/proceed") => Say::GoAhead,
            (State::Asked, "failure") => Say::End(TlsOutcome::StarttlsRefused("failure".into())),
            _ => Say::Foreign,
        }
    }
}

impl Protocol for Xmpp {
    fn opening(&mut self) -> Option<Vec<u8>> {
        let (to, content) = (quoted(&self.to), self.content);
        let open = format!(
            "<?xml version='1.0'?><stream:stream to='{to}' xmlns='{content}' \
             xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
        );
        Some(open.into_bytes())
    }

    fn may_begin(&self, byte: u8) -> bool {
        byte == b'<'
    }

    /// A tag with the text before it; a `>` within quotes ends none.
    fn cut(&self, buffer: &[u8]) -> Cut {
        let (mut inside, mut quote) = (false, None);
        for (i, byte) in buffer.iter().enumerate() {
            match (quote, byte) {
                (Some(q), b) if q == b => quote = None,
                (None, b'\'' | b'"') if inside => quote = Some(byte),
                (None, b'<') => inside = true,
                (None, b'>') if inside => return Cut::At(i + 1),
                _ => {}
            }
        }
        Cut::More
    }

    fn take(&mut self, piece: &[u8]) -> Say {
        let text = String::from_utf8_lossy(piece);
        let Some((before, tag)) = text.split_once('<') else { return Say::Foreign };
        let inner = tag.trim_end_matches('>');
        if inner.starts_with('?') && self.state == State::Opened {
            return Say::More;
        }
        let closes = inner.ends_with('/');
        let name = inner.trim_end_matches('/').split_ascii_whitespace().next().unwrap_or_default();
        self.tag(name, closes, before)
    }
}

/// What a stream's error means: its condition, and what passes by itself among them (RFC 6120 section 4.9.3).
fn failure(condition: &str, said: &str) -> TlsOutcome {
    let words = match said {
        "" => words(condition),
        said => words(&format!("{condition}: {said}")),
    };
    match condition {
        "connection-timeout"
        | "internal-server-error"
        | "remote-connection-failed"
        | "reset"
        | "resource-constraint"
        | "system-shutdown" => TlsOutcome::TryLater(words),
        _ => TlsOutcome::StarttlsRefused(words),
    }
}

/// Between the quotes of an attribute.
fn quoted(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('\'', "&apos;")
}
