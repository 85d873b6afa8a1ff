//! A name is wanted on a public certificate that no public authority gives.

use std::collections::{BTreeMap, BTreeSet};

use super::lacking;
use crate::judge::RuleInfo;
use crate::judge::draft::{Context, Draft, Item, Key};
use crate::judge::issuance::{self, Uncertifiable};
use crate::judge::wording;
use crate::model::finding::Severity;
use crate::model::name::Name;
use crate::model::obligation::Claim;
use crate::model::plan::{CertId, NameId, ViewId, ViewKind};
use crate::model::questions;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "uncertifiable-name",
    family: "certificate",
    severity: Severity::Error,
    summary: "a name is wanted on a certificate of a public authority, and no public authority certifies it",
    citation: "CA/Browser Forum Baseline Requirements 4.2.2 and 7.1.2.7.12; RFC 6761",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

The plan serves the name with a certificate of a public authority: its `issuer` or its chain says so, or clients outside
that trust public anchors only are to use it. And the name is one that no public authority certifies: a single label, a name
below .local, .lan, .corp, .internal, .test and the like, a reverse name, a wildcard for a registry's whole suffix. Below a
top-level domain that this release does not know it is a warning: it may have been delegated since.

# Why it matters

The order is refused as a whole, often on the evening of the cutover. Until 2015 such names were certified, so that an old
certificate may still show them.

# Example

    [internet]
    \"mail.domain.local\" = \"ex2010\"

# Cure

Move the URLs to a name below a domain that you own, and let the internal view answer for it with the internal address.
Or serve the name to clients inside only, with a certificate of a private authority that the view's `trust` names.

# References

CA/Browser Forum Baseline Requirements 1.6.1 (Internal Name), 4.2.2 and 7.1.2.7.12; RFC 6761; RFC 6762 appendix G; RFC 8375;
https://learn.microsoft.com/exchange/architecture/client-access/certificates
";

/// The obligation, its name, and why nobody certifies that.
type Refused = (usize, NameId, Uncertifiable);

/// A name, planned or only on the order, and why nobody certifies it.
type Line = (Name, Uncertifiable);

/// One finding per certificate, its names that are refused and those that may be apart.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let case = context.case;
    let mut found: BTreeMap<(CertId, bool), Vec<Refused>> = BTreeMap::new();
    for (i, obligation) in case.obligations.iter().enumerate().filter(|(i, _)| case.is_due(*i)) {
        let (name, Claim::Covers { certificate }) = (obligation.name, &*obligation.claim) else { continue };
        let Some(why) = issuance::uncertifiable(&case.plan.name(name).name) else { continue };
        if is_for_strangers(context, i) || issuance::of_declared(case, *certificate).is_some() {
            found.entry((*certificate, why == Uncertifiable::Unlisted)).or_default().push((i, name, why));
        }
    }
    let mut ordered = ordered(context);
    for ((certificate, ..), lines) in &mut ordered {
        let told = |name: &Name| {
            let of = found.iter().filter(|((c, _), _)| c == certificate).flat_map(|(_, names)| names);
            of.into_iter().any(|(_, n, _)| case.plan.name(*n).name == *name)
        };
        lines.retain(|(name, _)| !told(name));
    }
    ordered.retain(|_, lines| !lines.is_empty());
    if found.is_empty() && ordered.is_empty() {
        return;
    }
    let keys = keys(context);
    for ((certificate, unlisted), names) in found {
        let indices = names.iter().map(|(i, ..)| *i);
        for (waiver, obligations) in context.by_waiver(&INFO, indices, &[certificate]) {
            let these: Vec<_> = names.iter().filter(|(i, ..)| obligations.contains(i)).collect();
            let planned = these.iter().map(|(_, n, why)| (case.plan.name(*n).name.clone(), *why));
            let other = ordered.remove(&(certificate, unlisted, waiver)).unwrap_or_default();
            let lines: BTreeSet<Line> = planned.chain(other).collect();
            let mut draft = Draft::about_declared(context, &INFO, certificate, waiver, obligations.clone());
            draft.severity = if unlisted { Severity::Warning } else { Severity::Error };
            words(context, certificate, &lines, &mut draft);
            draft.at = obligations.first().map(|i| case.plan.name(case.obligations[*i].name).span);
            draft.keys =
                these.iter().flat_map(|(_, n, _)| keys.get(&(certificate, *n)).cloned().unwrap_or_default()).collect();
            drafts.push(draft);
        }
    }
    for ((certificate, unlisted, waiver), lines) in ordered {
        let mut draft = Draft::about_declared(context, &INFO, certificate, waiver, BTreeSet::new());
        draft.severity = if unlisted { Severity::Warning } else { Severity::Error };
        words(context, certificate, &lines, &mut draft);
        draft.at = Some(case.plan.certificate(certificate).span);
        drafts.push(draft);
    }
}

