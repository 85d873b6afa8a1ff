//! `coexist judge`: recordings judged again, offline.

use super::args::JudgeArgs;
use super::check::judge_now;
use super::examine::tell_notes;
use super::output::Screen;
use super::{Trouble, ask, load, output, recording};
use crate::model::observation::Recording;
use crate::model::policy::Scope;
use crate::{plan, report};

/// Merges the recordings and judges them.
pub fn run(args: JudgeArgs) -> Result<u8, Trouble> {
    let mut read = args.recordings.clone();
    read.push(args.plan.clone());
    output::spare(&[args.output.output.as_deref()], &read)?;
    let plan = load::plan_alone(&args.plan)?;
    let policy = ask::policy(&args.ask, &plan, Scope::All)?;
    let mut evidence = Recording::default();
    for path in &args.recordings {
        evidence.merge(recording::read(path)?);
    }
    tell_notes(&evidence);
    let obligations = plan::expand(&plan);
    let judgement = judge_now(&plan, &obligations, &evidence, &policy, args.ask.at);
    let status = report::exit_status(&judgement);
    Screen::open(&args.output)?.reports(std::slice::from_ref(&judgement), false)?;
    Ok(status)
}
