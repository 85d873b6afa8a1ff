//! A forgotten AAAA beside right A records.

use super::odd::{self, Odd};
use crate::judge::RuleInfo;
use crate::judge::draft::{Context, Draft, Item};
use crate::judge::problem::{DnsFault, Fault};
use crate::judge::wording;
use crate::model::finding::Severity;
use crate::model::obligation::Claim;
use crate::model::plan::{NameId, ViewId};

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "stale-or-unplanned-aaaa",
    family: "dns",
    severity: Severity::Error,
    summary: "the A records are as planned, and an AAAA record leads elsewhere",
    citation: "RFC 6724 section 6; RFC 8305 section 2; RFC 3596 section 2",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

The name's A records are those of its target. It has an AAAA record too, and the plan knows none, or another: it was
forgotten when the A record was flipped, or made by something that registers itself.

# Why it matters

Clients with IPv6 take the AAAA first and meet another machine: the old server, or nobody. An administrator who looks at
the A record sees nothing wrong. Certificate authorities that validate over the network prefer IPv6 as well.

# Example

    expected  external: A 198.51.100.9 (new)
    seen      198.51.100.9, 2001:db8:7::7 from 9.9.9.9

# Cure

Delete the AAAA, or change it in the same step as the A record. If it is right, write the address into the plan.

# References

RFC 6724 section 6 and RFC 8305 section 2 (which address a client tries first); RFC 3596 section 2 (AAAA)
";

/// One finding per name and view.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let groups = context.group(&INFO, |item| odd::about(context, item, Odd::Aaaa));
    drafts.extend(groups.into_iter().map(|((group, waiver), items)| draft(context, group, waiver, &items)));
}

fn draft(context: &Context, (name, view): (NameId, ViewId), waiver: Option<usize>, items: &[Item]) -> Draft {
    let (case, plan) = (context.case, context.case.plan);
    let (name_text, view_text) = (&plan.name(name).name, wording::view(plan, view));
    let strays = odd::words(&odd::all_strays(items));
    let mut draft = odd::draft(context, &INFO, view, waiver, items);
    draft.title = match items.iter().any(wants_aaaa) {
        true => format!("the AAAA of {name_text} leads elsewhere in {view_text}: {strays}"),
        false => format!("{name_text} has an AAAA in {view_text} that the plan does not know: {strays}"),
    };
    let old = odd::all_strays(items).iter().any(|a| case.owner(view, *a).is_some());
    draft.hurts = vec![match old {
        true => format!("clients of {view_text} with IPv6: they are led to another server than the others"),
        false => format!("clients of {view_text} with IPv6: they try it first, whoever is there"),
    }];
    draft
}

fn wants_aaaa(item: &Item) -> bool {
    let wanted = matches!(&*item.obligation.claim, Claim::Resolves { expected, .. }
        if expected.present.iter().any(|p| p.addresses.iter().any(std::net::IpAddr::is_ipv6)));
    wanted && matches!(item.problem.fault, Fault::Dns(_, _, DnsFault::Unexpected { .. }))
}
