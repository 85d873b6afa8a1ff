//! Endpoints: what a server serves at its own addresses, and what a view's clients meet on their way.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use super::super::case::{Case, Suspicion};
use super::super::certificates::Content;
use super::super::evidence::Look;
use super::super::problem::{CertificateFault, Culprit, EndpointFault, Fault, Problem, Spot};
use super::super::truth::{self, Expectation, Truth};
use super::{Assessment, answers, fresh, problem};
use crate::model::certificate::BlobId;
use crate::model::observation::{Probe, TlsProbe};
use crate::model::phase::Phase;
use crate::model::plan::{CertId, MatchMode, NameId, ServerId, Target, ViewId, ViewKind};
use crate::model::service::Service;
use crate::model::tls::{Possession, Served, Stage, TlsOutcome};
use crate::pki::Untrusted;

/// What an endpoint is asked for.
pub(super) struct Asked<'a> {
    pub(super) name: NameId,
    pub(super) service: &'a Service,
    pub(super) certificates: &'a [CertId],
    /// The views whose clients must trust what is served.
    pub(super) views: Vec<ViewId>,
    pub(super) suspicion: &'a Suspicion,
}

/// One look at an endpoint: what is wrong with it.
type Sample = Vec<Problem>;

/// The server itself, at each of its own addresses, from any vantage that reaches it.
pub(super) fn serves(case: &Case, asked: &Asked, server: ServerId) -> Assessment {
    let addresses = case.plan.server(server).own_addresses(&case.plan.views);
    let culprit = Culprit::Planned(Target::Server(server));
    let mut samples = Vec::new();
    for address in &addresses {
        let spot = asked.spot(*address, culprit, None);
        match fresh(
            case.evidence.find(&asked.probe(case, *address), |_| true),
            |why| Fault::Endpoint(spot.clone(), EndpointFault::Stale(why)),
            || Fault::Endpoint(spot.clone(), EndpointFault::Unseen),
        ) {
            Ok(looks) => {
                let reached = reached(case, looks);
                samples.extend(reached.into_iter().map(|look| asked.sample(case, &spot, look)));
            }
            Err(open) => samples.push(vec![*open]),
        }
    }
    if addresses.is_empty() {
        // The plan loader gives every server an address; were there none, nothing could be told.
        let spot = asked.spot(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), culprit, None);
        samples.push(vec![problem(Fault::Endpoint(spot, EndpointFault::Unseen), &[])]);
    }
    conclude(case, samples)
}

