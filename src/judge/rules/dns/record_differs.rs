//! A record is not as the plan wants it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::judge::RuleInfo;
use crate::judge::beside::{self, Told, Word, asks, outward, told};
use crate::judge::draft::{Context, Draft, Key};
use crate::judge::evidence::Look;
use crate::judge::wording;
use crate::model::dns::RecordType;
use crate::model::finding::{Severity, TYPED};
use crate::model::name::Name;
use crate::model::plan::{MailDomain, PlannedRecord, ViewId};
use crate::model::questions;
use crate::model::records::RecordData;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "record-differs",
    family: "dns",
    severity: Severity::Error,
    summary: "DNS has not the records that [records], or mx of [mail], wants",
    citation: "RFC 1035 section 3.3; RFC 7208 section 3.2; RFC 5321 section 5.1",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

The plan lists a record that clients depend on, or the hosts that take a domain's mail in this phase, and a resolver gave
another answer. Beside a planned TXT other texts may stand, but no second SPF policy; of all other types the answer must be
exactly the planned one. SRV records have a rule of their own.

# Why it matters

A record that was not changed with the others sends a part of the clients, or all mail, to the old side; one that was never
created is missed only after the flip.

# Example

    expected  example.org TXT \"v=spf1 ip4:198.51.100.9 -all\"
    seen      \"v=spf1 ip4:198.51.100.7 -all\" from 9.9.9.9

# Cure

Write the record as planned, or correct the plan. The finding names the line for the zone.

# References

RFC 1035; RFC 5321 section 5.1; RFC 7208 section 3.2 (one SPF record)
";

/// One finding per record and view, and per mail domain.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let plan = context.case.plan;
    for record in &plan.records {
        let kind = RecordType::of_word(&record.kind).filter(|k| *k != RecordType::Srv);
        for (kind, view) in kind.into_iter().flat_map(|k| plan.view_ids().map(move |v| (k, v))) {
            if let Some(told) = different(context, record, kind, view) {
                drafts.push(draft(context, &INFO, record, view, &told));
            }
        }
    }
    drafts.extend((0..plan.mail.len()).flat_map(|mail| of_mail(context, mail)));
}

/// What was said of a planned record where it is not as planned.
pub(super) fn different<'a>(
    context: &Context<'a>,
    record: &PlannedRecord,
    kind: RecordType,
    view: ViewId,
) -> Option<Told<'a>> {
    let texts = record.values.get(view.0)?.as_ref().filter(|t| !t.is_empty() && asks(context.case, view))?;
    if !questions::record_views(context.case.plan, record).contains(&view) {
        return None;
    }
    let told = told(context, view, &record.owner, kind);
    let wrong: Box<dyn Fn(&Word) -> bool> = if RecordType::ALL.contains(&kind) {
        let wanted: BTreeSet<IpAddr> = texts.iter().map(|t| t.parse().ok()).collect::<Option<_>>()?;
        Box::new(move |w| {
            w.outcome.reply().is_some_and(|r| r.addresses.iter().map(|a| a.address).collect::<BTreeSet<_>>() != wanted)
        })
    } else {
        // A text that cannot be read is told of elsewhere.
        let read = |text: &String| RecordData::parse(kind, text).map(|data| compared(&data));
        let wanted: BTreeSet<RecordData> = texts.iter().map(read).collect::<Option<_>>()?;
        Box::new(move |w| w.records().is_some_and(|seen| !agrees(&wanted, &seen.into_iter().map(compared).collect())))
    };
    let words: Vec<Word> = told.0.into_iter().filter(|w| wrong(w)).collect();
    (!words.is_empty()).then_some(Told(words))
}

/// All that is wanted is there, and nothing else of its kind.
fn agrees(wanted: &BTreeSet<RecordData>, seen: &BTreeSet<RecordData>) -> bool {
    let spf = |r: &RecordData| matches!(r, RecordData::Txt(text) if text.to_ascii_lowercase().starts_with("v=spf1"));
    let may_stand = |r: &RecordData| matches!(r, RecordData::Txt(_)) && !(spf(r) && wanted.iter().any(spf));
    wanted.iter().all(|w| seen.contains(w)) && seen.iter().all(|s| wanted.contains(s) || may_stand(s))
}

