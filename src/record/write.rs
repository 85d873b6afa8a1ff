//! Writing a recording as it grows.

use std::io::{self, Write};

use data_encoding::BASE64;

use super::{Blob, Line};
use crate::model::certificate::BlobId;
use crate::model::observation::{Observation, Run};
use crate::model::text::escape;

/// Writes a recording as it grows, a line at a time.
pub struct Writer<W: Write> {
    out: W,
}

impl<W: Write> Writer<W> {
    /// A recording that begins with a run.
    pub fn new(out: W, run: &Run) -> io::Result<Self> {
        let mut writer = Self { out };
        writer.run(run)?;
        Ok(writer)
    }

    /// Adds another run.
    pub fn run(&mut self, run: &Run) -> io::Result<()> {
        self.line(&Line::Run(run.clone()))
    }

    /// Adds a blob.
    pub fn blob(&mut self, id: BlobId, der: &[u8]) -> io::Result<()> {
        self.line(&Line::Blob(Blob { sha256: id, der: BASE64.encode(der) }))
    }

    /// Adds an observation.
    pub fn observation(&mut self, observation: &Observation) -> io::Result<()> {
        self.line(&Line::Observation(observation.clone()))
    }

    /// Flushes what is written.
    pub fn finish(mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn line(&mut self, line: &Line) -> io::Result<()> {
        let text = serde_json::to_string(line)?;
        let mut text = if is_tame(&text) { text } else { tamed(&text) };
        text.push('\n');
        self.out.write_all(text.as_bytes())
    }
}

/// A recording may be shown by `cat`, in a terminal or in the log of a build.
fn is_tame(json: &str) -> bool {
    !json.contains("##") && (json.is_ascii() && !json.contains('\u{7f}') || escape(json).len() == json.len())
}

/// JSON of the same meaning in which nothing steers a terminal, and no `##` begins a command to a build server. Such
/// characters stand within strings only.
fn tamed(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        let mut utf8 = [0; 4];
        if c != '#' && escape(c.encode_utf8(&mut utf8)).len() == c.len_utf8() {
            out.push(c);
        } else {
            // RFC 8259 section 7: beyond the basic plane as two surrogates.
            c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_escaped_and_reads_back() {
        for text in ["a\x1b[31m\u{9b}\u{7f}\u{202e}\u{e0001}\n\"\\", "\u{7f}", "##[error]", "ü日", "plain # text"] {
            let json = serde_json::to_string(text).unwrap();
            let written = if is_tame(&json) { json } else { tamed(&json) };
            assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
            assert!(escape(&written) == written && !written.contains("##"), "{written}");
        }
    }
}
