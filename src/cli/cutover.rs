//! `coexist cutover`: plan the steps, then prove them.

use std::path::Path;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::args::CutoverArgs;
use super::examine::{gathered, tell_notes};
use super::{Trouble, lint, load, output, plans, recording};
use crate::cutover::{self, Ask, Planned, Refusal, Word};
use crate::model::cutover::{Cutover, Runbook, Verdict, Witness};
use crate::model::inventory::Inventory;
use crate::model::observation::Recording;
use crate::model::phase::{Moment, Phase};
use crate::model::plan::Plan;
use crate::model::policy::{Ask as Asked, Policy, Scope};
use crate::model::text::shown;
use crate::{checker, import, judge, plan, report};

/// Plans a cutover, or follows a runbook, and proves it.
pub fn run(args: CutoverArgs) -> Result<u8, Trouble> {
    let mut read = args.recordings.clone();
    read.push(args.plan.clone());
    read.extend(args.check.clone());
    output::spare(&[args.output.as_deref()], &read)?;
    let plan = if args.recordings.is_empty() { load::plan(&args.plan)? } else { load::plan_alone(&args.plan)? };
    output::spare(&[args.output.as_deref()], &load::files(&plan, &args.plan))?;
    let runbook = args.check.as_deref().map(|path| load::runbook(path, &plan)).transpose()?;
    let recording = evidence(&args, &plan)?;
    let (inventory, unread) = inventory(&args.plan, &plan);
    let known = Known { recording: &recording, inventory: &inventory };
    let mut told = match &runbook {
        Some(runbook) => followed(&args, &plan, known, runbook)?,
        None => planned(&args, &plan, known)?,
    };
    told.unknown.extend(unread);
    if told.timeline.zero.is_none() && report::CutoverFormat::from(args.format) == report::CutoverFormat::Ical {
        return Err(Trouble::new("a calendar needs times").help("say when it begins: --start '2026-11-23 20:00'"));
    }
    let status = report::cutover_status(&told);
    output::sheet(args.output.as_deref(), args.quiet, args.verbose, |style, out| {
        report::render_cutover(&told, args.format.into(), style, out)
    })?;
    Ok(status)
}

/// What was seen and exported.
#[derive(Clone, Copy)]
struct Known<'a> {
    recording: &'a Recording,
    inventory: &'a Inventory,
}

/// The plan's inventories, and a line for each file that could not be read.
fn inventory(path: &Path, plan: &Plan) -> (Inventory, Vec<String>) {
    let (mut all, mut unread) = (Inventory::new(), Vec::new());
    let beside = load::Beside::of(path);
    for (server, files) in &plan.inventory {
        for file in files {
            let bytes = beside.read(&file.value).map_err(|e| e.to_string());
            match bytes.and_then(|bytes| import::exchange_certificates(&bytes).map_err(|e| e.0)) {
                Ok(held) => all.entry(*server).or_default().extend(held),
                Err(why) => unread.push(format!("what {} says: {why}", file.value)),
            }
        }
    }
    (all, unread)
}

fn planned(args: &CutoverArgs, plan: &Plan, known: Known) -> Result<Cutover, Trouble> {
    let Known { recording, inventory } = known;
    let zone = zone(args.time_zone.as_deref())?;
    let start = args.start.as_deref().map(|text| start(text, &zone)).transpose()?;
    let looked = gathered(recording).filter(|_| !args.recordings.is_empty());
    not_in_the_past(start, looked)?;
    tell_of_the_past(start, looked);
    let now = start.or(looked).unwrap_or_else(Timestamp::now);
    let (Some(from), Some(to)) = (args.from, args.to) else {
        return Err(Trouble::new("--from and --to say between which phases"));
    };
    let ask = Ask { plan, recording, inventory, from, to, start, zone: Some(&zone), now };
    let mut planned = cutover::plan(&ask).map_err(|refusals| refused(plan, None, &refusals))?;
    if looked.is_some() {
        planned.unknown.extend(judged(plan, recording, &ask));
    }
    let proof = checker::prove(&planned.timeline);
    let without = if proof.verdict == Verdict::Safe { example(&planned) } else { None };
    let word = Word { proof, without, mend: None };
    Ok(planned.proved(&ask, zone.iana_name().map(str::to_string), word))
}

fn followed(args: &CutoverArgs, plan: &Plan, known: Known, runbook: &Runbook) -> Result<Cutover, Trouble> {
    let Known { recording, inventory } = known;
    let zone = zone(args.time_zone.as_deref().or(runbook.time_zone.as_ref().map(|z| z.value.as_str())))?;
    let looked = gathered(recording).filter(|_| !args.recordings.is_empty());
    let now = looked.unwrap_or_else(Timestamp::now);
    let (from, to) = (runbook.from, runbook.to);
    let ask = Ask { plan, recording, inventory, from, to, start: None, zone: Some(&zone), now };
    let planned = cutover::follow(&ask, runbook, &zone).map_err(|r| refused(plan, Some(runbook), &r))?;
    if let (Some(zero), Some(looked), Some(at)) =
        (planned.timeline.zero, looked, runbook.steps.iter().find_map(|s| s.at))
        && zero < looked
    {
        let title = format!("the runbook begins before the newest recording ({looked})");
        let help = "leave that recording out, or give the steps that are still to be done".into();
        return Err(refused(plan, Some(runbook), &[Refusal { span: Some(at.span), in_runbook: true, title, help }]));
    }
    tell_of_the_past(planned.timeline.zero.filter(|_| runbook.steps.iter().any(|s| s.at.is_some())), looked);
    let proof = checker::prove(&planned.timeline);
    let mend = if proof.verdict == Verdict::Harm { checker::mend(&planned.timeline) } else { None };
    let word = Word { proof, without: None, mend };
    Ok(planned.proved(&ask, zone.iana_name().map(str::to_string), word))
}

