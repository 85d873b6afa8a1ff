//! The one choke point: the text report reads only the copy that is made here, in which nothing can steer a terminal or
//! a build server. The struct literals name every field, so that a new one has to pass by.

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::finding::{
    Finding, Judged, Judgement, ProxySeen, Remedy, ResolversSeen, SeenFrom, Subject, WaivedBy,
};
use crate::model::obligation::ObligationId;
use crate::model::source::Place;
pub(super) use crate::model::text::shown;

/// The judgement with every text escaped.
pub(super) fn escaped(j: &Judgement) -> Judgement {
    let mut parts = Parts::default();
    Judgement {
        plan: shown(&j.plan),
        scope: j.scope,
        now: j.now,
        asked: shown(&j.asked),
        outcome: j.outcome,
        counts: j.counts,
        partial: j.partial,
        seen_from: seen_from(&j.seen_from),
        obligations: j.obligations.iter().map(|o| parts.judged(o)).collect(),
        findings: j.findings.iter().map(finding).collect(),
        not_looked_at: lines(&j.not_looked_at),
    }
}

/// As [`shown`], of a text that many share: most can be shown as they are.
fn shared(text: &Arc<str>) -> Arc<str> {
    match is_plain(text) {
        true => text.clone(),
        false => shown(text).into(),
    }
}

/// True of letters, digits and what stands between them in names, addresses and ids, once each.
fn is_plain(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'/' | b'_' | b'*' | b'@' | b',');
    text.bytes().zip(text.bytes().skip(1).chain([b' '])).all(|(b, next)| plain(b) || (b == b':' && next != b':'))
}

fn lines(texts: &[String]) -> Vec<String> {
    texts.iter().map(|t| shown(t)).collect()
}

fn option(text: &Option<String>) -> Option<String> {
    text.as_deref().map(shown)
}

fn seen_from(s: &SeenFrom) -> SeenFrom {
    let resolvers =
        |r: &ResolversSeen| ResolversSeen { view: shown(&r.view), answered: r.answered, declared: r.declared };
    SeenFrom {
        stands_in: lines(&s.stands_in),
        addresses: s.addresses.clone(),
        resolvers: s.resolvers.iter().map(resolvers).collect(),
        paths_not_seen: lines(&s.paths_not_seen),
        proxies: s.proxies.iter().map(|p| ProxySeen { view: shown(&p.view), proxy: shown(&p.proxy) }).collect(),
        retried: s.retried,
        detours: s.detours,
        from: s.from,
        to: s.to,
        other_plan: s.other_plan,
    }
}

fn subject<Text>(s: &Subject<Text>, shown: impl Fn(&Text) -> Text) -> Subject<Text> {
    let option = |text: &Option<Text>| text.as_ref().map(&shown);
    Subject {
        name: option(&s.name),
        view: option(&s.view),
        server: option(&s.server),
        address: option(&s.address),
        service: option(&s.service),
        vantage: option(&s.vantage),
        certificate: option(&s.certificate),
    }
}

/// What many obligations share is made fit to be shown once: by where it stands, for it stands there as long as they do.
#[derive(Default)]
struct Parts {
    around: HashMap<*const (), Arc<(String, String)>>,
    about: HashMap<*const (), Arc<Subject<Arc<str>>>>,
    phases: HashMap<*const (), Arc<[String]>>,
}

fn once<T: ?Sized>(known: &mut HashMap<*const (), Arc<T>>, one: &Arc<T>, escape: impl FnOnce(&T) -> Arc<T>) -> Arc<T> {
    known.entry(Arc::as_ptr(one).cast()).or_insert_with(|| escape(one)).clone()
}

impl Parts {
    fn judged(&mut self, o: &Judged) -> Judged {
        Judged {
            id: ObligationId {
                around: once(&mut self.around, &o.id.around, |(before, behind)| (shown(before), shown(behind)).into()),
                name: shared(&o.id.name),
            },
            kind: o.kind,
            about: once(&mut self.about, &o.about, |about| subject(about, shared).into()),
            phases: once(&mut self.phases, &o.phases, |phases| lines(phases).into()),
            due: o.due,
            verdict: o.verdict,
            cell: shared(&o.cell),
        }
    }
}

fn finding(f: &Finding) -> Finding {
    Finding {
        rule: f.rule,
        severity: f.severity,
        title: shown(&f.title),
        subject: subject(&f.subject, |text| shown(text)),
        expected: lines(&f.expected),
        seen: lines(&f.seen),
        hurts: lines(&f.hurts),
        remedy: Remedy { now: lines(&f.remedy.now), cure: lines(&f.remedy.cure), next: lines(&f.remedy.next) },
        at: f.at.as_ref().map(place),
        evidence: lines(&f.evidence),
        obligations: f.obligations.iter().map(shared).collect(),
        open_question: f.open_question,
        waived: f.waived.as_ref().map(|w| WaivedBy { reason: shown(&w.reason), until: option(&w.until) }),
        caused_by: f.caused_by,
    }
}

fn place(p: &Place) -> Place {
    Place { file: shown(&p.file), line: p.line, column: p.column, pointer: option(&p.pointer) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shared_is_shown_alike() {
        for text in [
            "tls/ex2010/IIS:443/*.domain.com@before,after",
            "::error::x",
            ":a",
            "a:",
            "2001:db8::1",
            "\u{202e}",
            "a ::b",
            "##[x]",
            "",
        ] {
            assert_eq!(&*shared(&text.into()), shown(text), "{text:?}");
        }
    }
}
