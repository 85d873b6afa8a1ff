//! JSON → tree. Strict: programs write it.

use jsonc_parser::ast;
use jsonc_parser::common::Range;
use jsonc_parser::errors::ParseErrorKind;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use super::{DUPLICATE, Key, Node, Table, Value};
use crate::model::source::{Source, Span};
use crate::plan::error::PlanError;

/// A plan nests six deep; the parser recurses.
const DEEPEST: usize = 64;
/// Bytes of pointers that are kept; a hostile plan can repeat a long key in each.
const POINTER_BYTES: usize = 64 << 20;

const STRICT: ParseOptions = ParseOptions {
    allow_comments: false,
    allow_loose_object_property_names: false,
    allow_trailing_commas: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// Fills the source's pointers on the way.
pub(super) fn parse(source: &mut Source) -> (Option<Node>, Vec<PlanError>) {
    if let Some(at) = too_deep(&source.text) {
        let span = Span::new(at, at + 1);
        return (None, vec![PlanError::at(span, "nested too deep", format!("at most {DEEPEST} levels are read"))]);
    }
    let parsed = parse_to_ast(&source.text, &CollectOptions::default(), &STRICT);
    let mut walk = Walk::default();
    let root = match parsed.as_ref().map(|result| result.value.as_ref()) {
        Ok(Some(value)) => Some(walk.node(value, &mut String::new())),
        Ok(None) => None,
        Err(error) => {
            let range = span(error.range());
            let label = match error.kind() {
                ParseErrorKind::UnterminatedObject | ParseErrorKind::UnterminatedArray => "begins here, never ends",
                _ => "here",
            };
            walk.errors.push(PlanError::at(range.within(&source.text), words(error.kind()), label));
            None
        }
    };
    let Walk { pointers, errors, .. } = walk;
    source.pointers = pointers;
    (root, errors)
}

fn span(range: Range) -> Span {
    Span::new(range.start, range.end)
}

fn words(kind: &ParseErrorKind) -> String {
    let text = kind.to_string();
    let mut chars = text.chars();
    chars.next().map(|c| c.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

/// The place of the bracket that opens one level too many; strings are stepped over.
fn too_deep(text: &str) -> Option<usize> {
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            return Some(at);
        }
    }
    None
}

#[derive(Default)]
struct Walk {
    pointers: Vec<(Span, String)>,
    pointer_bytes: usize,
    errors: Vec<PlanError>,
}

impl Walk {
    fn node(&mut self, value: &ast::Value<'_>, pointer: &mut String) -> Node {
        let (range, value) = match value {
            ast::Value::StringLit(s) => (s.range, Value::String(s.value.to_string())),
            ast::Value::NumberLit(n) => (n.range, number(n.value)),
            ast::Value::BooleanLit(b) => (b.range, Value::Bool(b.value)),
            ast::Value::NullKeyword(n) => (n.range, Value::Null),
            ast::Value::Object(o) => {
                self.point(span(o.range), pointer);
                return Node { span: span(o.range), value: Value::Table(self.table(o, pointer)) };
            }
            ast::Value::Array(a) => {
                self.point(span(a.range), pointer);
                let item = |(i, v): (usize, _)| self.below(&i.to_string(), pointer, |walk, p| walk.node(v, p));
                return Node {
                    span: span(a.range),
                    value: Value::Array(a.elements.iter().enumerate().map(item).collect()),
                };
            }
        };
        self.point(span(range), pointer);
        Node { span: span(range), value }
    }

    fn table(&mut self, object: &ast::Object<'_>, pointer: &mut String) -> Table {
        let mut entries: Vec<(Key, Node)> = Vec::with_capacity(object.properties.len());
        let mut seen = std::collections::HashMap::new();
        for property in &object.properties {
            let text = property.name.as_str().to_string();
            let range = match &property.name {
                ast::ObjectPropName::String(s) => s.range,
                ast::ObjectPropName::Word(w) => w.range,
            };
            let key = Key { span: span(range), text };
            if let Some(first) = seen.insert(key.text.clone(), key.span) {
                let error = PlanError::at(key.span, DUPLICATE, "given before").other(first, "first given here");
                self.errors.push(error);
                self.below(&key.text, pointer, |walk, p| walk.point(span(property.range), p));
                continue;
            }
            let node = self.below(&key.text, pointer, |walk, p| {
                walk.point(span(property.range), p);
                walk.node(&property.value, p)
            });
            entries.push((key, node));
        }
        Table { entries, by_dots: false }
    }

    /// Goes one step down in the pointer (RFC 6901 section 3 for the escapes).
    fn below<T>(&mut self, step: &str, pointer: &mut String, go: impl FnOnce(&mut Self, &mut String) -> T) -> T {
        let before = pointer.len();
        pointer.push('/');
        pointer.push_str(&step.replace('~', "~0").replace('/', "~1"));
        let out = go(self, pointer);
        pointer.truncate(before);
        out
    }

    fn point(&mut self, span: Span, pointer: &str) {
        self.pointer_bytes += pointer.len();
        if self.pointer_bytes <= POINTER_BYTES {
            self.pointers.push((span, pointer.to_string()));
        }
    }
}

fn number(text: &str) -> Value {
    match text.contains(['.', 'e', 'E']) {
        true => Value::Float,
        false => Value::Integer(text.parse().ok()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Option<Node>, Vec<PlanError>, Source) {
        let mut source = Source { text: text.into(), ..Source::default() };
        let (node, errors) = parse(&mut source);
        (node, errors, source)
    }

    #[test]
    fn only_json_is_json() {
        for (text, title) in [
            ("{\"a\": 1,}", "trailing commas are not allowed"),
            ("{a: 1}", "expected string for object property"),
            ("{\"a\": 1} // b", "comments are not allowed"),
            ("{'a': 1}", "single-quoted strings are not allowed"),
            ("{\"a\": 1", "unterminated object"),
            ("{\"a\": 1, \"a\": 2}", "duplicate key"),
        ] {
            let errors = read(text).1;
            assert_eq!(errors.iter().map(|e| e.title.as_str()).collect::<Vec<_>>(), [title], "{text}");
        }
    }

    #[test]
    fn places_are_pointers() {
        let (_, errors, source) = read(r#"{"a/b": [{"c": "x"}, 2]}"#);
        assert_eq!(errors, []);
        let at = |needle: &str| {
            let start = source.text.find(needle).unwrap();
            source.place(Span::new(start, start + needle.len())).pointer.unwrap()
        };
        assert_eq!(at("\"x\""), "/a~1b/0/c");
        assert_eq!(at("\"c\""), "/a~1b/0/c");
        assert_eq!(at("2"), "/a~1b/1");
    }

    #[test]
    fn depth_is_bounded_before_the_parser_recurses() {
        let deep = "[".repeat(100_000);
        assert_eq!(read(&deep).1[0].title, "nested too deep");
        let quoted = format!("{{\"a\": \"{deep}\"}}");
        assert_eq!(read(&quoted).1, []);
    }
}
