//! An administrator's own list of steps.

use jiff::Timestamp;
use jiff::civil::DateTime;

use super::StepKind;
use crate::model::name::Name;
use crate::model::phase::Phase;
use crate::model::plan::{CertId, Target, ViewId};
use crate::model::source::{Located, Source, Span};

/// A runbook whose every target is known to its plan.
#[derive(Clone, Debug)]
pub struct Runbook {
    /// The text it was read from.
    pub source: Source,
    /// The phase that is left.
    pub from: Phase,
    /// The phase that is wanted.
    pub to: Phase,
    /// The zone of its civil times, an IANA name.
    pub time_zone: Option<Located<String>>,
    /// Its steps, in its order.
    pub steps: Vec<RunbookStep>,
}

/// When a step starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// At an instant.
    Instant(Timestamp),
    /// At a time of the runbook's zone.
    Civil(DateTime),
}

/// A step of a runbook.
#[derive(Clone, Debug)]
pub struct RunbookStep {
    /// What kind of work.
    pub kind: StepKind,
    /// When it starts; `None`: when its waits are over.
    pub at: Option<Located<When>>,
    /// Indices of earlier steps that it waits for.
    pub after: Vec<usize>,
    /// For how many seconds after their ends.
    pub wait: u32,
    /// The views; empty means all.
    pub views: Vec<ViewId>,
    /// The names; empty means all that are not yet as wanted.
    pub names: Vec<Located<Name>>,
    /// The servers and pools; empty means all that are not yet as wanted.
    pub targets: Vec<Target>,
    /// The certificate; `None`: what is wanted there.
    pub certificate: Option<CertId>,
    /// The TTL of the records; `None`: as planned.
    pub ttl: Option<u32>,
    /// Seconds until it is done everywhere; `None`: the propagation of its views, and nothing for what is no record.
    pub takes: Option<u32>,
    /// Seconds from undoing it until no client meets what it had brought; `None`: for as long as caches may return the
    /// records that it brought, and nothing for what is no record.
    pub settles: Option<u32>,
    /// False from which nobody turns back; `None`: false for a server that is switched off or a certificate that is taken
    /// out of use, else true.
    pub reversible: Option<bool>,
    /// The place of the step.
    pub span: Span,
}
