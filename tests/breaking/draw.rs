//! What is drawn: the same in each run, unless another seed is asked for.

use std::env;

/// A sequence of draws (SplitMix64, Steele et al. 2014).
pub struct Draw(u64);

impl Draw {
    /// From `COEXIST_SEED`, else from a fixed one.
    pub fn seeded() -> Self {
        Self(env::var("COEXIST_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(2003))
    }

    /// One of several.
    pub fn one<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.next() as usize % all.len()]
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) >> 1
    }
}

/// How many are drawn: `COEXIST_DRAWS`, else what the test wants.
pub fn count(default: usize) -> usize {
    env::var("COEXIST_DRAWS").ok().and_then(|s| s.parse().ok()).unwrap_or(default)
}
