//! Endpoints: what a server serves at its own addresses, and what a view's clients meet on their way.

mod cell;
mod faces;
mod leaf;
mod member;

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use smallvec::SmallVec;

use super::super::case::{Case, Suspicion, Views};
use super::super::evidence::{Found, Look, Looks};
use super::super::problem::{CertificateFault, Culprit, EndpointFault, Fault, Problem, Spot};
use super::super::truth::{self, Expectation, Truth};
use super::strays::{all_addresses, stranger};
use super::{Assessment, Cell, Met, floor, fresh, problem};
use crate::model::observation::Run;
use crate::model::plan::{CertId, NameId, ServerId, Target, ViewId};
use crate::model::service::Service;
use crate::model::tls::{Stage, TlsOutcome};

/// What an endpoint is asked for.
pub(super) struct Asked<'a> {
    pub(super) name: NameId,
    pub(super) service: &'a Service,
    pub(super) certificates: &'a [CertId],
    /// The views whose clients must trust what is served.
    pub(super) views: Views,
    pub(super) suspicion: &'a Suspicion,
    /// The plan says that client certificates are demanded there.
    pub(super) mtls: bool,
}

/// One look at an endpoint: what is wrong with it, and the certificate that was met.
struct Sample {
    problems: Vec<Problem>,
    met: Option<Met>,
}

impl Sample {
    fn open(problem: Problem) -> Self {
        Self { problems: vec![problem], met: None }
    }
}

/// The server itself, at each of its own addresses, from any vantage that reaches it.
pub(super) fn serves(case: &Case, asked: &Asked, server: ServerId) -> Assessment {
    let addresses = case.own_addresses(server);
    let culprit = Culprit::Planned(Target::Server(server));
    let mut samples = Vec::with_capacity(addresses.len());
    for address in addresses {
        let spot = asked.spot(*address, culprit, None);
        let any = |_: &Run| true;
        match fresh(
            asked.seen(case, *address, any),
            |why| Fault::Endpoint(spot.clone(), EndpointFault::Stale(why)),
            || Fault::Endpoint(spot.clone(), EndpointFault::Unseen),
        ) {
            Ok(looks) => {
                let reached = reached(case, looks);
                samples.extend(reached.into_iter().map(|look| asked.sample(case, &spot, look)));
                samples.extend(asked.faces(case, &spot, any));
            }
            Err(open) => samples.push(Sample::open(*open)),
        }
    }
    if addresses.is_empty() {
        // The plan loader gives every server an address; were there none, nothing could be told.
        let spot = asked.spot(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), culprit, None);
        samples.push(Sample::open(problem(Fault::Endpoint(spot, EndpointFault::Unseen), &[])));
    }
    conclude(case, samples)
}

/// Where one vantage got through, the failure of another to connect says nothing of the server.
fn reached(case: &Case, looks: Looks) -> Looks {
    if looks.len() < 2 {
        return looks;
    }
    let connects = |look: &Look| {
        !matches!(
            case.evidence.tls(*look),
            Some(
                TlsOutcome::Refused
                    | TlsOutcome::Unreachable(_)
                    | TlsOutcome::Timeout(Stage::Connect)
                    | TlsOutcome::GivenUp(Stage::Connect)
                    | TlsOutcome::CannotLook(_)
                    | TlsOutcome::Proxy(_)
            )
        )
    };
    let runs: BTreeSet<_> = looks.iter().filter(|l| connects(l)).map(|l| &case.evidence.look(*l).run).collect();
    if runs.is_empty() {
        return looks;
    }
    looks.iter().copied().filter(|l| runs.contains(&case.evidence.look(*l).run)).collect()
}

/// The way of a view's clients: only a run that stood in the view can tell.
pub(super) fn path(case: &Case, asked: &Asked, view: ViewId, target: Target, addresses: &[IpAddr]) -> Assessment {
    let label = &case.plan.view(view).label;
    let stood = case.evidence.runs().values().any(|r| r.stands_in.contains(label));
    let (all, beyond) = all_addresses(case, asked, view, addresses);
    let mut samples = Vec::with_capacity(all.len());
    if let Some(address) = beyond {
        let spot = asked.spot(address, stranger(case, view, address), Some(view));
        samples.push(Sample::open(problem(Fault::Endpoint(spot, EndpointFault::Unseen), &[])));
    }
    // Where a name has but one address, whoever leads there by the name proves the way.
    let alone = all.len() == 1;
    for address in all {
        let culprit = match addresses.contains(&address) {
            true => Culprit::Planned(target),
            false => stranger(case, view, address),
        };
        let spot = asked.spot(address, culprit, Some(view));
        let nothing = if stood { EndpointFault::Unseen } else { EndpointFault::NotStanding };
        match fresh(
            match alone {
                true => asked.seen_by_name(case, address, |run| run.stands_in.contains(label)),
                false => asked.seen(case, address, |run| run.stands_in.contains(label)),
            },
            |why| Fault::Endpoint(spot.clone(), EndpointFault::Stale(why)),
            || Fault::Endpoint(spot.clone(), nothing.clone()),
        ) {
            Ok(looks) => {
                let few = few(case, target, &spot, &looks);
                let begin = samples.len();
                samples.extend(looks.into_iter().map(|look| asked.sample(case, &spot, look)));
                if addresses.contains(&address) && case.plan.has_own_certificates(target) {
                    samples.extend(asked.faces(case, &spot, |run| run.stands_in.contains(label)));
                }
                let tries = &mut samples[begin..];
                // What DNS gave beside the target's addresses is another's to mend.
                tries.iter_mut().filter(|_| !addresses.contains(&address)).for_each(|t| t.met = None);
                let fails = tries.iter().any(is_failing);
                samples.extend(few.filter(|_| !fails).map(Sample::open));
            }
            Err(open) => samples.push(Sample::open(*open)),
        }
    }
    conclude(case, samples)
}

