//! The resolvers of one view give different answers.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::odd;
use crate::judge::RuleInfo;
use crate::judge::assess::hear;
use crate::judge::draft::{Context, Draft, Key};
use crate::judge::evidence::Look;
use crate::judge::truth::Truth;
use crate::judge::wording;
use crate::model::finding::{Severity, Subject};
use crate::model::obligation::Claim;
use crate::model::plan::{NameId, ViewId};

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "resolvers-disagree-in-view",
    family: "dns",
    severity: Severity::Warning,
    summary: "the resolvers of one view answer differently for a name",
    citation: "RFC 1034 section 3.6; RFC 2182 section 3; RFC 8767",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

Two resolvers of one view were asked for the same name, and their answers are not the same set of addresses. If one of
them is not what the plan says, this follows from that finding. In a change of phases both may be right, and still differ.

# Why it matters

Clients take whichever resolver answers first. Some meet the old servers and some the new ones, and the same client may
change sides within minutes. A resolver that stays behind for longer than the TTL has a forwarder, a zone copy or a site
of its own that nobody changed.

# Example

    seen   10.0.0.10 from 10.0.0.53
           10.0.0.3 from 10.0.0.54

# Cure

Wait the TTL of the old answer and look again. If they still differ, look at the one that is behind: its conditional
forwarder, its secondary zone, its directory site. Where a global balancer answers, say `answers = \"any\"`.

# References

RFC 1034 section 3.6; RFC 2182 section 3 (all servers of a zone hold the same); RFC 8767 (stale answers)
";

/// The resolvers, by what they answered.
type Camps = BTreeMap<BTreeSet<IpAddr>, Vec<usize>>;

/// A name whose answers differ.
struct Split {
    index: usize,
    name: NameId,
    looks: Vec<Look>,
}

/// One finding per name where an answer is wrong, else one per view and way in which its resolvers differ.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let mut open: BTreeMap<(ViewId, Camps, Option<usize>), Vec<Split>> = BTreeMap::new();
    for (index, view, camps, split) in splits(context) {
        let waiver = waiver(context, view, split.name);
        match context.assessed[index].truth {
            Truth::Fail => drafts.push(draft(context, view, &camps, waiver, &[split])),
            _ => open.entry((view, camps, waiver)).or_default().push(split),
        }
    }
    let together = open.into_iter().map(|((view, camps, waiver), all)| draft(context, view, &camps, waiver, &all));
    drafts.extend(together);
}

fn splits(context: &Context) -> Vec<(usize, ViewId, Camps, Split)> {
    let case = context.case;
    let mut out = Vec::new();
    for (index, obligation) in case.obligations.iter().enumerate().filter(|(i, _)| case.is_due(*i)) {
        let (name, Claim::Resolves { view, expected }) = (obligation.name, &*obligation.claim) else { continue };
        // Answers that may vary say nothing by varying; where one set is right and was given, all gave it.
        let varies = expected.part || !expected.like.is_empty();
        let one = expected.present.len() + usize::from(expected.absent) < 2;
        let settled = one && context.assessed[index].truth == Truth::Pass;
        if varies || settled || case.plan.view(*view).resolvers.len() < 2 {
            continue;
        }
        let (camps, looks) = camps(context, name, *view);
        if camps.len() > 1 {
            out.push((index, *view, camps, Split { index, name, looks }));
        }
    }
    out
}

/// Those who are believed and told all; no address is an answer too.
fn camps(context: &Context, name: NameId, view: ViewId) -> (Camps, Vec<Look>) {
    let case = context.case;
    let probe = case.plan.name(name).name.probe();
    let (mut camps, mut looks) = (Camps::new(), Vec::new());
    for resolver in 0..case.plan.view(view).resolvers.len() {
        if context.suspicion.resolvers.contains(&(view, resolver)) {
            continue;
        }
        let heard = hear(case, &probe, view, resolver);
        if heard.unknown().is_none() {
            camps.entry(heard.addresses()).or_default().push(resolver);
            looks.extend(heard.outcomes.iter().map(|(_, look, _)| *look));
        }
    }
    (camps, looks)
}

fn waiver(context: &Context, view: ViewId, name: NameId) -> Option<usize> {
    let plan = context.case.plan;
    let on = BTreeSet::from([plan.name(name).name.to_string(), plan.view(view).label.to_string()]);
    context.waiver(INFO.name, &on)
}

fn draft(context: &Context, view: ViewId, camps: &Camps, waiver: Option<usize>, all: &[Split]) -> Draft {
    let plan = context.case.plan;
    let label = wording::view(plan, view);
    let names: Vec<NameId> = all.iter().map(|s| s.name).collect();
    let text = wording::name_list(plan, &names);
    let mut draft = Draft::plain(&INFO, format!("the resolvers of {label} disagree about {text}"));
    draft.waiver = waiver;
    let one = if let [only] = names.as_slice() { Some(plan.name(*only).name.to_string()) } else { None };
    draft.subject = Subject { name: one, view: Some(label.to_string()), ..Subject::default() };
    draft.expected = vec![format!("one answer from all resolvers of {label}")];
    draft.seen =
        camps.iter().map(|(addresses, who)| format!("{} from {}", said(addresses), of(context, view, who))).collect();
    draft.hurts = vec![format!("clients of {label}: some are led one way and some another")];
    draft.remedy.cure = vec![
        "wait the TTL of the old answer, and look again".to_string(),
        format!(
            "if they still differ: look at the forwarders and zone copies of {}",
            of(context, view, &fewest(camps))
        ),
    ];
    draft.at = names.first().map(|n| plan.name(*n).span);
    draft.looks = all.iter().flat_map(|s| s.looks.iter().copied()).collect();
    draft.obligations = all.iter().map(|s| s.index).collect();
    draft.keys = names.iter().map(|n| Key::Dns(*n, view)).collect();
    draft
}

fn said(addresses: &BTreeSet<IpAddr>) -> String {
    if addresses.is_empty() { "no address".into() } else { odd::words(addresses) }
}

fn of(context: &Context, view: ViewId, who: &[usize]) -> String {
    let words: Vec<String> = who.iter().map(|r| wording::resolver(context.case.plan, view, *r)).collect();
    wording::list(words.iter().map(String::as_str))
}

/// All where no camp is the smaller one.
fn fewest(camps: &Camps) -> Vec<usize> {
    let least = camps.values().map(Vec::len).min().unwrap_or_default();
    let alone: Vec<&Vec<usize>> = camps.values().filter(|who| who.len() == least).collect();
    match alone.as_slice() {
        [only] => (*only).clone(),
        _ => camps.values().flatten().copied().collect(),
    }
}
