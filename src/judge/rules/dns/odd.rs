//! What is odd about an answer that the plan does not say, so that the nearest rule speaks of it and no other.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::special::special_purpose;
use super::{apart, corrections, expected, keys, said};
use crate::judge::RuleInfo;
use crate::judge::assess::answers;
use crate::judge::draft::{Context, Draft, Item, Key};
use crate::judge::problem::{DnsFault, Fault};
use crate::judge::wording;
use crate::model::dns::RecordType;
use crate::model::obligation::{Claim, DnsExpectation};
use crate::model::phase::{Moment, Phase};
use crate::model::plan::{NameId, Plan, Target, ViewId, ViewKind, Wanted};

/// What is odd about the addresses that a resolver gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Odd {
    /// An address that no client of an external view can reach.
    PrivateOutside,
    /// One RRset holds right addresses and those of another phase.
    Generations,
    /// The A records are right, and an AAAA is not.
    Aaaa,
    /// Inside, the outside's address of the very target.
    PublicInside,
    /// Something else.
    Elsewhere,
}

/// The name and view of a problem that is odd in this way.
pub(super) fn about(context: &Context, item: &Item, odd: Odd) -> Option<(NameId, ViewId)> {
    let Fault::Dns(view, _, _) = &item.problem.fault else { return None };
    (of(context, item) == Some(odd)).then_some((item.obligation.name, *view))
}

/// What is odd about an answer of addresses that the plan does not say; `None` for other problems.
pub(super) fn of(context: &Context, item: &Item) -> Option<Odd> {
    let Fault::Dns(view, _, DnsFault::Unexpected { addresses }) = &item.problem.fault else { return None };
    let (name, Claim::Resolves { expected, .. }) = (item.obligation.name, &*item.obligation.claim) else { return None };
    let (plan, view) = (context.case.plan, *view);
    let strays = strays(expected, addresses);
    let external = plan.view(view).kind == ViewKind::External;
    if external && strays.iter().any(|a| is_unreachable(context, view, expected, *a)) {
        return Some(Odd::PrivateOutside);
    }
    if strays.is_empty() && !ahead(context, item).is_empty() {
        return Some(Odd::Generations);
    }
    // What others' hosts resolve to is not the plan's to tell.
    if strays.is_empty() || !expected.like.is_empty() {
        return Some(Odd::Elsewhere);
    }
    let others = of_other_phases(plan, name, view);
    if strays.is_subset(&others) && is_mixed(context, item, expected, &others) {
        return Some(Odd::Generations);
    }
    if strays.iter().all(IpAddr::is_ipv6) && is_right_in_v4(expected, addresses) {
        return Some(Odd::Aaaa);
    }
    Some(match !external && is_outside_of_same(context, name, view, expected, &strays) {
        true => Odd::PublicInside,
        false => Odd::Elsewhere,
    })
}

/// The addresses that no right answer has.
pub(super) fn strays(expected: &DnsExpectation, addresses: &BTreeSet<IpAddr>) -> BTreeSet<IpAddr> {
    let allowed = |a: &IpAddr| expected.present.iter().any(|p| p.addresses.contains(a));
    addresses.iter().copied().filter(|a| !allowed(a)).collect()
}

/// Private for these clients, and not what another's host resolves to there.
fn is_unreachable(context: &Context, view: ViewId, expected: &DnsExpectation, address: IpAddr) -> bool {
    let case = context.case;
    let theirs = |host| answers(case, host, view, context.suspicion).contains(&address);
    is_private_for(case.plan, view, address) && !expected.like.iter().any(theirs)
}

/// Of no use to a view's clients, unless the plan says that they reach it.
pub(super) fn is_private_for(plan: &Plan, view: ViewId, address: IpAddr) -> bool {
    let reached = plan.view(view).reaches.as_ref().is_some_and(|all| all.iter().any(|n| n.contains(&address)));
    special_purpose(address).is_some() && !reached
}

/// The addresses that the name has in the view in any phase; those of this moment are no strays.
fn of_other_phases(plan: &Plan, name: NameId, view: ViewId) -> BTreeSet<IpAddr> {
    let of = |phase: Phase| match plan.name(name).wanted(view, phase) {
        Wanted::Targets(targets) => targets.iter().flat_map(|t| plan.target_addresses(*t, view, phase)).collect(),
        _ => Vec::new(),
    };
    Phase::ALL.into_iter().flat_map(of).collect()
}

/// One answer holds both: answers of several vantages, or A beside AAAA, are cached apart.
fn is_mixed(context: &Context, item: &Item, expected: &DnsExpectation, others: &BTreeSet<IpAddr>) -> bool {
    let replies = item.problem.looks.iter().filter_map(|l| context.case.evidence.dns(*l)?.reply());
    let right = |a: &IpAddr| expected.present.iter().any(|p| p.addresses.contains(a));
    replies.into_iter().any(|reply| {
        let given = || reply.addresses.iter().map(|a| &a.address);
        given().any(right) && given().any(|a| !right(a) && others.contains(a))
    })
}

