//! A certificate's file holds its private key, too.

use super::files;
use crate::judge::RuleInfo;
use crate::judge::draft::{Context, Draft};
use crate::model::finding::Severity;
use crate::pki::is_about_key;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "private-key-in-certificate-file",
    family: "certificate",
    severity: Severity::Warning,
    summary: "a certificate file of the plan holds a private key, which is not needed there",
    citation: "NIST SP 800-57 part 1 revision 5, section 5.3.4 (compromise of keys); RFC 7468 sections 10 and 11",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

A file that the plan names for a certificate has a private key beside it. The key is not read, shown or recorded; only
that it is there is said. A PFX file is made to hold a key, and nothing is said of it where a password locks the key; but it
is where the password is empty, or none is needed.

# Why it matters

Plans are shared: they lie in a repository, on a file server, in a ticket. Whoever reads the file can be the server, and
read what was recorded of its mail where forward secrecy was missing. A key that lay about is not the server's any more.

# Example

    [certificates.san]
    file = \"san-2010.pem\"           # exported with its key, for the import on the old front end

# Cure

Name a file without the key: export the certificate alone, or take the certificates out of the PEM file:

    openssl crl2pkcs7 -nocrl -certfile san-2010.pem | openssl pkcs7 -print_certs -out san-2010-certificate.pem

If others could read the file, let the certificate be issued again with a new key, and revoke the old one.

# References

NIST SP 800-57 part 1 revision 5, section 5.3.4; RFC 7468 sections 10 and 11 (labels of private keys)
";

/// One finding per file.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    for named in files::noted(context, is_about_key) {
        let title = format!("{} holds a private key", named.path);
        let mut draft = files::draft(context, &INFO, &named, title);
        draft.expected = vec!["certificates only".into()];
        draft.hurts = vec!["the server: whoever reads the file can speak in its place".into()];
        draft.remedy.cure = vec![
            "name a file without the key in the plan: only the certificate is needed".into(),
            "if others could read this one: have the certificate issued again with a new key, and revoke the old one"
                .into(),
        ];
        drafts.push(draft);
    }
}