/// What counts of a record: hints of HTTPS follow the addresses of their host from phase to phase.
fn compared(data: &RecordData) -> RecordData {
    match data {
        RecordData::Https(https) => RecordData::Https(https.without_hints()),
        other => other.clone(),
    }
}

/// The words about a record that differs.
pub(super) fn draft(
    context: &Context,
    rule: &'static RuleInfo,
    record: &PlannedRecord,
    view: ViewId,
    told: &Told,
) -> Draft {
    let (owner, kind) = (record.owner.as_str(), &record.kind);
    let mut draft = beside::draft(context, rule, (owner, Some(view)), record.span, &[]);
    let label = wording::view(context.case.plan, view);
    draft.title = format!("{owner} {kind} is not as planned in {label}");
    let texts = record.values.get(view.0).and_then(Option::as_deref).unwrap_or_default();
    let shown = |text: &String| {
        let read = RecordType::of_word(kind).and_then(|k| RecordData::parse(k, text));
        read.map_or_else(|| text.clone(), |r| r.to_string())
    };
    draft.expected = texts.iter().map(|t| format!("{owner} {kind} {}", shown(t))).collect();
    draft.seen = told.lines();
    draft.hurts = vec![format!("clients of {label} that depend on it: they find another record, or none")];
    let ttl = context.case.plan.cutover.low_ttl;
    let zone = super::zone_word(context.case, view);
    let lines = texts.iter().map(|t| format!("{TYPED}{owner}. {ttl} IN {kind} {}", shown(t)));
    draft.remedy.cure = std::iter::once(format!("{zone}:")).chain(lines).collect();
    draft.remedy.cure.push(format!("and no other {kind} record there; or correct [records]"));
    if kind == "TXT" {
        draft.remedy.cure.pop();
    }
    draft.looks = told.looks().collect();
    draft
}

/// How a domain's MX hosts stand to the plan in a view.
#[derive(Default)]
pub(super) struct MxState {
    /// True if some resolver gave other hosts than the plan has.
    pub(super) differs: bool,
    /// Hosts of earlier phases beside all of this one.
    pub(super) left_behind: BTreeSet<String>,
    /// True if some other hosts are no aliases of those of the plan.
    strangers: bool,
    pub(super) expected: Vec<String>,
    pub(super) seen: Vec<String>,
    pub(super) looks: BTreeSet<Look>,
}

/// Hosts count, not preferences. While the phase changes, those of either phase may stand, or both.
pub(super) fn mx_state(context: &Context, mail: usize, view: ViewId) -> MxState {
    let (case, plan) = (context.case, context.case.plan);
    let wanted: Vec<BTreeSet<String>> = questions::mx_wanted(plan, case.policy, view, mail)
        .into_iter()
        .map(|hosts| hosts.iter().map(|h| h.value.to_string()).collect())
        .collect();
    let Some(domain) = plan.mail.get(mail).filter(|_| !wanted.is_empty()) else { return MxState::default() };
    let told = told(context, view, &domain.domain, RecordType::Mx);
    // A host of a later phase was added ahead: it is not left behind, and nobody is to delete it as such.
    let (now, _) = case.policy.moment(plan, view).phases();
    let earlier = domain.mx.iter().take(now as usize);
    let known: BTreeSet<String> = earlier.flatten().flatten().map(|h| h.value.to_string()).collect();
    let all: BTreeSet<String> = wanted.iter().flatten().cloned().collect();
    let mut state = MxState { expected: wanted.iter().map(expected).collect(), ..MxState::default() };
    let mut odd: Vec<Word> = Vec::new();
    for word in told.0 {
        let Some(records) = word.records() else { continue };
        let null = |r: &&RecordData| matches!(r, RecordData::Mx { exchange, .. } if exchange == ".");
        let seen: BTreeSet<String> = records.iter().filter_map(|r| r.host()).map(|(h, _)| h.to_string()).collect();
        let empty_is_right = wanted.iter().any(BTreeSet::is_empty);
        let whole = wanted.iter().any(|w| w.is_subset(&seen)) && (!seen.is_empty() || empty_is_right);
        let extra: BTreeSet<String> = seen.difference(&all).cloned().collect();
        if whole && extra.is_empty() && (empty_is_right || !records.iter().any(null)) {
            continue;
        }
        match whole && !extra.is_empty() && extra.is_subset(&known) {
            true => state.left_behind.extend(extra),
            false => {
                state.differs = true;
                state.strangers |= !wanted.contains(&ends(context, view, &seen));
            }
        }
        odd.push(word);
    }
    state.seen = beside::said(&odd);
    state.looks = odd.iter().map(|w| w.look).collect();
    state
}

