//! A finding as a block: headline, then what was expected, seen, who is hurt, what follows, and what to do.

use std::collections::BTreeMap;

use super::header::EDGE;
use super::ink::Ink;
use super::roots::{Class, Root};
use super::wrap::{apart, hang};
use crate::model::finding::{Finding, TYPED};
use crate::model::source::Place;

/// Columns before a label.
const INDENT: usize = 3;
/// Columns before the text behind a label.
const TEXT: usize = INDENT + 10;

/// How blocks are set.
#[derive(Clone, Copy)]
pub(super) struct Setting {
    pub width: usize,
    pub ink: Ink,
    pub verbose: bool,
}

/// The lines of a root; with `verbose` those of its consequences too.
pub(super) fn root(root: &Root<'_>, set: Setting) -> Vec<String> {
    let mut lines = match root.class {
        Class::Waived => waived(root, set),
        _ => block(&root.mark, root.finding, &also(&root.consequences), set),
    };
    if set.verbose {
        for (i, finding) in root.consequences.iter().enumerate() {
            let mark = format!("{}.{}", root.mark, i + 1);
            lines.extend(block(&mark, finding, "", set));
        }
    }
    lines
}

fn waived(root: &Root<'_>, set: Setting) -> Vec<String> {
    let (finding, by) = (root.finding, root.finding.waived.as_ref());
    let until = by.and_then(|w| w.until.as_deref()).map(|until| format!(" until {until}")).unwrap_or_default();
    let reason = by.map(|w| w.reason.as_str()).unwrap_or_default();
    let text = format!("waived{until}: {} {}; {reason}", finding.rule, finding.title);
    let mut lines = painted(hang("~  ", &text, INDENT, set.width), "~", set.ink);
    if set.verbose {
        lines.extend(fields(finding, &also(&root.consequences), set.width));
    }
    lines
}

fn block(mark: &str, finding: &Finding, also: &str, set: Setting) -> Vec<String> {
    let head = format!("{mark} {}   ", finding.rule);
    let mut lines = painted(hang(&head, &finding.title, INDENT, set.width), mark, set.ink);
    lines.extend(fields(finding, also, set.width));
    lines
}

fn painted(mut lines: Vec<String>, mark: &str, ink: Ink) -> Vec<String> {
    if let Some(line) = lines.first_mut() {
        *line = ink.begin(std::mem::take(line), mark);
    }
    lines
}

/// The rules of what follows, each once, with how often if that is not once.
fn also(consequences: &[&Finding]) -> String {
    let mut order = Vec::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in consequences {
        let n = counts.entry(finding.rule).or_default();
        if *n == 0 {
            order.push(finding.rule);
        }
        *n += 1;
    }
    let shown = |rule: &&str| match counts.get(*rule) {
        Some(n) if *n > 1 => format!("{rule} ({n})"),
        _ => rule.to_string(),
    };
    order.iter().map(shown).collect::<Vec<_>>().join(", ")
}

fn fields(finding: &Finding, also: &str, width: usize) -> Vec<String> {
    let also = if also.is_empty() { Vec::new() } else { vec![also.to_string()] };
    let remedy = &finding.remedy;
    let fields = [
        ("expected", &finding.expected),
        ("seen", &finding.seen),
        ("hurts", &finding.hurts),
        ("also", &also),
        ("now", &remedy.now),
        ("cure", &remedy.cure),
        ("next", &remedy.next),
    ];
    let mut at = finding.at.as_ref().map(place);
    let mut lines = Vec::new();
    for (label, texts) in fields {
        let mut of_field = field(label, texts, width);
        // the plan's line stands beside what it says, or beside what follows from it, but not within a broken text
        let whole = texts.first().is_some_and(|text| field(label, std::slice::from_ref(text), width).len() == 1);
        if whole && matches!(label, "expected" | "also") {
            set_beside(&mut of_field, &mut at, width);
        }
        lines.extend(of_field);
        if label == "also" {
            lines.extend(at.take().into_iter().flat_map(|at| field("at", &[at], width)));
        }
    }
    lines
}

/// A label and its texts, each beginning a line; what wraps is indented by two more.
fn field(label: &str, texts: &[String], width: usize) -> Vec<String> {
    let remedy = matches!(label, "now" | "cure" | "next");
    let lines = texts.iter().enumerate().flat_map(|(i, text)| {
        let label = if i == 0 { label } else { "" };
        let prefix = format!("{:INDENT$}{label:<pad$}", "", pad = TEXT - INDENT);
        match text.strip_prefix(TYPED).filter(|_| remedy) {
            // Broken, it could not be pasted.
            Some(command) => vec![format!("{prefix}{command}")],
            None => hang(&prefix, text, TEXT + 2, width),
        }
    });
    lines.collect()
}

/// Puts the place to the right end of the first line if there is room, and takes it.
fn set_beside(lines: &mut [String], at: &mut Option<String>, width: usize) {
    let (Some(line), Some(place)) = (lines.first_mut(), at.as_deref()) else { return };
    if let Some(together) = apart(line, place, width.min(EDGE)) {
        *line = together;
        *at = None;
    }
}

fn place(p: &Place) -> String {
    let pointer = p.pointer.as_deref().map(|pointer| format!(" {pointer}")).unwrap_or_default();
    format!("{}:{}:{}{pointer}", p.file, p.line, p.column)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::finding::Severity;
    use crate::report::samples::finding;

    fn shown(finding: &Finding, width: usize) -> String {
        block("X1", finding, "", Setting { width, ink: Ink(false), verbose: false }).join("\n")
    }

    #[test]
    fn the_place_stands_beside_or_on_a_line_of_its_own() {
        let mut f = finding("some-rule", Severity::Error);
        f.title = "a title".into();
        f.at = Some(Place { file: "p.toml".into(), line: 4, column: 1, pointer: None });
        assert_eq!(shown(&f, 40), "X1 some-rule   a title\n   at        p.toml:4:1");
        f.expected = vec!["this".into(), "that".into()];
        assert_eq!(
            shown(&f, 40),
            "X1 some-rule   a title\n   expected  this             p.toml:4:1\n             that"
        );
        assert_eq!(
            shown(&f, 28),
            "X1 some-rule   a title\n   expected  this\n             that\n   at        p.toml:4:1"
        );
    }

    #[test]
    fn a_command_is_broken_at_blanks_and_its_rest_indented() {
        let mut f = finding("some-rule", Severity::Error);
        f.remedy.cure = vec!["Enable-ExchangeCertificate -Server EX19-02".into()];
        assert_eq!(
            shown(&f, 42),
            "X1 some-rule\n   cure      Enable-ExchangeCertificate\n               -Server EX19-02"
        );
    }

    #[test]
    fn what_follows_is_named_once_with_its_count() {
        let [a, b] = ["a-rule", "b-rule"].map(|rule| finding(rule, Severity::Error));
        assert_eq!(also(&[&b, &a, &b]), "b-rule (2), a-rule");
        assert_eq!(also(&[]), "");
    }
}
