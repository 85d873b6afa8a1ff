//! Steps of a cutover, their order and their times.

use std::sync::Arc;

use jiff::Timestamp;

use super::facts::Change;
use super::proof::{Mend, Proof, Witness};
use super::{Second, Timeline};
use crate::model::phase::Phase;
use crate::model::plan::ViewId;
use crate::model::source::Span;

/// What kind of work a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StepKind {
    /// Order a certificate.
    OrderCertificate,
    /// Complete the request on the server that made it.
    CompleteRequest,
    /// A new key and certificate, where no key can be exported.
    Rekey,
    /// Export a certificate with its key.
    ExportCertificate,
    /// Import a certificate on a server.
    ImportCertificate,
    /// Let services use a certificate.
    BindCertificate,
    /// Let services read their certificate again.
    RestartService,
    /// Name the certificate that a mail connector uses.
    RepinConnector,
    /// Take a node out of rotation.
    TakeOutOfRotation,
    /// Put a node back into rotation.
    PutIntoRotation,
    /// Lower a TTL; the values stay.
    LowerTtl,
    /// Create records that did not exist.
    CreateRecord,
    /// Let a reverse proxy accept a name.
    PublishAtProxy,
    /// Set the URLs that servers tell their clients.
    SetUrl,
    /// Set where a server sends its web clients.
    SetRedirect,
    /// Change the members of a pool.
    ChangePoolMembers,
    /// Lead an address to other servers.
    RepointAddress,
    /// Nothing goes on until a check passes.
    Gate,
    /// Let names lead to other addresses: A and AAAA together.
    Flip,
    /// Wait until no cache can return the old answer.
    Drain,
    /// Raise a TTL again.
    RaiseTtl,
    /// Change who takes a domain's mail.
    ChangeMx,
    /// Change who may send a domain's mail.
    ChangeSpf,
    /// Change which certificates mail servers may serve.
    ChangeTlsa,
    /// Change the policy of which hosts may take mail.
    ChangeMtaSts,
    /// Remove records.
    RemoveRecord,
    /// Delete the files in which a key travelled.
    DeletePfx,
    /// Take a certificate out of use.
    RetireCertificate,
    /// Switch a server off.
    DecommissionServer,
}

impl StepKind {
    /// All, in the order of the enumeration.
    pub const ALL: [StepKind; 29] = {
        use StepKind::*;
        [
            OrderCertificate,
            CompleteRequest,
            Rekey,
            ExportCertificate,
            ImportCertificate,
            BindCertificate,
            RestartService,
            RepinConnector,
            TakeOutOfRotation,
            PutIntoRotation,
            LowerTtl,
            CreateRecord,
            PublishAtProxy,
            SetUrl,
            SetRedirect,
            ChangePoolMembers,
            RepointAddress,
            Gate,
            Flip,
            Drain,
            RaiseTtl,
            ChangeMx,
            ChangeSpf,
            ChangeTlsa,
            ChangeMtaSts,
            RemoveRecord,
            DeletePfx,
            RetireCertificate,
            DecommissionServer,
        ]
    };

    /// Its word, in kebab case.
    pub fn word(self) -> &'static str {
        match self {
            Self::OrderCertificate => "order-certificate",
            Self::CompleteRequest => "complete-request",
            Self::Rekey => "rekey",
            Self::ExportCertificate => "export-certificate",
            Self::ImportCertificate => "import-certificate",
            Self::BindCertificate => "bind-certificate",
            Self::RestartService => "restart-service",
            Self::RepinConnector => "repin-connector",
            Self::TakeOutOfRotation => "take-out-of-rotation",
            Self::PutIntoRotation => "put-into-rotation",
            Self::LowerTtl => "lower-ttl",
            Self::CreateRecord => "create-record",
            Self::PublishAtProxy => "publish-at-proxy",
            Self::SetUrl => "set-url",
            Self::SetRedirect => "set-redirect",
            Self::ChangePoolMembers => "change-pool-members",
            Self::RepointAddress => "repoint-address",
            Self::Gate => "gate",
            Self::Flip => "flip",
            Self::Drain => "drain",
            Self::RaiseTtl => "raise-ttl",
            Self::ChangeMx => "change-mx",
            Self::ChangeSpf => "change-spf",
            Self::ChangeTlsa => "change-tlsa",
            Self::ChangeMtaSts => "change-mta-sts",
            Self::RemoveRecord => "remove-record",
            Self::DeletePfx => "delete-pfx",
            Self::RetireCertificate => "retire-certificate",
            Self::DecommissionServer => "decommission-server",
        }
    }

    /// The kind of a word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.word() == word)
    }
}

