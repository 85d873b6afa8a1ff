//! `coexist lint`: the plan and its certificate files, without a network.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use tokio::runtime::Runtime;

use super::args::LintArgs;
use super::check::judge_now;
use super::examine::{Place, Sources, examine, tell_notes};
use super::plans::{self, Done};
use super::{Trouble, ask, load, output};
use crate::model::obligation::Obligation;
use crate::model::observation::{DialMap, Recording};
use crate::model::plan::Plan;
use crate::model::policy::{Policy, Scope};
use crate::model::probes::Vantage;
use crate::plan;

/// Lints each plan in turn, then tells all.
pub fn run(args: LintArgs) -> Result<u8, Trouble> {
    output::spare(&[args.output.output.as_deref()], &args.plans)?;
    let runtime = plans::runtime()?;
    plans::each(&args.plans, &args.output, |path| one(&args, path, &runtime))
}

fn one(args: &LintArgs, path: &Path, runtime: &Runtime) -> Result<Done, Trouble> {
    let plan = load::plan(path)?;
    output::spare(&[args.output.output.as_deref()], &load::files(&plan, path))?;
    let policy = ask::policy(&args.ask, &plan, Scope::Files)?;
    let obligations = plan::expand(&plan);
    let recording = files(&plan, path, &obligations, &policy, runtime)?;
    Ok(Done::Judged(Box::new(judge_now(&plan, &obligations, &recording, &policy, args.ask.at)), None))
}

/// Reads the files of a plan, and says what is to be said of them.
pub(super) fn files(
    plan: &Plan,
    path: &Path,
    obligations: &[Obligation],
    policy: &Policy,
    runtime: &Runtime,
) -> Result<Recording, Trouble> {
    let vantage = Vantage::default();
    let probes = plan::probes(plan, obligations, &vantage, policy);
    let place = Place {
        vantage: &vantage,
        sources: &Sources::beside(path),
        dial: DialMap::default(),
        ways: Vec::new(),
        timeout: Duration::from_secs(5),
        concurrency: 1,
        now: Timestamp::now(),
    };
    let recording = runtime.block_on(examine(plan, &probes, &place, &mut |_| {}))?;
    tell_notes(&recording);
    Ok(recording)
}
