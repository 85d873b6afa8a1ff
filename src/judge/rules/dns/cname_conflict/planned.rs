//! Aliases that the plan itself declares.

use std::collections::{BTreeMap, BTreeSet};

use super::{LINKS, draft};
use crate::judge::draft::{Context, Draft, Key};
use crate::judge::wording;
use crate::model::name::Name;
use crate::model::phase::Phase;
use crate::model::plan::{NameId, Plan, PlannedName, Target, ViewId, Wanted};

/// Circles and long chains, each once; an alias at an apex or beside other records.
pub(super) fn drafts(context: &Context) -> Vec<Draft> {
    let plan = context.case.plan;
    let mut out = chains(context);
    let aliases = (0..plan.names.len()).map(NameId).filter(|n| plan.name(*n).cname.is_some());
    out.extend(aliases.filter_map(|name| at_apex(context, name).or_else(|| beside(context, name))));
    out
}

/// What a name is an alias of. Somebody else's host is reached by an alias, or by the addresses that it has.
fn target<'a>(plan: &'a Plan, name: &'a PlannedName, view: ViewId, phase: Phase) -> Option<&'a Name> {
    let Wanted::Targets(targets) = name.wanted(view, phase) else { return None };
    match (&name.cname, &targets[..]) {
        (Some(alias), _) => Some(&alias.value),
        (None, [Target::Server(id)]) => plan.server(*id).host.as_ref().map(|h| &h.value),
        _ => None,
    }
}

/// A chain that the plan declares: the names that it leads through, and whether it comes back.
struct Chain<'a> {
    names: Vec<&'a Name>,
    circle: bool,
}

fn chains(context: &Context) -> Vec<Draft> {
    let plan = context.case.plan;
    let aliases = |n: &PlannedName| n.cname.is_some() || plan.servers.iter().any(|s| s.host.is_some());
    if !plan.names.iter().any(aliases) {
        return Vec::new();
    }
    let ids: BTreeMap<&Name, NameId> = plan.names.iter().enumerate().map(|(i, n)| (&n.name, NameId(i))).collect();
    let mut found: BTreeMap<NameId, (Chain, BTreeSet<Key>)> = BTreeMap::new();
    for view in plan.view_ids() {
        for phase in Phase::ALL {
            for chain in odd_chains(plan, view, phase) {
                let members: Vec<NameId> = chain.names.iter().filter_map(|n| ids.get(*n).copied()).collect();
                let Some(first) = members.iter().min().copied() else { continue };
                let keys = members.iter().flat_map(|n| [Key::Alias(*n, view), Key::Dns(*n, view)]);
                found.entry(first).or_insert((chain, BTreeSet::new())).1.extend(keys);
            }
        }
    }
    found.into_iter().map(|(name, (chain, keys))| of_chain(context, name, &chain, keys)).collect()
}

/// Each name has one alias at most, so every circle is met once.
fn odd_chains(plan: &Plan, view: ViewId, phase: Phase) -> Vec<Chain<'_>> {
    let links: BTreeMap<&Name, &Name> =
        plan.names.iter().filter_map(|n| Some((&n.name, target(plan, n, view, phase)?))).collect();
    let mut out = circles(&links);
    // A long chain is told from its beginning, to which nobody leads.
    let led_to: BTreeSet<&Name> = links.values().copied().collect();
    for start in links.keys().filter(|n| !led_to.contains(**n)) {
        let step = |at: &&Name| links.get(at).copied();
        let names: Vec<&Name> = std::iter::successors(Some(*start), step).take(LINKS + 2).collect();
        let is_straight = names.iter().collect::<BTreeSet<_>>().len() == names.len();
        if is_straight && names.len() > LINKS + 1 {
            out.push(Chain { names, circle: false });
        }
    }
    out
}

fn circles<'a>(links: &BTreeMap<&'a Name, &'a Name>) -> Vec<Chain<'a>> {
    let (mut seen, mut out) = (BTreeSet::new(), Vec::new());
    for start in links.keys() {
        let (mut way, mut at) = (Vec::new(), *start);
        while seen.insert(at) {
            way.push(at);
            match links.get(at) {
                Some(next) => at = next,
                None => break,
            }
        }
        // Whoever was met on this very way closes a circle; on an earlier one, that one was told.
        if let Some(from) = way.iter().position(|n| *n == at).filter(|_| links.contains_key(at)) {
            out.push(Chain { names: way.split_off(from), circle: true });
        }
    }
    out
}