/// The hosts, and in the place of aliases what they lead to.
fn ends(context: &Context, view: ViewId, hosts: &BTreeSet<String>) -> BTreeSet<String> {
    let end = |host: &String| {
        let alias = Name::parse_owner(host).ok().and_then(|name| beside::host(context, view, &name).alias);
        alias.map_or_else(|| host.clone(), |to| to.trim_end_matches('.').to_string())
    };
    hosts.iter().map(end).collect()
}

/// How to write the MX records that are due last.
pub(super) fn mx_cure(context: &Context, mail: usize, view: ViewId) -> Vec<String> {
    let plan = context.case.plan;
    let Some(domain) = plan.mail.get(mail).map(|m| &m.domain) else { return Vec::new() };
    let wanted = questions::mx_wanted(plan, context.case.policy, view, mail).into_iter().next_back();
    let hosts: Vec<_> = wanted.into_iter().flatten().collect();
    let zone = super::zone_word(context.case, view);
    if hosts.is_empty() {
        return vec![format!("{zone}: delete the MX records of {domain}")];
    }
    let line = |host: &str| format!("{TYPED}{domain}. {} IN MX 10 {host}.", plan.cutover.low_ttl);
    let lines = hosts.into_iter().map(|h| line(h.value.as_str()));
    std::iter::once(format!("{zone}: no other MX than")).chain(lines).collect()
}

fn expected(hosts: &BTreeSet<String>) -> String {
    match hosts.is_empty() {
        true => "no MX".into(),
        false => format!("MX {}", wording::list(hosts.iter().map(String::as_str))),
    }
}

/// One finding per domain. A waiver of one view says nothing of another.
fn of_mail(context: &Context, index: usize) -> Vec<Draft> {
    let Some(mail) = context.case.plan.mail.get(index) else { return Vec::new() };
    let mut groups: BTreeMap<Option<usize>, BTreeMap<ViewId, MxState>> = BTreeMap::new();
    for view in outward(context.case) {
        let state = mx_state(context, index, view);
        let labels = [mail.domain.as_str(), wording::view(context.case.plan, view)];
        if state.differs {
            groups.entry(context.waiver_on(&INFO, &labels)).or_default().insert(view, state);
        }
    }
    groups.values().filter_map(|states| of_states(context, index, mail, states)).collect()
}

fn of_states(context: &Context, index: usize, mail: &MailDomain, states: &BTreeMap<ViewId, MxState>) -> Option<Draft> {
    let first = states.values().next()?;
    let view = if states.len() == 1 { states.keys().next().copied() } else { None };
    let at = mail.mx.iter().flatten().flatten().map(|h| h.span).next().unwrap_or(mail.span);
    let labels: Vec<&str> = states.keys().map(|v| wording::view(context.case.plan, *v)).collect();
    let mut draft = beside::draft(context, &INFO, (mail.domain.as_str(), view), at, &labels);
    draft.title = format!("mail of {} does not go where the plan says", mail.domain);
    draft.expected = first.expected.clone();
    let seen: BTreeSet<&String> = states.values().flat_map(|s| &s.seen).collect();
    draft.seen = wording::cut(seen.into_iter().cloned().collect());
    draft.hurts = vec![format!("whoever writes to {}: another host takes the mail, or none", mail.domain)];
    draft.remedy.cure = states.keys().next().map(|v| mx_cure(context, index, *v)).unwrap_or_default();
    draft.remedy.cure.push("or correct mx in [mail]".into());
    draft.keys = states.keys().map(|v| Key::MxStray(index, *v)).collect();
    if states.values().all(|s| !s.strangers) {
        draft.keys.extend(states.keys().map(|v| Key::MxAlias(index, *v)));
    }
    draft.looks = states.values().flat_map(|s| s.looks.iter().copied()).collect();
    Some(draft)
}
