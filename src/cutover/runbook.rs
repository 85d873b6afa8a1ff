//! An administrator's own steps → the same timeline as the planner's, for the same checker.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::draft::Draft;
use super::facts::Facts;
use super::history::UNKNOWN_TTL;
use super::steps::{blank, of_records};
use super::{Ask, Planned, Refusal, nodes, words};
use crate::model::cutover::{
    CacheKey, CacheKind, Change, Ending, NodeId, RecordSet, Runbook, RunbookStep, Serving, Step, StepKind, Undo, Wait,
    When,
};
use crate::model::name::Name;
use crate::model::plan::ViewId;
use crate::model::source::Span;

/// Follows a runbook from the facts of its plan.
///
/// # Errors
/// Steps that change nothing, start before the one in front is done, or at a time that a clock skips.
pub(super) fn follow(ask: &Ask, runbook: &Runbook, zone: &TimeZone) -> Result<Planned, Vec<Refusal>> {
    let starts = starts(runbook, zone)?;
    let first = starts.first().copied().flatten();
    if first.is_none()
        && let Some(step) = runbook.steps.iter().find(|s| s.at.is_some())
    {
        let at = step.at.map_or(step.span, |at| at.span);
        return Err(vec![mistake(at, "a time after steps without one", "give the first step its time, too")]);
    }
    let ask = Ask { start: first.or(ask.start), from: runbook.from, to: runbook.to, ..*ask };
    let mut draft = Draft::new(Facts::gather(&ask)?);
    let mut refusals = Vec::new();
    let mut busy = 0;
    for (step, start) in runbook.steps.iter().zip(starts) {
        let at = start.zip(ask.start).map(|(at, zero)| at.as_second() - zero.as_second());
        match made(&draft, step, at) {
            Ok(made) => {
                if at.is_some_and(|at| at < busy) {
                    let span = step.at.map_or(step.span, |at| at.span);
                    refusals.push(mistake(
                        span,
                        "this step starts before the one in front is done",
                        "begin later, or say with `takes` how long the other one takes",
                    ));
                }
                busy = at.unwrap_or(busy).max(busy) + i64::from(made.ending.estimate());
                draft.push(made);
            }
            Err(refusal) => refusals.push(refusal),
        }
    }
    if refusals.is_empty() { Ok(draft.finish(&ask)) } else { Err(refusals) }
}

fn mistake(span: Span, title: &str, help: &str) -> Refusal {
    Refusal { span: Some(span), in_runbook: true, title: title.into(), help: help.into() }
}

/// When each step starts, where it says so.
fn starts(runbook: &Runbook, zone: &TimeZone) -> Result<Vec<Option<Timestamp>>, Vec<Refusal>> {
    let (mut out, mut refusals) = (Vec::new(), Vec::new());
    for step in &runbook.steps {
        let instant = step.at.map(|at| match at.value {
            When::Instant(instant) => Ok(instant),
            When::Civil(civil) => {
                zone.to_ambiguous_zoned(civil).unambiguous().map(|z| z.timestamp()).map_err(|_| at.span)
            }
        });
        match instant.transpose() {
            Ok(at) => out.push(at),
            Err(span) => refusals.push(mistake(
                span,
                "clocks are changed then, and skip that time or show it twice",
                "give it with its offset from UTC",
            )),
        }
    }
    if refusals.is_empty() { Ok(out) } else { Err(refusals) }
}

