//! Aliases as resolvers show them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::ahead::{Ahead, ahead};
use super::super::{lines_of, missing_lines, said, zone_word};
use super::{LINKS, draft};
use crate::judge::case::Case;
use crate::judge::draft::{Context, Draft, Item, Key};
use crate::judge::evidence::Look;
use crate::judge::problem::{DnsFault, Fault};
use crate::judge::wording;
use crate::model::dns::{Link, Reply};
use crate::model::name::Name;
use crate::model::obligation::Claim;
use crate::model::observation::Probe;
use crate::model::plan::{NameId, ViewId};

/// What is wrong with a chain; the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fashion {
    Circle,
    Apex,
    Long,
    Dangling,
}

/// What was seen of a name in a view.
#[derive(Default)]
struct Seen {
    fashions: BTreeSet<Fashion>,
    looks: BTreeSet<Look>,
    obligations: BTreeSet<usize>,
}

/// One finding per name and view, unless the plan's own fault says it.
pub(super) fn drafts(context: &Context, told: &BTreeSet<Key>) -> Vec<Draft> {
    let mut found: BTreeMap<(NameId, ViewId), Seen> = BTreeMap::new();
    let dangling = dangling(context);
    for (group, items) in &dangling {
        let seen = found.entry(*group).or_default();
        seen.fashions.insert(Fashion::Dangling);
        seen.looks.extend(items.iter().flat_map(|i| i.problem.looks.iter().copied()));
        seen.obligations.extend(items.iter().map(|i| i.index));
    }
    misplaced(context, &mut found);
    let unsaid: Vec<Draft> = ahead(context).iter().filter_map(|a| before_it_is_due(context, a)).collect();
    let new = found.into_iter().filter(|((name, view), _)| !told.contains(&Key::Alias(*name, *view)));
    new.map(|((name, view), seen)| {
        let items = dangling.get(&(name, view)).map_or(&[][..], Vec::as_slice);
        of(context, name, view, &seen, items)
    })
    .chain(unsaid)
    .collect()
}

/// An alias that leads nowhere, of a name that the plan leads nowhere yet.
fn before_it_is_due(context: &Context, ahead: &Ahead) -> Option<Draft> {
    let (case, plan) = (context.case, context.case.plan);
    let target = ahead.dangling()?.trim_end_matches('.');
    let (text, label) = (&plan.name(ahead.name).name, wording::view(plan, ahead.view));
    let title = format!("{text} is an alias that leads nowhere in {label}");
    let mut out = draft(context, ahead.name, Some(ahead.view), title);
    out.expected = vec![format!("{label}: no such name yet, or an alias of a name that has addresses")];
    out.seen = std::iter::once(format!("{text} -> {target}")).chain(ahead.host.said.iter().cloned()).collect();
    out.hurts = vec![hurts(Fashion::Dangling, label)];
    out.remedy.cure = ahead.cure(case, &BTreeSet::new());
    out.looks = ahead.host.looks.clone();
    out.keys = BTreeSet::from([Key::Dns(ahead.name, ahead.view), Key::Alias(ahead.name, ahead.view)]);
    Some(out)
}

/// Names that must resolve and whose aliases lead nowhere.
fn dangling<'a>(context: &Context<'a>) -> BTreeMap<(NameId, ViewId), Vec<Item<'a>>> {
    let mut out: BTreeMap<_, Vec<Item>> = BTreeMap::new();
    for item in context.items() {
        if let Fault::Dns(view, _, DnsFault::Unresolved { dangling: Some(_), .. }) = &item.problem.fault {
            out.entry((item.obligation.name, *view)).or_default().push(item);
        }
    }
    out
}

