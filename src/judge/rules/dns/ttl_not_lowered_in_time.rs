//! The TTL was lowered, but too late for the flip.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::judge::RuleInfo;
use crate::judge::case::Case;
use crate::judge::draft::{Context, Draft};
use crate::judge::evidence::Look;
use crate::judge::truth::Truth;
use crate::judge::wording;
use crate::model::finding::{Severity, Subject};
use crate::model::name::Name;
use crate::model::obligation::Claim;
use crate::model::observation::Probe;
use crate::model::phase::Moment;
use crate::model::plan::{NameId, ViewId, Wanted};

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "ttl-not-lowered-in-time",
    family: "dns",
    severity: Severity::Error,
    summary: "a record's TTL was lowered later than its old TTL before the flip",
    citation: "RFC 1034 section 3.6; RFC 2181 section 8",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

A record that is flipped has a low TTL by now, but an earlier run still saw a high one, and since the first low one after
that the old TTL plus propagation has not gone by until the flip: the day in [phases], or now if that is over or is not
given; after the flip its time in [cutover].

    earliest flip   first seen low + old TTL + propagation

The old TTL is `ttl-before`, or the highest that any recording shows if that is more. Where the plan gives `ttl-before`
and no recording is old enough to tell, that is an open question.

# Why it matters

A cache that asked just before the TTL was lowered keeps the old answer for the whole old TTL, however low the new one
is. It goes on sending users to the old servers after the flip, and nothing can call that answer back.

# Example

    lowered Monday 08:00, old TTL 86400 s, propagation 15 min: flip not before Tuesday 08:15

# Cure

Move the flip to the time that the finding names, or keep the old servers serving the name until then. To show that the
TTL has been low for long enough, give an earlier recording:

    coexist check plan.toml --ready-for coexistence --with yesterday.jsonl

# References

RFC 1034 section 3.6; RFC 2181 section 8 (TTL)
";

/// What recordings show of a name in a view: the highest TTL of each answer, in the order of time.
type History = BTreeMap<(ViewId, NameId), Vec<(Timestamp, u32, Look)>>;

/// A name that is flipped in a view.
#[derive(Clone, Copy)]
struct Flip {
    name: NameId,
    view: ViewId,
    at_most: u32,
    /// When it happens, or happened.
    at: Timestamp,
    /// The obligation that the TTL be low, on the eve.
    obligation: Option<usize>,
}

/// One finding per name and view.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let flips = flips(context.case);
    if flips.is_empty() {
        return;
    }
    let history = history(context.case, &flips);
    for flip in flips {
        let seen = history.get(&(flip.view, flip.name)).map_or(&[][..], Vec::as_slice);
        drafts.extend(late(context, flip, seen));
    }
}

/// On the eve the names whose TTL must be low; after a flip whose time is given, those that it moved.
fn flips(case: &Case) -> Vec<Flip> {
    let plan = case.plan;
    let eve = |(i, o): (usize, &crate::model::obligation::Obligation)| {
        let (name, Claim::Lowered { view, at_most }) = (o.name, &*o.claim) else { return None };
        let Moment::Ready(_, to) = case.policy.moment(plan, *view) else { return None };
        let from = plan.phases.get(&to).and_then(|dates| dates.from);
        // A day that is over tells no more than that it is not done yet; without one the flip may be now.
        let at = from.map_or(case.now, |from| from.max(case.now));
        case.is_due(i).then_some(Flip { name, view: *view, at_most: *at_most, at, obligation: Some(i) })
    };
    let mut out: Vec<Flip> = case.obligations.iter().enumerate().filter_map(eve).collect();
    for view in plan.view_ids() {
        let asked = case.policy.views.as_ref().is_none_or(|views| views.contains(&view));
        let Some(at) = plan.cutover.flipped.get(view.0).copied().flatten().filter(|_| asked) else { continue };
        let Moment::Steady(phase) = case.policy.moment(plan, view) else { continue };
        let Some(before) = phase.previous().filter(|_| plan.standing.get(view.0) == Some(&Moment::Steady(phase)))
        else {
            continue;
        };
        let moved = |n: &NameId| {
            let (old, new) = (plan.name(*n).wanted(view, before), plan.name(*n).wanted(view, phase));
            matches!((old, new), (Wanted::Targets(_), Wanted::Targets(_))) && old != new
        };
        let at_most = |n: NameId| plan.name(n).ttl.as_ref().map_or(plan.cutover.low_ttl, |t| t.value);
        let names = (0..plan.names.len()).map(NameId).filter(moved);
        out.extend(names.map(|name| Flip { name, view, at_most: at_most(name), at, obligation: None }));
    }
    out
}

/// However old an observation is, it says what caches may hold.
fn history(case: &Case, flips: &[Flip]) -> History {
    let plan = case.plan;
    let wanted: BTreeMap<Name, NameId> = flips.iter().map(|f| (plan.name(f.name).name.probe(), f.name)).collect();
    let mut out = History::new();
    for (look, seen) in case.evidence.looks() {
        let Probe::Dns(probe) = &seen.probe else { continue };
        if !probe.is_of_clients() {
            continue;
        }
        let Some(name) = wanted.get(&probe.name).filter(|_| case.evidence.is_past(look)) else { continue };
        let Some(view) = plan.view_ids().find(|v| plan.view(*v).label == probe.view) else { continue };
        let Some(reply) = case.evidence.dns(look).and_then(|o| o.reply()) else { continue };
        let ttls = reply.chain.iter().map(|l| l.ttl).chain(reply.addresses.iter().map(|a| a.ttl));
        if let Some(ttl) = ttls.max() {
            out.entry((view, *name)).or_default().push((seen.at, ttl, look));
        }
    }
    out.values_mut().for_each(|all| all.sort());
    out
}

