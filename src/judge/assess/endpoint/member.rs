//! Whose fault it is what is met behind a balancer.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::{Asked, is_certificate, reached};
use crate::judge::assess::floor;
use crate::judge::case::Case;
use crate::judge::evidence::{Found, Look};
use crate::judge::problem::{Culprit, EndpointFault, Spot};
use crate::judge::truth::{self, Expectation, Truth};
use crate::model::observation::Run;
use crate::model::plan::{ServerId, Target};
use crate::model::tls::{Served, TlsOutcome};

impl Asked<'_> {
    /// Whose fault it is that something was met at a balancer's address: a member's, if one is known to do the same.
    pub(super) fn culprit(&self, case: &Case, spot: &Spot, outcome: Option<&TlsOutcome>) -> Culprit {
        let Culprit::Planned(Target::Pool(pool)) = spot.culprit else { return spot.culprit };
        let members = case.plan.pool(pool).all_members();
        let member = match outcome {
            Some(TlsOutcome::Certificate(served)) => by_certificate(case, &members, served),
            Some(outcome) => self.silent_member(case, &members, spot, truth::tls(outcome, Expectation::Present)),
            None => None,
        };
        member.map_or(spot.culprit, |server| Culprit::Planned(Target::Server(server)))
    }

    /// The member behind a balancer that declines current clients just so, and what is wrong with it. Where only its words
    /// were heard there, the balancer may have led to another when it was asked again in an older way.
    pub(super) fn old_member(
        &self,
        case: &Case,
        spot: &Spot,
        outcome: &TlsOutcome,
    ) -> Option<(Culprit, EndpointFault)> {
        let Culprit::Planned(Target::Pool(pool)) = spot.culprit else { return None };
        let is_like = |own: &Served| match outcome {
            TlsOutcome::Certificate(met) => {
                met.declined.is_some()
                    && (&met.declined, &met.version, &met.cipher) == (&own.declined, &own.version, &own.cipher)
            }
            words => own.declined.as_deref() == Some(words),
        };
        if matches!(outcome, TlsOutcome::Certificate(met) if met.declined.is_none()) {
            return None;
        }
        let fault = |look: Look| match case.evidence.tls(look)? {
            TlsOutcome::Certificate(own) if is_like(own) => floor::of_served(own),
            _ => None,
        };
        let declines = |member: &ServerId| {
            case.own_addresses(*member).iter().find_map(|address| match self.seen(case, *address, |_| true) {
                Found::Fresh(looks) => looks.into_iter().find_map(fault),
                Found::Stale(_) | Found::Nothing => None,
            })
        };
        let members = case.plan.pool(pool).all_members();
        let found = members.iter().find_map(|m| Some((*m, declines(m)?)));
        found.map(|(member, fault)| (Culprit::Planned(Target::Server(member)), fault))
    }

    /// The first member of which all its own addresses say as little, if that explains what the balancer says: every
    /// member does, or other tries got through. Else something is wrong with the balancer's address itself.
    fn silent_member(&self, case: &Case, members: &BTreeSet<ServerId>, spot: &Spot, says: Truth) -> Option<ServerId> {
        let silent: Vec<ServerId> = members.iter().copied().filter(|m| self.is_silent(case, *m, says)).collect();
        let explained = silent.len() == members.len() || self.got_through(case, spot);
        silent.first().copied().filter(|_| explained)
    }

    fn is_silent(&self, case: &Case, server: ServerId, says: Truth) -> bool {
        let addresses = case.own_addresses(server);
        let alike = |look: &Look| {
            let outcome = case.evidence.tls(*look);
            outcome.is_some_and(|o| !is_certificate(o) && truth::tls(o, Expectation::Present) == says)
        };
        let is_silent = |address: &IpAddr| match self.seen(case, *address, |_| true) {
            Found::Fresh(looks) => reached(case, looks).iter().all(alike),
            Found::Stale(_) | Found::Nothing => false,
        };
        !addresses.is_empty() && addresses.iter().all(is_silent)
    }

    /// True if some try at a balancer's address got a certificate.
    fn got_through(&self, case: &Case, spot: &Spot) -> bool {
        let label = spot.view.map(|v| &case.plan.view(v).label);
        let stood = |run: &Run| label.is_none_or(|l| run.stands_in.contains(l));
        let served = |look: &Look| case.evidence.tls(*look).is_some_and(is_certificate);
        match self.seen(case, spot.address.ip(), stood) {
            Found::Fresh(looks) => looks.iter().any(served),
            Found::Stale(_) | Found::Nothing => false,
        }
    }
}

/// A chain met behind a balancer is the fault of the member that serves it; if none serves that very chain, of one that
/// serves its leaf.
fn by_certificate(case: &Case, members: &BTreeSet<ServerId>, served: &Served) -> Option<ServerId> {
    let by_chain = members.iter().find(|s| case.certificates.serves_alike(**s, served));
    let by_leaf = || {
        let leaf = served.chain.first()?;
        members.iter().find(|s| case.certificates.serves(**s, *leaf))
    };
    by_chain.or_else(by_leaf).copied()
}
