//! Judges one way to a trust anchor at a time, by rustls-webpki.

use std::time::Duration;

use jiff::Timestamp;
use rustls::pki_types::{CertificateDer, SignatureVerificationAlgorithm, TrustAnchor, UnixTime};
use webpki::{EndEntityCert, Error, KeyUsage};

use super::anchors::{Anchor, Anchors};
use super::routes::Link;
use super::{OutOfDate, PathFacts, Untrusted, out_of_date, signature};
use crate::model::text::escape;

/// How far a way came; the better first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reason {
    /// It holds over what was sent.
    None,
    /// It holds, with an intermediate that was not sent.
    Missing,
    /// It would hold, were it not for a weak signature.
    Weak,
    /// It would hold, were it for servers.
    Purpose,
    /// Some other rule of RFC 5280.
    Rule,
    /// A signature is by another key.
    Signature,
}

/// What is to be said of the best of these ways; `None` if there are none.
pub(super) fn best(ways: &[Vec<&Link<'_>>], anchors: &Anchors, now: Timestamp) -> Option<(PathFacts, Reason)> {
    let mut best: Option<(PathFacts, Reason)> = None;
    for way in ways {
        let (facts, reason) = judge(way, anchors, now);
        let rank = |(facts, reason): &(PathFacts, Reason)| (*reason, facts.dates.len());
        // No way is better than one that holds and is within its dates.
        let is_good = reason <= Reason::Missing && facts.dates.is_empty();
        if best.as_ref().is_none_or(|b| (reason, facts.dates.len()) < rank(b)) {
            best = Some((facts, reason));
        }
        if is_good {
            break;
        }
    }
    best
}

fn judge(way: &[&Link<'_>], anchors: &Anchors, now: Timestamp) -> (PathFacts, Reason) {
    let issuers: Vec<&Anchor> = way.last().map(|l| anchors.named(&l.facts.issuer_der).collect()).unwrap_or_default();
    let verdict = match moment(way, now) {
        Some(at) => verify(way, &issuers, signature::accepted(), at).map_err(|e| refusal(way, &issuers, &e, at)),
        None => without_a_moment(way, &issuers),
    };
    let (anchor, untrusted, reason) = match verdict {
        Ok(anchor) => match way.iter().find(|link| link.position.is_none()) {
            None => (Some(anchor), None, Reason::None),
            Some(link) => {
                let subject = link.facts.subject.to_string();
                (Some(anchor), Some(Untrusted::MissingIntermediate { subject }), Reason::Missing)
            }
        },
        Err(refusal) => {
            let untrusted = match refusal.reason {
                Reason::Weak => Untrusted::Weak(refusal.words),
                Reason::Purpose => Untrusted::Purpose(refusal.words),
                Reason::None | Reason::Missing | Reason::Rule | Reason::Signature => Untrusted::Invalid(refusal.words),
            };
            (refusal.anchor, Some(untrusted), refusal.reason)
        }
    };
    let mut dates = out_of_date(way.iter().copied(), now);
    dates.extend(anchor.and_then(|a| anchor_out_of_date(a, &issuers, now)));
    (PathFacts { untrusted, dates }, reason)
}

/// Why a way does not hold.
struct Refusal<'a> {
    reason: Reason,
    words: String,
    /// The anchor that it would lead to, where that is known.
    anchor: Option<&'a Anchor>,
}

impl Refusal<'_> {
    fn new(reason: Reason, words: String) -> Self {
        Self { reason, words, anchor: None }
    }
}

/// A moment within the dates of every certificate, `now` if it is one: webpki would else answer "expired" and nothing
/// more. `None` if they have none in common.
fn moment(way: &[&Link<'_>], now: Timestamp) -> Option<Timestamp> {
    let first = way.iter().map(|l| l.facts.not_before).max()?;
    let last = way.iter().map(|l| l.facts.not_after).min()?;
    match first <= last {
        true if (first.as_second()..=last.as_second()).contains(&now.as_second()) => Some(now),
        true => Some(first),
        false => None,
    }
}

fn verify<'a>(
    way: &[&Link<'_>],
    issuers: &[&'a Anchor],
    algorithms: &[&dyn SignatureVerificationAlgorithm],
    at: Timestamp,
) -> Result<&'a Anchor, Error> {
    let mut ders = way.iter().map(|link| CertificateDer::from(link.der));
    let leaf = ders.next().ok_or(Error::UnknownIssuer)?;
    let intermediates: Vec<CertificateDer<'_>> = ders.collect();
    let anchors: Vec<TrustAnchor<'_>> = issuers.iter().map(|a| a.trust.clone()).collect();
    let time = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(at.as_second()).unwrap_or(0)));
    let leaf = EndEntityCert::try_from(&leaf)?;
    let usage = KeyUsage::server_auth();
    let path = leaf.verify_for_usage(algorithms, &anchors, &intermediates, time, usage, None, None)?;
    let place = anchors.iter().position(|a| std::ptr::eq(a, path.anchor()));
    place.and_then(|i| issuers.get(i).copied()).ok_or(Error::UnknownIssuer)
}

/// webpki never reads an anchor's dates. The same name and key may stand in several anchors, a renewed root beside the
/// old one: one within its dates is enough.
fn anchor_out_of_date(anchor: &Anchor, issuers: &[&Anchor], now: Timestamp) -> Option<OutOfDate> {
    let key = |a: &Anchor| a.facts().map(|f| f.spki_sha256);
    let twins = issuers.iter().filter(|a| key(a) == key(anchor)).filter_map(|a| a.facts());
    let of = |facts| OutOfDate::of(facts, None, now).map(|date| OutOfDate { is_anchor: true, ..date });
    let each: Vec<Option<OutOfDate>> = twins.map(of).collect();
    match each.iter().any(Option::is_none) {
        true => None,
        false => each.into_iter().flatten().max_by_key(|d| d.not_after),
    }
}

