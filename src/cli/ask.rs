//! What is asked, and from where: options held against the plan.

use std::collections::BTreeMap;

use super::args::{AskArgs, LookArgs};
use super::proxies::Way;
use super::{Trouble, nearest};
use crate::model::plan::{Plan, ViewId, ViewKind};
use crate::model::policy::{Ask, KIND_WORDS, Policy, Scope};
use crate::model::probes::Vantage;
use crate::model::proxy::ProxyKind;
use crate::observe;

/// The policy of a run.
pub fn policy(args: &AskArgs, plan: &Plan, scope: Scope) -> Result<Policy, Trouble> {
    let ask = match (args.phase, args.ready_for) {
        (_, Some(phase)) => Ask::ReadyFor(phase),
        (Some(moment), None) => Ask::Phase(moment),
        (None, None) => Ask::Standing,
    };
    let views = match args.view.is_empty() {
        true => None,
        false => Some(views(plan, &args.view)?),
    };
    args.only.iter().try_for_each(|word| known(plan, word))?;
    Ok(Policy { ask, views, only: args.only.clone(), scope, fail_on: args.fail_on })
}

/// Where the run stands: as told, else the view whose declared networks hold this machine's address, else the first
/// internal view, as an administrator usually does. In a view that has a proxy it stands through that proxy: whether it
/// stands there itself too, nobody can know.
pub fn vantage(args: &LookArgs, plan: &Plan, ways: &[Way]) -> Result<Vantage, Trouble> {
    let through: BTreeMap<ViewId, ProxyKind> = ways.iter().map(|w| (w.view, w.proxy.kind)).collect();
    let itself = |v: &ViewId| !through.contains_key(v);
    let address = plan
        .views
        .iter()
        .flat_map(|v| &v.resolvers)
        .find_map(|r| observe::local_address(r.value.addr).filter(|a| !a.is_loopback() && !a.is_unspecified()));
    if !args.from.is_empty() {
        let told = views(plan, &args.from)?;
        let stands_in = told.into_iter().filter(itself).collect();
        return Ok(Vantage { stands_in, through, address });
    }
    let reached = plan.view_ids().filter(itself).find(|v| {
        let networks = plan.view(*v).reaches.as_deref().unwrap_or_default();
        address.is_some_and(|a| networks.iter().any(|n| n.contains(&a)))
    });
    let internal = || plan.view_ids().filter(itself).find(|v| plan.view(*v).kind == ViewKind::Internal);
    let stands_in = reached.or_else(internal).or_else(|| plan.view_ids().find(itself));
    let stands_in = stands_in.into_iter().collect();
    Ok(Vantage { stands_in, through, address })
}

/// Views by label, each once, in the plan's order.
fn views(plan: &Plan, labels: &[String]) -> Result<Vec<ViewId>, Trouble> {
    let mut out = Vec::new();
    for label in labels {
        let found = plan.view_ids().find(|v| *plan.view(*v).label == **label);
        out.push(found.ok_or_else(|| no_view(plan, label))?);
    }
    out.sort();
    out.dedup();
    Ok(out)
}

/// There is no such view.
pub fn no_view(plan: &Plan, label: &str) -> Trouble {
    let known: Vec<&str> = plan.views.iter().map(|v| &*v.label).collect();
    let help = match nearest(label, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the plan's views: {}", known.join(", ")),
    };
    Trouble::new(format!("the plan has no view `{label}`")).help(help)
}

fn known(plan: &Plan, word: &str) -> Result<(), Trouble> {
    let words: Vec<&str> = KIND_WORDS
        .into_iter()
        .chain(plan.names.iter().map(|n| n.name.as_str()))
        .chain(plan.servers.iter().map(|s| &*s.label))
        .chain(plan.pools.iter().map(|p| &*p.label))
        .chain(plan.certificates.iter().map(|c| &*c.label))
        .collect();
    let bare = word.trim_end_matches('.').to_ascii_lowercase();
    if words.iter().any(|w| *w == word || *w == bare) {
        return Ok(());
    }
    let trouble = Trouble::new(format!("the plan has no name, server, pool or certificate `{word}`"));
    Err(match nearest(word, words) {
        Some(near) => trouble.help(format!("did you mean `{near}`?")),
        None => trouble.help("kinds of obligations are san, dns and tls"),
    })
}
