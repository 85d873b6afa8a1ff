//! What is due, and what is said where nothing is.

use std::sync::Arc;

use super::*;
use crate::model::phase::{Moment, MomentSet, Phase};
use crate::model::policy::Ask;

#[test]
fn an_old_target_is_due_until_its_caches_have_drained() {
    let mut world = simple();
    world.obligations[3].drain = Some(crate::model::obligation::Drain { hold: 3600 });
    let due = |world: &World| world.judge().obligations[3].due;
    assert!(due(&world), "without a time of the flip it stays due");
    let flipped = |world: &mut World, at: &str| world.plan.cutover.flipped = vec![Some(at.parse().unwrap()); 2];
    flipped(&mut world, "2026-11-22T20:30:00Z");
    assert!(due(&world));
    flipped(&mut world, "2026-11-22T19:00:00Z");
    assert!(!due(&world));
    // It is the flip into coexistence that the plan dates, and no other.
    let after = Moment::Steady(Phase::After);
    Arc::make_mut(&mut world.obligations[3].holds).iter_mut().for_each(|(_, moments)| moments.insert(after));
    world.policy.ask = Ask::Phase(after);
    assert!(due(&world));
}

#[test]
fn where_nothing_is_due_nothing_passes() {
    let mut world = simple();
    world.policy.ask = Ask::Phase(Moment::Steady(Phase::Before));
    let judgement = world.judge();
    assert_eq!((judgement.outcome, judgement.findings.len()), (RunOutcome::Incomplete, 1));
    assert_eq!(judgement.findings[0].title, "nothing is due: the plan demands nothing at this moment");
    world.plan.severity.insert("evidence-missing".into(), Located::new(None, Span::default()));
    assert_eq!(world.judge().outcome, RunOutcome::Incomplete);
    world.policy.scope = Scope::Files;
    assert_eq!(world.judge().outcome, RunOutcome::Pass);
    let mut narrow = simple();
    narrow.policy.only = vec!["ex2013".into()];
    let judgement = narrow.judge();
    assert_eq!(judgement.outcome, RunOutcome::Incomplete);
    assert_eq!(judgement.findings[0].title, "nothing is due: --only and --view together leave nothing");
}

#[test]
fn resolvers_that_are_not_asked_are_not_told_of() {
    let seen = |settle: fn(&mut World)| {
        let mut world = simple();
        settle(&mut world);
        let seen = world.judge().seen_from.resolvers;
        seen.into_iter().map(|r| format!("{} {}", r.view, r.answered)).collect::<Vec<_>>()
    };
    assert_eq!(seen(|_| ()), ["internal 1", "external 2"]);
    assert_eq!(seen(|w| w.policy.views = Some(vec![EXTERNAL])), ["external 2"]);
    assert_eq!(seen(|w| w.policy.only = vec!["san".into()]), [""; 0]);
}

#[test]
fn two_eves_of_one_flip_have_one_word() {
    let mut world = simple();
    let eves = [Phase::Before, Phase::Coexistence].map(|p| Moment::Ready(p, Phase::After));
    let moments: MomentSet = eves.into_iter().collect();
    world.obligations[0].holds = vec![(INTERNAL, moments)].into();
    assert_eq!(*world.judge().obligations[0].phases, ["ready-for after"]);
}
