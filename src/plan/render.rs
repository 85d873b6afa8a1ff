//! Mistakes as a terminal shows them.

use std::fmt::Write;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::error::{PlanError, PlanErrors};
use crate::model::source::{Source, Span};
use crate::model::text::{escape, shown};

/// More mistakes are counted, not shown.
const SHOWN: usize = 50;
/// Characters of a line that are shown before a mistake, and of the mistake with what follows.
const BEFORE: usize = 60;
const FROM: usize = 80;
/// Characters of a title, label or hint.
const TEXT: usize = 400;

pub(super) fn errors(errors: &PlanErrors, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let mut out = String::new();
    for error in errors.errors.iter().take(SHOWN) {
        out.push_str(&renderer.render(&groups(&errors.source, error)));
        out.push_str("\n\n");
    }
    let (count, file) = (errors.errors.len(), shown(&errors.source.file));
    let _ = match count {
        1 => writeln!(out, "{file}: 1 mistake"),
        2..=SHOWN => writeln!(out, "{file}: {count} mistakes"),
        _ => writeln!(out, "{file}: {count} mistakes, the first {SHOWN} shown"),
    };
    out
}

fn groups<'a>(source: &Source, error: &PlanError) -> Vec<Group<'a>> {
    let title = Level::ERROR.primary_title(bounded(&error.title));
    let mut group = at(Group::with_title(title), source, error.span, &error.label, AnnotationKind::Primary);
    if let Some((span, label)) = &error.other {
        group = at(group, source, *span, label, AnnotationKind::Context);
    }
    if let Some(pointer) = source.place(error.span).pointer.filter(|p| !p.is_empty()) {
        group = group.element(Level::NOTE.message(format!("at {}", bounded(&pointer))));
    }
    let help = error.help.iter().map(|help| Group::with_title(Level::HELP.secondary_title(bounded(help))));
    std::iter::once(group).chain(help).collect()
}

/// Adds a line of the plan with a caret and its label.
fn at<'a>(group: Group<'a>, source: &Source, span: Span, label: &str, kind: AnnotationKind) -> Group<'a> {
    let place = source.place(span);
    let (line, caret, cut) = line(&source.text, span);
    let path = shown(&place.file);
    let snippet = Snippet::source(line).line_start(place.line).fold(false);
    let snippet = snippet.annotation(kind.span(caret).label(bounded(label)));
    match cut {
        // The renderer counts columns in what it is given; of a line that was cut in front it would count wrong.
        true => group.element(Origin::path(path).line(place.line).char_column(place.column)).element(snippet),
        false => group.element(snippet.path(path)),
    }
}

/// What a plan says, in one line of bounded length without anything that steers a terminal.
fn bounded(text: &str) -> String {
    let cut: String = text.chars().take(TEXT).collect();
    let end = if cut.len() < text.len() { "..." } else { "" };
    shown(&cut) + end
}

/// The line in which a span begins, made fit to be shown and cut to what lies around; the span within it; and whether
/// something was cut off in front.
fn line(text: &str, span: Span) -> (String, Range<usize>, bool) {
    let Range { start, end } = span.within(text).range();
    let first = text[..start].rfind('\n').map_or(0, |i| i + 1);
    let last = text[start..].find('\n').map_or(text.len(), |i| start + i);
    // What Windows ends a line with is no part of it.
    let last = if text[start..last].ends_with('\r') { last - 1 } else { last };
    let (before, cut_in_front) = cut_front(&text[first..start]);
    let marked = text[start..end.min(last)].trim_end();
    let (marked, after) = (harmless(marked), harmless(&text[start + marked.len()..last]));
    let caret: String = marked.chars().take(FROM).collect();
    let rest: String = after.trim_end().chars().take(FROM - caret.chars().count()).collect();
    let cut = caret.len() < marked.len() || rest.len() < after.trim_end().len();
    let range = before.len()..before.len() + caret.len();
    let line = format!("{before}{caret}{rest}{}", if cut { "..." } else { "" });
    // Two of them begin a command to a build server; the range counts bytes.
    (line.replace("##", "# "), range, cut_in_front)
}

