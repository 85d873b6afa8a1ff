//! The inspection for people: a block for each item, what is wrong at its end.

use std::io::{self, Write};

use jiff::Timestamp;

use super::json::names;
use super::{Why, exit_status};
use crate::model::certificate::CertificateFacts;
use crate::model::finding::Severity;
use crate::model::inspection::{Inspected, Inspection, KeyShown, Met, Remark, Shown};
use crate::report::Style;
use crate::report::escaped::shown;
use crate::report::ink::Ink;
use crate::report::wrap::hang;

/// Names that are listed before "and N more", unless everything is wanted.
const LISTED: usize = 12;

/// Writes it.
pub(super) fn write(seen: &Inspection, why: Why, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let ink = Ink(style.colour);
    for (i, item) in seen.items.iter().enumerate() {
        if i > 0 && !style.quiet {
            writeln!(out)?;
        }
        for line in block(item, seen.now, why, style) {
            let mark = line.split(' ').next().unwrap_or_default().to_string();
            match matches!(mark.as_str(), "X" | "!" | "ok" | "?") {
                true => writeln!(out, "{}", ink.begin(line, &mark))?,
                false => writeln!(out, "{line}")?,
            }
        }
    }
    let status = exit_status(seen);
    match status == super::PASS || style.quiet {
        true => Ok(()),
        false => writeln!(out, "\n{}exit {status}", summary(seen)),
    }
}

/// How many could not be read or lack a name.
fn summary(seen: &Inspection) -> String {
    let unread = seen.items.iter().filter(|i| i.error.is_some()).count();
    let lacking = seen.items.iter().filter(|i| i.error.is_none() && i.is_lacking()).count();
    let of = seen.items.len();
    let mut words = Vec::new();
    if unread > 0 {
        words.push(format!("{unread} of {of} could not be read"));
    }
    if lacking > 0 {
        words.push(format!("{lacking} of {of} lack a name that was asked about"));
    }
    words.iter().map(|w| format!("{w}.  ")).collect()
}

fn block(item: &Inspected, now: Timestamp, why: Why, style: Style) -> Vec<String> {
    let mut lines = hang(&format!("{:<3} ", mark(item)), &head(item), 6, style.width);
    if style.quiet {
        return lines;
    }
    let mut add = |begin: &str, text: &str| lines.extend(hang(begin, &shown(text), 12, style.width));
    for (at, certificate) in item.certificates.iter().enumerate() {
        let whole = style.verbose || Some(at) == item.leaf || item.leaf.is_none();
        about(certificate, at, whole, now, style, &mut add);
    }
    if let Some(key) = &item.private_key {
        add("    holds   ", &about_key(key));
    }
    if let Some(pfx) = &item.pfx {
        add("    PFX     ", &pfx.to_string());
    }
    for covers in &item.covers {
        match &covers.by {
            Ok(by) if *by == covers.name => add("ok  covers  ", &covers.name),
            Ok(by) => add("ok  covers  ", &format!("{} (by {by})", covers.name)),
            Err(reason) => add("X   lacks   ", &format!("{}: {}", covers.name, why(reason))),
        }
    }
    item.remarks.iter().for_each(|remark| add(sign(remark), &said(remark)));
    if let Some(error) = &item.error {
        add("?   error   ", &error.message);
    }
    lines
}

fn mark(item: &Inspected) -> &'static str {
    let is_wrong = item.is_lacking() || item.remarks.iter().any(|r| r.severity == Severity::Error);
    match (&item.error, is_wrong) {
        (Some(_), _) => "?",
        (None, true) => "X",
        (None, false) if item.remarks.iter().any(|r| r.severity == Severity::Warning) => "!",
        (None, false) => "ok",
    }
}

fn sign(remark: &Remark) -> &'static str {
    match remark.severity {
        Severity::Error => "X   ",
        Severity::Warning => "!   ",
        Severity::Info => "    ",
    }
}

