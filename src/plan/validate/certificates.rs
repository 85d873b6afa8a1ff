//! `[certificates.*]`, and the choice of certificates that servers, pools and names make.

use std::collections::HashMap;
use std::sync::Arc;

use super::labels::Entry;
use super::reader::{Fields, Reader};
use super::settings::password_env;
use crate::model::certificate::Thumbprint;
use crate::model::name::Name;
use crate::model::phase::Phase;
use crate::model::plan::{
    CertId, Certificate, CertificateChoice, CertificatePart, CertificateSource, KeyExportable, MatchMode, ServerId,
};
use crate::model::service::{BARE_TLS, WORDS};
use crate::model::source::{Located, Span};
use crate::plan::error::PlanError;
use crate::plan::keys;
use crate::plan::raw::{Key, Node, Table, Value};

const MATCH: &[(&str, MatchMode)] = &[("names", MatchMode::Names), ("leaf", MatchMode::Leaf)];

/// The labels of a kind of thing, to find them by.
pub(super) type Labels<T> = HashMap<String, T>;

pub(super) fn certificate(reader: &Reader, (label, node): &Entry, servers: &Labels<ServerId>) -> Certificate {
    let fields = reader.fields(node, "a certificate", keys::CERTIFICATE);
    let get = |key| fields.as_ref().and_then(|f| f.get(key));
    let thumbprint = get("thumbprint").and_then(|node| thumbprint(reader, node));
    let source = fields.as_ref().and_then(|f| source(reader, f, label, servers));
    let planned = matches!(source, Some(CertificateSource::Names(_)));
    if let Some(node) = get("issuer").or(get("max-names")).filter(|_| !planned && source.is_some()) {
        reader.note::<()>(PlanError::at(node.span, "the certificate is not to be ordered", "only beside `names`"));
    }
    Certificate {
        label: Arc::from(label.value.as_str()),
        match_mode: match_mode(reader, get("match"), source.as_ref(), thumbprint.is_some()),
        source: source.unwrap_or(CertificateSource::Thumbprint),
        thumbprint,
        issuer: get("issuer").and_then(|node| reader.line(node, "whom it is ordered from")),
        max_names: get("max-names").and_then(|n| Some(Located::new(reader.number(n, 1, 100_000)?, n.span))),
        key_exportable: get("key-exportable").and_then(|node| key_exportable(reader, node, servers)),
        password_env: fields.as_ref().and_then(|f| password_env(reader, f)),
        span: label.span,
    }
}

fn key_exportable(reader: &Reader, node: &Node, servers: &Labels<ServerId>) -> Option<Located<KeyExportable>> {
    let value = match &node.value {
        Value::Bool(all) => KeyExportable::Everywhere(*all),
        Value::String(_) | Value::Array(_) => {
            if reader.one_or_many(node).is_empty() {
                return reader.note(PlanError::at(node.span, "no server", "`false` says that no server gives it away"));
            }
            let from = reader.each(node, "a server", |text| find(reader, servers, text, "server"));
            KeyExportable::From(from)
        }
        _ => return reader.wrong(node, "servers that give the key away, true or false"),
    };
    Some(Located::new(value, node.span))
}

fn thumbprint(reader: &Reader, node: &Node) -> Option<Located<Thumbprint>> {
    let text = reader.string(node, "a thumbprint")?;
    match Thumbprint::parse(text.value) {
        Some(thumbprint) => Some(Located::new(thumbprint, text.span)),
        None => {
            let digits = text.value.chars().filter(char::is_ascii_hexdigit).count();
            let label = format!("expected 40 hex digits (SHA-1) or 64 (SHA-256), found {digits}");
            reader.note(PlanError::at(text.span, "not a thumbprint", label))
        }
    }
}

fn source(
    reader: &Reader,
    fields: &Fields,
    label: &Located<String>,
    servers: &Labels<ServerId>,
) -> Option<CertificateSource> {
    let given: Vec<&Node> = ["file", "from", "names"].iter().filter_map(|key| fields.get(key)).collect();
    if let [first, second, ..] = given[..] {
        let error =
            PlanError::at(second.span, "two sources of one certificate", "expected one of `file`, `from`, `names`");
        reader.note::<()>(error.other(first.span, "the first"));
    }
    if let Some(node) = fields.get("file") {
        return reader.path(reader.string(node, "a file beside the plan")?).map(CertificateSource::File);
    }
    if let Some(node) = fields.get("from") {
        let text = reader.string(node, "the server that serves it")?;
        return find(reader, servers, text, "server").map(CertificateSource::From);
    }
    if let Some(node) = fields.get("names") {
        let names = reader.each(node, "a host name", |text| reader.host_name(text));
        return planned_names(reader, node, names);
    }
    if fields.get("thumbprint").is_some() {
        return Some(CertificateSource::Thumbprint);
    }
    let title = format!("nothing says what certificate `{}` is", label.value);
    let error = PlanError::at(label.span, title, "expected `file`, `thumbprint`, `from` or `names`");
    reader.missing(error.help("names = [...] for one that is not ordered yet"))
}

