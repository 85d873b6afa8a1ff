//! Reports of `coexist inspect`: for people, and for programs.

mod json;
mod text;

use std::io::{self, Write};

use super::{FINDING, Format, PASS, Style, USAGE};
use crate::model::inspection::{Inspected, Inspection, Uncovered};

pub use json::schema;

/// How a name's cover is explained; the judge's words.
pub type Why = fn(&Uncovered) -> String;

/// Writes what was seen.
///
/// # Errors
/// Only those of `out`.
pub fn render(seen: &Inspection, why: Why, format: Format, style: Style, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Text => text::write(seen, why, style, out),
        Format::Json => json::write(seen, why, out),
    }
}

/// The exit status: [`USAGE`] if something could not be read, else [`FINDING`] if a name that was asked about is not
/// covered, else [`PASS`].
pub fn exit_status(seen: &Inspection) -> u8 {
    let unread = seen.items.iter().any(|i| i.error.is_some());
    let lacking = seen.items.iter().any(Inspected::is_lacking);
    match (unread, lacking) {
        (true, _) => USAGE,
        (false, true) => FINDING,
        (false, false) => PASS,
    }
}
