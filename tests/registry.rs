//! Every rule is documented, cited, and shown by scenarios: one in which it finds something, one in which it does not.
#![allow(clippy::disallowed_methods, clippy::panic, reason = "a test reads its files, and fails by panicking")]

#[path = "scenarios/format.rs"]
#[allow(dead_code, reason = "the runner of the scenarios uses the rest")]
mod format;

use std::collections::BTreeSet;

use coexist::judge::{RuleInfo, rules};
use format::Scenario;

/// The sections of a rule's page, in their order.
const SECTIONS: [&str; 5] = ["What it means", "Why it matters", "Example", "Cure", "References"];

#[test]
fn every_rule_has_a_name_that_reads_well_and_stands_once() {
    let names: Vec<_> = rules().iter().map(|r| r.name).collect();
    for name in &names {
        let kebab = name.split('-').all(|w| !w.is_empty() && w.chars().all(|c| c.is_ascii_lowercase()));
        assert!(kebab, "`{name}` is not kebab-case");
    }
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "a name stands twice");
    assert!(names.len() >= 20, "only {} rules", names.len());
}

#[test]
fn every_rule_is_documented_and_cited() {
    let mut missing = Vec::new();
    for rule in rules() {
        let mut from = 0;
        for section in SECTIONS {
            match section_at(rule, section, from) {
                Some(at) => from = at,
                None => missing.push(format!("{}: no section `{section}` in its place", rule.name)),
            }
        }
        for (what, text) in [("summary", rule.summary), ("citation", rule.citation), ("family", rule.family)] {
            if text.trim().is_empty() {
                missing.push(format!("{}: no {what}", rule.name));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// The end of a section's heading, if it comes after `from` and text follows it.
fn section_at(rule: &RuleInfo, section: &str, from: usize) -> Option<usize> {
    let end = from + rule.page[from..].find(section)? + section.len();
    let body = rule.page[end..].trim_start_matches([':', ' ', '\n', '#', '.', '*']);
    let next = SECTIONS.iter().filter_map(|s| body.find(s)).min().unwrap_or(body.len());
    (next > 0).then_some(end)
}

#[test]
fn every_rule_is_shown_failing_and_passing() {
    let scenarios = format::all();
    let failing: BTreeSet<_> = scenarios.iter().flat_map(|(_, s)| found(s)).collect();
    let passing: BTreeSet<_> = scenarios.iter().flat_map(|(_, s)| s.passes.iter().map(String::as_str)).collect();
    let without =
        |shown: &BTreeSet<&str>| rules().iter().map(|r| r.name).filter(|n| !shown.contains(n)).collect::<Vec<_>>();
    assert_eq!(without(&failing), Vec::<&str>::new(), "without a scenario in which they find something");
    assert_eq!(without(&passing), Vec::<&str>::new(), "without a scenario in which they find nothing");
}

#[test]
fn scenarios_name_rules_that_exist() {
    let known: BTreeSet<_> = rules().iter().map(|r| r.name).collect();
    for (file, scenario) in format::all() {
        let named = found(&scenario).chain(scenario.passes.iter().chain(&scenario.waived).map(String::as_str));
        let unknown: Vec<_> = named.filter(|n| !known.contains(n)).collect();
        assert_eq!(unknown, Vec::<&str>::new(), "{file}");
    }
}

/// The rules that a scenario finds: as causes, consequences or open questions.
fn found(scenario: &Scenario) -> impl Iterator<Item = &str> {
    let others = scenario.also.iter().chain(&scenario.open).map(String::as_str);
    scenario.expect.iter().map(|e| e.rule.as_str()).chain(others)
}

#[test]
fn the_readme_lists_every_rule_with_its_weight() {
    let readme = std::fs::read_to_string(format::root().join("README.md")).expect("the README");
    let row = |r: &RuleInfo| format!("| `{}` | {} | {} |", r.name, r.severity, r.summary);
    let missing: Vec<_> = rules().into_iter().map(row).filter(|row| !readme.contains(row)).collect();
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    let rows = readme
        .lines()
        .filter(|l| l.starts_with("| `") && ["| error |", "| warning |", "| info |"].iter().any(|w| l.contains(w)));
    assert_eq!(rows.count(), rules().len());
}