fn planned_names(reader: &Reader, node: &Node, names: Vec<Located<Name>>) -> Option<CertificateSource> {
    if reader.one_or_many(node).is_empty() {
        return reader.note(PlanError::at(node.span, "a certificate without names", "expected at least one"));
    }
    let mut seen: HashMap<&Name, Span> = HashMap::new();
    for name in &names {
        if let Some(first) = seen.insert(&name.value, name.span) {
            let error = PlanError::at(name.span, format!("name `{}` twice", name.value), "given before");
            reader.note::<()>(error.other(first, "first given here"));
        }
    }
    Some(CertificateSource::Names(names))
}

fn match_mode(reader: &Reader, node: Option<&Node>, source: Option<&CertificateSource>, thumbprint: bool) -> MatchMode {
    let default = if thumbprint { MatchMode::Leaf } else { MatchMode::Names };
    let Some(node) = node else { return default };
    let mode = reader.word(node, "a way to match", MATCH).unwrap_or(default);
    let clash = match (source, mode) {
        (Some(CertificateSource::Names(_)), MatchMode::Leaf) if !thumbprint => "it is not issued yet",
        (Some(CertificateSource::Thumbprint), MatchMode::Names) => "only its thumbprint is known",
        _ => return mode,
    };
    reader.note::<()>(PlanError::at(node.span, "the certificate cannot be matched so", clash));
    mode
}

/// Finds a label; if it is not there, notes it with the nearest one.
pub(super) fn find<T: Copy>(reader: &Reader, labels: &Labels<T>, text: Located<&str>, what: &str) -> Option<T> {
    labels.get(text.value).copied().or_else(|| {
        let hint = reader.hint(text.value, labels.keys().map(String::as_str));
        let error =
            PlanError::at(text.span, format!("no such {what} `{}`", text.value), format!("not under [{what}s]"));
        reader.missing(error.maybe_help(hint))
    })
}

/// Reads what `certificate` says: one, a list, per phase, per service word, or both within each other.
pub(super) fn choice(reader: &Reader, node: &Node, labels: &Labels<CertId>) -> CertificateChoice {
    let mut parts = Vec::new();
    part(reader, node, labels, (None, None), &mut parts);
    CertificateChoice { parts, span: node.span }
}

type Narrowed<'n> = (Option<Phase>, Option<&'n str>);

fn part<'n>(
    reader: &Reader,
    node: &'n Node,
    labels: &Labels<CertId>,
    narrowed: Narrowed<'n>,
    parts: &mut Vec<CertificatePart>,
) {
    if let Value::Table(table) = &node.value {
        return narrow(reader, table, labels, narrowed, parts);
    }
    let certificates = reader.each(node, "a certificate's label", |text| find(reader, labels, text, "certificate"));
    if reader.one_or_many(node).is_empty() {
        reader.note::<()>(PlanError::at(node.span, "no certificate", "expected at least one label"));
    }
    parts.push(CertificatePart { from: narrowed.0, word: narrowed.1.map(str::to_string), certificates });
}

fn narrow<'n>(
    reader: &Reader,
    table: &'n Table,
    labels: &Labels<CertId>,
    (phase, word): Narrowed<'n>,
    parts: &mut Vec<CertificatePart>,
) {
    for (key, node) in &table.entries {
        match (Phase::of_word(&key.text), is_service(&key.text)) {
            (Some(p), _) if phase.is_none() => part(reader, node, labels, (Some(p), word), parts),
            (_, true) if word.is_none() => part(reader, node, labels, (phase, Some(&key.text)), parts),
            _ => unknown(reader, key),
        }
    }
}

fn unknown(reader: &Reader, key: &Key) {
    if Phase::of_word(&key.text).is_some() || is_service(&key.text) {
        let title = format!("`{}` within another", key.text);
        let label = "one phase and one service word narrow a choice";
        return reader.note::<()>(PlanError::at(key.span, title, label)).unwrap_or_default();
    }
    let words = keys::PHASES.iter().copied().chain(WORDS.iter().map(|(word, _)| *word));
    let label = match key.text.contains(':') {
        true => "a certificate is chosen by the service word alone, without a port",
        false => "expected a phase or a service word",
    };
    let hint = reader.hint(&key.text, words);
    let title = format!("no such phase or service `{}`", key.text);
    reader.note::<()>(PlanError::at(key.span, title, label).maybe_help(hint));
}

fn is_service(word: &str) -> bool {
    word == BARE_TLS || WORDS.iter().any(|(w, _)| *w == word)
}
