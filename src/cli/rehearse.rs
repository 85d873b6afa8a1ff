//! `coexist rehearse`: play a planned cutover with real sockets, whole or with one step broken, and hold what clients meet
//! against the proof.

use std::collections::BTreeSet;

use super::args::{BreakArg, RehearseArgs};
use super::{Trouble, cutover, load, output, plans};
use crate::model::cutover::{Cutover, HarmClass, Second, Timeline};
use crate::model::text::shown;
use crate::rehearse::{Execution, Rehearsal, rehearse};
use crate::{checker, report};

/// More connections than this are asked for by no plan that is played on one machine.
const PATHS: usize = 2_000;

/// Plays, and tells.
pub fn run(args: RehearseArgs) -> Result<u8, Trouble> {
    let plan = load::plan(&args.plan)?;
    let planned = cutover::planned_from(&args.plan, &plan, args.from, args.to)?;
    let timeline = broken(&planned, &args)?;
    if timeline.paths.len() > PATHS {
        return Err(Trouble::new(format!("{} client paths are too many to be played", timeline.paths.len()))
            .help("rehearse a part of the plan: one view, or the names of one server"));
    }
    let told = played(&timeline, &planned)?;
    let predicted = predicted(&timeline);
    let lines = lines(&args, &planned, &timeline, &told, &predicted);
    output::sheet(None, false, false, |_, out| lines.iter().try_for_each(|line| writeln!(out, "{}", shown(line))))?;
    Ok(match told.classes() == predicted && predicted.is_empty() {
        true => report::PASS,
        false => report::FINDING,
    })
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

/// The calendar as planned; and, for each step, the execution in which most is still cached when it starts.
fn played(timeline: &Timeline, planned: &Cutover) -> Result<Rehearsal, Trouble> {
    let runtime = plans::runtime()?;
    runtime.block_on(async {
        let mut all = Rehearsal::default();
        let calendar: Vec<(Second, Second)> = planned.schedule.iter().map(|s| (s.start, s.end)).collect();
        if calendar.len() == timeline.steps.len() {
            let execution = Execution { times: calendar, reversed: false, spread: true };
            all.join(rehearse(timeline, &execution).await.map_err(no_sockets)?);
        }
        let changing = timeline.steps.iter().enumerate().filter(|(_, s)| !s.changes.is_empty());
        for (step, _) in changing {
            for reversed in [false, true] {
                let times = checker::execution(timeline, step);
                let execution = Execution { times, reversed, spread: false };
                all.join(rehearse(timeline, &execution).await.map_err(no_sockets)?);
            }
        }
        Ok(all)
    })
}

fn no_sockets(error: std::io::Error) -> Trouble {
    Trouble::new(format!("the rehearsal could not go on: {error}"))
}

/// What the proof says of the way forth; the way back is not played.
fn predicted(timeline: &Timeline) -> Vec<HarmClass> {
    let mut forth = timeline.clone();
    forth.steps.iter_mut().for_each(|step| step.reversible = false);
    let hurt = checker::prove(&forth).hurt;
    HarmClass::ALL.into_iter().zip(hurt).filter(|(_, n)| *n > 0).map(|(class, _)| class).collect()
}

fn lines(
    args: &RehearseArgs,
    planned: &Cutover,
    timeline: &Timeline,
    told: &Rehearsal,
    predicted: &[HarmClass],
) -> Vec<String> {
    let what = match args.break_step {
        Some(number) => format!("step {number} {}", args.how.word()),
        None => "as planned".into(),
    };
    let mut lines = vec![format!(
        "REHEARSED  {} -> {}, {what}: {} steps, {} client paths; {} tries, {} questions, {} moments; {} failed",
        planned.from,
        planned.to,
        timeline.steps.len(),
        timeline.paths.len(),
        told.tries,
        told.questions,
        told.moments,
        told.failed
    )];
    for ((path, class), failure) in &told.failures {
        let path = &timeline.paths[*path];
        let step = failure.step.map_or("before the first step".into(), |s| format!("step {}", s + 1));
        lines.push(format!(
            "X  {}  {}, {step}: {} for {} ({} {}): {}",
            class.word(),
            crate::model::cutover::span(failure.at),
            timeline.view(path.view),
            path.name,
            path.service.word,
            path.service,
            failure.words
        ));
    }
    let seen = words(&told.classes());
    lines.push(match told.classes() == predicted {
        true => format!("the proof predicts the same: {seen}"),
        false => format!("THE PROOF PREDICTS OTHERWISE: {}; met: {seen}", words(predicted)),
    });
    lines.extend(not_played(timeline));
    lines
}

fn words(classes: &[HarmClass]) -> String {
    match classes.is_empty() {
        true => "nobody is hurt".into(),
        false => classes.iter().map(|c| c.word()).collect::<Vec<_>>().join(", "),
    }
}

/// What the play leaves out of what the proof looks at.
fn not_played(timeline: &Timeline) -> Option<String> {
    use crate::model::cutover::CacheKind::{Hsts, Https, MtaSts, Tlsa};
    let kinds: BTreeSet<_> = timeline.world.records.keys().map(|k| k.kind).collect();
    let left: Vec<&str> =
        [Https, Tlsa, MtaSts, Hsts].into_iter().filter(|k| kinds.contains(k)).map(|k| k.word()).collect();
    (!left.is_empty()).then(|| format!("not played: {}; dialogues before TLS; the ways back", left.join(", ")))
}