fn said(remark: &Remark) -> String {
    match remark.rule {
        Some(rule) => format!("{rule}: {}", remark.message),
        None => remark.message.clone(),
    }
}

/// `mail.example.com  10.0.0.10:443 https  SNI mail.example.com  TLS 1.3`.
fn head(item: &Inspected) -> String {
    let mut parts = vec![item.source.clone()];
    match &item.endpoint {
        Some(met) => parts.extend(way(met)),
        None => parts.push(match item.certificates.len() {
            0 => item.kind.to_uppercase(),
            1 => format!("{}, 1 certificate", item.kind.to_uppercase()),
            n => format!("{}, {n} certificates", item.kind.to_uppercase()),
        }),
    }
    shown(&parts.join("  "))
}

fn way(met: &Met) -> Vec<String> {
    let word = met.service.split(':').next().unwrap_or_default();
    let at = met.address.clone().unwrap_or_else(|| format!(":{}", met.service.rsplit(':').next().unwrap_or_default()));
    let starttls = if met.way.is_empty() { String::new() } else { format!(" {}", met.way) };
    let mut parts = vec![format!("{at} {word}{starttls}")];
    parts.push(met.sni.as_ref().map_or_else(|| "no SNI".into(), |sni| format!("SNI {sni}")));
    parts.extend(met.version.clone());
    parts
}

/// A certificate of the chain: one line, and what clients compare where it is the server's own.
fn about(shown: &Shown, at: usize, whole: bool, now: Timestamp, style: Style, add: &mut dyn FnMut(&str, &str)) {
    let Ok(facts) = &shown.facts else {
        return add(
            &format!("    {:<7} ", at + 1),
            &format!("cannot be read; SHA-256 {}", data_encoding::HEXLOWER.encode(&shown.sha256)),
        );
    };
    let subject = if facts.subject.is_empty() { "no subject" } else { &facts.subject };
    let own = if facts.is_self_issued() { ", self-signed" } else { "" };
    add(&format!("    {:<7} ", at + 1), &format!("{subject}{own}, until {}", until(facts, now)));
    if !whole {
        return;
    }
    let names = names(facts);
    let listed = if style.verbose { names.len() } else { LISTED };
    let more = names.len().saturating_sub(listed);
    let mut text = names.iter().take(listed).cloned().collect::<Vec<_>>().join(", ");
    match (more, text.is_empty()) {
        (0, true) if facts.is_ca => {}
        (0, true) => text.push_str("none"),
        (0, false) => {}
        (more, _) => text.push_str(&format!(" and {more} more")),
    }
    if !text.is_empty() {
        add("    names   ", &text);
    }
    if !facts.is_self_issued() {
        add("    issuer  ", &facts.issuer);
    }
    add("    key     ", &format!("{}, signed with {}", facts.key, facts.signature));
    add("    SHA-1   ", &facts.thumbprint());
    add("    SHA-256 ", &facts.sha256.to_string());
    if style.verbose {
        add("    serial  ", &facts.serial);
        add("    from    ", &facts.not_before.to_string());
    }
}

fn until(facts: &CertificateFacts, now: Timestamp) -> String {
    let days = (facts.not_after.as_second() - now.as_second()).div_euclid(86_400);
    let day = facts.not_after.strftime("%Y-%m-%d");
    match days {
        ..=-1 => format!("{day} (expired)"),
        0 => format!("{day} (less than a day)"),
        1 => format!("{day} (1 day)"),
        days => format!("{day} ({days} days)"),
    }
}

fn about_key(key: &KeyShown) -> String {
    let kind = key.kind.as_ref().map(|k| format!("{k} ")).unwrap_or_default();
    let locked = if key.encrypted { ", locked by a password" } else { "" };
    let whose = match key.matches {
        Some(true) => ", the certificate's",
        Some(false) => ", NOT the certificate's",
        None => "",
    };
    format!("{kind}private key{locked}{whose}")
}