/// A balancer that was tried less often than the plan asks may have an odd member that nobody met.
fn few(case: &Case, target: Target, spot: &Spot, looks: &[Look]) -> Option<Problem> {
    let Target::Pool(pool) = target else { return None };
    let pool = case.plan.pool(pool);
    let is_balanced = !pool.is_round_robin() && spot.culprit == Culprit::Planned(target);
    let (seen, of) = (looks.len(), pool.settings.samples as usize);
    let few = EndpointFault::FewSamples { seen, of };
    (is_balanced && seen < of).then(|| problem(Fault::Endpoint(spot.clone(), few), looks))
}

fn is_failing(sample: &Sample) -> bool {
    sample.problems.iter().any(|p| !p.fault.is_open())
}

impl Asked<'_> {
    /// What the evidence has of an address, as [`Evidence::find`](super::super::evidence::Evidence::find) has it.
    fn seen(&self, case: &Case, address: IpAddr, counts: impl Fn(&Run) -> bool) -> Found {
        self.seen_by_name(case, address, |run| !run.resolves_at_proxy() && counts(run))
    }

    /// As [`Asked::seen`], where it does not matter at which address the name was met.
    fn seen_by_name(&self, case: &Case, address: IpAddr, counts: impl Fn(&Run) -> bool) -> Found {
        case.endpoint(self.name, SocketAddr::new(address, self.service.port), self.service.way, counts)
    }

    fn spot(&self, address: IpAddr, culprit: Culprit, view: Option<ViewId>) -> Spot {
        Spot { address: SocketAddr::new(address, self.service.port), way: self.service.way, culprit, view, face: None }
    }

    fn sample(&self, case: &Case, spot: &Spot, look: Look) -> Sample {
        let outcome = case.evidence.tls(look);
        let old = outcome.and_then(|o| self.old_member(case, spot, o));
        let culprit = old.as_ref().map_or_else(|| self.culprit(case, spot, outcome), |(member, _)| *member);
        let spot = Spot { culprit, ..spot.clone() };
        let faults = match outcome.map(|o| (truth::tls(o, Expectation::Present), o)) {
            Some((_, outcome)) if old.is_some() && !is_certificate(outcome) => {
                old.into_iter().map(|(_, fault)| fault).collect()
            }
            Some((Truth::Fail, TlsOutcome::BytesAfterGoAhead(_))) => vec![EndpointFault::Injected],
            Some((_, outcome)) if floor::is_below(case.plan, spot.culprit, outcome) => {
                vec![EndpointFault::BelowFloor { version: floor::version(outcome), unseen: true }]
            }
            Some((Truth::Fail, _)) => vec![EndpointFault::NoTls],
            Some((Truth::Pass, TlsOutcome::Certificate(served))) => self.served(case, served),
            _ => vec![EndpointFault::CouldNotLook],
        };
        let at = |fault| problem(Fault::Endpoint(spot.clone(), fault), &[look]);
        let mut problems: Vec<Problem> = faults.into_iter().map(at).collect();
        if let Some(TlsOutcome::Certificate(_)) = outcome {
            problems.extend(
                self.unknown_pins(case)
                    .map(|(c, why)| problem(Fault::Certificate(c, CertificateFault::Unknown(why)), &[])),
            );
        }
        Sample { problems, met: outcome.and_then(|o| self.met(o, look, spot.culprit)) }
    }

    /// What a proxy in the way seems to have made is nobody's.
    fn met(&self, outcome: &TlsOutcome, look: Look, culprit: Culprit) -> Option<Met> {
        let TlsOutcome::Certificate(served) = outcome else { return None };
        let leaf = served.chain.first()?;
        (!self.suspicion.leaves.contains(leaf)).then_some(Met { look, culprit })
    }
}

fn at(spot: &Spot, fault: EndpointFault, looks: &[Look]) -> Problem {
    problem(Fault::Endpoint(spot.clone(), fault), looks)
}

fn is_certificate(outcome: &TlsOutcome) -> bool {
    matches!(outcome, TlsOutcome::Certificate(_))
}

fn conclude(case: &Case, samples: Vec<Sample>) -> Assessment {
    let (all, failing) = (samples.len(), samples.iter().filter(|s| is_failing(s)).count());
    let face = faces::failing(&samples);
    let met: SmallVec<[Met; 1]> = samples.iter().filter_map(|s| s.met).collect();
    let problems: Vec<Problem> = samples.into_iter().flat_map(|s| s.problems).collect();
    let cell = match (problems.iter().find(|p| !p.fault.is_open()), face) {
        (Some(first), Some(face)) => Cell::Text(format!("{face} {}", cell::of(case, first).text()).trim_end().into()),
        (Some(_), None) if all > 1 => Cell::Text(format!("{failing} of {all}").into()),
        (Some(first), None) => cell::of(case, first),
        (None, _) => Cell::default(),
    };
    Assessment { met: met.into_boxed_slice(), ..Assessment::of(problems, cell) }
}
