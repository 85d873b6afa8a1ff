//! Folds consequences under their cause, so that there are as many findings as things to mend.
//!
//! A finding follows from another rule's if all facts of one kind that it has are facts of that rule's findings too, and
//! it has at least one. The rows are tried in their order, the first that fits counts, and a consequence's own
//! consequences go to the root.

use std::collections::{BTreeMap, BTreeSet};

use super::draft::{Draft, Key};

/// The kind of fact by which a row recognises that two findings are about the same thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Uncovered,
    Served,
    Replaced,
    Unused,
    Dns,
    Stranger,
    Candidate,
    Hairpin,
    Alias,
    Refused,
    Unfinished,
    Renewed,
    MxAlias,
    MxStray,
}

/// (cause, consequence, by). Two rules may stand either way, by different facts; should findings explain each other all
/// the same, the first of them is the cause: see [`root`].
const TABLE: &[(&str, &str, By)] = &[
    // A certificate that is misread lacks the legacy names for that reason.
    ("wildcard-depth-mismatch", "legacy-name-uncovered", By::Uncovered),
    ("cn-only-certificate", "legacy-name-uncovered", By::Uncovered),
    // A name that nobody certifies is missing for that reason; so is one that is written so that nothing matches it.
    ("uncertifiable-name", "san-missing-name", By::Uncovered),
    ("uncertifiable-name", "legacy-name-uncovered", By::Uncovered),
    ("idn-or-syntax", "san-missing-name", By::Uncovered),
    ("idn-or-syntax", "legacy-name-uncovered", By::Uncovered),
    ("idn-or-syntax", "cn-only-certificate", By::Uncovered),
    // What is missing weighs more than the slip that explains it, and one order mends both.
    ("san-missing-name", "san-near-miss", By::Uncovered),
    ("legacy-name-uncovered", "san-near-miss", By::Uncovered),
    // What is weak, or not for servers, is refused for that.
    ("weak-key-or-signature", "untrusted-issuer-for-view", By::Refused),
    ("eku-missing-serverauth", "untrusted-issuer-for-view", By::Refused),
    ("weak-key-or-signature", "evidence-missing", By::Unfinished),
    ("signature-does-not-verify", "untrusted-issuer-for-view", By::Refused),
    // A certificate that ends too early is renewed for that already.
    ("expires-inside-phase", "renewal-inside-coexistence", By::Renewed),
    // The record leads to a stranger; what the stranger serves is no news.
    ("resolves-to-unexpected-target", "endpoint-serves-wrong-certificate", By::Stranger),
    ("resolves-to-unexpected-target", "untrusted-issuer-for-view", By::Stranger),
    ("resolves-to-unexpected-target", "chain-incomplete", By::Stranger),
    ("resolves-to-unexpected-target", "endpoint-unreachable", By::Stranger),
    ("resolves-to-unexpected-target", "starttls-injection", By::Stranger),
    ("resolves-to-unexpected-target", "tls-version-below-floor", By::Stranger),
    ("resolves-to-unexpected-target", "modern-clients-cannot-connect", By::Stranger),
    ("resolves-to-unexpected-target", "evidence-missing", By::Stranger),
    // The record is wrong; that it makes a loop is its consequence.
    ("resolves-to-unexpected-target", "legacy-equals-primary-target", By::Dns),
    // Whoever validates is given nothing, whatever the records say.
    ("ds-dnskey-mismatch", "name-unresolved-in-view", By::Dns),
    ("ds-dnskey-mismatch", "legacy-name-single-view", By::Dns),
    ("ds-dnskey-mismatch", "resolvers-disagree-in-view", By::Dns),
    ("ds-dnskey-mismatch", "evidence-missing", By::Dns),
    ("ds-dnskey-mismatch", "caa-or-dcv-lookup-fails", By::Dns),
    ("split-view-dnssec-bogus", "name-unresolved-in-view", By::Dns),
    ("split-view-dnssec-bogus", "legacy-name-single-view", By::Dns),
    ("split-view-dnssec-bogus", "resolvers-disagree-in-view", By::Dns),
    ("split-view-dnssec-bogus", "evidence-missing", By::Dns),
    ("split-view-dnssec-bogus", "caa-or-dcv-lookup-fails", By::Dns),
    // No server to which the parent leads has the zone.
    ("delegation-mismatch", "name-unresolved-in-view", By::Dns),
    ("delegation-mismatch", "legacy-name-single-view", By::Dns),
    ("delegation-mismatch", "evidence-missing", By::Dns),
    // An alias that leads nowhere is no name that is missing.
    ("cname-conflict", "legacy-name-single-view", By::Alias),
    ("cname-conflict", "name-unresolved-in-view", By::Alias),
    ("legacy-name-single-view", "name-unresolved-in-view", By::Dns),
    // The wildcard answers for what is to be absent, and for what was never there.
    ("wildcard-record-answers", "resolves-to-unexpected-target", By::Dns),
    ("wildcard-record-answers", "intranet-name-in-external-view", By::Dns),
    ("wildcard-record-answers", "legacy-residue", By::Dns),
    ("wildcard-record-answers", "autodiscover-candidate-uncovered", By::Candidate),
    // A host of mail or of a service that does not resolve, or cannot be asked for.
    ("name-unresolved-in-view", "mx-target-invalid", By::Dns),
    ("cname-conflict", "mx-target-invalid", By::Dns),
    // An alias of the right host is not the right host; a host that is not to be there needs no addresses.
    ("mx-target-invalid", "record-differs", By::MxAlias),
    ("record-differs", "mx-target-invalid", By::MxStray),
    ("name-unresolved-in-view", "srv-target-invalid", By::Dns),
    ("cname-conflict", "srv-target-invalid", By::Dns),
    ("mx-target-invalid", "srv-target-invalid", By::Dns),
    ("name-unresolved-in-view", "caa-or-dcv-lookup-fails", By::Dns),
    // Why it is not the address of the plan.
    ("public-address-in-internal-view", "resolves-to-unexpected-target", By::Hairpin),
    // Who is sent to a name that is missing has that one to mend.
    ("cname-conflict", "redirect-target-single-url", By::Dns),
    ("legacy-name-single-view", "redirect-target-single-url", By::Dns),
    ("name-unresolved-in-view", "redirect-target-single-url", By::Dns),
    // One resolver is wrong, so they differ.
    ("resolves-to-unexpected-target", "resolvers-disagree-in-view", By::Dns),
    ("name-unresolved-in-view", "resolvers-disagree-in-view", By::Dns),
    ("intranet-name-in-external-view", "resolvers-disagree-in-view", By::Dns),
    ("legacy-residue", "resolvers-disagree-in-view", By::Dns),
    ("cname-conflict", "resolvers-disagree-in-view", By::Dns),
    // Resolvers that fail for every name tell nothing of those that should be absent either.
    ("name-unresolved-in-view", "evidence-missing", By::Dns),
    // The certificate is on the server, and its mail services do not use it.
    ("mail-tls-endpoint-wrong", "default-certificate-served", By::Served),
    ("mail-tls-endpoint-wrong", "endpoint-serves-wrong-certificate", By::Served),
    ("mail-tls-endpoint-wrong", "untrusted-issuer-for-view", By::Served),
    ("mail-tls-endpoint-wrong", "chain-incomplete", By::Served),
    ("mail-tls-endpoint-wrong", "certificate-not-currently-valid", By::Served),
    ("mail-tls-endpoint-wrong", "pool-certificate-divergence", By::Served),
    // It shows another certificate than it should; nobody is to publish a record for that one.
    ("mail-tls-endpoint-wrong", "tlsa-mismatch", By::Served),
    ("default-certificate-served", "tlsa-mismatch", By::Served),
    ("endpoint-serves-wrong-certificate", "tlsa-mismatch", By::Served),
    // The right certificate was never put to use: all else about that leaf goes with it.
    ("default-certificate-served", "endpoint-serves-wrong-certificate", By::Served),
    ("default-certificate-served", "untrusted-issuer-for-view", By::Served),
    ("default-certificate-served", "chain-incomplete", By::Served),
    ("default-certificate-served", "certificate-not-currently-valid", By::Served),
    ("default-certificate-served", "pool-certificate-divergence", By::Served),
    ("default-certificate-served", "expires-inside-phase", By::Served),
    ("default-certificate-served", "weak-key-or-signature", By::Served),
    ("default-certificate-served", "eku-missing-serverauth", By::Served),
    ("default-certificate-served", "validity-exceeds-limit", By::Served),
    ("default-certificate-served", "idn-or-syntax", By::Served),
    // The certificate lacks the name wherever it is served.
    ("idn-or-syntax", "endpoint-serves-wrong-certificate", By::Uncovered),
    ("wildcard-depth-mismatch", "endpoint-serves-wrong-certificate", By::Uncovered),
    ("cn-only-certificate", "endpoint-serves-wrong-certificate", By::Uncovered),
    ("san-missing-name", "endpoint-serves-wrong-certificate", By::Uncovered),
    ("legacy-name-uncovered", "endpoint-serves-wrong-certificate", By::Uncovered),
    // The names of the plan that the successor lacks are told as such.
    ("wildcard-depth-mismatch", "replacement-drops-name", By::Uncovered),
    ("cn-only-certificate", "replacement-drops-name", By::Uncovered),
    ("san-missing-name", "replacement-drops-name", By::Uncovered),
    ("legacy-name-uncovered", "replacement-drops-name", By::Uncovered),
    // It serves another certificate, since it cannot use the right one.
    ("legacy-os-cannot-use-certificate", "endpoint-serves-wrong-certificate", By::Unused),
    // Another certificate is to be served there: that this one is expired or untrusted goes with it.
    ("endpoint-serves-wrong-certificate", "untrusted-issuer-for-view", By::Replaced),
    ("endpoint-serves-wrong-certificate", "chain-incomplete", By::Replaced),
    ("endpoint-serves-wrong-certificate", "certificate-not-currently-valid", By::Replaced),
    ("endpoint-serves-wrong-certificate", "expires-inside-phase", By::Replaced),
    ("endpoint-serves-wrong-certificate", "weak-key-or-signature", By::Replaced),
    ("endpoint-serves-wrong-certificate", "eku-missing-serverauth", By::Replaced),
    ("endpoint-serves-wrong-certificate", "validity-exceeds-limit", By::Replaced),
    ("endpoint-serves-wrong-certificate", "idn-or-syntax", By::Replaced),
    // The odd member has a finding of its own already.
    ("endpoint-serves-wrong-certificate", "pool-certificate-divergence", By::Served),
    ("certificate-not-currently-valid", "pool-certificate-divergence", By::Served),
    ("untrusted-issuer-for-view", "pool-certificate-divergence", By::Served),
];

