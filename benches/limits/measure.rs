//! Both sides in turn, medians, rows of a table.

use std::time::{Duration, Instant};

use crate::process::cpu;

/// What is compared: its name, the goal for the ratio, how many items a round has.
pub struct Measure<'a> {
    /// Its name.
    pub what: &'a str,
    /// The goal.
    pub goal: &'a str,
    /// Items in a round.
    pub items: usize,
    /// Rounds.
    pub rounds: usize,
}

/// One round of one side.
struct Round {
    took: Duration,
    cpu: Duration,
}

impl Measure<'_> {
    /// Runs both sides in turn, and prints rates and CPU. Each side returns how many it found right.
    pub fn compare(&self, mut limit: impl FnMut() -> usize, mut ours: impl FnMut() -> usize) {
        let mut rounds = (Vec::new(), Vec::new());
        for _ in 0..self.rounds {
            rounds.0.push(self.round("limit", &mut limit));
            rounds.1.push(self.round("ours", &mut ours));
        }
        let (limit, ours) = (took(&rounds.0), took(&rounds.1));
        let rate = |t: Duration| self.items as f64 / t.as_secs_f64();
        self.row("", self.goal, [rate(limit), rate(ours)], rate(ours) / rate(limit));
        if cfg!(unix) {
            let each = |rounds: &[Round]| spent(rounds).as_secs_f64() * 1e6 / self.items as f64;
            let (limit, ours) = (each(&rounds.0), each(&rounds.1));
            self.row(", CPU µs each", "", [limit, ours], ours / limit);
        }
    }

    fn row(&self, part: &str, goal: &str, [limit, ours]: [f64; 2], ratio: f64) {
        let digits = if limit.min(ours) < 10.0 { 2 } else { 0 };
        let shown = |n: f64| format!("{n:.digits$}");
        row(&format!("{}{part}", self.what), goal, &shown(limit), &shown(ours), &format!("{ratio:.2}"));
    }

    fn round(&self, side: &str, run: &mut impl FnMut() -> usize) -> Round {
        let (start, before) = (Instant::now(), cpu());
        let right = run();
        let round = Round { took: start.elapsed(), cpu: cpu() - before };
        assert_eq!(right, self.items, "{}, {side}: not all were right", self.what);
        round
    }
}

fn took(rounds: &[Round]) -> Duration {
    middle(rounds.iter().map(|r| r.took).collect())
}

fn spent(rounds: &[Round]) -> Duration {
    middle(rounds.iter().map(|r| r.cpu).collect())
}

/// The median time of some runs.
pub fn median(rounds: usize, mut run: impl FnMut()) -> Duration {
    middle((0..rounds).map(|_| once(&mut run)).collect())
}

/// The median times of both sides, run in turn.
pub fn medians(rounds: usize, mut limit: impl FnMut(), mut ours: impl FnMut()) -> (Duration, Duration) {
    let (limit, ours) = (0..rounds).map(|_| (once(&mut limit), once(&mut ours))).unzip();
    (middle(limit), middle(ours))
}

fn once(run: &mut impl FnMut()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}

/// The median.
pub fn middle(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// The head of the table, in Markdown.
pub fn heading() {
    row("measure", "goal", "limit", "ours", "ratio");
    row("---", "---", "---", "---", "---");
}

/// One row.
pub fn row(what: &str, goal: &str, limit: &str, ours: &str, ratio: &str) {
    println!("| {what:<48} | {goal:>9} | {limit:>10} | {ours:>10} | {ratio:>5} |");
}

/// Seconds, to the millisecond.
pub fn seconds(time: Duration) -> String {
    format!("{:.3} s", time.as_secs_f64())
}
