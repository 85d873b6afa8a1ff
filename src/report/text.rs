//! The report for people: one screen that begins and ends with the verdict.

use std::io::{self, Write};

use super::blocks::{self, Setting};
use super::escaped::escaped;
use super::header::{closing, seen_from, verdict};
use super::ink::Ink;
use super::roots::roots;
use super::wrap::hang;
use super::{Style, matrix};
use crate::model::finding::{Judged, Judgement};

/// Writes the report.
pub(super) fn write(judgement: &Judgement, style: Style, out: &mut dyn Write) -> io::Result<()> {
    for line in lines(&escaped(judgement), style) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

fn lines(j: &Judgement, style: Style) -> Vec<String> {
    let Style { width, colour, quiet, verbose } = style;
    let (ink, roots) = (Ink(colour), roots(j));
    let mut lines = verdict(j, &roots, width, ink);
    if !quiet {
        lines.extend(seen_from(j, width));
        let matrix = matrix::lines(j, width, verbose, ink);
        let set = Setting { width, ink, verbose };
        let mut rest: Vec<_> = roots.iter().flat_map(|root| blocks::root(root, set)).collect();
        if verbose {
            rest.extend(obligations(&j.obligations, width, ink));
        }
        if !j.not_looked_at.is_empty() {
            rest.extend(hang("not looked at: ", &j.not_looked_at.join("; "), 3, width));
        }
        let between = if matrix.is_empty() { None } else { Some(String::new()) };
        section(&mut lines, matrix.into_iter().chain(between).chain(rest).collect());
    }
    lines.extend(closing(j, &roots, width, ink));
    lines
}

/// Adds lines behind an empty one, if there are any.
fn section(lines: &mut Vec<String>, of_section: Vec<String>) {
    if !of_section.is_empty() {
        lines.push(String::new());
        lines.extend(of_section);
    }
}

/// Every obligation with what is said of it, due or not.
fn obligations(obligations: &[Judged], width: usize, ink: Ink) -> Vec<String> {
    let line = |o: &Judged| {
        let mark = matrix::mark(o.verdict);
        let not_due = if o.due { String::new() } else { format!("  not asked for ({})", o.phases.join(", ")) };
        let cell = if o.cell.is_empty() { String::new() } else { format!("  {}", o.cell) };
        let mut lines = hang(&format!("{mark:<3}"), &format!("{}{cell}{not_due}", o.id), 6, width);
        if let Some(first) = lines.first_mut() {
            *first = ink.begin(std::mem::take(first), mark);
        }
        lines
    };
    let mut lines: Vec<_> = obligations.iter().flat_map(line).collect();
    if !lines.is_empty() {
        lines.insert(0, format!("obligations: {}", obligations.len()));
    }
    lines
}
