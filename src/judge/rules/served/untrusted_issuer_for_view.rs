//! A view's clients do not trust a certificate.

use std::collections::BTreeSet;

use super::endpoint_serves_wrong_certificate::astray_keys;
use crate::judge::RuleInfo;
use crate::judge::case::Case;
use crate::judge::draft::{Context, Draft, Item, Key};
use crate::judge::problem::{CertificateFault, EndpointFault, Fault};
use crate::judge::wording;
use crate::model::certificate::BlobId;
use crate::model::finding::Severity;
use crate::model::plan::{TrustSource, ViewId, ViewKind};
use crate::pki::Untrusted;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "untrusted-issuer-for-view",
    family: "served",
    severity: Severity::Error,
    summary: "a certificate does not lead to an anchor that the view's clients trust",
    citation: "RFC 5280 section 6.1",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

No certification path leads from the certificate to one of the trust anchors of the view: it is self-signed, its issuer
is unknown there, or a path exists and is not valid (weak signature, not an authority, wrong usage, name constraints).

# Why it matters

A certificate of an internal authority works on domain members, which have its root by group policy, and fails on every
phone, partner and home computer. Both generations must be trusted by all who are led to them.

# Example

    [views.external]
    trust = [\"public\"]

and a server that serves a certificate of \"Corp Issuing CA\": trusted inside, refused outside.

# Cure

For clients outside, order from a public authority. For clients inside only, deploy the root to them and say so in the
view's `trust`. If an intermediate is missing instead, the finding would be chain-incomplete.

# References

RFC 5280 section 6.1; https://learn.microsoft.com/exchange/architecture/client-access/certificates
";

/// One finding per certificate, with all servers and views.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let groups = context.group(&INFO, |item| untrusted(item).map(|(leaf, _)| leaf));
    drafts.extend(groups.into_iter().map(|((leaf, waiver), items)| draft(context, leaf, waiver, &items)));
}

fn untrusted(item: &Item) -> Option<(BlobId, ViewId)> {
    match &item.problem.fault {
        Fault::Certificate(_, CertificateFault::SelfSigned { leaf, view }) => Some((*leaf, *view)),
        Fault::Endpoint(_, EndpointFault::Untrusted { leaf, view, why }) => match why {
            Untrusted::SelfSigned | Untrusted::UnknownIssuer { .. } => Some((*leaf, *view)),
            Untrusted::Weak(_) | Untrusted::Purpose(_) | Untrusted::Invalid(_) => Some((*leaf, *view)),
            Untrusted::MissingIntermediate { .. } => None,
        },
        _ => None,
    }
}

fn draft(context: &Context, leaf: BlobId, waiver: Option<usize>, items: &[Item]) -> Draft {
    let (case, plan) = (context.case, context.case.plan);
    let views: BTreeSet<ViewId> = items.iter().filter_map(untrusted).map(|(_, view)| view).collect();
    let listed = wording::view_list(plan, views.iter().copied());
    let mut draft = Draft::of(context, &INFO, items, waiver);
    draft.title = format!("clients of {listed} do not trust the certificate");
    if let (1, Some(view)) = (views.len(), views.first()) {
        draft.subject.view = Some(wording::view(plan, *view).to_string());
    }
    draft.expected = views
        .iter()
        .map(|v| format!("a path to an anchor of {}: {}", wording::view(plan, *v), trust(case, *v)))
        .collect();
    draft.seen = vec![wording::leaf(case, leaf)];
    draft.seen.extend(reasons(items));
    if is_alone(case, leaf, items) {
        draft.seen.push("it was sent without any other certificate".into());
    }
    draft.seen.extend(wording::spots(items));
    draft.hurts = wording::tries(case, items, context.assessed);
    draft.hurts.push(format!("clients of {listed}: a warning or no connection"));
    draft.remedy.cure = views.iter().map(|v| cure(case, *v)).collect::<BTreeSet<_>>().into_iter().collect();
    if is_alone(case, leaf, items) {
        draft.remedy.cure.push("or, if its authority is trusted there: have the server send its intermediate".into());
    }
    draft.keys.extend(items.iter().filter_map(|i| match &i.problem.fault {
        Fault::Endpoint(spot, _) => Some(Key::Served(spot.culprit, leaf)),
        _ => None,
    }));
    draft.keys.extend(astray_keys(items));
    if items.iter().all(is_refused) {
        draft.keys.insert(Key::Refused(leaf));
    }
    draft
}

/// True if somebody else issued the leaf and nothing else was sent: its intermediate may be all that is missing.
fn is_alone(case: &Case, leaf: BlobId, items: &[Item]) -> bool {
    let unknown = |i: &Item| {
        matches!(
            &i.problem.fault,
            Fault::Endpoint(_, EndpointFault::Untrusted { why: Untrusted::UnknownIssuer { .. }, .. })
        )
    };
    items.iter().any(unknown) && case.certificates.chain_of(leaf).is_some_and(|chain| chain.len() == 1)
}

/// True if the issuer is known, and the path is refused for a weakness or a purpose that has a rule of its own.
fn is_refused(item: &Item) -> bool {
    matches!(
        &item.problem.fault,
        Fault::Endpoint(_, EndpointFault::Untrusted { why: Untrusted::Weak(_) | Untrusted::Purpose(_), .. })
    )
}

fn reasons(items: &[Item]) -> Vec<String> {
    let reason = |item: &Item| match &item.problem.fault {
        Fault::Endpoint(_, EndpointFault::Untrusted { why, .. }) => Some(match why {
            Untrusted::SelfSigned => "self-signed, and no anchor of the view".to_string(),
            Untrusted::UnknownIssuer { issuer } => format!("nobody there knows its issuer {issuer}"),
            Untrusted::Weak(why) | Untrusted::Purpose(why) | Untrusted::Invalid(why) => {
                format!("its path is not valid: {why}")
            }
            Untrusted::MissingIntermediate { subject } => format!("{subject} is not sent"),
        }),
        _ => None,
    };
    let all: BTreeSet<String> = items.iter().filter_map(reason).collect();
    wording::cut(all.into_iter().collect())
}

fn trust(case: &Case, view: ViewId) -> String {
    let word = |source: &TrustSource| match source {
        TrustSource::Public => "public".to_string(),
        TrustSource::System => "system".to_string(),
        TrustSource::File(path) => path.clone(),
    };
    let words: Vec<String> = case.plan.view(view).trust.iter().map(|t| word(&t.value)).collect();
    wording::list(words.iter().map(String::as_str))
}

fn cure(case: &Case, view: ViewId) -> String {
    let label = wording::view(case.plan, view);
    match case.plan.view(view).kind {
        ViewKind::External => format!("serve {label} a certificate of a public authority"),
        ViewKind::Internal => {
            format!(
                "serve a certificate that {label} trusts; or deploy its root there and add it to `trust` of {label}"
            )
        }
    }
}
