//! The members of a pool serve different certificates.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::judge::RuleInfo;
use crate::judge::case::Case;
use crate::judge::draft::{Context, Draft, Key};
use crate::judge::evidence::Found;
use crate::judge::evidence::Look;
use crate::judge::problem::Culprit;
use crate::judge::truth::Truth;
use crate::judge::wording;
use crate::model::certificate::BlobId;
use crate::model::finding::{Severity, Subject};
use crate::model::obligation::Claim;
use crate::model::observation::{Probe, TlsProbe};
use crate::model::phase::Phase;
use crate::model::plan::{Pool, ServerId, Target};
use crate::model::tls::TlsOutcome;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "pool-certificate-divergence",
    family: "served",
    severity: Severity::Error,
    summary: "the members of a load-balanced pool serve different certificates",
    citation: "Microsoft, Load balancing in Exchange Server; RFC 9525 section 6",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

Asked for the same name at the same service, the members of a pool serve certificates that differ in names, issuer or
dates. Certificates that differ in their keys only count as equal.

# Why it matters

Which certificate a user meets depends on where the balancer sends the connection. Looks from outside find the good one
half of the time, so the fault shows as \"sometimes\". It is an error if one of the certificates is not right for a name,
else a warning: the next renewal will hit one member only.

# Example

    ex19-01  B26C...  CN=mail.exchangeservergeek.com
    ex19-02  0F5D...  CN=EX19-02, self-signed

# Cure

Export the certificate with its key from the member that is right, import it on the others, and assign it to the same
services.

# References

https://learn.microsoft.com/exchange/architecture/client-access/load-balancing; RFC 9525 section 6
";

/// What one member served for a name at a service: the obligation, the leaf, the observations.
struct Served {
    server: ServerId,
    obligation: usize,
    leaf: BlobId,
    look: Look,
}

/// Equal enough: names, issuer and last day.
type Likeness = (BTreeSet<String>, Arc<[u8]>, i64);

/// One finding per pool.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let members = |pool: &Pool| Phase::ALL.into_iter().flat_map(|p| pool.servers(p).to_vec()).collect::<Vec<_>>();
    let by_server = served_by_server(context, &context.case.plan.pools.iter().flat_map(members).collect());
    for pool in &context.case.plan.pools {
        drafts.extend(divergence(context, pool, &by_server));
    }
}

/// What each of these servers served, of what is due.
fn served_by_server(context: &Context, of: &BTreeSet<ServerId>) -> BTreeMap<ServerId, Vec<Served>> {
    let case = context.case;
    let mut out: BTreeMap<ServerId, Vec<Served>> = BTreeMap::new();
    for (index, obligation) in case.obligations.iter().enumerate().filter(|(i, _)| case.is_due(*i)) {
        let (name, Claim::Serves { server, service, .. }) = (obligation.name, &*obligation.claim) else { continue };
        if !of.contains(server) {
            continue;
        }
        for address in case.plan.server(*server).own_addresses(&case.plan.views) {
            let address = std::net::SocketAddr::new(address, service.port);
            let probe =
                TlsProbe { address, way: service.way, sni: Some(case.plan.name(name).name.probe()), face: None };
            let Found::Fresh(looks) = case.evidence.find(&Probe::Tls(probe), |_| true) else { continue };
            for look in looks {
                if let Some(leaf) = leaf(case, look).filter(|l| !context.suspicion.leaves.contains(l)) {
                    out.entry(*server).or_default().push(Served { server: *server, obligation: index, leaf, look });
                }
            }
        }
    }
    out
}

fn leaf(case: &Case, look: Look) -> Option<BlobId> {
    match case.evidence.tls(look)? {
        TlsOutcome::Certificate(served) => served.chain.first().copied(),
        _ => None,
    }
}

