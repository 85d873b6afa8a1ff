//! A certificate is meant for a server whose system cannot use it.

use std::collections::{BTreeMap, BTreeSet};

use crate::judge::RuleInfo;
use crate::judge::abilities::{self, Abilities};
use crate::judge::asked;
use crate::judge::case::Case;
use crate::judge::draft::{Context, Draft, Key};
use crate::judge::problem::Culprit;
use crate::judge::wording;
use crate::model::certificate::{BlobId, CertificateFacts};
use crate::model::finding::Severity;
use crate::model::obligation::Claim;
use crate::model::plan::{CertId, ServerId, Target};

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "legacy-os-cannot-use-certificate",
    family: "certificate",
    severity: Severity::Error,
    summary: "a certificate is meant for a server whose system cannot use its key or signature",
    citation: "Microsoft, KB968730 and KB938397; Microsoft, Cryptography Next Generation: features",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

The plan has a certificate for a server of the time of Windows Server 2003 (Exchange 2003, ISA Server), and that system
cannot use it: its key is for ECDSA or Ed25519, or a signature is RSASSA-PSS. A certificate that is signed with SHA-2, as
all public ones are, can be used there with an update only: a warning. A server that was seen to serve the very
certificate can use it, and nothing is said.

# Why it matters

One certificate for both generations is what a coexistence needs. The new server takes anything; the old one imports the
file without an error, and then shows no certificate, or does not offer it in the list.

# Example

    [certificates.san]
    file = \"san-2010.pem\"       # EC P-256
    [servers.ex2003-fe]
    product = \"exchange-2003\"
    certificate = { before = \"old\", coexistence = \"san\" }

# Cure

Order it with an RSA key of 2048 bits and a signature of SHA-256 with RSA (PKCS #1 v1.5), and install KB968730 on the old
server first. Or put a reverse proxy in front of the old server, and the certificate there.

# References

KB968730 and KB938397 (SHA-2 for Windows Server 2003); Microsoft, CNG Features (elliptic curves from Windows Vista and
Windows Server 2008 on)
";

/// What a system makes of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Use {
    /// It needs an update.
    WithUpdate,
    /// It cannot.
    Never,
}

/// One finding per server and certificate.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let case = context.case;
    let mut found: BTreeMap<(ServerId, CertId, BlobId, Option<usize>), BTreeSet<usize>> = BTreeMap::new();
    for (index, obligation) in asked::endpoints(case) {
        let Claim::Serves { server, certificates, .. } = &*obligation.claim else { continue };
        if abilities::of(case.plan.server(*server)).is_none() {
            continue;
        }
        for certificate in certificates.iter() {
            let waiver = context.waiver(INFO.name, &asked::labels(case.plan, obligation, &[*certificate]));
            for leaf in case.certificates.leaves(&[*certificate]) {
                if !case.certificates.serves(*server, leaf) {
                    found.entry((*server, *certificate, leaf, waiver)).or_default().insert(index);
                }
            }
        }
    }
    for ((server, certificate, leaf, waiver), obligations) in found {
        let Some(abilities) = abilities::of(case.plan.server(server)) else { continue };
        let Some((how, why)) = case.certificates.facts(leaf).ok().and_then(|f| hindrance(f, abilities)) else {
            continue;
        };
        let mut draft = draft(case, server, certificate, leaf, abilities, how, &why);
        draft.waiver = waiver;
        draft.obligations = obligations.into_iter().filter(|i| case.is_due(*i)).collect();
        drafts.push(draft);
    }
}

/// What keeps an old system from using a certificate.
fn hindrance(facts: &CertificateFacts, abilities: &Abilities) -> Option<(Use, String)> {
    let (key, signature) = (&*facts.key, &*facts.signature);
    let is_rsa = key.starts_with("RSA ");
    if !is_rsa && key != "DSA" {
        return Some((Use::Never, format!("its key is {key}")));
    }
    if signature == "RSASSA-PSS" || signature.starts_with("ecdsa-") || signature.starts_with("Ed") {
        return Some((Use::Never, format!("it is signed with {signature}")));
    }
    let is_sha2 = ["sha256", "sha384", "sha512"].iter().any(|hash| signature.starts_with(hash));
    is_sha2.then(|| (Use::WithUpdate, format!("it is signed with {signature}: {} is needed", abilities.sha2)))
}

fn draft(
    case: &Case,
    server: ServerId,
    certificate: CertId,
    leaf: BlobId,
    abilities: &Abilities,
    how: Use,
    why: &str,
) -> Draft {
    let plan = case.plan;
    let (who, declared) = (&plan.server(server).label, plan.certificate(certificate));
    let label = &declared.label;
    let mut draft = Draft::plain(
        &INFO,
        match how {
            Use::Never => format!("{who} cannot use certificate \"{label}\": {why}"),
            Use::WithUpdate => format!("{who} can use certificate \"{label}\" with an update only"),
        },
    );
    draft.severity = if how == Use::Never { Severity::Error } else { Severity::Warning };
    draft.subject.server = Some(who.to_string());
    draft.subject.certificate = Some(label.to_string());
    draft.expected = vec![format!("an RSA key, a signature with RSA (PKCS #1 v1.5), and for SHA-2 {}", abilities.sha2)];
    draft.seen = vec![
        wording::leaf(case, leaf),
        why.to_string(),
        format!("{who} is {} on {}", abilities.product, abilities.system),
    ];
    draft.hurts = vec![format!("all who are led to {who}: it imports the certificate, and shows none, or another")];
    draft.remedy.cure = vec![match how {
        Use::Never => format!(
            "order \"{label}\" again with an RSA key of 2048 bits and SHA-256 with RSA; or put a proxy in front of {who}, and the certificate there"
        ),
        Use::WithUpdate => format!("see that {} is installed on {who} before the certificate is", abilities.sha2),
    }];
    draft.at = Some(plan.server(server).certificate.as_ref().map_or(declared.span, |c| c.span));
    draft
        .keys
        .extend((how == Use::Never).then_some(Key::Unused(Culprit::Planned(Target::Server(server)), certificate)));
    draft
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::world::ROOT;
    use crate::pki;

    #[test]
    fn keys_and_signatures_are_told_apart() {
        let Some(old) = abilities::TABLE.first() else { panic!("no old product") };
        let facts = pki::facts(&ROOT.issue(&["a.example"])[0]).unwrap();
        for (key, signature, want) in [
            ("RSA 2048", "sha256WithRSAEncryption", Some(Use::WithUpdate)),
            ("RSA 2048", "sha512WithRSAEncryption", Some(Use::WithUpdate)),
            ("RSA 2048", "sha1WithRSAEncryption", None),
            ("RSA 2048", "RSASSA-PSS", Some(Use::Never)),
            ("RSA-PSS 2048", "sha256WithRSAEncryption", Some(Use::Never)),
            ("RSA 2048", "ecdsa-with-SHA256", Some(Use::Never)),
            ("EC P-256", "sha256WithRSAEncryption", Some(Use::Never)),
            ("Ed25519", "Ed25519", Some(Use::Never)),
        ] {
            let facts = CertificateFacts { key: key.into(), signature: signature.into(), ..facts.clone() };
            assert_eq!(hindrance(&facts, old).map(|(how, _)| how), want, "{key} {signature}");
        }
    }
}
