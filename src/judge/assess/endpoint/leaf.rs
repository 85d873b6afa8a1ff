//! What is wrong with a certificate that was met.

use super::Asked;
use crate::judge::assess::{floor, mtls};
use crate::judge::case::Case;
use crate::judge::certificates::Content;
use crate::judge::problem::EndpointFault;
use crate::judge::truth::{self, Truth};
use crate::model::certificate::BlobId;
use crate::model::plan::{CertId, MatchMode};
use crate::model::tls::{Possession, Served};

impl Asked<'_> {
    pub(super) fn served<'a>(&self, case: &Case<'a>, served: &'a Served) -> Vec<EndpointFault> {
        let Some(leaf) = served.chain.first().copied() else { return vec![EndpointFault::CouldNotLook] };
        if self.suspicion.leaves.contains(&leaf) {
            return vec![EndpointFault::Intercepted { leaf }];
        }
        if let Err(why) = case.certificates.facts(leaf) {
            return vec![EndpointFault::Unreadable { leaf, why: why.to_string() }];
        }
        let mut out = Vec::new();
        if let Some(Err(why)) = case.certificates.identify(leaf, &case.plan.name(self.name).name.probe()) {
            out.push(EndpointFault::WrongName { leaf, why });
        }
        if !self.is_declared_leaf(case, leaf) {
            out.push(EndpointFault::WrongLeaf { leaf });
        }
        if let Possession::Failed(why) = &served.possession {
            out.push(EndpointFault::WrongKey { leaf, why: why.clone() });
        }
        out.extend(floor::of_served(served));
        out.extend(self.unfinished(leaf, served));
        self.trust(case, leaf, &served.chain, &mut out);
        out
    }

    /// Whoever saw a certificate and then no connection has no working endpoint before him. Only a server that says so
    /// in the plan ends the handshake of one who has no certificate to show, after it proved that it holds its key.
    fn unfinished(&self, leaf: BlobId, served: &Served) -> Option<EndpointFault> {
        if truth::possession(served) != Truth::Unobserved {
            return None;
        }
        let why = match (&served.possession, &served.ended) {
            (Possession::Proved, Some(_)) if self.mtls && mtls::ends_for_it(served) => return None,
            (_, Some(ended)) => ended.to_string(),
            (Possession::NotProved(why), None) => why.clone(),
            (Possession::Proved | Possession::Failed(_), None) => return None,
        };
        Some(EndpointFault::Unfinished { leaf, why })
    }

    /// True unless all declared certificates are to be met to the bit, and this is none of them.
    fn is_declared_leaf(&self, case: &Case, leaf: BlobId) -> bool {
        let pins = |c: &CertId| case.plan.certificate(*c).match_mode == MatchMode::Leaf;
        if self.certificates.is_empty() || !self.certificates.iter().all(pins) {
            return true;
        }
        self.certificates.iter().any(|c| self.is_it(case, *c, leaf)) || self.unknown_pins(case).next().is_some()
    }

    fn is_it(&self, case: &Case, certificate: CertId, leaf: BlobId) -> bool {
        let thumbprint = case.plan.certificate(certificate).thumbprint.as_ref();
        let by_thumbprint =
            || thumbprint.is_some_and(|t| case.certificates.facts(leaf).is_ok_and(|facts| t.value.is_of(facts)));
        case.certificates.leaves(&[certificate]).contains(&leaf) || by_thumbprint()
    }

    /// Certificates that are to be met to the bit, but whose content is not known.
    pub(super) fn unknown_pins<'c>(&'c self, case: &'c Case) -> impl Iterator<Item = (CertId, String)> + 'c {
        self.certificates.iter().filter_map(|c| {
            let declared = case.plan.certificate(*c);
            match case.certificates.content(*c) {
                Content::Unknown(why) if declared.match_mode == MatchMode::Leaf && declared.thumbprint.is_none() => {
                    Some((*c, why.clone()))
                }
                _ => None,
            }
        })
    }

    /// Dates and trust, for the clients of each view. An expired chain from an unknown issuer says both. To demand the
    /// very certificate makes nobody trust it: a self-signed one is right where it is itself an anchor of the view.
    fn trust<'a>(&self, case: &Case<'a>, leaf: BlobId, chain: &'a [BlobId], out: &mut Vec<EndpointFault>) {
        let mut dates = Vec::new();
        for view in &self.views {
            let Some(path) = case.certificates.path(chain, *view) else {
                // Else a part of the chain is not recorded.
                out.push(match case.certificates.has_anchors(*view) {
                    true => EndpointFault::CouldNotLook,
                    false => EndpointFault::NoAnchors { view: *view },
                });
                continue;
            };
            dates.extend(path.dates.iter().filter(|d| !dates.contains(*d)).cloned().collect::<Vec<_>>());
            match &path.untrusted {
                None => {}
                Some(_) if !case.certificates.trust_errors(*view).is_empty() => {
                    out.push(EndpointFault::NoAnchors { view: *view });
                }
                Some(why) => out.push(EndpointFault::Untrusted { leaf, view: *view, why: why.clone() }),
            }
        }
        out.extend(dates.into_iter().map(|date| {
            let offender = date.position.and_then(|p| chain.get(p)).copied();
            EndpointFault::OutOfDate { leaf, offender, date }
        }));
    }
}
