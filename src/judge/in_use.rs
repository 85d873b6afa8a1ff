//! The certificates that are in use: the leaves of declared files that due obligations name, and what was met where they
//! look. Rules about what a certificate is, and not about a name on it, speak of each once.

use std::collections::{BTreeMap, BTreeSet};

use smallvec::SmallVec;

use super::RuleInfo;
use super::certificates::Content;
use super::draft::{Context, Draft, Key};
use super::evidence::Look;
use super::problem::Culprit;
use super::wording;
use crate::model::certificate::{BlobId, CertificateFacts};
use crate::model::obligation::Claim;
use crate::model::plan::{CertId, CertificateSource, Target};
use crate::model::tls::{Served, TlsOutcome};

/// A list of mostly one.
pub(super) type Few<T> = SmallVec<[T; 1]>;

/// Leaves and declared certificates, with the due obligations that are about them.
pub(super) struct Uses<'a> {
    leaves: Vec<InUse<'a>>,
    /// The due obligations that a declared certificate covers a name.
    covers: BTreeMap<CertId, Vec<usize>>,
}

/// A leaf that due obligations are about.
pub(super) struct InUse<'a> {
    pub(super) leaf: BlobId,
    /// A chain in which it was served.
    pub(super) served: Option<&'a [BlobId]>,
    /// The chain of its file, as far as the file has it.
    pub(super) filed: Option<Vec<BlobId>>,
    /// The due obligations; these and what follows are sorted, each once: leaves are many, and few have much of each.
    pub(super) obligations: Few<usize>,
    /// The observations in which it was met.
    pub(super) looks: Few<Look>,
    /// Who serves it.
    pub(super) culprits: Few<Culprit>,
    /// The declared certificates that it is, or is taken for.
    pub(super) certificates: Few<CertId>,
}

impl<'a> InUse<'a> {
    fn new(leaf: BlobId) -> Self {
        Self {
            leaf,
            served: None,
            filed: None,
            obligations: Few::new(),
            looks: Few::new(),
            culprits: Few::new(),
            certificates: Few::new(),
        }
    }

    /// The chain as served, or else as its file has it; the leaf first.
    pub(super) fn chain(&self) -> &[BlobId] {
        self.served.or(self.filed.as_deref()).unwrap_or_default()
    }
}

impl<'a> Context<'a> {
    /// Every leaf in use that can be read, with what it says. Found once for all rules.
    pub(super) fn in_use(&self) -> impl Iterator<Item = (&InUse<'a>, &CertificateFacts)> {
        self.uses().leaves.iter().filter_map(|u| Some((u, self.case.certificates.facts(u.leaf).ok()?)))
    }

    /// Gives back their memory, which is large: what comes after the rules finds them anew, if it asks.
    pub(super) fn forget_uses(&mut self) {
        self.uses.take();
    }

    fn uses(&self) -> &Uses<'a> {
        self.uses.get_or_init(|| Uses { leaves: leaves(self), covers: covers(self) })
    }

    /// Some obligations, parted by the waiver of a rule that accepts a finding about them and these certificates.
    pub(super) fn by_waiver(
        &self,
        rule: &RuleInfo,
        obligations: impl IntoIterator<Item = usize>,
        certificates: &[CertId],
    ) -> BTreeMap<Option<usize>, BTreeSet<usize>> {
        let plan = self.case.plan;
        let waived = plan.waivers.iter().any(|w| w.rule.value == rule.name);
        let mut out: BTreeMap<Option<usize>, BTreeSet<usize>> = BTreeMap::new();
        for i in obligations {
            let labels = || {
                let mut labels = self.labels_of(&self.case.obligations[i]);
                labels.extend(certificates.iter().map(|c| plan.certificate(*c).label.to_string()));
                labels
            };
            let waiver = if waived { self.waiver(rule.name, &labels()) } else { None };
            out.entry(waiver).or_default().insert(i);
        }
        out
    }

    /// The due obligations that a declared certificate covers a name.
    pub(super) fn covers(&self, certificate: CertId) -> impl Iterator<Item = usize> + '_ {
        self.uses().covers.get(&certificate).into_iter().flatten().copied()
    }
}

impl Draft {
    /// A finding about a leaf in use, for some of its obligations.
    pub(super) fn about(
        context: &Context,
        rule: &'static RuleInfo,
        used: &InUse,
        waiver: Option<usize>,
        obligations: BTreeSet<usize>,
    ) -> Self {
        let case = context.case;
        let mut draft = Self::of_obligations(context, rule, waiver, obligations);
        draft.declared = used.filed.is_some();
        draft.looks = used.looks.iter().copied().collect();
        draft.seen = vec![wording::leaf(case, used.leaf)];
        draft.keys = used.culprits.iter().map(|c| Key::Served(*c, used.leaf)).collect();
        if let Some(certificate) = used.certificates.first().map(|c| case.plan.certificate(*c)) {
            draft.subject.certificate = Some(certificate.label.to_string());
            draft.at = Some(certificate.span);
        }
        draft
    }

