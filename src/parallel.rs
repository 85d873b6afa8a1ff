//! The same work for many, on every core; the results stand in order, so that nobody can tell.

use std::num::NonZero;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};
use std::thread::{self, Builder};

/// Fewer than this many are not worth a thread.
const FEW: usize = 256;
/// As many are taken at a time.
const CHUNK: usize = 128;

/// What `one` says of each number below `count`, in their order.
pub(crate) fn each<T: Send>(count: usize, one: impl Fn(usize) -> T + Sync) -> Vec<T> {
    chunks(count, CHUNK, count / FEW, |numbers, out| out.iter_mut().zip(numbers).for_each(|(o, i)| *o = Some(one(i))))
}

/// As [`each`], where already two are worth a thread.
pub(crate) fn tasks<T: Send>(count: usize, one: impl Fn(usize) -> T + Sync) -> Vec<T> {
    chunks(count, 1, count, |numbers, out| out.iter_mut().zip(numbers).for_each(|(o, i)| *o = Some(one(i))))
}

/// As [`each`], with something that is made anew for each run of numbers, and which those of the run share.
pub(crate) fn runs<T: Send, S>(
    count: usize,
    shared: impl Fn() -> S + Sync,
    one: impl Fn(&mut S, usize) -> T + Sync,
) -> Vec<T> {
    chunks(count, 16 * CHUNK, count / FEW, |numbers, out| {
        let mut shared = shared();
        out.iter_mut().zip(numbers).for_each(|(o, i)| *o = Some(one(&mut shared, i)));
    })
}

/// Does both, which are about so many things, at once.
pub(crate) fn both<A: Send, B>(count: usize, one: impl Fn() -> A + Sync, other: impl FnOnce() -> B) -> (A, B) {
    if threads(count / FEW) < 2 {
        return (one(), other());
    }
    thread::scope(|scope| {
        let thread = Builder::new().spawn_scoped(scope, &one);
        let other = other();
        let one = match thread {
            Ok(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            // What a thread that does not start has left is done here.
            Err(_) => one(),
        };
        (one, other)
    })
}

/// Sorts; of equal ones nobody can say which came first.
pub(crate) fn sort<T: Ord + Send>(all: &mut [T]) {
    let threads = threads(all.len() / (4 * FEW));
    if threads < 2 {
        return all.sort_unstable();
    }
    let part = all.len().div_ceil(threads);
    thread::scope(|scope| {
        for part in all.chunks_mut(part) {
            // What a thread that does not start leaves unsorted is sorted below.
            let _ = Builder::new().spawn_scoped(scope, || part.sort_unstable());
        }
    });
    // Sorted runs are found, and merged.
    all.sort();
}

fn threads(most: usize) -> usize {
    thread::available_parallelism().map_or(1, NonZero::get).min(most)
}

/// Each thread takes a chunk of places and fills it, then the next one.
fn chunks<T: Send>(
    count: usize,
    chunk: usize,
    most: usize,
    fill: impl Fn(Range<usize>, &mut [Option<T>]) + Sync,
) -> Vec<T> {
    let mut all: Vec<Option<T>> = Vec::with_capacity(count);
    all.resize_with(count, || None);
    let parts = Mutex::new(all.chunks_mut(chunk).enumerate());
    let next = || parts.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || {
        while let Some((number, part)) = next() {
            let start = number * chunk;
            fill(start..start + part.len(), part);
        }
    };
    match threads(most) {
        0 | 1 => work(),
        threads => thread::scope(|scope| {
            // A thread that does not start leaves its work to the others.
            let more: Vec<_> = (1..threads).filter_map(|_| Builder::new().spawn_scoped(scope, work).ok()).collect();
            work();
            for thread in more {
                if let Err(panic) = thread.join() {
                    std::panic::resume_unwind(panic);
                }
            }
        }),
    }
    // The library does this in place, where `flatten` would make another list.
    #[allow(clippy::manual_flatten, clippy::filter_map_identity, reason = "`flatten` is not done in place")]
    let whole = all.into_iter().filter_map(|one| one).collect();
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_stand_in_order() {
        for count in [0, 1, FEW - 1, 2 * FEW, 10 * FEW + 1] {
            assert_eq!(each(count, |i| i), (0..count).collect::<Vec<_>>());
            assert_eq!(tasks(count, |i| i), (0..count).collect::<Vec<_>>());
            assert_eq!(runs(count, || 0, |_, i| i), (0..count).collect::<Vec<_>>());
        }
    }

    #[test]
    fn both_are_done() {
        for count in [0, 10 * FEW] {
            assert_eq!(both(count, || 1, || "two"), (1, "two"));
        }
    }

    #[test]
    fn what_is_sorted_in_parts_is_sorted() {
        for count in [0, 1, 100, 40 * FEW + 1] {
            let mut all: Vec<usize> = (0..count).map(|i| i * 7919 % 1009).collect();
            let mut want = all.clone();
            want.sort_unstable();
            sort(&mut all);
            assert_eq!(all, want);
        }
    }

    #[test]
    #[should_panic(expected = "this one")]
    fn a_panic_is_not_lost() {
        each(10 * FEW, |i| assert_ne!(i, 9 * FEW, "this one"));
    }
}
