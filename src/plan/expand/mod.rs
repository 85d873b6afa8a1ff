//! Plan → obligations: total and pure. Every moment is expanded; what is due is decided later.

mod demands;
mod pattern;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::{BTreeSet, VecDeque};
use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;

use crate::model::name::Name;
use crate::model::obligation::{Alternative, DnsExpectation, Obligation};
use crate::model::phase::{Moment, Phase};
use crate::model::plan::{
    CertId, NameId, Plan, PlannedName, ServerId, Table, Target, ViewId, ViewKind, Wanted, asked_at,
};
use crate::model::service::Service;
use crate::parallel;
use demands::{Demands, Key};
use pattern::{Origin, Pattern, are_alike};

/// Names that are worth a thread.
const MANY: usize = 512;

/// Patterns that are remembered: names of one kind mostly stand near each other.
const PATTERNS: usize = 16;

/// Everything that the plan demands, for every moment, in the plan's order.
pub fn expand(plan: &Plan) -> Vec<Obligation> {
    let (home, all) = (home_view(plan), plan.names.len());
    let part = |i: usize| of_names(plan, i * MANY..all.min((i + 1) * MANY), home);
    let parts = parallel::tasks(all.div_ceil(MANY), part);
    let mut out = Vec::with_capacity(parts.iter().map(Vec::len).sum());
    parts.into_iter().for_each(|part| out.extend(part));
    out
}

fn of_names(plan: &Plan, names: Range<usize>, home: ViewId) -> Vec<Obligation> {
    let mut known: VecDeque<(&PlannedName, Pattern)> = VecDeque::new();
    let mut out = Vec::new();
    for id in names.clone().map(NameId) {
        let name = plan.name(id);
        let at = known.iter().position(|(like, _)| are_alike(like, name)).unwrap_or_else(|| {
            known.truncate(PATTERNS - 1);
            known.push_front((name, pattern(plan, id, home)));
            0
        });
        let Some((_, pattern)) = known.get(at) else { continue };
        if out.is_empty() {
            out.reserve(pattern.len() * names.len());
        }
        pattern.oblige(plan, id, &mut out);
    }
    out
}

fn pattern(plan: &Plan, id: NameId, home: ViewId) -> Pattern {
    let mut demands = Demands::default();
    for view in plan.view_ids() {
        let answers = Phase::ALL.map(|phase| answer(plan, id, view, phase));
        for moment in Moment::ALL {
            let at = At { plan, id, view, moment, home, answers: &answers };
            at.dns(&mut demands);
            at.lowered(&mut demands);
            at.endpoints(&mut demands);
        }
    }
    demands.into_pattern(plan, plan.name(id))
}

/// What DNS should answer in a phase; `None` where nothing is demanded.
type Answer = Option<DnsExpectation>;

fn answer(plan: &Plan, id: NameId, view: ViewId, phase: Phase) -> Answer {
    match plan.name(id).wanted(view, phase) {
        Wanted::Unconstrained => None,
        Wanted::Absent => Some(DnsExpectation { absent: true, ..DnsExpectation::default() }),
        Wanted::Forbidden => Some(DnsExpectation { absent: true, forbidden: true, ..DnsExpectation::default() }),
        Wanted::Targets(targets) => Some(present(plan, id, view, targets, phase)),
    }
}

fn present(plan: &Plan, id: NameId, view: ViewId, targets: &[Target], phase: Phase) -> DnsExpectation {
    let mut like: Vec<Name> = Vec::new();
    let mut addresses = BTreeSet::new();
    for target in targets {
        match foreign_host(plan, *target) {
            Some(host) => like.push(host.clone()),
            None => addresses.extend(plan.target_addresses(*target, view, phase)),
        }
    }
    let present = match addresses.is_empty() {
        true => Vec::new(),
        false => vec![Alternative { targets: targets.to_vec(), addresses: addresses.into_iter().collect() }],
    };
    let name = plan.name(id);
    let cname = name.cname.as_ref().map(|c| c.value.clone());
    DnsExpectation { present, like, part: name.answers_any, cname, ..DnsExpectation::default() }
}

/// The view whose clients meet the servers at their own addresses: the first internal one, else the first.
fn home_view(plan: &Plan) -> ViewId {
    ViewId(plan.views.iter().position(|v| v.kind == ViewKind::Internal).unwrap_or(0))
}

/// One name in one view at one moment.
#[derive(Clone, Copy)]
struct At<'a> {
    plan: &'a Plan,
    id: NameId,
    view: ViewId,
    moment: Moment,
    home: ViewId,
    /// What DNS should answer in each phase.
    answers: &'a [Answer; 3],
}

