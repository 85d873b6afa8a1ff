//! A host that takes a domain's mail cannot be one.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::record_differs;
use crate::judge::RuleInfo;
use crate::judge::beside::{self, outward, told};
use crate::judge::draft::{Context, Draft, Key};
use crate::judge::evidence::Look;
use crate::judge::wording;
use crate::model::dns::RecordType;
use crate::model::finding::Severity;
use crate::model::name::Name;
use crate::model::plan::{NameId, Plan, ViewId};
use crate::model::questions;
use crate::model::records::RecordData;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "mx-target-invalid",
    family: "dns",
    severity: Severity::Error,
    summary: "an MX host does not exist, has no address, is an alias or is no host name",
    citation: "RFC 5321 section 5.1; RFC 2181 section 10.3; RFC 7505 section 3",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

A host that DNS or the plan names as MX of a mail domain has no address or does not exist, is an alias (CNAME), is an IP
address instead of a name, or is the root (\"takes no mail\") beside others. Judged in the external views.

# Why it matters

Senders skip such a host, or refuse the domain: mail waits for days and then bounces, and nobody inside sees it. That an
alias often works makes it worse: it depends on the sender.

# Example

    expected  mail.example.org has addresses of its own
    seen      mail.example.org -> www.example.org

# Cure

Give the host A and AAAA records, or name another host in the MX record.

# References

RFC 5321 section 5.1; RFC 2181 section 10.3 (no aliases); RFC 7505 (null MX); RFC 1035 section 3.3.9
";

/// What is wrong with a host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Wrong {
    Address,
    NullBeside,
    Alias(String),
    Absent,
}

/// One finding per domain and host.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    for (index, mail) in context.case.plan.mail.iter().enumerate() {
        let mut wrong: BTreeMap<(String, Wrong), (BTreeSet<ViewId>, BTreeSet<Look>)> = BTreeMap::new();
        for view in outward(context.case) {
            for (host, looks) in hosts(context, index, &mail.domain, view) {
                if let Some((why, more)) = fault(context, view, &host) {
                    let entry = wrong.entry((host, why)).or_default();
                    entry.0.insert(view);
                    entry.1.extend(looks.into_iter().chain(more));
                }
            }
        }
        for ((host, why), (views, looks)) in wrong {
            drafts.push(draft(context, index, (&host, &why), &views, looks));
        }
    }
}

/// The hosts that DNS names, and those that the plan wants; a null MX only where others stand beside it.
fn hosts(context: &Context, mail: usize, domain: &Name, view: ViewId) -> BTreeMap<String, BTreeSet<Look>> {
    let case = context.case;
    let told = told(context, view, domain, RecordType::Mx);
    let mut out: BTreeMap<String, BTreeSet<Look>> = BTreeMap::new();
    for (word, _) in told.replies() {
        let records = word.records().unwrap_or_default();
        for record in &records {
            let RecordData::Mx { exchange, .. } = record else { continue };
            if exchange != "." || records.len() > 1 {
                out.entry(exchange.clone()).or_default().insert(word.look);
            }
        }
    }
    for host in questions::mx_wanted(case.plan, case.policy, view, mail).into_iter().flatten() {
        out.entry(host.value.to_string()).or_default();
    }
    out
}

fn fault(context: &Context, view: ViewId, host: &str) -> Option<(Wrong, BTreeSet<Look>)> {
    if host == "." {
        return Some((Wrong::NullBeside, BTreeSet::new()));
    }
    if host.parse::<IpAddr>().is_ok() {
        return Some((Wrong::Address, BTreeSet::new()));
    }
    let known = beside::host(context, view, &Name::parse_owner(host).ok()?);
    match known.alias {
        Some(to) => Some((Wrong::Alias(to), known.looks)),
        None if beside::is_unconstrained(context.case, view, host) => None,
        None => known.is_absent.then_some((Wrong::Absent, known.looks)),
    }
}

fn draft(
    context: &Context,
    index: usize,
    (host, why): (&str, &Wrong),
    views: &BTreeSet<ViewId>,
    looks: BTreeSet<Look>,
) -> Draft {
    let plan = context.case.plan;
    let mail = &plan.mail[index];
    let domain = mail.domain.as_str();
    let view = if views.len() == 1 { views.first().copied() } else { None };
    let spans = mail.mx.iter().flatten().flatten().filter(|m| m.value.as_str() == host).map(|m| m.span);
    let mut draft =
        beside::draft(context, &INFO, (domain, view), spans.chain([mail.span]).next().unwrap_or_default(), &[host]);
    draft.expected = vec![format!("{host} is a host name with addresses of its own")];
    let in_views = wording::view_list(plan, views.iter().copied());
    let (title, seen, cure) = match why {
        Wrong::Address => (
            "is an address, not a host name",
            format!("MX {host}"),
            format!("name a host in the MX of {domain}, and give it the address"),
        ),
        Wrong::NullBeside => (
            "stands beside others, and says that the domain takes no mail",
            "MX 0 .".into(),
            format!("delete \"{domain}. MX 0 .\""),
        ),
        Wrong::Alias(to) => (
            "is an alias",
            format!("{host} -> {to}"),
            format!("replace the CNAME of {host} by A and AAAA records, or name {to} in the MX of {domain}"),
        ),
        Wrong::Absent => (
            "has no address",
            format!("no address for {host} in {in_views}"),
            format!("give {host} an A record, or take it out of the MX of {domain}"),
        ),
    };
    draft.title = format!("the MX host {host} of {domain} {title}");
    draft.seen = vec![seen];
    draft.hurts = vec![format!("whoever sends mail to {domain}: it waits, then bounces; some senders refuse at once")];
    draft.remedy.cure = vec![cure];
    draft.looks = looks;
    draft.keys = views.iter().filter_map(|v| key(plan, host, *v)).collect();
    for view in views {
        match (stands(context, index, *view, host), why) {
            (Stands::Wanted, _) => {}
            (_, Wrong::Alias(to)) if stands(context, index, *view, to) == Stands::Wanted => {
                draft.keys.insert(Key::MxAlias(index, *view));
                draft.remedy.cure = record_differs::mx_cure(context, index, *view);
            }
            (Stands::Stray, _) => drop(draft.keys.insert(Key::MxStray(index, *view))),
            (Stands::Unplanned, _) => {}
        }
    }
    draft
}

/// How a host stands to the plan.
#[derive(PartialEq, Eq)]
enum Stands {
    Wanted,
    Stray,
    /// The plan says nothing of the hosts.
    Unplanned,
}

fn stands(context: &Context, mail: usize, view: ViewId, host: &str) -> Stands {
    let wanted = questions::mx_wanted(context.case.plan, context.case.policy, view, mail);
    match wanted.iter().flat_map(|hosts| hosts.iter()).any(|h| h.value.as_str() == host.trim_end_matches('.')) {
        true => Stands::Wanted,
        false if wanted.is_empty() => Stands::Unplanned,
        false => Stands::Stray,
    }
}

/// The fact that it shares with a name of the plan.
pub(super) fn key(plan: &Plan, host: &str, view: ViewId) -> Option<Key> {
    let name = plan.names.iter().position(|n| n.name.as_str() == host)?;
    Some(Key::Dns(NameId(name), view))
}
