//! A certificate of a file is not signed by the issuer that stands beside it.

use crate::judge::RuleInfo;
use crate::judge::case::Case;
use crate::judge::certificates::Content;
use crate::judge::draft::{Context, Draft, Key};
use crate::judge::wording;
use crate::model::certificate::BlobId;
use crate::model::finding::Severity;
use crate::model::plan::{CertId, CertificateSource};

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "signature-does-not-verify",
    family: "certificate",
    severity: Severity::Error,
    summary: "a certificate in a file is not signed by the issuer that the file holds for it",
    citation: "RFC 5280 section 6.1.3 (a) (1)",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

A file of the plan holds a certificate and, under the name of its issuer, one or several others; and none of their keys made
its signature. Either the intermediate is another one of the same name, or one of the two was damaged or changed.

# Why it matters

Clients build the path from what the server sends. With the wrong intermediate they find none, though every name and date
looks right: authorities renew intermediates under the same name, and a bundle from the last order does not fit the next.

# Example

    seen      CN=mail.domain.com is not signed by CN=Example Issuing CA (serial 03) of the same file

# Cure

Download the chain that belongs to this very certificate from its authority (the address stands in its authority information
access), put it behind the certificate, and compare:

    openssl verify -untrusted chain.pem certificate.pem

# References

RFC 5280 sections 6.1.3 and 4.2.1.1 (authority key identifier)
";

/// A certificate and those of its issuer's name, none of which signed it.
struct Broken {
    certificate: BlobId,
    issuers: Vec<BlobId>,
}

/// One finding per declared certificate and link that is broken.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let case = context.case;
    for (i, certificate) in case.plan.certificates.iter().enumerate() {
        let (CertificateSource::File(path), Content::Leaves(leaves)) =
            (&certificate.source, case.certificates.content(CertId(i)))
        else {
            continue;
        };
        if !case.policy.asks_about("san", &[&certificate.label]) {
            continue;
        }
        let broken = leaves.iter().filter_map(|(leaf, chain)| Some((*leaf, broken(case, chain)?)));
        drafts.extend(broken.map(|(leaf, broken)| draft(context, CertId(i), &path.value, leaf, &broken)));
    }
}

/// Climbs from the leaf as far as signatures hold. Where one cannot be verified here, nothing is said.
fn broken(case: &Case, chain: &[BlobId]) -> Option<Broken> {
    let facts = |id: &BlobId| case.certificates.facts(*id).ok();
    let mut at = *chain.first()?;
    for _ in 0..chain.len() {
        let this = facts(&at)?;
        if this.is_self_issued() {
            return None;
        }
        let is_issuer = |id: &&BlobId| **id != at && facts(id).is_some_and(|f| this.names_as_issuer(f));
        let issuers: Vec<BlobId> = chain.iter().filter(is_issuer).copied().collect();
        let told: Vec<Option<bool>> = issuers.iter().map(|i| case.certificates.is_signed_by(at, *i)).collect();
        match told.iter().position(|t| *t == Some(true)) {
            Some(signer) => at = *issuers.get(signer)?,
            None if !told.is_empty() && told.iter().all(|t| *t == Some(false)) => {
                return Some(Broken { certificate: at, issuers });
            }
            None => return None,
        }
    }
    None
}

fn draft(context: &Context, certificate: CertId, path: &str, leaf: BlobId, broken: &Broken) -> Draft {
    let case = context.case;
    let declared = case.plan.certificate(certificate);
    let facts = |id: BlobId| case.certificates.facts(id).ok();
    let subject = facts(broken.certificate).map_or_else(String::new, |f| f.subject.to_string());
    let issuer = facts(broken.certificate).map_or_else(String::new, |f| f.issuer.to_string());
    let due = context.covers(certificate).collect();
    let waiver = context.waiver_on(&INFO, &[&*declared.label, path]);
    let mut draft = Draft::about_declared(context, &INFO, certificate, waiver, due);
    draft.title = format!("{subject} in {path} is not signed by the {issuer} beside it");
    draft.expected = vec![format!("the {issuer} that signed {subject}")];
    draft.seen = vec![wording::leaf(case, broken.certificate)];
    draft.seen.extend(broken.issuers.iter().map(|i| format!("beside it: {}", wording::leaf(case, *i))));
    draft.seen = wording::cut(std::mem::take(&mut draft.seen));
    draft.hurts = vec![format!("clients of whoever serves \"{}\" from this file: they find no path", declared.label)];
    draft.remedy.cure = vec![
        format!("get the chain that belongs to {subject} from its authority, and put it behind the certificate"),
        "if it was the right one: a file was damaged or changed on its way; export it again".into(),
    ];
    draft.keys.insert(Key::Refused(leaf));
    draft
}