impl<'a> At<'a> {
    fn name(&self) -> &'a PlannedName {
        self.plan.name(self.id)
    }

    fn wanted(&self, phase: Phase) -> &'a Wanted {
        self.plan.name(self.id).wanted(self.view, phase)
    }

    /// The place that says what is wanted in the moment's last phase.
    fn origin(&self) -> Origin {
        let (first, second) = self.moment.phases();
        Origin::Wanted(self.view, second.unwrap_or(first))
    }

    fn dns(&self, demands: &mut Demands) {
        if let Some(expected) = self.expectation() {
            demands.add_answer(expected, self.view, self.moment, self.origin());
        }
    }

    /// What DNS may answer at this moment; `None` where nothing is demanded.
    fn expectation(&self) -> Option<Cow<'a, DnsExpectation>> {
        use Wanted::{Absent, Forbidden, Targets, Unconstrained};
        let (p, q) = match self.moment {
            Moment::Steady(p) => return self.of_phase(p).map(Cow::Borrowed),
            Moment::Transition(p, q) | Moment::Ready(p, q) => (p, q),
        };
        let (old, new) = (self.of_phase(p), self.of_phase(q));
        let new_alone = new.map(Cow::Borrowed);
        if is_same_answer(old, new) {
            return new_alone;
        }
        let ready = matches!(self.moment, Moment::Ready(..));
        let legacy = self.name().table == Table::Legacy;
        match (self.wanted(p), self.wanted(q)) {
            // Created ahead of the flip: a redirect to a name that is not there yet hurts at once.
            (Unconstrained, Targets(_)) if ready || legacy => new_alone,
            (Absent, Targets(_)) if legacy => new_alone,
            // On the eve the records to be flipped may be old still; but they may not lead elsewhere.
            (Unconstrained, _) | (_, Unconstrained) => None,
            (Targets(_), Targets(_)) | (Absent | Forbidden, Targets(_)) | (Targets(_), Absent | Forbidden) => {
                Some(Cow::Owned(either(old?.clone(), new?.clone())))
            }
            _ => new_alone,
        }
    }

    fn of_phase(&self, phase: Phase) -> Option<&'a DnsExpectation> {
        self.answers[phase as usize].as_ref()
    }

    /// On the eve of a flip, the records that will change must have a short life already.
    fn lowered(&self, demands: &mut Demands) {
        let Moment::Ready(p, q) = self.moment else { return };
        let changes =
            matches!(self.wanted(p), Wanted::Targets(_)) && !is_same_answer(self.of_phase(p), self.of_phase(q));
        if changes {
            let at_most = self.name().ttl.as_ref().map_or(self.plan.cutover.low_ttl, |t| t.value);
            demands.add(Key::Lowered(self.view, at_most), self.view, self.moment, self.origin());
        }
    }

    /// The servers that must serve the name now, and those that old answers still lead to.
    fn endpoints(&self, demands: &mut Demands) {
        let (p, q) = self.moment.phases();
        let last = q.unwrap_or(p);
        let now: Vec<(Target, Phase)> =
            [Some(p), q].into_iter().flatten().flat_map(|phase| self.targets(phase).map(move |t| (t, phase))).collect();
        for (target, phase) in &now {
            self.endpoint(demands, *target, *phase, last, false);
        }
        let Moment::Steady(phase) = self.moment else { return };
        let Some(previous) = phase.previous() else { return };
        for target in self.targets(previous) {
            // A pool whose members change without DNS is no old target: nobody is led to the old members any more.
            if !now.iter().any(|(t, _)| *t == target) {
                self.endpoint(demands, target, previous, last, true);
            }
        }
    }

    fn targets(&self, phase: Phase) -> impl Iterator<Item = Target> + use<'a> {
        let targets: &[Target] = match self.wanted(phase) {
            Wanted::Targets(targets) => targets,
            _ => &[],
        };
        targets.iter().copied()
    }

    /// `phase` says which members and addresses, `last` which certificates: those of the later phase must be in place
    /// before the first client is sent.
    fn endpoint(&self, demands: &mut Demands, target: Target, phase: Phase, last: Phase, draining: bool) {
        if foreign_host(self.plan, target).is_some() {
            return;
        }
        // Most moments ask for what another one asked for.
        let question = (self.view, target, phase, last, draining);
        if !demands.asks_again(question, self.moment) {
            self.endpoint_anew(demands, target, phase, last, draining);
            demands.has_asked(question);
        }
    }

    fn endpoint_anew(&self, demands: &mut Demands, target: Target, phase: Phase, last: Phase, draining: bool) {
        match target {
            Target::Server(server) => self.serves(demands, server, last, draining),
            Target::Pool(pool) if self.plan.pool(pool).members_must_serve() => {
                self.plan.pool(pool).servers(phase).iter().for_each(|m| self.serves(demands, *m, last, draining));
            }
            Target::Pool(_) => {}
        }
        if self.has_path(target, phase) {
            self.path(demands, target, phase, last, draining);
        }
    }

    fn serves(&self, demands: &mut Demands, server: ServerId, last: Phase, draining: bool) {
        let span = self.plan.server(server).certificate.as_ref().map_or(self.plan.server(server).span, |c| c.span);
        for service in self.services(Target::Server(server), last) {
            let certificates = self.plan.certificates_for(self.id, Target::Server(server), service.word, last);
            self.covers(demands, &certificates, draining);
            let key = Key::Serves(server, service, certificates.into(), draining);
            demands.add(key, self.view, self.moment, Origin::Of(span));
        }
    }

    fn path(&self, demands: &mut Demands, target: Target, phase: Phase, last: Phase, draining: bool) {
        let addresses: Arc<[IpAddr]> = self.plan.target_addresses(target, self.view, phase).into();
        for service in self.services(target, phase) {
            let certificates = self.path_certificates(target, phase, last, &service);
            self.covers(demands, &certificates, draining);
            let key = Key::Path(self.view, target, service, addresses.clone(), certificates.into(), draining);
            demands.add(key, self.view, self.moment, self.origin());
        }
    }

    /// A view's clients meet a server at its own address only at home; all else is a path of its own.
    fn has_path(&self, target: Target, phase: Phase) -> bool {
        let addresses = self.plan.target_addresses(target, self.view, phase);
        if addresses.is_empty() {
            return false;
        }
        let own = |server: &ServerId| self.plan.server(*server).own_addresses(&self.plan.views);
        match target {
            Target::Server(server) => self.view != self.home || !is_part(&addresses, &own(&server)),
            Target::Pool(pool) if self.plan.pool(pool).is_round_robin() => {
                let members: Vec<IpAddr> = self.plan.pool(pool).servers(phase).iter().flat_map(own).collect();
                self.view != self.home || !is_part(&addresses, &members)
            }
            Target::Pool(_) => true,
        }
    }

    fn covers(&self, demands: &mut Demands, certificates: &[CertId], draining: bool) {
        // What an old target still serves is judged where it serves it; nothing new is to be ordered for it.
        if !draining {
            for certificate in certificates {
                let span = self.plan.certificate(*certificate).span;
                demands.add(Key::Covers(*certificate), self.view, self.moment, Origin::Of(span));
            }
        }
    }

    /// The services at which the name is asked there.
    fn services(&self, target: Target, phase: Phase) -> Vec<Service> {
        asked_at(self.plan, self.name(), target, phase)
    }

    /// A balancer without certificates of its own shows those of its members.
    fn path_certificates(&self, target: Target, phase: Phase, last: Phase, service: &Service) -> Vec<CertId> {
        let own = match target {
            Target::Pool(pool) if self.plan.pool(pool).certificate.is_none() => Vec::new(),
            _ => self.plan.certificates_for(self.id, target, service.word, last),
        };
        match target {
            Target::Pool(pool) if own.is_empty() => {
                let members = self.plan.pool(pool).servers(phase).iter();
                let all: BTreeSet<CertId> = members
                    .flat_map(|m| self.plan.certificates_for(self.id, Target::Server(*m), service.word, last))
                    .collect();
                match all.is_empty() {
                    true => self.plan.certificates_for(self.id, target, service.word, last),
                    false => all.into_iter().collect(),
                }
            }
            _ => own,
        }
    }
}