/// Of each draft the index of its cause.
pub(super) fn fold(drafts: &[Draft]) -> Vec<Option<usize>> {
    // A waived cause is nobody's to mend: one that is not comes before it.
    let of = |reasons: BTreeSet<usize>| reasons.into_iter().min_by_key(|i| (drafts[*i].waiver.is_some(), *i));
    let direct: Vec<Option<usize>> = reasons(drafts).into_iter().map(of).collect();
    (0..drafts.len()).map(|i| root(&direct, i)).collect()
}

/// Of each draft those that explain it wholly, all together; none if nothing does.
pub(super) fn reasons(drafts: &[Draft]) -> Vec<BTreeSet<usize>> {
    let holders = holders(drafts);
    (0..drafts.len()).map(|i| explained(drafts, &holders, i)).collect()
}

/// Which drafts have which fact.
fn holders(drafts: &[Draft]) -> BTreeMap<Key, Vec<usize>> {
    let mut out: BTreeMap<Key, Vec<usize>> = BTreeMap::new();
    for (i, draft) in drafts.iter().enumerate() {
        for key in &draft.keys {
            out.entry(*key).or_default().push(i);
        }
    }
    out
}

fn explained(drafts: &[Draft], holders: &BTreeMap<Key, Vec<usize>>, consequence: usize) -> BTreeSet<usize> {
    let draft = &drafts[consequence];
    let rows = TABLE.iter().filter(|(_, name, _)| *name == draft.rule.name);
    let found = rows.into_iter().find_map(|(cause, _, by)| {
        let is = |i: &&usize| **i != consequence && is_meant(cause, drafts[**i].rule.name);
        let of = |key: &Key| holders.get(&lookup(key, *by)).into_iter().flatten().filter(is).copied();
        let holder = |key: &Key| of(key).min_by_key(|i| (drafts[*i].waiver.is_some(), *i));
        // All facts must be explained; none at all would be contained in everything.
        let found: Option<BTreeSet<usize>> = facts(draft, *by).iter().map(holder).collect();
        found.filter(|f| !f.is_empty())
    });
    found.unwrap_or_default()
}

