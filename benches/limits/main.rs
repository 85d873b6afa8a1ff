//! How near to the machine's limit the library comes: bare loops that do the same and nothing else, interleaved with ours
//! in one run, and the ratio of the two.
//!
//! ```text
//! cargo bench --bench limits                     1,000 names, 5 rounds
//! cargo bench --bench limits -- 10000 9          for claims within 10 %
//! cargo bench --bench limits -- judging          only expanding and judging
//! ```
//!
//! The servers are a process of their own, so that rates and CPU are the client's; both share this machine, and nothing
//! leaves loopback. A fast wrong answer does not count: every round's answers are counted, and a round that is not all
//! right ends the run.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a measurement reads the clock and the command line, starts what it measures, and prints"
)]

mod clear;
mod dialogue;
mod dns;
mod judging;
mod measure;
mod names;
mod offline;
mod old;
mod ours;
mod process;
mod server;
mod tls;
mod world;

use std::sync::Arc;

use tokio::runtime::{Builder, Runtime};

use measure::{Measure, heading, median, medians, middle, row, seconds};
use ours::Trouble;
use tls::Target;
use world::World;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.first().map(String::as_str) {
        Some(server::WORD) => server::serve(),
        Some(process::WORD) => process::run(&words[1..]),
        Some(judging::WORD) => judging::run(&words[1..]),
        // cargo passes `--bench`.
        _ => compare_all(&words.iter().filter_map(|w| w.parse().ok()).collect::<Vec<_>>()),
    }
}

fn compare_all(numbers: &[usize]) {
    let count = numbers.first().copied().unwrap_or(1000);
    let rounds = numbers.get(1).copied().unwrap_or(5);
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let world = Arc::new(World::start(count));
    println!("{count} names, {rounds} rounds, medians\n");
    heading();
    let measure = |what, goal, items| Measure { what, goal, items, rounds };
    endpoints(&runtime, &world, &measure("TLS, all facts, /s", "0.90", count), world.tls());
    for (what, target) in ["STARTTLS smtp, /s", "STARTTLS imap, /s", "STLS pop3, /s"].into_iter().zip(world.upgraded())
    {
        endpoints(&runtime, &world, &measure(what, "0.85", count), target);
    }
    endpoints(&runtime, &world, &measure("60 ms away, /s", "0.90", count), world.far());
    // The goal is one of CPU: at most half of a whole handshake's. Where the server signs, the same two signatures are
    // checked on both sides; servers that cannot be talked to otherwise mostly sign nothing.
    let full = || runtime.block_on(tls::all(world.clone(), world.tls()));
    measure("TLS 1.0 read in the clear, all facts, /s", "CPU 0.5", count)
        .compare(full, || runtime.block_on(clear::unsigned(&world)));
    measure("TLS 1.2 read in the clear, all facts, /s", "", count)
        .compare(full, || runtime.block_on(clear::signed(&world)));
    measure("DNS, look-ups/s", "0.5", 2 * count).compare(|| dns::all(&world), || runtime.block_on(ours::dns(&world)));
    coverage(&world, &measure);
    offline::compare(&measure);
    whole(&runtime, &world, rounds);
    trouble(&runtime, &world, &Trouble::silent(&world));
    others(&runtime, &world, rounds);
    // Other systems refuse where a backlog is full.
    if cfg!(target_os = "linux") {
        trouble(&runtime, &world, &Trouble::deaf(&world));
    }
    process::all(&world);
    judging::all([10_000, 100_000]);
}

fn whole(runtime: &Runtime, world: &Arc<World>, rounds: usize) {
    // The plan asks the resolvers of both views for every name.
    let limits = || (runtime.block_on(tls::all(world.clone(), world.tls())), dns::all(world), dns::all(world));
    let (limits, ours) = medians(rounds, || _ = limits(), || runtime.block_on(ours::whole(world)));
    let ratio = ours.as_secs_f64() / limits.as_secs_f64();
    row("whole plan, and the two limits added", "1.2", &seconds(limits), &seconds(ours), &format!("{ratio:.2}"));
}

fn trouble(runtime: &Runtime, world: &World, trouble: &Trouble) {
    let took = median(1, || runtime.block_on(ours::troubled(world, trouble)));
    let over = seconds(took.saturating_sub(trouble.timeout));
    row(&trouble.what, "t + 0.5 s", "t", &format!("t + {over}"), "");
}

/// Until all others were looked at: without those that never answer, and beside them.
fn others(runtime: &Runtime, world: &World, rounds: usize) {
    let trouble = Trouble::silent(world);
    let last = |trouble: &Trouble| runtime.block_on(ours::last_of_others(world, trouble));
    let (without, beside) = (0..rounds).map(|_| (last(&Trouble::none(&trouble)), last(&trouble))).unzip();
    let (without, beside) = (middle(without), middle(beside));
    let ratio = beside.as_secs_f64() / without.as_secs_f64();
    row("the others, without and beside them", "1.1", &seconds(without), &seconds(beside), &format!("{ratio:.2}"));
}

fn endpoints(runtime: &Runtime, world: &Arc<World>, measure: &Measure, target: Target) {
    measure
        .compare(|| runtime.block_on(tls::all(world.clone(), target)), || runtime.block_on(ours::tls(world, target)));
}

fn coverage<'a>(world: &World, measure: &impl Fn(&'a str, &'a str, usize) -> Measure<'a>) {
    let count = world.names.len();
    measure("coverage, parse and match, names/s", "", count).compare(|| names::all(world), || ours::coverage(world));
    let (index, facts, names) = (names::Index::of(world), ours::facts(world), ours::names(world));
    // Once through would be too short to be timed.
    let times = 200_000 / count + 1;
    measure("coverage, parsed before, names/s", "5 M/s", count * times).compare(
        || (0..times).map(|_| index.covered(world)).sum(),
        || (0..times).map(|_| ours::matched(&facts, &names)).sum(),
    );
}
