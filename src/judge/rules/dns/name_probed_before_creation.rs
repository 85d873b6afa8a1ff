//! A name that was made for a flip may still be believed absent.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jiff::Timestamp;

use crate::judge::RuleInfo;
use crate::judge::case::Case;
use crate::judge::draft::{Context, Draft};
use crate::judge::evidence::Look;
use crate::judge::truth::Truth;
use crate::judge::wording;
use crate::model::dns::{DnsOutcome, Reply};
use crate::model::finding::{Severity, Subject};
use crate::model::obligation::{Claim, DnsExpectation};
use crate::model::observation::Probe;
use crate::model::phase::Moment;
use crate::model::plan::{NameId, ViewId, Wanted};

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "name-probed-before-creation",
    family: "dns",
    severity: Severity::Info,
    summary: "on the eve of a flip caches may still say that a new name does not exist",
    citation: "RFC 2308 section 5",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

The flip needs names that did not exist before: legacy names, a first autodiscover. They are right now, but the evidence
does not show that they have been for as long as a cache may remember their absence (the negative TTL, one hour where no
SOA was seen) and the change needs to reach all servers of the zone.

# Why it matters

Whoever asked for the name before it was there, a monitor or a colleague perhaps, made that cache believe that there is
none. Users behind it who are redirected to the name do not find it.

# Example

    legacy.mail.domain.com may still be believed absent in external until 2026-11-22 21:40Z

# Cure

Flip later than the time that the finding names. Or check again later with an earlier recording: when its run saw the
name already, that counts.

    coexist check plan.toml --ready-for coexistence --with yesterday.jsonl

# References

RFC 2308 section 5 (how long absence is cached)
";

/// The negative TTL that is taken for granted where no SOA says another: the longest that many caches keep at least.
const UNKNOWN: u32 = 3600;

/// A name that is right, and until when a cache may not know.
struct Young {
    obligation: usize,
    name: NameId,
    first: Look,
    until: Timestamp,
    negative: u32,
}

/// One finding per view.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let mut groups: BTreeMap<(ViewId, Option<usize>), Vec<Young>> = BTreeMap::new();
    for (index, obligation) in context.case.obligations.iter().enumerate() {
        let (name, Claim::Resolves { view, expected }) = (obligation.name, &*obligation.claim) else { continue };
        let due = context.case.is_due(index) && context.assessed[index].truth == Truth::Pass;
        if due
            && is_made_for_flip(context.case, name, *view)
            && let Some(young) = young(context.case, index, name, *view, expected)
        {
            let plan = context.case.plan;
            let on = BTreeSet::from([plan.name(name).name.to_string(), plan.view(*view).label.to_string()]);
            groups.entry((*view, context.waiver(INFO.name, &on))).or_default().push(young);
        }
    }
    drafts.extend(groups.into_iter().map(|((view, waiver), all)| draft(context, view, waiver, &all)));
}

/// On the eve: the phase that is left wants no such name, the one that comes does.
pub(super) fn is_made_for_flip(case: &Case, name: NameId, view: ViewId) -> bool {
    let Moment::Ready(from, to) = case.policy.moment(case.plan, view) else { return false };
    let leads = |phase| matches!(case.plan.name(name).wanted(view, phase), Wanted::Targets(_));
    !leads(from) && leads(to)
}

/// Its existence is counted from the first right answer after the last NXDOMAIN, of any run.
fn young(case: &Case, obligation: usize, name: NameId, view: ViewId, expected: &DnsExpectation) -> Option<Young> {
    let label = &case.plan.view(view).label;
    let probe = case.plan.name(name).name.probe();
    let asks = |p: &Probe| matches!(p, Probe::Dns(p) if p.is_of_clients() && p.view == *label && p.name == probe);
    let past = case.evidence.looks().filter(|(l, o)| asks(&o.probe) && case.evidence.is_past(*l));
    let said: Vec<(Timestamp, Look, &DnsOutcome)> =
        past.filter_map(|(l, o)| Some((o.at, l, case.evidence.dns(l)?))).collect();
    let gone = said.iter().filter(|(_, _, o)| matches!(o, DnsOutcome::NxDomain(_))).map(|(at, _, _)| *at).max();
    let right = said.iter().filter(|(at, _, o)| is_right(o, expected) && gone.is_none_or(|g| *at > g));
    let (at, first) = right.map(|(at, l, _)| (*at, *l)).min()?;
    let negative = negative_ttl(case, view, probe.as_str());
    let until = at.checked_add(jiff::SignedDuration::from_secs(i64::from(negative) + propagation(case, view))).ok()?;
    (case.now < until).then_some(Young { obligation, name, first, until, negative })
}

