//! The key of a certificate that lives on was on a server that is retired.

use std::collections::{BTreeMap, BTreeSet};

use super::replaced::ends;
use crate::judge::RuleInfo;
use crate::judge::case::Case;
use crate::judge::certificates::Content;
use crate::judge::draft::{Context, Draft};
use crate::judge::wording;
use crate::model::finding::Severity;
use crate::model::phase::Phase;
use crate::model::plan::{CertId, Plan, Pool, ServerId, Target, Wanted};

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "key-on-retired-node",
    family: "certificate",
    severity: Severity::Warning,
    summary: "the key of a certificate that is still used was on a server that is retired",
    citation: "NIST SP 800-57 part 1 revision 5, sections 5.3.4 and 8.3.4; RFC 5280 section 5.3.1 (reasons)",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

In the phase after, no name leads to a server any more, and a certificate that it served until then is still used by others:
the same one, or another with the same key. The plan alone says so; what became of the old machine is not known.

# Why it matters

To share one certificate, its key was copied to the old server. Its disks, its backups and its images outlive it, and nobody
patches them. Whoever finds the key can stand in for the new servers until the certificate ends, however safe these are.

# Example

    [servers.ex2010]
    certificate = \"san\"
    [servers.ex2003-fe]                                  # led to by nothing in the phase after
    certificate = { before = \"old\", coexistence = \"san\" }

# Cure

Order the certificate anew, with a new key and without the legacy names, declare it for the phase after, and have the old one
revoked once nobody serves it. Destroy the key on the old machine and in its backups before it leaves the house.

    certificate = { before = \"san\", after = \"san-2\" }

# References

NIST SP 800-57 part 1 revision 5, section 8.3.4 (destroying keys); RFC 5280 section 5.3.1
";

/// One finding per certificate.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let case = context.case;
    let asked = |v: &_| case.policy.views.as_ref().is_none_or(|views| views.contains(v));
    let last = |v| {
        let (first, second) = case.policy.moment(case.plan, v).phases();
        second.unwrap_or(first)
    };
    if !case.plan.view_ids().filter(asked).any(|v| last(v) == Phase::After) {
        return;
    }
    for (certificate, nodes) in left_behind(case) {
        let labels: Vec<&str> = nodes.iter().map(|t| &**case.plan.target_label(*t)).collect();
        let label = &*case.plan.certificate(certificate).label;
        if case.policy.asks_about("san", &[&labels[..], &[label]].concat()) {
            drafts.push(draft(context, certificate, &nodes, &labels));
        }
    }
}

/// Certificates that are used in the phase after, with those on whose machines their keys were before.
fn left_behind(case: &Case) -> BTreeMap<CertId, BTreeSet<Target>> {
    let plan = case.plan;
    let live = holders(plan, Phase::After);
    let mut out: BTreeMap<CertId, BTreeSet<Target>> = BTreeMap::new();
    for phase in [Phase::Before, Phase::Coexistence] {
        for (target, certificates) in holders(plan, phase).into_iter().filter(|(t, _)| !live.contains_key(t)) {
            for used in live.values().flatten() {
                if certificates.iter().any(|old| old == used || have_one_key(case, *old, *used)) {
                    out.entry(*used).or_default().insert(target);
                }
            }
        }
    }
    out
}

/// Where TLS ends in a phase, with the certificates that are to be served there.
fn holders(plan: &Plan, phase: Phase) -> BTreeMap<Target, BTreeSet<CertId>> {
    let mut out: BTreeMap<Target, BTreeSet<CertId>> = BTreeMap::new();
    for (index, name) in plan.names.iter().enumerate() {
        let led: BTreeSet<Target> = plan
            .view_ids()
            .flat_map(|v| match name.wanted(v, phase) {
                Wanted::Targets(targets) => &targets[..],
                _ => &[],
            })
            .copied()
            .collect();
        for target in led.into_iter().flat_map(|t| ends(plan, t, phase)) {
            if matches!(target, Target::Server(id) if plan.server(id).host.is_some()) {
                continue;
            }
            let held = out.entry(target).or_default();
            for word in words(plan, target) {
                held.extend(plan.certificates_for(crate::model::plan::NameId(index), target, word, phase));
            }
        }
    }
    out
}

fn words(plan: &Plan, target: Target) -> BTreeSet<&'static str> {
    let server = |id: ServerId| plan.server(id).services.iter().map(|s| s.value.word).collect::<Vec<_>>();
    let pool = |pool: &Pool| match &pool.services {
        Some(own) => own.iter().map(|s| s.value.word).collect(),
        None => pool.all_members().into_iter().flat_map(server).collect::<Vec<_>>(),
    };
    match target {
        Target::Server(id) => server(id),
        Target::Pool(id) => pool(plan.pool(id)),
    }
    .into_iter()
    .collect()
}

/// A renewal may keep the key.
fn have_one_key(case: &Case, one: CertId, other: CertId) -> bool {
    let keys = |c: CertId| -> BTreeSet<_> {
        let Content::Leaves(leaves) = case.certificates.content(c) else { return BTreeSet::new() };
        leaves.iter().filter_map(|(leaf, _)| Some(case.certificates.facts(*leaf).ok()?.spki_sha256)).collect()
    };
    !keys(one).is_disjoint(&keys(other))
}

fn draft(context: &Context, certificate: CertId, nodes: &BTreeSet<Target>, labels: &[&str]) -> Draft {
    let plan = context.case.plan;
    let declared = plan.certificate(certificate);
    let listed = wording::list(labels.iter().copied());
    let is = if labels.len() == 1 { "is" } else { "are" };
    let waiver = context.waiver_on(&INFO, &[labels, &[&*declared.label]].concat());
    let mut draft = Draft::about_declared(context, &INFO, certificate, waiver, BTreeSet::new());
    draft.title = format!("the key of certificate \"{}\" was on {listed}, which {is} retired", declared.label);
    draft.subject.server = nodes.iter().next().filter(|_| nodes.len() == 1).map(|t| plan.target_label(*t).to_string());
    draft.expected = vec![format!("a key of its own for what is served after {listed} {is} gone")];
    draft.seen =
        vec![format!("\"{}\" is served in the phase after, and was served by {listed} until then", declared.label)];
    draft.hurts =
        vec![format!("everybody who trusts \"{}\": whoever finds the old machine's disks has its key", declared.label)];
    draft.remedy.cure = vec![
        format!(
            "order \"{}\" anew with a new key, and declare that one for the phase after: certificate = {{ before = \"{}\", after = \"…\" }}",
            declared.label, declared.label
        ),
        format!(
            "destroy the key on {listed} and in the backups, and have the old certificate revoked once nobody serves it"
        ),
    ];
    draft
}
