//! Who may send a domain's mail (RFC 7208): old and new servers before mail moves, the new ones only after.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;

use super::{blank, check, words};
use crate::cutover::draft::Draft;
use crate::cutover::history::UNKNOWN_TTL;
use crate::cutover::words::list;
use crate::cutover::{policies, reach};
use crate::model::cutover::{Ending, StepKind, Undo, Wait};
use crate::model::name::Name;
use crate::model::phase::Phase;
use crate::model::plan::{MailDomain, PlannedRecord, ViewId};
use crate::model::questions;

/// Before mail moves.
pub(in crate::cutover) fn widen(draft: &mut Draft) {
    let moves = |record: &&PlannedRecord| {
        let mail = draft.plan.mail.iter().find(|m| m.domain == record.owner);
        mail.is_some_and(|m| moves(draft, m) && !allows_all(draft, m, record))
    };
    let records: Vec<&PlannedRecord> = records(draft).filter(moves).collect();
    add(draft, &records, "let old and new servers send", WIDE);
    let guessed = records.iter().map(|r| &r.owner).filter(|o| !draft.facts.text_ttls.contains_key(*o));
    let lines: Vec<String> = guessed
        .map(|owner| {
            format!(
                "the old TTL of {owner} TXT (SPF): a day is taken, the longest in common use (a recording of an authoritative answer says better)"
            )
        })
        .collect();
    draft.facts.unknown.extend(lines);
}

/// What mail that moves waits for: receivers judge by the old record for as long as they keep it.
pub(in crate::cutover) fn waits(draft: &Draft, view: ViewId) -> Option<Wait> {
    let after = draft.last(StepKind::ChangeSpf).filter(|_| questions::outward(draft.plan).contains(&view))?;
    let domains = draft.steps[after].places.iter();
    let ttl = |domain: &std::sync::Arc<str>| {
        let known = Name::parse(domain).ok().and_then(|d| draft.facts.text_ttls.get(&d).copied());
        known.unwrap_or(UNKNOWN_TTL)
    };
    let ttl = domains.map(ttl).max().unwrap_or(UNKNOWN_TTL);
    let seconds = ttl.saturating_add(draft.plan.cutover.slack);
    Some(Wait { after, seconds, why: "receivers forget the old SPF record".into() })
}

/// Once no mail goes to the old hosts any more.
pub(in crate::cutover) fn narrow(draft: &mut Draft) {
    let Some(wide) = draft.last(StepKind::ChangeSpf) else { return };
    let domains: BTreeSet<String> = draft.steps[wide].places.iter().map(ToString::to_string).collect();
    let records: Vec<&PlannedRecord> = records(draft).filter(|r| domains.contains(r.owner.as_str())).collect();
    add(draft, &records, "let the new servers send only", "what is not needed any more is a door left open");
}

/// True if one of the hosts takes mail, before or after.
pub(in crate::cutover) fn are_exchanges(draft: &Draft, hosts: &[Name]) -> bool {
    let phases = [draft.facts.from, draft.facts.to];
    let mut exchanges = draft.plan.mail.iter().flat_map(|m| phases.map(|p| policies::exchanges(m, p))).flatten();
    exchanges.any(|exchange| hosts.contains(exchange))
}

const WIDE: &str = "receivers judge by what their caches hold: old and new servers have to be allowed while both send";

fn records<'a>(draft: &Draft<'a>) -> impl Iterator<Item = &'a PlannedRecord> + use<'a> {
    draft.plan.records.iter().filter(|r| r.kind == "TXT" && texts(r).any(|text| text.starts_with("v=spf1")))
}

fn texts(record: &PlannedRecord) -> impl Iterator<Item = &str> {
    record.values.iter().flatten().flatten().map(|text| text.trim_matches('"'))
}

/// True if other hosts take the domain's mail in the end, or the same at other addresses.
fn moves(draft: &Draft, mail: &MailDomain) -> bool {
    let views = questions::outward(draft.plan);
    views.iter().any(|view| {
        let unsettled = draft.unsettled(*view);
        super::change_mx::is_due(draft, *view)
            || policies::exchanges(mail, draft.facts.to).any(|host| unsettled.contains(host))
    })
}

/// True if the record's own text allows every address of the old and new hosts.
fn allows_all(draft: &Draft, mail: &MailDomain, record: &PlannedRecord) -> bool {
    let words = || texts(record).flat_map(str::split_whitespace);
    let net = |word: &str| -> Option<IpNet> {
        let text = word.strip_prefix("ip4:").or(word.strip_prefix("ip6:"))?;
        text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
    };
    let nets: Vec<IpNet> = words().filter_map(net).collect();
    let addresses = addresses(draft, mail);
    !addresses.is_empty() && addresses.iter().all(|a| nets.iter().any(|n| n.contains(a)))
}

fn addresses(draft: &Draft, mail: &MailDomain) -> BTreeSet<IpAddr> {
    let mut out = BTreeSet::new();
    for view in questions::outward(draft.plan) {
        for phase in [draft.facts.from, draft.facts.to] {
            let names = policies::exchanges(mail, phase).filter_map(|host| draft.name(host));
            let targets = names.flat_map(|name| reach::targets(name, view, phase));
            out.extend(targets.flat_map(|t| draft.plan.target_addresses(t, view, phase)));
        }
    }
    out
}

fn add(draft: &mut Draft, records: &[&PlannedRecord], action: &'static str, why: &'static str) {
    let Some(first) = records.first() else { return };
    let owners = list(records.iter().map(|r| &r.owner));
    let mut step = blank(StepKind::ChangeSpf, format!("{owners}: {action}"), why);
    let wanted = records.iter().flat_map(|r| texts(r).map(|v| format!("in the plan: {} TXT {v}", r.owner)));
    let mut lines = vec![action.to_string()];
    lines.extend(wanted);
    lines.dedup();
    step.commands = vec![words(&"".into(), lines)];
    step.places = records.iter().map(|r| r.owner.shared()).collect();
    step.span = first.span;
    step.in_window = true;
    step.ending = Ending::Observed(draft.plan.cutover.propagation.iter().max().copied().unwrap_or(0));
    step.verify = Some(check(draft, &format!("--phase {} --only dns", phase(draft, action))));
    step.undo = Some(Undo { how: "the old record again".into(), settles: 0, commands: Vec::new() });
    draft.push(step);
}

fn phase(draft: &Draft, action: &str) -> Phase {
    if action.contains("old") { draft.facts.from } else { draft.facts.to }
}
