//! Text → [`Plan`] → obligations → probes.

mod encoding;
mod error;
mod expand;
mod keys;
mod probes;
mod raw;
mod render;
mod validate;

pub use self::error::{PlanError, PlanErrors};
pub use self::expand::expand;
pub use self::probes::probes;

use crate::model::plan::Plan;
use crate::model::source::Source;

/// The largest plan that is read, in bytes.
pub const MAX_BYTES: u64 = 16 << 20;

/// Says whether a file that the plan refers to can be read: the system's words if it cannot.
pub type FileCheck<'a> = &'a dyn Fn(&str) -> Result<(), String>;

/// Reads a plan. `file` is its name as the user typed it, for places and errors; a name that ends in `.json`, or a text
/// that begins with `{`, is JSON, all else TOML. Files that it refers to are asked for by `check`, never opened.
pub fn load(file: &str, bytes: &[u8], check: FileCheck) -> Result<Plan, Box<PlanErrors>> {
    let (text, unreadable) = encoding::text(bytes);
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
            Err(Box::new(PlanErrors { source, errors }))
        }
    }
}

fn read(source: &mut Source, check: FileCheck) -> (Option<Plan>, Vec<PlanError>) {
    let (root, mut errors) = raw::parse(source);
    let Some(root) = root else { return (None, errors) };
    let (plan, mistakes) = validate::plan(source, &root, check, !errors.is_empty());
    errors.extend(mistakes);
    (plan, errors)
}

/// The mistakes as a terminal shows them: line, caret, expectation, hint.
pub fn render_errors(errors: &PlanErrors, colour: bool) -> String {
    render::errors(errors, colour)
}

/// The JSON Schema of the plan file.
pub fn schema() -> serde_json::Value {
    todo!()
}

/// A commented plan to start from.
pub fn template() -> &'static str {
    todo!()
}

#[cfg(test)]
mod tests;
