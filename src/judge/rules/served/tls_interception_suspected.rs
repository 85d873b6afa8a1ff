//! A proxy seems to break TLS open between the vantage and the servers.

use std::collections::BTreeSet;

use crate::judge::RuleInfo;
use crate::judge::draft::{Context, Draft, Item};
use crate::judge::problem::EndpointFault;
use crate::judge::wording;
use crate::model::certificate::BlobId;
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
TLS open to inspect it. The web site of an MTA-STS policy counts as a server, if it is at none of the plan's addresses.

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
    let listed = wording::list(culprits.iter().map(String::as_str));
    draft.title = match culprits.len() {
        1 => format!("{listed} looks as if a proxy answered for it"),
        _ => format!("{listed} look as if a proxy answered for them"),
    };
    draft.expected = wording::wanted(context.case, &wording::wanted_by(items));
    draft.seen = vec![format!("issuer {issuer}, of none of the declared certificates")];
    draft.seen.extend(wording::spots(items));
    draft.seen.extend(wording::cut(elsewhere(context, issuer, items)));
    draft.hurts = vec!["this run: what it saw there may be the proxy's".into()];
    draft.remedy.next = vec!["run again from a place where TLS is not inspected".into()];
    draft
}

/// Certificates of the issuer that other sites showed.
fn elsewhere(context: &Context, issuer: &str, items: &[Item]) -> Vec<String> {
    let case = context.case;
    let here: BTreeSet<BlobId> = items.iter().filter_map(|i| wording::endpoint_fault(i)?.1.leaf()).collect();
    let is_theirs = |leaf: &&BlobId| case.certificates.facts(**leaf).is_ok_and(|f| f.issuer.to_string() == issuer);
    let others = context.suspicion.leaves.iter().filter(|leaf| !here.contains(leaf)).filter(is_theirs);
    others.map(|leaf| format!("of the same issuer: {}", wording::leaf(case, *leaf))).collect()
}
