//! What a scenario wants against what the judge said.

use coexist::model::finding::{Finding, Judgement, RunOutcome};

use crate::format::{Expected, Scenario};

/// Where they differ, a line each; empty if they agree.
pub fn differences(scenario: &Scenario, judgement: &Judgement) -> Vec<String> {
    let mut wrong = Vec::new();
    let outcome = match judgement.outcome {
        RunOutcome::Pass => "pass",
        RunOutcome::Fail => "fail",
        RunOutcome::Incomplete => "incomplete",
        RunOutcome::Interrupted => "interrupted",
    };
    if outcome != scenario.outcome {
        wrong.push(format!("outcome: {outcome} instead of {}; {:?}", scenario.outcome, judgement.counts));
    }
    let causes = judgement.findings.iter().filter(|f| f.caused_by.is_none());
    let (waived, rest): (Vec<_>, Vec<_>) = causes.partition(|f| f.waived.is_some());
    let (open, causes): (Vec<_>, Vec<_>) = rest.into_iter().partition(|f| f.open_question);
    match_causes(&scenario.expect, &causes, &mut wrong);
    same_rules("open questions", &scenario.open, &open, &mut wrong);
    same_rules("waived", &scenario.waived, &waived, &mut wrong);
    for rule in &scenario.also {
        if !judgement.findings.iter().any(|f| f.caused_by.is_some() && f.rule == rule) {
            wrong.push(format!("{rule} is not among the consequences"));
        }
    }
    for rule in &scenario.passes {
        wrong.extend(judgement.findings.iter().filter(|f| f.rule == rule).map(|f| format!("unexpected: {}", shown(f))));
    }
    wrong
}

fn match_causes(expected: &[Expected], causes: &[&Finding], wrong: &mut Vec<String>) {
    let mut left = causes.to_vec();
    for e in expected {
        match left.iter().position(|f| fits(e, f)) {
            Some(i) => drop(left.remove(i)),
            None => wrong.push(format!("missing: {e:?}")),
        }
    }
    wrong.extend(left.iter().map(|f| format!("unexpected: {}", shown(f))));
}

fn fits(e: &Expected, f: &Finding) -> bool {
    let s = &f.subject;
    let parts = [
        (&e.name, &s.name),
        (&e.view, &s.view),
        (&e.server, &s.server),
        (&e.address, &s.address),
        (&e.service, &s.service),
        (&e.certificate, &s.certificate),
    ];
    f.rule == e.rule && f.severity.word() == e.severity && parts.iter().all(|(want, is)| want.is_none() || want == is)
}

fn same_rules(what: &str, wanted: &[String], found: &[&Finding], wrong: &mut Vec<String>) {
    let mut wanted = wanted.to_vec();
    let mut rules: Vec<String> = found.iter().map(|f| f.rule.to_string()).collect();
    wanted.sort();
    rules.sort();
    if wanted != rules {
        let shown: Vec<_> = found.iter().map(|f| shown(f)).collect();
        wrong.push(format!("{what}: {wanted:?} expected, found:\n    {}", shown.join("\n    ")));
    }
}

/// A finding in one line.
fn shown(f: &Finding) -> String {
    let s = &f.subject;
    let parts = [&s.name, &s.view, &s.server, &s.address, &s.service, &s.certificate];
    let subject: Vec<_> = parts.into_iter().flatten().map(String::as_str).collect();
    format!("{} {} [{}] {} seen {:?}", f.severity, f.rule, subject.join(" "), f.title, f.seen)
}