fn is_right(outcome: &DnsOutcome, expected: &DnsExpectation) -> bool {
    let allowed = |a: &IpAddr| expected.present.iter().any(|p| p.addresses.contains(a));
    matches!(outcome, DnsOutcome::Answer(r) if !r.addresses.is_empty()
        && (!expected.like.is_empty() || r.addresses.iter().all(|a| allowed(&a.address))))
}

/// As the SOA of the name's own zone says it in this view.
fn negative_ttl(case: &Case, view: ViewId, name: &str) -> u32 {
    let label = &case.plan.view(view).label;
    let of_view = |p: &Probe| matches!(p, Probe::Dns(p) if p.is_of_clients() && p.view == *label);
    let replies = case.evidence.looks().filter(|(l, o)| of_view(&o.probe) && case.evidence.is_past(*l));
    let replies = replies.filter_map(|(l, _)| case.evidence.dns(l)?.reply());
    let under = |zone: &str| name == zone || name.strip_suffix(zone).is_some_and(|rest| rest.ends_with('.'));
    let ttl = |r: &Reply| {
        let soa = r.soa.as_ref().filter(|s| under(s.zone.trim_end_matches('.')))?;
        // A cache shows what is left of the SOA's TTL; then an hour is taken for the rest.
        let whole = if r.authoritative { soa.ttl } else { soa.ttl.max(UNKNOWN) };
        Some((soa.zone.len(), soa.minimum.min(whole)))
    };
    replies.filter_map(ttl).max().map_or(UNKNOWN, |(_, ttl)| ttl)
}

fn propagation(case: &Case, view: ViewId) -> i64 {
    i64::from(case.plan.cutover.propagation.get(view.0).copied().unwrap_or(0))
}

fn draft(context: &Context, view: ViewId, waiver: Option<usize>, all: &[Young]) -> Draft {
    let (case, plan) = (context.case, context.case.plan);
    let label = wording::view(plan, view);
    let names: Vec<NameId> = all.iter().map(|y| y.name).collect();
    let until = all.iter().map(|y| y.until).max().map(wording::minute).unwrap_or_default();
    let negative = all.iter().map(|y| y.negative).max().unwrap_or(UNKNOWN);
    let names = wording::name_list(plan, &names);
    let mut draft = Draft::plain(&INFO, format!("{names} may still be believed absent in {label} until {until}"));
    draft.waiver = waiver;
    draft.subject = Subject { view: Some(label.to_string()), ..Subject::default() };
    let wait = i64::from(negative) + propagation(case, view);
    draft.expected = vec![format!("right for {} before the flip", wording::duration(wait))];
    let first = all.iter().map(|y| case.evidence.look(y.first).at).min();
    draft.seen = first.iter().map(|t| format!("first seen right {}", t.strftime("%Y-%m-%d %H:%MZ"))).collect();
    draft.hurts =
        vec![format!("clients of {label} behind a cache that asked before it was there: they do not find it")];
    draft.remedy.cure = vec![format!(
        "flip no earlier than {until} (negative TTL {negative} s + {} propagation)",
        wording::duration(propagation(case, view))
    )];
    draft.at = all.first().map(|y| plan.name(y.name).span);
    draft.looks = all.iter().map(|y| y.first).collect();
    // It is a note: what it is about holds, and a waiver of a note accepts no fault.
    if waiver.is_none() {
        draft.obligations = all.iter().map(|y| y.obligation).collect();
    }
    draft
}
