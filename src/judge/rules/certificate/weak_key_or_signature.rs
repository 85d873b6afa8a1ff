//! A key or a signature is too weak for today's clients.

use std::collections::{BTreeMap, BTreeSet};

use crate::judge::RuleInfo;
use crate::judge::abilities;
use crate::judge::draft::{Context, Draft, Key};
use crate::judge::in_use::{InUse, called, servers};
use crate::judge::wording;
use crate::model::certificate::{BlobId, CertificateFacts};
use crate::model::finding::Severity;
use crate::model::plan::{CertId, Pool};
use crate::pki::Untrusted;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "weak-key-or-signature",
    family: "certificate",
    severity: Severity::Error,
    summary: "a certificate or its intermediate has an RSA key below 2048 bits, or is signed with SHA-1 or MD5",
    citation: "CA/Browser Forum Baseline Requirements 6.1.5 and 7.1.3.2; RFC 9155",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

The certificate, or an intermediate by which it leads to its anchor, has an RSA key of fewer than 2048 bits or a DSA key,
or its signature is by SHA-1 or MD5. The signature of a self-signed certificate is not judged: nobody relies on it.

# Why it matters

Current clients refuse it, and the old ones that take it are those that nobody looks at. It is common on servers of 2003,
whose certificate was made years ago and is meant to be kept for the coexistence.

# Example

    seen  2F8A...  CN=mail.domain.com   RSA 1024, sha1WithRSAEncryption

# Cure

Order again with a new key of RSA 2048 or more, or of EC P-256 if no Windows Server 2003 serves it, from an issuer whose intermediates are signed with SHA-2,
and serve the new one wherever the old one is served. A Windows Server 2003 reads SHA-2 with KB968730 only.

# References

CA/Browser Forum Baseline Requirements 6.1.5 (key sizes) and 7.1.3.2 (signatures); RFC 9155; RFC 6151
";

/// One finding per certificate that is weak: a leaf, or an intermediate with all leaves below it.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let mut found: BTreeMap<BlobId, Vec<(&InUse, &CertificateFacts)>> = BTreeMap::new();
    for (used, facts) in context.in_use() {
        let offender = if is_weak(facts) { Some(used.leaf) } else { issuer(context, used, facts) };
        offender.into_iter().for_each(|id| found.entry(id).or_default().push((used, facts)));
    }
    for (offender, leaves) in found {
        let obligations: BTreeSet<usize> = leaves.iter().flat_map(|(u, _)| u.obligations.iter().copied()).collect();
        let certificates: Vec<CertId> = leaves.iter().flat_map(|(u, _)| u.certificates.iter().copied()).collect();
        for (waiver, obligations) in context.by_waiver(&INFO, obligations, &certificates) {
            drafts.push(draft(context, offender, &leaves, waiver, obligations));
        }
    }
}

/// What is too weak about a certificate, in words; `None` if nothing is.
pub(in crate::judge) fn weakness(facts: &CertificateFacts) -> Option<String> {
    is_weak(facts).then(|| reasons(facts))
}

fn is_weak(facts: &CertificateFacts) -> bool {
    is_weak_key(&facts.key) || (!facts.is_self_issued() && is_weak_signature(&facts.signature))
}

fn is_weak_key(key: &str) -> bool {
    let bits = key.strip_prefix("RSA ").or_else(|| key.strip_prefix("RSA-PSS ")).and_then(|b| b.parse::<u32>().ok());
    bits.map_or(key == "DSA", |bits| bits < 2048)
}

fn is_weak_signature(signature: &str) -> bool {
    ["md2", "md5", "sha1"].iter().any(|hash| signature.starts_with(hash)) || signature.ends_with("-SHA1")
}

/// The weak intermediate by which a leaf leads to its anchor: where a view's clients refuse its path for a weakness, the
/// first weak one on the way up; where no anchors are known, its own issuer, if the chain has no better one.
fn issuer(context: &Context, used: &InUse, facts: &CertificateFacts) -> Option<BlobId> {
    let certificates = &context.case.certificates;
    let views: Vec<_> = context.case.plan.view_ids().filter(|v| certificates.has_anchors(*v)).collect();
    let others: Vec<&CertificateFacts> =
        used.chain().iter().skip(1).filter_map(|id| certificates.facts(*id).ok()).collect();
    if !others.iter().any(|f| is_weak(f)) {
        return None;
    }
    let refused = |view| {
        let path = certificates.declared_path(used.chain(), view);
        path.is_some_and(|p| matches!(p.untrusted, Some(Untrusted::Weak(_))))
    };
    let most = match views.is_empty() {
        true => 1,
        false if views.into_iter().any(refused) => others.len(),
        false => return None,
    };
    let mut at = facts;
    for _ in 0..most {
        let issuers: Vec<&&CertificateFacts> = others.iter().filter(|f| at.names_as_issuer(f)).collect();
        let first = issuers.first()?;
        if first.is_self_issued() {
            return None;
        }
        if issuers.iter().all(|f| is_weak(f)) {
            return Some(first.sha256);
        }
        at = issuers.iter().find(|f| !is_weak(f))?;
    }
    None
}

