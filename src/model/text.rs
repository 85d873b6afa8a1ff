//! Text from the network, a certificate or a plan, made fit to be shown.

use std::fmt::Write;
use std::net::Ipv6Addr;

/// The text with every character that could move a cursor, colour a terminal, reorder a line or end it written as an
/// escape: control characters, and Unicode's format, bidirectional and separator characters.
pub fn escape(text: &str) -> String {
    // Most texts are such.
    if text.bytes().all(|b| matches!(b, b' '..=b'~')) {
        return text.to_string();
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_unsafe(c) => {
                let _ = write!(out, "\\u{{{:x}}}", c as u32);
            }
            c => out.push(c),
        }
    }
    out
}

/// A text as it may be shown: see [`escape`]; and what build servers take for a command (GitHub's `::word` at the begin
/// of a line, Azure's and GitHub's older `##[` and `##vso[` anywhere) is broken up.
pub fn shown(text: &str) -> String {
    let text = escape(text).replace("##", "#\\u{23}");
    let mut out = String::with_capacity(text.len());
    let mut word_begins = true;
    for (i, c) in text.char_indices() {
        match word_begins && is_command(&text[i..]) {
            true => out.push_str("\\u{3a}"),
            false => out.push(c),
        }
        word_begins = c.is_whitespace();
    }
    out
}

/// True if the first word could be a command and is no IPv6 address.
fn is_command(text: &str) -> bool {
    let word = text.split(char::is_whitespace).next().unwrap_or_default();
    let named = word.strip_prefix("::").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()));
    named && word.trim_end_matches([',', ';', '.']).parse::<Ipv6Addr>().is_err()
}

/// As [`escape`], of bytes: what is not UTF-8 becomes `\xNN`; at most `limit` bytes are shown.
pub fn escape_bytes(bytes: &[u8], limit: usize) -> String {
    let shown = &bytes[..bytes.len().min(limit)];
    let mut out = String::new();
    for chunk in shown.utf8_chunks() {
        out.push_str(&escape(chunk.valid()));
        for b in chunk.invalid() {
            let _ = write!(out, "\\x{b:02x}");
        }
    }
    if shown.len() < bytes.len() {
        let _ = write!(out, "... ({} bytes)", bytes.len());
    }
    out
}

/// Control and format characters; the ranges are Unicode's categories Cc, Cf, Zl and Zp, tags and noncharacters.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c as u32,
            0xad | 0x600..=0x605 | 0x61c | 0x6dd | 0x70f | 0x180e | 0x200b..=0x200f | 0x2028..=0x202e
            | 0x2060..=0x206f | 0xfeff | 0xfff9..=0xfffb | 0x110bd | 0x1d173..=0x1d17a | 0xe0000..=0xe0fff)
        || (c as u32) & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_steers_a_terminal_survives() {
        assert_eq!(escape("a\x1b[2Jb\r\n\u{202e}c\u{9b}\0"), "a\\u{1b}[2Jb\\r\\n\\u{202e}c\\u{9b}\\u{0}");
        assert_eq!(escape("münchen"), "münchen");
        assert_eq!(escape_bytes(b"220 \xff\x1b", 80), "220 \\xff\\u{1b}");
        assert_eq!(escape_bytes(&[b'a'; 9], 4), "aaaa... (9 bytes)");
    }

    #[test]
    fn what_a_build_server_would_run_is_broken_up_and_addresses_are_not() {
        for (text, want) in [
            ("::error::x", "\\u{3a}:error::x"),
            ("a ::stop-commands::x", "a \\u{3a}:stop-commands::x"),
            ("\u{3000}::group::", "\u{3000}\\u{3a}:group::"),
            ("a##[error]b ##vso[task]", "a#\\u{23}[error]b #\\u{23}vso[task]"),
            ("::1, ::ffff:10.0.0.1; fe80::a 2001:db8::b", "::1, ::ffff:10.0.0.1; fe80::a 2001:db8::b"),
            ("::/0", "::/0"),
            ("\x1b[31m\u{202e}", "\\u{1b}[31m\\u{202e}"),
        ] {
            assert_eq!(shown(text), want, "{text:?}");
        }
    }
}
