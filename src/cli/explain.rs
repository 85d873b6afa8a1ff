//! `coexist explain`: a rule's page, or the list of all rules.

use std::fmt::Write;

use super::args::ExplainArgs;
use super::{Trouble, nearest, output};
use crate::judge::{self, RuleInfo};
use crate::report;

/// Prints a rule's page.
pub fn run(args: ExplainArgs) -> Result<u8, Trouble> {
    let rules = judge::rules();
    let text = match &args.rule {
        None => list(&rules),
        Some(name) => page(find(&rules, name)?),
    };
    output::print(&text)?;
    Ok(report::PASS)
}

fn find<'a>(rules: &[&'a RuleInfo], name: &str) -> Result<&'a RuleInfo, Trouble> {
    rules.iter().find(|r| r.name == name).copied().ok_or_else(|| {
        let trouble = Trouble::new(format!("there is no rule `{name}`"));
        match nearest(name, rules.iter().map(|r| r.name)) {
            Some(near) => trouble.help(format!("did you mean `{near}`?")),
            None => trouble.help("`coexist explain` lists them"),
        }
    })
}

fn list(rules: &[&RuleInfo]) -> String {
    let width = rules.iter().map(|r| r.name.len()).max().unwrap_or(0);
    let mut out = String::new();
    let mut family = "";
    for rule in rules {
        if rule.family != family {
            family = rule.family;
            let _ = writeln!(out, "{}{family}", if out.is_empty() { "" } else { "\n" });
        }
        let _ = writeln!(out, "  {:width$}  {:7}  {}", rule.name, rule.severity.word(), rule.summary);
    }
    out
}

fn page(rule: &RuleInfo) -> String {
    let head = format!("{} ({}, family {})\n{}\n", rule.name, rule.severity, rule.family, rule.summary);
    format!("{head}\n{}\n\nSource: {}\n", rule.page.trim(), rule.citation)
}