fn made(draft: &Draft, step: &RunbookStep, at: Option<i64>) -> Result<Step, Refusal> {
    let changes = Picked { draft, step }.changes();
    if changes.is_empty() && changes_facts(step.kind) {
        let title = format!("this {} changes nothing", step.kind.word());
        let help = match (step.kind, step.ttl) {
            (StepKind::LowerTtl, Some(ttl)) => format!("no record that it names has a TTL above {ttl} s"),
            (StepKind::RaiseTtl, Some(ttl)) => format!("no record that it names has a TTL below {ttl} s"),
            _ => "what it names is as wanted already, or has nothing to do with it; leave it out".into(),
        };
        return Err(mistake(step.span, &title, &help));
    }
    let what = match changes.is_empty() {
        true => step.kind.word().to_string(),
        false => words::list(changes.iter().map(|c| draft.line(c))),
    };
    let blank = blank(step.kind, what, "");
    let view = match step.views.as_slice() {
        [one] => Some(*one),
        _ => None,
    };
    let is_dns = changes.iter().any(|c| matches!(c, Change::Records { .. }));
    let views: Vec<ViewId> = if step.views.is_empty() { draft.plan.view_ids().collect() } else { step.views.clone() };
    let arrives = views.iter().map(|v| draft.propagation(*v)).max().unwrap_or(0);
    let first = view.or(views.first().copied());
    let mut made = match (is_dns, first) {
        (true, Some(view)) => of_records(draft, blank, view, changes),
        _ => Step { changes, ..blank },
    };
    made.view = view;
    made.places = views.iter().filter(|_| is_dns).map(|v| draft.label(*v).clone()).collect();
    made.places.extend(step.targets.iter().map(|t| draft.plan.target_label(*t).clone()));
    made.ending = Ending::Assumed(step.takes.unwrap_or(if is_dns { arrives } else { 0 }));
    let wait = |after: &usize| Wait { after: *after, seconds: step.wait, why: "as the runbook says".into() };
    made.waits = step.after.iter().map(wait).collect();
    made.reversible = step.reversible.unwrap_or(!ends_the_way_back(step.kind));
    let urls = if made.changes.iter().any(is_told) { draft.url_hold() } else { 0 };
    made.undo = undo(step, &made, first.map_or(0, |view| arrives - draft.propagation(view).min(arrives)), urls);
    (made.at, made.commands, made.span) = (at, Vec::new(), step.span);
    Ok(made)
}

/// The way back that goes without saying: what was there is put back, and no step before is undone until caches have
/// forgotten what this one brought; in some view that may take longer to arrive than in the first. URLs that it told are kept
/// for a while.
fn undo(step: &RunbookStep, made: &Step, longer: u32, urls: u32) -> Option<Undo> {
    if made.changes.is_empty() || !made.reversible {
        return None;
    }
    let known = made.undo.as_ref().map_or(0, |undo| undo.settles.saturating_add(longer)).max(urls);
    let how = if made.undo.is_some() { "put back the old records" } else { "put back what was there" };
    Some(Undo { how: how.into(), settles: step.settles.unwrap_or(known), commands: Vec::new() })
}

fn is_told(change: &Change) -> bool {
    matches!(change, Change::Used { new: true, .. })
}

/// True of steps after which there is nothing to put back, unless the runbook says so.
fn ends_the_way_back(kind: StepKind) -> bool {
    matches!(kind, StepKind::DecommissionServer | StepKind::RetireCertificate)
}

/// True of steps that are there to change what clients depend on.
fn changes_facts(kind: StepKind) -> bool {
    use StepKind::{
        BindCertificate, ChangeMtaSts, ChangeMx, ChangePoolMembers, ChangeTlsa, CreateRecord, DecommissionServer, Flip,
        LowerTtl, PutIntoRotation, RaiseTtl, RemoveRecord, RepointAddress, RestartService, SetRedirect, SetUrl,
        TakeOutOfRotation,
    };
    matches!(
        kind,
        LowerTtl
            | RaiseTtl
            | CreateRecord
            | Flip
            | RemoveRecord
            | ChangeMx
            | ChangeTlsa
            | ChangeMtaSts
            | SetUrl
            | SetRedirect
            | BindCertificate
            | RestartService
            | ChangePoolMembers
            | RepointAddress
            | TakeOutOfRotation
            | PutIntoRotation
            | DecommissionServer
    )
}

/// What a step is about.
struct Picked<'a, 'd> {
    draft: &'a Draft<'d>,
    step: &'a RunbookStep,
}

