//! The report of a rehearsal, for people and for programs.

use std::io::{self, Write};

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde_json::ser::PrettyFormatter;

use super::json::Tame;
use super::{FINDING, Format, PASS};
use crate::model::cutover::{HarmClass, Rehearsed, span};
use crate::model::text::shown;

/// The version of the JSON. Keys may be added within a version; none is changed or taken away.
const FORMAT: u32 = 1;

/// A cutover that was played with real sockets, and what the proof says of it.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "coexist rehearsal")]
struct Report<'a> {
    /// Version of this format.
    #[schemars(extend("const" = FORMAT))]
    format: u32,
    /// Name and version of the program that wrote it.
    tool: &'static str,
    /// The plan's file, as it was typed.
    plan: &'a str,
    /// The phase that is left.
    from: &'static str,
    /// The phase that is wanted.
    to: &'static str,
    /// 0 nobody was hurt, as the proof predicts; 1 somebody was, or the two do not agree.
    exit_status: u8,
    /// The step that was broken, from 1; null as planned.
    broken_step: Option<usize>,
    /// How it was broken, in words.
    how: Option<&'static str>,
    /// How many steps were done before one turned back; null if nobody did.
    undone_after: Option<usize>,
    /// Steps that were done.
    steps: usize,
    /// Client paths that the proof looks at.
    paths: usize,
    /// Client paths that somebody went.
    paths_played: usize,
    /// Clients that came; of those that go the same way at the same moment one connects for all.
    tries: usize,
    connections: usize,
    questions: usize,
    moments: usize,
    failed: usize,
    /// For each client path and class of harm the first.
    failures: Vec<Failure<'a>>,
    /// Classes of harm that clients met.
    met: Vec<&'static str>,
    /// Classes of harm that the proof predicts for what was played.
    predicted: Vec<&'static str>,
    /// True if both are the same.
    agrees: bool,
    /// What the proof looks at and the play leaves out.
    not_played: &'a [String],
}

#[derive(Serialize, JsonSchema)]
struct Failure<'a> {
    class: &'static str,
    /// Seconds since the play's second 0.
    at: i64,
    /// The step that was being carried out, or was last; null before the first.
    step: Option<usize>,
    /// True if that step was being undone.
    undoing: bool,
    view: &'a str,
    name: &'a str,
    service: &'a str,
    words: &'a str,
}

/// Writes the report.
///
/// # Errors
/// Only those of `out`.
pub fn render_rehearsal(told: &Rehearsed, format: Format, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Text => lines(told).iter().try_for_each(|line| writeln!(out, "{}", shown(line))),
        Format::Json => {
            let mut to = serde_json::Serializer::with_formatter(&mut *out, Tame(PrettyFormatter::new()));
            report(told).serialize(&mut to)?;
            writeln!(out)
        }
    }
}

/// The exit status: 0 if nobody was hurt and the proof says the same, else 1.
pub fn rehearsal_status(told: &Rehearsed) -> u8 {
    if told.agrees() && told.predicted.is_empty() { PASS } else { FINDING }
}

/// The JSON Schema (draft 2020-12) of the report of a rehearsal.
pub fn rehearsal_schema() -> serde_json::Value {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<Report>().to_value()
}

fn report(told: &Rehearsed) -> Report<'_> {
    let words = |all: &[HarmClass]| all.iter().map(|c| c.word()).collect();
    Report {
        format: FORMAT,
        tool: concat!("coexist ", env!("CARGO_PKG_VERSION")),
        plan: &told.plan,
        from: told.from.word(),
        to: told.to.word(),
        exit_status: rehearsal_status(told),
        broken_step: told.broken.map(|b| b.0),
        how: told.broken.map(|b| b.1),
        undone_after: told.undone_after,
        steps: told.steps,
        paths: told.paths,
        paths_played: told.paths_played,
        tries: told.tries,
        connections: told.connections,
        questions: told.questions,
        moments: told.moments,
        failed: told.failed,
        failures: told
            .failures
            .iter()
            .map(|f| Failure {
                class: f.class.word(),
                at: f.at,
                step: f.step,
                undoing: f.undoing,
                view: &f.view,
                name: &f.name,
                service: &f.service,
                words: &f.words,
            })
            .collect(),
        met: words(&told.met),
        predicted: words(&told.predicted),
        agrees: told.agrees(),
        not_played: &told.not_played,
    }
}

fn lines(told: &Rehearsed) -> Vec<String> {
    let mut what = told.broken.map_or("as planned".to_string(), |(step, how)| format!("step {step} {how}"));
    if let Some(done) = told.undone_after {
        what += &format!(", turned back after step {done}");
    }
    let paths = match told.paths == told.paths_played {
        true => format!("{} client paths", told.paths),
        false => format!("{} of {} client paths", told.paths_played, told.paths),
    };
    let plural = if told.steps == 1 { "step" } else { "steps" };
    let mut lines = vec![format!(
        "REHEARSED  {} -> {}, {what}: {} {plural}, {paths}; {} tries by {} connections, {} questions, {} moments; {} failed",
        told.from, told.to, told.steps, told.tries, told.connections, told.questions, told.moments, told.failed
    )];
    for failure in &told.failures {
        let undoing = if failure.undoing { "undoing " } else { "" };
        let step = failure.step.map_or("before the first step".into(), |s| format!("{undoing}step {s}"));
        lines.push(format!(
            "X  {}  {}, {step}: {} for {} ({}): {}",
            failure.class.word(),
            span(failure.at),
            failure.view,
            failure.name,
            failure.service,
            failure.words
        ));
    }
    let seen = words(&told.met);
    lines.push(match told.agrees() {
        true => format!("the proof predicts the same: {seen}"),
        false => format!("THE PROOF PREDICTS OTHERWISE: {}; met: {seen}", words(&told.predicted)),
    });
    if !told.not_played.is_empty() {
        lines.push(format!("not played: {}", told.not_played.join("; ")));
    }
    lines
}

fn words(classes: &[HarmClass]) -> String {
    match classes.is_empty() {
        true => "nobody is hurt".into(),
        false => classes.iter().map(|c| c.word()).collect::<Vec<_>>().join(", "),
    }
}
