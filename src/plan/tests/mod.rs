//! What a whole plan says and what is wrong with it.

mod hostile;
mod meaning;
mod mistakes;
mod plans;

use super::*;

/// Loads a text; every file that it refers to exists.
fn read(file: &str, text: &str) -> Result<Plan, Box<PlanErrors>> {
    load(file, text.as_bytes(), &|_| Ok(()))
}

/// Mistakes, a line each: place, title, label, help, the other place.
fn told(errors: &PlanErrors) -> Vec<String> {
    let one = |e: &PlanError| {
        let at = |span| {
            let place = errors.source.place(span);
            format!("{}:{}{}", place.line, place.column, place.pointer.map(|p| format!(" {p}")).unwrap_or_default())
        };
        let help = e.help.as_ref().map(|h| format!(" | {h}")).unwrap_or_default();
        let other = e.other.as_ref().map(|(span, label)| format!(" | {} {label}", at(*span))).unwrap_or_default();
        format!("{} {} | {}{help}{other}", at(e.span), e.title, e.label)
    };
    errors.errors.iter().map(one).collect()
}

/// What is told of a text: nothing, if it loads.
fn mistakes(file: &str, text: &str) -> Vec<String> {
    read(file, text).err().map(|e| told(&e)).unwrap_or_default()
}
