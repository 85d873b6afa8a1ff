//! A balancer shows its members a certificate that is not for clients.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::judge::RuleInfo;
use crate::judge::asked;
use crate::judge::case::Case;
use crate::judge::draft::{Context, Draft};
use crate::judge::wording;
use crate::model::certificate::BlobId;
use crate::model::finding::Severity;
use crate::model::obligation::Claim;
use crate::model::plan::{CertId, ClientCertificate, Plan, PoolId, PoolTls, Target};

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "mtls-clientauth-missing",
    family: "certificate",
    severity: Severity::Error,
    summary: "a certificate that is shown to servers as a client's is not for clients",
    citation: "RFC 5280 section 4.2.1.12; Chrome Root Program Policy 1.8",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

A bridge connects to members that demand client certificates (`mtls = true`), and its certificate has an extended key
usage without clientAuth. Or the plan has a `client-certificate` to show to servers, and that one is none for clients. Only
where the plan says in one of these ways that somebody acts as a client, the rule speaks.

# Why it matters

The members refuse the bridge: all users see an error of the gateway. Public authorities leave clientAuth out of their
certificates one after the other, so that a renewal with the same names brings this about.

# Example

    [servers.app1]
    mtls = true                    # demands a client certificate
    [pools.app]
    members = [\"app1\"]
    tls = \"bridge\"
    certificate = \"public\"         # for servers only

# Cure

Give the balancer a certificate of a private authority for its connections to the members, with clientAuth; or let the
members do without client certificates.

# References

RFC 5280 section 4.2.1.12; https://googlechrome.github.io/chromerootprogram/
";

/// One finding per pool and certificate.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let case = context.case;
    let mut found: BTreeMap<(PoolId, CertId, BlobId, Option<usize>), BTreeSet<usize>> = BTreeMap::new();
    for (index, obligation) in asked::endpoints(case) {
        let Claim::Path { target: Target::Pool(pool), certificates, .. } = &*obligation.claim else { continue };
        if !acts_as_client(case.plan, *pool) {
            continue;
        }
        for certificate in certificates.iter() {
            let waiver = context.waiver(INFO.name, &asked::labels(case.plan, obligation, &[*certificate]));
            let leaves = case.certificates.leaves(&[*certificate]).into_iter();
            for leaf in leaves.filter(|l| case.certificates.facts(*l).is_ok_and(|f| f.client_auth == Some(false))) {
                found.entry((*pool, *certificate, leaf, waiver)).or_default().insert(index);
            }
        }
    }
    for ((pool, certificate, leaf, waiver), obligations) in found {
        let mut draft = draft(case, pool, certificate, leaf);
        draft.waiver = waiver;
        draft.obligations = obligations.into_iter().filter(|i| case.is_due(*i)).collect();
        drafts.push(draft);
    }
    drafts.extend(case.plan.client_certificates().into_iter().filter_map(|shown| shown_by_us(context, shown)));
}

/// What is shown by who looks, in the place of the servers' clients.
fn shown_by_us(context: &Context, shown: &Arc<ClientCertificate>) -> Option<Draft> {
    let (case, plan) = (context.case, context.case.plan);
    let is_not_for_clients = |l: &BlobId| case.certificates.facts(*l).is_ok_and(|f| f.client_auth == Some(false));
    let leaf = case.certificates.in_file(case.evidence, &shown.file.value).into_iter().find(is_not_for_clients)?;
    let to = plan.servers.iter().filter(|s| s.settings.client_certificate.as_ref() == Some(shown));
    let labels: Vec<&str> = to.map(|s| &*s.label).collect();
    let file = &shown.file.value;
    let mut draft = Draft::plain(&INFO, format!("{file} is shown as a client's certificate, and is not for clients"));
    draft.expected = vec!["clientAuth in extKeyUsage".into()];
    draft.seen = vec![wording::leaf(case, leaf), "extKeyUsage without clientAuth".into()];
    draft.hurts = vec![format!("this run, and whoever else shows it to {}", wording::list(labels.iter().copied()))];
    draft.remedy.cure = vec!["name a certificate with clientAuth, and its key, in `client-certificate`".into()];
    draft.waiver = context.waiver(INFO.name, &labels.iter().map(ToString::to_string).collect());
    draft.at = Some(shown.file.span);
    Some(draft)
}

/// A bridge is its members' client.
fn acts_as_client(plan: &Plan, pool: PoolId) -> bool {
    let pool = plan.pool(pool);
    pool.tls == PoolTls::Bridge && pool.all_members().iter().any(|m| plan.server(*m).settings.mtls)
}

fn draft(case: &Case, pool: PoolId, certificate: CertId, leaf: BlobId) -> Draft {
    let plan = case.plan;
    let (who, label) = (&plan.pool(pool).label, &plan.certificate(certificate).label);
    let members = plan.pool(pool).all_members().into_iter().filter(|m| plan.server(*m).settings.mtls);
    let members: Vec<&str> = members.map(|m| plan.server(m).label.as_ref()).collect();
    let listed = wording::list(members);
    let mut draft =
        Draft::plain(&INFO, format!("certificate \"{label}\" of {who} is not for clients, and {listed} demands one"));
    draft.subject.server = Some(who.to_string());
    draft.subject.certificate = Some(label.to_string());
    draft.expected = vec!["clientAuth in extKeyUsage".into()];
    draft.seen = vec![wording::leaf(case, leaf), "extKeyUsage without clientAuth".into()];
    draft.hurts = vec![format!("all users of {who}: {listed} refuses the balancer's connections")];
    draft.remedy.cure = vec![
        format!("give {who} a certificate with clientAuth, of a private authority, for its connections to {listed}"),
        format!("or take mtls from {listed} in the plan, if it demands none"),
    ];
    draft.at = Some(plan.certificate(certificate).span);
    draft
}