impl Picked<'_, '_> {
    fn changes(&self) -> Vec<Change> {
        match self.step.kind {
            StepKind::LowerTtl => self.ttl(|now, wanted| wanted < now),
            StepKind::RaiseTtl => self.ttl(|now, wanted| wanted > now),
            StepKind::CreateRecord => self.records(|there, wanted| !there && wanted),
            StepKind::Flip | StepKind::ChangeMx => self.records(|_, wanted| wanted),
            StepKind::RemoveRecord => self.records(|there, wanted| there && !wanted),
            StepKind::ChangeTlsa | StepKind::ChangeMtaSts => self.policies(),
            StepKind::SetUrl => self.used(),
            StepKind::SetRedirect => self.redirects(),
            StepKind::BindCertificate | StepKind::RestartService | StepKind::RetireCertificate => self.serving(),
            StepKind::ChangePoolMembers | StepKind::RepointAddress => self.routes(),
            StepKind::TakeOutOfRotation => self.rotation(false),
            StepKind::PutIntoRotation => self.rotation(true),
            StepKind::DecommissionServer => self.off(),
            _ => Vec::new(),
        }
    }

    fn view(&self, view: ViewId) -> bool {
        self.step.views.is_empty() || self.step.views.contains(&view)
    }

    fn name(&self, name: &Name) -> bool {
        self.step.names.is_empty() || self.step.names.iter().any(|n| n.value == *name || n.value.probe() == *name)
    }

    fn node(&self, node: NodeId) -> bool {
        let of = |t: &crate::model::plan::Target| {
            let phases = [self.draft.facts.from, self.draft.facts.to];
            *t == nodes::target(self.draft.plan, node)
                || phases.iter().any(|p| nodes::of_target(self.draft.plan, *t, *p).contains(&node))
        };
        self.step.targets.is_empty() || self.step.targets.iter().any(of)
    }

    /// Keys of the views and names that the step is about, of the kinds that it moves.
    fn keys(&self) -> BTreeSet<CacheKey> {
        let mail = self.step.kind == StepKind::ChangeMx;
        let is_mail = |k: &CacheKey| matches!(k.kind, CacheKind::Mx | CacheKind::Srv);
        let fits = |k: &&CacheKey| match self.step.kind {
            _ if k.kind == CacheKind::Hsts => false,
            _ if matches!(k.kind, CacheKind::Tlsa | CacheKind::MtaSts) => self.step.kind == StepKind::RemoveRecord,
            StepKind::ChangeMx | StepKind::Flip => is_mail(k) == mail,
            _ => true,
        };
        let all = self.draft.world.records.keys().chain(self.draft.facts.goal.sets.keys());
        all.filter(fits).filter(|k| self.view(k.view) && self.name(&k.owner)).cloned().collect()
    }

    fn ttl(&self, is_meant: impl Fn(u32, u32) -> bool) -> Vec<Change> {
        let draft = self.draft;
        let raise = self.step.kind == StepKind::RaiseTtl;
        let usual = |key: &CacheKey| match raise {
            true => draft.facts.memory.old_ttl.get(key).map_or(UNKNOWN_TTL, |o| o.ttl),
            false => draft.low_ttl(&key.owner),
        };
        let moves = |key: &CacheKey| raise || !self.step.names.is_empty() || draft.differs(key);
        let change = |key: CacheKey| {
            let set = draft.world.records.get(&key)?;
            let ttl = self.step.ttl.unwrap_or_else(|| usual(&key));
            let meant = moves(&key) && is_meant(set.ttl, ttl);
            meant.then(|| draft.becomes(&key, Some((set.data.clone(), ttl))))
        };
        self.keys().into_iter().filter_map(change).collect()
    }

    /// Records of owners that are there or not, and wanted or not.
    fn records(&self, is_meant: impl Fn(bool, bool) -> bool) -> Vec<Change> {
        let draft = self.draft;
        let there = |k: &CacheKey| draft.world.records.contains_key(k) || draft.stands(k.view, &k.owner);
        let wanted = |k: &CacheKey| draft.facts.goal.sets.contains_key(k) || draft.is_wanted(k.view, &k.owner);
        let keys = self.keys().into_iter().filter(|k| draft.differs(k) && is_meant(there(k), wanted(k)));
        let change = |key: CacheKey| {
            let ttl = self.step.ttl.unwrap_or_else(|| draft.low_ttl(&key.owner));
            draft.becomes(&key, draft.facts.goal.sets.get(&key).cloned().map(|data| (data, ttl)))
        };
        keys.map(change).collect()
    }

