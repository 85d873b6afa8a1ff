//! The proof of a cutover against a simulation that looks at every client in every second: they agree on who is hurt and how,
//! in every world that is drawn, on the way forth and on every way back.
#![allow(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test reads how much it shall draw, and ends where its world does not fit"
)]

mod planned;
mod simulate;
mod small;
mod worlds;

use std::collections::BTreeMap;

use coexist::checker;
use coexist::model::cutover::{Change, HarmClass, Timeline, Verdict};
use simulate::Harms;
use worlds::Draw;

/// How many worlds: `COEXIST_DRAWS`, else what the test wants.
fn draws(default: u64) -> u64 {
    std::env::var("COEXIST_DRAWS").ok().and_then(|s| s.parse().ok()).unwrap_or(default)
}

fn seed() -> u64 {
    std::env::var("COEXIST_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(1)
}

fn by_class(harms: &Harms) -> BTreeMap<HarmClass, usize> {
    let mut all = BTreeMap::new();
    harms.iter().for_each(|(_, class)| *all.entry(*class).or_default() += 1);
    all
}

/// As the proof counts it, without ways back.
fn proved_forth(timeline: &Timeline) -> BTreeMap<HarmClass, usize> {
    let mut forth = timeline.clone();
    forth.steps.iter_mut().for_each(|s| s.reversible = false);
    counted(&forth)
}

fn counted(timeline: &Timeline) -> BTreeMap<HarmClass, usize> {
    let proof = checker::prove(timeline);
    assert_eq!(proof.misfits, [], "the world that was drawn does not fit");
    let counts = HarmClass::ALL.into_iter().zip(proof.hurt).filter(|(_, n)| *n > 0).collect::<BTreeMap<_, _>>();
    assert_eq!(proof.verdict == Verdict::Harm, !counts.is_empty());
    assert_eq!(proof.harms.len(), counts.len(), "a witness for each class");
    counts
}

#[test]
fn the_proof_and_the_simulation_agree_on_every_way_forth() {
    let mut harmed = 0;
    for i in 0..draws(120) {
        let timeline = worlds::timeline(&mut Draw(seed() << 32 | i));
        let harms = simulate::every_harm(&timeline);
        let seen = by_class(&harms);
        assert_eq!(proved_forth(&timeline), seen, "world {i}: {timeline:#?}");
        harmed += usize::from(!seen.is_empty());
    }
    assert!(harmed > 0);
}

#[test]
fn the_proof_and_the_simulation_agree_on_every_way_back() {
    for i in 0..draws(60) {
        let timeline = worlds::timeline(&mut Draw(seed() << 33 | i));
        let mut seen = simulate::every_harm(&timeline);
        for last in 0..timeline.steps.len() {
            if let Some(back) = simulate::turned_back(&timeline, last) {
                seen.extend(simulate::every_harm(&back));
            }
        }
        assert_eq!(counted(&timeline), by_class(&seen), "world {i}: {timeline:#?}");
    }
}

#[test]
fn no_execution_hurts_whom_the_proof_does_not_name() {
    for i in 0..draws(60) {
        let mut draw = Draw(seed() << 34 | i);
        let timeline = worlds::timeline(&mut draw);
        let every = simulate::every_harm(&timeline);
        for _ in 0..4 {
            let times = simulate::any_times(&timeline, &mut |n| draw.below(n));
            let mut when: Vec<(i64, &Change)> = Vec::new();
            for (step, (start, end)) in timeline.steps.iter().zip(&times) {
                for part in simulate::parts(step) {
                    let at = start + draw.below((end - start + 1) as u64) as i64;
                    when.extend(part.into_iter().map(|c| (at, &step.changes[c])));
                }
            }
            let until = times.last().map_or(0, |(_, end)| end + 12);
            let seen = simulate::play_changes(&timeline, when, (0, until));
            let is_new = |(_, h): &&(i64, (usize, HarmClass))| !every.contains(h) && h.1 != HarmClass::Expired;
            let unexpected: Vec<_> = seen.iter().filter(is_new).collect();
            assert!(unexpected.is_empty(), "world {i}: {unexpected:?} {times:?} {timeline:#?}");
        }
    }
}
