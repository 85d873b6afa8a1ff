//! A name for inside stands on a certificate that everybody can read.

use std::collections::BTreeSet;

use crate::judge::RuleInfo;
use crate::judge::certificates::Content;
use crate::judge::draft::{Context, Draft};
use crate::judge::issuance;
use crate::judge::wording;
use crate::model::finding::Severity;
use crate::model::phase::Phase;
use crate::model::plan::{CertId, CertificateSource, Plan, PlannedName, Table, ViewKind, Wanted};

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "intranet-name-in-public-certificate",
    family: "certificate",
    severity: Severity::Warning,
    summary: "a name for clients inside stands on a certificate of a public authority, and so in its public logs",
    citation: "RFC 9162; Microsoft, Digital certificates and encryption in Exchange Server",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

The plan says in [intranet] that a name is for clients inside and must not resolve outside, and a certificate of a public
authority has it, or is to have it. Public authorities write each certificate into the logs of Certificate Transparency.

# Why it matters

Whoever searches the logs for the domain finds the names of internal servers. That they do not resolve outside hides
nothing. What is logged stays there.

# Example

    [certificates.san]
    names = [\"mail.domain.com\", \"serverexchange2010.domain.com\"]
    issuer = \"digicert.com\"
    [intranet]
    \"serverexchange2010.domain.com\" = \"ex2010\"

# Cure

Give clients inside the name that clients outside use, and let internal DNS answer with the internal address: then the
server's own name need not be certified. Or serve the internal name with a certificate of a private authority. If it does not
matter, say `leaks = \"allowed\"` of the name, or waive the rule.

# References

RFC 9162 (Certificate Transparency); https://learn.microsoft.com/exchange/architecture/client-access/certificates
(\"use as few host names as possible\")
";

/// One finding per declared certificate.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let (case, plan) = (context.case, context.case.plan);
    let inside: Vec<&str> = plan.names.iter().filter(|n| is_for_inside(plan, n)).map(|n| n.name.as_str()).collect();
    for certificate in (0..plan.certificates.len()).map(CertId).filter(|_| !inside.is_empty()) {
        let presented = presented(context, certificate);
        let shown: Vec<&str> = inside.iter().copied().filter(|n| presented.contains(*n)).collect();
        if shown.is_empty() {
            continue;
        }
        let Some(public) = issuance::of_declared(case, certificate) else { continue };
        let (label, listed) = (&plan.certificate(certificate).label, wording::list(shown.iter().copied()));
        let by = public.brand.map_or("a public authority", |b| b.name);
        let is_shown = |i: &usize| shown.contains(&plan.name(case.obligations[*i].name).name.as_str());
        let due = context.covers(certificate).filter(is_shown);
        for (waiver, obligations) in context.by_waiver(&INFO, due, &[certificate]) {
            let mut draft = Draft::about_declared(context, &INFO, certificate, waiver, obligations);
            draft.title = format!("certificate \"{label}\" of {by} shows {listed} to everybody");
            draft.expected = vec!["names for clients outside only".into()];
            draft.seen = wording::cut(shown.iter().map(|n| format!("{n}, a name of [intranet]")).collect());
            draft.hurts =
                vec!["nobody's connection; the names are public in the logs of Certificate Transparency".into()];
            draft.remedy.cure = vec![
                format!(
                    "leave {listed} out of the next order: give clients inside the public name, or a private certificate"
                ),
                "or say leaks = \"allowed\" of the name, if it may be known".into(),
            ];
            drafts.push(draft);
        }
    }
}

/// True if a name must not resolve outside.
fn is_for_inside(plan: &Plan, name: &PlannedName) -> bool {
    let outside = plan.view_ids().filter(|v| plan.view(*v).kind == ViewKind::External);
    let mut wanted = outside.flat_map(|v| Phase::ALL.map(|p| name.wanted(v, p)));
    name.table == Table::Intranet && wanted.any(|w| *w == Wanted::Forbidden)
}

/// In lower case.
fn presented(context: &Context, certificate: CertId) -> BTreeSet<String> {
    let case = context.case;
    match (&case.plan.certificate(certificate).source, case.certificates.content(certificate)) {
        (CertificateSource::Names(names), _) => names.iter().map(|n| n.value.to_string()).collect(),
        (_, Content::Leaves(leaves)) => {
            let facts = leaves.iter().filter_map(|(leaf, _)| case.certificates.facts(*leaf).ok());
            facts.flat_map(|f| &f.dns_ids).map(|d| d.to_ascii_lowercase()).collect()
        }
        (_, Content::Planned | Content::Unknown(_)) => BTreeSet::new(),
    }
}
