//! A certificate's file holds parts that were not read.

use super::files;
use crate::judge::RuleInfo;
use crate::judge::draft::{Context, Draft};
use crate::model::finding::Severity;
use crate::pki::is_about_key;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "certificate-file-part-unread",
    family: "certificate",
    severity: Severity::Warning,
    summary: "a certificate file of the plan holds parts that are damaged or not read",
    citation: "RFC 7468 sections 2 and 3 (textual encodings)",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

At least one certificate was read from a file of the plan, and beside it stands something that was not: a part that is cut
off or garbled, a request, a PKCS#7 bundle.

# Why it matters

What could not be read is not judged. It may be the intermediate, or the second certificate of a server with an RSA and an
ECDSA one; and servers read the same file more strictly than this program, or as badly.

# Example

    seen      san.pem: part 2 is damaged: it is not base64

# Cure

Export the certificate again with its chain, as PEM or DER, and compare: `openssl storeutl -certs -noout san.pem` counts
what it reads.

# References

RFC 7468 sections 2 and 3
";

/// One finding per file.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    for named in files::noted(context, |note| !is_about_key(note)) {
        let title = format!("{} holds more than could be read", named.path);
        let mut draft = files::draft(context, &INFO, &named, title);
        draft.expected = vec!["certificates, each whole".into()];
        draft.hurts = vec!["whoever relies on this run: what is not read is not judged".into()];
        draft.remedy.cure = vec!["export the certificate again with its chain, as PEM or DER without the key".into()];
        drafts.push(draft);
    }
}
