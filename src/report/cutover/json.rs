//! The report of a cutover for programs. Times are whole seconds since its second 0; the shapes are its own, and the JSON
//! Schema is derived from them.

use std::io::{self, Write};

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde_json::ser::PrettyFormatter;

use super::cutover_status;
use crate::model::cutover::{self as model, Cutover, Verdict};
use crate::report::json::Tame;

/// The version of this format. Keys may be added within a version; none is changed or taken away.
const FORMAT: u32 = 1;

/// A cutover: the steps from one phase to another, when they may be taken, and the proof that no client is hurt.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "coexist cutover")]
struct Report<'a> {
    /// Version of this format.
    #[schemars(extend("const" = FORMAT))]
    format: u32,
    /// Name and version of the program that wrote it.
    tool: &'static str,
    /// The plan's file, as it was typed.
    plan: &'a str,
    title: &'a str,
    /// The phase that is left.
    from: &'static str,
    /// The phase that is wanted.
    to: &'static str,
    /// 0 safe, 1 some client is hurt, 3 could not be told.
    exit_status: u8,
    /// The instant of second 0, RFC 3339; null if only offsets are known.
    #[schemars(extend("format" = "date-time"))]
    start: Option<String>,
    /// The administrator's time zone.
    time_zone: Option<&'a str>,
    /// What changes, one line each.
    summary: &'a [String],
    /// The longest way back from a step that moves clients, in seconds.
    rollback: u32,
    steps: Vec<Step<'a>>,
    proof: Proof<'a>,
    /// What would happen without one step, as an example.
    without: Option<Without<'a>>,
    /// The smallest changes that make it safe together, in words; empty where it is safe, or none is known.
    mend: Vec<String>,
    parameters: Parameters,
    assumptions: Vec<Assumption<'a>>,
    /// What could not be known.
    not_known: &'a [String],
}

/// What waits and proof are reckoned with, in seconds.
#[derive(Serialize, JsonSchema)]
struct Parameters {
    /// How far beyond its time a cache may go.
    slack: u32,
    /// How wrong clocks may be, before or after.
    clock_error: u32,
    /// For how long clients use a URL that they are told no longer.
    cached_urls: u32,
}

#[derive(Serialize, JsonSchema)]
struct Step<'a> {
    /// From 1.
    number: usize,
    kind: &'static str,
    what: &'a str,
    why: &'a str,
    /// Servers, views and zones.
    places: Vec<&'a str>,
    view: Option<&'a str>,
    /// The first second at which it may start.
    earliest: i64,
    /// The instant of that, RFC 3339, where it is known.
    #[schemars(extend("format" = "date-time"))]
    at: Option<String>,
    /// The second at which it ends, as estimated.
    end: i64,
    /// The second at which nothing has to wait for it any more.
    settled: i64,
    /// The longest wait for it once it has ended, in seconds.
    wait: i64,
    /// Seconds from undoing it until no client meets what it had brought; null where there is nothing to undo, or no way
    /// back.
    undo: Option<u32>,
    undo_how: Option<&'a str>,
    /// False from the point of no return.
    reversible: bool,
    waits_for: Vec<WaitsFor<'a>>,
    /// True if it ends when that is observed; false if after the estimated time.
    observed: bool,
    /// The facts that it changes, exactly.
    changes: Vec<String>,
    /// The check that has to pass.
    gate: Option<&'a str>,
    /// How to see that it is done.
    verify: Option<&'a str>,
    commands: Vec<Script<'a>>,
    undo_commands: Vec<Script<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct WaitsFor<'a> {
    /// The number of the step.
    step: usize,
    /// Seconds after its end.
    seconds: u32,
    why: &'a str,
}

#[derive(Serialize, JsonSchema)]
struct Script<'a> {
    /// Where to type it; empty: at the administrator's machine.
    on: &'a str,
    /// What reads it; `words` are for a person.
    shell: &'a str,
    lines: &'a [String],
}

