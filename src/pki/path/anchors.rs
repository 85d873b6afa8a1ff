//! A view's trust anchors, prepared once.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use rustls::pki_types::{CertificateDer, TrustAnchor};

use crate::model::certificate::CertificateFacts;
use crate::model::text::escape;
use crate::pki::facts::{Checked, facts};

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
    facts: OnceLock<Option<CertificateFacts>>,
}

impl Anchor {
    /// What it says, once it is asked for: a store holds more than a hundred anchors, and paths lead to few of them. That
    /// it can be read is known.
    pub fn facts(&self) -> Option<&CertificateFacts> {
        self.facts.get_or_init(|| facts(&self.der).ok()).as_ref()
    }
}

impl Anchors {
    /// Takes anchors as DER; those that cannot serve as anchors are left out and named.
    pub fn new(ders: &[Arc<[u8]>]) -> (Self, Vec<String>) {
        let mut these = Self { anchors: Vec::new(), by_subject: HashMap::new(), by_der: HashMap::new() };
        let mut broken = Vec::new();
        for (i, der) in ders.iter().enumerate() {
            match anchor(der) {
                Ok((subject, anchor)) => these.add(subject, anchor),
                Err(why) => broken.push(format!("trust anchor {} of {}: {why}", i + 1, ders.len())),
            }
        }
        (these, broken)
    }

    fn add(&mut self, subject: Vec<u8>, anchor: Anchor) {
        let place = self.anchors.len();
        if self.by_der.insert(anchor.der.clone(), place).is_none() {
            self.by_subject.entry(subject).or_default().push(place);
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

/// An anchor, after the DER of its subject name.
fn anchor(der: &Arc<[u8]>) -> Result<(Vec<u8>, Anchor), String> {
    let checked = Checked::of(der).map_err(|e| e.to_string())?;
    let certificate = CertificateDer::from(der.as_ref());
    let trust = webpki::anchor_from_trusted_cert(&certificate)
        .map_err(|e| format!("{} cannot be a trust anchor ({e})", escape(&checked.subject())))?
        .to_owned();
    Ok((checked.subject_der().to_vec(), Anchor { der: der.clone(), trust, facts: OnceLock::new() }))
}
