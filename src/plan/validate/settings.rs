//! Settings of the plan, or nearer.

use std::sync::Arc;

use super::reader::{Fields, Reader};
use crate::model::plan::{ClientCertificate, Parts, Settings};
use crate::plan::error::PlanError;
use crate::plan::keys;
use crate::plan::raw::Node;

/// The settings that stand in a table; what does not is taken from farther out.
pub(super) fn settings(reader: &Reader, fields: &Fields, outer: &Settings) -> Settings {
    let mut out = outer.clone();
    let number = |key, least, most, into: &mut u32| {
        if let Some(n) = fields.get(key).and_then(|node| reader.number(node, least, most)) {
            *into = n;
        }
    };
    number("samples", 1, 1000, &mut out.samples);
    number("per-host", 1, 1000, &mut out.per_host);
    number("retry", 0, 10, &mut out.retry);
    let boolean = |key, into: &mut bool| {
        if let Some(b) = fields.get(key).and_then(|node| reader.boolean(node)) {
            *into = b;
        }
    };
    if let Some(shown) = fields.get("client-certificate").and_then(|node| client_certificate(reader, node)) {
        out.client_certificate = Some(Arc::new(shown));
        // Whoever has one to show says that it is asked for.
        out.mtls = true;
    }
    boolean("mtls", &mut out.mtls);
    boolean("authoritative", &mut out.authoritative);
    match fields.get("timeout") {
        Some(node) if node.as_table().is_some() => out.parts = parts(reader, node, out.parts),
        Some(node) => {
            // A nearer limit of the whole is about its parts too.
            out.timeout_ms = timeout(reader, node).or(out.timeout_ms);
            out.parts = Parts::default();
        }
        None => {}
    }
    if let Some(age) = fields.get("max-age").and_then(|node| reader.seconds(node)) {
        out.max_age = age.value;
    }
    if let Some(ehlo) = fields.get("ehlo").and_then(|node| reader.full_name(reader.string(node, "a host name")?)) {
        out.ehlo = ehlo.value.to_string();
    }
    out.password_env = password_env(reader, fields).or(out.password_env);
    out
}

/// A certificate and its key, each in a file beside the plan.
fn client_certificate(reader: &Reader, node: &Node) -> Option<ClientCertificate> {
    let fields = reader.fields(node, "a client certificate", keys::CLIENT_CERTIFICATE)?;
    let path = |key: &str| {
        let Some(node) = fields.get(key) else {
            let error =
                PlanError::at(node.span, format!("no `{key}` of the client certificate"), "expected `file` and `key`");
            return reader.missing(error.help("client-certificate = { file = \"client.pem\", key = \"client.key\" }"));
        };
        reader.path(reader.string(node, "a file")?)
    };
    let (file, key) = (path("file"), path("key"));
    Some(ClientCertificate { file: file?, key: key? })
}

/// The name of an environment variable: a password itself does not belong in a plan.
pub(super) fn password_env(reader: &Reader, fields: &Fields) -> Option<String> {
    let node = fields.get("password-env")?;
    let text = reader.line(node, "the name of an environment variable")?;
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if text.value.chars().all(fits) && !text.value.starts_with(|c: char| c.is_ascii_digit()) {
        return Some(text.value);
    }
    let error = PlanError::at(node.span, "not the name of an environment variable", "expected letters, digits and `_`");
    reader.note(error.help("the password itself does not belong in the plan"))
}

/// A limit for each part; what is not said is taken from farther out.
fn parts(reader: &Reader, node: &Node, outer: Parts) -> Parts {
    let Some(fields) = reader.fields(node, "a timeout", keys::TIMEOUT) else { return outer };
    let part = |key| fields.get(key).and_then(|node| timeout(reader, node));
    Parts {
        connect_ms: part("connect").or(outer.connect_ms),
        dialogue_ms: part("dialogue").or(outer.dialogue_ms),
        handshake_ms: part("handshake").or(outer.handshake_ms),
    }
}

fn timeout(reader: &Reader, node: &Node) -> Option<u64> {
    let millis = reader.millis(node)?;
    if (100..=600_000).contains(&millis) {
        return Some(millis);
    }
    reader.note(PlanError::at(node.span, "duration out of range", "expected 100ms to 10m"))
}
