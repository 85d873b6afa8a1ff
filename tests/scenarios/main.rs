//! Every scenario of this folder, played in the lab: a clean world, one thing broken, exactly these findings.
//!
//! A new scenario is a new file; see `format.rs` for what it may say.
#![allow(
    clippy::disallowed_methods,
    clippy::panic,
    reason = "a test reads its files and the clock, and fails by panicking"
)]

mod compare;
mod format;
mod run;

#[test]
fn every_scenario_ends_as_it_says() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let scenarios = format::all();
    assert!(scenarios.len() > 20, "only {} scenarios were found", scenarios.len());
    let mut faults = Vec::new();
    for (file, scenario) in &scenarios {
        let result = runtime.block_on(run::play(scenario));
        let wrong = match &result {
            Ok(judgement) => compare::differences(scenario, judgement),
            Err(error) => vec![error.clone()],
        };
        if !wrong.is_empty() {
            faults.push(format!("{file}: {}\n  {}", scenario.title, wrong.join("\n  ")));
        }
    }
    assert!(faults.is_empty(), "{} of {} scenarios:\n{}", faults.len(), scenarios.len(), faults.join("\n"));
}
