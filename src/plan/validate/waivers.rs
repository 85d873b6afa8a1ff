//! `[[waivers]]` and `[severity]`: what the plan says of rules. Which rules there are is the judge's to know.

use std::collections::BTreeMap;

use super::reader::Reader;
use super::time::Edge;
use super::view_labels;
use crate::model::finding::Severity;
use crate::model::name::Name;
use crate::model::plan::{Plan, Waiver};
use crate::model::source::{Located, Span};
use crate::plan::error::PlanError;
use crate::plan::keys;
use crate::plan::raw::{Node, Value};

const SEVERITIES: &[(&str, Option<Severity>)] = &[
    ("off", None),
    ("info", Some(Severity::Info)),
    ("warning", Some(Severity::Warning)),
    ("error", Some(Severity::Error)),
];

/// Rules that speak of names which the plan need not have: certificates have more.
const OF_ANY_NAME: &[&str] = &["replacement-drops-name"];

pub(super) fn waivers(reader: &Reader, node: Option<&Node>, plan: &Plan) -> Vec<Waiver> {
    let Some(node) = node else { return Vec::new() };
    let Value::Array(items) = &node.value else {
        return reader.wrong(node, "a list of waivers, each under [[waivers]]").unwrap_or_default();
    };
    items.iter().filter_map(|item| waiver(reader, item, plan)).collect()
}

fn waiver(reader: &Reader, node: &Node, plan: &Plan) -> Option<Waiver> {
    let fields = reader.fields(node, "a waiver", keys::WAIVER)?;
    let needed = |key: &str, why: &str| {
        let error = PlanError::at(node.span, format!("a waiver without `{key}`"), why.to_string());
        fields.get(key).or_else(|| reader.missing(error))
    };
    let rule_name = needed("rule", "expected the name of a rule").and_then(|n| {
        let text = reader.string(n, "the name of a rule")?;
        rule(reader, text).then(|| Located::new(text.value.to_string(), text.span))
    });
    let any_name = rule_name.as_ref().is_some_and(|r| OF_ANY_NAME.contains(&r.value.as_str()));
    let reason = needed("reason", "expected why the fault is accepted").and_then(|n| reader.line(n, "why"));
    let until = fields.get("until").and_then(|n| Some(Located::new(reader.instant(n, Edge::Until)?, n.span)));
    Some(Waiver {
        rule: rule_name.unwrap_or_default(),
        on: fields.get("on").and_then(|n| subject(reader, reader.string(n, "whom it is about")?, plan, any_name)),
        reason: reason.unwrap_or_default(),
        until,
        span: node.span,
    })
}

fn rule(reader: &Reader, text: Located<&str>) -> bool {
    let fits = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let kebab = text.value.len() <= 80 && text.value.split('-').all(fits);
    if !kebab {
        let error = PlanError::at(text.span, "not the name of a rule", "expected words such as san-missing-name");
        reader.note::<()>(error.help("`coexist explain` lists the rules"));
    }
    kebab
}

/// Whom a waiver is about, in the form in which findings say it.
fn subject(reader: &Reader, text: Located<&str>, plan: &Plan, any_name: bool) -> Option<Located<String>> {
    let labels = || {
        let servers = plan.servers.iter().map(|s| &*s.label).chain(plan.pools.iter().map(|p| &*p.label));
        servers.chain(plan.certificates.iter().map(|c| &*c.label)).chain(view_labels(&plan.views))
    };
    if labels().any(|label| label == text.value) {
        return Some(Located::new(text.value.to_string(), text.span));
    }
    let name = Name::parse(text.value).ok();
    if let Some(known) = plan.names.iter().find(|n| Some(&n.name) == name.as_ref()) {
        return Some(Located::new(known.name.to_string(), text.span));
    }
    let zones = plan.zones.iter().map(|z| &z.apex).chain(plan.mail.iter().map(|m| &m.domain));
    let mut others = zones.chain(plan.records.iter().map(|r| &r.owner));
    let owner = Name::parse_owner(text.value).ok();
    if let Some(known) = others.find(|n| Some(*n) == owner.as_ref()) {
        return Some(Located::new(known.to_string(), text.span));
    }
    if let Some(name) = name.filter(|_| any_name) {
        return Some(Located::new(name.to_string(), text.span));
    }
    let hint = reader.hint(text.value, labels().chain(plan.names.iter().map(|n| n.name.as_str())));
    let title = format!("nothing is called `{}`", text.value);
    let label = "expected a name, server, pool, certificate or view of this plan";
    reader.missing(PlanError::at(text.span, title, label).maybe_help(hint))
}

pub(super) fn severity(reader: &Reader, node: Option<&Node>) -> BTreeMap<String, Located<Option<Severity>>> {
    let mut out = BTreeMap::new();
    for (key, node) in reader.entries(node, "severities", &|_| false) {
        let fits = rule(reader, Located { value: key.value.as_str(), span: key.span });
        if let Some(severity) = reader.word(node, "a severity", SEVERITIES).filter(|_| fits) {
            out.insert(key.value, Located::new(severity, whole(key.span, node.span)));
        }
    }
    out
}

fn whole(key: Span, value: Span) -> Span {
    Span::new(key.start().min(value.start()), key.end().max(value.end()))
}
