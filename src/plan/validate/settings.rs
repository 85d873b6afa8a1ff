//! Settings of the plan, or nearer.

use super::reader::{Fields, Reader};
use crate::model::plan::Settings;

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
    boolean("mtls", &mut out.mtls);
    boolean("authoritative", &mut out.authoritative);
    out.timeout_ms = fields.get("timeout").and_then(|node| timeout(reader, node)).or(out.timeout_ms);
    if let Some(age) = fields.get("max-age").and_then(|node| reader.seconds(node)) {
        out.max_age = age.value;
    }
    if let Some(ehlo) = fields.get("ehlo").and_then(|node| reader.full_name(reader.string(node, "a host name")?)) {
        out.ehlo = ehlo.value.to_string();
    }
    out.password_env = password_env(reader, fields).or(out.password_env);
    out
}

/// The name of an environment variable: a password itself does not belong in a plan.
pub(super) fn password_env(reader: &Reader, fields: &Fields) -> Option<String> {
    let node = fields.get("password-env")?;
    let text = reader.line(node, "the name of an environment variable")?;
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if text.value.chars().all(fits) && !text.value.starts_with(|c: char| c.is_ascii_digit()) {
        return Some(text.value);
    }
    let error = crate::plan::error::PlanError::at(
        node.span,
        "not the name of an environment variable",
        "expected letters, digits and `_`",
    );
    reader.note(error.help("the password itself does not belong in the plan"))
}

fn timeout(reader: &Reader, node: &crate::plan::raw::Node) -> Option<u64> {
    let millis = reader.millis(node)?;
    if (100..=600_000).contains(&millis) {
        return Some(millis);
    }
    reader.note(crate::plan::error::PlanError::at(node.span, "duration out of range", "expected 100ms to 10m"))
}