/// True if the same answers are right: another target behind the same address (a re-pointed NAT) changes no record.
fn is_same_answer(old: Option<&DnsExpectation>, new: Option<&DnsExpectation>) -> bool {
    let (Some(old), Some(new)) = (old, new) else { return old.is_none() && new.is_none() };
    let DnsExpectation { absent, forbidden, present, like, part, cname } = old;
    let same = |(a, b): (&Alternative, &Alternative)| a.addresses == b.addresses;
    (absent, forbidden, like, part, cname) == (&new.absent, &new.forbidden, &new.like, &new.part, &new.cname)
        && present.len() == new.present.len()
        && present.iter().zip(&new.present).all(same)
}

fn either(old: DnsExpectation, new: DnsExpectation) -> DnsExpectation {
    let mut present = old.present;
    present.extend(
        new.present.into_iter().filter(|a| !present.iter().any(|b| b.addresses == a.addresses)).collect::<Vec<_>>(),
    );
    let mut like = old.like;
    like.extend(new.like.into_iter().filter(|h| !like.contains(h)).collect::<Vec<_>>());
    DnsExpectation {
        absent: old.absent || new.absent,
        forbidden: false,
        present,
        like,
        part: old.part || new.part,
        // While the alias moves, either may show.
        cname: if old.cname == new.cname { new.cname } else { None },
    }
}

fn is_part(addresses: &[IpAddr], of: &[IpAddr]) -> bool {
    addresses.iter().all(|a| of.contains(a))
}

fn foreign_host(plan: &Plan, target: Target) -> Option<&Name> {
    match target {
        Target::Server(id) => plan.server(id).host.as_ref().map(|h| &h.value),
        Target::Pool(_) => None,
    }
}
