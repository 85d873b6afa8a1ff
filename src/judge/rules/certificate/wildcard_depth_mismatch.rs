//! A wildcard is read as if it stood for more, or fewer, labels than one.

use super::lacking;
use crate::judge::RuleInfo;
use crate::judge::draft::{Context, Draft};
use crate::model::finding::Severity;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "wildcard-depth-mismatch",
    family: "certificate",
    severity: Severity::Error,
    summary: "a name would be covered only if a wildcard stood for more or fewer labels than one",
    citation: "RFC 9525 section 6.3",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

The certificate has a wildcard such as *.domain.com, and the name would match if the star stood for two labels, or for
none. It stands for exactly one.

# Why it matters

*.domain.com covers mail.domain.com. It does not cover legacy.mail.domain.com, and not domain.com. Who orders a wildcard
for a coexistence often has the legacy names in mind and does not get them.

# Example

    [legacy]
    \"legacy.mail.domain.com\" = \"ex2003-fe\"

with a certificate for *.domain.com on ex2003-fe: each redirected user sees a name mismatch.

# Cure

Add each such name to the certificate, or rename it to one label below the domain (legacy.domain.com) and order again.
A second wildcard (*.mail.domain.com) works too, where the issuer allows several.

# References

RFC 9525 section 6.3; CA/Browser Forum Baseline Requirements 1.6.1 (Wildcard Domain Name);
https://learn.microsoft.com/exchange/architecture/client-access/certificates
";

/// Speaks of names of every table.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let speaks_of = |_: &_, why: &_| lacking::is_depth(why);
    let title = |label: &str, names: &str| format!("the wildcard on {label} does not reach {names}");
    drafts.extend(lacking::drafts(context, &INFO, speaks_of, title));
}
