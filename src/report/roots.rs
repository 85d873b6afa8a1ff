//! The findings that are shown as such: causes and open questions, numbered worst first, each with what follows from it.

use std::collections::BTreeMap;

use crate::model::finding::{Finding, Judgement, Severity};

/// What a finding counts as, in the order in which they are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    Error,
    Warning,
    Open,
    Info,
    Waived,
}

impl Class {
    fn of(finding: &Finding) -> Self {
        match (finding.waived.is_some(), finding.open_question, finding.severity) {
            (true, ..) => Self::Waived,
            (_, true, _) => Self::Open,
            (.., Severity::Error) => Self::Error,
            (.., Severity::Warning) => Self::Warning,
            (.., Severity::Info) => Self::Info,
        }
    }

    fn mark(self, number: usize) -> String {
        match self {
            Self::Error => format!("X{number}"),
            Self::Warning => format!("!{number}"),
            Self::Open => format!("?{number}"),
            Self::Info => format!("i{number}"),
            Self::Waived => "~".into(),
        }
    }
}

/// A finding that follows from no other.
pub(super) struct Root<'a> {
    pub class: Class,
    /// `X1`; of a waived one `~`.
    pub mark: String,
    pub finding: &'a Finding,
    /// What follows from it, directly or not, in the judgement's order.
    pub consequences: Vec<&'a Finding>,
}

/// The roots, worst first, otherwise in the judgement's order.
pub(super) fn roots(judgement: &Judgement) -> Vec<Root<'_>> {
    let findings = &judgement.findings;
    let mut following: BTreeMap<usize, Vec<&Finding>> = BTreeMap::new();
    for (i, finding) in findings.iter().enumerate() {
        let root = root_of(findings, i);
        let under = following.entry(root).or_default();
        if root != i {
            under.push(finding);
        }
    }
    let root = |(i, consequences): (usize, Vec<_>)| {
        let finding = &findings[i];
        Root { class: Class::of(finding), mark: String::new(), finding, consequences }
    };
    let mut roots: Vec<_> = following.into_iter().map(root).collect();
    roots.sort_by_key(|root| root.class);
    for (i, root) in roots.iter_mut().enumerate() {
        root.mark = root.class.mark(i + 1);
    }
    roots
}

/// Follows `caused_by` up. A link to nowhere or in a circle would hide a finding: what has one stands for itself.
fn root_of(findings: &[Finding], start: usize) -> usize {
    let mut at = start;
    for _ in 0..findings.len() {
        match findings.get(at).and_then(|f| f.caused_by) {
            None => return at,
            Some(cause) if cause >= findings.len() => return start,
            Some(cause) => at = cause,
        }
    }
    start
}

/// The marks of a class: `X1, X2`; more than four, as they are numbered without a gap, `X1 to X9`.
pub(super) fn marks(roots: &[Root<'_>], class: Class) -> (usize, String) {
    let marks: Vec<_> = roots.iter().filter(|r| r.class == class).map(|r| r.mark.as_str()).collect();
    let text = match marks.as_slice() {
        [first, .., last] if marks.len() > 4 => format!("{first} to {last}"),
        few => few.join(", "),
    };
    (marks.len(), text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::{finding, judgement};

    #[test]
    fn consequences_stand_under_the_first_cause_and_no_finding_is_lost() {
        let mut judgement = judgement();
        let caused = |rule, cause| Finding { caused_by: cause, ..finding(rule, Severity::Error) };
        judgement.findings = vec![
            Finding { severity: Severity::Warning, ..caused("w", None) },
            caused("a", None),
            caused("b", Some(1)),
            caused("c", Some(2)),
            caused("nowhere", Some(99)),
            caused("self", Some(5)),
        ];
        let shown: Vec<_> = roots(&judgement)
            .iter()
            .map(|r| (r.mark.clone(), r.finding.rule, r.consequences.iter().map(|f| f.rule).collect::<Vec<_>>()))
            .collect();
        let root = |mark: &str, rule, also: &[&'static str]| (mark.to_string(), rule, also.to_vec());
        let want =
            [root("X1", "a", &["b", "c"]), root("X2", "nowhere", &[]), root("X3", "self", &[]), root("!4", "w", &[])];
        assert_eq!(shown, want);
    }
}
