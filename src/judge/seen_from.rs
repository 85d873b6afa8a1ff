//! Where the evidence was gathered: the report's second line.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::case::Case;
use crate::model::dns::{DnsOutcome, ResolverAddr};
use crate::model::finding::{ProxySeen, ResolversSeen, SeenFrom};
use crate::model::obligation::Claim;
use crate::model::observation::{DnsProbe, Probe};
use crate::model::plan::ViewId;
use crate::pki;

/// What the runs say of themselves.
pub(super) fn seen_from(case: &Case) -> SeenFrom {
    let runs = case.evidence.runs();
    let plan = pki::blob_id(case.plan.source.text.as_bytes());
    let stood: BTreeSet<&Arc<str>> = runs.values().flat_map(|r| &r.stands_in).collect();
    let views: Vec<ViewId> = case.plan.view_ids().collect();
    let label = |v: &ViewId| &case.plan.view(*v).label;
    SeenFrom {
        stands_in: views.iter().map(label).filter(|l| stood.contains(l)).map(|l| l.to_string()).collect(),
        addresses: runs.values().filter_map(|r| r.address).collect::<BTreeSet<_>>().into_iter().collect(),
        resolvers: resolvers(case),
        paths_not_seen: views
            .iter()
            .filter(|v| is_path_unseen(case, **v, &stood))
            .map(|v| label(v).to_string())
            .collect(),
        proxies: views.iter().flat_map(|v| proxies(case, *v)).collect(),
        retried: case.evidence.looks().filter(|(l, o)| o.attempt > 0 && case.evidence.is_fresh(*l)).count(),
        detours: runs.values().any(|r| !r.connect_to.is_empty()),
        from: runs.values().map(|r| r.started).min(),
        to: runs.values().map(|r| r.started).max(),
        other_plan: runs.values().any(|r| r.plan != plan),
    }
}

fn proxies(case: &Case, view: ViewId) -> BTreeSet<ProxySeen> {
    let label = &case.plan.view(view).label;
    let through = case.evidence.runs().values().filter(|r| r.stands_in.contains(label));
    let seen = |proxy: &String| ProxySeen { view: label.to_string(), proxy: proxy.clone() };
    through.filter_map(|r| r.proxy.as_ref()).map(seen).collect()
}

fn is_path_unseen(case: &Case, view: ViewId, stood: &BTreeSet<&Arc<str>>) -> bool {
    let due = |(i, o): (usize, &crate::model::obligation::Obligation)| {
        case.is_due(i) && matches!(&*o.claim, Claim::Path { view: v, .. } if *v == view)
    };
    !stood.contains(&case.plan.view(view).label) && case.obligations.iter().enumerate().any(due)
}

/// True if a view's resolvers have to be asked for anything that is due.
fn is_asked(case: &Case, view: ViewId) -> bool {
    let about = |(i, o): (usize, &crate::model::obligation::Obligation)| match &*o.claim {
        Claim::Resolves { view: v, .. } | Claim::Lowered { view: v, .. } | Claim::Path { view: v, .. } => {
            *v == view && case.is_due(i)
        }
        Claim::Covers { .. } | Claim::Serves { .. } => false,
    };
    case.obligations.iter().enumerate().any(about)
}

/// Of each view whose resolvers are asked: how many of them answered anything.
fn resolvers(case: &Case) -> Vec<ResolversSeen> {
    let mut answered: BTreeSet<(&str, &ResolverAddr)> = BTreeSet::new();
    let mut last: Option<&DnsProbe> = None;
    for (look, seen) in case.evidence.looks() {
        let Probe::Dns(p) = &seen.probe else { continue };
        // What one resolver said stands side by side; once it is known to answer, the rest is no news.
        if last.is_some_and(|l| Arc::ptr_eq(&l.view, &p.view) && Arc::ptr_eq(&l.resolver, &p.resolver)) {
            continue;
        }
        // SERVFAIL is an answer too, though no good one.
        let is_answer = |o: &DnsOutcome| o.reply().is_some() || *o == DnsOutcome::ServFail;
        if case.evidence.dns(look).is_some_and(is_answer) && case.evidence.is_fresh(look) {
            answered.insert((&p.view, &p.resolver));
            last = Some(p);
        }
    }
    let of = |view: &crate::model::plan::View| ResolversSeen {
        view: view.label.to_string(),
        answered: view.resolvers.iter().filter(|r| answered.contains(&(&*view.label, &r.value))).count(),
        declared: view.resolvers.len(),
    };
    case.plan.view_ids().filter(|v| is_asked(case, *v)).map(|v| of(case.plan.view(v))).collect()
}
