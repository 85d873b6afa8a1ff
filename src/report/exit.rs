//! The exit statuses, and the one place that computes them.

use crate::model::finding::{Judgement, RunOutcome};

/// All that is due passes.
pub const PASS: u8 = 0;
/// A finding at or above the severity that fails a run.
pub const FINDING: u8 = 1;
/// The plan or the command line is wrong.
pub const USAGE: u8 = 2;
/// Nothing failed, but something due could not be observed.
pub const UNOBSERVED: u8 = 3;

/// The user stopped the run: 128 + SIGINT, as shells have it.
pub const INTERRUPTED: u8 = 130;

/// The exit status of one plan's judgement; [`USAGE`] never comes of one.
pub fn exit_status(judgement: &Judgement) -> u8 {
    match judgement.outcome {
        RunOutcome::Pass => PASS,
        RunOutcome::Fail => FINDING,
        RunOutcome::Incomplete => UNOBSERVED,
        RunOutcome::Interrupted => INTERRUPTED,
    }
}

/// The exit status of several plans: the worst of 130, 2, 1, 3, 0; [`PASS`] of none. A status that is none of these is
/// taken for the worst.
pub fn worst(statuses: impl IntoIterator<Item = u8>) -> u8 {
    statuses.into_iter().max_by_key(|status| weight(*status)).unwrap_or(PASS)
}

fn weight(status: u8) -> u8 {
    match status {
        PASS => 0,
        UNOBSERVED => 1,
        FINDING => 2,
        USAGE => 3,
        _ => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_plan_outweighs_a_finding_and_that_what_was_not_seen() {
        for (statuses, want) in [
            (vec![], 0),
            (vec![0, 0], 0),
            (vec![0, 3, 0], 3),
            (vec![3, 1, 0], 1),
            (vec![1, 2, 3], 2),
            (vec![2, 130], 130),
        ] {
            assert_eq!(worst(statuses.clone()), want, "{statuses:?}");
        }
    }
}
