//! A view's trust anchors, prepared once.

use std::collections::HashMap;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, TrustAnchor};

use crate::model::certificate::CertificateFacts;
use crate::model::text::escape;
use crate::pki::facts;

/// A view's trust anchors, ready for path building.
pub struct Anchors {
    anchors: Vec<Anchor>,
    /// Places in `anchors` by the DER of the subject name.
    by_subject: HashMap<Vec<u8>, Vec<usize>>,
    by_der: HashMap<Arc<[u8]>, usize>,
}

/// One trust anchor.
pub(super) struct Anchor {
    pub der: Arc<[u8]>,
    pub trust: TrustAnchor<'static>,
    pub facts: CertificateFacts,
}

impl Anchors {
    /// Takes anchors as DER; those that cannot serve as anchors are left out and named.
    pub fn new(ders: &[Arc<[u8]>]) -> (Self, Vec<String>) {
        let mut these = Self { anchors: Vec::new(), by_subject: HashMap::new(), by_der: HashMap::new() };
        let mut broken = Vec::new();
        for (i, der) in ders.iter().enumerate() {
            match anchor(der) {
                Ok(anchor) => these.add(anchor),
                Err(why) => broken.push(format!("trust anchor {} of {}: {why}", i + 1, ders.len())),
            }
        }
        (these, broken)
    }

    fn add(&mut self, anchor: Anchor) {
        let place = self.anchors.len();
        if self.by_der.insert(anchor.der.clone(), place).is_none() {
            self.by_subject.entry(anchor.facts.subject_der.clone()).or_default().push(place);
            self.anchors.push(anchor);
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.anchors.len()
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.anchors.is_empty()
    }

    /// True if this very certificate is one of them: pinned, or a root.
    pub fn holds(&self, der: &[u8]) -> bool {
        self.by_der.contains_key(der)
    }

    /// Those of that name.
    pub(super) fn named(&self, name_der: &[u8]) -> impl Iterator<Item = &Anchor> {
        self.by_subject.get(name_der).into_iter().flatten().filter_map(|place| self.anchors.get(*place))
    }
}

fn anchor(der: &Arc<[u8]>) -> Result<Anchor, String> {
    let facts = facts(der).map_err(|e| e.to_string())?;
    let certificate = CertificateDer::from(der.as_ref());
    let trust = webpki::anchor_from_trusted_cert(&certificate)
        .map_err(|e| format!("{} cannot be a trust anchor ({e})", escape(&facts.subject)))?
        .to_owned();
    Ok(Anchor { der: der.clone(), trust, facts })
}
