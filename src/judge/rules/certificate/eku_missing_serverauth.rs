//! A certificate says what it is for, and servers are not among it.

use crate::judge::RuleInfo;
use crate::judge::draft::{Context, Draft, Key};
use crate::judge::in_use::called;
use crate::model::finding::Severity;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "eku-missing-serverauth",
    family: "certificate",
    severity: Severity::Error,
    summary: "a certificate's extended key usage does not allow it to authenticate servers",
    citation: "RFC 5280 section 4.2.1.12; CA/Browser Forum Baseline Requirements 7.1.2.7.10",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

The certificate has the extension extendedKeyUsage, and neither serverAuth nor anyExtendedKeyUsage is in it. A certificate
without the extension may be used for everything.

# Why it matters

Clients refuse a server that shows it. It happens where a client certificate, a signing certificate or one made from the
wrong template of a private authority was bound to the web site.

# Example

A certificate of the template \"User\" or \"Workstation Authentication\" of a Windows authority:

    X509v3 Extended Key Usage: TLS Web Client Authentication

# Cure

Order again with serverAuth (1.3.6.1.5.5.7.3.1), from the template \"Web Server\" on a Windows authority, and serve the new
one.

# References

RFC 5280 section 4.2.1.12; CA/Browser Forum Baseline Requirements 7.1.2.7.10
";

/// One finding per certificate.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    for (used, facts) in context.in_use().filter(|(_, f)| f.server_auth == Some(false)) {
        for (waiver, obligations) in context.by_waiver(&INFO, used.obligations.iter().copied(), &used.certificates) {
            let mut draft = Draft::about(context, &INFO, used, waiver, obligations);
            draft.title = format!("{} is not for servers", called(context, used, facts));
            draft.expected = vec!["serverAuth in extendedKeyUsage, or no such extension".into()];
            draft.seen.push(match facts.client_auth {
                Some(true) => "extendedKeyUsage has clientAuth, and not serverAuth".into(),
                _ => "extendedKeyUsage has neither serverAuth nor clientAuth".into(),
            });
            draft.hurts = vec!["every client: it refuses the connection".into()];
            draft.remedy.cure = vec![
                "order it again with serverAuth (1.3.6.1.5.5.7.3.1) in extendedKeyUsage".into(),
                "install the new one everywhere this one is served".into(),
            ];
            draft.keys.insert(Key::Refused(used.leaf));
            drafts.push(draft);
        }
    }
}