/// The certificates were never valid together, so that webpki cannot be asked. Something on the way is out of date then,
/// whatever the time; only signatures are looked at, to say whether it would be trusted.
fn without_a_moment<'a>(way: &[&Link<'_>], issuers: &[&'a Anchor]) -> Result<&'a Anchor, Refusal<'a>> {
    match unsigned(way, issuers) {
        Some(refusal) => Err(refusal),
        None => {
            let last = way.last().map(|l| l.der).unwrap_or_default();
            let signer = issuers.iter().find(|a| signature::is_signed_by(last, &a.der) == Some(true));
            signer.copied().ok_or_else(|| Refusal::new(Reason::Signature, "no trust anchor signed it".into()))
        }
    }
}

fn refusal<'a>(way: &[&Link<'_>], issuers: &[&'a Anchor], error: &Error, at: Timestamp) -> Refusal<'a> {
    if !is_about_signatures(error) {
        return Refusal::new(rule(error), words(error));
    }
    match verify(way, issuers, &signature::with_legacy(), at) {
        Ok(anchor) => Refusal { reason: Reason::Weak, words: weak(way, anchor), anchor: Some(anchor) },
        Err(second) if !is_about_signatures(&second) => Refusal::new(rule(&second), words(&second)),
        Err(_) => unsigned(way, issuers).unwrap_or_else(|| Refusal::new(Reason::Signature, words(error))),
    }
}

/// Which rule an error is about that is not about signatures.
fn rule(error: &Error) -> Reason {
    match error {
        Error::RequiredEkuNotFoundContext(_) | Error::EmptyEkuExtension => Reason::Purpose,
        _ => Reason::Rule,
    }
}

fn is_about_signatures(error: &Error) -> bool {
    matches!(
        error,
        Error::InvalidSignatureForPublicKey
            | Error::UnsupportedSignatureAlgorithmContext(_)
            | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_)
    )
}

/// Names what makes a way weak that holds with legacy algorithms.
fn weak(way: &[&Link<'_>], anchor: &Anchor) -> String {
    let issuers = way.iter().skip(1).map(|l| l.facts.as_ref()).chain(anchor.facts());
    for (link, issuer) in way.iter().zip(issuers) {
        let (subject, signer) = (escape(&link.facts.subject), escape(&issuer.subject));
        if link.facts.signature.starts_with("sha1") {
            return format!("{subject} is signed with SHA-1, which clients no longer accept, by {signer}");
        }
        if rsa_bits(&issuer.key).is_some_and(|bits| bits < 2048) {
            return format!("{subject} is signed by {signer}, whose key ({}) clients no longer accept", issuer.key);
        }
    }
    "a signature uses what clients no longer accept".into()
}

fn rsa_bits(key: &str) -> Option<u32> {
    key.strip_prefix("RSA ")?.parse().ok()
}

/// The first certificate of the way that its issuer did not sign, or whose signature cannot be told.
fn unsigned(way: &[&Link<'_>], issuers: &[&Anchor]) -> Option<Refusal<'static>> {
    way.iter().enumerate().find_map(|(i, link)| {
        let signers: Vec<&[u8]> = match way.get(i + 1) {
            Some(next) => vec![next.der],
            None => issuers.iter().map(|a| a.der.as_ref()).collect(),
        };
        let told: Vec<Option<bool>> = signers.iter().map(|s| signature::is_signed_by(link.der, s)).collect();
        let (subject, issuer) = (escape(&link.facts.subject), escape(&link.facts.issuer));
        if told.contains(&Some(true)) {
            None
        } else if told.contains(&Some(false)) {
            let words = format!(
                "{subject} is not signed by the known {issuer}: another CA of the same name, or its key changed"
            );
            Some(Refusal::new(Reason::Signature, words))
        } else {
            let words = format!("{subject} is signed with {}, which cannot be verified here", link.facts.signature);
            Some(Refusal::new(Reason::Rule, words))
        }
    })
}

/// What webpki means, for an administrator.
fn words(error: &Error) -> String {
    let words = match error {
        Error::CaUsedAsEndEntity => "the server's certificate is a CA certificate (basicConstraints CA:TRUE)",
        Error::EndEntityUsedAsCa => "a certificate on the way is not a CA's (basicConstraints)",
        Error::UnsupportedCertVersion => "a certificate is of X.509 version 1 or 2; clients demand version 3",
        Error::RequiredEkuNotFoundContext(_) | Error::EmptyEkuExtension => {
            "the extended key usage does not allow server authentication"
        }
        Error::NameConstraintViolation => "a name in the certificate is outside its CA's name constraints",
        Error::PathLenConstraintViolated => "more intermediates than a CA's path length allows",
        Error::UnsupportedCriticalExtension => "a critical extension is not understood",
        Error::SignatureAlgorithmMismatch => "a certificate names two different signature algorithms",
        Error::MaximumPathDepthExceeded => "the way to a trust anchor has more than 6 intermediate certificates",
        Error::CertExpired { .. } | Error::CertNotValidYet { .. } | Error::InvalidCertValidity => {
            "a certificate's dates cannot be"
        }
        other => return format!("the certification path is invalid ({other:?})"),
    };
    words.to_string()
}
