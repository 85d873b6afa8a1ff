//! A few characters for a cell of the matrix, made into text once for many.

use std::borrow::Cow;
use std::net::IpAddr;

/// What stands in a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Cell {
    /// A word; may be empty.
    Word(&'static str),
    /// A text of its own.
    Text(Box<str>),
    /// An answer: its first address, and how many more there are.
    Answer(IpAddr, u16),
}

impl Default for Cell {
    fn default() -> Self {
        Self::Word("")
    }
}

impl Cell {
    /// An answer with these addresses, the first of them first.
    pub(super) fn of<'a>(mut addresses: impl Iterator<Item = &'a IpAddr>) -> Self {
        match addresses.next() {
            Some(first) => Self::Answer(*first, u16::try_from(addresses.count()).unwrap_or(u16::MAX)),
            None => Self::Word("absent"),
        }
    }

    /// As text.
    pub(in super::super) fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Word(word) => Cow::Borrowed(word),
            Self::Text(text) => Cow::Borrowed(text),
            Self::Answer(first, 0) => Cow::Owned(first.to_string()),
            Self::Answer(first, more) => Cow::Owned(format!("{first} +{more}")),
        }
    }
}
