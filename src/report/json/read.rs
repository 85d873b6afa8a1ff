//! Fills the shapes from a judgement. The matches are exhaustive: a new verdict or kind has to be given its word here.

use super::FORMAT;
use super::shapes::{
    At, Counts, Finding, Kind, Obligation, Outcome, Proxies, Remedy, Report, Resolvers, SeenFrom, Severity, Subject,
    Verdict, Waiver,
};
use crate::model::finding::{self as model, ClaimKind, Judgement, RunOutcome};
use crate::model::source::Place;
use crate::report::exit::exit_status;

impl<'a> Report<'a> {
    pub(super) fn of(j: &'a Judgement) -> Self {
        let model::Counts { passed, failed, warned, unobserved, waived } = j.counts;
        Self {
            format: FORMAT,
            tool: concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")),
            plan: &j.plan,
            outcome: match j.outcome {
                RunOutcome::Pass => Outcome::Pass,
                RunOutcome::Fail => Outcome::Fail,
                RunOutcome::Incomplete => Outcome::Incomplete,
                RunOutcome::Interrupted => Outcome::Interrupted,
            },
            exit_status: exit_status(j),
            asked: &j.asked,
            now: j.now.to_string(),
            partial: j.partial,
            counts: Counts { passed, failed, warned, unobserved, waived },
            seen_from: SeenFrom::of(&j.seen_from),
            findings: j.findings.iter().enumerate().map(|(i, f)| Finding::of(i, f)).collect(),
            obligations: j.obligations.iter().map(Obligation::of).collect(),
            not_looked_at: &j.not_looked_at,
        }
    }
}

impl<'a> SeenFrom<'a> {
    fn of(s: &'a model::SeenFrom) -> Self {
        let resolvers =
            |r: &'a model::ResolversSeen| Resolvers { view: &r.view, answered: r.answered, declared: r.declared };
        Self {
            stands_in: &s.stands_in,
            addresses: &s.addresses,
            resolvers: s.resolvers.iter().map(resolvers).collect(),
            paths_not_seen: &s.paths_not_seen,
            proxies: s.proxies.iter().map(|p| Proxies { view: &p.view, proxy: &p.proxy }).collect(),
            retried: s.retried,
            detours: s.detours,
            from: s.from.map(|t| t.to_string()),
            to: s.to.map(|t| t.to_string()),
            other_plan: s.other_plan,
        }
    }
}

impl<'a> Finding<'a> {
    fn of(index: usize, f: &'a model::Finding) -> Self {
        let id = |i: usize| format!("f{}", i.saturating_add(1));
        Self {
            id: id(index),
            rule: f.rule,
            severity: match f.severity {
                model::Severity::Error => Severity::Error,
                model::Severity::Warning => Severity::Warning,
                model::Severity::Info => Severity::Info,
            },
            title: &f.title,
            subject: Subject::of(&f.subject),
            expected: &f.expected,
            seen: &f.seen,
            hurts: &f.hurts,
            remedy: Remedy { now: &f.remedy.now, cure: &f.remedy.cure, next: &f.remedy.next },
            at: f.at.as_ref().map(At::of),
            evidence: &f.evidence,
            obligations: f.obligations.iter().map(|id| &**id).collect(),
            open_question: f.open_question,
            waived: f.waived.as_ref().map(|w| Waiver { reason: &w.reason, until: w.until.as_deref() }),
            caused_by: f.caused_by.map(id),
        }
    }
}

impl<'a> Subject<'a> {
    fn of<Text: std::ops::Deref<Target = str>>(s: &'a model::Subject<Text>) -> Self {
        Self {
            name: s.name.as_deref(),
            view: s.view.as_deref(),
            server: s.server.as_deref(),
            address: s.address.as_deref(),
            service: s.service.as_deref(),
            vantage: s.vantage.as_deref(),
            certificate: s.certificate.as_deref(),
        }
    }
}

impl<'a> At<'a> {
    fn of(p: &'a Place) -> Self {
        Self { file: &p.file, line: p.line, column: p.column, pointer: p.pointer.as_deref() }
    }
}

impl<'a> Obligation<'a> {
    fn of(o: &'a model::Judged) -> Self {
        Self {
            id: o.id.to_string(),
            kind: match o.kind {
                ClaimKind::San => Kind::San,
                ClaimKind::Dns => Kind::Dns,
                ClaimKind::Tls => Kind::Tls,
                ClaimKind::Path => Kind::Path,
                ClaimKind::Ttl => Kind::Ttl,
            },
            subject: Subject { name: Some(&o.id.name), ..Subject::of(&o.about) },
            phases: &o.phases,
            due: o.due,
            verdict: match o.verdict {
                model::Verdict::Pass => Verdict::Pass,
                model::Verdict::Fail => Verdict::Fail,
                model::Verdict::Warn => Verdict::Warn,
                model::Verdict::Unobserved => Verdict::Unobserved,
                model::Verdict::Waived => Verdict::Waived,
                model::Verdict::NotApplicable => Verdict::NotApplicable,
                model::Verdict::NotInForce => Verdict::NotInForce,
            },
            cell: &o.cell,
        }
    }
}
