//! What clients would stumble over in a chain, and what is worth knowing of it.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Asked, Look, cover, in_order, uncovered, unproved};
use crate::judge::out_of_box;
use crate::judge::rules::certificate::weak_key_or_signature::weakness;
use crate::judge::rules::served::modern_clients_cannot_connect::is_refused_by_browsers;
use crate::judge::wording::day;
use crate::model::certificate::CertificateFacts;
use crate::model::finding::Severity::{self, Error, Info, Warning};
use crate::model::inspection::{KeyShown, Reference, Remark, Shown};
use crate::pki::{self, OutOfDate, PathFacts, Untrusted};

const DAY: i64 = 86_400;
/// So near an end is said.
const SOON: i64 = 30 * DAY;

fn remark(severity: Severity, rule: &'static str, message: impl Into<String>) -> Remark {
    Remark { severity, rule: Some(rule), message: message.into() }
}

fn plain(severity: Severity, message: impl Into<String>) -> Remark {
    Remark { severity, rule: None, message: message.into() }
}

/// Every remark, in the order in which they were found.
pub(super) fn of(
    look: &Look,
    certificates: &[Shown],
    leaf: Option<usize>,
    key: Option<&KeyShown>,
    asked: &Asked<'_>,
) -> Vec<Remark> {
    let mut out = Vec::new();
    let facts = |at: usize| certificates.get(at).and_then(|c| c.facts.as_ref().ok());
    for (at, shown) in certificates.iter().enumerate() {
        let unread = shown.facts.as_ref().err();
        out.extend(unread.map(|why| plain(Error, format!("certificate {} cannot be read: {why}", at + 1))));
    }
    if let Some((at, own)) = leaf.and_then(|at| Some((at, facts(at)?))) {
        // A file of authorities is a bundle of anchors: nobody serves it.
        let is_bundle =
            !look.is_endpoint() && own.is_ca && own.dns_ids.is_empty() && own.ip_ids.is_empty() && key.is_none();
        let path = asked.anchors.filter(|_| !is_bundle);
        let path = path.map(|anchors| pki::path_of(&in_order(look, certificates, at), anchors, asked.known, asked.now));
        out.extend(dates(path.as_ref(), certificates, at, is_bundle, asked.now));
        out.extend(weak(certificates, at, is_bundle));
        out.extend(order(certificates, at, look.is_endpoint()));
        if !is_bundle {
            out.extend(identity(look, own, asked));
            out.extend(trust(path.as_ref(), own, certificates.len()));
        }
    }
    out.extend(connection(look));
    out.extend(key.map(about_key));
    // What is said of keys is said better by `private_key`.
    let notes = look.notes.iter().filter(|note| key.is_none() || !note.contains("private key"));
    out.extend(notes.map(|note| plain(Warning, note.clone())));
    out
}

/// Who it is for.
fn identity(look: &Look, own: &CertificateFacts, asked: &Asked<'_>) -> Vec<Remark> {
    let mut out = Vec::new();
    let label = match &look.host {
        Some(Reference::Name(name)) => name.labels().next().unwrap_or_default(),
        _ => "",
    };
    out.extend(
        out_of_box::recognise(own, label).map(|found| remark(Error, "default-certificate-served", found.words())),
    );
    if own.server_auth == Some(false) {
        out.push(remark(Error, "eku-missing-serverauth", "its extended key usage leaves servers out"));
    }
    if own.dns_ids.is_empty() && own.ip_ids.is_empty() {
        out.push(remark(Error, "cn-only-certificate", "it has no name in subjectAltName, where clients look for it"));
    }
    // Unless it was asked about others, whom it was dialled for counts.
    let host = look.host.as_ref().filter(|_| asked.names.is_empty());
    if let Some((host, why)) = host.and_then(|host| Some((host, cover(Some(own), host).err()?))) {
        // Who types an address may well want to see what is there.
        let severity = if matches!(host, Reference::Name(_)) { Error } else { Info };
        let words = format!("{host} is not covered: {}", uncovered(&why));
        out.push(remark(severity, "endpoint-serves-wrong-certificate", words));
    }
    out
}

/// Dates of the path; a certificate that no path needs does no harm.
fn dates(
    path: Option<&PathFacts>,
    certificates: &[Shown],
    leaf: usize,
    is_bundle: bool,
    now: Timestamp,
) -> Vec<Remark> {
    let facts = || certificates.iter().enumerate().filter_map(|(at, c)| Some((at, c.facts.as_ref().ok()?)));
    let mut out = Vec::new();
    let mut told = BTreeSet::new();
    for date in path.iter().flat_map(|p| &p.dates) {
        told.insert(date.subject.clone());
        out.push(out_of_date(date, now));
    }
    let outside = |f: &CertificateFacts| now < f.not_before || f.not_after.as_second() < now.as_second();
    for (at, own) in facts().filter(|(_, f)| outside(f) && !told.contains(&*f.subject)) {
        let words = format!("certificate {} ({}) {}", at + 1, own.subject, when(own.not_before, own.not_after, now));
        out.push(match path {
            Some(_) if at != leaf => plain(Info, format!("{words}; no path needs it")),
            _ if is_bundle => remark(Warning, "certificate-not-currently-valid", words),
            _ => remark(Error, "certificate-not-currently-valid", words),
        });
    }
    let left = |f: &CertificateFacts| f.not_after.as_second() - now.as_second();
    for (at, own) in facts().filter(|(_, f)| (0..SOON).contains(&left(f)) && !outside(f)) {
        let severity = if at == leaf && !is_bundle { Warning } else { Info };
        let words = format!("certificate {} expires on {}, in {} days", at + 1, day(own.not_after), left(own) / DAY);
        out.push(plain(severity, words));
    }
    out
}

