//! One file per format; the exit status computed once. No clock, no terminal query, no counting.

mod blocks;
mod cutover;
mod escaped;
mod exit;
#[cfg(test)]
mod golden;
mod header;
mod ink;
pub mod inspect;
mod json;
mod matrix;
mod names;
mod rehearsal;
mod roots;
#[cfg(test)]
mod samples;
mod table;
mod text;
mod wrap;

use std::io::{self, Write};

use crate::model::finding::Judgement;

pub use cutover::{CutoverFormat, cutover_schema, cutover_status, render_cutover};
pub use exit::{FINDING, INTERRUPTED, PASS, UNOBSERVED, USAGE, exit_status, worst};
pub use json::{FORMAT, schema};
pub use rehearsal::{rehearsal_schema, rehearsal_status, render_rehearsal};
pub use table::grid;

/// How a report looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Columns of the terminal, or 80.
    pub width: usize,
    /// Colours and emphasis by ANSI escapes.
    pub colour: bool,
    /// `-q`: the verdict lines only.
    pub quiet: bool,
    /// `-v`: every obligation and consequence, nothing folded.
    pub verbose: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self { width: 80, colour: false, quiet: false, verbose: false }
    }
}

/// The formats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

impl Format {
    /// All, in the order in which the help names them.
    pub const ALL: [Format; 2] = [Format::Text, Format::Json];

    /// The word of the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }

    /// The format of a word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|f| f.word() == word)
    }
}

/// Writes the report of one plan.
///
/// # Errors
/// Only those of `out`.
pub fn render(judgement: &Judgement, format: Format, style: Style, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Text => text::write(judgement, style, out),
        Format::Json => json::write(judgement, out),
    }
}

/// Writes the reports of several plans in their order: as text one after another, each under its file's
/// name, a blank line between; as JSON one
/// report for one plan, an array for any other number.
///
/// # Errors
/// Only those of `out`.
pub fn render_all(judgements: &[Judgement], format: Format, style: Style, out: &mut dyn Write) -> io::Result<()> {
    match (format, judgements) {
        (Format::Json, [one]) => json::write(one, out),
        (Format::Json, several) => json::write_several(several, out),
        (Format::Text, several) => several.iter().enumerate().try_for_each(|(i, judgement)| {
            if i > 0 {
                writeln!(out)?;
            }
            if several.len() > 1 {
                writeln!(out, "# {}", escaped::shown(&judgement.plan))?;
            }
            text::write(judgement, style, out)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_reads_back() {
        for format in Format::ALL {
            assert_eq!(Format::of_word(format.word()), Some(format));
        }
        assert_eq!(Format::of_word("yaml"), None);
    }
}
