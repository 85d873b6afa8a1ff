//! A bridge and its members do not have the very same certificate.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use crate::judge::RuleInfo;
use crate::judge::asked;
use crate::judge::case::Case;
use crate::judge::draft::{Context, Draft};
use crate::judge::evidence::Found;
use crate::judge::truth::Truth;
use crate::judge::wording;
use crate::model::certificate::BlobId;
use crate::model::finding::Severity;
use crate::model::obligation::Claim;
use crate::model::observation::{Probe, TlsProbe};
use crate::model::plan::{CertId, NameId, PoolId, PoolTls, ServerId, Target, ViewId};
use crate::model::service::Service;
use crate::model::tls::TlsOutcome;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "extended-protection-mismatch",
    family: "served",
    severity: Severity::Error,
    summary: "a bridge that verifies and its members have different certificates",
    citation: "RFC 5929 section 4; Microsoft, Configure Windows Extended Protection in Exchange Server",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

A pool is a bridge with `verify = true`, as Extended Protection demands it, and the certificate of the balancer is not
the very certificate of its members: each is right for the names, but they are two. Where both were seen, what was seen
counts; else what the plan declares.

# Why it matters

Extended Protection binds the sign-in to the certificate of the TLS connection (channel binding, tls-server-end-point).
The client met the balancer's certificate, the server knows its own: Outlook asks for the password again and again, and
nothing in a browser shows why.

# Example

    [pools.owa]
    tls = \"bridge\"
    verify = true
    certificate = \"edge\"            # the members have \"mail\"

After a renewal the new certificate is on the balancer, and the members still have the old one.

# Cure

Install one certificate, with the same key, on the balancer and on every member.

# References

RFC 5929 section 4 (tls-server-end-point);
https://learn.microsoft.com/exchange/plan-and-deploy/post-installation-tasks/security-best-practices/exchange-extended-protection
";

/// What is known of one side.
#[derive(Default)]
struct Side {
    seen: BTreeSet<BlobId>,
    declared: BTreeSet<CertId>,
    obligations: BTreeSet<usize>,
}

/// A question that both sides are asked.
type Question = (NameId, u16);

/// One finding per pool, with all members that differ.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let plan = context.case.plan;
    for (i, pool) in plan.pools.iter().enumerate() {
        if pool.tls == PoolTls::Bridge && pool.verify {
            drafts.extend(mismatch(context, PoolId(i)));
        }
    }
}

fn mismatch(context: &Context, pool: PoolId) -> Option<Draft> {
    let (case, plan) = (context.case, context.case.plan);
    let members = plan.pool(pool).all_members();
    let (mut front, mut behind): (BTreeMap<Question, Side>, BTreeMap<(ServerId, Question), Side>) = Default::default();
    for (index, obligation) in asked::endpoints(case) {
        // What is not right by itself has a finding of its own.
        let is_right = case.is_due(index) && context.assessed[index].truth == Truth::Pass;
        let (side, seen, declared) = match &*obligation.claim {
            Claim::Path { view, target: Target::Pool(p), service, addresses, certificates } if *p == pool => {
                let at = addresses.iter().map(|a| SocketAddr::new(*a, service.port));
                let seen = at.flat_map(|at| met(case, at, service, obligation.name, *view)).collect();
                (front.entry((obligation.name, service.port)).or_default(), seen, certificates)
            }
            Claim::Serves { server, service, certificates } if members.contains(server) => {
                let seen: BTreeSet<BlobId> = case.certificates.served_at(*server, service).into_iter().collect();
                (behind.entry((*server, (obligation.name, service.port))).or_default(), seen, certificates)
            }
            _ => continue,
        };
        side.seen.extend(seen.into_iter().filter(|_| is_right));
        side.declared.extend(declared.iter());
        side.obligations.insert(index);
    }
    let mut odd: BTreeMap<ServerId, BTreeSet<usize>> = BTreeMap::new();
    for ((server, question), side) in &behind {
        if let Some(before) = front.get(question).filter(|f| differs(case, f, side)) {
            odd.entry(*server).or_default().extend(before.obligations.iter().chain(&side.obligations));
        }
    }
    (!odd.is_empty()).then(|| draft(context, pool, &front, &behind, &odd))
}

