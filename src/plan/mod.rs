//! Text → [`Plan`] → obligations → probes.

mod encoding;
mod error;
mod expand;
mod keys;
mod probes;
mod raw;
mod render;
mod schema;
mod validate;

pub use self::error::{PlanError, PlanErrors};
pub use self::expand::expand;
pub use self::probes::probes;

use std::collections::HashSet;

use self::encoding::Meant;
use crate::model::cutover::Runbook;
use crate::model::plan::Plan;
use crate::model::proxy::without_passwords;
use crate::model::source::Source;

/// The largest plan that is read, in bytes.
pub const MAX_BYTES: u64 = 16 << 20;

/// Says whether a file that the plan refers to can be read: the system's words if it cannot.
pub type FileCheck<'a> = &'a dyn Fn(&str) -> Result<(), String>;

/// Reads a plan. `file` is its name as the user typed it, for places and errors; a name that ends in `.json`, or a text
/// that begins with `{`, is JSON, all else TOML. Files that it refers to are asked for by `check`, never opened.
pub fn load(file: &str, bytes: &[u8], check: FileCheck) -> Result<Plan, Box<PlanErrors>> {
    let (text, unreadable) = encoding::text(bytes, Meant::Plan);
    let syntax = raw::syntax(file, &text);
    let mut source = Source { file: file.to_string(), text, syntax, pointers: Vec::new() };
    let (plan, mut errors) = match unreadable {
        Some(error) => (None, vec![error]),
        None => read(&mut source, check),
    };
    match plan {
        Some(plan) if errors.is_empty() => Ok(Plan { source, ..plan }),
        _ => {
            errors.sort_by_key(|e| e.span);
            errors.dedup();
            // The lines of mistakes are shown, in the logs of builds too.
            source.text = without_passwords(&source.text);
            Err(Box::new(PlanErrors { source, errors }))
        }
    }
}

/// Reads a runbook, whose steps name things of a plan.
pub fn runbook(file: &str, bytes: &[u8], plan: &Plan) -> Result<Runbook, Box<PlanErrors>> {
    let (text, unreadable) = encoding::text(bytes, Meant::Runbook);
    let syntax = raw::syntax(file, &text);
    let mut source = Source { file: file.to_string(), text, syntax, pointers: Vec::new() };
    let (runbook, mut errors) = match unreadable {
        Some(error) => (None, vec![error]),
        None => {
            let (root, mut errors) = raw::parse(&mut source);
            let broken = errors.iter().any(|e| !is_duplicate(e));
            let read = root.map(|root| validate::runbook(&source, &root, plan, broken));
            let (runbook, mistakes) = read.unwrap_or_default();
            errors.extend(mistakes);
            (runbook, errors)
        }
    };
    match runbook {
        Some(runbook) if errors.is_empty() => Ok(Runbook { source, ..runbook }),
        _ => {
            errors.sort_by_key(|e| e.span);
            errors.dedup();
            Err(Box::new(PlanErrors { source, errors }))
        }
    }
}

fn read(source: &mut Source, check: FileCheck) -> (Option<Plan>, Vec<PlanError>) {
    let (root, mut errors) = raw::parse(source);
    let Some(root) = root else { return (None, errors) };
    let (plan, mistakes) = validate::plan(source, &root, check, errors.iter().any(|e| !is_duplicate(e)));
    // What stands in a line that could not be read is not what the user wrote.
    let lines: Vec<usize> = source.text.match_indices('\n').map(|(at, _)| at).collect();
    let line = |error: &PlanError| lines.partition_point(|at| *at < error.span.start());
    let unread: HashSet<usize> = errors.iter().filter(|e| !is_duplicate(e)).map(line).collect();
    errors.extend(mistakes.into_iter().filter(|e| unread.is_empty() || !unread.contains(&line(e))));
    (plan, errors)
}

/// A duplicate leaves the first of its kind behind; any other fault of syntax leaves a hole.
fn is_duplicate(error: &PlanError) -> bool {
    error.title == raw::DUPLICATE
}

/// The mistakes as a terminal shows them: line, caret, expectation, hint.
pub fn render_errors(errors: &PlanErrors, colour: bool) -> String {
    render::errors(errors, colour)
}

/// The JSON Schema of the plan file.
pub fn schema() -> serde_json::Value {
    schema::schema()
}

/// A commented plan to start from.
pub fn template() -> &'static str {
    include_str!("template.toml")
}

#[cfg(test)]
mod tests;
