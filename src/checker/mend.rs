//! The smallest change that makes an order of steps safe.

use std::collections::BTreeMap;

use super::course::{Course, Forth, Slot};
use super::prove;
use crate::model::cutover::{
    Change, ClientPath, Ending, Mend, Moved, NodeId, Second, Serving, Timeline, Verdict, Wait, Witness,
};
use crate::pki;

/// So many changes are tried one after another; each takes away one harm at least.
const TRIES: usize = 32;
/// Orders of more steps than this are not tried.
const STEPS: usize = 64;

/// The smallest change that makes a timeline safe, if one of those that are tried does: steps later, else one step before
/// another, else certificates served that some server has already, else one step left out. `None` if it is safe already, or
/// nothing that is tried helps. Later is also what is undone later.
pub fn mend(timeline: &Timeline) -> Option<Mend> {
    if is_safe(timeline) {
        return None;
    }
    let ways = [later, earlier, serving, left_out];
    ways.into_iter().find_map(|way| way(timeline)).map(|moves| Mend { moves })
}

fn is_safe(timeline: &Timeline) -> bool {
    prove(timeline).verdict != Verdict::Harm
}

/// Some of those who are hurt, of each class one.
fn hurt(timeline: &Timeline) -> Vec<ClientPath> {
    prove(timeline).harms.into_iter().map(|witness| witness.path).collect()
}

/// True if it is safe. Those who were hurt before are asked first, for they are few; if they are hurt still, all are.
fn is_safe_for(hurt: &[ClientPath], timeline: &Timeline) -> bool {
    let mut few = timeline.clone();
    few.paths.retain(|path| hurt.contains(path));
    is_safe(&few) && is_safe(timeline)
}

/// Each harm by a cached answer ends when the cache has forgotten it: the step waits until then.
fn later(timeline: &Timeline) -> Option<Vec<Moved>> {
    let mut timeline = timeline.clone();
    let (mut forth, mut back): (BTreeMap<usize, u32>, BTreeMap<usize, u32>) = Default::default();
    for _ in 0..TRIES {
        let Some(witness) = prove(&timeline).harms.into_iter().next() else { break };
        let (sums, (step, seconds)) = match witness.undoing {
            None => (&mut forth, delay(&mut timeline, &witness)?),
            Some(done) => (&mut back, settle(&mut timeline, &witness, done)?),
        };
        let sum = sums.entry(step).or_default();
        *sum = sum.checked_add(seconds)?;
    }
    let later = forth.into_iter().map(|(step, by)| Moved::Later { step, by });
    let settled = back.into_iter().map(|(step, by)| Moved::Settle { step, by });
    is_safe(&timeline).then(|| later.chain(settled).collect())
}

/// Lets the step that was undone just before a witness settle until the first of the cached answers is gone: which step, and
/// how much longer. So many steps had been done before one turned back.
fn settle(timeline: &mut Timeline, witness: &Witness, done: usize) -> Option<(usize, u32)> {
    let first = witness.step? + 1;
    let steps = timeline.steps.get_mut(first..done)?;
    let (i, before) = steps.iter_mut().enumerate().find(|(_, s)| !s.changes.is_empty())?;
    let (until, _) = first_gone(witness)?;
    let by = u32::try_from(until - witness.at).ok()?;
    let undo = before.undo.as_mut()?;
    undo.settles = undo.settles.checked_add(by)?;
    Some((first + i, by))
}

/// When the first of a witness's cached answers is gone, and the step that replaces it.
fn first_gone(witness: &Witness) -> Option<(Second, Option<usize>)> {
    let kept = witness.answers.iter().filter(|a| a.kept_until.is_some_and(|until| until > witness.at));
    kept.filter_map(|a| Some((a.kept_until?, a.replaced_by))).min()
}

/// Lets the step of a witness start when the first of its cached answers is gone: which step, and how much later.
fn delay(timeline: &mut Timeline, witness: &Witness) -> Option<(usize, u32)> {
    let step = witness.step?;
    let (until, replaced_by) = first_gone(witness)?;
    let by = u32::try_from(until - witness.at).ok()?;
    match replaced_by {
        // Fixed times move together, so that no step comes before an earlier one.
        _ if timeline.steps[step].at.is_some() => {
            timeline.steps[step..].iter_mut().filter_map(|s| s.at.as_mut()).for_each(|at| *at += Second::from(by));
        }
        Some(after) if after < step => {
            let elapsed = Course::forward(&Forth::of(timeline)).elapsed(after, Slot::During(step));
            let seconds = u32::try_from(elapsed).ok()?.checked_add(by)?;
            timeline.steps[step].waits.push(Wait { after, seconds, why: "caches forget what was before".into() });
        }
        _ => timeline.steps[step].not_before = Some(witness.at + Second::from(by)),
    }
    Some((step, by))
}

/// A node that serves a wrong certificate serves one that is known and right, before the step in which it hurts.
fn serving(timeline: &Timeline) -> Option<Vec<Moved>> {
    let mut open = vec![(timeline.clone(), Vec::new())];
    // Depth first; the first certificate that takes away a harm, and brings none that is met sooner, is taken.
    for _ in 0..TRIES {
        let (timeline, moves) = open.pop()?;
        let Some(witness) = prove(&timeline).harms.into_iter().next() else { return Some(moves) };
        let (step, node) = witness.step.zip(witness.node).filter(|_| witness.undoing.is_none())?;
        let port = witness.path.service.port;
        let fits =
            |credential: &usize| Some(*credential) != witness.credential && is_for(&timeline, *credential, &witness);
        for credential in (0..timeline.credentials.len()).rev().filter(fits) {
            let tried = served(&timeline, step, (node, port), credential);
            if prove(&tried).harms.first().is_none_or(|next| is_later(next, &witness)) {
                let more = Moved::Serve { before: step, node, port, credential };
                open.push((tried, moves.iter().cloned().chain([more]).collect()));
            }
        }
    }
    None
}

