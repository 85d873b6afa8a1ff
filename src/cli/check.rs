//! `coexist check`: look, then judge.

use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio::runtime::Runtime;

use super::args::{CheckArgs, LookArgs};
use super::examine::{Place, Sources, gathered, header, keep, look, tell_notes};
use super::plans::{self, Done};
use super::recording::Growing;
use super::{Trouble, ask, dry_run, limits, load, output, proxies, recording};
use crate::model::finding::{Judgement, RunOutcome};
use crate::model::obligation::Obligation;
use crate::model::observation::{DialMap, Recording};
use crate::model::plan::Plan;
use crate::model::policy::{Policy, Scope};
use crate::model::probes::{Probes, Vantage};
use crate::model::text::shown;
use crate::observe::Seen;
use crate::{judge, plan, report};

/// Checks each plan in turn, then tells all.
pub fn run(args: CheckArgs) -> Result<u8, Trouble> {
    if args.plans.len() > 1 && args.record.is_some() {
        return Err(Trouble::new("--record takes one plan at a time"));
    }
    let mut read = args.plans.clone();
    read.extend(args.with.iter().cloned());
    output::spare(&[args.output.output.as_deref(), args.record.as_deref()], &read)?;
    let runtime = plans::runtime()?;
    let looking = Looking::default();
    runtime.spawn(ended_by_ctrl_c(looking.clone()));
    plans::each(&args.plans, &args.output, |path| one(&args, path, &runtime, &looking))
}

/// True while a run looks, and for good once Ctrl-C has stopped it.
type Looking = Arc<AtomicBool>;

/// Once Ctrl-C is listened for, the system does not end the program by itself any more. While a run looks, the first is the
/// run's own, which writes what it saw; any other ends the program here.
async fn ended_by_ctrl_c(looking: Looking) {
    let mut is_first = true;
    while tokio::signal::ctrl_c().await.is_ok() {
        if !is_first || !looking.load(Ordering::SeqCst) {
            std::process::exit(i32::from(report::INTERRUPTED));
        }
        is_first = false;
    }
}

fn one(args: &CheckArgs, path: &Path, runtime: &Runtime, looking: &Looking) -> Result<Done, Trouble> {
    let plan = load::plan(path)?;
    let policy = ask::policy(&args.ask, &plan, Scope::All)?;
    let ways = proxies::ways(&args.look, &plan)?;
    let vantage = ask::vantage(&args.look, &plan, &ways)?;
    let obligations = plan::expand(&plan);
    let probes = plan::probes(&plan, &obligations, &vantage, &policy);
    let sources = Sources::beside(path);
    output::spare(&[args.output.output.as_deref(), args.record.as_deref()], &load::files(&plan, path))?;
    let dial = DialMap(args.look.connect_to.clone());
    dry_run::idle_detours(&dial, &probes)
        .for_each(|d| output::tell(&shown(&format!("warning: --connect-to {d} fits nothing that is dialled"))));
    if args.dry_run {
        return dry_run::print(&plan, &probes, &dial, &ways).map(|()| Done::DryRun);
    }
    let ways = proxies::opened(ways, &plan, &probes)?;
    let concurrency = concurrency(args, &plan);
    let place = Place { concurrency, ways, ..place(&args.look, &vantage, &sources, dial) };
    let earlier = args.with.iter().map(|p| recording::read(p)).collect::<Result<Vec<_>, _>>()?;
    looking.store(true, Ordering::SeqCst);
    let Watched { mut recording, ended, fault } = runtime.block_on(watched(args, &plan, &probes, &place))?;
    looking.store(ended == Ended::Stopped, Ordering::SeqCst);
    drop(probes);
    earlier.into_iter().for_each(|other| recording.merge(other));
    tell_notes(&recording);
    let mut judgement = judge_now(&plan, &obligations, &recording, &policy, args.ask.at);
    match ended {
        Ended::ByItself => {}
        Ended::Stopped => judgement.outcome = RunOutcome::Interrupted,
        Ended::OutOfTime(limit) => {
            let line = format!("what was left when the deadline of {limit:?} was over");
            output::tell(&format!("note: not looked at: {line}"));
            judgement.not_looked_at.insert(0, line);
        }
    }
    Ok(Done::Judged(Box::new(judgement), fault))
}

/// As many in flight as asked for, or as many as this machine lets us have.
fn concurrency(args: &CheckArgs, plan: &Plan) -> usize {
    let asked = usize::from(args.look.concurrency);
    let resolvers = plan.views.iter().map(|v| v.resolvers.len()).sum();
    let fits = limits::in_flight(asked, resolvers);
    if fits < asked && !args.output.quiet {
        output::tell(&format!("note: {fits} in flight at once, not {asked}: more files may not be open (`ulimit -n`)"));
    }
    fits
}

fn place<'a>(args: &LookArgs, vantage: &'a Vantage, sources: &'a Sources<'a>, dial: DialMap) -> Place<'a> {
    let concurrency = usize::from(args.concurrency);
    Place { vantage, sources, dial, ways: Vec::new(), timeout: args.timeout, concurrency, now: Timestamp::now() }
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

/// How a look ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// All was looked at.
    ByItself,
    /// By Ctrl-C.
    Stopped,
    /// By the deadline of the run.
    OutOfTime(Duration),
}

/// What became of a look.
struct Watched {
    recording: Recording,
    ended: Ended,
    /// Why the recording on disk is not whole.
    fault: Option<Trouble>,
}

/// Looks, with progress on a terminal and the recording growing on disk; after Ctrl-C what was seen is written.
async fn watched(args: &CheckArgs, plan: &Plan, probes: &Probes, place: &Place<'_>) -> Result<Watched, Trouble> {
    let (runs, blobs) = header(plan, place)?;
    let mut file =
        args.record.as_deref().map(|path| Growing::create(path, (&runs.own, &runs.through), &blobs)).transpose()?;
    let mut recording = Recording { blobs: blobs.clone(), ..Recording::default() };
    recording.observations.reserve(probes.count());
    let bar = progress(args, probes);
    let ended = {
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
            () = look(plan, probes, place, (&runs, &blobs), &mut sink) => Ended::ByItself,
            _ = tokio::signal::ctrl_c() => Ended::Stopped,
            limit = over(args.look.deadline) => Ended::OutOfTime(limit),
        }
    };
    bar.finish_and_clear();
    let fault = file.and_then(|file| file.finish().err());
    runs.enter(&mut recording);
    Ok(Watched { recording, ended, fault })
}

/// Waits until the deadline is over; for ever, where there is none.
async fn over(deadline: Option<Duration>) -> Duration {
    match deadline {
        Some(limit) => tokio::time::sleep(limit).await,
        None => std::future::pending().await,
    }
    deadline.unwrap_or_default()
}

fn progress(args: &CheckArgs, probes: &Probes) -> indicatif::ProgressBar {
    if args.output.quiet || !io::stderr().is_terminal() {
        return indicatif::ProgressBar::hidden();
    }
    let style = indicatif::ProgressStyle::with_template("looking {pos}/{len} {wide_bar} {elapsed}");
    let bar = indicatif::ProgressBar::new(probes.count() as u64);
    style.map(|s| bar.clone().with_style(s)).unwrap_or(bar)
}
