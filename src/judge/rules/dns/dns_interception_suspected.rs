//! Something seems to answer in the place of a view's resolvers.

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
    summary: "an external view's resolvers answer as if they were inside",
    citation: "RFC 7858 section 3; RFC 8484; RFC 5625 section 4",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

A resolver of an external view gave several names the addresses that the plan wants inside and not outside, and never an
answer that only the outside has. A firewall that redirects port 53 to the inside resolver does that.

# Why it matters

What was heard is the inside's, whoever was asked. The external view was not seen, so what rests on these answers counts
as not told: it is neither right nor wrong.

# Example

    [views.external]
    resolvers = [\"9.9.9.9\"]

asked from an office network whose firewall answers all DNS itself.

# Cure

Declare a resolver by TLS or HTTPS, which cannot be redirected unseen (\"tls://9.9.9.9\"), or look from outside and merge
the recording. If the private addresses are really published, an encrypted resolver will show it.

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
    draft.title = format!("the resolvers of {label} answer as if they were inside");
    draft.expected = vec![format!("the answers that clients of {label} get")];
    draft.seen = vec![format!("private addresses or the inside's answers from {}", wording::resolvers(case, items))];
    draft.hurts = vec![format!("this run: it did not see {label}")];
    draft.remedy.next = vec![
        "declare a resolver that cannot be redirected: \"tls://9.9.9.9\" or \"https://1.1.1.1/dns-query\"".into(),
        "or look from outside".into(),
    ];
    draft.remedy.next.extend(wording::stand(case, view));
    draft
}
