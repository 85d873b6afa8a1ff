//! What is wrong with a plan, and where.

use crate::model::source::{Source, Span};

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

impl Span {
    /// The span cut to the text, and to whole characters.
    pub(super) fn within(self, text: &str) -> Self {
        let floor = |at: usize| (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let start = floor(self.start());
        Self::new(start, floor(self.end()).max(start))
    }
}

impl PlanError {
    /// A mistake at a place.
    pub(super) fn at(span: Span, title: impl Into<String>, label: impl Into<String>) -> Self {
        Self { span, title: title.into(), label: label.into(), help: None, other: None }
    }

    /// Adds what to do.
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds what to do, if there is something to say.
    pub(super) fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help.or(self.help);
        self
    }

    /// Adds another place.
    pub(super) fn other(mut self, span: Span, label: impl Into<String>) -> Self {
        self.other = Some((span, label.into()));
        self
    }
}
