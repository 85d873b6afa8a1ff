//! Certification paths (RFC 5280 section 6): whether a chain leads to a view's trust anchors, and apart from that,
//! whether it is within its dates.

mod anchors;
mod routes;
mod signature;
#[cfg(test)]
mod tests;
mod way;

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;

pub use anchors::Anchors;
use routes::{Link, Routes};
pub use signature::is_signed_by;
pub(super) use signature::spki_of;
use way::Reason;

use super::facts;
use crate::model::certificate::CertificateFacts;

/// What is to be said of a chain for the clients of a view at a time. Every reason stands on its own: an expired chain
/// from an unknown issuer says both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PathFacts {
    /// Why it does not lead to a trust anchor, dates left aside; `None` if it does.
    pub untrusted: Option<Untrusted>,
    /// Certificates of the path (of the chain, where there is no path) outside their dates.
    pub dates: Vec<OutOfDate>,
}

/// Why a chain does not lead to a trust anchor. Names are as the certificates have them, not escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Untrusted {
    /// The end-entity certificate is self-signed and not pinned.
    SelfSigned,
    /// It would lead to an anchor with an intermediate that the server did not send.
    MissingIntermediate {
        /// Subject of the missing certificate, as text.
        subject: String,
    },
    /// No anchor and no known intermediate issued it.
    UnknownIssuer {
        /// Issuer of the last certificate that could be followed, as text.
        issuer: String,
    },
    /// A known issuer signed it, and clients refuse a key or a signature on the way as too weak.
    Weak(String),
    /// A known issuer signed it, and the extended key usage of a certificate on the way leaves servers out.
    Purpose(String),
    /// The issuer is known, and something else is wrong: name constraints, not a CA ...
    Invalid(String),
}

/// A certificate outside its dates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutOfDate {
    /// Position in the chain as served; `None` for the trust anchor or an intermediate that was not sent.
    pub position: Option<usize>,
    /// True of the trust anchor.
    pub is_anchor: bool,
    /// Its subject, as text.
    pub subject: String,
    /// First instant.
    pub not_before: Timestamp,
    /// Last second.
    pub not_after: Timestamp,
}

impl OutOfDate {
    /// `None` if the certificate is within its dates; both ends belong to them (RFC 5280 section 4.1.2.5).
    fn of(facts: &CertificateFacts, position: Option<usize>, now: Timestamp) -> Option<Self> {
        let (now, first, last) = (now.as_second(), facts.not_before.as_second(), facts.not_after.as_second());
        (now < first || last < now).then(|| Self {
            position,
            is_anchor: false,
            subject: facts.subject.to_string(),
            not_before: facts.not_before,
            not_after: facts.not_after,
        })
    }
}

/// Judges a chain (DER, end-entity certificate first). `known` are further intermediates, from the plan's files and
/// other servers' chains, by which a missing intermediate is told from an unknown issuer.
pub fn path(chain: &[Arc<[u8]>], anchors: &Anchors, known: &[Arc<[u8]>], now: Timestamp) -> PathFacts {
    let read = |der| facts(der).map(Cow::Owned).map_err(|e| e.0);
    let chain: Vec<Read<'_>> = chain.iter().map(|der| Read { der, facts: read(der) }).collect();
    path_of(&chain, anchors, known, now)
}

/// A certificate of a chain: its DER, and what it says or why it cannot be read.
#[derive(Clone, Debug)]
pub struct Read<'a> {
    /// DER.
    pub der: &'a [u8],
    /// What it says.
    pub facts: Result<Cow<'a, CertificateFacts>, String>,
}

/// As [`path`], of a chain that was read already: reading is a good part of the work.
pub fn path_of(chain: &[Read<'_>], anchors: &Anchors, known: &[Arc<[u8]>], now: Timestamp) -> PathFacts {
    let Some(first) = chain.first() else {
        return untrusted(Untrusted::Invalid("there is no certificate".into()));
    };
    let leaf = match &first.facts {
        Ok(facts) => Link { der: first.der, facts: Cow::Borrowed(facts), position: Some(0) },
        Err(why) => return untrusted(Untrusted::Invalid(why.clone())),
    };
    // A pinned certificate is compared as it is: webpki refuses one that is a CA's, or of version 1.
    if anchors.holds(first.der) {
        return PathFacts { untrusted: None, dates: out_of_date([&leaf], now) };
    }
    if is_self_signed(&leaf) {
        return PathFacts { untrusted: Some(Untrusted::SelfSigned), dates: out_of_date([&leaf], now) };
    }
    let sent: Vec<Link<'_>> = sent(chain).collect();
    let sent: Vec<&Link<'_>> = sent.iter().collect();
    let routes = routes::find(&leaf, &sent, anchors);
    let over_sent = way::best(&routes.complete, anchors, now);
    if let Some((facts, Reason::None)) = over_sent {
        return facts;
    }
    let unsent: Vec<Link<'_>> = known
        .iter()
        .filter(|k| !chain.iter().any(|c| c.der == k.as_ref()))
        .filter_map(|k| facts(k).ok().map(|facts| Link { der: k, facts: Cow::Owned(facts), position: None }))
        .collect();
    let every: Vec<&Link<'_>> = sent.iter().copied().chain(&unsent).collect();
    let mut routes = routes::find(&leaf, &every, anchors);
    routes.complete.retain(|way| way.iter().any(|link| link.position.is_none()));
    let over_known = way::best(&routes.complete, anchors, now);
    conclude(over_sent, over_known, &routes, || out_of_date([&leaf].into_iter().chain(sent.iter().copied()), now))
}

/// A way over what was sent and one over what is known, each the best of its kind.
fn conclude(
    over_sent: Option<(PathFacts, Reason)>,
    over_known: Option<(PathFacts, Reason)>,
    routes: &Routes<'_>,
    dates_of_chain: impl Fn() -> Vec<OutOfDate>,
) -> PathFacts {
    let mut refused = [over_sent, over_known].into_iter().flatten().collect::<Vec<_>>();
    refused.sort_by_key(|(_, reason)| *reason);
    match refused.into_iter().next() {
        Some((facts, _)) => facts,
        None if routes.too_deep => {
            let why = Untrusted::Invalid("the way to a trust anchor has more than 6 intermediate certificates".into());
            PathFacts { untrusted: Some(why), dates: dates_of_chain() }
        }
        None => {
            let why = Untrusted::UnknownIssuer { issuer: routes.dead_end.clone() };
            PathFacts { untrusted: Some(why), dates: dates_of_chain() }
        }
    }
}

fn untrusted(why: Untrusted) -> PathFacts {
    PathFacts { untrusted: Some(why), dates: Vec::new() }
}

/// Self-issued, and the signature is by its own key, as far as that can be told.
fn is_self_signed(leaf: &Link<'_>) -> bool {
    leaf.facts.is_self_issued() && is_signed_by(leaf.der, leaf.der) != Some(false)
}

/// What was sent behind the end-entity certificate and can be read. Superfluous ones and a wrong order do no harm.
fn sent<'a>(chain: &'a [Read<'_>]) -> impl Iterator<Item = Link<'a>> {
    let link = |(i, c): (usize, &'a Read<'_>)| {
        let facts = Cow::Borrowed(c.facts.as_deref().ok()?);
        Some(Link { der: c.der, facts, position: Some(i) })
    };
    chain.iter().enumerate().skip(1).filter_map(link)
}

fn out_of_date<'a>(links: impl IntoIterator<Item = &'a Link<'a>>, now: Timestamp) -> Vec<OutOfDate> {
    links.into_iter().filter_map(|link| OutOfDate::of(&link.facts, link.position, now)).collect()
}
