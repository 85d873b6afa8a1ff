//! More names are to be ordered than the authority puts into one certificate.

use std::collections::{BTreeMap, HashSet};

use crate::judge::RuleInfo;
use crate::judge::draft::{Context, Draft};
use crate::judge::issuance::{self, DEFAULT_MAX_NAMES};
use crate::model::finding::Severity;
use crate::model::name::Name;
use crate::model::obligation::Claim;
use crate::model::plan::{CertId, CertificateSource};

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "san-count-over-limit",
    family: "certificate",
    severity: Severity::Error,
    summary: "a certificate that is to be ordered would have more names than its authority allows",
    citation: "Let's Encrypt, Profiles; DigiCert, multi-domain certificates",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

The certificate is not ordered yet, and the names that the plan lists for it, with those that it wants and the list lacks,
are more than its authority puts into one certificate: `max-names` of the certificate, or what is known of its `issuer`
(Let's Encrypt 100, DigiCert 250). Where neither is said, 100 is taken, which all common authorities allow, and the finding
is a warning.

# Why it matters

The order is refused as a whole. With Let's Encrypt's profiles tlsserver and shortlived the limit is 25: say
`max-names = 25` if one of them is ordered.

# Example

    [certificates.public]
    names = [ ... 31 names ... ]
    issuer = \"letsencrypt.org\"
    max-names = 25

# Cure

Split it into several certificates, by server or by service; or replace names of one domain by a wildcard, where clients and
services allow one.

# References

https://letsencrypt.org/docs/profiles/ (Max Names); https://www.tbs-certificates.co.uk/FAQ/en/san_certificats_verisign.html
";

/// Where a limit is known from.
struct Limit {
    most: u32,
    says: String,
    severity: Severity,
}

/// One finding per certificate that is not ordered yet.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let plan = context.case.plan;
    let wanted = wanted(context);
    for certificate in (0..plan.certificates.len()).map(CertId) {
        let Some(count) = count(context, certificate, wanted.get(&certificate)) else { continue };
        let limit = limit(context, certificate);
        if count <= limit.most as usize {
            continue;
        }
        for (waiver, obligations) in context.by_waiver(&INFO, context.covers(certificate), &[certificate]) {
            let declared = plan.certificate(certificate);
            let mut draft = Draft::about_declared(context, &INFO, certificate, waiver, obligations);
            draft.severity = limit.severity;
            draft.title = format!("certificate \"{}\" would have {count} names, {}", declared.label, limit.says);
            draft.expected = vec![format!("at most {} names", limit.most)];
            draft.seen = vec![format!("{count} names to order")];
            draft.hurts = vec![format!("whoever orders \"{}\": the authority refuses the order", declared.label)];
            let parts = count.div_ceil((limit.most as usize).max(1));
            draft.remedy.cure = vec![
                format!("split it into {parts} certificates, or replace names of one domain by a wildcard"),
                "or say max-names, if the authority takes more".into(),
            ];
            draft.at = declared.max_names.as_ref().map(|m| m.span).or(draft.at);
            drafts.push(draft);
        }
    }
}

/// The names that the plan wants on each certificate, in any phase.
fn wanted<'a>(context: &Context<'a>) -> BTreeMap<CertId, HashSet<&'a Name>> {
    let mut out: BTreeMap<CertId, HashSet<&Name>> = BTreeMap::new();
    for obligation in context.case.obligations {
        if let (name, Claim::Covers { certificate }) = (obligation.name, &*obligation.claim) {
            out.entry(*certificate).or_default().insert(&context.case.plan.name(name).name);
        }
    }
    out
}

/// How many names are to be ordered: those listed, and those that the plan wants and no listed one covers.
fn count(context: &Context, certificate: CertId, wanted: Option<&HashSet<&Name>>) -> Option<usize> {
    let plan = context.case.plan;
    let CertificateSource::Names(listed) = &plan.certificate(certificate).source else { return None };
    let listed: HashSet<&str> = listed.iter().map(|n| n.value.as_str()).collect();
    // A name is covered by itself or by the wildcard of its parent (RFC 9525 section 6.3).
    let covered = |name: &Name| {
        let wildcard = || name.parent().map(|parent| format!("*.{parent}"));
        listed.contains(name.as_str()) || wildcard().is_some_and(|w| listed.contains(w.as_str()))
    };
    let lacking = wanted.into_iter().flatten().filter(|n| !covered(n)).count();
    Some(listed.len() + lacking)
}

fn limit(context: &Context, certificate: CertId) -> Limit {
    let declared = context.case.plan.certificate(certificate);
    let brand = issuance::of_declared(context.case, certificate).and_then(|p| p.brand);
    match (&declared.max_names, brand.and_then(|b| Some((b.name, b.max_names?)))) {
        (Some(max), _) => {
            let says = format!("and max-names is {}", max.value);
            Limit { most: max.value, says, severity: Severity::Error }
        }
        (None, Some((name, most))) => {
            Limit { most, says: format!("and {name} puts {most} into one certificate"), severity: Severity::Error }
        }
        (None, None) => {
            let says = format!("and many authorities put {DEFAULT_MAX_NAMES} into one certificate");
            Limit { most: DEFAULT_MAX_NAMES, says, severity: Severity::Warning }
        }
    }
}
