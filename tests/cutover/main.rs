//! The planner, on plans: what it says, and what holds for whatever it says.
#![allow(clippy::disallowed_methods, reason = "a test reads plans and starts the binary")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may")]

mod arithmetic;
mod authorities;
mod history;
mod hsts;
mod keys;
mod long_runbooks;
mod mail;
mod parameters;
mod plans;
mod recorded;
mod rehearsals;
mod rotation;
mod runbooks;
mod screens;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use coexist::checker;
use coexist::cutover::{Ask, Planned, Refusal, plan};
use coexist::model::cutover::{Step, StepKind, Timeline, Verdict, World};
use coexist::model::inventory::Inventory;
use coexist::model::observation::Recording;
use coexist::model::phase::Phase;
use coexist::model::plan::Plan;
use jiff::Timestamp;

/// A Monday, eight in the morning.
const MONDAY: &str = "2026-11-23T08:00:00Z";

fn read(text: &str) -> Plan {
    let read = coexist::plan::load("plan.toml", text.as_bytes(), &|_| Ok(()));
    read.unwrap_or_else(|e| panic!("{}", coexist::plan::render_errors(&e, false)))
}

fn ask<'a>(plan: &'a Plan, recording: &'a Recording, from: Phase, to: Phase) -> Ask<'a> {
    let start: Timestamp = MONDAY.parse().unwrap();
    static NONE: Inventory = Inventory::new();
    Ask { plan, recording, inventory: &NONE, from, to, start: Some(start), zone: None, now: start }
}

fn planned(text: &str, from: Phase, to: Phase) -> Result<Planned, Vec<Refusal>> {
    plan(&ask(&read(text), &Recording::default(), from, to))
}

fn before_to_coexistence(text: &str) -> Planned {
    planned(text, Phase::Before, Phase::Coexistence).unwrap()
}

/// The page of a cutover to coexistence.
fn page(text: &str) -> String {
    let plan_of = read(text);
    let recording = Recording::default();
    let ask = ask(&plan_of, &recording, Phase::Before, Phase::Coexistence);
    let planned = plan(&ask).unwrap();
    let word = coexist::cutover::Word { proof: checker::prove(&planned.timeline), without: None, mend: None };
    let mut out = Vec::new();
    let cutover = planned.proved(&ask, None, word);
    let style = coexist::report::Style::default();
    coexist::report::render_cutover(&cutover, coexist::report::CutoverFormat::Html, style, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// The steps of a kind.
fn steps(planned: &Planned, kind: StepKind) -> Vec<(usize, &Step)> {
    planned.timeline.steps.iter().enumerate().filter(|(_, s)| s.kind == kind).collect()
}

/// Carries the steps out one after another; each has to find what it replaces.
fn carried_out(timeline: &Timeline) -> World {
    let mut world = timeline.world.clone();
    for (i, step) in timeline.steps.iter().enumerate() {
        for change in &step.changes {
            assert!(world.expects(change), "step {}: {change:?}", i + 1);
            world.apply(change);
        }
        assert!(step.waits.iter().all(|w| w.after < i), "step {} waits for a later one", i + 1);
    }
    world
}

/// The checker finds nobody hurt.
fn assert_safe(planned: &Planned, what: &str) {
    let proof = checker::prove(&planned.timeline);
    let words: Vec<_> = proof.harms.iter().map(|h| h.words.to_string()).collect();
    assert_eq!(proof.verdict, Verdict::Safe, "{what}: {words:?} {:?} {:?}", proof.unknown, proof.misfits);
}

/// What a plan's text has in place of something else.
fn with(text: &str, changes: &[(&str, &str)]) -> String {
    let all: BTreeMap<&str, &str> = changes.iter().copied().collect();
    all.iter().fold(text.to_string(), |text, (old, new)| {
        assert!(text.contains(old), "{old}");
        text.replacen(old, new, 1)
    })
}

/// The worked plans, by their paths.
fn worked() -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans");
    let mut all: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    all.sort();
    all.into_iter().map(|p| (p.clone(), std::fs::read_to_string(p).unwrap())).collect()
}
