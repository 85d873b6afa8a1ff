//! The plan as a tree in which every key and value has its place, the same for both syntaxes.

mod json;
mod toml;

use super::error::PlanError;
use crate::model::source::{Source, Span, Syntax};

/// The title of the one fault that leaves the rest of the tree as it was.
pub(super) const DUPLICATE: &str = "duplicate key";

/// A value and its place.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) span: Span,
    pub(super) value: Value,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(super) enum Value {
    String(String),
    /// `None` if it does not fit into 64 bits.
    Integer(Option<i64>),
    Float,
    Bool(bool),
    /// As written; TOML only.
    Date(String),
    /// JSON only.
    Null,
    Array(Vec<Node>),
    Table(Table),
}

/// Keys and values in the order of the text.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub(super) entries: Vec<(Key, Node)>,
    /// Made by a dotted key of TOML (`a.b = 1` makes `a`), which is how an unquoted host name is seen.
    pub(super) by_dots: bool,
}

/// A key and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) span: Span,
    pub(super) text: String,
}

impl Node {
    /// What it is, for "found ...".
    pub(super) fn kind(&self) -> &'static str {
        match &self.value {
            Value::String(_) => "a string",
            Value::Integer(_) => "an integer",
            Value::Float => "a decimal fraction",
            Value::Bool(_) => "true or false",
            Value::Date(_) => "a date",
            Value::Null => "null",
            Value::Array(_) => "a list",
            Value::Table(_) => "a table",
        }
    }

    pub(super) fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn as_table(&self) -> Option<&Table> {
        match &self.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }
}

impl Table {
    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.entries.iter().find(|(k, _)| k.text == key).map(|(_, node)| node)
    }

    /// True if some key is among the words.
    pub(super) fn has_any(&self, word: impl Fn(&str) -> bool) -> bool {
        self.entries.iter().any(|(k, _)| word(&k.text))
    }
}

/// Reads a text of the source's syntax. Even with errors comes the part of the tree that could be read.
pub(super) fn parse(source: &mut Source) -> (Option<Node>, Vec<PlanError>) {
    match source.syntax {
        Syntax::Toml => toml::parse(&source.text),
        Syntax::Json => json::parse(source),
    }
}

/// JSON by the file's name, or by the first character.
pub(super) fn syntax(file: &str, text: &str) -> Syntax {
    let named = file.len() >= 5 && file.as_bytes()[file.len() - 5..].eq_ignore_ascii_case(b".json");
    if named || text.trim_start().starts_with('{') { Syntax::Json } else { Syntax::Toml }
}