fn draft(
    context: &Context,
    offender: BlobId,
    leaves: &[(&InUse, &CertificateFacts)],
    waiver: Option<usize>,
    obligations: BTreeSet<usize>,
) -> Draft {
    let case = context.case;
    let Some((used, facts)) = leaves.first() else { return Draft::plain(&INFO, String::new()) };
    let weak = case.certificates.facts(offender).unwrap_or(facts);
    let who = match offender == used.leaf {
        true => called(context, used, facts),
        false => format!("the intermediate {}", weak.subject),
    };
    let mut draft = Draft::about(context, &INFO, used, waiver, obligations);
    draft.title = format!("{who} is too weak: {}", reasons(weak));
    draft.expected = vec!["RSA 2048 or more, or EC P-256 or more; signed with SHA-256 or better".into()];
    draft.seen = vec![
        wording::leaf(case, offender),
        format!("{}, {}, valid until {}", weak.key, weak.signature, wording::day(weak.not_after)),
    ];
    draft.hurts = vec!["every current client: it refuses the connection".into()];
    draft.remedy.cure = cure(context, offender == used.leaf, weak, &draft.obligations);
    draft.declared = leaves.iter().any(|(u, _)| u.filed.is_some());
    draft.looks = leaves.iter().flat_map(|(u, _)| u.looks.iter().copied()).collect();
    for (used, facts) in leaves {
        draft.keys.extend(used.culprits.iter().map(|c| Key::Served(*c, used.leaf)));
        draft.keys.insert(Key::Refused(used.leaf));
        if is_weak_key(&facts.key) {
            draft.keys.insert(Key::Unfinished(used.leaf));
        }
    }
    draft
}

fn reasons(facts: &CertificateFacts) -> String {
    let key = is_weak_key(&facts.key).then(|| format!("its key is {}", facts.key));
    let signed = !facts.is_self_issued() && is_weak_signature(&facts.signature);
    let signature = signed.then(|| format!("it is signed with {}", facts.signature));
    wording::list(key.iter().chain(&signature).map(String::as_str))
}

fn cure(context: &Context, is_leaf: bool, weak: &CertificateFacts, obligations: &BTreeSet<usize>) -> Vec<String> {
    let serving = servers(context, obligations);
    let at = match serving.is_empty() {
        true => "everywhere the old one is served".to_string(),
        false => format!("on {}", wording::list(serving.iter().map(String::as_str))),
    };
    let old =
        context.case.plan.servers.iter().find(|s| abilities::of(s).is_some() && is_among(context, &s.label, &serving));
    let key = match old {
        Some(old) => format!("RSA 2048 (not EC, which {} cannot use)", old.label),
        None => "RSA 2048 or EC P-256".to_string(),
    };
    match is_leaf {
        true => vec![
            format!("order it again with a new key: {key}, signed with SHA-256"),
            format!("install the new one {at}"),
        ],
        false => vec![
            format!("order again from an issuer below another intermediate than {}", weak.subject),
            "or install that issuer's current intermediate, if it has a stronger one of the same key".into(),
        ],
    }
}

/// True if a server serves, itself or as the member of a pool; where nobody is known to, any may.
fn is_among(context: &Context, label: &str, serving: &[String]) -> bool {
    let plan = context.case.plan;
    let member = |pool: &Pool| pool.all_members().into_iter().any(|m| plan.server(m).label.as_ref() == label);
    let pools = plan.pools.iter().filter(|p| serving.iter().any(|s| s.as_str() == p.label.as_ref()));
    serving.is_empty() || serving.iter().any(|s| s == label) || pools.into_iter().any(member)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edges_of_weakness() {
        for (key, weak) in [
            ("RSA 2047", true),
            ("RSA 2048", false),
            ("RSA-PSS 1024", true),
            ("RSA 0", true),
            ("DSA", true),
            ("EC P-256", false),
            ("Ed25519", false),
            ("1.2.3", false),
        ] {
            assert_eq!(is_weak_key(key), weak, "{key}");
        }
        for (signature, weak) in [
            ("sha1WithRSAEncryption", true),
            ("md5WithRSAEncryption", true),
            ("md2WithRSAEncryption", true),
            ("ecdsa-with-SHA1", true),
            ("dsa-with-SHA1", true),
            ("sha256WithRSAEncryption", false),
            ("ecdsa-with-SHA256", false),
            ("RSASSA-PSS", false),
        ] {
            assert_eq!(is_weak_signature(signature), weak, "{signature}");
        }
    }
}
