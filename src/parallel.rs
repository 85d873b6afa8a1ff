//! The same work for many, on every core; the results stand in order, so that nobody can tell.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, Builder};

/// Fewer than this many are not worth a thread.
const FEW: usize = 256;
/// As many are taken at a time.
const CHUNK: usize = 128;

/// What `one` says of each number below `count`, in their order.
pub(crate) fn each<T: Send>(count: usize, one: impl Fn(usize) -> T + Sync) -> Vec<T> {
    chunks(count, CHUNK, count / FEW, one)
}

/// As [`each`], where already two are worth a thread.
pub(crate) fn tasks<T: Send>(count: usize, one: impl Fn(usize) -> T + Sync) -> Vec<T> {
    chunks(count, 1, count, one)
}

fn chunks<T: Send>(count: usize, chunk: usize, most: usize, one: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(most);
    if threads < 2 {
        return (0..count).map(one).collect();
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done: Vec<(usize, Vec<T>)> = Vec::new();
        loop {
            let start = next.fetch_add(chunk, Ordering::Relaxed);
            if start >= count {
                return done;
            }
            done.push((start, (start..count.min(start + chunk)).map(&one).collect()));
        }
    };
    let mut chunks = thread::scope(|scope| {
        // A thread that does not start leaves its work to the others.
        let more: Vec<_> = (1..threads).filter_map(|_| Builder::new().spawn_scoped(scope, work).ok()).collect();
        let mut all = work();
        for thread in more {
            match thread.join() {
                Ok(done) => all.extend(done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    });
    chunks.sort_unstable_by_key(|(start, _)| *start);
    let mut out = Vec::with_capacity(count);
    chunks.into_iter().for_each(|(_, chunk)| out.extend(chunk));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_stand_in_order() {
        for count in [0, 1, FEW - 1, 2 * FEW, 10 * FEW + 1] {
            assert_eq!(each(count, |i| i), (0..count).collect::<Vec<_>>());
            assert_eq!(tasks(count, |i| i), (0..count).collect::<Vec<_>>());
        }
    }

    #[test]
    #[should_panic(expected = "this one")]
    fn a_panic_is_not_lost() {
        each(10 * FEW, |i| assert_ne!(i, 9 * FEW, "this one"));
    }
}
