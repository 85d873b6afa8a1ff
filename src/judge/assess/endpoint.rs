//! Endpoints: what a server serves at its own addresses, and what a view's clients meet on their way.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use smallvec::SmallVec;

use super::super::case::{Case, Suspicion, Views};
use super::super::certificates::Content;
use super::super::evidence::{Found, Look, Looks};
use super::super::problem::{CertificateFault, Culprit, EndpointFault, Fault, Problem, Spot};
use super::super::truth::{self, Expectation, Truth};
use super::strays::{all_addresses, stranger};
use super::{Assessment, Cell, Met, floor, fresh, mtls, problem};
use crate::model::certificate::BlobId;
use crate::model::observation::Run;
use crate::model::plan::{CertId, MatchMode, NameId, ServerId, Target, ViewId};
use crate::model::service::Service;
use crate::model::tls::{Face, Possession, Served, Stage, TlsOutcome};
use crate::pki::Untrusted;

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

    /// What clients meet that take one kind of key alone: where the plan lists several certificates, or the server was seen
    /// to have several.
    fn faces(&self, case: &Case, spot: &Spot, counts: impl Fn(&Run) -> bool) -> Vec<Sample> {
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

    /// Whose fault it is that something was met at a balancer's address: a member's, if one is known to do the same.
    fn culprit(&self, case: &Case, spot: &Spot, outcome: Option<&TlsOutcome>) -> Culprit {
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
    fn old_member(&self, case: &Case, spot: &Spot, outcome: &TlsOutcome) -> Option<(Culprit, EndpointFault)> {
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

fn at(spot: &Spot, fault: EndpointFault, looks: &[Look]) -> Problem {
    problem(Fault::Endpoint(spot.clone(), fault), looks)
}

fn is_certificate(outcome: &TlsOutcome) -> bool {
    matches!(outcome, TlsOutcome::Certificate(_))
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

/// The one face at which all is wrong that is wrong.
fn failing_face(samples: &[Sample]) -> Option<Face> {
    let faces = samples.iter().flat_map(|s| &s.problems).filter(|p| !p.fault.is_open()).map(|p| match &p.fault {
        Fault::Endpoint(spot, _) => spot.face,
        Fault::Certificate(..) | Fault::Dns(..) => None,
    });
    let faces: BTreeSet<Option<Face>> = faces.collect();
    faces.first().copied().flatten().filter(|_| faces.len() == 1)
}

fn conclude(case: &Case, samples: Vec<Sample>) -> Assessment {
    let (all, failing) = (samples.len(), samples.iter().filter(|s| is_failing(s)).count());
    let face = failing_face(&samples);
    let met: SmallVec<[Met; 1]> = samples.iter().filter_map(|s| s.met).collect();
    let problems: Vec<Problem> = samples.into_iter().flat_map(|s| s.problems).collect();
    let cell = match (problems.iter().find(|p| !p.fault.is_open()), face) {
        (Some(first), Some(face)) => Cell::Text(format!("{face} {}", cell(case, first).text()).trim_end().into()),
        (Some(_), None) if all > 1 => Cell::Text(format!("{failing} of {all}").into()),
        (Some(first), None) => cell(case, first),
        (None, _) => Cell::default(),
    };
    Assessment { met: met.into_boxed_slice(), ..Assessment::of(problems, cell) }
}

fn cell(case: &Case, problem: &Problem) -> Cell {
    use EndpointFault as E;
    let Fault::Endpoint(_, fault) = &problem.fault else { return Cell::default() };
    let word = match fault {
        // `TLS1.0`: one word, as it stands beside the marks of the matrix.
        E::BelowFloor { version: Some(version), unseen: false } => return Cell::Text(version.replace(' ', "").into()),
        E::NoTls => match problem.looks.first().and_then(|l| case.evidence.tls(*l)) {
            Some(TlsOutcome::Refused) => "refused",
            Some(TlsOutcome::Closed(_)) => "closed",
            Some(TlsOutcome::Timeout(_)) => "timeout",
            Some(TlsOutcome::StarttlsNotOffered | TlsOutcome::StarttlsRefused(_)) => "no STARTTLS",
            Some(TlsOutcome::NotTls(_) | TlsOutcome::NotThisProtocol(_)) => "not TLS",
            _ => "no TLS",
        },
        E::Injected => "injected",
        E::WrongName { .. } => "wrong name",
        E::WrongLeaf { .. } => "other cert",
        E::WrongKey { .. } => "wrong key",
        E::Unreadable { .. } => "unreadable",
        E::OutOfDate { date, .. } if case.now < date.not_before => "not valid yet",
        E::OutOfDate { .. } => "out of date",
        E::Untrusted { why: Untrusted::MissingIntermediate { .. }, .. } => "chain",
        E::Untrusted { .. } => "untrusted",
        E::BelowFloor { .. } => "old TLS",
        E::OldSuites { .. } => "old ciphers",
        E::NoFace { .. } => "missing",
        E::CouldNotLook | E::Unfinished { .. } | E::FewSamples { .. } | E::Unseen | E::Stale(_) => "",
        E::NotStanding | E::NoAnchors { .. } | E::Intercepted { .. } => "",
    };
    Cell::Word(word)
}
