//! Servers with a certificate for each kind of key.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::{Asked, Sample, at, reached};
use crate::judge::case::Case;
use crate::judge::evidence::{Found, Look};
use crate::judge::problem::{EndpointFault, Fault, Spot};
use crate::model::observation::Run;
use crate::model::tls::{Face, Served, TlsOutcome};

impl Asked<'_> {
    /// What clients meet that take one kind of key alone: where the plan lists several certificates, or the server was seen
    /// to have several.
    pub(super) fn faces(&self, case: &Case, spot: &Spot, counts: impl Fn(&Run) -> bool) -> Vec<Sample> {
        let mut out = Vec::new();
        for face in [Face::Rsa, Face::Ecdsa] {
            let spot = Spot { face: Some(face), ..spot.clone() };
            let found = case.face(self.name, spot.address, self.service.way, face, &counts);
            let is_due = self.is_due(case, face);
            match found {
                Found::Fresh(looks) => {
                    out.extend(reached(case, looks).into_iter().filter_map(|l| self.face(case, &spot, l, is_due)));
                }
                Found::Stale(why) if is_due => out.push(Sample::open(at(&spot, EndpointFault::Stale(why), &[]))),
                Found::Nothing if is_due => out.push(Sample::open(at(&spot, EndpointFault::Unseen, &[]))),
                Found::Stale(_) | Found::Nothing => {}
            }
        }
        out
    }

    /// One look at a face. That a server has none which the plan does not list is no fault; what it shows is judged.
    fn face(&self, case: &Case, spot: &Spot, look: Look, is_due: bool) -> Option<Sample> {
        let (outcome, face) = (case.evidence.tls(look)?, spot.face?);
        let no_suite = |alert: &str| matches!(alert, "handshake_failure" | "insufficient_security");
        let has_none = match outcome {
            TlsOutcome::Alert(alert) if no_suite(alert) => true,
            // An old server declines in these words whatever is asked, and shows a certificate where it has one.
            words => self.declines(case, spot.address.ip(), words),
        };
        match outcome {
            TlsOutcome::Certificate(served) if !is_due && self.is_shown_to_all(case, spot, served) => None,
            TlsOutcome::Certificate(_) => Some(self.sample(case, spot, look)),
            _ if !is_due => None,
            _ if has_none => {
                Some(Sample { problems: vec![at(spot, EndpointFault::NoFace { face }, &[look])], met: None })
            }
            _ => Some(self.sample(case, spot, look)),
        }
    }

    /// True if whoever asks for no face is shown this certificate too: some show the one that they have, whatever is asked.
    fn is_shown_to_all(&self, case: &Case, spot: &Spot, served: &Served) -> bool {
        let is_it = |look: &Look| matches!(case.evidence.tls(*look), Some(TlsOutcome::Certificate(s)) if s.chain == served.chain);
        match self.seen(case, spot.address.ip(), |_| true) {
            Found::Fresh(looks) => looks.iter().any(is_it),
            Found::Stale(_) | Found::Nothing => false,
        }
    }

    /// True if an address declined a current client in these words, and showed its certificate to an older one.
    fn declines(&self, case: &Case, address: IpAddr, words: &TlsOutcome) -> bool {
        let so = |look: &Look| matches!(case.evidence.tls(*look), Some(TlsOutcome::Certificate(s)) if s.declined.as_deref() == Some(words));
        match self.seen(case, address, |_| true) {
            Found::Fresh(looks) => looks.iter().any(so),
            Found::Stale(_) | Found::Nothing => false,
        }
    }

    /// True if the listed certificates are known to be of this kind and of another.
    fn is_due(&self, case: &Case, face: Face) -> bool {
        if self.certificates.len() < 2 {
            return false;
        }
        let leaves = case.certificates.leaves(self.certificates);
        let kinds: BTreeSet<Face> =
            leaves.iter().filter_map(|leaf| Face::of_key(&case.certificates.facts(*leaf).ok()?.key)).collect();
        kinds.len() > 1 && kinds.contains(&face)
    }
}

/// The one face at which all is wrong that is wrong.
pub(super) fn failing(samples: &[Sample]) -> Option<Face> {
    let faces = samples.iter().flat_map(|s| &s.problems).filter(|p| !p.fault.is_open()).map(|p| match &p.fault {
        Fault::Endpoint(spot, _) => spot.face,
        Fault::Certificate(..) | Fault::Dns(..) => None,
    });
    let faces: BTreeSet<Option<Face>> = faces.collect();
    faces.first().copied().flatten().filter(|_| faces.len() == 1)
}