/// True of a certificate that covers the name that the client of a witness has in mind, and that it trusts.
fn is_for(timeline: &Timeline, credential: usize, witness: &Witness) -> bool {
    let credential = &timeline.credentials[credential];
    let trusts = credential.trusted.as_ref().is_none_or(|views| views.contains(&witness.path.view));
    let names = || credential.names.iter().flatten().map(String::as_str);
    trusts && pki::identify_among(names(), &witness.reference).is_ok()
}

fn is_later(next: &Witness, than: &Witness) -> bool {
    let of = |w: &Witness| (w.node, w.path.service.port);
    next.undoing.is_some() || next.step > than.step || (next.step == than.step && of(next) != of(than))
}

/// With a certificate served by a node from the end of the step before on, or from the beginning.
fn served(timeline: &Timeline, step: usize, (node, port): (NodeId, u16), credential: usize) -> Timeline {
    let mut out = timeline.clone();
    let new = Serving { default: vec![credential], ..Serving::default() };
    match step.checked_sub(1) {
        None => drop(out.world.serving.insert((node, port), new)),
        Some(before) => {
            let is_same =
                |c: &Change| matches!(c, Change::Serving { node: n, port: p, .. } if (*n, *p) == (node, port));
            out.steps[before].changes.retain(|c| !is_same(c));
            out.steps[before].changes.push(Change::Serving { node, port, old: None, new: Some(new) });
        }
    }
    refit(&mut out);
    out
}

/// One step before another: the later ones are tried first, for they are moved least. Of many steps only those are tried that
/// change what the first who is hurt meets, in front of the step in which it is hurt.
fn earlier(timeline: &Timeline) -> Option<Vec<Moved>> {
    let count = timeline.steps.len();
    let harms = prove(timeline).harms;
    let hurt: Vec<ClientPath> = harms.iter().map(|witness| witness.path.clone()).collect();
    let pairs: Vec<(usize, usize)> = match (count > STEPS, harms.first()) {
        (false, _) => (1..count).flat_map(|far| (far..count).map(move |step| (step, step - far))).collect(),
        (true, Some(witness)) => {
            let other = witness.step.filter(|_| witness.undoing.is_none())?;
            let later = timeline.steps.iter().enumerate().skip(other + 1);
            later
                .filter(|(_, step)| step.changes.iter().any(|c| is_about(c, witness)))
                .map(|(i, _)| (i, other))
                .collect()
        }
        (true, None) => return None,
    };
    let moved = |(step, other): &(usize, usize)| is_safe_for(&hurt, &reordered(timeline, *step, *other));
    let (step, other) = pairs.into_iter().find(moved)?;
    Some(vec![Moved::Before { step, other }])
}

/// True if a change is one of what the client of a witness meets.
fn is_about(change: &Change, witness: &Witness) -> bool {
    match change {
        Change::Records { key, .. } => witness.answers.iter().any(|answer| answer.key == *key),
        Change::Route { view, address, .. } => *view == witness.path.view && Some(*address) == witness.address,
        Change::Serving { node, port, .. } => Some(*node) == witness.node && *port == witness.path.service.port,
        Change::Redirect { node, .. } => Some(*node) == witness.redirected_by,
        Change::Used { view, name, .. } => *view == witness.path.view && *name == witness.path.name,
    }
}

/// The timeline with a step in front of an earlier one. Fixed times stay with the places, waits with the steps.
pub fn reordered(timeline: &Timeline, step: usize, other: usize) -> Timeline {
    let mut out = timeline.clone();
    let times: Vec<Option<Second>> = out.steps.iter().map(|s| s.at).collect();
    let moved = out.steps.remove(step);
    out.steps.insert(other, moved);
    for (step, at) in out.steps.iter_mut().zip(times) {
        step.at = at;
    }
    let place = |old: usize| match old {
        _ if old == step => other,
        _ if (other..step).contains(&old) => old + 1,
        _ => old,
    };
    for (i, step) in out.steps.iter_mut().enumerate() {
        step.waits.iter_mut().for_each(|w| w.after = place(w.after));
        step.waits.retain(|w| w.after < i);
    }
    refit(&mut out);
    out
}

fn left_out(timeline: &Timeline) -> Option<Vec<Moved>> {
    let count = timeline.steps.len();
    if count > STEPS {
        return None;
    }
    let hurt = hurt(timeline);
    let step = (0..count).find(|step| is_safe_for(&hurt, &without(timeline, *step)))?;
    Some(vec![Moved::Without { step }])
}

/// The timeline with one step that is waited for as before, and changes nothing: what would happen without it.
pub fn without(timeline: &Timeline, step: usize) -> Timeline {
    let mut out = timeline.clone();
    out.steps[step].changes.clear();
    out.steps[step].ending = Ending::Assumed(out.steps[step].ending.at_least());
    refit(&mut out);
    out
}

/// Old values as they are in the new order; the new ones stay.
fn refit(timeline: &mut Timeline) {
    let mut world = timeline.world.clone();
    for step in &mut timeline.steps {
        for change in &mut step.changes {
            world.refit(change);
            world.apply(change);
        }
    }
}
