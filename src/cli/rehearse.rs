//! `coexist rehearse`: play a planned cutover with real sockets, whole or with one step broken, and hold what clients meet
//! against the proof.

use std::io::{self, IsTerminal};

use super::args::{BreakArg, RehearseArgs};
use super::{Trouble, cutover, load, output, plans};
use crate::model::cutover::{Cutover, HarmClass, MetHarm, Rehearsed, Second, Timeline};
use crate::rehearse::{Execution, Rehearsal, rehearse};
use crate::{checker, report};

/// More connections than this are asked for by no plan that is played on one machine.
const PATHS: usize = 2_000;

/// Plays, and tells.
pub fn run(args: RehearseArgs) -> Result<u8, Trouble> {
    output::spare(&[args.output.as_deref()], std::slice::from_ref(&args.plan))?;
    let plan = load::plan(&args.plan)?;
    output::spare(&[args.output.as_deref()], &load::files(&plan, &args.plan))?;
    let planned = cutover::planned_from(&args.plan, &plan, args.from, args.to)?;
    let count = planned.timeline.steps.len();
    if count == 0 {
        return Err(Trouble::new(format!(
            "from {} to {} nothing is to be done: there is nothing to play",
            args.from, args.to
        ))
        .help("--from and --to say between which phases"));
    }
    if let (Some(done), Some(number)) = (args.undo_after, args.break_step)
        && done < number.saturating_add(usize::from(args.how == BreakArg::Swap))
    {
        let swapped = if args.how == BreakArg::Swap { ", with the one after it," } else { "" };
        return Err(Trouble::new(format!(
            "--undo-after {done}: step {number}{swapped} is not reached before one turns back"
        ))
        .help("break a step that is done, or turn back later"));
    }
    let timeline = turned(broken(&planned, &args)?, &args)?;
    if timeline.paths.len() > PATHS {
        return Err(Trouble::new(format!("{} client paths are too many to be played", timeline.paths.len()))
            .help("rehearse a part of the plan: one view, or the names of one server"));
    }
    let played = played(&timeline, &planned, &args)?;
    let told = told(&args, &planned, &timeline, &played);
    output::sheet(args.output.as_deref(), false, false, |_, out| {
        report::render_rehearsal(&told, args.format.into(), out)
    })?;
    Ok(report::rehearsal_status(&told))
}

/// The index of a step of the command line.
fn index(option: &str, number: usize, count: usize) -> Result<usize, Trouble> {
    number.checked_sub(1).filter(|i| *i < count).ok_or_else(|| {
        let steps = if count == 1 { "is 1 step".into() } else { format!("are {count} steps, from 1 on") };
        Trouble::new(format!("{option} {number}: there {steps}"))
            .help("`coexist cutover` lists them with their numbers")
    })
}

/// The timeline up to the step after which one turns back, and the way back.
fn turned(timeline: Timeline, args: &RehearseArgs) -> Result<Timeline, Trouble> {
    let Some(number) = args.undo_after else { return Ok(timeline) };
    let last = index("--undo-after", number, timeline.steps.len())?;
    checker::turned_back(&timeline, number).ok_or_else(|| {
        let done = &timeline.steps[..=last];
        let why = match done.iter().rposition(|step| !step.reversible) {
            Some(ends) => format!("there is no way back from step {} ({})", ends + 1, done[ends].kind.word()),
            None => "the steps up to it change nothing that clients meet".into(),
        };
        Trouble::new(format!("--undo-after {number}: {why}"))
            .help("`coexist cutover --verbose` says of each step how it is undone")
    })
}

/// The timeline with the step that is to be broken left out, or done in the place of the next.
fn broken(planned: &Cutover, args: &RehearseArgs) -> Result<Timeline, Trouble> {
    let Some(number) = args.break_step else { return Ok(planned.timeline.clone()) };
    let count = planned.timeline.steps.len();
    let index = index("--break-step", number, count)?;
    match args.how {
        BreakArg::Skip => Ok(checker::without(&planned.timeline, index)),
        BreakArg::Swap if index + 1 < count => Ok(checker::reordered(&planned.timeline, index + 1, index)),
        BreakArg::Swap => Err(Trouble::new(format!("--break-step {number}: no step follows, to swap it with"))),
    }
}

