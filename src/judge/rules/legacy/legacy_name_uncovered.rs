//! A legacy name is not on the certificate that is to serve it.

use super::super::certificate::lacking;
use crate::judge::RuleInfo;
use crate::judge::draft::{Context, Draft};
use crate::model::finding::Severity;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "legacy-name-uncovered",
    family: "legacy",
    severity: Severity::Error,
    summary: "a legacy name is not covered by the certificate of the old servers",
    citation: "Microsoft, Transitioning Client Access to Exchange Server 2010; RFC 9525 section 6",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

A name of [legacy] is served by the old servers while both generations run, and their certificate does not cover it.

# Why it matters

The new server redirects users whose mailbox has not moved yet to the legacy name. They arrive at the old server, which
must show a certificate for that very name; the old single-name certificate does not.

# Example

    [legacy]
    \"legacy.mail.domain.com\" = \"ex2003-fe\"

while ex2003-fe still has the certificate for mail.domain.com only.

# Cure

Order one certificate with the names of both generations, legacy names included. Export it with its key from the new
server, import it on the old front end, and replace the one that is bound to its web site.

# References

https://techcommunity.microsoft.com/blog/exchange/transitioning-client-access-to-exchange-server-2010;
RFC 9525 section 6
";

/// Of every reason; a misread wildcard or a lone commonName is then its cause.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let speaks_of = |item: &_, _: &_| lacking::is_legacy(context.case, item);
    let title = |label: &str, names: &str| format!("{label} does not cover the legacy name {names}");
    drafts.extend(lacking::drafts(context, &INFO, speaks_of, title));
}