/// Names that no obligation wants on a certificate that is to be ordered: the order has them all the same, and one name
/// refuses it as a whole.
fn ordered(context: &Context) -> BTreeMap<(CertId, bool, Option<usize>), BTreeSet<Line>> {
    let case = context.case;
    let mut out: BTreeMap<_, BTreeSet<Line>> = BTreeMap::new();
    let due = case.obligations.iter().enumerate().filter(|(i, _)| case.is_due(*i));
    let used: BTreeSet<CertId> = due
        .filter_map(|(_, o)| match *o.claim {
            Claim::Covers { certificate, .. } => Some(certificate),
            _ => None,
        })
        .collect();
    for id in used.into_iter().filter(|c| issuance::of_declared(case, *c).is_some()) {
        let certificate = case.plan.certificate(id);
        for name in questions::ordered_names(certificate) {
            let Some(why) = issuance::uncertifiable(&name) else { continue };
            let waiver = context.waiver(INFO.name, &[name.to_string(), certificate.label.to_string()].into());
            out.entry((id, why == Uncertifiable::Unlisted, waiver)).or_default().insert((name, why));
        }
    }
    out
}

/// True if clients outside use it who trust the public program only.
fn is_for_strangers(context: &Context, obligation: usize) -> bool {
    let case = context.case;
    let is = |v: &ViewId| case.plan.view(*v).kind == ViewKind::External && issuance::is_public(case, *v);
    case.due_in(obligation).iter().any(is)
}

/// The facts by which what lacks such a name for that reason is recognised.
fn keys(context: &Context) -> BTreeMap<(CertId, NameId), BTreeSet<Key>> {
    let mut out: BTreeMap<_, BTreeSet<Key>> = BTreeMap::new();
    let wanted = |item: &Item| -> Vec<CertId> {
        match &*item.obligation.claim {
            Claim::Covers { certificate, .. } => vec![*certificate],
            Claim::Serves { certificates, .. } | Claim::Path { certificates, .. } => certificates.to_vec(),
            Claim::Resolves { .. } | Claim::Lowered { .. } => Vec::new(),
        }
    };
    for item in context.items() {
        let Some((whose, _)) = lacking::lacking(context.case, &item) else { continue };
        let name = item.obligation.name;
        for certificate in wanted(&item) {
            out.entry((certificate, name)).or_default().insert(Key::Uncovered(whose, name));
        }
    }
    out
}

fn words(context: &Context, certificate: CertId, names: &BTreeSet<Line>, draft: &mut Draft) {
    let plan = context.case.plan;
    let listed = wording::list(names.iter().map(|(n, _)| n.as_str()));
    let label = &plan.certificate(certificate).label;
    let unlisted = draft.severity == Severity::Warning;
    draft.title = match unlisted {
        true => format!("public authorities may not certify {listed} (certificate \"{label}\")"),
        false => format!("no public authority certifies {listed} (certificate \"{label}\")"),
    };
    draft.expected = vec!["names below a registered domain".into()];
    let line = |(name, why): &Line| format!("{name} {}", why.words());
    draft.seen = wording::cut(names.iter().map(line).collect());
    draft.hurts =
        vec![format!("whoever orders \"{label}\": the authority refuses; clients of {listed} get no certificate")];
    draft.remedy.cure = vec![
        format!(
            "give users a name below a domain that you own instead of {listed}, and let internal DNS answer for it"
        ),
        format!("or take {listed} off \"{label}\" and serve clients inside a certificate of a private authority"),
    ];
}
