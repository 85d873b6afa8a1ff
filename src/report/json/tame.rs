//! JSON that `cat` may show: what could steer a terminal or a build server is written by JSON's own escapes, so that a
//! program reads the very text.

use std::io::{self, Write};

use serde_json::ser::{CharEscape, Formatter, PrettyFormatter};

use crate::model::text::escape;

/// Pretty-printed, and only harmless characters as they are.
pub(in crate::report) struct Tame(pub PrettyFormatter<'static>);

impl Formatter for Tame {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        if !fragment.contains('#') && escape(fragment) == fragment {
            return writer.write_all(fragment.as_bytes());
        }
        fragment.chars().try_for_each(|c| write_char(writer, c))
    }

    fn write_char_escape<W: ?Sized + Write>(&mut self, writer: &mut W, escape: CharEscape) -> io::Result<()> {
        self.0.write_char_escape(writer, escape)
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

/// A character as it is, or as `\uXXXX` (RFC 8259 section 7: beyond the basic plane as two surrogates). `#` begins a
/// command to a build server.
fn write_char<W: ?Sized + Write>(writer: &mut W, c: char) -> io::Result<()> {
    let mut utf8 = [0; 4];
    let text: &str = c.encode_utf8(&mut utf8);
    if c != '#' && escape(text) == text {
        return writer.write_all(text.as_bytes());
    }
    c.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(writer, "\\u{unit:04x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_is_escaped_and_reads_back() {
        let text = "a\x1b[31m\u{9b}\u{7f}\u{202e}\u{e0001}##[error]\n\"ü日\u{2028}";
        let mut out = Vec::new();
        let mut to = serde_json::Serializer::with_formatter(&mut out, Tame(PrettyFormatter::new()));
        serde::Serialize::serialize(text, &mut to).unwrap();
        let written = String::from_utf8(out).unwrap();
        assert_eq!(written, r#""a\u001b[31m\u009b\u007f\u202e\udb40\udc01\u0023\u0023[error]\n\"ü日\u2028""#);
        assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
    }
}
