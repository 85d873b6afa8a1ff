//! `coexist rehearse`: play a planned cutover with real sockets, whole or with one step broken, and hold what clients meet
//! against the proof.

use std::collections::BTreeSet;
use std::io::{self, IsTerminal};

use super::args::{BreakArg, RehearseArgs};
use super::{Trouble, cutover, load, output, plans};
use crate::model::cutover::{CacheKind, Change, Cutover, HarmClass, MetHarm, Rehearsed, Second, Timeline};
use crate::rehearse::{Execution, Rehearsal, rehearse};
use crate::{checker, report};

/// More connections than this are asked for by no plan that is played on one machine.
const PATHS: usize = 2_000;

/// What the play leaves out of what the proof looks at.
const NOT_PLAYED: [CacheKind; 4] = [CacheKind::Https, CacheKind::Tlsa, CacheKind::MtaSts, CacheKind::Hsts];

/// Plays, and tells.
pub fn run(args: RehearseArgs) -> Result<u8, Trouble> {
    output::spare(&[args.output.as_deref()], std::slice::from_ref(&args.plan))?;
    let plan = load::plan(&args.plan)?;
    output::spare(&[args.output.as_deref()], &load::files(&plan, &args.plan))?;
    let planned = cutover::planned_from(&args.plan, &plan, args.from, args.to)?;
    let whole = broken(&planned, &args)?;
    let timeline = played_part(&whole);
    if timeline.paths.len() > PATHS {
        return Err(Trouble::new(format!("{} client paths are too many to be played", timeline.paths.len()))
            .help("rehearse a part of the plan: one view, or the names of one server"));
    }
    let played = played(&timeline, &planned)?;
    let told = told(&args, &planned, &timeline, &played, not_played(&whole));
    output::sheet(args.output.as_deref(), false, false, |_, out| {
        report::render_rehearsal(&told, args.format.into(), out)
    })?;
    Ok(report::rehearsal_status(&told))
}

/// The timeline with the step that is to be broken left out, or done in the place of the next.
fn broken(planned: &Cutover, args: &RehearseArgs) -> Result<Timeline, Trouble> {
    let Some(number) = args.break_step else { return Ok(planned.timeline.clone()) };
    let count = planned.timeline.steps.len();
    let index = number.checked_sub(1).filter(|i| *i < count).ok_or_else(|| {
        Trouble::new(format!("--break-step {number}: there are {count} steps")).help("`coexist cutover` numbers them")
    })?;
    match args.how {
        BreakArg::Skip => Ok(checker::without(&planned.timeline, index)),
        BreakArg::Swap if index + 1 < count => Ok(checker::reordered(&planned.timeline, index + 1, index)),
        BreakArg::Swap => Err(Trouble::new(format!("--break-step {number}: no step follows, to swap it with"))),
    }
}

/// The timeline without the records that no client of the play keeps: play and proof are held against each other for what
/// both look at.
fn played_part(whole: &Timeline) -> Timeline {
    let mut timeline = whole.clone();
    let is_played = |kind: CacheKind| !NOT_PLAYED.contains(&kind);
    timeline.world.records.retain(|key, _| is_played(key.kind));
    timeline.past.retain(|past| is_played(past.key.kind));
    for step in &mut timeline.steps {
        step.changes.retain(|change| match change {
            Change::Records { key, .. } => is_played(key.kind),
            _ => true,
        });
    }
    timeline
}

/// The calendar as planned; and, for each step, the execution in which most is still cached when it starts.
fn played(timeline: &Timeline, planned: &Cutover) -> Result<Rehearsal, Trouble> {
    let runtime = plans::runtime()?;
    let mut executions = Vec::new();
    let calendar: Vec<(Second, Second)> = planned.schedule.iter().map(|s| (s.start, s.end)).collect();
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

/// What the proof says of the way forth; the way back is not played.
fn predicted(timeline: &Timeline) -> Vec<HarmClass> {
    let mut forth = timeline.clone();
    forth.steps.iter_mut().for_each(|step| step.reversible = false);
    let hurt = checker::prove(&forth).hurt;
    HarmClass::ALL.into_iter().zip(hurt).filter(|(_, n)| *n > 0).map(|(class, _)| class).collect()
}

fn told(
    args: &RehearseArgs,
    planned: &Cutover,
    timeline: &Timeline,
    played: &Rehearsal,
    not_played: Vec<String>,
) -> Rehearsed {
    let failures = played.failures.iter().map(|((path, class), failure)| {
        let path = &timeline.paths[*path];
        MetHarm {
            class: *class,
            at: failure.at,
            step: failure.step.map(|s| s + 1),
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
        steps: timeline.steps.len(),
        paths: timeline.paths.len(),
        tries: played.tries,
        connections: played.connections,
        questions: played.questions,
        moments: played.moments,
        failed: played.failed,
        failures: failures.collect(),
        met: played.classes(),
        predicted: predicted(timeline),
        not_played,
    }
}

/// What the play leaves out of what the proof looks at.
fn not_played(timeline: &Timeline) -> Vec<String> {
    let kinds: BTreeSet<_> = timeline.world.records.keys().map(|k| k.kind).collect();
    let left = NOT_PLAYED.into_iter().filter(|k| kinds.contains(k)).map(|k| k.word().to_string());
    left.chain(["dialogues before TLS".into(), "the ways back".into()]).collect()
}