/// Where one vantage got through, the failure of another to connect says nothing of the server.
fn reached(case: &Case, looks: Vec<Look>) -> Vec<Look> {
    let connects = |look: &Look| {
        !matches!(
            case.evidence.tls(*look),
            Some(TlsOutcome::Refused | TlsOutcome::Unreachable(_) | TlsOutcome::Timeout(Stage::Connect))
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
    let mut samples = Vec::new();
    for address in all_addresses(case, asked, view, addresses) {
        let culprit = match addresses.contains(&address) {
            true => Culprit::Planned(target),
            false => stranger(case, view, address),
        };
        let spot = asked.spot(address, culprit, Some(view));
        let probe = asked.probe(case, address);
        let nothing = if stood { EndpointFault::Unseen } else { EndpointFault::NotStanding };
        match fresh(
            case.evidence.find(&probe, |run| run.stands_in.contains(label)),
            |why| Fault::Endpoint(spot.clone(), EndpointFault::Stale(why)),
            || Fault::Endpoint(spot.clone(), nothing.clone()),
        ) {
            Ok(looks) => samples.extend(looks.into_iter().map(|look| asked.sample(case, &spot, look))),
            Err(open) => samples.push(vec![*open]),
        }
    }
    conclude(case, samples)
}

/// The target's addresses, and those that DNS gave in the view and that no other target of the name is judged by.
fn all_addresses(case: &Case, asked: &Asked, view: ViewId, addresses: &[IpAddr]) -> BTreeSet<IpAddr> {
    let mut all: BTreeSet<IpAddr> = addresses.iter().copied().collect();
    let claimed = |a: &IpAddr| {
        case.is_claimed(asked.name, view, asked.service.port, asked.service.way, *a) || is_own(case, view, *a)
    };
    let given = answers(case, &case.plan.name(asked.name).name.probe(), view, asked.suspicion);
    all.extend(given.into_iter().filter(|a| !claimed(a)));
    all
}

/// True if the address is some server's own, judged there: at home a server's clients meet it at its own address.
fn is_own(case: &Case, view: ViewId, address: IpAddr) -> bool {
    let home = case.plan.views.iter().position(|v| v.kind == ViewKind::Internal).unwrap_or(0);
    view.0 == home && case.is_own(address)
}

/// Whose an address is that DNS gave beside the target's.
fn stranger(case: &Case, view: ViewId, address: IpAddr) -> Culprit {
    case.owner(view, address).map_or(Culprit::Stranger(address), Culprit::Planned)
}

impl Asked<'_> {
    fn probe(&self, case: &Case, address: IpAddr) -> Probe {
        Probe::Tls(TlsProbe {
            address: SocketAddr::new(address, self.service.port),
            way: self.service.way,
            sni: Some(case.plan.name(self.name).name.probe()),
        })
    }

    fn spot(&self, address: IpAddr, culprit: Culprit, view: Option<ViewId>) -> Spot {
        Spot { address: SocketAddr::new(address, self.service.port), way: self.service.way, culprit, view }
    }

    fn sample(&self, case: &Case, spot: &Spot, look: Look) -> Sample {
        let outcome = case.evidence.tls(look);
        let faults = match outcome.map(|o| (truth::tls(o, Expectation::Present), o)) {
            Some((Truth::Fail, _)) => vec![EndpointFault::NoTls],
            Some((Truth::Pass, TlsOutcome::Certificate(served))) => self.served(case, served),
            _ => vec![EndpointFault::CouldNotLook],
        };
        let spot = Spot { culprit: culprit(case, spot, outcome), ..spot.clone() };
        let at = |fault| problem(Fault::Endpoint(spot.clone(), fault), &[look]);
        let mut out: Sample = faults.into_iter().map(at).collect();
        if let Some(TlsOutcome::Certificate(_)) = outcome {
            out.extend(
                self.unknown_pins(case)
                    .map(|(c, why)| problem(Fault::Certificate(c, CertificateFault::Unknown(why)), &[])),
            );
        }
        out
    }

    fn served<'a>(&self, case: &Case<'a>, served: &'a Served) -> Vec<EndpointFault> {
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
        self.trust(case, leaf, &served.chain, &mut out);
        out
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
    fn unknown_pins<'c>(&'c self, case: &'c Case) -> impl Iterator<Item = (CertId, String)> + 'c {
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

    /// Dates and trust, for the clients of each view. An expired chain from an unknown issuer says both.
    fn trust<'a>(&self, case: &Case<'a>, leaf: BlobId, chain: &'a [BlobId], out: &mut Vec<EndpointFault>) {
        let pinned =
            self.certificates.iter().any(|c| case.plan.certificate(*c).is_pinned() && self.is_it(case, *c, leaf));
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
                Some(Untrusted::SelfSigned | Untrusted::UnknownIssuer { .. }) if pinned => {}
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

/// A chain met behind a balancer is the fault of the member that serves it; if none serves that very chain, of one that
/// serves its leaf.
fn culprit(case: &Case, spot: &Spot, outcome: Option<&TlsOutcome>) -> Culprit {
    let (Culprit::Planned(Target::Pool(pool)), Some(TlsOutcome::Certificate(served))) = (spot.culprit, outcome) else {
        return spot.culprit;
    };
    let pool = case.plan.pool(pool);
    let members: BTreeSet<&ServerId> = Phase::ALL.into_iter().flat_map(|p| pool.servers(p)).collect();
    let by_chain = members.iter().find(|s| case.certificates.serves_alike(***s, served));
    let by_leaf = || {
        let leaf = served.chain.first()?;
        members.iter().find(|s| case.certificates.serves(***s, *leaf))
    };
    by_chain.or_else(by_leaf).map_or(spot.culprit, |s| Culprit::Planned(Target::Server(**s)))
}

fn conclude(case: &Case, samples: Vec<Sample>) -> Assessment {
    let fails = |sample: &Sample| sample.iter().any(|p| !p.fault.is_open());
    let (all, failing) = (samples.len(), samples.iter().filter(|s| fails(s)).count());
    let problems: Vec<Problem> = samples.into_iter().flatten().collect();
    let cell = match problems.iter().find(|p| !p.fault.is_open()) {
        Some(_) if all > 1 => format!("{failing} of {all}"),
        Some(first) => cell(case, first).to_string(),
        None => String::new(),
    };
    Assessment::of(problems, cell)
}

fn cell(case: &Case, problem: &Problem) -> &'static str {
    use EndpointFault as E;
    let Fault::Endpoint(_, fault) = &problem.fault else { return "" };
    match fault {
        E::NoTls => match problem.looks.first().and_then(|l| case.evidence.tls(*l)) {
            Some(TlsOutcome::Refused) => "refused",
            Some(TlsOutcome::Closed(_)) => "closed",
            Some(TlsOutcome::Timeout(_)) => "timeout",
            Some(TlsOutcome::StarttlsNotOffered | TlsOutcome::StarttlsRefused(_)) => "no STARTTLS",
            Some(TlsOutcome::NotTls(_) | TlsOutcome::NotThisProtocol(_)) => "not TLS",
            _ => "no TLS",
        },
        E::WrongName { .. } => "wrong name",
        E::WrongLeaf { .. } => "other cert",
        E::WrongKey { .. } => "wrong key",
        E::Unreadable { .. } => "unreadable",
        E::OutOfDate { .. } => "out of date",
        E::Untrusted { why: Untrusted::MissingIntermediate { .. }, .. } => "chain",
        E::Untrusted { .. } => "untrusted",
        E::CouldNotLook | E::Unseen | E::Stale(_) => "",
        E::NotStanding | E::NoAnchors { .. } | E::Intercepted { .. } => "",
    }
}
