//! A zone inside hides names that stand outside.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::judge::RuleInfo;
use crate::judge::beside::{self, Host, asks, told};
use crate::judge::draft::{Context, Draft};
use crate::judge::wording;
use crate::model::dns::RecordType;
use crate::model::finding::Severity;
use crate::model::name::Name;
use crate::model::plan::{ViewId, ViewKind};
use crate::model::questions;
use crate::model::records::RecordData;
use crate::model::source::Span;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "internal-zone-shadows-public",
    family: "dns",
    severity: Severity::Error,
    summary: "an internal zone for a public domain lacks names that exist outside",
    citation: "RFC 6950 section 4; RFC 1034 section 4.2",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

The internal view has a zone of its own for a domain that is public too ([zones] says so, or its SOA is another one), and a
name that exists outside does not exist inside: the domain itself, www, autodiscover, or a host that takes its mail. Names
that the plan declares have obligations of their own.

# Why it matters

A zone answers for all of its names. What it lacks does not exist for clients inside, though the whole world sees it: staff
cannot reach their own web site after it moved to a hoster, and servers inside cannot deliver mail.

# Example

    expected  internal: www.example.com resolves, as outside (203.0.113.80)
    seen      NXDOMAIN from 10.0.0.53

# Cure

Copy the records into the internal zone, or replace the zone by one zone for each name that differs (a pinpoint zone).

# References

RFC 6950 section 4 (split DNS); https://www.dell.com/support/kbdoc/000134402
";

/// One finding per domain and internal view.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let plan = context.case.plan;
    let views = |kind| plan.view_ids().filter(move |v| plan.view(*v).kind == kind);
    let outside: Vec<ViewId> = views(ViewKind::External).filter(|v| asks(context.case, *v)).collect();
    let declared = questions::Declared::of(plan);
    for domain in questions::domains(plan) {
        for view in views(ViewKind::Internal).filter(|v| asks(context.case, *v)) {
            if !has_own_zone(context, &domain, view, &outside) {
                continue;
            }
            let names = questions::public_names(plan, &declared, &domain);
            // A waiver of one name says nothing of another.
            let mut groups: BTreeMap<Option<usize>, Vec<Hidden>> = BTreeMap::new();
            for found in names.iter().filter_map(|n| hidden(context, n, view, &outside)) {
                let labels = [found.name.as_str(), domain.as_str(), wording::view(plan, view)];
                groups.entry(context.waiver_on(&INFO, &labels)).or_default().push(found);
            }
            drafts.extend(groups.into_values().map(|hidden| draft(context, &domain, view, hidden)));
        }
    }
}

/// The plan says so, or the heads of the zone differ inside and outside.
fn has_own_zone(context: &Context, domain: &Name, view: ViewId, outside: &[ViewId]) -> bool {
    let mut zones = context.case.plan.zones.iter().filter(|z| z.apex == *domain);
    let head = |v: &ViewId| -> BTreeSet<(String, u32)> {
        let told = told(context, *v, domain, RecordType::Soa);
        let records = told.replies().flat_map(|(_, r)| &r.records);
        let soa = records.filter_map(|r| match &r.data {
            RecordData::Soa(soa) if soa.zone == domain.as_str() => Some((soa.primary.clone(), soa.serial)),
            _ => None,
        });
        soa.collect()
    };
    let inside = head(&view);
    let differs = |v: &ViewId| {
        let out = head(v);
        !inside.is_empty() && !out.is_empty() && inside.is_disjoint(&out)
    };
    zones.any(|z| z.views.contains(&view) && !z.views.iter().any(|v| outside.contains(v)))
        || outside.iter().any(differs)
}

/// A name that stands outside and not inside.
struct Hidden {
    name: Name,
    inside: Host,
    outside: Host,
    /// It has the addresses of a wildcard: perhaps nobody made it.
    wild: bool,
}

fn hidden(context: &Context, name: &Name, view: ViewId, outside: &[ViewId]) -> Option<Hidden> {
    let inside = beside::host(context, view, name);
    let hosts = outside.iter().map(|v| (*v, beside::host(context, *v, name))).filter(|(_, h)| !h.addresses.is_empty());
    let found: Vec<(bool, Host)> = hosts.map(|(v, h)| (is_wild(context, v, name, &h.addresses), h)).collect();
    let (wild, there) = found.into_iter().min_by_key(|(wild, _)| *wild)?;
    // What answers by the wildcard was perhaps made by nobody. Everybody types www all the same, and finds a site there or
    // a host of mail; autodiscover is looked for by machines, which do well without.
    let missed = !wild || !name.as_str().starts_with("autodiscover.");
    (inside.is_absent && missed).then(|| Hidden { name: name.clone(), inside, outside: there, wild })
}

/// True if a name has the addresses that a wildcard has, be it by the wildcard or by a record of its own.
fn is_wild(context: &Context, view: ViewId, name: &Name, addresses: &BTreeSet<IpAddr>) -> bool {
    let label = questions::unlikely_label(context.case.plan);
    let beside = name.parent().and_then(|p| Name::parse(&format!("{label}.{p}")).ok());
    beside.is_some_and(|n| beside::host(context, view, &n).addresses == *addresses)
}

fn draft(context: &Context, domain: &Name, view: ViewId, hidden: Vec<Hidden>) -> Draft {
    let (case, plan) = (context.case, context.case.plan);
    let at = plan.zones.iter().filter(|z| z.apex == *domain).map(|z| z.span);
    let at: Span =
        at.chain(plan.mail.iter().filter(|m| m.domain == *domain).map(|m| m.span)).next().unwrap_or_default();
    let names = wording::list(hidden.iter().map(|h| h.name.as_str()));
    let label = wording::view(plan, view);
    let all: Vec<&str> = hidden.iter().map(|h| h.name.as_str()).collect();
    let mut draft = beside::draft(context, &INFO, (domain.as_str(), Some(view)), at, &all);
    draft.title = format!("the zone {domain} of {label} hides {names}");
    let zone = super::zone_word(case, view);
    for h in &hidden {
        let addresses: Vec<String> = h.outside.addresses.iter().map(ToString::to_string).collect();
        let list = wording::list(addresses.iter().map(String::as_str));
        draft.expected.push(format!("{label}: {} resolves, as outside ({list})", h.name));
        draft.seen.extend(h.inside.said.iter().map(|s| format!("{}: {s}", h.name)));
        // The alias's addresses are somebody else's, who changes them; but at a zone's head no CNAME can stand.
        let alias = h.outside.alias.as_ref().filter(|_| h.name != *domain);
        if let Some(target) = alias {
            let target = target.trim_end_matches('.');
            let line = format!("{}. {} IN CNAME {target}.", h.name, plan.cutover.low_ttl);
            super::in_zone(&zone, line, &mut draft.remedy.cure);
        }
        for address in h.outside.addresses.iter().filter(|_| alias.is_none()) {
            let lines = super::add(case, view, &h.name, plan.cutover.low_ttl, *address);
            lines.into_iter().for_each(|line| super::in_zone(&zone, line, &mut draft.remedy.cure));
        }
        draft.looks.extend(h.inside.looks.iter().chain(&h.outside.looks));
    }
    if hidden.iter().all(|h| h.wild) {
        draft.severity = Severity::Warning;
        draft.seen.push(format!("outside {names} has the address of a wildcard, and perhaps no record of its own"));
    }
    draft.seen = wording::cut(draft.seen);
    draft.hurts = vec![format!("clients of {label}: {names} does not exist for them, though it stands outside")];
    draft
}
