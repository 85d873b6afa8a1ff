//! `coexist check`: look, then judge.

use std::io::{self, IsTerminal};
use std::path::Path;

use jiff::Timestamp;
use tokio::runtime::Runtime;

use super::args::{CheckArgs, LookArgs};
use super::examine::{Place, Sources, gathered, header, keep, look};
use super::plans::{self, Done};
use super::recording::Growing;
use super::{Trouble, ask, dry_run, load, output, recording};
use crate::model::finding::Judgement;
use crate::model::obligation::Obligation;
use crate::model::observation::{DialMap, Recording};
use crate::model::plan::Plan;
use crate::model::policy::{Policy, Scope};
use crate::model::probes::{Probes, Vantage};
use crate::observe::Seen;
use crate::{judge, plan};

/// Checks each plan in turn, then tells all.
pub fn run(args: CheckArgs) -> Result<u8, Trouble> {
    if args.plans.len() > 1 && args.record.is_some() {
        return Err(Trouble::new("--record takes one plan at a time"));
    }
    let mut read = args.plans.clone();
    read.extend(args.with.iter().cloned());
    output::spare(&[args.output.output.as_deref(), args.record.as_deref()], &read)?;
    let runtime = plans::runtime()?;
    plans::each(&args.plans, &args.output, |path| one(&args, path, &runtime))
}

fn one(args: &CheckArgs, path: &Path, runtime: &Runtime) -> Result<Done, Trouble> {
    let plan = load::plan(path)?;
    let policy = ask::policy(&args.ask, &plan, Scope::All)?;
    let vantage = ask::vantage(&args.look, &plan)?;
    let obligations = plan::expand(&plan);
    let probes = plan::probes(&plan, &obligations, &vantage, &policy);
    let sources = Sources::beside(path);
    output::spare(&[args.output.output.as_deref(), args.record.as_deref()], &load::files(&plan, path))?;
    let dial = DialMap(args.look.connect_to.clone());
    dry_run::idle_detours(&dial, &probes)
        .for_each(|d| anstream::eprintln!("warning: --connect-to {d} fits nothing that is dialled"));
    if args.dry_run {
        return dry_run::print(&plan, &probes, &dial).map(|()| Done::DryRun);
    }
    let place = place(&args.look, &vantage, &sources, dial);
    let earlier = args.with.iter().map(|p| recording::read(p)).collect::<Result<Vec<_>, _>>()?;
    let Watched { mut recording, finished, fault } = runtime.block_on(watched(args, &plan, &probes, &place))?;
    if !finished {
        return Ok(Done::Interrupted);
    }
    drop(probes);
    earlier.into_iter().for_each(|other| recording.merge(other));
    Ok(Done::Judged(Box::new(judge_now(&plan, &obligations, &recording, &policy, args.ask.at)), fault))
}

fn place<'a>(args: &LookArgs, vantage: &'a Vantage, sources: &'a Sources<'a>, dial: DialMap) -> Place<'a> {
    let concurrency = usize::from(args.concurrency);
    Place { vantage, sources, dial, timeout: args.timeout, concurrency, now: Timestamp::now() }
}

/// Judges at the time asked for, else at the time when the evidence was gathered.
pub(super) fn judge_now(
    plan: &Plan,
    obligations: &[Obligation],
    recording: &Recording,
    policy: &Policy,
    at: Option<Timestamp>,
) -> Judgement {
    let now = at.or_else(|| gathered(recording)).unwrap_or(Timestamp::UNIX_EPOCH);
    judge::judge(plan, obligations, recording, policy, now)
}

/// What became of a look.
struct Watched {
    recording: Recording,
    /// False after Ctrl-C.
    finished: bool,
    /// Why the recording on disk is not whole.
    fault: Option<Trouble>,
}

/// Looks, with progress on a terminal and the recording growing on disk; after Ctrl-C what was seen is written.
async fn watched(args: &CheckArgs, plan: &Plan, probes: &Probes, place: &Place<'_>) -> Result<Watched, Trouble> {
    let (run, blobs) = header(plan, place)?;
    let mut file = args.record.as_deref().map(|path| Growing::create(path, &run, &blobs)).transpose()?;
    let mut recording = Recording { blobs, ..Recording::default() };
    let bar = progress(args, probes);
    let finished = {
        let mut sink = |seen: Seen| {
            if let Some(file) = &mut file {
                file.add(&seen);
            }
            if matches!(seen, Seen::Observation(_)) {
                bar.inc(1);
            }
            keep(&mut recording, seen);
        };
        tokio::select! {
            () = look(plan, probes, place, &run, &mut sink) => true,
            _ = tokio::signal::ctrl_c() => false,
        }
    };
    bar.finish_and_clear();
    let fault = file.and_then(|file| file.finish().err());
    recording.runs.insert(run.id.clone(), run);
    Ok(Watched { recording, finished, fault })
}

fn progress(args: &CheckArgs, probes: &Probes) -> indicatif::ProgressBar {
    if args.output.quiet || !io::stderr().is_terminal() {
        return indicatif::ProgressBar::hidden();
    }
    let known = probes.dns.len() + probes.files.len() + probes.tls.iter().map(|t| t.samples as usize).sum::<usize>();
    let style = indicatif::ProgressStyle::with_template("looking {pos}/{len} {wide_bar} {elapsed}");
    let bar = indicatif::ProgressBar::new(known as u64);
    style.map(|s| bar.clone().with_style(s)).unwrap_or(bar)
}
