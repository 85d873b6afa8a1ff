//! What is to be said of the plan's certificate files beside their certificates.

use std::collections::BTreeMap;

use crate::judge::RuleInfo;
use crate::judge::draft::{Context, Draft};
use crate::judge::wording;
use crate::model::plan::{CertificateSource, Plan};
use crate::model::source::Span;

/// A file that declared certificates name.
pub(super) struct Named<'a> {
    pub(super) path: &'a str,
    pub(super) labels: Vec<&'a str>,
    pub(super) notes: Vec<&'a str>,
    span: Span,
}

/// The files that are asked about and of which there are such notes, each once, in the order of their paths.
pub(super) fn noted<'a>(context: &Context<'a>, is: impl Fn(&str) -> bool) -> Vec<Named<'a>> {
    let case = context.case;
    let of = |(path, (labels, span)): (&'a str, (Vec<&'a str>, Span))| {
        let notes: Vec<&str> = case.certificates.notes(path).iter().map(String::as_str).filter(|n| is(n)).collect();
        (!notes.is_empty()).then_some(Named { path, labels, notes, span })
    };
    let all = files(case.plan).into_iter().filter_map(of);
    all.filter(|named| case.policy.asks_about("san", &named.labels)).collect()
}

fn files(plan: &Plan) -> BTreeMap<&str, (Vec<&str>, Span)> {
    let mut out: BTreeMap<&str, (Vec<&str>, Span)> = BTreeMap::new();
    for certificate in &plan.certificates {
        if let CertificateSource::File(path) = &certificate.source {
            let (labels, _) = out.entry(&path.value).or_insert((Vec::new(), path.span));
            labels.push(&certificate.label);
        }
    }
    out
}

/// A finding about a file, at its place in the plan.
pub(super) fn draft(context: &Context, rule: &'static RuleInfo, named: &Named, title: String) -> Draft {
    let mut draft = Draft::plain(rule, title);
    draft.waiver = context.waiver_on(rule, &[&named.labels[..], &[named.path]].concat());
    draft.subject.certificate = named.labels.first().map(|l| (*l).to_string());
    draft.seen = wording::cut(named.notes.iter().map(|n| format!("{}: {n}", named.path)).collect());
    draft.at = Some(named.span);
    draft
}
