//! A DNS wildcard answers for names that nobody made.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::judge::RuleInfo;
use crate::judge::beside::{self, Word, asks, told};
use crate::judge::draft::{Context, Draft, Key};
use crate::judge::problem::{DnsFault, Fault};
use crate::judge::wording;
use crate::model::dns::RecordType;
use crate::model::finding::{Severity, TYPED};
use crate::model::name::Name;
use crate::model::plan::{NameId, ViewId, Wanted};
use crate::model::questions;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "wildcard-record-answers",
    family: "dns",
    severity: Severity::Warning,
    summary: "a DNS wildcard answers for names that are not in the plan, or are to be absent",
    citation: "RFC 4592 sections 2.2 and 3.3",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

A name that nobody can have made, with a label derived from the plan, has an address: the zone has a wildcard record
(`*.domain.com`). The plan lists no such wildcard, neither among its names nor in [records].

# Why it matters

A retired name never disappears, a forgotten one seems to be there, and autodiscover.DOMAIN answers at a web hoster that
has no certificate for it: Outlook stops and warns. New DNS providers like to add such a record.

# Example

    expected  no such name: coexist-0a1b2c3d4e5f.domain.com
    seen      198.51.100.250 from 9.9.9.9

# Cure

Delete the wildcard, and give each name that needs one a record of its own. If it is meant, say so in [records]:

    \"*.domain.com A\" = \"198.51.100.250\"

# References

RFC 4592; https://astaris.co.uk/blog/outlook-certificate-errors-mismatch-autodiscover
";

/// What a wildcard was seen to answer.
#[derive(Default)]
struct Wild<'a> {
    views: BTreeSet<ViewId>,
    words: Vec<Word<'a>>,
}

/// One finding per domain and answer.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let plan = context.case.plan;
    let label = questions::unlikely_label(plan);
    let mut found: BTreeMap<(Name, BTreeSet<IpAddr>), Wild> = BTreeMap::new();
    for parent in questions::parents(plan).into_iter().take(questions::WILDCARDS) {
        let Ok(name) = Name::parse(&format!("{label}.{parent}")) else { continue };
        for view in plan.view_ids().filter(|v| asks(context.case, *v)) {
            // Of each resolver the addresses of both types: one wildcard may have both.
            let mut by_resolver: BTreeMap<String, (BTreeSet<IpAddr>, Vec<Word>)> = BTreeMap::new();
            for told in RecordType::ALL.map(|kind| told(context, view, &name, kind)) {
                for (word, reply) in told.replies().filter(|(_, r)| !r.addresses.is_empty()) {
                    let (addresses, words) = by_resolver.entry(word.resolver.clone()).or_default();
                    addresses.extend(reply.addresses.iter().map(|a| a.address));
                    words.push(word.clone());
                }
            }
            for (addresses, words) in by_resolver.into_values() {
                let wild = found.entry((parent.clone(), addresses)).or_default();
                wild.views.insert(view);
                wild.words.extend(words);
            }
        }
    }
    leave_out_lower(context, &mut found);
    drafts.extend(found.iter().map(|((parent, addresses), wild)| draft(context, parent, addresses, wild, &label)));
}

/// A wildcard answers at any depth where nothing stands in between (RFC 4592 section 3.3.1): it is told once.
fn leave_out_lower(context: &Context, found: &mut BTreeMap<(Name, BTreeSet<IpAddr>), Wild>) {
    let all: Vec<(Name, BTreeSet<IpAddr>, BTreeSet<ViewId>)> =
        found.iter().map(|((p, a), w)| (p.clone(), a.clone(), w.views.clone())).collect();
    found.retain(|(parent, addresses), wild| {
        for (above, _, views) in
            all.iter().filter(|(p, a, _)| p != parent && a == addresses && parent.is_under(p.as_str()))
        {
            let is_same = |v: &ViewId| views.contains(v) && !is_cut_off(context, *v, parent, above, addresses);
            wild.views.retain(|v| !is_same(v));
        }
        !wild.views.is_empty()
    });
}

/// True if a name of the plan is there that keeps a wildcard from answering below a parent: one that shares more labels
/// with it than the wildcard's owner has is a closer encloser, or makes one (RFC 4592 sections 2.2.2 and 3.3.1).
fn is_cut_off(context: &Context, view: ViewId, parent: &Name, above: &Name, addresses: &BTreeSet<IpAddr>) -> bool {
    let labels = |name: &Name| name.as_str().split('.').count();
    let shared = |name: &Name| {
        let both = name.as_str().rsplit('.').zip(parent.as_str().rsplit('.'));
        both.take_while(|(one, other)| one == other).count()
    };
    let all = context.case.plan.names.iter().map(|n| &n.name).filter(|n| !n.is_wildcard());
    all.filter(|n| shared(n) > labels(above)).any(|name| {
        let host = beside::host(context, view, name);
        !host.addresses.is_empty() && host.addresses != *addresses
    })
}

