//! `coexist judge`: recordings judged again, offline.

use super::args::JudgeArgs;
use super::check::{judge_now, recording};
use super::{Trouble, ask, load, output};
use crate::model::observation::Recording;
use crate::model::policy::Scope;
use crate::{plan, report};

/// Merges the recordings and judges them.
pub fn run(args: JudgeArgs) -> Result<u8, Trouble> {
    let plan = load::plan_alone(&args.plan)?;
    let policy = ask::policy(&args.ask, &plan, Scope::All)?;
    let mut evidence = Recording::default();
    for path in &args.recordings {
        evidence.merge(recording(path)?);
    }
    let obligations = plan::expand(&plan);
    let judgement = judge_now(&plan, &obligations, &evidence, &policy, args.ask.at);
    let status = report::exit_status(&judgement);
    output::write(&args.output, std::slice::from_ref(&judgement))?;
    Ok(status)
}