fn of_chain(context: &Context, name: NameId, chain: &Chain, keys: BTreeSet<Key>) -> Draft {
    let plan = context.case.plan;
    let text = &plan.name(name).name;
    let mut words: Vec<&str> = chain.names.iter().map(|n| n.as_str()).collect();
    let mut out = match chain.circle {
        true => draft(context, name, None, format!("the plan leads {text} in a circle")),
        false => draft(context, name, None, format!("the plan leads {text} through more than {LINKS} aliases")),
    };
    words.extend(chain.names.first().filter(|_| chain.circle).map(|n| n.as_str()));
    words.truncate(2 * LINKS);
    out.expected = vec![format!("a chain of {LINKS} links at most, with addresses at its end")];
    out.seen = vec![words.join(" -> ")];
    out.hurts = vec![format!("whoever asks for {text}: resolvers give up, and nobody finds the server")];
    out.remedy.cure = vec![match chain.circle {
        true => format!("let the `cname` or `host` of {text} name what has addresses, or take it out"),
        false => format!("let the `cname` of {text} name the chain's end"),
    }];
    out.at = Some(plan.name(name).cname.as_ref().map_or(plan.name(name).span, |c| c.span));
    out.keys = keys;
    out
}

/// The apex has an SOA and NS of its own (RFC 1912 section 2.4).
fn at_apex(context: &Context, name: NameId) -> Option<Draft> {
    let plan = context.case.plan;
    let planned = plan.name(name);
    let zones = || plan.zones.iter().filter(|z| z.apex == planned.name);
    let (zone, mail) = (zones().next().is_some(), plan.mail.iter().any(|m| m.domain == planned.name));
    if !zone && !mail {
        return None;
    }
    let views: BTreeSet<ViewId> = match mail {
        true => plan.view_ids().collect(),
        false => zones().flat_map(|z| z.views.iter().copied()).collect(),
    };
    let what = if zone { "a zone's apex" } else { "a mail domain" };
    let mut out = draft(context, name, None, format!("the plan wants a CNAME for {}, {what}", planned.name));
    out.hurts = vec!["whoever asks for the domain's other records: a CNAME hides NS, SOA and MX".into()];
    out.expected = vec![format!("A and AAAA records for {}", planned.name)];
    out.seen = planned.cname.iter().map(|c| format!("cname = {}", c.value)).collect();
    out.remedy.cure = vec![format!("take `cname` from {}: give it addresses, or the provider's ALIAS", planned.name)];
    out.at = planned.cname.as_ref().map(|c| c.span);
    out.keys = views.into_iter().flat_map(|v| [Key::Alias(name, v), Key::Dns(name, v)]).collect();
    Some(out)
}

/// Beside a CNAME nothing else can stand (RFC 1034 section 3.6.2) but what signs it.
fn beside(context: &Context, name: NameId) -> Option<Draft> {
    const ALLOWED: [&str; 3] = ["CNAME", "RRSIG", "NSEC"];
    let plan = context.case.plan;
    let planned = plan.name(name);
    let others = plan.records.iter().filter(|r| r.owner == planned.name && !ALLOWED.contains(&r.kind.as_str()));
    let kinds: BTreeSet<&str> = others.map(|r| r.kind.as_str()).collect();
    if kinds.is_empty() {
        return None;
    }
    let kinds = wording::list(kinds);
    let text = &planned.name;
    let mut out = draft(context, name, None, format!("the plan wants a CNAME for {text}, and {kinds} beside it"));
    out.hurts = vec![format!("whoever needs {kinds} of {text}: servers refuse such a zone, or drop one of the two")];
    out.expected = vec![format!("either a CNAME for {text} or other records")];
    out.remedy.cure = vec![format!("take `cname` from {text}, or move {kinds} to another name")];
    out.at = planned.cname.as_ref().map(|c| c.span);
    Some(out)
}
