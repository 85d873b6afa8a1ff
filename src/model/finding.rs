//! The judge's word: verdicts, findings, counts.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::obligation::ObligationId;
use super::policy::Scope;
use super::source::Place;

/// How much a finding weighs; a default of its rule that a plan may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    Info,
    /// To be looked at.
    Warning,
    /// Users are or will be hurt.
    Error,
}

impl Severity {
    /// The word of the plan file and the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    /// The severity of a word.
    pub fn of_word(word: &str) -> Option<Self> {
        [Self::Info, Self::Warning, Self::Error].into_iter().find(|s| s.word() == word)
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What is said of an obligation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It holds; there is evidence.
    Pass,
    /// It does not hold, and a finding of severity error says why.
    Fail,
    /// It does not hold, but all that says so is less than an error.
    Warn,
    /// Could not tell. Never a pass.
    Unobserved,
    /// It does not hold, and the plan accepts that.
    Waived,
    /// It says nothing about this plan.
    NotApplicable,
    /// Its dates have not begun or are over.
    NotInForce,
}

/// Whom something is about; `null` where it is none or several. Of many obligations the texts are shared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Subject<Text = String> {
    /// The name.
    pub name: Option<Text>,
    /// The view whose clients are concerned.
    pub view: Option<Text>,
    /// The server or pool, by its label.
    pub server: Option<Text>,
    /// The address.
    pub address: Option<Text>,
    /// The service: `IIS:443`.
    pub service: Option<Text>,
    /// Where it was seen from: the view in which the run stood.
    pub vantage: Option<Text>,
    /// The certificate, by its label in the plan.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub certificate: Option<Text>,
}

impl<Text> Default for Subject<Text> {
    fn default() -> Self {
        Self { name: None, view: None, server: None, address: None, service: None, vantage: None, certificate: None }
    }
}

/// How a line of a [`Remedy`] begins that is to be typed as it stands: no renderer breaks it.
pub const TYPED: &str = "  ";

/// What to do, a line each; words, or what is to be typed, which begins with [`TYPED`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remedy {
    /// At once, to stop the harm.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub now: Vec<String>,
    /// To mend the cause, the exact value included.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cure: Vec<String>,
    /// The next command to type, to learn more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub next: Vec<String>,
}

/// One thing to mend, or one open question. Texts may hold what the network said; renderers escape them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule's name.
    pub rule: &'static str,
    /// Its weight, after the plan's changes.
    pub severity: Severity,
    /// The headline, without the rule's name: a sentence.
    pub title: String,
    /// Whom it is about.
    pub subject: Subject,
    /// What should be, a line each.
    pub expected: Vec<String>,
    /// What is, a line each.
    pub seen: Vec<String>,
    /// Who suffers and how, a line each.
    pub hurts: Vec<String>,
    /// What to do.
    pub remedy: Remedy,
    /// The place in the plan.
    pub at: Option<Place>,
    /// Ids of the observations behind it, sorted.
    pub evidence: Vec<String>,
    /// Ids of the obligations that it concerns, sorted.
    pub obligations: Vec<Arc<str>>,
    /// True if it says that something could not be looked at, not that something is wrong.
    pub open_question: bool,
    /// The reason of the waiver that accepts it, and until when.
    pub waived: Option<WaivedBy>,
    /// Index into [`Judgement::findings`] of the finding that it follows from.
    pub caused_by: Option<usize>,
}

/// The waiver that accepts a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaivedBy {
    /// Its reason.
    pub reason: String,
    /// Its last day, `2027-03-31`.
    pub until: Option<String>,
}

/// An obligation and what is said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The obligation's id, and the name that it is about.
    pub id: ObligationId,
    /// Its kind.
    pub kind: ClaimKind,
    /// What else it is about, without the name: the names of one server share it.
    pub about: Arc<Subject<Arc<str>>>,
    /// The moments in which it must hold, in words.
    pub phases: Arc<[String]>,
    /// True if it must hold in the moment that was asked about.
    pub due: bool,
    /// What is said of it.
    pub verdict: Verdict,
    /// A few characters for a cell of the matrix: `NXDOMAIN`, `2 of 4`, `10.0.0.3`; may be empty.
    pub cell: Arc<str>,
}

/// The kinds of obligations, by their word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClaimKind {
    /// A certificate covers a name.
    San,
    /// DNS answers as wanted.
    Dns,
    /// A server itself serves the right certificate.
    Tls,
    /// A view's clients reach the right certificate.
    Path,
    /// A TTL is lowered.
    Ttl,
}

/// How many of what is due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Hold.
    pub passed: usize,
    /// Do not hold.
    pub failed: usize,
    /// Do not hold, but only warnings say so.
    pub warned: usize,
    /// Could not be told.
    pub unobserved: usize,
    /// Do not hold, and that is accepted.
    pub waived: usize,
}

/// What a run comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunOutcome {
    /// All that is due passes.
    Pass,
    /// A finding at or above the severity that fails a run.
    Fail,
    /// Nothing failed, but something due could not be observed.
    Incomplete,
    /// The user stopped it before all was looked at, whatever was found until then.
    Interrupted,
}

/// A run's place, for the report's second line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenFrom {
    /// The views in which a run stood, in the plan's order.
    pub stands_in: Vec<String>,
    /// The addresses of the machines, as far as known.
    pub addresses: Vec<IpAddr>,
    /// By view, in the plan's order, as far as its DNS is asked about: how many of its resolvers answered at all, of how
    /// many.
    pub resolvers: Vec<ResolversSeen>,
    /// Views whose TLS paths were not seen, though something about them is due.
    pub paths_not_seen: Vec<String>,
    /// The views in which a run stood through a proxy, in the plan's order, each with its proxies.
    pub proxies: Vec<ProxySeen>,
    /// Connections that needed more than one try.
    pub retried: usize,
    /// True if connections were led elsewhere (`--connect-to`).
    pub detours: bool,
    /// When the evidence was gathered: the first run's start.
    pub from: Option<Timestamp>,
    /// And the last run's.
    pub to: Option<Timestamp>,
    /// True if a run looked for another text of this plan.
    pub other_plan: bool,
}

/// A proxy through which a run stood in a view.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ProxySeen {
    /// The view.
    pub view: String,
    /// The proxy, without user and password.
    pub proxy: String,
}

/// How many of a view's resolvers answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolversSeen {
    /// The view.
    pub view: String,
    /// Answered at least once.
    pub answered: usize,
    /// Declared.
    pub declared: usize,
}

/// Everything that the judge says.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// The plan's file, as the user typed it.
    pub plan: String,
    /// Which evidence was to be had at all.
    pub scope: Scope,
    /// The time at which was judged.
    pub now: Timestamp,
    /// What was asked about, in words: `coexistence`, `ready-for coexistence`, `internal coexistence, external before`.
    pub asked: String,
    /// What the run comes to.
    pub outcome: RunOutcome,
    /// How many of what is due.
    pub counts: Counts,
    /// True if less was asked for than the plan holds.
    pub partial: bool,
    /// Where it was seen from.
    pub seen_from: SeenFrom,
    /// Every obligation, in the plan's order.
    pub obligations: Vec<Judged>,
    /// Causes first, worst first; consequences after them.
    pub findings: Vec<Finding>,
    /// What was not looked at, a line each.
    pub not_looked_at: Vec<String>,
}
