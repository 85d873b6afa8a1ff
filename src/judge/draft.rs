//! Findings in the making: what a rule says, whom it concerns, and the facts by which consequences find their cause.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use super::assess::Assessment;
use super::case::{Case, Suspicion};
use super::evidence::Look;
use super::in_use::Uses;
use super::problem::{CertificateFault, Culprit, EndpointFault, Fault, Problem};
use super::{RuleInfo, waive, wording};
use crate::model::certificate::BlobId;
use crate::model::finding::{Finding, Remedy, Severity, Subject};
use crate::model::obligation::{Claim, Obligation};
use crate::model::plan::{CertId, NameId, Target, ViewId};
use crate::model::source::Span;

/// A fact that findings share: if all facts of one kind that a finding has are another's too, it may follow from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    /// This certificate lacks this name.
    Uncovered(Whose, NameId),
    /// This leaf is served by this culprit.
    Served(Culprit, BlobId),
    /// This leaf is served by this culprit in the place of another certificate.
    Replaced(Culprit, BlobId),
    /// This culprit is to serve this certificate, and does not.
    Unused(Culprit, CertId),
    /// This name in this view.
    Dns(NameId, ViewId),
    /// Where clients of this mail domain, by its index, look for autodiscover in this view.
    Candidate(usize, ViewId),
    /// This address was given for this name in this view, and no target has it.
    Stranger(NameId, ViewId, IpAddr),
    /// This name has its public address in this internal view.
    Hairpin(NameId, ViewId),
    /// This name is an alias that leads nowhere in this view.
    Alias(NameId, ViewId),
    /// The path of this leaf is refused for what a certificate on it is: weak, or not for servers.
    Refused(BlobId),
    /// The handshake with whoever serves this leaf cannot be finished for what its key is.
    Unfinished(BlobId),
    /// This leaf is to be renewed.
    Renewed(BlobId),
    /// The MX hosts of this mail domain, by its index, are aliases of the right ones in the view.
    MxAlias(usize, ViewId),
    /// A host takes this domain's mail in the view that is not to.
    MxStray(usize, ViewId),
}

/// Which certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Whose {
    /// One whose content is known.
    Leaf(BlobId),
    /// One of which only the names are planned.
    Planned(CertId),
}

/// A finding in the making.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) rule: &'static RuleInfo,
    pub(super) severity: Severity,
    pub(super) title: String,
    pub(super) subject: Subject,
    pub(super) expected: Vec<String>,
    pub(super) seen: Vec<String>,
    pub(super) hurts: Vec<String>,
    pub(super) remedy: Remedy,
    pub(super) at: Option<Span>,
    pub(super) looks: BTreeSet<Look>,
    pub(super) obligations: BTreeSet<usize>,
    pub(super) open_question: bool,
    /// The waiver that accepts it, by its index in the plan.
    pub(super) waiver: Option<usize>,
    pub(super) keys: BTreeSet<Key>,
    /// It is about a declared certificate, which is to be mended wherever it is served.
    pub(super) declared: bool,
}

/// One problem of a due obligation.
#[derive(Clone, Copy)]
pub(super) struct Item<'a> {
    /// The obligation's index.
    pub(super) index: usize,
    pub(super) obligation: &'a Obligation,
    pub(super) problem: &'a Problem,
}

/// What a rule may look at.
pub(super) struct Context<'a> {
    pub(super) case: &'a Case<'a>,
    pub(super) assessed: &'a [Assessment],
    pub(super) suspicion: &'a Suspicion,
    /// The due obligations with problems: few, while all rules go through them.
    troubled: Vec<usize>,
    /// The certificates that due obligations are about; see [`super::in_use`].
    pub(super) uses: OnceLock<Uses<'a>>,
}

/// Items by what they have in common, and by the waiver that accepts them.
pub(super) type Groups<'a, K> = BTreeMap<(K, Option<usize>), Vec<Item<'a>>>;

impl<'a> Context<'a> {
    /// What is said of every obligation, ready for rules.
    pub(super) fn new(case: &'a Case<'a>, assessed: &'a [Assessment], suspicion: &'a Suspicion) -> Self {
        let all = assessed.iter().enumerate();
        let troubled = all.filter(|(i, a)| !a.problems.is_empty() && case.is_due(*i)).map(|(i, _)| i).collect();
        Self { case, assessed, suspicion, troubled, uses: OnceLock::new() }
    }

    /// Every problem of what is due, in the plan's order.
    pub(super) fn items(&self) -> impl Iterator<Item = Item<'a>> + '_ {
        self.troubled.iter().copied().flat_map(|index| {
            let obligation = &self.case.obligations[index];
            self.assessed[index].problems.iter().map(move |problem| Item { index, obligation, problem })
        })
    }