    /// What is missing stands beside what is there; where nothing is missing, what is not wanted goes.
    fn policies(&self) -> Vec<Change> {
        let draft = self.draft;
        let mut out = Vec::new();
        for (key, wanted) in &draft.facts.goal.sets {
            if !self.is_policy(key.kind) || !self.view(key.view) || !self.name(&key.owner) {
                continue;
            }
            let now = draft.now(key).unwrap_or(RecordSet { ttl: draft.low_ttl(&key.owner), data: BTreeSet::new() });
            let all: BTreeSet<_> = now.data.union(wanted).cloned().collect();
            let data = if all == now.data { wanted.clone() } else { all };
            if data != now.data {
                out.push(draft.becomes(key, Some((data, self.step.ttl.unwrap_or(now.ttl)))));
            }
        }
        out
    }

    fn is_policy(&self, kind: CacheKind) -> bool {
        match self.step.kind {
            StepKind::ChangeTlsa => kind == CacheKind::Tlsa,
            _ => kind == CacheKind::MtaSts,
        }
    }

    fn used(&self) -> Vec<Change> {
        let (now, goal) = (&self.draft.world.used, &self.draft.facts.goal.used);
        let picked = |u: &&(ViewId, Name)| self.view(u.0) && self.name(&u.1);
        let change = |u: &(ViewId, Name), new| Change::Used { view: u.0, name: u.1.clone(), new };
        let begun = goal.difference(now).filter(picked).map(|u| change(u, true));
        begun.chain(now.difference(goal).filter(picked).map(|u| change(u, false))).collect()
    }

    fn redirects(&self) -> Vec<Change> {
        let (now, goal) = (&self.draft.world.redirects, &self.draft.facts.goal.redirects);
        let all: BTreeSet<NodeId> = now.keys().chain(goal.keys()).copied().filter(|n| self.node(*n)).collect();
        let change = |node: NodeId| {
            let old = now.get(&node).cloned().unwrap_or_default();
            let new = goal.get(&node).cloned().unwrap_or_default();
            (old != new).then_some(Change::Redirect { node, old, new })
        };
        all.into_iter().filter_map(change).collect()
    }

    fn serving(&self) -> Vec<Change> {
        let mut out = Vec::new();
        for ((node, port), wanted) in &self.draft.facts.goal.serving {
            let old = self.draft.world.serving.get(&(*node, *port)).cloned();
            let new = match self.step.certificate {
                Some(certificate) => Serving { default: vec![certificate.0], ..Serving::default() },
                None => wanted.clone(),
            };
            if self.node(*node) && old.as_ref() != Some(&new) {
                out.push(Change::Serving { node: *node, port: *port, old, new: Some(new) });
            }
        }
        out
    }

    fn routes(&self) -> Vec<Change> {
        let goal = self.draft.facts.goal.routes.iter();
        let change = |((view, address), new): (&(ViewId, std::net::IpAddr), &BTreeSet<NodeId>)| {
            let old = self.draft.world.routes.get(&(*view, *address)).cloned().unwrap_or_default();
            let picked = self.view(*view) && old.union(new).any(|n| self.node(*n));
            (picked && old != *new).then(|| Change::Route { view: *view, address: *address, old, new: new.clone() })
        };
        goal.filter_map(change).collect()
    }

    /// Nodes out of every pool that has others, or back into those where they belong.
    fn rotation(&self, back: bool) -> Vec<Change> {
        let mut out = Vec::new();
        for ((view, address), old) in &self.draft.world.routes {
            let mut new = old.clone();
            match back {
                true => {
                    let belongs = [&self.draft.facts.world.routes, &self.draft.facts.goal.routes];
                    let all = belongs.iter().filter_map(|r| r.get(&(*view, *address))).flatten();
                    new.extend(all.filter(|n| self.node(**n)));
                }
                false => new.retain(|n| !self.node(*n)),
            }
            if new != *old && self.view(*view) && !self.step.targets.is_empty() {
                out.push(Change::Route { view: *view, address: *address, old: old.clone(), new });
            }
        }
        out
    }

    fn off(&self) -> Vec<Change> {
        let all = self.draft.world.serving.iter().filter(|((n, _), _)| !self.step.targets.is_empty() && self.node(*n));
        let off = |((node, port), serving): (&(NodeId, u16), &Serving)| Change::Serving {
            node: *node,
            port: *port,
            old: Some(serving.clone()),
            new: None,
        };
        all.map(off).collect()
    }
}
