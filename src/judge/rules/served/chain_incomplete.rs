//! A server does not send an intermediate.

use std::collections::BTreeSet;

use super::endpoint_serves_wrong_certificate::astray_keys;
use crate::judge::RuleInfo;
use crate::judge::draft::{Context, Draft, Item, Key, target_of};
use crate::judge::problem::{Culprit, EndpointFault};
use crate::judge::wording;
use crate::model::certificate::BlobId;
use crate::model::finding::Severity;
use crate::pki::Untrusted;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "chain-incomplete",
    family: "served",
    severity: Severity::Error,
    summary: "a server does not send an intermediate certificate that its clients need",
    citation: "RFC 8446 section 4.4.2; RFC 5246 section 7.4.2",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

The certificate would lead to an anchor that the clients trust, but the server does not send an intermediate between the
two. The intermediate is known from the plan's files or from another server.

# Why it matters

Windows clients and some browsers fetch or remember intermediates, so the administrator sees no fault. Phones, Java,
mail servers and gateways do not, and fail: \"iPhones work, Windows phones do not\", \"SSL error 61\".

# Example

A leaf was imported on a reverse proxy without its intermediate. openssl s_client -showcerts prints one certificate only.

# Cure

On Windows import the intermediate into the computer's Intermediate Certification Authorities store and restart the
service. Elsewhere serve a file that holds the leaf and then the intermediates (fullchain.pem), without the root.

# References

RFC 8446 section 4.4.2; RFC 5246 section 7.4.2; https://support.citrix.com/article/CTX101990
";

/// One finding per server and leaf: each server needs its own copy.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let key = |item: &Item| match wording::endpoint_fault(item)? {
        (spot, EndpointFault::Untrusted { leaf, why: Untrusted::MissingIntermediate { .. }, .. }) => {
            Some((spot.culprit, *leaf))
        }
        _ => None,
    };
    let groups = context.group(&INFO, key);
    drafts.extend(groups.into_iter().map(|((group, waiver), items)| draft(context, group, waiver, &items)));
}

fn draft(context: &Context, (culprit, leaf): (Culprit, BlobId), waiver: Option<usize>, items: &[Item]) -> Draft {
    let (case, plan) = (context.case, context.case.plan);
    let who = wording::culprit(plan, culprit);
    let subjects: BTreeSet<&str> = items.iter().filter_map(|i| missing(i)).collect();
    let missing = wording::list(subjects);
    let mut draft = Draft::of(context, &INFO, items, waiver);
    draft.title = format!("{who} does not send the intermediate {missing}");
    draft.expected = vec![format!("the certificate, then {missing}")];
    draft.seen = vec![wording::leaf(case, leaf)];
    draft.seen.extend(wording::spots(items));
    draft.hurts = vec!["clients that do not fetch intermediates: phones, Java, mail servers, gateways".into()];
    let windows = target_of(culprit)
        .and_then(|t| wording::product(plan, t))
        .is_some_and(|p| p.starts_with("exchange-") || p.starts_with("windows-"));
    draft.remedy.cure = vec![match windows {
        true => {
            format!("on {who}: import {missing} into the computer store \"Intermediate Certification Authorities\"")
        }
        false => format!("on {who}: append {missing} to the served certificate file (fullchain.pem) and reload"),
    }];
    draft.keys.insert(Key::Served(culprit, leaf));
    draft.keys.extend(astray_keys(items));
    draft
}

fn missing<'a>(item: &Item<'a>) -> Option<&'a str> {
    match wording::endpoint_fault(item)?.1 {
        EndpointFault::Untrusted { why: Untrusted::MissingIntermediate { subject }, .. } => Some(subject),
        _ => None,
    }
}