/// The cutover as the plan alone has it, from now on.
pub(super) fn planned_from(path: &Path, plan: &Plan, from: Phase, to: Phase) -> Result<Cutover, Trouble> {
    let recording = of_files(path, plan)?;
    let (inventory, _) = inventory(path, plan);
    let zone = TimeZone::UTC;
    let now = Timestamp::now();
    let ask = Ask { plan, recording: &recording, inventory: &inventory, from, to, start: None, zone: Some(&zone), now };
    let planned = cutover::plan(&ask).map_err(|refusals| refused(plan, None, &refusals))?;
    let word = Word { proof: checker::prove(&planned.timeline), without: None, mend: None };
    Ok(planned.proved(&ask, None, word))
}

fn of_files(path: &Path, plan: &Plan) -> Result<Recording, Trouble> {
    let policy = Policy { scope: Scope::Files, ..Policy::default() };
    lint::files(plan, path, &plan::expand(plan), &policy, &plans::runtime()?)
}

/// What was seen: in recordings, or else only in the plan's files.
fn evidence(args: &CutoverArgs, plan: &Plan) -> Result<Recording, Trouble> {
    if args.recordings.is_empty() {
        return of_files(&args.plan, plan);
    }
    let mut all = Recording::default();
    for path in &args.recordings {
        all.merge(recording::read(path)?);
    }
    tell_notes(&all);
    Ok(all)
}

/// The judge's word on what is left behind: a cutover starts from a world in order.
fn judged(plan: &Plan, recording: &Recording, ask: &Ask) -> Option<String> {
    let policy = Policy { ask: Asked::Phase(Moment::Steady(ask.from)), ..Policy::default() };
    let judgement = judge::judge(plan, &plan::expand(plan), recording, &policy, ask.now);
    let failed = judgement.counts.failed;
    (failed > 0).then(|| {
        format!(
            "{failed} of what {} wants did not hold when it was looked at: `coexist judge --phase {}` says which",
            ask.from, ask.from
        )
    })
}

/// What would happen without one step: the first of the telling ones whose absence hurts somebody.
fn example(planned: &Planned) -> Option<(usize, Witness)> {
    planned.telling().into_iter().find_map(|step| {
        let harm = |timeline| checker::prove(&timeline).harms.into_iter().next();
        let example = || planned.example_without(step);
        let witness = harm(planned.by_calendar(example(), step)).or_else(|| harm(example()))?;
        Some((step, Planned::renumbered(witness, step)))
    })
}

fn zone(name: Option<&str>) -> Result<TimeZone, Trouble> {
    match name {
        None => Ok(TimeZone::system()),
        Some(name) => TimeZone::get(name).map_err(|_| {
            Trouble::new(format!("`{name}` is no time zone")).help("IANA names such as Europe/Berlin or UTC")
        }),
    }
}

/// A civil time of a zone; one that clocks skip or show twice is no time to begin at.
fn start(text: &str, zone: &TimeZone) -> Result<Timestamp, Trouble> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let civil = text.parse::<DateTime>().map_err(|_| {
        Trouble::new(format!("--start {text}: not a time"))
            .help("a time such as '2026-11-23 20:00' or 2026-11-23T20:00:00Z")
    })?;
    let ambiguous = zone.to_ambiguous_zoned(civil);
    let help = "give it with its offset from UTC: 2026-10-25T02:30:00+01:00";
    ambiguous.unambiguous().map(|z| z.timestamp()).map_err(|_| {
        let name = zone.iana_name().unwrap_or("this zone").to_string();
        Trouble::new(format!("--start {text}: in {name} clocks are changed then, and skip that time or show it twice"))
            .help(help)
    })
}

/// What was looked at after the first step shows the world of another day.
fn not_in_the_past(start: Option<Timestamp>, looked: Option<Timestamp>) -> Result<(), Trouble> {
    match (start, looked) {
        (Some(start), Some(looked)) if start < looked => {
            Err(Trouble::new(format!("--start {start} is before the newest recording ({looked})"))
                .help("begin later, or leave that recording out"))
        }
        _ => Ok(()),
    }
}

/// A beginning that is over, and of which no recording tells what came of it.
fn tell_of_the_past(start: Option<Timestamp>, looked: Option<Timestamp>) {
    if let Some(start) = start.filter(|start| *start < Timestamp::now())
        && looked.is_none()
    {
        output::tell(&format!(
            "note: {start} is in the past: what was done since is not known without a recording; planned as if nothing was"
        ));
    }
}

fn refused(plan: &Plan, runbook: Option<&Runbook>, refusals: &[Refusal]) -> Trouble {
    for refusal in refusals {
        let source = runbook.filter(|_| refusal.in_runbook).map_or(&plan.source, |r| &r.source);
        let place = refusal.span.map(|span| source.place(span));
        let at = place.map(|p| format!("{}:{}:{}: ", p.file, p.line, p.column)).unwrap_or_default();
        output::tell(&shown(&format!("error: {at}{}", refusal.title)));
        output::tell(&shown(&format!("help: {}", refusal.help)));
    }
    match runbook {
        Some(runbook) => Trouble::new(format!("{}: nothing was proved", runbook.source.file)),
        None => Trouble::new(format!("{}: nothing was planned", plan.source.file)),
    }
}
