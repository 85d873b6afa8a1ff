//! From drafts and assessments to the judgement: verdicts, counts, order, outcome.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::case::Case;
use super::draft::{Context, Draft};
use super::truth::Truth;
use super::{cause, not_looked_at, seen_from, waive, wording};
use crate::model::finding::{Counts, Finding, Judged, Judgement, RunOutcome, Severity, Verdict};
use crate::model::phase::{Moment, MomentSet};
use crate::model::policy::{Ask, Scope};
use crate::parallel;

/// Everything that the judge says.
pub(super) fn judgement(context: &Context, drafts: Vec<Draft>) -> Judgement {
    let case = context.case;
    let (mut drafts, off) = waive::severities(case, drafts);
    let reasons = cause::reasons(&drafts);
    waive::with_their_cause(&mut drafts, &reasons);
    sort(&mut drafts);
    let mut causes = cause::fold(&drafts);
    if weigh_causes(case, &mut drafts, &causes) {
        sort(&mut drafts);
        causes = cause::fold(&drafts);
    }
    let (drafts, causes) = causes_first(drafts, &causes);
    let told = || (seen_from::seen_from(case), not_looked_at::lines(context));
    let ((seen_from, not_looked_at), obligations) =
        parallel::both(case.obligations.len(), told, || judged(context, &drafts, &off));
    let counts = counts(&obligations);
    let findings = findings(case, &drafts, &causes);
    Judgement {
        plan: case.plan.source.file.clone(),
        scope: case.policy.scope,
        now: case.now,
        asked: asked(case),
        outcome: outcome(case, &findings, &counts),
        counts,
        partial: case.policy.is_narrowed(),
        seen_from,
        obligations,
        findings,
        not_looked_at,
    }
}

/// Worst first; then what concerns most, then the plan's order. Nothing is left to chance.
fn sort(drafts: &mut [Draft]) {
    drafts.sort_by_cached_key(|d| {
        let rank = (d.waiver.is_some(), d.open_question, Reverse(d.severity));
        (rank, Reverse(d.obligations.len()), d.at, d.rule.name, d.title.clone(), d.seen.clone())
    });
}

/// A cause weighs as much as the worst that follows from it and fails the run, or text and exit status would differ; unless
/// the plan has set its severity. Whether any became heavier.
fn weigh_causes(case: &Case, drafts: &mut [Draft], causes: &[Option<usize>]) -> bool {
    let counts = |d: &Draft| d.waiver.is_none() && !d.open_question;
    let mut heavier = false;
    for (consequence, cause) in causes.iter().enumerate().filter_map(|(i, cause)| Some((i, (*cause)?))) {
        let worst = drafts[consequence].severity;
        let fails = counts(&drafts[consequence]) && worst >= case.policy.fail_on;
        let root = &mut drafts[cause];
        if fails && counts(root) && root.severity < worst && !case.plan.severity.contains_key(root.rule.name) {
            root.severity = worst;
            heavier = true;
        }
    }
    heavier
}

/// Causes before consequences, each keeping its order.
fn causes_first(drafts: Vec<Draft>, causes: &[Option<usize>]) -> (Vec<Draft>, Vec<Option<usize>>) {
    let mut order: Vec<usize> = (0..drafts.len()).collect();
    order.sort_by_key(|i| causes[*i].is_some());
    let place: BTreeMap<usize, usize> = order.iter().enumerate().map(|(new, old)| (*old, new)).collect();
    let moved = order.iter().map(|old| causes[*old].and_then(|c| place.get(&c).copied())).collect();
    (order.iter().map(|old| drafts[*old].clone()).collect(), moved)
}

fn findings(case: &Case, drafts: &[Draft], causes: &[Option<usize>]) -> Vec<Finding> {
    let finding = |(draft, cause): (&Draft, &Option<usize>)| Finding {
        waived: waive::waived(case, draft),
        caused_by: *cause,
        ..draft.finish(case)
    };
    drafts.iter().zip(causes).map(finding).collect()
}

/// What names an obligation.
#[derive(Clone, Copy, Default)]
struct Named {
    worst: Option<Severity>,
    waived: bool,
    open: bool,
}

