//! What is said of each gap.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::{Gap, anchors, fails};
use crate::judge::case::Case;
use crate::judge::draft::{Context, Draft, Item};
use crate::judge::problem::{DnsFault, Fault};
use crate::judge::wording;
use crate::model::plan::{ViewId, ViewKind};
use crate::model::probes::Reach;

/// Says what is not known, and what to do to know it.
pub(super) fn words(context: &Context, gap: &Gap, items: &[Item], draft: &mut Draft) {
    let (case, plan) = (context.case, context.case.plan);
    let label = |v: &ViewId| wording::view(plan, *v);
    match gap {
        Gap::Certificate(c, why) => {
            draft.title = format!("certificate \"{}\" is not known: {why}", plan.certificate(*c).label);
            draft.subject.certificate = Some(plan.certificate(*c).label.to_string());
            draft.at = Some(plan.certificate(*c).span);
            draft.remedy.next =
                vec!["export the certificate without its key (PEM or DER) and name the file in the plan".into()];
        }
        Gap::Resolver(view, resolver) => {
            let addr = wording::resolver(plan, *view, *resolver);
            draft.title = format!("resolver {addr} of {} told nothing of {}", label(view), names(plan, items));
            draft.seen = silences(items);
            draft.subject.view = Some(label(view).to_string());
            draft.subject.address = Some(addr.clone());
            draft.at = plan.view(*view).resolvers.get(*resolver).map(|r| r.span);
            draft.remedy.next =
                vec![format!("see that {addr} can be reached from here and answers; else take it out of the plan")];
        }
        Gap::View(view) => {
            let fail = fails(items);
            draft.title = match fail {
                true => format!("the resolvers of {} fail whatever they are asked", label(view)),
                false => format!("no resolver of {} answers", label(view)),
            };
            draft.seen = silences(items);
            draft.subject.view = Some(label(view).to_string());
            draft.at = Some(plan.view(*view).span);
            draft.remedy.next = match fail {
                true => vec!["look at their forwarders, their zones and their DNSSEC validation; then:".into()],
                false => Vec::new(),
            };
            draft.remedy.next.extend(match fail {
                true => vec![wording::again(case)],
                false => wording::stand(case, *view),
            });
        }
        Gap::NotAsked(view, why) => {
            let age = why.map_or("was not looked at".into(), |w| format!("was seen {w}"));
            draft.title = format!("DNS of {} {age} ({})", label(view), names(plan, items));
            draft.subject.view = Some(label(view).to_string());
            draft.remedy.next = vec![wording::again(case)];
        }
        Gap::Like(view, host) => {
            draft.title = format!("what {host} resolves to in {} is not known", label(view));
            draft.remedy.next = vec![wording::again(case)];
        }
        Gap::Paths(view) => {
            let at = wording::list(addresses(items).iter().map(String::as_str));
            let count = wording::count(draft.obligations.len(), "path", "paths");
            draft.title = match count.split_once(' ') {
                Some((n, word)) => format!("{n} {} {word} to {at} (NAT or firewall not proved)", label(view)),
                None => count,
            };
            draft.subject.view = Some(label(view).to_string());
            draft.remedy.next = wording::stand(case, *view);
        }
        Gap::Unseen(culprit, view, why) => {
            let who = wording::culprit(plan, *culprit);
            let from = view.map(|v| format!(" from {}", label(&v))).unwrap_or_default();
            let age = why.map_or("was not looked at".into(), |w| format!("was seen {w}"));
            let at = wording::list(wording::spots(items).iter().map(String::as_str));
            draft.title = format!("{who}{from} {age}: {at}");
            draft.remedy.next = match view {
                Some(v) => wording::stand(case, *v),
                None => wording::reach(case, &who, reaching(case, items)),
            };
        }
        Gap::Proxy(why) => {
            draft.title = why.title(case, "");
            draft.seen = why.seen(case, items);
            draft.remedy.next = why.next(case, "", items);
        }
        Gap::CouldNotLook(culprit, why) => {
            let who = wording::culprit(plan, *culprit);
            draft.title = why.title(case, &who);
            draft.seen = why.seen(case, items);
            draft.remedy.next = why.next(case, &who, items);
        }
        Gap::Anchors(view) => anchors(context, &[*view], draft),
    }
}

/// The view to stand in for addresses that were not reached: one inside before others, one where no run stood before.
fn reaching(case: &Case, items: &[Item]) -> Option<ViewId> {
    let addresses: Vec<IpAddr> =
        items.iter().filter_map(|i| wording::endpoint_fault(i)).map(|(s, _)| s.address.ip()).collect();
    let reaches = |v: &ViewId| addresses.iter().all(|a| Reach::of(case.plan.view(*v)).allows(*a));
    let stood = |v: ViewId| case.evidence.runs().values().any(|r| r.stands_in.contains(&case.plan.view(v).label));
    let views = case.plan.view_ids().filter(reaches);
    views.min_by_key(|v| (stood(*v), case.plan.view(*v).kind != ViewKind::Internal, *v))
}

fn names(plan: &crate::model::plan::Plan, items: &[Item]) -> String {
    let names = wording::names(items);
    match names.len() {
        n if n > 3 => wording::count(n, "name", "names"),
        _ => wording::name_list(plan, &names),
    }
}

fn addresses(items: &[Item]) -> Vec<String> {
    let all: BTreeSet<IpAddr> =
        items.iter().filter_map(|i| wording::endpoint_fault(i)).map(|(s, _)| s.address.ip()).collect();
    all.iter().map(IpAddr::to_string).collect()
}

fn silences(items: &[Item]) -> Vec<String> {
    let word = |item: &Item| match &item.problem.fault {
        Fault::Dns(_, _, DnsFault::Silent { word }) => Some(word.clone()),
        _ => None,
    };
    let all: BTreeSet<String> = items.iter().filter_map(word).collect();
    wording::cut(all.into_iter().collect())
}
