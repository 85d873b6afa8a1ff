//! Reads single values from the tree and notes every mistake with its place.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use super::bounds::{ITEMS, bounded};
use super::nearest::nearest;
use crate::model::name::Name;
use crate::model::source::{Located, Source, Span, Syntax};
use crate::plan::FileCheck;
use crate::plan::error::PlanError;
use crate::plan::keys::Keys;
use crate::plan::raw::{Node, Table, Value};

/// So many words are compared for nearest-name hints; a hostile plan has many mistakes and many candidates for each.
const COMPARISONS: usize = 100_000;

/// Reads values; `None` means that the mistake is noted.
pub(super) struct Reader<'a> {
    source: &'a Source,
    check: FileCheck<'a>,
    checked: RefCell<HashMap<String, Result<(), String>>>,
    errors: RefCell<Vec<PlanError>>,
    comparisons: Cell<usize>,
    /// The text has syntax errors: what is missing may only be unreadable.
    broken: bool,
}

/// A table whose keys are known to be right.
pub(super) struct Fields<'n> {
    table: &'n Table,
}

impl<'n> Fields<'n> {
    /// A table that was looked at elsewhere.
    pub(super) fn of(table: &'n Table) -> Self {
        Self { table }
    }

    pub(super) fn get(&self, key: &str) -> Option<&'n Node> {
        self.table.get(key)
    }
}

impl<'a> Reader<'a> {
    pub(super) fn new(source: &'a Source, check: FileCheck<'a>, broken: bool) -> Self {
        let (checked, errors) = (RefCell::default(), RefCell::default());
        Self { source, check, checked, errors, comparisons: Cell::new(COMPARISONS), broken }
    }

    /// How many mistakes are noted so far.
    pub(super) fn count(&self) -> usize {
        self.errors.borrow().len()
    }

    pub(super) fn into_errors(self) -> Vec<PlanError> {
        self.errors.into_inner()
    }

    /// Notes a mistake.
    pub(super) fn note<T>(&self, error: PlanError) -> Option<T> {
        self.errors.borrow_mut().push(error);
        None
    }

    /// Notes that something is missing, unless it may stand in what could not be read.
    pub(super) fn missing<T>(&self, error: PlanError) -> Option<T> {
        if self.broken { None } else { self.note(error) }
    }

