//! How near to the machine's limit the library comes: bare loops that do the same and nothing else, interleaved with ours
//! in one run, and the ratio of the two.
//!
//! ```text
//! cargo bench --bench limits                     1,000 names, 5 rounds
//! cargo bench --bench limits -- 10000 9          for claims within 10 %
//! ```
//!
//! Server and client share this machine; nothing leaves loopback. A fast wrong answer does not count: every round's
//! answers are counted, and a round that is not all right ends the run.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a measurement reads the clock and prints what it measured"
)]

mod dns;
mod names;
mod ours;
mod server;
mod tls;
mod world;

use std::time::{Duration, Instant};

use world::World;

fn main() {
    // cargo passes `--bench`.
    let numbers: Vec<usize> = std::env::args().filter_map(|a| a.parse().ok()).collect();
    let count = numbers.first().copied().unwrap_or(1000);
    let rounds = numbers.get(1).copied().unwrap_or(5);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let world = runtime.block_on(async { World::start(count) });
    println!("{count} names, {rounds} rounds, medians\n");
    println!("{:<28} {:>12} {:>12} {:>9}", "measure", "limit /s", "ours /s", "ratio");
    let tls = compare(
        "TLS, all facts",
        count,
        rounds,
        || runtime.block_on(tls::all(&world)),
        || runtime.block_on(ours::tls(&world)),
    );
    let dns =
        compare("DNS over UDP, A and AAAA", count, rounds, || dns::all(&world), || runtime.block_on(ours::dns(&world)));
    compare("coverage, parse and match", count, rounds, || names::all(&world), || ours::coverage(&world));
    let whole = median(rounds, || runtime.block_on(ours::whole(&world)));
    println!(
        "\nwhole plan: {:.3} s; the two limits added: {:.3} s; {:.2} times",
        whole.as_secs_f64(),
        (tls + dns).as_secs_f64(),
        whole.as_secs_f64() / (tls + dns).as_secs_f64()
    );
}

/// Runs both sides in turn, prints their medians and returns the limit's. Each side returns how many it found right.
fn compare(
    what: &str,
    count: usize,
    rounds: usize,
    mut limit: impl FnMut() -> usize,
    mut ours: impl FnMut() -> usize,
) -> Duration {
    let mut times = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        times.0.push(timed(what, count, &mut limit));
        times.1.push(timed(what, count, &mut ours));
    }
    let (limit, ours) = (middle(times.0), middle(times.1));
    let rate = |t: Duration| count as f64 / t.as_secs_f64();
    println!("{what:<28} {:>12.0} {:>12.0} {:>9.2}", rate(limit), rate(ours), rate(ours) / rate(limit));
    limit
}

fn timed(what: &str, count: usize, side: &mut impl FnMut() -> usize) -> Duration {
    let start = Instant::now();
    let right = side();
    let took = start.elapsed();
    assert_eq!(right, count, "{what}: not all were right");
    took
}

fn median(rounds: usize, mut run: impl FnMut()) -> Duration {
    let once = |_| {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    middle((0..rounds).map(once).collect())
}

fn middle(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
