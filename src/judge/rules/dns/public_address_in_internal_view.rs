//! Clients inside are sent to the public address of a server that they have inside.

use std::net::IpAddr;

use super::odd::{self, Odd};
use crate::judge::RuleInfo;
use crate::judge::draft::{Context, Draft, Item, Key};
use crate::judge::wording;
use crate::model::finding::Severity;
use crate::model::plan::{NameId, ViewId};

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "public-address-in-internal-view",
    family: "dns",
    severity: Severity::Warning,
    summary: "clients inside are given the public address of a server that has a private one",
    citation: "RFC 4787 section 6 (hairpinning); RFC 6950 section 4 (split DNS)",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

The plan gives the name's server a private address inside and a public one outside. A resolver inside answers with the
public one. That it is not the planned answer is said by resolves-to-unexpected-target, which follows from this.

# Why it matters

Clients inside go out to the firewall and have to come back in (hairpin). Many firewalls do not let them; others do, and
the server sees the firewall's address instead of the client's. It works for whoever tries it from home.

# Example

    expected  internal: A 10.0.0.10 (ex2010)
    seen      203.0.113.10 from 10.0.0.53

# Cure

Write the private address into the internal zone. Without an internal zone for the domain, make one for this name only (a
pinpoint zone). If hairpinning is meant, give the server its public address for the internal view in the plan.

# References

RFC 4787 section 6; RFC 6950 section 4; https://supertekboy.com/2014/05/27/designing-a-simple-name-space-for-exchange-2010/
";

/// One finding per name and view.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let groups = context.group(&INFO, |item| odd::about(context, item, Odd::PublicInside));
    drafts.extend(groups.into_iter().map(|((group, waiver), items)| draft(context, group, waiver, &items)));
}

fn draft(context: &Context, (name, view): (NameId, ViewId), waiver: Option<usize>, items: &[Item]) -> Draft {
    let plan = context.case.plan;
    let (name_text, view_text) = (&plan.name(name).name, wording::view(plan, view));
    let strays = odd::all_strays(items);
    let mut draft = odd::draft(context, &INFO, view, waiver, items);
    draft.title = format!("{name_text} has its public address {} in {view_text}", odd::words(&strays));
    let owner = |a: &IpAddr| plan.view_ids().find_map(|v| Some((v, context.case.owner(v, *a)?)));
    let line = |a: &IpAddr| {
        owner(a).map(|(v, t)| format!("{a} is {} as {} sees it", plan.target_label(t), wording::view(plan, v)))
    };
    draft.seen.extend(wording::cut(strays.iter().filter_map(line).collect()));
    draft.hurts = vec![format!("clients of {view_text}: they go out to the firewall, which may not let them back in")];
    draft
        .remedy
        .cure
        .push("or, if the firewall does hairpin and this is meant, write the public address into the plan".into());
    draft.keys.insert(Key::Hairpin(name, view));
    draft
}