    /// A finding about a declared certificate, for some of the obligations that it covers a name.
    pub(super) fn about_declared(
        context: &Context,
        rule: &'static RuleInfo,
        certificate: CertId,
        waiver: Option<usize>,
        obligations: BTreeSet<usize>,
    ) -> Self {
        let mut draft = Self::of_obligations(context, rule, waiver, obligations);
        let declared = context.case.plan.certificate(certificate);
        draft.declared = true;
        draft.subject.certificate = Some(declared.label.to_string());
        draft.at = Some(declared.span);
        draft
    }

    fn of_obligations(
        context: &Context,
        rule: &'static RuleInfo,
        waiver: Option<usize>,
        obligations: BTreeSet<usize>,
    ) -> Self {
        let mut draft = Self::plain(rule, String::new());
        draft.waiver = waiver;
        draft.at = obligations.first().map(|i| context.case.obligations[*i].span);
        draft.subject = wording::common_subject(context.case, &obligations, &[]);
        draft.obligations = obligations;
        draft
    }
}

/// Whoever serves a leaf, or is to serve it by these obligations, in words.
pub(super) fn servers(context: &Context, obligations: &BTreeSet<usize>) -> Vec<String> {
    let (plan, mut out) = (context.case.plan, Vec::new());
    for i in obligations {
        let target = match &*context.case.obligations[*i].claim {
            Claim::Serves { server, .. } => Target::Server(*server),
            Claim::Path { target, .. } => *target,
            Claim::Covers { .. } | Claim::Resolves { .. } | Claim::Lowered { .. } => continue,
        };
        let label = plan.target_label(target).to_string();
        if !out.contains(&label) {
            out.push(label);
        }
    }
    out
}

/// `certificate "san"`, or what else a leaf in use is called.
pub(super) fn called(context: &Context, used: &InUse, facts: &CertificateFacts) -> String {
    match used.certificates.first() {
        Some(c) => format!("certificate \"{}\"", context.case.plan.certificate(*c).label),
        None => format!("the served certificate {}", facts.subject),
    }
}

/// Into a sorted list; mostly what comes is the last that it has, or belongs behind it.
pub(super) fn insert<T: Ord>(into: &mut Few<T>, one: T) {
    if let Err(at) = into.binary_search(&one) {
        into.insert(at, one);
    }
}

fn covers(context: &Context) -> BTreeMap<CertId, Vec<usize>> {
    let case = context.case;
    let mut out: BTreeMap<CertId, Vec<usize>> = BTreeMap::new();
    for (i, obligation) in case.obligations.iter().enumerate().filter(|(i, _)| case.is_due(*i)) {
        if let Claim::Covers { certificate, .. } = &*obligation.claim {
            out.entry(*certificate).or_default().push(i);
        }
    }
    out
}

fn leaves<'a>(context: &Context<'a>) -> Vec<InUse<'a>> {
    let case = context.case;
    let mut out: BTreeMap<BlobId, InUse<'a>> = BTreeMap::new();
    let mut filed: BTreeSet<CertId> = BTreeSet::new();
    for (i, obligation) in case.obligations.iter().enumerate().filter(|(i, _)| case.is_due(*i)) {
        if let Claim::Covers { certificate, .. } = &*obligation.claim {
            let Content::Leaves(leaves) = case.certificates.content(*certificate) else { continue };
            // What a server serves is met there, name by name.
            if matches!(case.plan.certificate(*certificate).source, CertificateSource::From(_)) {
                continue;
            }
            for (leaf, chain) in leaves {
                let used = out.entry(*leaf).or_insert_with(|| InUse::new(*leaf));
                insert(&mut used.obligations, i);
                if filed.insert(*certificate) || used.filed.is_none() {
                    used.filed.get_or_insert_with(|| chain.clone());
                    insert(&mut used.certificates, *certificate);
                }
            }
        }
        for met in &context.assessed[i].met {
            let Some(TlsOutcome::Certificate(Served { chain, .. })) = case.evidence.tls(met.look) else { continue };
            let Some(leaf) = chain.first() else { continue };
            let used = out.entry(*leaf).or_insert_with(|| InUse::new(*leaf));
            used.served.get_or_insert(chain);
            insert(&mut used.obligations, i);
            insert(&mut used.looks, met.look);
            insert(&mut used.culprits, met.culprit);
            if let Some(certificate) = case.certificates.declared(*leaf) {
                insert(&mut used.certificates, certificate);
            }
        }
    }
    out.into_values().collect()
}