/// A lower bound: the step starts no earlier than so many seconds after the end of an earlier one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Index of the earlier step.
    pub after: usize,
    /// Seconds after its end.
    pub seconds: u32,
    /// What is waited for, in words: `caches forget mail.domain.com at 10.0.0.3 (TTL 86400)`.
    pub why: Arc<str>,
}

/// How one knows that a step has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It is observed: all authoritative servers answer the new RRset, every server serves the new certificate. Until then
    /// old and new both count, however long that takes; the seconds are an estimate for the calendar.
    Observed(u32),
    /// It is assumed after so many seconds.
    Assumed(u32),
}

impl Ending {
    /// Seconds from start to end, as the calendar counts them.
    pub fn estimate(self) -> u32 {
        match self {
            Self::Observed(seconds) | Self::Assumed(seconds) => seconds,
        }
    }

    /// Seconds from start to end at least.
    pub fn at_least(self) -> u32 {
        match self {
            Self::Observed(_) => 0,
            Self::Assumed(seconds) => seconds,
        }
    }
}

/// The check that has to pass before a step may start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// The command line to type, ready for a shell.
    pub command: Arc<str>,
    /// What it shows, in words.
    pub shows: Arc<str>,
}

/// How a step is undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undo {
    /// What to do, in words.
    pub how: Arc<str>,
    /// Seconds from undoing until no client meets what the step had brought.
    pub settles: u32,
    /// What to type.
    pub commands: Vec<Script>,
}

/// Lines for one shell, or words for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// Where to type them: a server's label, a zone's apex; empty for the machine of the administrator.
    pub on: Arc<str>,
    /// What reads them: `powershell`, `sh`, `zone file`, `words` …
    pub shell: Arc<str>,
    /// The lines, each ready to be pasted.
    pub lines: Vec<String>,
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Its kind.
    pub kind: StepKind,
    /// What is done, one line: `mail.domain.com 10.0.0.3 -> 10.0.0.10`.
    pub what: Arc<str>,
    /// Why.
    pub why: Arc<str>,
    /// Where: servers, views and zones by their labels.
    pub places: Vec<Arc<str>>,
    /// The view that it belongs to, if only one.
    pub view: Option<ViewId>,
    /// The facts that it changes; none for a gate or a wait.
    pub changes: Vec<Change>,
    /// What it waits for.
    pub waits: Vec<Wait>,
    /// No earlier than this second.
    pub not_before: Option<Second>,
    /// Exactly at this second, as a runbook says.
    pub at: Option<Second>,
    /// True if it may start only within the windows of the plan.
    pub in_window: bool,
    /// How one knows that it has ended.
    pub ending: Ending,
    /// The check that has to pass first.
    pub gate: Option<Gate>,
    /// How to see that it is done: a command line.
    pub verify: Option<Arc<str>>,
    /// How to undo it; `None` from which there is no way back, or where there is nothing to undo.
    pub undo: Option<Undo>,
    /// False for what cannot be undone: the point of no return.
    pub reversible: bool,
    /// What to type.
    pub commands: Vec<Script>,
    /// The place in a plan or runbook that it comes from.
    pub span: Span,
}

/// When a step starts and ends by the calendar, and when what waits for it may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Start.
    pub start: Second,
    /// End, as estimated.
    pub end: Second,
    /// When the longest wait for it is over; equal to `end` where nothing waits.
    pub settled: Second,
}

/// Something that the proof takes for granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assumption {
    /// Its word in reports that programs read: `caches-keep-to-ttl`.
    pub id: &'static str,
    /// The sentence.
    pub text: String,
}

/// A cutover, planned and proved.
#[derive(Clone, Debug)]
pub struct Cutover {
    /// The plan's file, as it was named.
    pub plan: String,
    /// The plan's title.
    pub title: String,
    /// The phase that is left.
    pub from: Phase,
    /// The phase that is wanted.
    pub to: Phase,
    /// Facts and steps.
    pub timeline: Timeline,
    /// The calendar, by step.
    pub schedule: Vec<Schedule>,
    /// What changes, one line each: `+ legacy.mail`, `~ mail  ex2003-fe -> ex2010`.
    pub summary: Vec<String>,
    /// The longest way back from any step, in seconds.
    pub rollback: u32,
    /// What the checker says.
    pub proof: Proof,
    /// What would happen without one step, told as an example: the step's index and the harm.
    pub without: Option<(usize, Witness)>,
    /// The smallest change that makes it safe, where it is not and one is known.
    pub mend: Option<Mend>,
    /// What is taken for granted.
    pub assumptions: Vec<Assumption>,
    /// What could not be known, one line each.
    pub unknown: Vec<String>,
    /// The clock of the administrator: an IANA time zone, for calendar times.
    pub time_zone: Option<String>,
    /// When it was planned, for what needs an absolute time and has no start.
    pub now: Timestamp,
}