fn judged(context: &Context, drafts: &[Draft], off: &[Draft]) -> Vec<Judged> {
    let case = context.case;
    let mut named: Vec<Named> = vec![Named::default(); case.obligations.len()];
    for draft in drafts {
        for i in &draft.obligations {
            match (draft.open_question, draft.waiver) {
                (true, _) => named[*i].open = true,
                (false, Some(_)) => named[*i].waived = true,
                (false, None) => named[*i].worst = named[*i].worst.max(Some(draft.severity)),
            }
        }
    }
    // Switched off is less than any severity, and more than silence.
    for i in off.iter().flat_map(|d| &d.obligations) {
        named[*i].worst = named[*i].worst.max(Some(Severity::Info));
    }
    let one = |words: &mut Words, i: usize| {
        let obligation = &case.obligations[i];
        let all = obligation.holds.iter().fold(MomentSet::EMPTY, |all, (_, set)| all.union(*set));
        Judged {
            id: obligation.id(case.plan),
            kind: wording::kind(&obligation.claim),
            about: wording::about(case, i, &mut words.shared),
            phases: words.phases.entry(all).or_insert_with(|| moments(all)).clone(),
            due: case.is_due(i),
            verdict: verdict(context.assessed[i].truth, named[i], case.is_due(i)),
            cell: words.shared.cell(&context.assessed[i].cell),
        }
    };
    parallel::runs(case.obligations.len(), Words::default, one)
}

/// Texts that many obligations share.
#[derive(Default)]
struct Words {
    shared: wording::Shared,
    phases: BTreeMap<MomentSet, Arc<[String]>>,
}

/// No waiver and no severity makes a pass of what was not told.
fn verdict(truth: Truth, named: Named, due: bool) -> Verdict {
    match (truth, named.worst) {
        (Truth::Fail, _) if !due => Verdict::Fail,
        (Truth::Unobserved, Some(Severity::Error)) => Verdict::Fail,
        (Truth::Unobserved, _) => Verdict::Unobserved,
        (Truth::Fail | Truth::Pass, Some(Severity::Error)) => Verdict::Fail,
        (Truth::Fail, Some(_)) | (Truth::Pass, Some(Severity::Warning)) => Verdict::Warn,
        (Truth::Fail, None) if named.waived => Verdict::Waived,
        (Truth::Fail, None) => Verdict::Fail,
        (Truth::Pass, _) if named.open => Verdict::Unobserved,
        (Truth::Pass, _) if named.waived => Verdict::Waived,
        (Truth::Pass, _) => Verdict::Pass,
    }
}

fn moments(all: MomentSet) -> Arc<[String]> {
    // Two eves of one flip have one word.
    let mut words: Vec<String> = Vec::new();
    for word in all.iter().map(|m| m.to_string()) {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words.into()
}

fn counts(obligations: &[Judged]) -> Counts {
    let mut counts = Counts::default();
    for judged in obligations.iter().filter(|o| o.due) {
        match judged.verdict {
            Verdict::Pass => counts.passed += 1,
            Verdict::Fail => counts.failed += 1,
            Verdict::Warn => counts.warned += 1,
            Verdict::Unobserved => counts.unobserved += 1,
            Verdict::Waived => counts.waived += 1,
            Verdict::NotApplicable | Verdict::NotInForce => {}
        }
    }
    counts
}

/// Consequences count too: a cause may weigh less than what follows from it.
fn outcome(case: &Case, findings: &[Finding], counts: &Counts) -> RunOutcome {
    let fails = |f: &Finding| f.waived.is_none() && !f.open_question && f.severity >= case.policy.fail_on;
    let open = |f: &Finding| f.open_question;
    // Who asks for nothing is told nothing; a waiver or `off` does not change that.
    let nothing = case.policy.scope == Scope::All && !(0..case.obligations.len()).any(|i| case.is_due(i));
    match (findings.iter().any(fails), nothing || counts.unobserved > 0 || findings.iter().any(open)) {
        (true, _) => RunOutcome::Fail,
        (false, true) => RunOutcome::Incomplete,
        (false, false) => RunOutcome::Pass,
    }
}

fn asked(case: &Case) -> String {
    match case.policy.ask {
        Ask::Phase(moment) => moment.to_string(),
        Ask::ReadyFor(phase) => format!("ready-for {phase}"),
        Ask::Standing => {
            let plan = case.plan;
            let moments: Vec<Moment> = plan.view_ids().map(|v| case.policy.moment(plan, v)).collect();
            match moments.as_slice() {
                [first, rest @ ..] if rest.iter().all(|m| m == first) => first.to_string(),
                _ => {
                    let word = |(v, m): (&crate::model::plan::View, &Moment)| format!("{} {m}", v.label);
                    plan.views.iter().zip(&moments).map(word).collect::<Vec<_>>().join(", ")
                }
            }
        }
    }
}
