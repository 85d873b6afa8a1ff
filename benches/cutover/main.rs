//! How long it takes to plan a large cutover and to prove it, and how both grow.
//!
//! ```text
//! cargo bench --bench cutover                    1,000 names over 20 pairs of servers, then 10,000 over 200
//! cargo bench --bench cutover -- 20000 400       another size
//! cargo bench --bench cutover -- runbook         administrators' own lists of 90, 280 and 930 steps
//! ```
//!
//! Each size is a process of its own, so that its peak of memory is its own. A fast wrong answer does not count: a plan that
//! is not proved safe ends the run, and so does one that is safe although a server was forgotten.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a measurement reads the clock and the command line, starts what it measures, and prints"
)]

mod migration;
mod runbook;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use coexist::cutover::{self, Ask, Word};
use coexist::model::cutover::{StepKind, Verdict};
use coexist::model::inventory::Inventory;
use coexist::model::observation::Recording;
use coexist::model::phase::Phase;
use coexist::report::{CutoverFormat, Style, render_cutover};
use coexist::{checker, plan};
use jiff::Timestamp;

/// The word on the command line that makes this program measure one size.
const WORD: &str = "one";

/// What is measured of each size, and its goal at 10,000 names.
const MEASURES: [(&str, &str); 9] = [
    ("read the plan", ""),
    ("plan the steps", ""),
    ("prove them", ""),
    ("read, plan and prove", "2.0 s"),
    ("an example of harm", ""),
    ("write it as text", ""),
    ("write it as JSON", ""),
    ("the command, text", "2.0 s"),
    ("the command, JSON", "2.0 s"),
];

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let numbers: Vec<usize> = words.iter().filter_map(|w| w.parse().ok()).collect();
    let size = (numbers.first().copied().unwrap_or(10_000), numbers.get(1).copied().unwrap_or(200));
    match words.first().map(String::as_str) {
        Some(WORD) => one(size),
        Some("runbook") => RUNBOOKS.into_iter().for_each(of_runbook),
        // cargo passes `--bench`.
        _ => compare([(size.0 / 10, (size.1 / 10).max(1)), size]),
    }
}

/// A row for each measure: both sizes, and their ratio.
fn compare(sizes: [(usize, usize); 2]) {
    let [small, large] = sizes.map(measured);
    let head = sizes.map(|(names, pairs)| format!("{names} / {pairs}"));
    row("names / pairs of servers", "goal", &head[0], &head[1], "ratio");
    row("---", "---", "---", "---", "---");
    for ((what, goal), (small, large)) in MEASURES.iter().zip(small.took.iter().zip(&large.took)) {
        let ratio = large.as_secs_f64() / small.as_secs_f64();
        row(what, goal, &seconds(*small), &seconds(*large), &format!("{ratio:.1}"));
    }
    for (what, small, large) in [
        ("peak memory, planned and proved", small.memory, large.memory),
        ("peak memory of the command", small.command, large.command),
    ] {
        if let (Some(small), Some(large)) = (small, large) {
            let shown = |bytes: u64| format!("{:.0} MiB", bytes as f64 / f64::from(1 << 20));
            row(what, "500 MiB", &shown(small), &shown(large), &format!("{:.1}", large as f64 / small as f64));
        }
    }
}

fn row(what: &str, goal: &str, small: &str, large: &str, ratio: &str) {
    println!("| {what:<34} | {goal:>7} | {small:>12} | {large:>12} | {ratio:>5} |");
}

fn seconds(time: Duration) -> String {
    format!("{:.3} s", time.as_secs_f64())
}

/// Names and pairs of servers.
const RUNBOOKS: [(usize, usize); 3] = [(20, 3), (70, 4), (230, 10)];

/// A row for a runbook: one that is safe is followed and proved; one that is not, mended as well.
fn of_runbook((names, pairs): (usize, usize)) {
    let plan = plan::load("bench.toml", migration::text(names, pairs).as_bytes(), &|_| Ok(())).map_err(|e| e.errors);
    let plan = plan.expect("a plan");
    let (recording, inventory, zone) = (Recording::default(), Inventory::default(), jiff::tz::TimeZone::UTC);
    let (from, to, now) = (Phase::Before, Phase::Coexistence, Timestamp::UNIX_EPOCH);
    let (plan, recording, inventory) = (&plan, &recording, &inventory);
    let ask = Ask { plan, recording, inventory, from, to, start: None, zone: None, now };
    for forgetful in [false, true] {
        let text = runbook::text(names, pairs, forgetful);
        let read = plan::runbook("runbook.toml", text.as_bytes(), plan).expect("a runbook");
        let (planned, following) = timed(|| cutover::follow(&ask, &read, &zone).expect("steps"));
        let (proof, proving) = timed(|| checker::prove(&planned.timeline));
        let (mend, mending) = timed(|| checker::mend(&planned.timeline));
        let wanted = if forgetful { Verdict::Harm } else { Verdict::Safe };
        assert_eq!((proof.verdict, mend.is_some()), (wanted, forgetful), "{:#?}", proof.harms);
        let steps = planned.timeline.steps.len();
        let [following, proving, mending] = [following, proving, mending].map(seconds);
        println!("{steps:>5} steps, {wanted:?}: followed in {following}, proved in {proving}, mended in {mending}");
    }
}

