//! A public certificate lives longer than clients let it.

use crate::judge::RuleInfo;
use crate::judge::draft::{Context, Draft};
use crate::judge::in_use::called;
use crate::judge::issuance;
use crate::judge::wording;
use crate::model::certificate::CertificateFacts;
use crate::model::finding::Severity;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "validity-exceeds-limit",
    family: "certificate",
    severity: Severity::Error,
    summary: "a certificate of a public authority is valid for longer than was allowed when it began",
    citation: "CA/Browser Forum Baseline Requirements 6.3.2",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

The certificate leads to an anchor of the public program, and the time from its notBefore to its notAfter is longer than a
public authority might give on that day: 825 days from 2018-03-01, 398 from 2020-09-01, 200 from 2026-03-15, 100 from
2027-03-15, 47 from 2029-03-15. Certificates of private authorities are not judged.

# Why it matters

Browsers and phones refuse such a certificate whatever else is right with it.

# Example

    seen  valid from 2026-04-01 to 2027-04-01: 366 days, 200 are allowed

# Cure

Order it again; a public authority gives what is allowed on the day of the order. A private authority whose root is taken
for a public one belongs into the view's `trust` as a file.

# References

CA/Browser Forum Baseline Requirements 6.3.2 (ballots SC31 and SC081v3); https://support.apple.com/102028
";

/// One finding per certificate that is not expired already.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let case = context.case;
    for (used, facts) in context.in_use().filter(|(_, f)| case.now <= f.not_after) {
        let Some(limit) = issuance::limit_at(facts.not_before).filter(|limit| lifetime(facts) > *limit) else {
            continue;
        };
        if issuance::of_used(case, used).is_none() {
            continue;
        }
        for (waiver, obligations) in context.by_waiver(&INFO, used.obligations.iter().copied(), &used.certificates) {
            let mut draft = Draft::about(context, &INFO, used, waiver, obligations);
            let (days, allowed) = (lifetime(facts).saturating_add(DAY - 1) / DAY, limit / DAY);
            draft.title = format!(
                "{} is valid for {days} days; {allowed} were allowed when it began",
                called(context, used, facts)
            );
            draft.expected = vec![format!("at most {allowed} days from {}", wording::day(facts.not_before))];
            draft.seen.push(format!(
                "valid from {} to {}: {days} days",
                wording::day(facts.not_before),
                wording::day(facts.not_after)
            ));
            draft.hurts = vec!["browsers and phones: they refuse it for its lifetime alone".into()];
            let now = issuance::limit_at(case.now).unwrap_or(limit) / DAY;
            draft.remedy.cure = vec![
                format!("order it again for {now} days at most, and serve the new one"),
                "if a private authority issued it, name its root as a file in `trust` of the view".into(),
            ];
            drafts.push(draft);
        }
    }
}

const DAY: i64 = 86_400;

/// In seconds; notAfter's own second belongs to it (RFC 5280 section 4.1.2.5).
fn lifetime(facts: &CertificateFacts) -> i64 {
    facts.not_after.as_second().saturating_sub(facts.not_before.as_second()).saturating_add(1)
}