/// The calendar as planned; and, for each step, the execution in which most is still cached when it starts.
fn played(timeline: &Timeline, planned: &Cutover, args: &RehearseArgs) -> Result<Rehearsal, Trouble> {
    let runtime = plans::runtime()?;
    let mut executions = Vec::new();
    let mut calendar: Vec<(Second, Second)> = planned.schedule.iter().map(|s| (s.start, s.end)).collect();
    if let Some(done) = args.undo_after {
        calendar.truncate(done);
        let turns = calendar.last().map_or(0, |(_, end)| *end);
        calendar.extend(checker::times_back(timeline, done, turns));
    }
    if calendar.len() == timeline.steps.len() {
        executions.push(Execution { times: calendar, reversed: false, spread: true });
    }
    for (step, _) in timeline.steps.iter().enumerate().filter(|(_, s)| !s.changes.is_empty()) {
        for reversed in [false, true] {
            executions.push(Execution { times: checker::execution(timeline, step), reversed, spread: false });
        }
    }
    let bar = progress(executions.len());
    let mut all = Rehearsal::default();
    for execution in &executions {
        let one = runtime.block_on(rehearse(timeline, execution));
        all.join(one.map_err(|e| Trouble::new(format!("the rehearsal could not go on: {e}")))?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(all)
}

fn progress(executions: usize) -> indicatif::ProgressBar {
    if !io::stderr().is_terminal() {
        return indicatif::ProgressBar::hidden();
    }
    let style = indicatif::ProgressStyle::with_template("playing {pos}/{len} {wide_bar} {elapsed}");
    let bar = indicatif::ProgressBar::new(executions as u64);
    bar.enable_steady_tick(std::time::Duration::from_millis(500));
    style.map(|s| bar.clone().with_style(s)).unwrap_or(bar)
}

/// What the proof says of the steps that are played.
fn predicted(timeline: &Timeline) -> Vec<HarmClass> {
    let mut forth = timeline.clone();
    forth.steps.iter_mut().for_each(|step| step.reversible = false);
    let hurt = checker::prove(&forth).hurt;
    HarmClass::ALL.into_iter().zip(hurt).filter(|(_, n)| *n > 0).map(|(class, _)| class).collect()
}

fn told(args: &RehearseArgs, planned: &Cutover, timeline: &Timeline, played: &Rehearsal) -> Rehearsed {
    // What is done comes first, then what is undone, the last step first.
    let done = args.undo_after.unwrap_or(timeline.steps.len());
    let undone: Vec<usize> = match args.undo_after {
        Some(done) => undone(timeline, done),
        None => Vec::new(),
    };
    let failures = played.failures.iter().map(|((path, class), failure)| {
        let path = &timeline.paths[*path];
        let undoing = failure.step.and_then(|s| s.checked_sub(done)).and_then(|i| undone.get(i).copied());
        MetHarm {
            class: *class,
            at: failure.at,
            step: undoing.or(failure.step).map(|s| s + 1),
            undoing: undoing.is_some(),
            view: timeline.view(path.view).to_string(),
            name: path.name.to_string(),
            service: format!("{} {}", path.service.word, path.service),
            words: failure.words.clone(),
        }
    });
    Rehearsed {
        plan: planned.plan.clone(),
        from: planned.from,
        to: planned.to,
        broken: args.break_step.map(|number| (number, args.how.word())),
        undone_after: args.undo_after,
        steps: done,
        paths: timeline.paths.len(),
        paths_played: played.paths.len(),
        tries: played.tries,
        connections: played.connections,
        questions: played.questions,
        moments: played.moments,
        failed: played.failed,
        failures: failures.collect(),
        met: played.classes(),
        predicted: predicted(timeline),
        not_played: not_played(args, planned, timeline, played),
    }
}

/// The steps that are undone after so many, in the order in which they are.
fn undone(turned: &Timeline, done: usize) -> Vec<usize> {
    let changed = (0..done).rev().filter(|i| !turned.steps[*i].changes.is_empty());
    changed.take(turned.steps.len() - done).collect()
}

/// What the proof looks at and nobody went.
fn not_played(args: &RehearseArgs, planned: &Cutover, timeline: &Timeline, played: &Rehearsal) -> Vec<String> {
    let left = |i: &usize| !played.paths.contains(i);
    let (strict, others): (Vec<usize>, Vec<usize>) =
        (0..timeline.paths.len()).filter(left).partition(|i| timeline.paths[*i].by_hsts);
    let mut words = Vec::new();
    if !strict.is_empty() {
        words
            .push(format!("{} client paths of those who come in the clear: none of them remembers HSTS", strict.len()));
    }
    if !others.is_empty() {
        words.push(format!("{} client paths that nobody went", others.len()));
    }
    let back = planned.proof.ways_back;
    if args.undo_after.is_none() && back > 0 {
        words.push(format!("{back} ways back (--undo-after N plays one)"));
    }
    words
}