fn divergence(context: &Context, pool: &Pool, by_server: &BTreeMap<ServerId, Vec<Served>>) -> Option<Draft> {
    let members: BTreeSet<ServerId> = Phase::ALL.into_iter().flat_map(|p| pool.servers(p).iter().copied()).collect();
    let served: Vec<&Served> = members.iter().flat_map(|m| by_server.get(m).into_iter().flatten()).collect();
    let odd = odd(context, &served);
    if odd.is_empty() {
        return None;
    }
    let plan = context.case.plan;
    let odd_servers: BTreeSet<ServerId> = odd.iter().map(|s| s.server).collect();
    let labels: Vec<&str> = odd_servers.iter().map(|s| plan.server(*s).label.as_ref()).collect();
    let mut draft = Draft::plain(&INFO, format!("members of {} serve different certificates", pool.label));
    let failing = odd.iter().any(|s| context.assessed[s.obligation].truth == Truth::Fail);
    draft.severity = if failing { Severity::Error } else { Severity::Warning };
    let on = labels.iter().map(|l| l.to_string()).chain([pool.label.to_string()]).collect();
    draft.waiver = context.waiver(INFO.name, &on);
    draft.subject = Subject { server: Some(pool.label.to_string()), ..Subject::default() };
    draft.expected = vec!["one certificate, or at least the same names, issuer and dates, on all members".into()];
    draft.seen = lines(context.case, &served);
    draft.hurts = vec![format!("whoever the load balancer sends to {}", wording::list(labels.clone()))];
    draft.remedy.cure = vec![format!("bring {} to the certificate of the other members", wording::list(labels))];
    draft.at = Some(pool.span);
    draft.looks = odd.iter().map(|s| s.look).collect();
    draft.obligations = odd.iter().map(|s| s.obligation).collect();
    draft.keys = odd.iter().map(|s| Key::Served(Culprit::Planned(Target::Server(s.server)), s.leaf)).collect();
    Some(draft)
}

/// Those that differ from what most of the right members serve for the same name at the same service.
fn odd<'a>(context: &Context, served: &[&'a Served]) -> Vec<&'a Served> {
    let mut by_question: BTreeMap<(usize, &str, u16), Vec<&'a Served>> = BTreeMap::new();
    for s in served {
        if let (name, Claim::Serves { service, .. }) =
            (context.case.obligations[s.obligation].name, &*context.case.obligations[s.obligation].claim)
        {
            by_question.entry((name.0, service.word, service.port)).or_default().push(s);
        }
    }
    by_question.into_values().flat_map(|all| odd_of(context, all)).collect()
}

fn odd_of<'a>(context: &Context, all: Vec<&'a Served>) -> Vec<&'a Served> {
    let mut count: BTreeMap<Likeness, (bool, usize)> = BTreeMap::new();
    for s in &all {
        let entry = count.entry(likeness(context.case, s.leaf)).or_default();
        entry.0 |= context.assessed[s.obligation].truth != Truth::Fail;
        entry.1 += 1;
    }
    if count.len() < 2 {
        return Vec::new();
    }
    let norm = count.iter().max_by_key(|(_, weight)| **weight).map(|(l, _)| l.clone());
    all.into_iter().filter(|s| Some(likeness(context.case, s.leaf)) != norm).collect()
}

fn likeness(case: &Case, leaf: BlobId) -> Likeness {
    match case.certificates.facts(leaf) {
        Ok(f) => {
            let names = f.dns_ids.iter().map(|d| d.to_ascii_lowercase()).collect();
            (names, f.issuer_der.clone(), f.not_after.as_second())
        }
        Err(_) => (BTreeSet::new(), Arc::from(leaf.0.as_slice()), 0),
    }
}

fn lines(case: &Case, served: &[&Served]) -> Vec<String> {
    let line = |s: &&Served| format!("{}  {}", case.plan.server(s.server).label, wording::leaf(case, s.leaf));
    let all: BTreeSet<String> = served.iter().map(line).collect();
    wording::cut(all.into_iter().collect())
}
