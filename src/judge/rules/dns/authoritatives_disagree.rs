//! The servers of a zone do not hold the same zone.

use std::collections::{BTreeMap, BTreeSet};

use crate::judge::RuleInfo;
use crate::judge::beside::{self, asks, told_by_server};
use crate::judge::draft::{Context, Draft};
use crate::judge::evidence::Look;
use crate::judge::wording;
use crate::model::dns::{DnsOutcome, RecordType};
use crate::model::finding::Severity;
use crate::model::name::Name;
use crate::model::plan::{Plan, ViewId, Zone};
use crate::model::questions::{self, Topic};
use crate::model::records::RecordData;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "authoritatives-disagree",
    family: "dns",
    severity: Severity::Error,
    summary: "the servers of a zone answer with different serials or records",
    citation: "RFC 1034 section 4.3.5; RFC 1996",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

The servers that [zones] lists for a zone were asked one by one, and they have different serials of its SOA, or different NS
or MX records; with `authoritative = true` the addresses of the plan's names are compared too. Serials of Windows DNS are
not compared: zones in Active Directory count at each server.

# Why it matters

Resolvers ask any of them. A part of the world gets the old records, another part the new ones, and who asks again may get
the other; an authority that validates a domain may fail at random.

# Example

    expected  one serial of example.org at all its servers
    seen      serial 7 at 198.51.100.53; serial 6 at 203.0.113.53

# Cure

Wait for the transfer, or mend it (NOTIFY, allow-transfer, the firewall on TCP 53); then look again before the flip.

# References

RFC 1034 section 4.3.5; RFC 1996 (NOTIFY); RFC 5936 (AXFR)
";

/// One finding per zone.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let case = context.case;
    if case.plan.zones.iter().all(|z| z.servers.len() < 2) {
        return;
    }
    let mut asked: BTreeMap<(ViewId, Name, RecordType), ()> = BTreeMap::new();
    for question in questions::questions(case.plan, case.policy) {
        if question.topic == Topic::Authoritatives {
            asked.insert((question.view, question.name, question.kind), ());
        }
    }
    for zone in case.plan.zones.iter().filter(|z| z.servers.len() > 1) {
        let Some(view) = zone.views.first().copied().filter(|v| asks(case, *v)) else { continue };
        let of_zone =
            asked.keys().filter(|(v, name, _)| *v == view && nearest(case.plan, view, name) == Some(&zone.apex));
        let split: Vec<Split> = of_zone.filter_map(|(_, name, kind)| split(context, zone, view, name, *kind)).collect();
        if !split.is_empty() {
            drafts.push(draft(context, zone, view, &split));
        }
    }
}

/// The declared zone that a name is in.
fn nearest<'a>(plan: &'a Plan, view: ViewId, name: &Name) -> Option<&'a Name> {
    let holds = |z: &&Zone| z.views.contains(&view) && name.is_under(z.apex.as_str());
    plan.zones.iter().filter(holds).map(|z| &z.apex).max_by_key(|a| a.as_str().len())
}

/// A question to which the servers gave different answers.
struct Split {
    name: Name,
    kind: RecordType,
    /// Who said what.
    said: BTreeMap<String, BTreeSet<String>>,
    looks: BTreeSet<Look>,
}

fn split(context: &Context, zone: &Zone, view: ViewId, name: &Name, kind: RecordType) -> Option<Split> {
    let counts_alone = zone.product.as_deref().is_some_and(|p| p.starts_with("windows"));
    if kind == RecordType::Soa && counts_alone {
        return None;
    }
    let mut split = Split { name: name.clone(), kind, said: BTreeMap::new(), looks: BTreeSet::new() };
    for server in &zone.servers {
        for word in told_by_server(context.case, view, &server.value, name, kind).0 {
            if let Some(text) = text(word.outcome) {
                split.said.entry(text).or_default().insert(word.resolver);
                split.looks.insert(word.look);
            }
        }
    }
    (split.said.len() > 1).then_some(split)
}

/// An answer without what differs from server to server anyway.
fn text(outcome: &DnsOutcome) -> Option<String> {
    let reply = outcome.reply()?;
    match reply.records.first().map(|r| &r.data) {
        Some(RecordData::Soa(soa)) => Some(format!("serial {}", soa.serial)),
        _ => Some(outcome.to_string()),
    }
}

fn draft(context: &Context, zone: &Zone, view: ViewId, split: &[Split]) -> Draft {
    let mut draft = beside::draft(context, &INFO, (zone.apex.as_str(), Some(view)), zone.span, &[]);
    draft.title = format!("the servers of {} do not hold the same zone", zone.apex);
    let servers: Vec<String> = zone.servers.iter().map(|s| s.value.to_string()).collect();
    let servers = wording::list(servers.iter().map(String::as_str));
    draft.expected = vec![format!("one serial and the same records at {servers}")];
    for s in split {
        let what = if s.kind == RecordType::Soa { String::new() } else { format!("{} {}: ", s.name, s.kind) };
        let parts =
            s.said.iter().map(|(text, who)| format!("{text} at {}", wording::list(who.iter().map(String::as_str))));
        draft.seen.push(format!("{what}{}", parts.collect::<Vec<_>>().join("; ")));
        draft.looks.extend(&s.looks);
    }
    draft.seen = wording::cut(draft.seen);
    draft.hurts = vec!["whoever asks the server that lags: the old records, for as long as caches keep them".into()];
    draft.remedy.cure = vec![format!(
        "see that each of {servers} transfers {} (NOTIFY, allow-transfer, TCP 53), and wait until the serials agree",
        zone.apex
    )];
    if let Some((who, which)) = split.iter().find_map(lagging) {
        draft.title = format!("{who} of the zone {} {which}", zone.apex);
        draft.remedy.cure = vec![format!(
            "{who} {which}: see that it can transfer {} (NOTIFY, allow-transfer, TCP 53), and wait until the serials agree",
            zone.apex
        )];
    }
    draft
}

/// Who has an older serial than another: `203.0.113.53` `lags (serial 6, the other has 7)`.
fn lagging(split: &Split) -> Option<(String, String)> {
    let serials: Option<Vec<(u32, &BTreeSet<String>)>> =
        split.said.iter().map(|(text, who)| Some((text.strip_prefix("serial ")?.parse().ok()?, who))).collect();
    // Serials go round (RFC 1982 section 3.2): the difference says which is newer.
    let (old, new) = match serials?.as_slice() {
        [(a, x), (b, y)] if b.wrapping_sub(*a) < 1 << 31 => ((*a, *x), (*b, *y)),
        [(a, x), (b, y)] if a.wrapping_sub(*b) < 1 << 31 => ((*b, *y), (*a, *x)),
        _ => return None,
    };
    let verb = if old.1.len() == 1 { "lags" } else { "lag" };
    let others = if new.1.len() == 1 { "the other has" } else { "the others have" };
    let who = wording::list(old.1.iter().map(String::as_str));
    Some((who, format!("{verb} (serial {}, {others} {})", old.0, new.0)))
}