/// What follows from an answer that leads elsewhere follows from the rules that say so more nearly.
fn is_meant(cause: &str, rule: &str) -> bool {
    const NEARER: [&str; 4] =
        ["private-address-in-external-view", "mixed-generation-rrset", "stale-or-unplanned-aaaa", "legacy-residue"];
    cause == rule || (cause == "resolves-to-unexpected-target" && NEARER.contains(&rule))
}

/// What a cause must have for a consequence's fact: a replaced leaf is looked up by being served.
fn lookup(key: &Key, by: By) -> Key {
    match (key, by) {
        (Key::Served(culprit, leaf), By::Replaced) => Key::Replaced(*culprit, *leaf),
        _ => *key,
    }
}

/// The facts of a consequence that a row looks at. What is said of a declared certificate does not follow from one
/// server's serving it: it is wrong wherever it is served.
fn facts(draft: &Draft, by: By) -> Vec<Key> {
    if draft.declared && matches!(by, By::Served | By::Replaced) {
        return Vec::new();
    }
    let is = |key: &&Key| match by {
        By::Uncovered => matches!(key, Key::Uncovered(..)),
        By::Served | By::Replaced => matches!(key, Key::Served(..)),
        By::Unused => matches!(key, Key::Unused(..)),
        By::Dns => matches!(key, Key::Dns(..)),
        By::Stranger => matches!(key, Key::Stranger(..)),
        By::Candidate => matches!(key, Key::Candidate(..)),
        By::Hairpin => matches!(key, Key::Hairpin(..)),
        By::Alias => matches!(key, Key::Alias(..)),
        By::Refused => matches!(key, Key::Refused(..)),
        By::Unfinished => matches!(key, Key::Unfinished(..)),
        By::Renewed => matches!(key, Key::Renewed(..)),
        By::MxAlias => matches!(key, Key::MxAlias(..)),
        By::MxStray => matches!(key, Key::MxStray(..)),
    };
    draft.keys.iter().filter(is).copied().collect()
}

fn root(direct: &[Option<usize>], from: usize) -> Option<usize> {
    let mut way = vec![from];
    while let Some(next) = way.last().and_then(|at| direct[*at]) {
        if let Some(begin) = way.iter().position(|at| *at == next) {
            // A circle without a cause would leave nothing to mend: its first finding is one.
            return way[begin..].iter().copied().min().filter(|first| *first != from);
        }
        way.push(next);
    }
    way.last().copied().filter(|last| *last != from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_consequence_s_consequence_goes_to_the_root_and_a_circle_keeps_one() {
        let direct = [None, Some(0), Some(1), Some(4), Some(3), Some(4)];
        let roots: Vec<_> = (0..direct.len()).map(|i| root(&direct, i)).collect();
        assert_eq!(roots, [None, Some(0), Some(0), None, Some(3), Some(3)]);
    }
}