/// Nothing, if it is in time. What is still high, or not known, has rules of its own.
fn late(context: &Context, flip: Flip, seen: &[(Timestamp, u32, Look)]) -> Option<Draft> {
    let case = context.case;
    if flip.obligation.is_some_and(|i| context.assessed[i].truth != Truth::Pass) {
        return None;
    }
    let before: Vec<_> = seen.iter().filter(|(at, _, _)| *at <= flip.at).copied().collect();
    let high = before.iter().rfind(|(_, ttl, _)| *ttl > flip.at_most);
    let declared = case.plan.name(flip.name).ttl_before.as_ref().map(|t| t.value);
    let old = declared.into_iter().chain(before.iter().map(|(_, ttl, _)| *ttl)).max()?;
    // It was lowered some time after it was last seen high. Without a high one, it has been low since the first look.
    let (since, _, look) = match high {
        Some(high) => *seen.iter().find(|(at, _, _)| at > &high.0 && *at <= flip.at.min(case.now)).unwrap_or(high),
        None => *before.first().filter(|_| declared.is_some_and(|d| d > flip.at_most) && flip.obligation.is_some())?,
    };
    let propagation = case.plan.cutover.propagation.get(flip.view.0).copied().unwrap_or(0);
    let wait = i64::from(old) + i64::from(propagation);
    let until = since.checked_add(SignedDuration::from_secs(wait)).ok()?;
    // After the flip it hurts for as long as caches may still hold the old answer.
    let is_late = flip.at < until && case.now < until;
    is_late.then(|| draft(context, flip, &Late { since, look, old, wait, until, high: high.map(|h| h.0) }))
}

/// Why a flip is too early.
struct Late {
    /// Since when it has been low, as far as was seen.
    since: Timestamp,
    look: Look,
    old: u32,
    wait: i64,
    until: Timestamp,
    /// When it was last seen high.
    high: Option<Timestamp>,
}

impl Late {
    /// True if it was too late even if it was lowered right after it was last seen high.
    fn is_sure(&self, flip: Timestamp) -> bool {
        let high = self.high.and_then(|h| h.checked_add(SignedDuration::from_secs(self.wait)).ok());
        high.is_some_and(|soonest| flip < soonest)
    }
}

fn draft(context: &Context, flip: Flip, late: &Late) -> Draft {
    let plan = context.case.plan;
    let (text, label) = (&plan.name(flip.name).name, wording::view(plan, flip.view));
    let (until, minute) = (wording::minute(late.until), |t: Timestamp| t.strftime("%Y-%m-%d %H:%MZ").to_string());
    let title = match (late.high.is_some(), flip.obligation) {
        (true, Some(_)) if late.is_sure(flip.at) => {
            format!("the TTL of {text} was lowered too late in {label}: flip not before {until}")
        }
        (true, Some(_)) => {
            format!("nothing shows that the TTL of {text} was lowered in time in {label}: flip not before {until}")
        }
        (true, None) => format!("caches in {label} may hold the old answer for {text} until {until}"),
        (false, _) => format!("nothing shows that the TTL of {text} has been low for long enough in {label}"),
    };
    let mut draft = Draft::plain(&INFO, title);
    let on = BTreeSet::from([text.to_string(), label.to_string()]);
    draft.waiver = context.waiver(INFO.name, &on);
    draft.subject = Subject { name: Some(text.to_string()), view: Some(label.to_string()), ..Subject::default() };
    let wait = wording::duration(late.wait);
    draft.expected =
        vec![format!("TTL at most {} s for {wait} before the flip (old TTL {} s)", flip.at_most, late.old)];
    draft.seen = vec![match late.high {
        Some(high) if high < late.since => format!(
            "still above {} s {}, first seen low {}; the flip is {}",
            flip.at_most,
            minute(high),
            minute(late.since),
            minute(flip.at)
        ),
        Some(high) => format!("still above {} s {}; the flip is {}", flip.at_most, minute(high), minute(flip.at)),
        None => format!("low since {} at least; the flip is {}", minute(late.since), minute(flip.at)),
    }];
    draft.hurts = vec![format!("clients of {label} behind caches that keep the old answer until {until}")];
    match late.high {
        Some(_) => draft.remedy.cure = cure(flip, text.as_str(), &until),
        None => {
            draft.open_question = true;
            draft.remedy.next = vec![
                format!("give a recording that is {wait} older than the flip: --with FILE"),
                format!("or flip not before {until}"),
            ];
        }
    }
    draft.at = Some(plan.name(flip.name).ttl_before.as_ref().map_or(plan.name(flip.name).span, |t| t.span));
    draft.looks = BTreeSet::from([late.look]);
    if draft.waiver.is_none() {
        draft.obligations = flip.obligation.into_iter().collect();
    }
    draft
}

fn cure(flip: Flip, text: &str, until: &str) -> Vec<String> {
    match flip.obligation {
        Some(_) => vec![format!("flip no earlier than {until}; the TTL stays at {}", flip.at_most)],
        None => vec![format!("keep the old target serving {text} until {until}")],
    }
}
