//! Something seems to answer in the place of a view's resolvers.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::judge::RuleInfo;
use crate::judge::draft::{Context, Draft, Item};
use crate::judge::problem::{DnsFault, Fault};
use crate::judge::truth::Truth;
use crate::judge::wording;
use crate::model::finding::Severity;
use crate::model::plan::ViewId;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "dns-interception-suspected",
    family: "dns",
    severity: Severity::Warning,
    summary: "something between seems to answer in the place of a view's resolvers",
    citation: "RFC 7858 section 3; RFC 8484; RFC 5625 section 4",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

A resolver of an external view gave several names the addresses that the plan wants inside and not outside, and never an
answer that only the outside has. A firewall that redirects port 53 to the inside resolver does that.

Or every resolver that is asked in the clear gave one and the same address for whatever name it was asked, an address
that the plan does not know. A captive portal does that until somebody logs in; so would a wildcard record in all zones.

# Why it matters

What was heard is the inside's, whoever was asked. The external view was not seen, so what rests on these answers counts
as not told: it is neither right nor wrong.

# Example

    [views.external]
    resolvers = [\"9.9.9.9\"]

asked from an office network whose firewall answers all DNS itself, or from a hotel before its page was clicked away.

# Cure

Declare a resolver by TLS or HTTPS, which cannot be redirected unseen (\"tls://9.9.9.9\"), or look from outside and merge
the recording. If the addresses are really published, an encrypted resolver will show it. In a guest network log in first.

# References

RFC 7858; RFC 8484; RFC 5625 section 4 (DNS proxies)
";

/// One finding per view. Nothing is known to be wrong.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let view = |item: &Item| match &item.problem.fault {
        Fault::Dns(view, _, DnsFault::Intercepted) => Some(*view),
        _ => None,
    };
    let groups = context.group(&INFO, view);
    drafts.extend(groups.into_iter().map(|((view, waiver), items)| draft(context, view, waiver, &items)));
}

fn draft(context: &Context, view: ViewId, waiver: Option<usize>, items: &[Item]) -> Draft {
    let (case, plan) = (context.case, context.case.plan);
    let label = wording::view(plan, view);
    // Where an encrypted resolver of the view was heard, nothing is left open.
    let open: Vec<Item> =
        items.iter().filter(|i| context.assessed[i.index].truth == Truth::Unobserved).copied().collect();
    let mut draft = Draft::of(context, &INFO, items, waiver);
    draft.open_question = !open.is_empty();
    draft.obligations = open.iter().map(|i| i.index).collect();
    draft.expected = vec![format!("the answers that clients of {label} get")];
    let portal = &context.suspicion.one_answer;
    let from = wording::resolvers(case, items);
    (draft.title, draft.seen) = match portal.is_empty() {
        true => (
            format!("the resolvers of {label} answer as if they were inside"),
            vec![format!("private addresses or the inside's answers from {from}")],
        ),
        false => (
            format!("the resolvers of {label} give one answer for every name, as a captive portal does"),
            vec![format!("{} for every name, from {from}", addresses(portal))],
        ),
    };
    draft.hurts = vec![format!("this run: it did not see {label}")];
    if !portal.is_empty() {
        draft.remedy.next.push("log in to this network if it is a guest's, or look from another one".into());
    }
    draft.remedy.next.extend([
        "declare a resolver that cannot be redirected: \"tls://9.9.9.9\" or \"https://1.1.1.1/dns-query\"".into(),
        "or look from outside".into(),
    ]);
    draft.remedy.next.extend(wording::stand(case, view));
    draft
}

fn addresses(all: &BTreeSet<IpAddr>) -> String {
    wording::cut(all.iter().map(IpAddr::to_string).collect()).join(", ")
}
