//! One file per format; the exit status computed once. No clock, no terminal query, no counting.

use std::io::{self, Write};

use crate::model::finding::Judgement;

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

/// The formats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// Writes a report.
pub fn render(_judgement: &Judgement, _format: Format, _style: Style, _out: &mut dyn Write) -> io::Result<()> {
    todo!()
}

/// The JSON Schema of the JSON report.
pub fn schema() -> serde_json::Value {
    todo!()
}
