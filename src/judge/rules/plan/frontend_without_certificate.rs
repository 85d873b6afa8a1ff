//! A balancer ends TLS, and the plan has no certificate for it.

use std::collections::{BTreeMap, BTreeSet};

use crate::judge::RuleInfo;
use crate::judge::asked;
use crate::judge::draft::{Context, Draft};
use crate::judge::wording;
use crate::model::finding::Severity;
use crate::model::obligation::Claim;
use crate::model::plan::{NameId, Plan, PoolId, PoolTls, Target};

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "frontend-without-certificate",
    family: "plan",
    severity: Severity::Error,
    summary: "a balancer ends TLS, and the plan has no certificate for it",
    citation: "RFC 8446 section 4.4.2; Microsoft, Load balancing in Exchange Server",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

A pool ends TLS itself (`tls = \"offload\"`, or `\"bridge\"` without `verify`), the plan declares several certificates, and
none is chosen for the pool or for the name. What its members have is not what clients meet.

# Why it matters

The balancer has a certificate store of its own. Who plans the certificates of the servers only, renews them, and forgets
the one that every client sees. Until the plan says which certificate that is, nothing is compared with it.

# Example

    [pools.owa]
    address = \"10.0.0.30\"
    members = [\"ex19-01\", \"ex19-02\"]
    tls = \"offload\"                # and no certificate

# Cure

Add `certificate = \"...\"` to the pool. If the balancer passes TLS through, say `tls = \"passthrough\"`.

# References

RFC 8446 section 4.4.2; https://learn.microsoft.com/exchange/architecture/client-access/load-balancing
";

/// The names that lead to a pool, and their obligations.
type Concerned = (BTreeSet<NameId>, BTreeSet<usize>);

/// One finding per pool.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let plan = context.case.plan;
    let mut found: BTreeMap<(PoolId, Option<usize>), Concerned> = BTreeMap::new();
    for (index, obligation) in asked::endpoints(context.case) {
        let (name, Claim::Path { target: Target::Pool(pool), .. }) = (obligation.name, &*obligation.claim) else {
            continue;
        };
        if lacks(plan, *pool, name) {
            let waiver = context.waiver(INFO.name, &asked::labels(plan, obligation, &[]));
            let (names, obligations) = found.entry((*pool, waiver)).or_default();
            names.insert(name);
            obligations.insert(index);
        }
    }
    for ((pool, waiver), (names, obligations)) in found {
        let mut draft = draft(plan, pool, &names.into_iter().collect::<Vec<_>>());
        draft.waiver = waiver;
        draft.obligations = obligations.into_iter().filter(|i| context.case.is_due(*i)).collect();
        drafts.push(draft);
    }
}

/// A plan's only certificate is everybody's; a bridge that demands its members' own shows that very one.
fn lacks(plan: &Plan, pool: PoolId, name: NameId) -> bool {
    let declared = plan.pool(pool);
    let ends_tls = declared.tls == PoolTls::Offload || (declared.tls == PoolTls::Bridge && !declared.verify);
    let chosen = declared.certificate.is_some() || plan.name(name).certificate.is_some();
    ends_tls && !chosen && plan.certificates.len() > 1
}

fn draft(plan: &Plan, pool: PoolId, names: &[NameId]) -> Draft {
    let declared = plan.pool(pool);
    let (who, listed) = (&declared.label, wording::name_list(plan, names));
    let word = if declared.tls == PoolTls::Offload { "offload" } else { "bridge" };
    let mut draft = Draft::plain(&INFO, format!("{who} ends TLS for {listed}, and has no certificate in the plan"));
    draft.subject.server = Some(who.to_string());
    draft.expected = vec![format!("`certificate` at the pool {who}")];
    draft.seen = vec![format!("tls = \"{word}\", and certificates of its members only")];
    draft.hurts = vec![format!("all clients of {listed}: nobody watches the certificate that they meet")];
    draft.remedy.cure = vec![
        format!("add to [pools.{who}]: certificate = one of {}", labels(plan)),
        "or say tls = \"passthrough\", if TLS ends at the members".into(),
    ];
    draft.at = Some(declared.span);
    draft
}

fn labels(plan: &Plan) -> String {
    let quoted: Vec<String> = plan.certificates.iter().map(|c| format!("\"{}\"", c.label)).collect();
    wording::list(quoted.iter().map(String::as_str))
}
