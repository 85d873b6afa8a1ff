//! The planner: from what a plan says of one phase, or what recordings show, to the steps that lead to another phase. Pure:
//! same input, same bytes. It receives the plan, the recording and the time from above, and proves nothing itself.
//!
//! ```text
//! Plan, Recording ─facts→ what holds, what is wanted, what caches may remember
//!                            └─order, steps→ Steps ─schedule→ the calendar
//! ```

mod assumptions;
mod credentials;
mod draft;
mod facts;
mod guesses;
mod history;
mod hsts;
mod keys;
mod mail_policy;
mod needs;
mod nodes;
mod order;
mod policies;
mod reach;
mod records;
mod runbook;
mod schedule;
mod seen;
mod serving;
mod steps;
mod summary;
mod telling;
mod typing;
mod words;

use jiff::Timestamp;

use crate::model::cutover::{Assumption, Cutover, Mend, Proof, Runbook, Schedule, StepKind, Timeline, Witness};
use crate::model::inventory::Inventory;
use crate::model::observation::Recording;
use crate::model::phase::Phase;
use crate::model::plan::Plan;
use crate::model::source::Span;

/// So many client paths are followed to find an example of harm.
const EXAMPLE_PATHS: usize = 256;

/// What is asked of the planner.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// What was seen, of all recordings and of the plan's files; may be empty.
    pub recording: &'a Recording,
    /// What the servers' own tools say that they hold; may be empty.
    pub inventory: &'a Inventory,
    /// The phase that is left.
    pub from: Phase,
    /// The phase that is wanted; later than `from`.
    pub to: Phase,
    /// When the first step may be taken; `None` gives offsets.
    pub start: Option<Timestamp>,
    /// The administrator's clock, for windows; `None` is UTC.
    pub zone: Option<&'a jiff::tz::TimeZone>,
    /// The time as of which certificates are judged.
    pub now: Timestamp,
}

/// A mistake in what was asked, at a place of the plan where there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Where.
    pub span: Option<Span>,
    /// True if that is a place in the runbook, false if in the plan.
    pub in_runbook: bool,
    /// What is wrong, lower case, no full stop.
    pub title: String,
    /// What to do.
    pub help: String,
}

/// Steps and all that is to be told of them but the proof.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Facts and steps.
    pub timeline: Timeline,
    /// The calendar, by step.
    pub schedule: Vec<Schedule>,
    /// What changes.
    pub summary: Vec<String>,
    /// The longest way back, in seconds.
    pub rollback: u32,
    /// What is taken for granted.
    pub assumptions: Vec<Assumption>,
    /// What could not be known.
    pub unknown: Vec<String>,
}

/// What a checker says.
#[derive(Clone, Debug)]
pub struct Word {
    /// The proof.
    pub proof: Proof,
    /// What would happen without one step: its index, and the harm.
    pub without: Option<(usize, Witness)>,
    /// The smallest change that makes it safe.
    pub mend: Option<Mend>,
}

/// Plans.
///
/// # Errors
/// What cannot be planned: phases that do not go forward, recordings that show what is in no phase.
pub fn plan(ask: &Ask) -> Result<Planned, Vec<Refusal>> {
    if ask.from >= ask.to {
        let title = format!("nothing goes from {} to {}", ask.from, ask.to);
        let help = "phases go forward: before, coexistence, after".into();
        return Err(vec![Refusal { span: None, in_runbook: false, title, help }]);
    }
    let facts = facts::Facts::gather(ask)?;
    let mut draft = draft::Draft::new(facts);
    order::order(&mut draft);
    Ok(draft.finish(ask))
}

/// Follows an administrator's own steps, whose civil times are of this zone.
///
/// # Errors
/// Steps that change nothing, start before the one in front is done, or at a time that a clock skips.
pub fn follow(ask: &Ask, runbook: &Runbook, zone: &jiff::tz::TimeZone) -> Result<Planned, Vec<Refusal>> {
    runbook::follow(ask, runbook, zone)
}

impl Planned {
    /// The whole, once it is proved.
    pub fn proved(self, ask: &Ask, zone: Option<String>, word: Word) -> Cutover {
        let Word { proof, without, mend } = word;
        Cutover {
            plan: ask.plan.source.file.clone(),
            title: ask.plan.title.clone(),
            from: ask.from,
            to: ask.to,
            timeline: self.timeline,
            schedule: self.schedule,
            summary: self.summary,
            rollback: self.rollback,
            proof,
            without,
            mend,
            assumptions: self.assumptions,
            unknown: self.unknown,
            time_zone: zone,
            now: ask.now,
        }
    }

    /// The steps of which one may be left out as an example, the most telling kinds first.
    pub fn telling(&self) -> Vec<usize> {
        use StepKind::{BindCertificate, CompleteRequest, CreateRecord, RestartService};
        let kinds = [BindCertificate, RestartService, CompleteRequest, CreateRecord];
        let of_kind = |kind| self.timeline.steps.iter().enumerate().filter(move |(_, s)| s.kind == kind);
        kinds.into_iter().flat_map(of_kind).map(|(i, _)| i).take(4).collect()
    }

    /// A witness of the timeline without one step, its steps numbered as in the whole one.
    pub fn renumbered(witness: Witness, left_out: usize) -> Witness {
        telling::renumbered(witness, left_out)
    }

    /// The timeline without one step; waits for it become waits for nothing.
    pub fn without(&self, left_out: usize) -> Timeline {
        telling::without(&self.timeline, left_out)
    }

    /// As [`Planned::without`], and with some of the client paths only: enough for an example.
    pub fn example_without(&self, left_out: usize) -> Timeline {
        let mut timeline = self.without(left_out);
        timeline.paths.truncate(EXAMPLE_PATHS);
        timeline
    }

    /// Such an example in the execution that the calendar shows alone: its times fit what is printed beside it.
    pub fn by_calendar(&self, example: Timeline, left_out: usize) -> Timeline {
        telling::by_calendar(example, &self.schedule, left_out)
    }
}
