//! The proof's word and what clients meet: the same classes of harm, for a cutover whose steps are left out or swapped.

use super::{Execution, Rehearsal, rehearse};
use crate::checker::{self, tests::coexistence};
use crate::model::cutover::{HarmClass, Timeline};

/// The proof on the way forth, without ways back, which the play does not go.
fn predicted(timeline: &Timeline) -> Vec<HarmClass> {
    let mut forth = timeline.clone();
    forth.steps.iter_mut().for_each(|s| s.reversible = false);
    let proof = checker::prove(&forth);
    HarmClass::ALL.into_iter().zip(proof.hurt).filter(|(_, n)| *n > 0).map(|(class, _)| class).collect()
}

/// Every execution in which harm of some step can be met, each step's parts in both orders.
fn played(timeline: &Timeline) -> Rehearsal {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let mut all = Rehearsal::default();
        for step in 0..timeline.steps.len() {
            for reversed in [false, true] {
                let times = checker::execution(timeline, step);
                all.join(rehearse(timeline, &Execution { times, reversed, spread: false }).await.unwrap());
            }
        }
        all
    })
}

#[test]
fn a_safe_cutover_hurts_nobody() {
    let all = played(&coexistence());
    assert!(all.failures.is_empty(), "{:#?}", all.failures);
    assert!(all.tries > 300 && all.questions > 100, "{all:?}");
}

#[test]
fn without_any_one_step_clients_meet_what_the_proof_predicts() {
    for step in 0..coexistence().steps.len() {
        let broken = checker::without(&coexistence(), step);
        assert_eq!(played(&broken).classes(), predicted(&broken), "without step {step}");
    }
}

#[test]
fn a_wait_that_is_a_second_too_short_is_met() {
    let mut timeline = coexistence();
    for (step, wait) in [(3, 899), (4, 0)] {
        timeline.steps[step].waits[0].seconds = wait;
    }
    assert_eq!(predicted(&timeline), [HarmClass::BelievedAbsent]);
    assert_eq!(played(&timeline).classes(), [HarmClass::BelievedAbsent]);
}