    /// A hint at the nearest of some words.
    pub(super) fn hint<'w>(&self, text: &str, words: impl IntoIterator<Item = &'w str>) -> Option<String> {
        let words = words.into_iter().inspect(|_| self.comparisons.set(self.comparisons.get().saturating_sub(1)));
        let near = nearest(text, words.take_while(|_| self.comparisons.get() > 0));
        near.map(|near| format!("did you mean `{near}`?"))
    }

    /// A value of another type than was wanted.
    pub(super) fn wrong<T>(&self, node: &Node, wanted: &str) -> Option<T> {
        let error = match node.value {
            Value::Integer(None) => PlanError::at(node.span, "number out of range", format!("expected {wanted}")),
            _ => PlanError::at(node.span, "wrong type", format!("expected {wanted}, found {}", node.kind())),
        };
        self.note(error)
    }

    /// The text of a span, as the user wrote it.
    pub(super) fn text(&self, span: Span) -> &str {
        self.source.text.get(span.range()).unwrap_or_default()
    }

    /// The end of the text, where what is missing could be added.
    pub(super) fn end(&self) -> Span {
        let end = self.source.text.trim_end().len();
        Span::new(end, end)
    }

    pub(super) fn string<'n>(&self, node: &'n Node, wanted: &str) -> Option<Located<&'n str>> {
        match &node.value {
            Value::String(text) => Some(Located::new(text.as_str(), node.span)),
            _ => self.wrong(node, wanted),
        }
    }

    /// A string that says something, on one line.
    pub(super) fn line(&self, node: &Node, wanted: &str) -> Option<Located<String>> {
        let text = self.string(node, wanted)?;
        match text.value.trim() {
            "" => self.note(PlanError::at(node.span, "empty string", format!("expected {wanted}"))),
            trimmed => Some(Located::new(trimmed.to_string(), node.span)),
        }
    }

    /// One value or a list of them.
    pub(super) fn one_or_many<'n>(&self, node: &'n Node) -> &'n [Node] {
        match &node.value {
            Value::Array(items) => bounded(self, items, ITEMS, node.span, "items"),
            _ => std::slice::from_ref(node),
        }
    }

    /// Strings, one or a list, each read further; what fails is noted and left out.
    pub(super) fn each<T>(&self, node: &Node, wanted: &str, read: impl Fn(Located<&str>) -> Option<T>) -> Vec<T> {
        let items = self.one_or_many(node).iter();
        items.filter_map(|item| self.string(item, wanted)).filter_map(read).collect()
    }

    pub(super) fn boolean(&self, node: &Node) -> Option<bool> {
        match node.value {
            Value::Bool(b) => Some(b),
            _ => self.wrong(node, "true or false"),
        }
    }

    pub(super) fn number(&self, node: &Node, least: u32, most: u32) -> Option<u32> {
        let wanted = format!("a whole number from {least} to {most}");
        let Value::Integer(Some(i)) = node.value else {
            return self.wrong(node, &wanted);
        };
        match u32::try_from(i).ok().filter(|n| (least..=most).contains(n)) {
            Some(n) => Some(n),
            None => self.note(PlanError::at(node.span, "number out of range", format!("expected {wanted}"))),
        }
    }

    /// One of some words, each with its meaning.
    pub(super) fn word<T: Copy>(&self, node: &Node, what: &str, words: &[(&str, T)]) -> Option<T> {
        let list = words.iter().map(|(w, _)| format!("\"{w}\"")).collect::<Vec<_>>().join(", ");
        let text = self.string(node, &format!("{what}: {list}"))?;
        let found = words.iter().find(|(w, _)| *w == text.value).map(|(_, t)| *t);
        found.or_else(|| {
            let hint = self.hint(text.value, words.iter().map(|(w, _)| *w));
            let title = format!("`{}` is not {what}", text.value);
            self.note(PlanError::at(node.span, title, format!("expected {list}")).maybe_help(hint))
        })
    }

    /// A host name; may be a wildcard.
    pub(super) fn host_name(&self, text: Located<&str>) -> Option<Located<Name>> {
        match Name::parse(text.value) {
            Ok(name) => Some(Located::new(name, text.span)),
            Err(e) => self.note(PlanError::at(text.span, "not a host name", e.to_string())),
        }
    }

    /// A host name that is no wildcard.
    pub(super) fn full_name(&self, text: Located<&str>) -> Option<Located<Name>> {
        let name = self.host_name(text)?;
        match name.value.is_wildcard() {
            true => self.note(PlanError::at(name.span, "a wildcard cannot stand here", "expected a full host name")),
            false => Some(name),
        }
    }

    /// A path, as written, of a file that can be read.
    pub(super) fn path(&self, text: Located<&str>) -> Option<Located<String>> {
        let path = text.value;
        if path.trim().is_empty() || path.contains(char::is_control) {
            let (title, label) = match path.trim().is_empty() {
                true => ("empty path", "expected a file beside the plan"),
                false => ("control character in a path", "a `\\` in double quotes begins an escape"),
            };
            let error = PlanError::at(text.span, title, label);
            return self.note(error.help(match self.source.syntax {
                Syntax::Toml => "put the path into single quotes: 'C:\\certs\\mail.cer'",
                Syntax::Json => "write `\\\\` for each `\\`",
            }));
        }
        let known = self.checked.borrow().get(path).cloned();
        let readable = known.unwrap_or_else(|| (self.check)(path));
        self.checked.borrow_mut().insert(path.to_string(), readable.clone());
        match readable {
            Ok(()) => Some(Located::new(path.to_string(), text.span)),
            Err(words) => {
                let slashes = path.contains('\\').then(|| "`/` separates folders on every system".to_string());
                self.note(PlanError::at(text.span, format!("cannot read `{path}`"), words).maybe_help(slashes))
            }
        }
    }

    /// A table with these keys only.
    pub(super) fn fields<'n>(&self, node: &'n Node, what: &str, keys: Keys) -> Option<Fields<'n>> {
        let Value::Table(table) = &node.value else {
            return self.wrong(node, &format!("{what}: a table"));
        };
        for (key, _) in &table.entries {
            if !keys.iter().any(|group| group.contains(&key.text.as_str())) {
                self.unknown_key(key.span, &key.text, what, keys.iter().flat_map(|g| g.iter().copied()));
            }
        }
        Some(Fields { table })
    }

    /// Notes an unknown key of something.
    pub(super) fn unknown_key<'w>(
        &self,
        span: Span,
        key: &str,
        what: &str,
        keys: impl IntoIterator<Item = &'w str> + Clone,
    ) {
        let hint = self.hint(key, keys.clone());
        let list = keys.into_iter().take(16).map(|k| format!("`{k}`")).collect::<Vec<_>>().join(", ");
        let error = PlanError::at(span, format!("unknown key `{key}`"), format!("{what} has no such key"));
        self.note::<()>(error.help(hint.unwrap_or_else(|| format!("known keys: {list}"))));
    }
}
