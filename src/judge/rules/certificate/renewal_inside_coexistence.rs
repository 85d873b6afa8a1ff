//! A certificate has to be renewed while servers that cannot renew by themselves still serve it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::expires_inside_phase::last_day;
use crate::judge::RuleInfo;
use crate::judge::case::Case;
use crate::judge::certificates::Content;
use crate::judge::draft::{Context, Draft, Key};
use crate::judge::issuance;
use crate::judge::wording;
use crate::model::finding::Severity;
use crate::model::obligation::Claim;
use crate::model::phase::{Moment, Phase};
use crate::model::plan::{CertId, CertificateSource, ServerId};

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "renewal-inside-coexistence",
    family: "certificate",
    severity: Severity::Warning,
    summary: "a certificate must be renewed during coexistence, and an old server that serves it cannot do it by itself",
    citation: "CA/Browser Forum Baseline Requirements 6.3.2; Let's Encrypt, From 90 to 45",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

The plan says in [phases] how long coexistence lasts. A certificate that serves in it expires inside, or is to be ordered
from a public authority that gives no lifetime that reaches the end; and one of the servers that serve it is of a product
for which no ACME client is maintained (Exchange 2003 and 2007, Windows Server 2003 and 2008). Each renewal has to be brought there
by hand.

# Why it matters

The new servers renew and nobody notices; the old front end still serves the certificate that is about to expire, and with it
the legacy name. Since 2026-03-15 public certificates live 200 days at most, from 2027-03-15 on 100.

# Example

    [phases]
    coexistence = { from = 2026-12-01, until = 2027-03-31 }
    [certificates.san]
    issuer = \"letsencrypt.org\"     # 90 days

# Cure

Plan the renewal as a step of its own: order it, export it with its key, import it on each old server, and check all of them.

# References

CA/Browser Forum Baseline Requirements 6.3.2; https://letsencrypt.org/2025/12/02/from-90-to-45;
https://learn.microsoft.com/exchange/architecture/client-access/certificates
";

/// Products for which no ACME client is maintained.
const BY_HAND: &[&str] = &["exchange-2003", "exchange-2007", "windows-2003", "windows-2008"];

/// One finding per declared certificate.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let case = context.case;
    let Some((from, until)) = coexistence(case) else { return };
    for (certificate, old) in by_hand(case) {
        let due: BTreeSet<usize> = context.covers(certificate).collect();
        if due.is_empty() {
            continue;
        }
        let Some(end) = end(case, certificate, from).filter(|end| (from..until).contains(end) && case.now <= *end)
        else {
            continue;
        };
        for (waiver, obligations) in context.by_waiver(&INFO, due, &[certificate]) {
            let label = &case.plan.certificate(certificate).label;
            let servers = wording::list(old.iter().map(|s| &*case.plan.server(*s).label));
            let day = wording::day(end);
            let mut draft = Draft::about_declared(context, &INFO, certificate, waiver, obligations);
            draft.title =
                format!("certificate \"{label}\" has to be renewed by {day}, and {servers} cannot do that alone");
            draft.expected =
                vec![format!("a certificate that lasts until {}, or a step for its renewal", last_day(until))];
            draft.seen = vec![match case.plan.certificate(certificate).source {
                CertificateSource::Names(_) => {
                    format!("ordered for {}, it lasts until {day} at most", wording::day(from.max(case.now)))
                }
                _ => format!("valid until {day}"),
            }];
            draft.hurts = vec![format!("users of {servers} from {day} on, if the renewal is not brought there")];
            draft.remedy.cure = vec![format!(
                "plan a step before {day}: renew \"{label}\", export it with its key, import it on {servers}"
            )];
            draft.keys = leaves(case, certificate).map(Key::Renewed).collect();
            drafts.push(draft);
        }
    }
}

/// The dates of the coexistence, if it is dated and not over where anybody asks.
fn coexistence(case: &Case) -> Option<(Timestamp, Timestamp)> {
    let dates = case.plan.phases.get(&Phase::Coexistence)?;
    let after = |v| matches!(case.policy.moment(case.plan, v), Moment::Steady(Phase::After));
    let over = case.plan.view_ids().all(after);
    let from = dates.from.unwrap_or(case.now);
    dates.until.filter(|_| !over).map(|until| (from, until))
}

/// Of each certificate, the servers that serve it in coexistence and have to be visited for a renewal.
fn by_hand(case: &Case) -> BTreeMap<CertId, BTreeSet<ServerId>> {
    let coexistence = Moment::Steady(Phase::Coexistence);
    let old = |s: ServerId| {
        let product = case.plan.server(s).product.as_ref();
        product.is_some_and(|p| BY_HAND.contains(&p.value.as_str()))
    };
    let mut out: BTreeMap<CertId, BTreeSet<ServerId>> = BTreeMap::new();
    for obligation in case.obligations.iter().filter(|o| o.drain.is_none()) {
        let Claim::Serves { server, certificates, .. } = &*obligation.claim else { continue };
        if old(*server) && obligation.holds.iter().any(|(_, moments)| moments.contains(coexistence)) {
            for certificate in certificates.iter() {
                out.entry(*certificate).or_default().insert(*server);
            }
        }
    }
    out
}

/// The last instant of what is there, or of the longest that can be ordered for the beginning.
fn end(case: &Case, certificate: CertId, from: Timestamp) -> Option<Timestamp> {
    let declared = case.plan.certificate(certificate);
    match &declared.source {
        CertificateSource::Names(_) => {
            let brand = declared.issuer.as_ref().and_then(|i| issuance::Brand::of_word(&i.value))?;
            let issued = from.max(case.now);
            issued.checked_add(SignedDuration::from_secs(brand.lifetime_at(issued)?)).ok()
        }
        _ => leaves(case, certificate).filter_map(|l| case.certificates.facts(l).ok()).map(|f| f.not_after).min(),
    }
}

fn leaves<'c>(
    case: &'c Case,
    certificate: CertId,
) -> impl Iterator<Item = crate::model::certificate::BlobId> + use<'c> {
    let leaves = match case.certificates.content(certificate) {
        Content::Leaves(leaves) => leaves.as_slice(),
        Content::Planned | Content::Unknown(_) => &[],
    };
    leaves.iter().map(|(leaf, _)| *leaf)
}
