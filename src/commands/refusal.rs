//! Values that no command of a language can carry.

use super::act::Act;
use super::script::Script;
use super::words;
use crate::model::text::escape;

/// A value that would have to be changed to be typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    value: String,
    reason: &'static str,
}

impl Refusal {
    pub fn new(value: &str, reason: &'static str) -> Self {
        Self { value: value.into(), reason }
    }
}

/// Control characters, line breaks and what reorders a line: no shell shows them as they are, and some cannot hold them.
pub(super) fn unsafe_text(act: &Act) -> Option<Refusal> {
    let text = act.texts().into_iter().find(|text| escape(text) != **text)?;
    Some(Refusal::new(text, "holds a character that steers a terminal or ends a line"))
}

/// Letters, digits, `.`, `_` and `-`, not first: a word of every configuration file and of the command prompt.
pub(super) fn plain<'a>(value: &'a str, reason: &'static str) -> Result<&'a str, Refusal> {
    let harmless = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let is_plain = !value.is_empty() && !value.starts_with('-') && value.chars().all(harmless);
    if is_plain { Ok(value) } else { Err(Refusal::new(value, reason)) }
}

/// As [`plain`], and what an IPv6 address is made of.
pub(super) fn plain_host<'a>(value: &'a str, reason: &'static str) -> Result<&'a str, Refusal> {
    if value.parse::<std::net::IpAddr>().is_ok() { Ok(value) } else { plain(value, reason) }
}

/// What to do instead: say why there is no command, and what it would have done.
pub(super) fn in_words(act: &Act, refusal: &Refusal) -> Vec<Script> {
    let why = format!("no command is given: \"{}\" {}", escape(&refusal.value), refusal.reason);
    let by_hand = words::of(act).into_iter().map(|line| format!("by hand: {line}"));
    vec![Script::words(std::iter::once(why).chain(by_hand))]
}