/// Circles, long chains and aliases at an apex, whatever else the answer says.
fn misplaced(context: &Context, found: &mut BTreeMap<(NameId, ViewId), Seen>) {
    let case = context.case;
    let apexes = apexes(case);
    let odd: Vec<(Look, BTreeSet<Fashion>)> = case
        .evidence
        .looks()
        .filter_map(|(look, _)| Some((look, case.evidence.dns(look)?.reply()?)))
        .filter(|(_, reply)| !reply.chain.is_empty())
        .map(|(look, reply)| (look, fashions(case, &apexes, look, reply)))
        .filter(|(look, fashions)| !fashions.is_empty() && case.evidence.is_current(*look))
        .collect();
    if odd.is_empty() {
        return;
    }
    let due = due(case, ahead(context));
    for (look, fashions) in odd {
        let Probe::Dns(probe) = &case.evidence.look(look).probe else { continue };
        let Some((name, view, obligation)) = due.get(&(probe.view.clone(), probe.name.clone())) else { continue };
        let index = case.plan.view(*view).resolvers.iter().position(|r| r.value == *probe.resolver);
        if index.is_some_and(|r| context.suspicion.resolvers.contains(&(*view, r))) {
            continue;
        }
        let seen = found.entry((*name, *view)).or_default();
        seen.fashions.extend(fashions);
        seen.looks.insert(look);
        seen.obligations.extend(*obligation);
    }
}

/// By view and name what an answer is about, and the obligation, if there is one.
type Due = BTreeMap<(Arc<str>, Name), (NameId, ViewId, Option<usize>)>;

/// What is due, and what is looked at ahead.
fn due(case: &Case, ahead: Vec<Ahead>) -> Due {
    let key = |name: NameId, view: ViewId| (case.plan.view(view).label.clone(), case.plan.name(name).name.probe());
    let unsaid = ahead.iter().map(|a| (key(a.name, a.view), (a.name, a.view, None)));
    let of = |(i, o): (usize, &crate::model::obligation::Obligation)| match &*o.claim {
        Claim::Resolves { view, .. } if case.is_due(i) => Some((key(o.name, *view), (o.name, *view, Some(i)))),
        _ => None,
    };
    case.obligations.iter().enumerate().filter_map(of).chain(unsaid).collect()
}

/// The apexes of zones and the mail domains, each with the labels of the views in which it is one.
fn apexes<'a>(case: &Case<'a>) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
    let plan = case.plan;
    let label = |v: ViewId| &*plan.view(v).label;
    let mut out: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for zone in &plan.zones {
        out.entry(zone.apex.as_str()).or_default().extend(zone.views.iter().map(|v| label(*v)));
    }
    for mail in &plan.mail {
        out.entry(mail.domain.as_str()).or_default().extend(plan.view_ids().map(label));
    }
    out
}

fn fashions(case: &Case, apexes: &BTreeMap<&str, BTreeSet<&str>>, look: Look, reply: &Reply) -> BTreeSet<Fashion> {
    let is_in = |views: &BTreeSet<&str>| match &case.evidence.look(look).probe {
        Probe::Dns(probe) => views.contains(&*probe.view),
        _ => false,
    };
    let mut out = BTreeSet::new();
    if is_circle(&reply.chain) {
        out.insert(Fashion::Circle);
    } else if reply.chain.len() > LINKS {
        out.insert(Fashion::Long);
    }
    if reply.chain.iter().any(|l| apexes.get(l.owner.trim_end_matches('.')).is_some_and(is_in)) {
        out.insert(Fashion::Apex);
    }
    out
}

/// Its last link leads to an owner that was met.
fn is_circle(chain: &[Link]) -> bool {
    chain.last().is_some_and(|last| chain.iter().any(|link| link.owner.eq_ignore_ascii_case(&last.target)))
}

fn of(context: &Context, name: NameId, view: ViewId, seen: &Seen, items: &[Item]) -> Draft {
    let (case, plan) = (context.case, context.case.plan);
    let (text, label) = (&plan.name(name).name, wording::view(plan, view));
    let worst = seen.fashions.first().copied().unwrap_or(Fashion::Dangling);
    let chain = longest(case, &seen.looks);
    let title = match worst {
        Fashion::Circle => format!("the alias {text} leads in a circle in {label}"),
        Fashion::Apex => format!("a CNAME stands at the apex of a zone, on the way of {text} in {label}"),
        Fashion::Long => format!("{text} leads through {} aliases in {label}", chain.len()),
        Fashion::Dangling => format!("{text} is an alias that leads nowhere in {label}"),
    };
    let mut out = draft(context, name, Some(view), title);
    out.expected = vec![format!("{label}: a chain of {LINKS} links at most, with addresses at its end")];
    out.seen = match worst {
        Fashion::Dangling => said(case, items),
        _ => vec![format!("{} from {}", shown(&chain), resolvers(case, &seen.looks))],
    };
    out.hurts = vec![hurts(worst, label)];
    out.remedy.cure = match worst {
        Fashion::Circle => out_of_circle(case, view, &chain, &seen.obligations),
        _ => cure(worst, text, &chain, case, items),
    };
    out.looks = seen.looks.clone();
    out.obligations = seen.obligations.clone();
    out.keys = BTreeSet::from([Key::Dns(name, view), Key::Alias(name, view)]);
    out
}