fn draft(context: &Context, parent: &Name, addresses: &BTreeSet<IpAddr>, wild: &Wild, label: &str) -> Draft {
    let plan = context.case.plan;
    let names = plan.names.iter().filter(|n| n.name.is_under(parent.as_str()));
    let at = names.map(|n| n.span).next().unwrap_or_default();
    let views = wording::view_list(plan, wild.views.iter().copied());
    let view = if wild.views.len() == 1 { wild.views.first().copied() } else { None };
    let labels: Vec<&str> = wild.views.iter().map(|v| wording::view(plan, *v)).collect();
    let mut draft = beside::draft(context, &INFO, (parent.as_str(), view), at, &labels);
    draft.title = format!("*.{parent} answers in {views} for names that nobody made");
    draft.expected = vec![format!("no such name: {label}.{parent}")];
    draft.seen = beside::said(&wild.words);
    draft.hurts = vec![format!(
        "whoever asks for a retired or forgotten name below {parent}: a stranger may answer, and no test finds it missing"
    )];
    draft.remedy.cure = kept(context, parent, addresses, &wild.views);
    draft.remedy.cure.push(format!("delete *.{parent} ({}) from the zone of {views}", addresses_word(addresses)));
    draft.remedy.cure.push("if it is meant, in [records]:".into());
    draft.remedy.cure.extend(planned(parent, addresses).iter().map(|line| format!("{TYPED}{line}")));
    draft.looks = wild.words.iter().map(|w| w.look).collect();
    draft.keys = keys(context, parent, addresses, &wild.views);
    draft
}

/// Records to write before the wildcard goes: names that are wanted, or that everybody expects of a domain, and that have
/// its addresses. Nothing tells whether they have records of their own.
fn kept(context: &Context, parent: &Name, addresses: &BTreeSet<IpAddr>, views: &BTreeSet<ViewId>) -> Vec<String> {
    let (case, plan) = (context.case, context.case.plan);
    let declared = questions::Declared::of(plan);
    let usual = questions::public_names(plan, &declared, parent).into_iter().filter(|n| n.is_under(parent.as_str()));
    // Who expects autodiscover there is told so by the plan.
    let usual = usual.filter(|n| n != parent && !n.as_str().starts_with("autodiscover."));
    let wanted = |name: &NameId, view: ViewId| {
        let (first, second) = case.policy.moment(plan, view).phases();
        let leads = |phase| matches!(plan.name(*name).wanted(view, phase), Wanted::Targets(_));
        !plan.name(*name).name.is_wildcard() && [Some(first), second].into_iter().flatten().any(leads)
    };
    let mut out = Vec::new();
    for view in views {
        let zone = super::zone_word(case, *view);
        let names = (0..plan.names.len()).map(NameId).filter(|n| wanted(n, *view)).map(|n| plan.name(n).name.clone());
        let below = names.filter(|n| n.is_under(parent.as_str()) && n != parent);
        for name in below.chain(usual.clone()) {
            let host = beside::host(context, *view, &name);
            if host.addresses != *addresses || host.alias.is_some() {
                continue;
            }
            for address in addresses {
                let lines = super::add(case, *view, &name, plan.cutover.low_ttl, *address);
                lines.into_iter().for_each(|line| super::in_zone(&zone, line, &mut out));
            }
        }
    }
    if !out.is_empty() {
        out.insert(0, "names that are wanted have its address: see first that they have records of their own:".into());
    }
    out
}

/// The plan's lines for a wildcard that is meant.
fn planned(parent: &Name, addresses: &BTreeSet<IpAddr>) -> Vec<String> {
    let of = |kind: RecordType| -> Option<String> {
        let words: Vec<String> = addresses.iter().filter(|a| kind.holds(**a)).map(|a| format!("\"{a}\"")).collect();
        match words.as_slice() {
            [] => None,
            [one] => Some(format!("\"*.{parent} {kind}\" = {one}")),
            all => Some(format!("\"*.{parent} {kind}\" = [{}]", all.join(", "))),
        }
    };
    RecordType::ALL.into_iter().filter_map(of).collect()
}

fn addresses_word(addresses: &BTreeSet<IpAddr>) -> String {
    let words: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    wording::list(words.iter().map(String::as_str))
}

/// Names that are to be absent and have the wildcard's addresses, and candidates for autodiscover that have them.
fn keys(context: &Context, parent: &Name, addresses: &BTreeSet<IpAddr>, views: &BTreeSet<ViewId>) -> BTreeSet<Key> {
    let plan = context.case.plan;
    let unwanted = context.items().filter_map(|item| match &item.problem.fault {
        Fault::Dns(view, _, DnsFault::Unwanted { addresses: given, .. }) if given == addresses => {
            let name = item.obligation.name;
            plan.name(name).name.is_under(parent.as_str()).then_some(Key::Dns(name, *view))
        }
        _ => None,
    });
    let mut out: BTreeSet<Key> = unwanted.collect();
    for candidates in questions::candidates(plan) {
        for name in candidates.names.iter().filter(|n| n.parent() == Some(parent.as_str())) {
            let same = views.iter().filter(|v| beside::host(context, **v, name).addresses == *addresses);
            out.extend(same.map(|v| Key::Candidate(candidates.mail, *v)));
        }
    }
    out
}
