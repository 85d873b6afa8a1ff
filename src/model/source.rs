//! Where a value stands in the text that a user wrote.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// A range of bytes in a [`Source`]'s text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// From the first byte up to one past the last. A plan is read up to 16 MiB; what lies beyond 4 GiB is its end.
    pub fn new(start: usize, end: usize) -> Self {
        let byte = |at| u32::try_from(at).unwrap_or(u32::MAX);
        Self { start: byte(start), end: byte(end) }
    }

    /// First byte.
    pub fn start(self) -> usize {
        self.start as usize
    }

    /// One past the last byte.
    pub fn end(self) -> usize {
        self.end as usize
    }

    /// The bytes.
    pub fn range(self) -> Range<usize> {
        self.start()..self.end()
    }
}

/// A value and where it stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Its place.
    pub span: Span,
}

impl<T> Located<T> {
    /// A value at a place.
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}

/// How a plan is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Syntax {
    /// TOML, what people write.
    #[default]
    Toml,
    /// JSON, what programs generate.
    Json,
}

/// A plan's text and name, kept to point into it.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// The file's name as the user typed it.
    pub file: String,
    /// The text: UTF-8 without a byte order mark.
    pub text: String,
    /// Its syntax.
    pub syntax: Syntax,
    /// For JSON: each value's span and its JSON pointer (RFC 6901), outermost first.
    pub pointers: Vec<(Span, String)>,
}

/// A place for a person: file, line and column, both from 1, the column in characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The file's name as the user typed it.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// JSON pointer, for a plan written in JSON.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pointer: Option<String>,
}

impl Source {
    /// The place of a span's first byte; a span beyond the text gives the text's end.
    pub fn place(&self, span: Span) -> Place {
        let mut at = span.start().min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        let before = &self.text[..at];
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        Place {
            file: self.file.clone(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            pointer: self.pointer(span),
        }
    }

    /// The innermost JSON value that holds the span.
    fn pointer(&self, span: Span) -> Option<String> {
        self.pointers
            .iter()
            .filter(|(s, _)| s.start <= span.start && span.end <= s.end)
            .min_by_key(|(s, _)| s.end - s.start)
            .map(|(_, pointer)| pointer.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_counts_lines_and_characters_from_one() {
        let source = Source { file: "p".into(), text: "a\nü = 1\n".into(), ..Source::default() };
        let place = |start| {
            let p = source.place(Span::new(start, start));
            (p.line, p.column)
        };
        assert_eq!(place(0), (1, 1));
        assert_eq!(place(2), (2, 1));
        assert_eq!(place(4), (2, 2));
        assert_eq!(place(999), (3, 1));
    }
}