fn longest(case: &Case, looks: &BTreeSet<Look>) -> Vec<Link> {
    let chains = looks.iter().filter_map(|l| case.evidence.dns(*l)?.reply()).map(|r| &r.chain);
    chains.max_by_key(|c| (is_circle(c), c.len())).cloned().unwrap_or_default()
}

/// `a -> b -> c`, cut where it is of no more use.
fn shown(chain: &[Link]) -> String {
    let mut words: Vec<&str> = chain.iter().map(|l| l.owner.as_str()).collect();
    words.extend(chain.last().map(|l| l.target.as_str()));
    let more = words.len().saturating_sub(2 * LINKS);
    words.truncate(2 * LINKS);
    let tail = if more > 0 { format!(" and {more} more") } else { String::new() };
    words.join(" -> ") + &tail
}

fn resolvers(case: &Case, looks: &BTreeSet<Look>) -> String {
    let of = |look: &Look| match &case.evidence.look(*look).probe {
        Probe::Dns(probe) => Some(probe.resolver.to_string()),
        _ => None,
    };
    let words: BTreeSet<String> = looks.iter().filter_map(of).collect();
    wording::list(words.iter().map(String::as_str))
}

fn hurts(worst: Fashion, label: &str) -> String {
    match worst {
        Fashion::Circle => format!("clients of {label}: they do not find the server"),
        Fashion::Apex => {
            format!("clients of {label} that ask for the domain's other records: a CNAME hides NS, SOA, MX")
        }
        Fashion::Long => format!("clients of {label} whose resolver gives up earlier than ours"),
        Fashion::Dangling => {
            format!("clients of {label}: they do not find the server, and who registers the missing name gets them")
        }
    }
}

/// The name itself gets what the plan says. Where that is the alias which it has, the circle begins behind it, and the
/// first owner that is led back to is to have addresses.
fn out_of_circle(case: &Case, view: ViewId, chain: &[Link], obligations: &BTreeSet<usize>) -> Vec<String> {
    let zone = zone_word(case, view);
    let same = |one: &str, other: &str| one.trim_end_matches('.').eq_ignore_ascii_case(other.trim_end_matches('.'));
    let (Some(first), Some(last)) = (chain.first(), chain.last()) else { return Vec::new() };
    let wanted = lines_of(case, obligations.iter().map(|i| &case.obligations[*i]));
    let is_planned =
        wanted.iter().any(|line| line.rsplit_once(" IN CNAME ").is_some_and(|(_, alias)| same(alias, &first.target)));
    let delete = |link: &Link| {
        format!("{zone}: delete {}. CNAME {}.", link.owner.trim_end_matches('.'), link.target.trim_end_matches('.'))
    };
    if !is_planned && !wanted.is_empty() {
        return [vec![delete(first)], wanted].concat();
    }
    let entry = chain.iter().find(|link| same(&link.owner, &last.target)).unwrap_or(last);
    let owner = entry.owner.trim_end_matches('.');
    vec![delete(entry), format!("and give {owner}, which {} leads to, addresses", first.owner.trim_end_matches('.'))]
}

fn cure(worst: Fashion, text: &Name, chain: &[Link], case: &Case, items: &[Item]) -> Vec<String> {
    let last = chain.last().map_or("", |l| l.target.as_str());
    match worst {
        Fashion::Circle => Vec::new(),
        Fashion::Apex => {
            let apexes = apexes(case);
            let link = chain.iter().find(|l| apexes.contains_key(l.owner.trim_end_matches('.')));
            let (owner, target) = link.map_or(("", ""), |l| (l.owner.as_str(), l.target.as_str()));
            vec![format!("replace {owner}. CNAME {target}. by A and AAAA records, or the provider's ALIAS")]
        }
        Fashion::Long => vec![format!("let {text}. CNAME lead to {last}. at once")],
        Fashion::Dangling => missing_lines(case, items),
    }
}
