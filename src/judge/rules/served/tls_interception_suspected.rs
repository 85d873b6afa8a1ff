//! A proxy seems to break TLS open between the vantage and the servers.

use std::collections::BTreeSet;

use crate::judge::RuleInfo;
use crate::judge::draft::{Context, Draft, Item};
use crate::judge::problem::EndpointFault;
use crate::judge::wording;
use crate::model::finding::Severity;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "tls-interception-suspected",
    family: "served",
    severity: Severity::Warning,
    summary: "servers that have nothing in common seem to share an issuer that the plan does not know",
    citation: "RFC 8446 appendix C.5; NIST SP 800-52 Rev. 2 section 2.2",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

Several servers that have nothing in common served certificates of one issuer that none of the declared certificates
has and that not every view trusts, each made for just the name that was asked. That is what a proxy does which breaks
TLS open to inspect it.

# Why it matters

What was seen is the proxy's, not the servers'. Neither a pass nor a failure could be believed, so all that it touches
counts as not told.

# Example

    seen  issuer CN=Corp Web Gateway CA at ex2010 and www

# Cure

Run from a place without inspection, or have the inspection except these servers. If the issuer is meant, declare a
certificate of it in the plan.

# References

RFC 8446 appendix C.5; RFC 5280 section 6.1
";

/// One finding per issuer. It is an open question: nothing is known to be wrong.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let issuer = |item: &Item| match wording::endpoint_fault(item)?.1 {
        EndpointFault::Intercepted { leaf } => {
            Some(context.case.certificates.facts(*leaf).map_or_else(|_| String::new(), |f| f.issuer.to_string()))
        }
        _ => None,
    };
    let groups = context.group(&INFO, issuer);
    drafts.extend(groups.into_iter().map(|((issuer, waiver), items)| draft(context, &issuer, waiver, &items)));
}

fn draft(context: &Context, issuer: &str, waiver: Option<usize>, items: &[Item]) -> Draft {
    let plan = context.case.plan;
    let culprits: BTreeSet<String> = items
        .iter()
        .filter_map(|i| wording::endpoint_fault(i))
        .map(|(s, _)| wording::culprit(plan, s.culprit))
        .collect();
    let mut draft = Draft::of(context, &INFO, items, waiver);
    draft.open_question = true;
    draft.title =
        format!("{} look as if a proxy answered for them", wording::list(culprits.iter().map(String::as_str)));
    draft.expected = wording::wanted(context.case, &wording::wanted_by(items));
    draft.seen = vec![format!("issuer {issuer}, of none of the declared certificates")];
    draft.seen.extend(wording::spots(items));
    draft.hurts = vec!["this run: what it saw there may be the proxy's".into()];
    draft.remedy.next = vec!["run again from a place where TLS is not inspected".into()];
    draft
}
