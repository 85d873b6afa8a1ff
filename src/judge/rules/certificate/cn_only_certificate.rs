//! Only the commonName has the name.

use super::lacking;
use crate::judge::RuleInfo;
use crate::judge::draft::{Context, Draft, Item};
use crate::model::finding::Severity;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "cn-only-certificate",
    family: "certificate",
    severity: Severity::Error,
    summary: "a name stands in the certificate's commonName only, which clients ignore",
    citation: "RFC 9525 section 2; CA/Browser Forum Baseline Requirements 7.1.4.3",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

The certificate's subject has the name as commonName, and its subjectAltName does not have it, or there is none at all.

# Why it matters

Since RFC 6125, and strictly since RFC 9525, clients compare with subjectAltName only. Old tools and old servers still
show such a certificate as fine; browsers, phones and current libraries refuse it.

# Example

A certificate that was made with `makecert`, `openssl req -subj /CN=mail.domain.com` or by an old internal authority:

    Subject: CN=mail.domain.com
    (no subjectAltName)

# Cure

Reissue it with the name in subjectAltName. With an internal authority on Windows, put the names into the request
itself (Exchange's New-ExchangeCertificate -DomainName does) rather than into request attributes.

# References

RFC 9525 section 2 (\"the CN-ID\") and section 6; CA/Browser Forum Baseline Requirements 7.1.2.7.12 and 7.1.4.3
";

/// Speaks of names of every table.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let speaks_of = |item: &Item, why: &_| lacking::is_common_name(context.case, item, why);
    let title = |label: &str, names: &str| format!("{label} has nothing but a commonName for {names}");
    drafts.extend(lacking::drafts(context, &INFO, speaks_of, title));
}
