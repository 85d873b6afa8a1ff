//! `coexist lint`: the plan and its certificate files, without a network.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use tokio::runtime::{Builder, Runtime};

use super::args::LintArgs;
use super::check::judge_now;
use super::examine::{Place, Sources, examine};
use super::output::Screen;
use super::{Trouble, ask, load, output};
use crate::model::finding::Judgement;
use crate::model::observation::DialMap;
use crate::model::policy::Scope;
use crate::model::probes::Vantage;
use crate::plan;
use crate::report;

/// Lints each plan in turn, then tells all.
pub fn run(args: LintArgs) -> Result<u8, Trouble> {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Trouble::new(format!("the runtime did not start: {e}")))?;
    output::spare(&[args.output.output.as_deref()], &args.plans)?;
    let mut judgements = Vec::new();
    let mut statuses = Vec::new();
    for path in &args.plans {
        match one(&args, path, &runtime) {
            Ok(judgement) => {
                statuses.push(report::exit_status(&judgement));
                judgements.push(judgement);
            }
            Err(trouble) => {
                anstream::eprintln!("error: {trouble}");
                statuses.push(report::USAGE);
            }
        }
    }
    if !judgements.is_empty() {
        Screen::open(&args.output)?.reports(&judgements, args.plans.len() > 1)?;
    }
    Ok(report::worst(statuses))
}

fn one(args: &LintArgs, path: &Path, runtime: &Runtime) -> Result<Judgement, Trouble> {
    let plan = load::plan(path)?;
    output::spare(&[args.output.output.as_deref()], &load::files(&plan, path))?;
    let policy = ask::policy(&args.ask, &plan, Scope::Files)?;
    let vantage = Vantage::default();
    let obligations = plan::expand(&plan);
    let probes = plan::probes(&plan, &obligations, &vantage, &policy);
    let place = Place {
        vantage: &vantage,
        sources: &Sources::beside(path),
        dial: DialMap::default(),
        timeout: Duration::from_secs(5),
        concurrency: 1,
        now: Timestamp::now(),
    };
    let recording = runtime.block_on(examine(&plan, &probes, &place, &mut |_| {}))?;
    Ok(judge_now(&plan, &obligations, &recording, &policy, args.ask.at))
}
