//! Obligation × evidence → what is said of it, and every problem that says so. Waivers and severities come later.

mod cell;
mod covers;
mod dns;
mod endpoint;
mod floor;
mod mtls;
mod right;
mod strays;
mod ttl;

use super::case::{Case, Suspicion, Views};
use super::evidence::{Found, Look, Looks, Outdated};
use super::problem::{Culprit, Fault, Problem};
use super::truth::Truth;
use crate::model::obligation::Claim;

pub(super) use cell::Cell;
pub(super) use dns::{answers, hear, hear_planned};

/// What is said of an obligation.
#[derive(Clone, Debug)]
pub(super) struct Assessment {
    /// Whether it holds.
    pub(super) truth: Truth,
    /// What is wrong or unknown. A problem of a silent resolver may stand beside a pass.
    pub(super) problems: Box<[Problem]>,
    /// A few characters for the matrix.
    pub(super) cell: Cell,
    /// The certificates that were met at the target's own addresses.
    pub(super) met: Box<[Met]>,
}

/// A certificate that was met.
#[derive(Clone, Copy, Debug)]
pub(super) struct Met {
    /// The observation; its outcome is a certificate.
    pub(super) look: Look,
    /// Who serves it.
    pub(super) culprit: Culprit,
}

impl Assessment {
    /// Fails if a problem is a fault, is unobserved if one is an open question, else passes.
    fn of(problems: Vec<Problem>, cell: Cell) -> Self {
        Self { truth: truth_of(&problems), problems: problems.into(), cell, met: Box::default() }
    }
}

fn truth_of(problems: &[Problem]) -> Truth {
    match problems.iter().map(|p| p.fault.is_open()).min() {
        None => Truth::Pass,
        Some(true) => Truth::Unobserved,
        Some(false) => Truth::Fail,
    }
}

/// Judges one obligation by its index.
pub(super) fn assess(case: &Case, index: usize, suspicion: &Suspicion) -> Assessment {
    let obligation = &case.obligations[index];
    let name = obligation.name;
    match &*obligation.claim {
        Claim::Covers { certificate } => covers::covers(case, index, name, *certificate),
        Claim::Resolves { view, expected } => dns::resolves(case, name, *view, expected, suspicion),
        Claim::Lowered { view, at_most } => ttl::lowered(case, name, *view, *at_most, suspicion),
        Claim::Serves { server, service, certificates } => {
            let (views, mtls) = (case.views(index), case.plan.server(*server).settings.mtls);
            let asked = endpoint::Asked { name, service, certificates, views, suspicion, mtls };
            endpoint::serves(case, &asked, *server)
        }
        Claim::Path { view, target, service, addresses, certificates } => {
            let (views, mtls) = (Views::from_slice(&[*view]), mtls::demands_client_certificates(case.plan, *target));
            let asked = endpoint::Asked { name, service, certificates, views, suspicion, mtls };
            endpoint::path(case, &asked, *view, *target, addresses)
        }
    }
}

fn problem(fault: Fault, looks: &[Look]) -> Problem {
    Problem { fault, looks: looks.to_vec() }
}

/// What was found, or the fault that says why not.
fn fresh(found: Found, stale: impl Fn(Outdated) -> Fault, nothing: impl Fn() -> Fault) -> Result<Looks, Box<Problem>> {
    match found {
        Found::Fresh(looks) => Ok(looks),
        Found::Stale(why) => Err(Box::new(problem(stale(why), &[]))),
        Found::Nothing => Err(Box::new(problem(nothing(), &[]))),
    }
}
