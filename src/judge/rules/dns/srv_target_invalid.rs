//! An SRV record leads nowhere, or elsewhere.

use std::collections::BTreeSet;

use super::{mx_target_invalid::key, record_differs};
use crate::judge::RuleInfo;
use crate::judge::beside::{self, asks, told};
use crate::judge::draft::{Context, Draft};
use crate::judge::wording;
use crate::model::dns::RecordType;
use crate::model::finding::Severity;
use crate::model::name::Name;
use crate::model::plan::{Autodiscover, ViewId};
use crate::model::questions;
use crate::model::records::RecordData;
use crate::model::source::Span;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "srv-target-invalid",
    family: "dns",
    severity: Severity::Warning,
    summary: "an SRV record is missing or not as planned, or its target is an alias or has no address",
    citation: "RFC 2782 (Target); RFC 6186 section 3",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

An SRV record of [records], or the one that autodiscover = \"srv\" of [mail] relies on, is missing, names another port or
host than planned, or its target is an alias, has no address, or is the root (\"no such service\").

# Why it matters

Clients that find a service by its SRV record try nothing else: no settings, no mail submission. The record is easily lost
when a domain changes its DNS provider, whose forms often have no SRV.

# Example

    expected  _submissions._tcp.example.org SRV 0 1 465 smtp.example.org.
    seen      0 1 587 smtp.example.org. from 9.9.9.9

# Cure

Write the record as planned; give its target A and AAAA records instead of a CNAME.

# References

RFC 2782; RFC 6186 (mail clients)
";

/// One finding per record and view.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let plan = context.case.plan;
    for record in plan.records.iter().filter(|r| r.kind == "SRV") {
        for view in plan.view_ids().filter(|v| record.values.get(v.0).is_some_and(Option::is_some)) {
            match record_differs::different(context, record, RecordType::Srv, view) {
                Some(told) => drafts.push(record_differs::draft(context, &INFO, record, view, &told)),
                None => drafts.extend(targets(context, &record.owner, view, record.span)),
            }
        }
    }
    let planned: BTreeSet<&Name> = plan.records.iter().filter(|r| r.kind == "SRV").map(|r| &r.owner).collect();
    for candidates in questions::candidates(plan) {
        let Some(mail) = plan.mail.get(candidates.mail) else { continue };
        if mail.autodiscover == Autodiscover::Srv && !planned.contains(&candidates.srv) {
            for view in plan.view_ids() {
                drafts.extend(missing(context, &candidates.srv, view, mail.span));
                drafts.extend(targets(context, &candidates.srv, view, mail.span));
            }
        }
    }
}

/// Clients are to find autodiscover by a record that is not there.
fn missing(context: &Context, owner: &Name, view: ViewId, at: Span) -> Option<Draft> {
    let told = told(context, view, owner, RecordType::Srv);
    let none = told.replies().all(|(_, r)| r.records.is_empty());
    if !asks(context.case, view) || !told.is_known() || !none {
        return None;
    }
    let label = wording::view(context.case.plan, view);
    let mut draft = beside::draft(context, &INFO, (owner.as_str(), Some(view)), at, &[]);
    draft.title = format!("there is no {owner} SRV in {label}");
    draft.expected = vec![format!("{owner} SRV, as autodiscover = \"srv\" says")];
    draft.seen = told.lines();
    draft.hurts = vec![format!("Outlook in {label}: it finds no settings")];
    let zone = super::zone_word(context.case, view);
    draft.remedy.cure = vec![format!("{zone}: {owner}. {} IN SRV 0 0 443 HOST.", context.case.plan.cutover.low_ttl)];
    draft.looks = told.looks().collect();
    Some(draft)
}

/// The targets of a record that cannot be reached.
fn targets(context: &Context, owner: &Name, view: ViewId, at: Span) -> Vec<Draft> {
    if !asks(context.case, view) {
        return Vec::new();
    }
    let told = told(context, view, owner, RecordType::Srv);
    let records: BTreeSet<&RecordData> = told.replies().flat_map(|(_, r)| &r.records).map(|r| &r.data).collect();
    let target = |r: &&RecordData| match r {
        RecordData::Srv { target, .. } => Some(target.clone()),
        _ => None,
    };
    let hosts: BTreeSet<String> = records.iter().filter_map(target).collect();
    hosts.iter().filter_map(|host| of_target(context, owner, view, host, at)).collect()
}

fn of_target(context: &Context, owner: &Name, view: ViewId, host: &str, at: Span) -> Option<Draft> {
    let (why, seen, looks) = match host {
        "." => ("says that there is no such service".to_string(), vec!["target .".to_string()], BTreeSet::new()),
        host => {
            let known = beside::host(context, view, &Name::parse_owner(host).ok()?);
            match (known.alias, known.is_absent) {
                (Some(to), _) => (format!("leads to {host}, an alias"), vec![format!("{host} -> {to}")], known.looks),
                (None, true) if beside::is_unconstrained(context.case, view, host) => return None,
                (None, true) => (format!("leads to {host}, which has no address"), known.said, known.looks),
                (None, false) => return None,
            }
        }
    };
    let label = wording::view(context.case.plan, view);
    let mut draft = beside::draft(context, &INFO, (owner.as_str(), Some(view)), at, &[host]);
    draft.title = format!("{owner} SRV {why} in {label}");
    draft.expected = vec!["a target with addresses of its own".into()];
    draft.seen = seen;
    draft.hurts = vec![format!("clients of {label} that find the service by this record: some or all do not reach it")];
    draft.remedy.cure = vec![match host {
        "." => format!("name the host of the service in {owner} SRV"),
        host => format!("give {host} A and AAAA records of its own, or name another host in {owner} SRV"),
    }];
    draft.looks = looks;
    draft.keys = key(context.case.plan, host, view).into_iter().collect();
    Some(draft)
}