fn out_of_date(date: &OutOfDate, now: Timestamp) -> Remark {
    let which = match date.position {
        Some(_) => date.subject.clone(),
        None => format!("{}, which is not sent,", date.subject),
    };
    let words = format!("{which} {}", when(date.not_before, date.not_after, now));
    remark(Error, "certificate-not-currently-valid", words)
}

fn when(not_before: Timestamp, not_after: Timestamp, now: Timestamp) -> String {
    match now < not_before {
        true => format!("is not valid before {}", day(not_before)),
        false => format!("expired on {}", day(not_after)),
    }
}

fn weak(certificates: &[Shown], leaf: usize, is_bundle: bool) -> Vec<Remark> {
    let facts = certificates.iter().enumerate().filter_map(|(at, c)| Some((at, c.facts.as_ref().ok()?)));
    let weak = facts.filter_map(|(at, f)| Some((at, weakness(f)?)));
    weak.map(|(at, why)| {
        let severity = if at == leaf && !is_bundle { Error } else { Warning };
        remark(severity, "weak-key-or-signature", format!("certificate {} is too weak: {why}", at + 1))
    })
    .collect()
}

/// RFC 8446 section 4.4.2: each certificate should directly certify the one before it; the root may be left out.
fn order(certificates: &[Shown], leaf: usize, served: bool) -> Vec<Remark> {
    let mut out = Vec::new();
    let all: Vec<_> = certificates.iter().map(|c| c.facts.as_ref().ok()).collect();
    if leaf > 0 && !served {
        let words =
            format!("the server's certificate is number {}: some servers take the first one for theirs", leaf + 1);
        out.push(plain(Warning, words));
    }
    let is_bundle = all.iter().flatten().all(|f| f.is_ca);
    let follows = |pair: &&[Option<&CertificateFacts>]| match pair {
        [Some(own), Some(next)] => own.names_as_issuer(next) && own.sha256 != next.sha256,
        _ => true,
    };
    if leaf == 0 && (served || !is_bundle) && !all.windows(2).all(|pair| follows(&pair)) {
        out.push(plain(Warning, "the certificates are not in the order in which each is followed by its issuer's"));
    }
    let last = all.last().copied().flatten().filter(|_| served && all.len() > 1);
    if last.is_some_and(|f| f.is_self_issued()) {
        out.push(plain(Info, "the root is sent too; no client needs it"));
    }
    out
}

fn trust(path: Option<&PathFacts>, own: &CertificateFacts, sent: usize) -> Vec<Remark> {
    const UNTRUSTED: &str = "untrusted-issuer-for-view";
    let Some(path) = path else {
        return vec![plain(Warning, "whether it is trusted is not known: there are no anchors")];
    };
    let said = match &path.untrusted {
        None => return Vec::new(),
        Some(Untrusted::SelfSigned) => remark(Error, UNTRUSTED, "it is self-signed, and no trust anchor"),
        Some(Untrusted::MissingIntermediate { subject }) => {
            remark(Error, "chain-incomplete", format!("the intermediate {subject} is missing"))
        }
        Some(Untrusted::UnknownIssuer { issuer }) if sent == 1 && **issuer == *own.issuer => {
            let words = format!("nothing leads to a trust anchor: the issuer {issuer} is neither sent nor trusted");
            remark(Error, UNTRUSTED, words)
        }
        Some(Untrusted::UnknownIssuer { issuer }) => {
            remark(Error, UNTRUSTED, format!("no trust anchor is called {issuer}"))
        }
        // It has a line of its own.
        Some(Untrusted::Purpose(_)) if own.server_auth == Some(false) => return Vec::new(),
        Some(Untrusted::Weak(why) | Untrusted::Purpose(why) | Untrusted::Invalid(why)) => {
            remark(Error, UNTRUSTED, format!("its path is not valid: {why}"))
        }
    };
    vec![said]
}

fn connection(look: &Look) -> Vec<Remark> {
    let Some(served) = &look.served else { return Vec::new() };
    let mut out = Vec::new();
    if let Some(version) = served.version.as_deref().filter(|v| !matches!(*v, "TLS 1.2" | "TLS 1.3")) {
        let words = format!("it speaks {version}, which current clients refuse");
        out.push(remark(Error, "tls-version-below-floor", words));
    } else if let Some(declined) = &served.declined {
        let suite = served.cipher.as_deref().unwrap_or("an unknown suite");
        let words = format!("it speaks TLS 1.2 with {suite}, and to a client that takes none such: {declined}");
        let weight = if is_refused_by_browsers(suite) { Error } else { Warning };
        out.push(remark(weight, "modern-clients-cannot-connect", words));
    }
    out.extend(unproved(served).map(|(is_wrong, words)| match is_wrong {
        true => remark(Error, "endpoint-serves-wrong-certificate", words),
        false => plain(Warning, words),
    }));
    out
}

fn about_key(key: &KeyShown) -> Remark {
    match key.matches {
        Some(false) => plain(Error, "the private key in the file is not the certificate's"),
        _ => plain(Info, "the file holds a private key: keep it where only the server can read it"),
    }
}
