//! A name that is made for a flip would be believed absent for too long.

use std::collections::{BTreeMap, BTreeSet};

use super::name_probed_before_creation::is_made_for_flip;
use crate::judge::RuleInfo;
use crate::judge::case::Case;
use crate::judge::draft::{Context, Draft};
use crate::judge::evidence::Look;
use crate::judge::wording;
use crate::model::finding::{Severity, Subject};
use crate::model::obligation::Claim;
use crate::model::observation::Probe;
use crate::model::phase::Moment;
use crate::model::plan::{NameId, ViewId};

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "negative-ttl-too-high",
    family: "dns",
    severity: Severity::Warning,
    summary: "on the eve of a flip that needs new names, their zone lets absence be cached for too long",
    citation: "RFC 2308 sections 4 and 5",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

The flip needs names that did not exist before. Their zone's SOA lets caches remember that a name does not exist for
longer than `low-ttl`, and longer than what is left until the day of the flip, where [phases] names one. The negative TTL
is the smaller of the SOA's MINIMUM and its own TTL.

    believed absent at most until   creation + negative TTL + propagation

# Why it matters

Whoever asked for the name before it was there does not find it for that long after, and a flip that is rolled back and
done again, or a record deleted by mistake, hurts for as long. Lowering an A record's TTL does nothing about it.

# Example

    domain.com.  SOA ... MINIMUM 86400, and legacy.mail.domain.com made the evening before

# Cure

Lower the SOA's MINIMUM and TTL first, wait the old negative TTL, and make the names then. Or make them earlier.

# References

RFC 2308 section 4 (the SOA's MINIMUM) and section 5 (how long absence is cached)
";

/// A zone in a view: the SOA that was seen last with the longest absence, and the names that it concerns.
struct Long {
    negative: u32,
    look: Look,
    names: BTreeMap<NameId, usize>,
}

/// One finding per view and zone.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let case = context.case;
    let made = made(case);
    if made.is_empty() {
        return;
    }
    let mut found: BTreeMap<(ViewId, String, Option<usize>), Long> = BTreeMap::new();
    let zones = zones(case, made.keys().map(|(view, _)| *view).collect());
    for ((view, name), index) in made {
        let of_name = |zone: &str| case.plan.name(name).name.is_under(zone);
        let nearest =
            zones.iter().filter(|((v, zone), _)| *v == view && of_name(zone)).max_by_key(|((_, z), _)| z.len());
        let Some(((_, zone), (negative, look))) = nearest else { continue };
        if is_too_high(case, view, *negative) {
            let on = BTreeSet::from([case.plan.name(name).name.to_string(), case.plan.view(view).label.to_string()]);
            let key = (view, zone.clone(), context.waiver(INFO.name, &on));
            let long = Long { negative: *negative, look: *look, names: BTreeMap::new() };
            found.entry(key).or_insert(long).names.insert(name, index);
        }
    }
    drafts.extend(found.into_iter().map(|((view, zone, waiver), long)| draft(case, view, &zone, waiver, &long)));
}

/// The names that are due and that the flip needs, with their obligations.
fn made(case: &Case) -> BTreeMap<(ViewId, NameId), usize> {
    let of = |(i, o): (usize, &crate::model::obligation::Obligation)| match &*o.claim {
        Claim::Resolves { view, .. } if case.is_due(i) && is_made_for_flip(case, o.name, *view) => {
            Some(((*view, o.name), i))
        }
        _ => None,
    };
    case.obligations.iter().enumerate().filter_map(of).collect()
}

/// The negative TTL of each zone as the views' resolvers show it. A cache shows the rest of the SOA's TTL: the zone's is at
/// least that.
fn zones(case: &Case, views: BTreeSet<ViewId>) -> BTreeMap<(ViewId, String), (u32, Look)> {
    let mut out: BTreeMap<(ViewId, String), (u32, Look)> = BTreeMap::new();
    for (look, seen) in case.evidence.looks() {
        let Probe::Dns(probe) = &seen.probe else { continue };
        if !probe.is_of_clients() {
            continue;
        }
        let Some(soa) = case.evidence.dns(look).and_then(|o| o.reply()?.soa.as_ref()) else { continue };
        let view = views.iter().find(|v| case.plan.view(**v).label == probe.view);
        let Some(view) = view.filter(|_| case.evidence.is_current(look)) else { continue };
        let zone = soa.zone.trim_end_matches('.').to_string();
        let longest = out.entry((*view, zone)).or_insert((soa.negative_ttl(), look));
        *longest = (*longest).max((soa.negative_ttl(), look));
    }
    out
}

/// Longer than records may live on this eve, and than what is left until the day of the flip.
fn is_too_high(case: &Case, view: ViewId, negative: u32) -> bool {
    let lead = lead(case, view);
    negative > case.plan.cutover.low_ttl && lead.is_none_or(|l| i64::from(negative) + propagation(case, view) > l)
}

/// Seconds until the flip, where the calendar says when it is and that is not over.
fn lead(case: &Case, view: ViewId) -> Option<i64> {
    let Moment::Ready(_, to) = case.policy.moment(case.plan, view) else { return None };
    let from = case.plan.phases.get(&to)?.from?;
    Some(from.as_second() - case.now.as_second()).filter(|left| *left > 0)
}

fn propagation(case: &Case, view: ViewId) -> i64 {
    i64::from(case.plan.cutover.propagation.get(view.0).copied().unwrap_or(0))
}

fn draft(case: &Case, view: ViewId, zone: &str, waiver: Option<usize>, long: &Long) -> Draft {
    let (plan, label) = (case.plan, wording::view(case.plan, view));
    let names: Vec<NameId> = long.names.keys().copied().collect();
    let (text, low, negative) = (wording::name_list(plan, &names), plan.cutover.low_ttl, long.negative);
    let wait = wording::duration(i64::from(negative) + propagation(case, view));
    let lasts = wording::duration(i64::from(negative));
    let mut draft = Draft::plain(
        &INFO,
        format!("in {label} absence in {zone} is cached for {lasts}, and the flip needs new names"),
    );
    draft.waiver = waiver;
    draft.subject = Subject { view: Some(label.to_string()), ..Subject::default() };
    draft.expected = vec![match lead(case, view) {
        Some(left) => format!("negative TTL and propagation within the {} until the flip", wording::duration(left)),
        None => format!("negative TTL at most {low} s"),
    }];
    let when = case.evidence.look(long.look).at.strftime("%Y-%m-%d %H:%MZ");
    draft.seen = vec![format!("SOA of {zone}: negative TTL {negative} s, {when}")];
    draft.hurts = vec![format!("clients of {label} behind a cache that asked too early: {wait} without {text}")];
    draft.remedy.cure = vec![
        format!("set MINIMUM and TTL of the SOA of {zone} to {low} in {label}"),
        format!("then wait {wait} before a name is made; or make the names {wait} before the flip"),
    ];
    draft.at = names.first().map(|n| plan.name(*n).span);
    draft.looks = BTreeSet::from([long.look]);
    // The names themselves may be right.
    if waiver.is_none() {
        draft.obligations = long.names.values().copied().collect();
    }
    draft
}