#[derive(Serialize, JsonSchema)]
struct Proof<'a> {
    /// `safe`, `harm` or `could-not-tell`.
    verdict: &'static str,
    paths: usize,
    intervals: usize,
    ways_back: usize,
    /// By how many seconds caches may go further beyond their times, and clocks be further wrong, and all this still holds;
    /// null without bound.
    spare: Option<u32>,
    /// For each class of harm the earliest.
    harms: Vec<Witness<'a>>,
    unknown: &'a [String],
    deadlines: Vec<Deadline<'a>>,
    /// Steps whose old value is not what holds when they start.
    misfits: Vec<Misfit<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct Misfit<'a> {
    step: usize,
    words: &'a str,
}

#[derive(Serialize, JsonSchema)]
struct Deadline<'a> {
    certificate: &'a str,
    /// The first instant after its validity by the clock of some client, which may be ahead; RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    at: String,
    /// The step that takes it out of every client's reach.
    until_step: Option<usize>,
}

#[derive(Serialize, JsonSchema)]
struct Witness<'a> {
    class: &'static str,
    /// The view whose client it is.
    view: &'a str,
    name: &'a str,
    /// Service word and port.
    service: String,
    sni: bool,
    /// True for a browser that comes in the clear and remembers that the name is for TLS only.
    by_hsts: bool,
    /// The step during or after which.
    step: Option<usize>,
    after_step: bool,
    /// How many steps had been done before one turned back.
    undoing: Option<usize>,
    /// The first second at which it can happen.
    at: i64,
    answers: Vec<Answer<'a>>,
    address: Option<String>,
    server: Option<&'a str>,
    certificate: Option<&'a str>,
    /// The name that the client has in mind.
    reference: &'a str,
    words: &'a str,
}

#[derive(Serialize, JsonSchema)]
struct Answer<'a> {
    owner: &'a str,
    kind: &'static str,
    answer: &'a str,
    /// The first second at which no cache returns it any more.
    kept_until: Option<i64>,
}

#[derive(Serialize, JsonSchema)]
struct Without<'a> {
    step: usize,
    witness: Witness<'a>,
}

#[derive(Serialize, JsonSchema)]
struct Assumption<'a> {
    id: &'a str,
    text: &'a str,
}

/// Writes the report.
pub(super) fn write(cutover: &Cutover, out: &mut dyn Write) -> io::Result<()> {
    let mut to = serde_json::Serializer::with_formatter(&mut *out, Tame(PrettyFormatter::new()));
    Report::of(cutover).serialize(&mut to)?;
    writeln!(out)
}

/// The JSON Schema (draft 2020-12) of the report of a cutover.
pub fn schema() -> serde_json::Value {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<Report<'_>>().to_value()
}

impl<'a> Report<'a> {
    fn of(cutover: &'a Cutover) -> Self {
        let steps = 0..cutover.timeline.steps.len();
        Self {
            format: FORMAT,
            tool: concat!("coexist ", env!("CARGO_PKG_VERSION")),
            plan: &cutover.plan,
            title: &cutover.title,
            from: cutover.from.word(),
            to: cutover.to.word(),
            exit_status: cutover_status(cutover),
            start: cutover.timeline.zero.map(|z| z.to_string()),
            time_zone: cutover.time_zone.as_deref(),
            summary: &cutover.summary,
            rollback: cutover.rollback,
            steps: steps.filter_map(|i| step(cutover, i)).collect(),
            proof: proof(cutover),
            without: cutover.without.as_ref().map(|(step, w)| Without { step: step + 1, witness: witness(cutover, w) }),
            mend: cutover
                .mend
                .iter()
                .flat_map(|m| &m.moves)
                .map(|m| model::moved_words(&cutover.timeline, m))
                .collect(),
            parameters: Parameters {
                slack: cutover.timeline.slack,
                clock_error: cutover.timeline.clock_error,
                cached_urls: cutover.timeline.cached_urls,
            },
            assumptions: cutover.assumptions.iter().map(|a| Assumption { id: a.id, text: &a.text }).collect(),
            not_known: &cutover.unknown,
        }
    }
}