    /// The problems that a rule speaks of, by what they have in common. What a waiver accepts stands apart from what it
    /// does not.
    pub(super) fn group<K: Ord>(&self, rule: &RuleInfo, key: impl Fn(&Item<'a>) -> Option<K>) -> Groups<'a, K> {
        let mut out: Groups<'a, K> = BTreeMap::new();
        let waived = self.case.plan.waivers.iter().any(|w| w.rule.value == rule.name);
        for item in self.items() {
            if let Some(key) = key(&item) {
                let waiver = if waived { self.waiver(rule.name, &self.labels(&item)) } else { None };
                out.entry((key, waiver)).or_default().push(item);
            }
        }
        out
    }

    /// The waiver in force that accepts a rule's finding about something of these labels.
    pub(super) fn waiver(&self, rule: &str, labels: &BTreeSet<String>) -> Option<usize> {
        let accepts = |w: &&crate::model::plan::Waiver| {
            w.rule.value == rule
                && waive::meanings(self.case.plan, w).len() < 2
                && w.until.as_ref().is_none_or(|u| self.case.now < u.value)
                && w.on.as_ref().is_none_or(|on| {
                    labels.contains(&on.value) || labels.contains(&on.value.trim_end_matches('.').to_ascii_lowercase())
                })
        };
        let waivers = &self.case.plan.waivers;
        waivers.iter().find(accepts).and_then(|w| waivers.iter().position(|o| std::ptr::eq(o, w)))
    }

    /// As [`Self::waiver`], of labels that stand in the plan.
    pub(super) fn waiver_on(&self, rule: &RuleInfo, labels: &[&str]) -> Option<usize> {
        self.waiver(rule.name, &labels.iter().map(|l| l.to_string()).collect())
    }

    /// What a waiver may say `on` of an obligation: its name, server or pool, certificate, view.
    pub(super) fn labels_of(&self, obligation: &Obligation) -> BTreeSet<String> {
        let plan = self.case.plan;
        let mut out = BTreeSet::from([plan.name(obligation.name).name.to_string()]);
        let mut add = |label: &str| out.insert(label.to_string());
        match &*obligation.claim {
            Claim::Covers { certificate, .. } => add(&plan.certificate(*certificate).label),
            Claim::Resolves { view, .. } | Claim::Lowered { view, .. } => add(&plan.view(*view).label),
            Claim::Serves { server, .. } => add(&plan.server(*server).label),
            Claim::Path { target, view, .. } => {
                add(&plan.view(*view).label);
                add(plan.target_label(*target))
            }
        };
        out
    }

    /// As [`Context::labels_of`], of a problem.
    fn labels(&self, item: &Item) -> BTreeSet<String> {
        let plan = self.case.plan;
        let mut out = self.labels_of(item.obligation);
        let mut add = |label: &str| out.insert(label.to_string());
        match &item.problem.fault {
            Fault::Certificate(certificate, fault) => {
                add(&plan.certificate(*certificate).label);
                if let CertificateFault::SelfSigned { view, .. } = fault {
                    add(&plan.view(*view).label);
                }
            }
            Fault::Endpoint(spot, fault) => {
                if let Culprit::Planned(target) = spot.culprit {
                    add(plan.target_label(target));
                }
                if let EndpointFault::Untrusted { view, .. } | EndpointFault::NoAnchors { view } = fault {
                    add(&plan.view(*view).label);
                }
                if let Some(c) = fault.leaf().and_then(|leaf| self.case.certificates.declared(leaf)) {
                    add(&plan.certificate(c).label);
                }
            }
            Fault::Dns(view, _, _) => {
                add(&plan.view(*view).label);
            }
        }
        out
    }
}

impl Draft {
    /// A finding of a rule about some problems; its place is the first obligation's.
    pub(super) fn of(context: &Context, rule: &'static RuleInfo, items: &[Item], waiver: Option<usize>) -> Self {
        let mut draft = Self::plain(rule, String::new());
        draft.waiver = waiver;
        draft.declared = items.iter().any(|i| matches!(i.problem.fault, Fault::Certificate(..)));
        draft.at = items.first().map(|i| i.obligation.span);
        draft.obligations = items.iter().map(|i| i.index).collect();
        draft.looks = items.iter().flat_map(|i| i.problem.looks.iter().copied()).collect();
        draft.subject = wording::common_subject(context.case, &draft.obligations, items);
        draft
    }

    /// A finding about no obligation.
    pub(super) fn plain(rule: &'static RuleInfo, title: String) -> Self {
        Self {
            rule,
            severity: rule.severity,
            title,
            subject: Subject::default(),
            expected: Vec::new(),
            seen: Vec::new(),
            hurts: Vec::new(),
            remedy: Remedy::default(),
            at: None,
            looks: BTreeSet::new(),
            obligations: BTreeSet::new(),
            open_question: false,
            waiver: None,
            keys: BTreeSet::new(),
            declared: false,
        }
    }

    /// The finding, with its place and ids, without its cause.
    pub(super) fn finish(&self, case: &Case) -> Finding {
        let mut evidence: Vec<String> = self.looks.iter().map(|l| case.evidence.id(*l)).collect();
        evidence.sort();
        evidence.dedup();
        let id = |i: &usize| case.obligations[*i].id(case.plan).to_string().into();
        let mut obligations: Vec<Arc<str>> = self.obligations.iter().map(id).collect();
        obligations.sort();
        Finding {
            rule: self.rule.name,
            severity: self.severity,
            title: self.title.clone(),
            subject: self.subject.clone(),
            expected: self.expected.clone(),
            seen: self.seen.clone(),
            hurts: self.hurts.clone(),
            remedy: self.remedy.clone(),
            at: self.at.map(|span| case.plan.source.place(span)),
            evidence,
            obligations,
            open_question: self.open_question,
            waived: None,
            caused_by: None,
        }
    }
}

/// The server or pool of a culprit.
pub(super) fn target_of(culprit: Culprit) -> Option<Target> {
    match culprit {
        Culprit::Planned(target) => Some(target),
        Culprit::Stranger(_) => None,
    }
}