struct Measured {
    took: Vec<Duration>,
    /// Bytes, where the system tells.
    memory: Option<u64>,
    command: Option<u64>,
}

fn measured((names, pairs): (usize, usize)) -> Measured {
    let program = std::env::current_exe().expect("this very program");
    let mut command = Command::new(program);
    command.args([WORD, &names.to_string(), &pairs.to_string()]).stderr(Stdio::inherit());
    let out = command.output().expect("this very program");
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let mut numbers = text.split_whitespace().map(|n| n.parse::<u64>().expect("a number"));
    let took = numbers.by_ref().take(MEASURES.len()).map(Duration::from_micros).collect();
    Measured { took, memory: numbers.next().filter(|b| *b > 0), command: numbers.next().filter(|b| *b > 0) }
}

/// Prints the microseconds of each measure, then the peak of memory here and in the command.
fn one((names, pairs): (usize, usize)) {
    let text = migration::text(names, pairs);
    let begin = Instant::now();
    let plan = plan::load("bench.toml", text.as_bytes(), &|_| Ok(())).map_err(|e| e.errors).expect("a plan");
    let read = begin.elapsed();
    let (recording, inventory) = (Recording::default(), Inventory::default());
    let start: Timestamp = "2126-11-25T20:00:00Z".parse().expect("a time");
    let (from, to) = (Phase::Before, Phase::Coexistence);
    let ask = Ask {
        plan: &plan,
        recording: &recording,
        inventory: &inventory,
        from,
        to,
        start: Some(start),
        zone: None,
        now: start,
    };
    let (planned, planning) = timed(|| cutover::plan(&ask).expect("a cutover"));
    let (proof, proving) = timed(|| checker::prove(&planned.timeline));
    assert_eq!(
        (proof.verdict, proof.paths),
        (Verdict::Safe, 2 * (names + pairs)),
        "{:#?} {:?}",
        proof.harms,
        proof.unknown
    );
    let memory = peak();
    let bind = planned.timeline.steps.iter().position(|s| s.kind == StepKind::BindCertificate).expect("a bind");
    let (forgotten, example) = timed(|| checker::prove(&planned.by_calendar(planned.example_without(bind), bind)));
    assert_eq!(forgotten.verdict, Verdict::Harm, "servers were forgotten");
    let cutover = planned.proved(&ask, None, Word { proof, without: None, mend: None });
    let [as_text, as_json] = [CutoverFormat::Text, CutoverFormat::Json].map(|format| {
        timed(|| render_cutover(&cutover, format, Style::default(), &mut std::io::sink()).expect("a report")).1
    });
    drop((cutover, plan));
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("bench.toml");
    std::fs::write(&file, text).expect("a file");
    let commands = ["text", "json"].map(|format| timed(|| command(&file, format)).1);
    let took =
        [read, planning, proving, read + planning + proving, example, as_text, as_json, commands[0], commands[1]];
    took.iter().for_each(|t| print!("{} ", t.as_micros()));
    println!("{} {}", memory.unwrap_or_default(), peak_of_children().unwrap_or_default());
}

fn timed<T>(run: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let value = run();
    (value, start.elapsed())
}

/// The built command from its start to its exit.
fn command(plan: &Path, format: &str) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coexist"));
    command.arg("cutover").arg(plan).args(["--from", "before", "--to", "coexistence", "--format", format]);
    command.args(["--start", "2126-11-25 20:00", "--time-zone", "UTC"]);
    let status = command.stdout(Stdio::null()).status().expect("a built command");
    assert!(status.success(), "{command:?}");
}

/// The largest memory of this process so far in bytes, where the system tells of it alone.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

/// The largest memory of a child in bytes.
#[cfg(unix)]
#[allow(unsafe_code, reason = "the standard library does not ask the system for this")]
fn peak_of_children() -> Option<u64> {
    // Kilobytes, except where they are bytes.
    let unit = if cfg!(target_vendor = "apple") { 1 } else { 1024 };
    // SAFETY: all zeroes is a value of this plain structure, which the call fills in.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        assert_eq!(libc::getrusage(libc::RUSAGE_CHILDREN, &mut usage), 0);
        usage
    };
    Some(usage.ru_maxrss as u64 * unit)
}

#[cfg(not(unix))]
fn peak_of_children() -> Option<u64> {
    None
}