fn cut_front(text: &str) -> (String, bool) {
    let all = harmless(text);
    match all.char_indices().rev().nth(BEFORE - 1) {
        Some((at, _)) if at > 0 => (format!("...{}", &all[at..]), true),
        _ => (all, false),
    }
}

/// Each character as one: a blank for a tab, a mark for what steers a terminal.
fn harmless(text: &str) -> String {
    let one = |c: char| match c {
        '\t' => ' ',
        c if escape(c.encode_utf8(&mut [0; 4])).len() > c.len_utf8() => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    text.chars().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(text: &str, error: PlanError) -> String {
        let source = Source { file: "plan.toml".into(), text: text.into(), ..Source::default() };
        errors(&PlanErrors { source, errors: vec![error] }, false)
    }

    fn of(text: &str, needle: &str) -> Span {
        let start = text.find(needle).unwrap();
        Span::new(start, start + needle.len())
    }

    #[test]
    fn a_mistake_is_a_line_with_a_caret() {
        let text = "[internet]\n\"mail.domain.com\" = \"ex2100\"\n";
        let error = PlanError::at(of(text, "\"ex2100\""), "no such server `ex2100`", "not under [servers]")
            .help("did you mean `ex2010`?");
        assert_eq!(
            render(text, error),
            "\
error: no such server `ex2100`
 --> plan.toml:2:21
  |
2 | \"mail.domain.com\" = \"ex2100\"
  |                     ^^^^^^^^ not under [servers]
  |
help: did you mean `ex2010`?

plan.toml: 1 mistake
"
        );
    }

    #[test]
    fn both_places_are_shown() {
        let text = "a = 1\n\n\nb = 1\na = 2\n";
        let error = PlanError::at(Span::new(14, 15), "duplicate key", "given before")
            .other(Span::new(0, 1), "first given here");
        assert_eq!(
            render(text, error),
            "\
error: duplicate key
 --> plan.toml:5:1
  |
5 | a = 2
  | ^ given before
  |
 ::: plan.toml:1:1
  |
1 | a = 1
  | - first given here

plan.toml: 1 mistake
"
        );
    }

    #[test]
    fn nothing_hostile_reaches_the_terminal_and_nothing_is_endless() {
        let text = format!("\t\"\u{1b}[2J\u{202e}\" = \"{}\"\n", "x".repeat(1 << 20));
        let title = format!("unknown key `{}\u{1b}`", "y".repeat(1 << 20));
        let whole = Span::new(1, text.len());
        let out = render(&text, PlanError::at(whole, title, "\u{9b}\n"));
        assert!(out.len() < 2000, "{}", out.len());
        assert!(!out.contains(['\u{1b}', '\u{202e}', '\u{9b}', '\t']), "{out}");
        assert!(out.contains("plan.toml:1:2"), "{out}");
        let late = PlanError::at(Span::new(text.len() - 3, text.len() - 1), "t", "l");
        assert!(render(&text, late).contains(&format!("plan.toml:1:{}", text.chars().count() - 2)));
    }

    #[test]
    fn nothing_is_a_command_to_a_build_server() {
        let error = PlanError::at(Span::new(7, 8), "::error::##[x]", "##vso[x]");
        let out = render("a = 1 ##[error]x", error);
        assert!(!out.contains("##") && !out.contains(" ::error"), "{out}");
    }

    #[test]
    fn any_span_can_be_shown() {
        for text in ["", "\n", "ü", "a\r\nb\r\n"] {
            for start in 0..=text.len() + 1 {
                for end in 0..=text.len() + 2 {
                    assert!(render(text, PlanError::at(Span::new(start, end), "t", "l")).starts_with("error: t\n"));
                }
            }
        }
    }

    #[test]
    fn many_mistakes_are_counted() {
        let source = Source { file: "p".into(), text: "a".into(), ..Source::default() };
        let all = vec![PlanError::at(Span::default(), "t", "l"); 1000];
        let out = errors(&PlanErrors { source, errors: all }, false);
        assert_eq!(out.matches("error: t\n").count(), 50);
        assert!(out.ends_with("p: 1000 mistakes, the first 50 shown\n"));
    }
}
