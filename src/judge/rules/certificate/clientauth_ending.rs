//! A certificate that also proves clients can soon not be had any more.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::judge::RuleInfo;
use crate::judge::case::Case;
use crate::judge::certificates::Content;
use crate::judge::draft::{Context, Draft};
use crate::judge::issuance::{self, CHROME_CLIENT_AUTH_END, Public};
use crate::judge::wording;
use crate::model::finding::Severity;
use crate::model::obligation::Claim;
use crate::model::plan::{CertId, CertificateSource, Target};

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "clientauth-ending",
    family: "certificate",
    severity: Severity::Warning,
    summary: "where client certificates are demanded, a public certificate is used whose successor is for servers only",
    citation: "Chrome Root Program Policy 1.8; DigiCert ALERT53; Let's Encrypt, Profiles",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

The plan says `mtls = true` of a server, which shows its certificate as a client's to others of its kind, and the
certificate is of a public authority that stops to issue certificates for clients (clientAuth): Let's Encrypt since
2026-07-08, Sectigo from 2027-02-10, DigiCert from 2027-03-01, all that Chrome trusts from 2027-03-15. At its next renewal
the certificate will be for servers only.

# Why it matters

The renewal itself succeeds and nothing warns. The first connection in which the server is the client is refused.

# Example

    [servers.edge]
    mtls = true
    certificate = \"smtp\"       # DigiCert, serverAuth and clientAuth, until 2027-04-20

# Cure

Let the servers prove themselves as clients with a certificate of a private authority that the others trust, and do it before
the renewal.

# References

Chrome Root Program Policy 1.8; https://letsencrypt.org/docs/profiles/ (tlsclient);
https://knowledge.digicert.com/alerts/sunsetting-client-authentication-eku-from-digicert-public-tls-certificates;
CA/Browser Forum Baseline Requirements 7.1.2.7.10
";

/// One finding per declared certificate.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let case = context.case;
    if !case.plan.servers.iter().any(|s| s.settings.mtls) && !case.plan.pools.iter().any(|p| p.settings.mtls) {
        return;
    }
    for certificate in demanding(context) {
        let Some(public) = issuance::of_declared(case, certificate) else { continue };
        let Some((renewal, seen)) = renewal(case, certificate) else { continue };
        let end = end(public);
        if renewal < end {
            continue;
        }
        for (waiver, obligations) in context.by_waiver(&INFO, context.covers(certificate), &[certificate]) {
            let label = &case.plan.certificate(certificate).label;
            let (by, day) = (public.brand.map_or("its authority", |b| b.name), wording::day(end));
            let mut draft = Draft::about_declared(context, &INFO, certificate, waiver, obligations);
            let since = if end <= case.now { "has issued" } else { "issues" };
            let when = if end <= case.now { "since" } else { "from" };
            draft.title =
                format!("{by} {since} nothing for clients {when} {day}, and certificate \"{label}\" is used by mtls");
            draft.expected = vec!["clientAuth at the next renewal too".into()];
            draft.seen = vec![seen.clone()];
            draft.hurts = vec!["connections in which these servers are the clients: refused after the renewal".into()];
            draft.remedy.cure = vec![
                format!(
                    "before {}, give these servers a client certificate of a private authority",
                    wording::day(renewal.max(case.now))
                ),
                "and deploy that authority's root to those who demand it".into(),
            ];
            drafts.push(draft);
        }
    }
}

/// The declared certificates that due obligations want of servers that demand client certificates.
fn demanding(context: &Context) -> BTreeSet<CertId> {
    let (case, plan) = (context.case, context.case.plan);
    let mtls = |target: Target| match target {
        Target::Server(s) => plan.server(s).settings.mtls,
        Target::Pool(p) => plan.pool(p).settings.mtls,
    };
    let mut out = BTreeSet::new();
    for obligation in case.obligations.iter().enumerate().filter(|(i, _)| is_asked(case, *i)).map(|(_, o)| o) {
        match &*obligation.claim {
            Claim::Serves { server, certificates, .. } if mtls(Target::Server(*server)) => {
                out.extend(certificates.iter())
            }
            Claim::Path { target, certificates, .. } if mtls(*target) => out.extend(certificates.iter()),
            _ => {}
        }
    }
    out
}

/// Without a network nothing that is served is due, but who serves what is planned all the same.
fn is_asked(case: &Case, obligation: usize) -> bool {
    case.is_due(obligation) || case.policy.asks_for(case.plan, &case.obligations[obligation])
}

/// When the certificate is to be ordered next, and how that is known; `None` if it is not for clients now.
fn renewal(case: &Case, certificate: CertId) -> Option<(Timestamp, String)> {
    match (&case.plan.certificate(certificate).source, case.certificates.content(certificate)) {
        (CertificateSource::Names(_), _) => {
            let brand =
                case.plan.certificate(certificate).issuer.as_ref().and_then(|i| issuance::Brand::of_word(&i.value));
            let lifetime = brand.and_then(|b| b.lifetime_at(case.now))?;
            let next = case.now.checked_add(jiff::SignedDuration::from_secs(lifetime)).ok()?;
            Some((next, format!("ordered today, it is renewed by {}", wording::day(next))))
        }
        (_, Content::Leaves(leaves)) => {
            let facts = leaves.iter().filter_map(|(leaf, _)| case.certificates.facts(*leaf).ok());
            let last =
                facts.filter(|f| f.client_auth == Some(true) && case.now <= f.not_after).map(|f| f.not_after).min()?;
            Some((last, format!("for clients too, valid until {}", wording::day(last))))
        }
        (_, Content::Planned | Content::Unknown(_)) => None,
    }
}

/// The first instant at which nothing for clients is issued any more.
fn end(public: Public) -> Timestamp {
    let own = public.brand.and_then(|b| b.client_auth_end);
    let end = own.map_or(CHROME_CLIENT_AUTH_END, |own| own.min(CHROME_CLIENT_AUTH_END));
    Timestamp::from_second(end).unwrap_or(Timestamp::MAX)
}
