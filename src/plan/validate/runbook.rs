//! A runbook: `[[steps]]` in their order, each naming things of a plan.

use jiff::civil::DateTime;

use super::reader::{Fields, Reader};
use crate::model::cutover::{Runbook, RunbookStep, StepKind, When};
use crate::model::name::Name;
use crate::model::phase::Phase;
use crate::model::plan::{CertId, Plan, PoolId, ServerId, Target, ViewId};
use crate::model::source::{Located, Source, Span};
use crate::plan::error::PlanError;
use crate::plan::keys::Keys;
use crate::plan::raw::{Node, Value};

const RUNBOOK: Keys = &[&["from", "to", "time-zone", "steps", "title"]];
const STEP: Keys = &[
    &["do", "id", "at", "after", "wait", "views", "names", "servers", "certificate", "ttl", "takes"],
    &["settles", "reversible"],
];
const TIME: &str = "a time such as \"2026-11-23 20:00\" or \"2026-11-23T20:00:00Z\"";

/// Reads a runbook's tree; every mistake is noted with its place.
pub(in crate::plan) fn runbook(
    source: &Source,
    root: &Node,
    plan: &Plan,
    broken: bool,
) -> (Option<Runbook>, Vec<PlanError>) {
    let check = |_: &str| Ok(());
    let reader = Reader::new(source, &check, broken);
    let read =
        reader.fields(root, "the runbook", RUNBOOK).and_then(|fields| Reading { reader: &reader, plan }.all(&fields));
    (read, reader.into_errors())
}

struct Reading<'a> {
    reader: &'a Reader<'a>,
    plan: &'a Plan,
}

/// A step and the words that other steps know it by.
struct Draft {
    step: RunbookStep,
    id: Option<Located<String>>,
    after: Vec<Located<String>>,
}

