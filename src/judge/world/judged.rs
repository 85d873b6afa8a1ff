//! What the judge makes of the tests' worlds, and what must hold of every judgement.

use super::World;
use crate::judge::judge;
use crate::model::finding::{Finding, Judgement, Verdict};

impl World {
    /// The judgement, whose invariants are held up on the way.
    pub(in crate::judge) fn judge(&self) -> Judgement {
        let judgement = judge(&self.plan, &self.obligations, &self.recording, &self.policy, self.now);
        assert_invariants(&judgement);
        judgement
    }

    /// The rules that speak, causes first: `rule`, or `rule<cause`.
    pub(in crate::judge) fn rules(&self) -> Vec<String> {
        let judgement = self.judge();
        let word = |f: &Finding| match f.caused_by {
            None => f.rule.to_string(),
            Some(cause) => format!("{}<{}", f.rule, judgement.findings[cause].rule),
        };
        judgement.findings.iter().map(word).collect()
    }

    /// The verdict of an obligation.
    pub(in crate::judge) fn verdict(&self, obligation: usize) -> Verdict {
        self.judge().obligations[obligation].verdict
    }
}

/// What does not hold has a finding, and what is unknown has an open question.
fn assert_invariants(judgement: &Judgement) {
    for judged in judgement.obligations.iter().filter(|o| o.due) {
        let id = judged.id.to_string();
        let names = |f: &&Finding| f.obligations.iter().any(|o| **o == *id);
        let mut named = judgement.findings.iter().filter(names);
        match judged.verdict {
            Verdict::Fail => {
                assert!(named.any(|f| !f.open_question && f.waived.is_none()), "{}: no finding", judged.id)
            }
            Verdict::Unobserved => assert!(named.any(|f| f.open_question), "{}: no open question", judged.id),
            _ => {}
        }
    }
    for (i, finding) in judgement.findings.iter().enumerate() {
        let cause = finding.caused_by.map(|c| &judgement.findings[c]);
        assert!(finding.caused_by != Some(i) && cause.is_none_or(|c| c.caused_by.is_none()), "{}", finding.rule);
        assert!(!finding.title.is_empty(), "{}: no title", finding.rule);
    }
}