/// On the eve, the addresses of the phase to come that one answer holds beside those of today.
pub(super) fn ahead(context: &Context, item: &Item) -> BTreeSet<IpAddr> {
    let (case, mut out) = (context.case, BTreeSet::new());
    let Claim::Resolves { view, expected, .. } = &*item.obligation.claim else { return out };
    let (Moment::Ready(..), Some((old, later))) =
        (case.policy.moment(case.plan, *view), expected.present.split_first())
    else {
        return out;
    };
    for reply in item.problem.looks.iter().filter_map(|l| case.evidence.dns(*l)?.reply()) {
        for kind in RecordType::ALL {
            let given: BTreeSet<IpAddr> =
                reply.addresses.iter().map(|a| a.address).filter(|a| kind.holds(*a)).collect();
            let new: BTreeSet<IpAddr> = given.iter().filter(|a| !old.addresses.contains(a)).copied().collect();
            if new.len() < given.len() && !later.iter().any(|l| given.iter().all(|a| l.addresses.contains(a))) {
                out.extend(new);
            }
        }
    }
    out
}

/// The A records are those of a right answer that has some.
fn is_right_in_v4(expected: &DnsExpectation, addresses: &BTreeSet<IpAddr>) -> bool {
    fn v4<'a>(set: impl IntoIterator<Item = &'a IpAddr>) -> BTreeSet<IpAddr> {
        set.into_iter().copied().filter(|a| RecordType::A.holds(*a)).collect()
    }
    let given = v4(addresses);
    let is = |set: BTreeSet<IpAddr>| if expected.part { given.is_subset(&set) } else { given == set };
    !given.is_empty() && expected.present.iter().any(|p| is(v4(&p.addresses)))
}

/// All are public addresses that the name, or its very target, has outside at this moment; inside it has private ones.
fn is_outside_of_same(
    context: &Context,
    name: NameId,
    view: ViewId,
    expected: &DnsExpectation,
    strays: &BTreeSet<IpAddr>,
) -> bool {
    let plan = context.case.plan;
    let (first, second) = context.case.policy.moment(plan, view).phases();
    let phases: Vec<Phase> = [Some(first), second].into_iter().flatten().collect();
    let private = |a: &IpAddr| special_purpose(*a).is_some();
    if strays.iter().any(private) || !expected.present.iter().flat_map(|p| &p.addresses).any(private) {
        return false;
    }
    let mut outside: BTreeSet<IpAddr> = BTreeSet::new();
    for external in plan.view_ids().filter(|v| plan.view(*v).kind == ViewKind::External) {
        for phase in &phases {
            let own = expected.present.iter().flat_map(|p| &p.targets);
            let of_name: &[Target] = match plan.name(name).wanted(external, *phase) {
                Wanted::Targets(targets) => targets,
                _ => &[],
            };
            outside.extend(own.chain(of_name).flat_map(|t| plan.target_addresses(*t, external, *phase)));
        }
    }
    strays.is_subset(&outside)
}

/// The strays of all items.
pub(super) fn all_strays(items: &[Item]) -> BTreeSet<IpAddr> {
    let of = |item: &Item| match (&*item.obligation.claim, &item.problem.fault) {
        (Claim::Resolves { expected, .. }, Fault::Dns(_, _, DnsFault::Unexpected { addresses })) => {
            strays(expected, addresses)
        }
        _ => BTreeSet::new(),
    };
    items.iter().flat_map(of).collect()
}

/// A finding about answers that lead elsewhere: everything but its title and whom it hurts.
pub(super) fn draft(
    context: &Context,
    rule: &'static RuleInfo,
    view: ViewId,
    waiver: Option<usize>,
    items: &[Item],
) -> Draft {
    let case = context.case;
    let mut draft = Draft::of(context, rule, items, waiver);
    draft.expected = expected(case, items);
    draft.seen = said(case, items);
    draft.seen.extend(whose(context, view, items));
    draft.remedy.cure = apart(context, view, items, corrections(case, view, items));
    draft.keys = keys(items);
    draft.keys.extend(strangers(items));
    draft
}

/// Whose the addresses are, where the plan knows them.
pub(super) fn whose(context: &Context, view: ViewId, items: &[Item]) -> Vec<String> {
    let case = context.case;
    let addresses = items.iter().flat_map(given).collect::<BTreeSet<_>>();
    let line = |a: &IpAddr| case.owner(view, *a).map(|target| format!("{a} is {}", case.plan.target_label(target)));
    wording::cut(addresses.iter().filter_map(line).collect())
}

fn given(item: &Item) -> Vec<IpAddr> {
    match &item.problem.fault {
        Fault::Dns(_, _, DnsFault::Unexpected { addresses } | DnsFault::Unwanted { addresses, .. }) => {
            addresses.iter().copied().collect()
        }
        _ => Vec::new(),
    }
}

/// The addresses that only this answer leads to.
pub(in super::super) fn strangers(items: &[Item]) -> Vec<Key> {
    let of = |item: &Item| {
        let (name, Claim::Resolves { view, .. }) = (item.obligation.name, &*item.obligation.claim) else {
            return Vec::new();
        };
        given(item).into_iter().map(|a| Key::Stranger(name, *view, a)).collect()
    };
    items.iter().flat_map(of).collect()
}

/// Addresses in words.
pub(super) fn words(addresses: &BTreeSet<IpAddr>) -> String {
    let words: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    wording::list(words.iter().map(String::as_str))
}