impl Reading<'_> {
    fn all(&self, root: &Fields) -> Option<Runbook> {
        let from = self.phase(root.get("from"), "from");
        let to = self.phase(root.get("to"), "to");
        if let (Some(from), Some(to), Some(node)) = (from, to, root.get("to"))
            && from >= to
        {
            let title = format!("nothing goes from {from} to {to}");
            self.reader.note::<()>(PlanError::at(node.span, title, "phases go forward"));
        }
        let time_zone = root.get("time-zone").and_then(|n| self.zone(n));
        let steps = self.steps(root.get("steps"))?;
        Some(Runbook { source: Source::default(), from: from?, to: to?, time_zone, steps })
    }

    fn phase(&self, node: Option<&Node>, key: &str) -> Option<Phase> {
        let Some(node) = node else {
            let title = format!("`{key}` is missing");
            return self.reader.missing(PlanError::at(
                self.reader.end(),
                title,
                "expected a phase: before, coexistence, after",
            ));
        };
        let words = Phase::ALL.map(|p| (p.word(), p));
        self.reader.word(node, "a phase", &words)
    }

    fn zone(&self, node: &Node) -> Option<Located<String>> {
        let text = self.reader.line(node, "a time zone such as \"Europe/Berlin\"")?;
        match jiff::tz::TimeZone::get(&text.value) {
            Ok(_) => Some(text),
            Err(_) => self.reader.note(PlanError::at(
                text.span,
                "no such time zone",
                "expected an IANA name such as \"Europe/Berlin\"",
            )),
        }
    }

    fn steps(&self, node: Option<&Node>) -> Option<Vec<RunbookStep>> {
        let Some(node) = node else {
            let error = PlanError::at(self.reader.end(), "no steps", "expected at least one [[steps]]");
            return self.reader.missing(error);
        };
        let Value::Array(_) = node.value else { return self.reader.wrong(node, "a list of steps: [[steps]]") };
        let items = self.reader.one_or_many(node);
        let drafts: Vec<Option<Draft>> = items.iter().map(|n| self.step(n)).collect();
        let count = drafts.iter().flatten().count();
        let mut drafts: Vec<Draft> = drafts.into_iter().flatten().collect();
        self.link(&mut drafts);
        self.forward(&drafts);
        (count == items.len()).then(|| drafts.into_iter().map(|d| d.step).collect())
    }

    fn step(&self, node: &Node) -> Option<Draft> {
        let fields = self.reader.fields(node, "a step", STEP)?;
        let get = |key| fields.get(key);
        let seconds = |key| get(key).and_then(|n| self.reader.seconds(n)).map(|s| s.value);
        let kind = self.kind(get("do"), node.span);
        let step = RunbookStep {
            kind: kind.unwrap_or(StepKind::Gate),
            at: get("at").and_then(|n| self.time(n)),
            after: Vec::new(),
            wait: seconds("wait").unwrap_or(0),
            views: self.views(get("views")),
            names: self.names(get("names")),
            targets: self.targets(get("servers")),
            certificate: get("certificate").and_then(|n| self.certificate(n)),
            ttl: seconds("ttl"),
            takes: seconds("takes"),
            settles: seconds("settles"),
            reversible: get("reversible").and_then(|n| self.reader.boolean(n)),
            span: node.span,
        };
        let text = |n: &Node| self.reader.line(n, "the id of a step");
        let after = get("after").map(|n| self.reader.one_or_many(n).iter().filter_map(text).collect());
        if let (Some(wait), None) = (get("wait"), get("after")) {
            self.reader.note::<()>(PlanError::at(wait.span, "a wait for nothing", "`after` says for which step"));
        }
        kind.map(|_| Draft { step, id: get("id").and_then(text), after: after.unwrap_or_default() })
    }

    fn kind(&self, node: Option<&Node>, span: Span) -> Option<StepKind> {
        let Some(node) = node else {
            let error = PlanError::at(
                Span::new(span.start(), span.start()),
                "a step that does nothing",
                "`do` says what kind of step it is",
            );
            return self.reader.missing(error);
        };
        let words = StepKind::ALL.map(|k| (k.word(), k));
        let text = self.reader.string(node, "a kind of step")?;
        let found = StepKind::of_word(text.value);
        found.or_else(|| {
            let hint = self.reader.hint(text.value, words.iter().map(|(w, _)| *w));
            let list = words.iter().map(|(w, _)| *w).collect::<Vec<_>>().join(", ");
            let title = format!("no such step `{}`", text.value);
            self.reader.note(PlanError::at(text.span, title, "expected a kind of step").help(hint.unwrap_or(list)))
        })
    }

    fn time(&self, node: &Node) -> Option<Located<When>> {
        let (Value::String(text) | Value::Date(text)) = &node.value else { return self.reader.wrong(node, TIME) };
        let when = match (text.parse::<jiff::Timestamp>(), text.parse::<DateTime>()) {
            (Ok(at), _) => When::Instant(at),
            (_, Ok(civil)) => When::Civil(civil),
            _ => return self.reader.note(PlanError::at(node.span, "not a time", format!("expected {TIME}"))),
        };
        Some(Located::new(when, node.span))
    }

    fn views(&self, node: Option<&Node>) -> Vec<ViewId> {
        let labels = || self.plan.views.iter().map(|v| &*v.label);
        self.found(node, "a view", |text| self.plan.view_ids().find(|v| *self.plan.view(*v).label == *text), labels)
    }

    fn targets(&self, node: Option<&Node>) -> Vec<Target> {
        let servers = || self.plan.servers.iter().map(|s| &*s.label);
        let pools = || self.plan.pools.iter().map(|p| &*p.label);
        let find = |text: &str| {
            let server = servers().position(|l| l == text).map(|i| Target::Server(ServerId(i)));
            server.or_else(|| pools().position(|l| l == text).map(|i| Target::Pool(PoolId(i))))
        };
        self.found(node, "a server or pool", find, || servers().chain(pools()))
    }

    fn certificate(&self, node: &Node) -> Option<CertId> {
        let labels = || self.plan.certificates.iter().map(|c| &*c.label);
        self.found(Some(node), "a certificate", |text| labels().position(|l| l == text).map(CertId), labels).pop()
    }

    /// Names of the plan, and domains and services of which it knows who takes mail or serves.
    fn names(&self, node: Option<&Node>) -> Vec<Located<Name>> {
        let plan = self.plan;
        let known = || {
            let beside = plan.mail.iter().map(|m| &m.domain).chain(plan.records.iter().map(|r| &r.owner));
            plan.names.iter().map(|n| &n.name).chain(beside)
        };
        let Some(node) = node else { return Vec::new() };
        self.reader.each(node, "a name", |text| {
            let name = Name::parse_owner(text.value).ok();
            match name.filter(|name| known().any(|k| k == name)) {
                Some(name) => Some(Located::new(name, text.span)),
                None => self.unknown(text, "name", known().map(Name::as_str)),
            }
        })
    }

    fn found<'w, T, I: Iterator<Item = &'w str>>(
        &self,
        node: Option<&Node>,
        what: &str,
        find: impl Fn(&str) -> Option<T>,
        words: impl Fn() -> I,
    ) -> Vec<T> {
        let Some(node) = node else { return Vec::new() };
        self.reader.each(node, what, |text| find(text.value).or_else(|| self.unknown(text, what, words())))
    }

    fn unknown<'w, T>(&self, text: Located<&str>, what: &str, words: impl Iterator<Item = &'w str>) -> Option<T> {
        let what = what.trim_start_matches("a ");
        let title = format!("the plan has no {what} `{}`", text.value);
        let hint = self.reader.hint(text.value, words);
        self.reader.note(PlanError::at(text.span, title, "nothing of that name stands in the plan").maybe_help(hint))
    }

    /// Finds the steps that others wait for. Who waits for a later step, which comes after him, would wait for ever.
    fn link(&self, drafts: &mut [Draft]) {
        let ids: Vec<Option<Located<String>>> = drafts.iter().map(|d| d.id.clone()).collect();
        for (i, id) in ids.iter().enumerate() {
            let first = ids[..i].iter().flatten().find(|o| id.as_ref().is_some_and(|id| id.value == o.value));
            if let (Some(id), Some(first)) = (id, first) {
                let error =
                    PlanError::at(id.span, format!("id `{}` twice", id.value), "each step has an id of its own");
                self.reader.note::<()>(error.other(first.span, "first given here"));
            }
        }
        for (i, draft) in drafts.iter_mut().enumerate() {
            for after in std::mem::take(&mut draft.after) {
                let known = || ids.iter().flatten().map(|id| id.value.as_str());
                match ids.iter().position(|id| id.as_ref().is_some_and(|id| id.value == after.value)) {
                    Some(step) if step < i => draft.step.after.push(step),
                    Some(step) => {
                        let title = if step == i { "a step that waits for itself" } else { "a cycle of waits" };
                        let label =
                            "steps are done in their order: this one would have to wait for one that comes after it";
                        let other = ids[step].as_ref().map_or(after.span, |id| id.span);
                        self.reader
                            .note::<()>(PlanError::at(after.span, title, label).other(other, "this one comes later"));
                    }
                    None => {
                        let title = format!("no step has the id `{}`", after.value);
                        let hint = self.reader.hint(&after.value, known());
                        self.reader.note::<()>(
                            PlanError::at(after.span, title, "expected the id of an earlier step").maybe_help(hint),
                        );
                    }
                }
            }
        }
    }

    /// Times do not go backwards.
    fn forward(&self, drafts: &[Draft]) {
        let mut last: Option<Located<When>> = None;
        for at in drafts.iter().filter_map(|d| d.step.at) {
            let back = match (last.map(|l| l.value), at.value) {
                (Some(When::Instant(a)), When::Instant(b)) => b < a,
                (Some(When::Civil(a)), When::Civil(b)) => b < a,
                _ => false,
            };
            if let (true, Some(last)) = (back, last) {
                let error = PlanError::at(
                    at.span,
                    "times go backwards",
                    "steps are done in their order: this is before the one in front",
                );
                self.reader.note::<()>(error.other(last.span, "the step in front starts then"));
            }
            last = Some(at);
        }
    }
}
