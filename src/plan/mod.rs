//! Text → [`Plan`] → obligations → probes.

/// The largest plan that is read, in bytes.
pub const MAX_BYTES: u64 = 16 << 20;

mod expand;
mod probes;

use crate::model::plan::Plan;
use crate::model::source::{Source, Span};

pub use expand::expand;
pub use probes::probes;

/// One mistake in a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanError {
    /// Where.
    pub span: Span,
    /// What is wrong, lower case, no full stop: `unknown key `startls``.
    pub title: String,
    /// What stands under the caret: what was expected.
    pub label: String,
    /// What to do: a nearest name, a hint.
    pub help: Option<String>,
    /// Another place that matters: the first of two duplicates.
    pub other: Option<(Span, String)>,
}

/// A plan that could not be read, with every mistake found.
#[derive(Clone, Debug)]
pub struct PlanErrors {
    /// The text.
    pub source: Source,
    /// The mistakes, in the order of the text; never empty.
    pub errors: Vec<PlanError>,
}

/// Says whether a file that the plan refers to can be read: the system's words if it cannot.
pub type FileCheck<'a> = &'a dyn Fn(&str) -> Result<(), String>;

/// Reads a plan. `file` is its name as the user typed it, for places and errors; a name that ends in `.json`, or a text
/// that begins with `{`, is JSON, all else TOML. Files that it refers to are asked for by `check`, never opened.
pub fn load(_file: &str, _bytes: &[u8], _check: FileCheck) -> Result<Plan, Box<PlanErrors>> {
    todo!()
}

/// The mistakes as a terminal shows them: line, caret, expectation, hint.
pub fn render_errors(_errors: &PlanErrors, _colour: bool) -> String {
    todo!()
}

/// The JSON Schema of the plan file.
pub fn schema() -> serde_json::Value {
    todo!()
}

/// A commented plan to start from.
pub fn template() -> &'static str {
    todo!()
}
