//! TOML → tree, with all syntax errors at once.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{DUPLICATE, Key, Node, Table, Value};
use crate::model::source::Span;
use crate::plan::error::PlanError;

/// So many duplicates are told with the place of the first; finding it costs a reading of the text before.
const EXPLAINED_DUPLICATES: usize = 20;

/// The parser bounds the depth of nesting itself.
pub(super) fn parse(text: &str) -> (Option<Node>, Vec<PlanError>) {
    let (root, faults) = DeTable::parse_recoverable(text);
    let mut duplicates = 0;
    let errors = faults.iter().map(|fault| {
        let span = fault.span().map_or(Span::default(), |r| clamp(text, r.start, r.end));
        let error = explain(fault.message(), span, text);
        match error.title == DUPLICATE {
            true if duplicates < EXPLAINED_DUPLICATES => {
                duplicates += 1;
                with_first(error, text)
            }
            _ => error,
        }
    });
    let errors = errors.collect();
    (Some(Node { span: span(&root), value: Value::Table(table(root.get_ref(), false)) }), errors)
}

fn span<T>(spanned: &Spanned<T>) -> Span {
    Span::new(spanned.span().start, spanned.span().end)
}

fn clamp(text: &str, start: usize, end: usize) -> Span {
    Span::new(start, end).within(text)
}

fn table(table: &DeTable<'_>, by_dots: bool) -> Table {
    let entry = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
        let text: &std::borrow::Cow<'_, str> = key.get_ref();
        let by_dots = key.span() == value.span();
        (Key { span: span(key), text: text.to_string() }, node(value, by_dots))
    };
    let mut entries: Vec<_> = table.iter().map(entry).collect();
    entries.sort_by_key(|(key, node)| (key.span.start().min(node.span.start()), key.span.start()));
    Table { entries, by_dots }
}

fn node(spanned: &Spanned<DeValue<'_>>, by_dots: bool) -> Node {
    let value = match spanned.get_ref() {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(i) => Value::Integer(i64::from_str_radix(i.as_str(), i.radix()).ok()),
        DeValue::Float(_) => Value::Float,
        DeValue::Boolean(b) => Value::Bool(*b),
        DeValue::Datetime(date) => Value::Date(date.to_string()),
        DeValue::Array(items) => Value::Array(items.iter().map(|item| node(item, false)).collect()),
        DeValue::Table(inner) => Value::Table(table(inner, by_dots)),
    };
    Node { span: span(spanned), value }
}

/// The parser's words as title and label: what is wrong, then what was expected.
fn explain(message: &str, span: Span, text: &str) -> PlanError {
    let (title, expected) = message.split_once(", expected ").unwrap_or((message, ""));
    match title {
        DUPLICATE => PlanError::at(span, title, "given before"),
        // A bare word that begins like `false`, `inf` or `nan` is told as a bad one of these.
        "string values must be quoted" | "invalid boolean" | "invalid float" => bare(span, text),
        _ if title.contains("escape") => PlanError::at(span, title, format!("expected {expected}"))
            .help(format!("a `\\` begins an escape in double quotes; {SINGLE}")),
        _ if expected.is_empty() => PlanError::at(span, title, "here"),
        _ => PlanError::at(span, title, format!("expected {expected}")),
    }
}

const SINGLE: &str = "put a path into single quotes: 'C:\\certs\\mail.cer'";

/// A string without quotes, or no value at all.
fn bare(span: Span, text: &str) -> PlanError {
    let ends = |c: char| c.is_whitespace() || matches!(c, ',' | '[' | ']' | '{' | '}' | '#' | '=' | '"');
    let before = text.get(..span.start()).unwrap_or_default();
    let start = before.rfind(ends).map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
    let token = text.get(start..).unwrap_or_default();
    let token = token.get(..token.find(ends).unwrap_or(token.len())).unwrap_or_default();
    let span = Span::new(start, start + token.len());
    let word = token.trim_matches(['\u{201c}', '\u{201d}', '\u{201e}', '\u{2018}', '\u{2019}', '\'']);
    let quoted = PlanError::at(span, "string without quotes", "expected a string in straight quotes");
    match word {
        "" => PlanError::at(span, "no value", "expected a value after `=`"),
        path if path.contains('\\') => quoted.help(SINGLE),
        word => quoted.help(format!("quote it: \"{word}\"")),
    }
}

