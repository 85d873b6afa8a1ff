//! Tables whose keys are the user's own: labels and host names. TOML reads an unquoted host name as nested tables.

use super::bounds::{ENTRIES, NAMES, bounded};
use super::reader::Reader;
use crate::model::source::{Located, Span};
use crate::model::text::escape;
use crate::plan::error::PlanError;
use crate::plan::raw::{Key, Node};

/// Labels are typed on the command line, in lists, and stand in ids.
const LONGEST: usize = 64;
const RESERVED: &[char] = &[',', '/', ':', '@', '"', '\'', '`', '\\'];

/// An entry of such a table.
pub(super) type Entry<'n> = (Located<String>, &'n Node);

impl Reader<'_> {
    /// The entries under the user's own keys, host names put together again. `known` are the keys that an entry's own
    /// table may have: `mail.server = "x"` is no host name.
    pub(super) fn entries<'n>(
        &self,
        node: Option<&'n Node>,
        what: &str,
        known: &dyn Fn(&str) -> bool,
    ) -> Vec<Entry<'n>> {
        let Some(node) = node else { return Vec::new() };
        let Some(table) = node.as_table() else {
            return self.wrong(node, &format!("a table of {what}")).unwrap_or_default();
        };
        let mut out = Vec::new();
        let most = if what == "names" { NAMES } else { ENTRIES };
        for (key, node) in bounded(self, &table.entries, most, node.span, what) {
            match unquoted(node, known) {
                true => self.join(key.text.clone(), key, node, known, &mut out),
                false => out.push((Located::new(key.text.clone(), key.span), node)),
            }
        }
        out
    }

    /// As [`Reader::entries`], of labels.
    pub(super) fn labels<'n>(
        &self,
        node: Option<&'n Node>,
        what: &str,
        known: &dyn Fn(&str) -> bool,
    ) -> Vec<Entry<'n>> {
        let entries = self.entries(node, what, known);
        for (label, _) in &entries {
            let text = &label.value;
            let bad = |c: char| c.is_control() || c.is_whitespace() || RESERVED.contains(&c);
            if text.is_empty() || text.chars().count() > LONGEST || text.contains(bad) || escape(text) != *text {
                let error = PlanError::at(label.span, "not a label", format!("expected 1 to {LONGEST} characters"));
                self.note::<()>(error.help("letters, digits, `-`, `_` and `.` make a label"));
            }
        }
        entries
    }

    fn join<'n>(
        &self,
        so_far: String,
        last: &Key,
        node: &'n Node,
        known: &dyn Fn(&str) -> bool,
        out: &mut Vec<Entry<'n>>,
    ) {
        if !unquoted(node, known) {
            let span = self.span_of(&so_far, last.span);
            let error = PlanError::at(span, "host name without quotes", "TOML reads tables within tables here");
            self.note::<()>(error.help(format!("quote the name: \"{so_far}\"")));
            out.push((Located::new(so_far, span), node));
            return;
        }
        for (key, node) in node.as_table().iter().flat_map(|table| &table.entries) {
            self.join(format!("{so_far}.{}", key.text), key, node, known, out);
        }
    }

    /// The place of a whole dotted name of which the last part is known.
    fn span_of(&self, name: &str, last: Span) -> Span {
        let whole = Span::new(last.end().saturating_sub(name.len()), last.end());
        if self.text(whole) == name { whole } else { last }
    }
}

/// True for a table made by dots of which no key is one that the table may have.
fn unquoted(node: &Node, known: &dyn Fn(&str) -> bool) -> bool {
    node.as_table().is_some_and(|table| table.by_dots && !table.entries.is_empty() && !table.has_any(known))
}
