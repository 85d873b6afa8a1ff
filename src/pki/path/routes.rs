//! Which ways lead by name from an end-entity certificate to a trust anchor (RFC 4158). Names only: whether a way holds
//! is judged one way at a time, so that nothing that lies beside it can hide its reason.

use std::borrow::Cow;

use super::anchors::Anchors;
use crate::model::certificate::CertificateFacts;

/// A certificate that a way may lead over.
#[derive(Clone, Debug)]
pub(super) struct Link<'a> {
    pub der: &'a [u8],
    pub facts: Cow<'a, CertificateFacts>,
    /// Place in the chain as served; `None` if it was not sent.
    pub position: Option<usize>,
}

/// Ways found.
#[derive(Default)]
pub(super) struct Routes<'a> {
    /// Each from the end-entity certificate to the one whose issuer has an anchor's name.
    pub complete: Vec<Vec<&'a Link<'a>>>,
    /// Issuer of the last certificate of the longest way that ends nowhere, as text.
    pub dead_end: String,
    /// True if a way was left because it has too many intermediates.
    pub too_deep: bool,
}

/// As many intermediates as rustls-webpki follows.
const DEPTH: usize = 6;
/// A chain that offers more ways than this is made to waste time.
const WAYS: usize = 12;
const STEPS: usize = 600;

struct Walk<'a, 'w> {
    pool: &'w [&'a Link<'a>],
    anchors: &'w Anchors,
    found: Routes<'a>,
    longest_dead_end: usize,
    steps: usize,
}

/// Every way from `leaf` over `pool`, in the pool's order, shorter ones first at each fork.
pub(super) fn find<'a>(leaf: &'a Link<'a>, pool: &[&'a Link<'a>], anchors: &Anchors) -> Routes<'a> {
    let mut walk = Walk { pool, anchors, found: Routes::default(), longest_dead_end: 0, steps: 0 };
    walk.on(&mut vec![leaf], leaf);
    walk.found
}

impl<'a> Walk<'a, '_> {
    fn on(&mut self, way: &mut Vec<&'a Link<'a>>, last: &'a Link<'a>) {
        self.steps += 1;
        if self.steps > STEPS || self.found.complete.len() == WAYS {
            return;
        }
        let leads_to_an_anchor = self.anchors.named(&last.facts.issuer_der).next().is_some();
        if leads_to_an_anchor {
            self.found.complete.push(way.clone());
        }
        let next: Vec<&Link<'_>> =
            self.pool.iter().copied().filter(|c| issued(c, last) && !way.iter().any(|w| same(w, c))).collect();
        if next.is_empty() && !leads_to_an_anchor && way.len() > self.longest_dead_end {
            self.longest_dead_end = way.len();
            self.found.dead_end = last.facts.issuer.to_string();
        }
        if way.len() > DEPTH {
            self.found.too_deep |= !next.is_empty();
            return;
        }
        for link in next {
            way.push(link);
            self.on(way, link);
            way.pop();
        }
    }
}

fn issued(candidate: &Link<'_>, certificate: &Link<'_>) -> bool {
    certificate.facts.names_as_issuer(&candidate.facts)
}

/// The same entity (RFC 4158 section 5.2): a way does not come by it twice.
fn same(a: &Link<'_>, b: &Link<'_>) -> bool {
    a.facts.spki_sha256 == b.facts.spki_sha256 && a.facts.subject_der == b.facts.subject_der
}
