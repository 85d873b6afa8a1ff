//! Several plans in one command: each has its say, then all are told, and the worst status counts.

use std::path::{Path, PathBuf};

use tokio::runtime::{Builder, Runtime};

use super::Trouble;
use super::args::OutputArgs;
use super::output::{self, Screen};
use crate::model::finding::{Judgement, RunOutcome};
use crate::report;

/// What became of one plan.
pub enum Done {
    /// It was judged; beside that something may have gone wrong that the user has to know.
    Judged(Box<Judgement>, Option<Trouble>),
    /// Nothing was to be judged.
    DryRun,
}

/// Takes the plans in turn, then tells all; a plan that is wrong does not keep the others from being judged. Who stops one
/// wants none of the others.
pub fn each(
    plans: &[PathBuf],
    output: &OutputArgs,
    mut one: impl FnMut(&Path) -> Result<Done, Trouble>,
) -> Result<u8, Trouble> {
    let (mut judgements, mut statuses) = (Vec::new(), Vec::new());
    for path in plans {
        match one(path) {
            Ok(Done::Judged(judgement, trouble)) => {
                let interrupted = judgement.outcome == RunOutcome::Interrupted;
                statuses.push(report::exit_status(&judgement));
                judgements.push(*judgement);
                statuses.extend(trouble.map(told));
                if interrupted {
                    break;
                }
            }
            Ok(Done::DryRun) => {}
            Err(trouble) => statuses.push(told(trouble)),
        }
    }
    if !judgements.is_empty() {
        Screen::open(output)?.reports(&judgements, plans.len() > 1)?;
    }
    Ok(report::worst(statuses))
}

/// Says what went wrong, and gives its exit status.
fn told(trouble: Trouble) -> u8 {
    output::tell(&format!("error: {trouble}"));
    report::USAGE
}

/// The runtime of a command that looks.
pub fn runtime() -> Result<Runtime, Trouble> {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.map_err(|e| Trouble::new(format!("the runtime did not start: {e}")))
}