fn step(cutover: &Cutover, index: usize) -> Option<Step<'_>> {
    let (step, when) = (cutover.timeline.steps.get(index)?, cutover.schedule.get(index)?);
    Some(Step {
        number: index + 1,
        kind: step.kind.word(),
        what: &step.what,
        why: &step.why,
        places: step.places.iter().map(|p| &**p).collect(),
        view: step.view.map(|v| cutover.timeline.view(v)),
        earliest: when.start,
        at: cutover.timeline.at(when.start).map(|t| t.to_string()),
        end: when.end,
        settled: when.settled,
        wait: when.settled - when.end,
        undo: step.undo.as_ref().map(|u| u.settles),
        undo_how: step.undo.as_ref().map(|u| &*u.how),
        reversible: step.reversible,
        waits_for: step.waits.iter().map(|w| WaitsFor { step: w.after + 1, seconds: w.seconds, why: &w.why }).collect(),
        observed: matches!(step.ending, model::Ending::Observed(_)),
        changes: step.changes.iter().map(|c| model::change_line(&cutover.timeline, c)).collect(),
        gate: step.gate.as_ref().map(|g| &*g.command),
        verify: step.verify.as_deref(),
        commands: scripts(&step.commands),
        undo_commands: step.undo.as_ref().map(|u| scripts(&u.commands)).unwrap_or_default(),
    })
}

fn scripts(all: &[model::Script]) -> Vec<Script<'_>> {
    all.iter().map(|s| Script { on: &s.on, shell: &s.shell, lines: &s.lines }).collect()
}

fn proof(cutover: &Cutover) -> Proof<'_> {
    let proof = &cutover.proof;
    let label = |i: usize| cutover.timeline.credentials.get(i).map_or("", |c| &*c.label);
    Proof {
        verdict: match proof.verdict {
            Verdict::Safe => "safe",
            Verdict::Harm => "harm",
            Verdict::CouldNotTell => "could-not-tell",
        },
        paths: proof.paths,
        intervals: proof.intervals,
        ways_back: proof.ways_back,
        spare: proof.spare,
        harms: proof.harms.iter().map(|w| witness(cutover, w)).collect(),
        unknown: &proof.unknown,
        deadlines: proof
            .deadlines
            .iter()
            .map(|d| Deadline {
                certificate: label(d.credential),
                at: d.at.to_string(),
                until_step: d.until_step.map(|s| s + 1),
            })
            .collect(),
        misfits: proof.misfits.iter().map(|(s, words)| Misfit { step: s + 1, words }).collect(),
    }
}

fn witness<'a>(cutover: &'a Cutover, w: &'a model::Witness) -> Witness<'a> {
    let timeline = &cutover.timeline;
    Witness {
        class: w.class.word(),
        view: timeline.view(w.path.view),
        name: w.path.name.as_str(),
        service: format!("{}:{}", w.path.service.word, w.path.service.port),
        sni: w.path.sni,
        by_hsts: w.path.by_hsts,
        step: w.step.map(|s| s + 1),
        after_step: w.after_step,
        undoing: w.undoing,
        at: w.at,
        answers: w
            .answers
            .iter()
            .map(|a| Answer {
                owner: a.key.owner.as_str(),
                kind: a.key.kind.word(),
                answer: &a.answer,
                kept_until: a.kept_until,
            })
            .collect(),
        address: w.address.map(|a| a.to_string()),
        server: w.node.map(|n| timeline.node(n)),
        certificate: w.credential.and_then(|c| timeline.credentials.get(c)).map(|c| &*c.label),
        reference: w.reference.as_str(),
        words: &w.words,
    }
}
