//! What is asked about, whether or not there is a network: for rules that need only the plan and certificate files.

use std::collections::BTreeSet;

use super::case::Case;
use crate::model::obligation::{Claim, Obligation};
use crate::model::plan::{CertId, Plan};
use crate::model::policy::Scope;

/// The obligations of endpoints that are due, or would be with a network; those of old targets left out, for which
/// nothing is ordered or set up any more.
pub(super) fn endpoints<'a>(case: &Case<'a>) -> impl Iterator<Item = (usize, &'a Obligation)> {
    let due = |i: usize, o: &Obligation| match case.policy.scope {
        Scope::All => case.is_due(i),
        Scope::Files => case.policy.asks_for(case.plan, o),
    };
    let of_endpoint = |o: &Obligation| matches!(*o.claim, Claim::Serves { .. } | Claim::Path { .. });
    let all = case.obligations.iter().enumerate();
    all.filter(move |(i, o)| of_endpoint(o) && o.drain.is_none() && due(*i, o))
}

/// What a waiver may say `on` of an endpoint's obligation: its name, server or pool, certificates.
pub(super) fn labels(plan: &Plan, of: &Obligation, certificates: &[CertId]) -> BTreeSet<String> {
    let mut out = BTreeSet::from([plan.name(of.name).name.to_string()]);
    match &*of.claim {
        Claim::Serves { server, .. } => out.insert(plan.server(*server).label.to_string()),
        Claim::Path { target, .. } => out.insert(plan.target_label(*target).to_string()),
        _ => false,
    };
    out.extend(certificates.iter().map(|c| plan.certificate(*c).label.to_string()));
    out
}
