//! A certificate does not outlive the phase in which it is to be used.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::judge::RuleInfo;
use crate::judge::draft::{Context, Draft, Key};
use crate::judge::in_use::{InUse, called, servers};
use crate::judge::wording;
use crate::model::certificate::CertificateFacts;
use crate::model::finding::Severity;
use crate::model::phase::Phase;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "expires-inside-phase",
    family: "certificate",
    severity: Severity::Error,
    summary: "a certificate expires before the phase in which it serves is planned to end, or within 30 days after",
    citation: "RFC 5280 section 4.1.2.5; CA/Browser Forum Baseline Requirements 6.3.2",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

The plan says in [phases] until when the phase lasts, and the certificate's notAfter lies before that day: an error; or
within 30 days after it: a warning. It is about certificates that are valid now; for one that has expired already there
is certificate-not-currently-valid. Without dates in [phases] there is nothing to judge.

# Why it matters

A renewal in the middle of a coexistence has to reach every server of both generations by hand, the old ones too, on a day
when nobody thinks of the migration any more. Phases often last longer than planned.

# Example

    [phases]
    coexistence = { from = 2026-12-01, until = 2027-03-31 }

with a certificate that is valid until 2027-02-14.

# Cure

Make the renewal a step of the plan: order the next certificate ahead, and install it on every server that serves this one
before its last day. Or end the phase earlier.

# References

RFC 5280 section 4.1.2.5; CA/Browser Forum Baseline Requirements 6.3.2
";

/// How long a certificate should outlive its phase, in seconds.
const MARGIN: i64 = 30 * 86_400;

/// One finding per certificate.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let case = context.case;
    for (used, facts) in context.in_use().filter(|(_, f)| case.now <= f.not_after) {
        let short: BTreeSet<usize> = used
            .obligations
            .iter()
            .copied()
            .filter(|i| ends(context, *i).is_some_and(|e| gap(e.1, facts) > 0))
            .collect();
        for (waiver, obligations) in context.by_waiver(&INFO, short, &used.certificates) {
            let last = obligations.iter().filter_map(|i| ends(context, *i)).max_by_key(|(_, until)| *until);
            drafts.extend(last.map(|end| draft(context, (used, facts), waiver, obligations, end)));
        }
    }
}

/// The last phase in which an obligation must hold at the moment that is asked about, and the first instant after it.
/// An old target that only drains is served for some days more, whatever the phase.
fn ends(context: &Context, obligation: usize) -> Option<(Phase, Timestamp)> {
    let case = context.case;
    if case.obligations[obligation].drain.is_some() {
        return None;
    }
    let phases = case.due_in(obligation).iter().map(|v| case.policy.moment(case.plan, *v).phases());
    // The later phase often has no end; what is used on the way to it must outlive the first one still.
    let both = phases.flat_map(|(first, second)| [Some(first), second]).flatten();
    both.filter_map(|phase| Some((phase, end(context, phase)?))).max_by_key(|(_, until)| *until)
}

/// The first instant after a phase: where the plan does not say it, the next phase begins then.
fn end(context: &Context, phase: Phase) -> Option<Timestamp> {
    let dates = &context.case.plan.phases;
    let next = || dates.iter().filter(|(p, _)| **p > phase).filter_map(|(_, d)| d.from).min();
    dates.get(&phase).and_then(|d| d.until).or_else(next)
}

/// The seconds by which a certificate ends too early; its last second is its own.
fn gap(until: Timestamp, facts: &CertificateFacts) -> i64 {
    until.as_second().saturating_add(MARGIN) - facts.not_after.as_second().saturating_add(1)
}

fn draft(
    context: &Context,
    (used, facts): (&InUse, &CertificateFacts),
    waiver: Option<usize>,
    obligations: BTreeSet<usize>,
    (phase, until): (Phase, Timestamp),
) -> Draft {
    let inside = gap(until, facts) > MARGIN;
    let who = called(context, used, facts);
    let (end, not_after) = (last_day(until), wording::day(facts.not_after));
    let serving = servers(context, &obligations);
    let at = match serving.is_empty() {
        true => "every server that serves it".to_string(),
        false => wording::list(serving.iter().map(String::as_str)),
    };
    let mut draft = Draft::about(context, &INFO, used, waiver, obligations);
    draft.severity = if inside { Severity::Error } else { Severity::Warning };
    draft.title = match inside {
        true => format!("{who} expires on {not_after}, and the phase {phase} lasts until {end}"),
        false => format!("{who} expires on {not_after}, soon after the phase {phase} is planned to end ({end})"),
    };
    draft.expected = vec![format!("valid beyond {end}, the end of {phase}, by 30 days or more")];
    draft.seen.push(format!("valid until {not_after}"));
    draft.hurts = vec![match inside {
        true => format!("every client from {not_after} on: both generations are still in use, and each refuses it"),
        false => format!("every client from {not_after} on, if the phase lasts longer than planned"),
    }];
    draft.remedy.cure = vec![format!("renew it, and install the new one on {at} before {not_after}")];
    draft.remedy.cure.extend(match inside {
        true => earlier(context, phase, facts)
            .map(|day| format!("or set `until` of {phase} in [phases] to {day} or an earlier day")),
        false => Some(format!("or see that {phase} ends by {end}")),
    });
    draft.keys.insert(Key::Renewed(used.leaf));
    draft
}

/// The last day on which the phase may end so that this rule is silent; `None` if that is before it starts or over.
fn earlier(context: &Context, phase: Phase, facts: &CertificateFacts) -> Option<String> {
    let case = context.case;
    let end = Timestamp::from_second(facts.not_after.as_second().checked_add(1)?.checked_sub(MARGIN)?).ok()?;
    // The end of the whole day that is written in the plan, at whatever hour notAfter is.
    let day = Timestamp::from_second(end.as_second().div_euclid(86_400).checked_mul(86_400)?).ok()?;
    let from = case.plan.phases.get(&phase).and_then(|dates| dates.from);
    (day > case.now && from.is_none_or(|from| from < day)).then(|| last_day(day))
}

/// The day before the first instant after a phase.
pub(super) fn last_day(until: Timestamp) -> String {
    wording::day(until.checked_sub(jiff::SignedDuration::from_secs(1)).unwrap_or(until))
}
