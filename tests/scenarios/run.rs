//! The way of the data, played in the lab: load, expand, observe, judge, render; and once more from the recording.

use std::fs;
use std::io;
use std::time::Duration;

use coexist::cli::{Place, Sources, Way, examine};
use coexist::lab::{Lab, World};
use coexist::model::finding::Judgement;
use coexist::model::observation::{Recording, Run};
use coexist::model::phase::{Moment, Phase};
use coexist::model::plan::{Plan, ViewId};
use coexist::model::policy::{Ask, Policy, Scope};
use coexist::model::probes::Vantage;
use coexist::report::{Format, Style, render};
use coexist::{judge, plan, record};
use jiff::{SignedDuration, Timestamp};

use crate::format::{Scenario, root};

/// Plays a scenario and judges it; the error says what went wrong besides the findings.
pub async fn play(scenario: &Scenario) -> Result<Judgement, String> {
    let plan = load(scenario)?;
    let policy = policy(scenario, &plan)?;
    let mut recording = look_at(scenario, &plan, &policy, &scenario.faults).await?;
    if let Some(earlier) = &scenario.earlier {
        let seen = look_at(scenario, &plan, &policy, &earlier.faults).await?;
        recording.merge(ago(seen, earlier.hours)?);
    }
    let now = match &scenario.at {
        Some(at) => at.parse().map_err(|e| format!("{at}: {e}"))?,
        None => Timestamp::now(),
    };
    let judgement = judge_at(&plan, &recording, &policy, now);
    let again = judge_at(&plan, &through_a_file(&recording)?, &policy, now);
    if json(&judgement) != json(&again) {
        return Err("judged from its recording, it gives another report".into());
    }
    Ok(judgement)
}

/// What a run sees of a world with these faults.
async fn look_at(scenario: &Scenario, plan: &Plan, policy: &Policy, faults: &[String]) -> Result<Recording, String> {
    let mut world = World::of(plan, moment(scenario, policy, plan)?);
    for fault in faults {
        world.break_with(fault)?;
    }
    let lab = Lab::start(&world).await.map_err(|e| format!("the lab does not start: {e}"))?;
    look(scenario, plan, policy, &lab).await
}

/// The same recording, made some hours before.
fn ago(seen: Recording, hours: i64) -> Result<Recording, String> {
    let back = |at: Timestamp| at.checked_sub(SignedDuration::from_hours(hours)).map_err(|e| e.to_string());
    let mut out = Recording { blobs: seen.blobs, ..Recording::default() };
    for (id, mut run) in seen.runs {
        run.started = back(run.started)?;
        out.runs.insert(id, run);
    }
    for mut observation in seen.observations {
        observation.at = back(observation.at)?;
        out.observations.insert(observation);
    }
    Ok(out)
}

/// The report for programs.
pub fn json(judgement: &Judgement) -> String {
    let style = Style { width: 80, colour: false, quiet: false, verbose: false };
    let mut out = Vec::new();
    render(judgement, Format::Json, style, &mut out).expect("memory can be written to");
    String::from_utf8(out).expect("JSON is UTF-8")
}

pub fn load(scenario: &Scenario) -> Result<Plan, String> {
    let text = plan_text(scenario)?;
    plan::load(&scenario.plan, text.as_bytes(), &|_| Ok(())).map_err(|e| plan::render_errors(&e, false))
}

/// The plan's text, edited.
fn plan_text(scenario: &Scenario) -> Result<String, String> {
    let folders = ["plans", "tests/scenarios/plans"].map(|f| root().join(f).join(&scenario.plan));
    let found = folders.iter().find_map(|p| fs::read_to_string(p).ok());
    let mut text = found.ok_or(format!("no plan {}", scenario.plan))?;
    for (old, new) in &scenario.edits {
        match text.matches(old.as_str()).count() {
            1 => text = text.replace(old.as_str(), new),
            n => return Err(format!("`{old}` stands {n} times in {}", scenario.plan)),
        }
    }
    Ok(text)
}

pub fn policy(scenario: &Scenario, plan: &Plan) -> Result<Policy, String> {
    let phase = |text: &String| Phase::of_word(text).ok_or(format!("no phase {text}"));
    let ask = match (&scenario.ready_for, &scenario.phase) {
        (Some(to), _) => Ask::ReadyFor(phase(to)?),
        (None, Some(text)) => Ask::Phase(Moment::parse(text).ok_or(format!("no phase {text}"))?),
        (None, None) => Ask::Standing,
    };
    let views = scenario.view.as_ref().map(|views| views.iter().map(|v| view(plan, v)).collect()).transpose()?;
    let scope = if scenario.lint { Scope::Files } else { Scope::All };
    Ok(Policy { ask, views, scope, ..Policy::default() })
}

/// The moment in which the world is: that which is judged, on the eve of a flip the phase before it.
pub fn moment(scenario: &Scenario, policy: &Policy, plan: &Plan) -> Result<Moment, String> {
    match &scenario.world {
        Some(text) => Moment::parse(text).ok_or(format!("no phase {text}")),
        None => Ok(policy.moment(plan, ViewId(0))),
    }
}

fn view(plan: &Plan, label: &str) -> Result<ViewId, String> {
    plan.views.iter().position(|v| *v.label == *label).map(ViewId).ok_or(format!("no view {label}"))
}

/// Observes from the scenario's vantage; what the lab stands for is dialled and read instead of the world.
async fn look(scenario: &Scenario, plan: &Plan, policy: &Policy, lab: &Lab) -> Result<Recording, String> {
    let stands_in = match &scenario.from {
        Some(from) => from.iter().map(|v| view(plan, v)).collect::<Result<_, _>>()?,
        None => plan.view_ids().filter(|v| plan.view(*v).proxy.is_none()).collect(),
    };
    let ways: Vec<Way> = lab.proxies().into_iter().map(|(view, proxy)| Way { view, proxy, password: None }).collect();
    let through = ways.iter().map(|way| (way.view, way.proxy.kind)).collect();
    let vantage = Vantage { stands_in, through, ..Vantage::default() };
    let probes = plan::probes(plan, &plan::expand(plan), &vantage, policy);
    let (files, anchors) = (lab.files(), lab.anchors());
    let place = Place {
        vantage: &vantage,
        sources: &Sources::World(&files, &anchors),
        dial: lab.dial_map(),
        ways,
        timeout: Duration::from_secs(2),
        concurrency: 64,
        now: Timestamp::now(),
    };
    examine(plan, &probes, &place, &mut |_| {}).await.map_err(|e| e.to_string())
}

fn judge_at(plan: &Plan, recording: &Recording, policy: &Policy, now: Timestamp) -> Judgement {
    judge::judge(plan, &plan::expand(plan), recording, policy, now)
}

/// Writes the recording, a file for each run, and reads it again.
fn through_a_file(recording: &Recording) -> Result<Recording, String> {
    let mut out = Recording::default();
    for run in recording.runs.values() {
        let mut bytes = Vec::new();
        write(recording, run, &mut bytes).map_err(|e| e.to_string())?;
        let read = record::read(bytes.as_slice());
        out.merge(read.map_err(|e| format!("line {} of the recording: {}", e.line, e.message))?);
    }
    Ok(out)
}

fn write(recording: &Recording, run: &Run, out: &mut Vec<u8>) -> io::Result<()> {
    let mut writer = record::Writer::new(out, run)?;
    for (id, der) in &recording.blobs {
        writer.blob(*id, der)?;
    }
    for observation in recording.observations.iter().filter(|o| o.run == run.id) {
        writer.observation(observation)?;
    }
    writer.finish()
}
