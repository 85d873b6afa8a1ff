//! The shapes of the JSON report; the JSON Schema is derived from them, their comments included.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::Serialize;

use super::FORMAT;

/// What coexist says of one plan, or of several.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(title = "coexist report")]
pub(super) enum Reports<'a> {
    /// Of one plan.
    One(Box<Report<'a>>),
    /// Of several plans, in the order of the command line.
    Several(Vec<Report<'a>>),
}

/// What coexist says of one plan.
#[derive(Serialize, JsonSchema)]
pub(super) struct Report<'a> {
    /// Version of this format.
    #[schemars(extend("const" = FORMAT))]
    pub format: u32,
    /// Name and version of the program that wrote it.
    pub tool: &'static str,
    /// The plan's file, as it was typed.
    pub plan: &'a str,
    pub outcome: Outcome,
    /// The exit status of a run with this plan alone: 0 pass, 1 fail, 3 incomplete.
    pub exit_status: u8,
    /// What was asked about, in words.
    pub asked: &'a str,
    /// The time at which was judged, RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    pub now: String,
    /// True if less was asked for than the plan holds.
    pub partial: bool,
    pub counts: Counts,
    pub seen_from: SeenFrom<'a>,
    /// Causes and open questions first, worst first.
    pub findings: Vec<Finding<'a>>,
    /// Every obligation of the plan, due or not, in its order.
    pub obligations: Vec<Obligation<'a>>,
    /// What was not looked at, in words.
    pub not_looked_at: &'a [String],
}

/// What the run comes to.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    /// All that is due passes.
    Pass,
    /// A finding at or above the severity that fails a run.
    Fail,
    /// Nothing failed, but something due could not be observed.
    Incomplete,
    /// The user stopped it before all was looked at, whatever was found until then.
    Interrupted,
}

/// How many of the obligations that are due.
#[derive(Serialize, JsonSchema)]
pub(super) struct Counts {
    /// Hold.
    pub passed: usize,
    /// Do not hold.
    pub failed: usize,
    /// Do not hold, but only warnings say so.
    pub warned: usize,
    /// Could not be told.
    pub unobserved: usize,
    /// Do not hold, and the plan accepts that.
    pub waived: usize,
}

/// Where the evidence comes from.
#[derive(Serialize, JsonSchema)]
pub(super) struct SeenFrom<'a> {
    /// Views in which a run stood.
    pub stands_in: &'a [String],
    /// Addresses of the machines.
    pub addresses: &'a [IpAddr],
    pub resolvers: Vec<Resolvers<'a>>,
    /// Views whose TLS paths were not seen, though something about them is due.
    pub paths_not_seen: &'a [String],
    /// Views in which a run stood through a proxy.
    pub proxies: Vec<Proxies<'a>>,
    /// Connections that needed more than one try.
    pub retried: usize,
    /// True if connections were led elsewhere (`--connect-to`).
    pub detours: bool,
    /// Start of the first run, RFC 3339.
    pub from: Option<String>,
    /// Start of the last run, RFC 3339.
    pub to: Option<String>,
    /// True if a run looked for another text of the plan.
    pub other_plan: bool,
}

/// A view and a proxy that led into it.
#[derive(Serialize, JsonSchema)]
pub(super) struct Proxies<'a> {
    pub view: &'a str,
    /// Without user and password.
    pub proxy: &'a str,
}

/// How many resolvers of a view answered.
#[derive(Serialize, JsonSchema)]
pub(super) struct Resolvers<'a> {
    pub view: &'a str,
    pub answered: usize,
    pub declared: usize,
}

/// One thing to mend, or one open question.
#[derive(Serialize, JsonSchema)]
pub(super) struct Finding<'a> {
    /// Its name in this report: `f1`.
    pub id: String,
    /// The rule's name: `coexist explain RULE`.
    pub rule: &'a str,
    pub severity: Severity,
    /// The headline.
    pub title: &'a str,
    pub subject: Subject<'a>,
    /// What should be, a line each.
    pub expected: &'a [String],
    /// What is, a line each.
    pub seen: &'a [String],
    /// Who suffers and how, a line each.
    pub hurts: &'a [String],
    pub remedy: Remedy<'a>,
    /// The place in the plan.
    pub at: Option<At<'a>>,
    /// Ids of the observations behind it.
    pub evidence: &'a [String],
    /// Ids of the obligations that it concerns.
    pub obligations: Vec<&'a str>,
    /// True if something could not be looked at, not that something is wrong.
    pub open_question: bool,
    /// The waiver that accepts it.
    pub waived: Option<Waiver<'a>>,
    /// The id of the finding that it follows from.
    pub caused_by: Option<String>,
}

/// How much a finding weighs.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Severity {
    Error,
    Warning,
    Info,
}

/// Whom something is about; null where it is none or several.
#[derive(Serialize, JsonSchema)]
pub(super) struct Subject<'a> {
    pub name: Option<&'a str>,
    pub view: Option<&'a str>,
    /// Label of a server or pool.
    pub server: Option<&'a str>,
    pub address: Option<&'a str>,
    /// `IIS:443`.
    pub service: Option<&'a str>,
    /// The view in which the run stood.
    pub vantage: Option<&'a str>,
    /// Label of a certificate.
    pub certificate: Option<&'a str>,
}

/// What to do, a line each.
#[derive(Serialize, JsonSchema)]
pub(super) struct Remedy<'a> {
    /// At once, to stop the harm.
    pub now: &'a [String],
    /// To mend the cause.
    pub cure: &'a [String],
    /// The next command to type, to learn more.
    pub next: &'a [String],
}

/// A place in the plan; line and column from 1.
#[derive(Serialize, JsonSchema)]
pub(super) struct At<'a> {
    pub file: &'a str,
    pub line: usize,
    pub column: usize,
    /// JSON pointer (RFC 6901), for a plan written in JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<&'a str>,
}

/// A waiver of the plan.
#[derive(Serialize, JsonSchema)]
pub(super) struct Waiver<'a> {
    pub reason: &'a str,
    /// Its last day, `2027-03-31`.
    pub until: Option<&'a str>,
}

/// A sentence of the plan, and what is said of it.
#[derive(Serialize, JsonSchema)]
pub(super) struct Obligation<'a> {
    /// Made of its content: equal on every machine.
    pub id: String,
    pub kind: Kind,
    pub subject: Subject<'a>,
    /// The moments in which it must hold.
    pub phases: &'a [String],
    /// True if it must hold in the moment that was asked about.
    pub due: bool,
    pub verdict: Verdict,
    /// What the matrix shows of it; may be empty.
    pub cell: &'a str,
}

/// What is claimed.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    /// A certificate covers a name.
    San,
    /// DNS answers as wanted.
    Dns,
    /// A server itself serves the right certificate.
    Tls,
    /// Clients of a view reach the right certificate.
    Path,
    /// A TTL is lowered.
    Ttl,
}

/// What is said of an obligation.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Verdict {
    /// It holds; there is evidence.
    Pass,
    /// It does not hold.
    Fail,
    /// It does not hold, but only warnings say so.
    Warn,
    /// Could not tell.
    Unobserved,
    /// It does not hold, and the plan accepts that.
    Waived,
    /// It says nothing about this plan.
    NotApplicable,
    /// Its dates have not begun or are over.
    NotInForce,
}
