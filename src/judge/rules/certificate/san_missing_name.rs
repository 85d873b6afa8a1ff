//! A name is not on the certificate that is to serve it.

use super::lacking;
use crate::judge::RuleInfo;
use crate::judge::draft::{Context, Draft, Item};
use crate::model::finding::Severity;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "san-missing-name",
    family: "certificate",
    severity: Severity::Error,
    summary: "a name that clients use is not in the certificate's subjectAltName",
    citation: "RFC 9525 section 6; Microsoft, Digital certificates and encryption in Exchange Server",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

The plan serves a name with a certificate, and the certificate's subjectAltName does not hold that name. The commonName
does not count: since RFC 9525 no client looks at it.

# Why it matters

Every client compares the name that it asked for with the names in the certificate. One missing name means a warning in
Outlook and browsers, and no connection at all from phones and programs.

# Example

    [internet]
    \"mail.domain.com\" = \"ex2010\"
    \"autodiscover.domain.com\" = \"ex2010\"

with a certificate for mail.domain.com only: autodiscover.domain.com is missing.

# Cure

Reissue the certificate with the full list of names that the finding prints, and install the new one on every server
that serves the old one. A web site has one certificate; a second one beside it does not help.

# References

RFC 9525 sections 3 and 6; CA/Browser Forum Baseline Requirements 7.1.2.7.12;
https://learn.microsoft.com/exchange/architecture/client-access/certificates
";

/// Names of `[legacy]` have a rule of their own, and so have the two ways of misreading a certificate.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let speaks_of = |item: &Item, why: &_| {
        !lacking::is_legacy(context.case, item)
            && !lacking::is_depth(why)
            && !lacking::is_common_name(context.case, item, why)
    };
    drafts.extend(lacking::drafts(context, &INFO, speaks_of, |label, names| format!("{label} lacks {names}")));
}
