//! Reports of a cutover, one file per format.

mod clock;
mod html;
mod ical;
mod json;
mod lanes;
mod markdown;
mod telling;
mod text;

use std::io::{self, Write};

use super::{FINDING, PASS, Style, UNOBSERVED};
use crate::model::cutover::{Cutover, Verdict};

pub use json::schema as cutover_schema;

/// The formats of a cutover's report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CutoverFormat {
    /// For people, at a terminal.
    #[default]
    Text,
    /// For programs.
    Json,
    /// For a change ticket.
    Markdown,
    /// For a browser.
    Html,
    /// For a calendar.
    Ical,
}

/// Writes the report of a cutover.
///
/// # Errors
/// Only those of `out`.
pub fn render_cutover(cutover: &Cutover, format: CutoverFormat, style: Style, out: &mut dyn Write) -> io::Result<()> {
    match format {
        CutoverFormat::Text => text::write(cutover, style, out),
        CutoverFormat::Json => json::write(cutover, out),
        CutoverFormat::Markdown => markdown::write(cutover, out),
        CutoverFormat::Html => html::write(cutover, out),
        CutoverFormat::Ical => ical::write(cutover, out),
    }
}

/// The exit status: 0 safe, 1 some client is hurt, 3 nobody could tell.
pub fn cutover_status(cutover: &Cutover) -> u8 {
    match cutover.proof.verdict {
        Verdict::Safe => PASS,
        Verdict::Harm => FINDING,
        Verdict::CouldNotTell => UNOBSERVED,
    }
}