/// Adds the place of the first of two equal keys: where a new key would land at the second's place, who is there?
fn with_first(error: PlanError, text: &str) -> PlanError {
    match first_of(error.span, text) {
        Some(first) => error.other(first, "first given here"),
        None => error,
    }
}

fn first_of(second: Span, text: &str) -> Option<Span> {
    let key = DeTable::parse_recoverable(text.get(second.range())?.trim_end()).0;
    let wanted = match key.get_ref().iter().next() {
        Some((key, _)) => key.get_ref().to_string(),
        None => text.get(second.range())?.trim_matches(['"', '\'']).to_string(),
    };
    const PROBE: &str = "\"\\u0001\"";
    ["]", "]]", " = 0", " = 0 }", " = 0 } ]"].iter().find_map(|end| {
        let probe = format!("{}{PROBE}{end}\n", text.get(..second.start())?);
        let root = DeTable::parse_recoverable(&probe).0;
        let found = beside(root.get_ref(), &wanted);
        found.filter(|span| span.start() < second.start())
    })
}

/// The key of the wanted text in the table that holds the probe.
fn beside(table: &DeTable<'_>, wanted: &str) -> Option<Span> {
    if table.iter().any(|(key, _)| key.get_ref() == "\u{1}") {
        return table.iter().find(|(key, _)| key.get_ref() == wanted).map(|(key, _)| span(key));
    }
    table.iter().find_map(|(_, value)| within(value.get_ref(), wanted))
}

fn within(value: &DeValue<'_>, wanted: &str) -> Option<Span> {
    match value {
        DeValue::Table(table) => beside(table, wanted),
        DeValue::Array(items) => items.iter().find_map(|item| within(item.get_ref(), wanted)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let cut = |s: Span| text[s.range()].to_string();
        let (_, errors) = parse(text);
        let other = |e: &PlanError| e.other.as_ref().map(|(s, _)| format!(" <- {} at {}", cut(*s), s.start()));
        errors.iter().map(|e| format!("{} [{}]{}", e.title, cut(e.span), other(e).unwrap_or_default())).collect()
    }

    #[test]
    fn both_places_of_a_duplicate_are_told() {
        assert_eq!(shown("a = 1\nb = 2\na = 3\n"), ["duplicate key [a] <- a at 0"]);
        assert_eq!(shown("[s.a]\nx = 1\n[p.a]\nx = 1\n[s.a]\ny = 1\n"), ["duplicate key [a] <- a at 3"]);
        assert_eq!(shown("[s]\nx = 1\n[t]\nx = 1\nx = 2\n"), ["duplicate key [x] <- x at 14"]);
        assert_eq!(shown("x = 0\ny = { x = 1, \"x\" = 2 }\n"), ["duplicate key [\"x\"] <- x at 12"]);
        assert_eq!(shown("[n]\n\"m.d\" = 1\n\"m.d\" = 2\n"), ["duplicate key [\"m.d\"] <- \"m.d\" at 4"]);
    }

    #[test]
    fn a_dotted_key_leaves_its_mark() {
        let dots = |text| {
            let (root, _) = parse(text);
            root.unwrap().as_table().unwrap().entries[0].1.as_table().map(|t| t.by_dots)
        };
        assert_eq!(dots("mail.domain = 1"), Some(true));
        assert_eq!(dots("[mail.domain]\na = 1"), Some(true));
        assert_eq!(dots("[mail]\na = 1"), Some(false));
        assert_eq!(dots("mail = { a = 1 }"), Some(false));
    }
}