/// What a view's clients were seen to meet at a balancer's address.
fn met(case: &Case, at: SocketAddr, service: &Service, name: NameId, view: ViewId) -> BTreeSet<BlobId> {
    let label = &case.plan.view(view).label;
    let probe = TlsProbe { address: at, way: service.way, sni: Some(case.plan.name(name).name.probe()), face: None };
    let Found::Fresh(looks) = case.evidence.find(&Probe::Tls(probe), |run| run.stands_in.contains(label)) else {
        return BTreeSet::new();
    };
    let leaf = |look| match case.evidence.tls(look) {
        Some(TlsOutcome::Certificate(served)) => served.chain.first().copied(),
        _ => None,
    };
    looks.into_iter().filter_map(leaf).collect()
}

/// True if what was seen differs; if one side was not seen, what is declared.
fn differs(case: &Case, front: &Side, behind: &Side) -> bool {
    if !front.seen.is_empty() && !behind.seen.is_empty() {
        return front.seen.is_disjoint(&behind.seen);
    }
    let leaves = |side: &Side| {
        let ids: Vec<CertId> = side.declared.iter().copied().collect();
        case.certificates.leaves(&ids).into_iter().collect::<BTreeSet<BlobId>>()
    };
    let (one, other) = (leaves(front), leaves(behind));
    match one.is_empty() || other.is_empty() {
        true => {
            let both = !front.declared.is_empty() && !behind.declared.is_empty();
            both && front.declared.is_disjoint(&behind.declared)
        }
        false => one.is_disjoint(&other),
    }
}

fn draft(
    context: &Context,
    pool: PoolId,
    front: &BTreeMap<Question, Side>,
    behind: &BTreeMap<(ServerId, Question), Side>,
    odd: &BTreeMap<ServerId, BTreeSet<usize>>,
) -> Draft {
    let (case, plan) = (context.case, context.case.plan);
    let (who, declared) = (&plan.pool(pool).label, plan.pool(pool));
    let members: Vec<&str> = odd.keys().map(|s| plan.server(*s).label.as_ref()).collect();
    let listed = wording::list(members.iter().copied());
    let mut draft = Draft::plain(&INFO, format!("{who} and {listed} have different certificates, and {who} verifies"));
    let labels = members.iter().map(|m| m.to_string()).chain([who.to_string()]).collect();
    draft.waiver = context.waiver(INFO.name, &labels);
    draft.subject.server = Some(who.to_string());
    draft.expected = vec!["one certificate, with one key, on the balancer and on every member".into()];
    let shown = |label: &str, sides: &mut dyn Iterator<Item = &Side>| {
        let lines: BTreeSet<String> =
            sides.flat_map(|side| words(case, side)).map(|w| format!("{label}  {w}")).collect();
        lines
    };
    draft.seen = shown(who, &mut front.values()).into_iter().collect();
    for server in odd.keys() {
        let mut sides = behind.iter().filter(|((s, _), _)| s == server).map(|(_, side)| side);
        draft.seen.extend(shown(&plan.server(*server).label, &mut sides));
    }
    draft.hurts = vec![format!("users of {who} who sign in with Extended Protection: asked for the password for ever")];
    draft.remedy.cure = vec![format!("install one certificate with its key on {who} and on {listed}")];
    draft.at = Some(declared.certificate.as_ref().map_or(declared.span, |c| c.span));
    draft.obligations = odd.values().flatten().copied().filter(|i| case.is_due(*i)).collect();
    draft
}

fn words(case: &Case, side: &Side) -> Vec<String> {
    match side.seen.is_empty() {
        false => side.seen.iter().map(|leaf| wording::leaf(case, *leaf)).collect(),
        true => wording::wanted(case, &side.declared),
    }
}
