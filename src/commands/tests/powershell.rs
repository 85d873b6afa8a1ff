//! Lines for PowerShell, given to a grammar: none may have an error, and a value stays within the one string that holds it.

use proptest::prelude::*;
use tree_sitter::{Node, Parser, Tree};

use super::{changed, hostile, is_same, scripts, tame};
use crate::commands::Language;

fn parse(line: &str) -> Tree {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_powershell::LANGUAGE.into()).unwrap();
    parser.parse(line, None).unwrap()
}

/// The kinds of all nodes in order, and the texts of those that have no children.
fn shape(node: Node, line: &str, kinds: &mut Vec<(&'static str, usize)>, leaves: &mut Vec<String>) {
    kinds.push((node.kind(), node.child_count()));
    if node.child_count() == 0 {
        leaves.push(line[node.byte_range()].to_string());
    }
    let mut cursor = node.walk();
    for child in node.children(&mut cursor) {
        shape(child, line, kinds, leaves);
    }
}

fn read(line: &str) -> (Vec<(&'static str, usize)>, Vec<String>) {
    let tree = parse(line);
    assert!(!tree.root_node().has_error(), "{line}\n{}", tree.root_node().to_sexp());
    let (mut kinds, mut leaves) = Default::default();
    shape(tree.root_node(), line, &mut kinds, &mut leaves);
    (kinds, leaves)
}

/// What a string in single quotes stands for. PowerShell ends it at any of five characters (about_Quoting_Rules); the
/// grammar knows one.
fn value(leaf: &str) -> Option<String> {
    let Some(inside) = leaf.strip_prefix('\'').and_then(|l| l.strip_suffix('\'')) else { return Some(leaf.into()) };
    let is_quote = |c: char| matches!(c, '\'' | '\u{2018}'..='\u{201b}');
    let (mut out, mut chars) = (String::new(), inside.chars());
    while let Some(c) = chars.next() {
        if is_quote(c) && !chars.next().is_some_and(is_quote) {
            return None;
        }
        out.push(c);
    }
    Some(out)
}

#[test]
fn every_line_is_read_by_the_grammar() {
    let named = scripts("EX01");
    let all = named.iter().chain(tame()).flat_map(|(_, _, scripts)| scripts);
    let powershell = all.filter(|s| matches!(s.language, Language::PowerShell | Language::Cmd));
    let lines: std::collections::BTreeSet<String> = powershell.flat_map(|s| s.lines.clone()).collect();
    assert!(lines.len() > 100, "{}", lines.len());
    lines.iter().for_each(|line| drop(read(line)));
}

#[test]
fn the_grammar_sees_what_is_broken() {
    for line in ["Get-Item 'a", "Get-Item (", "foreach ($o in @(a) { b }", "a -b \"$(\""] {
        assert!(parse(line).root_node().has_error(), "{line}");
    }
    assert_eq!(value("'a''b'").as_deref(), Some("a'b"));
    assert_eq!(value("'a\u{2019}b'"), None);
    assert_eq!(value("'a\u{2019}\u{2018}b'").as_deref(), Some("a\u{2019}b"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn no_value_leaves_its_string(text in hostile()) {
        for (line, tame) in changed(&text, &scripts(&text), Language::PowerShell) {
            // What needs no quotes stands for itself.
            let bare = text.chars().all(|c| c.is_ascii_alphanumeric() || "._:-\\/".contains(c));
            let ((kinds, leaves), (tame_kinds, tame_leaves)) = (read(line), read(tame));
            prop_assert!(bare || kinds == tame_kinds, "{}\n{}", line, tame);
            for (seen, want) in leaves.iter().zip(&tame_leaves).filter(|_| !bare) {
                let (seen, want) = (value(seen), value(want));
                prop_assert!(seen.is_some(), "{}", line);
                let (seen, want) = (seen.unwrap_or_default(), want.unwrap_or_default());
                prop_assert!(is_same(&seen, &want, &text), "{:?}\n{}\n{}\n{}", text, seen, want, line);
            }
        }
    }
}
