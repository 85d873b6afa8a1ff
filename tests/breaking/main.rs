//! Whatever is broken in a world is found, is never put down to another cause, and hides nothing else that is broken.
//!
//! Faults of the lab, drawn at random, over the worked plans and the moments of a cutover; one at a time and in pairs. What
//! each fault may be called stands in `oracle.toml`. Another draw: `COEXIST_SEED=7 cargo test --test breaking`; a longer
//! one: `COEXIST_DRAWS=500`.
#![allow(
    clippy::disallowed_methods,
    clippy::panic,
    reason = "a test reads its files and the clock, and fails by panicking"
)]

mod draw;
#[path = "../scenarios/format.rs"]
#[allow(dead_code, reason = "the runner of the scenarios uses the rest")]
mod format;
mod oracle;
#[path = "../scenarios/run.rs"]
mod run;
mod setting;

use std::collections::{BTreeMap, BTreeSet};

use coexist::model::finding::{Finding, Judgement};

use draw::Draw;
use oracle::Oracle;
use setting::settings;

/// Pairs that are drawn, and single faults.
const DRAWS: usize = 60;

#[test]
fn every_setting_is_clean_before_something_breaks() {
    let runtime = runtime();
    for setting in settings() {
        let judgement = runtime.block_on(setting.play(&[]));
        let wrong: Vec<_> = causes(&judgement).map(shown).collect();
        assert_eq!(wrong, Vec::<String>::new(), "{setting}");
    }
}

#[test]
fn one_fault_is_found_and_called_by_its_name() {
    let (runtime, oracle, mut draw) = (runtime(), Oracle::read(), Draw::seeded());
    let settings = settings();
    let mut wrong = Vec::new();
    for _ in 0..draw::count(2 * DRAWS) {
        let setting = draw.one(&settings);
        let fault = draw.one(&setting.faults);
        let judgement = runtime.block_on(setting.play(&[fault]));
        if !setting.is_as_right(fault) {
            wrong.extend(oracle.misses(fault, &setting.moment, &judgement).map(|w| format!("{setting}: {fault}: {w}")));
        }
        wrong.extend(oracle.strangers(&[fault], &judgement).map(|w| format!("{setting}: {fault}: {w}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_fault_is_known_to_the_oracle() {
    let oracle = Oracle::read();
    let known: BTreeSet<&str> = oracle.faults().collect();
    let all: BTreeSet<&str> = coexist::lab::faults().iter().map(|f| f.name).collect();
    assert_eq!(known, all);
    let met: BTreeSet<String> =
        settings().iter().flat_map(|s| s.faults.iter().map(|f| oracle::name(f).into())).collect();
    let unmet: Vec<_> = all.iter().filter(|f| !met.contains(**f)).collect();
    assert_eq!(unmet, Vec::<&&str>::new(), "no setting has room for them");
}

#[test]
fn two_faults_do_not_hide_each_other() {
    let (runtime, oracle, mut draw) = (runtime(), Oracle::read(), Draw::seeded());
    let settings = settings();
    let mut wrong = Vec::new();
    for _ in 0..draw::count(DRAWS) {
        let setting = draw.one(&settings);
        let (a, b) = (draw.one(&setting.faults), draw.one(&setting.faults));
        if a == b || !setting.go_together(a, b) || oracle.conceals(a, b) || oracle.conceals(b, a) {
            continue;
        }
        let [alone_a, alone_b, both] = [vec![a], vec![b], vec![a, b]].map(|f| runtime.block_on(setting.play(&f)));
        let mut note = |w: String| wrong.push(format!("{setting}: {a} and {b}: {w}"));
        oracle.strangers(&[a, b], &both).for_each(&mut note);
        for (fault, beside, alone, other) in [(a, b, &alone_a, &alone_b), (b, a, &alone_b, &alone_a)] {
            let is_open = oracle.is_said_to_be_open(fault, beside, &both);
            let is_told = |id: &String| !setting.is_sampled(id) && !oracle::is_out_of_use(fault, beside, id);
            let lost = hidden(alone, &both).into_iter().filter(|id| !is_open && is_told(id));
            lost.for_each(|id| note(format!("{id} passes, and not with {fault} alone")));
            let can_be_told = !setting.is_as_right(fault) && !is_open;
            if can_be_told && !covered(alone, other) {
                oracle.misses(fault, &setting.moment, &both).for_each(&mut note);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What was not right with one fault and is right with two.
fn hidden(alone: &Judgement, both: &Judgement) -> Vec<String> {
    let now = verdicts(both);
    let lost = verdicts(alone).into_iter().filter(|(id, right)| !right && now.get(id) == Some(&true));
    lost.map(|(id, _)| id).collect()
}

/// True if all that one fault brings about the other one brings about as well: nobody can tell that both are there.
fn covered(alone: &Judgement, other: &Judgement) -> bool {
    let theirs = verdicts(other);
    let mut wrong = verdicts(alone).into_iter().filter(|(_, right)| !right).peekable();
    wrong.peek().is_some() && wrong.all(|(id, _)| theirs.get(&id) == Some(&false))
}

/// Of what is due: whether it passes.
fn verdicts(judgement: &Judgement) -> BTreeMap<String, bool> {
    use coexist::model::finding::Verdict::Pass;
    judgement.obligations.iter().filter(|o| o.due).map(|o| (o.id.to_string(), o.verdict == Pass)).collect()
}

/// What is to be mended or answered: findings that follow from no other, without what is only good to know.
fn causes(judgement: &Judgement) -> impl Iterator<Item = &Finding> {
    use coexist::model::finding::Severity::Info;
    judgement.findings.iter().filter(|f| f.caused_by.is_none() && f.waived.is_none() && f.severity > Info)
}

fn shown(f: &Finding) -> String {
    format!("{} {} [{}] seen {:?}", f.severity, f.rule, f.title, f.seen)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime")
}
