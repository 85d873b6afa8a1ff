//! The rules: one file each, one line each in their family.

pub(super) mod certificate;
pub(super) mod dns;
pub(super) mod legacy;
pub(super) mod plan;
pub(super) mod served;

use super::RuleInfo;
use super::draft::{Context, Draft};

/// A rule: what is known of it, and how it speaks.
pub(super) struct Rule {
    pub(super) info: &'static RuleInfo,
    pub(super) check: fn(&Context, &mut Vec<Draft>),
}

/// Every rule, in the order of their families. The last one looks at what all others said.
pub(super) fn all() -> impl Iterator<Item = &'static Rule> {
    [certificate::RULES, served::RULES, dns::RULES, legacy::RULES, plan::RULES].into_iter().flatten()
}

/// True if a name is a rule of this release.
pub(super) fn is_known(name: &str) -> bool {
    all().any(|r| r.info.name == name)
}

/// Rules that later releases bring. A plan may waive them or change their severity already.
pub(super) const LATER: &[&str] = &[
    "certificate-not-installed",
    "service-not-bound",
    "cached-answer-reaches-uncovered-endpoint",
    "scp-host-not-in-plan",
    "url-host-uncovered",
    "key-not-exportable",
    "connector-pin-stale",
    "connector-pin-ambiguous",
    "connector-fqdn-uncovered",
    "pin-depends-on-rotating-issuer",
    "hybrid-certificate-differs",
    "auth-certificate-problem",
    "transport-certificate-missing",
    "cert-principal-name-mismatch",
    "cng-key-on-owa",
    "inventory-status-not-valid",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_rule_is_named_documented_and_cited() {
        let mut names = BTreeSet::new();
        for rule in all() {
            let info = rule.info;
            assert!(info.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{}", info.name);
            assert!(names.insert(info.name), "{} stands twice", info.name);
            assert!(!info.citation.is_empty() && !info.summary.is_empty(), "{}", info.name);
            let mut at = 0;
            for section in ["# What it means", "# Why it matters", "# Example", "# Cure", "# References"] {
                let found = info.page[at..].find(section);
                assert!(found.is_some(), "{}: no section {section} in its place", info.name);
                at += found.unwrap_or_default() + section.len();
            }
        }
        assert!(LATER.iter().all(|later| !names.contains(later)), "a rule of this release stands among the later ones");
    }

    #[test]
    #[allow(clippy::disallowed_methods)] // the source tree itself is looked at
    fn every_rule_stands_in_the_folder_of_its_family() {
        let here = concat!(env!("CARGO_MANIFEST_DIR"), "/src/judge/rules");
        for rule in all() {
            let file = format!("{here}/{}/{}.rs", rule.info.family, rule.info.name.replace('-', "_"));
            assert!(std::path::Path::new(&file).is_file(), "{file}");
        }
    }
}
