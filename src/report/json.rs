//! The report for programs. Its shapes are its own, so that the vocabulary can change without the format; the JSON
//! Schema is derived from them.

use std::io::{self, Write};
use std::net::IpAddr;

use schemars::{JsonSchema, generate::SchemaSettings};
use serde::Serialize;
use serde_json::ser::PrettyFormatter;

use super::exit::exit_status;
use super::json_text::Tame;
use crate::model::finding::{self as model, ClaimKind, Judgement, RunOutcome};
use crate::model::source::Place;

/// The version of the JSON report that this release writes. Keys may be added within a version; none is changed or taken
/// away.
pub const FORMAT: u32 = 1;

/// Writes the report of one plan.
pub(super) fn write(judgement: &Judgement, out: &mut dyn Write) -> io::Result<()> {
    put(&Reports::One(Box::new(Report::of(judgement))), out)
}

/// Writes an array of reports.
pub(super) fn write_several(judgements: &[Judgement], out: &mut dyn Write) -> io::Result<()> {
    put(&Reports::Several(judgements.iter().map(Report::of).collect()), out)
}

fn put(reports: &Reports<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut to = serde_json::Serializer::with_formatter(&mut *out, Tame(PrettyFormatter::new()));
    reports.serialize(&mut to)?;
    writeln!(out)
}

/// The JSON Schema (draft 2020-12) of the JSON report: of one plan, or an array of several.
pub fn schema() -> serde_json::Value {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<Reports<'_>>().to_value()
}

/// What coexist says of one plan, or of several.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(title = "coexist report")]
enum Reports<'a> {
    /// Of one plan.
    One(Box<Report<'a>>),
    /// Of several plans, in the order of the command line.
    Several(Vec<Report<'a>>),
}

/// What coexist says of one plan.
#[derive(Serialize, JsonSchema)]
struct Report<'a> {
    /// Version of this format.
    #[schemars(extend("const" = FORMAT))]
    format: u32,
    /// Name and version of the program that wrote it.
    tool: &'static str,
    outcome: Outcome,
    /// The exit status of a run with this plan alone: 0 pass, 1 fail, 3 incomplete.
    exit_status: u8,
    /// What was asked about, in words.
    asked: &'a str,
    /// The time at which was judged, RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    now: String,
    /// True if less was asked for than the plan holds.
    partial: bool,
    counts: Counts,
    seen_from: SeenFrom<'a>,
    /// Causes and open questions first, worst first.
    findings: Vec<Finding<'a>>,
    /// Every obligation of the plan, due or not, in its order.
    obligations: Vec<Obligation<'a>>,
    /// What was not looked at, in words.
    not_looked_at: &'a [String],
}

/// What the run comes to.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    /// All that is due passes.
    Pass,
    /// A finding at or above the severity that fails a run.
    Fail,
    /// Nothing failed, but something due could not be observed.
    Incomplete,
}

/// How many of the obligations that are due.
#[derive(Serialize, JsonSchema)]
struct Counts {
    /// Hold.
    passed: usize,
    /// Do not hold.
    failed: usize,
    /// Do not hold, but only warnings say so.
    warned: usize,
    /// Could not be told.
    unobserved: usize,
    /// Do not hold, and the plan accepts that.
    waived: usize,
}

/// Where the evidence comes from.
#[derive(Serialize, JsonSchema)]
struct SeenFrom<'a> {
    /// Views in which a run stood.
    stands_in: &'a [String],
    /// Addresses of the machines.
    addresses: &'a [IpAddr],
    resolvers: Vec<Resolvers<'a>>,
    /// Views whose TLS paths were not seen, though something about them is due.
    paths_not_seen: &'a [String],
    /// True if connections were led elsewhere (`--connect-to`).
    detours: bool,
    /// Start of the first run, RFC 3339.
    from: Option<String>,
    /// Start of the last run, RFC 3339.
    to: Option<String>,
    /// True if a run looked for another text of the plan.
    other_plan: bool,
}

/// How many resolvers of a view answered.
#[derive(Serialize, JsonSchema)]
struct Resolvers<'a> {
    view: &'a str,
    answered: usize,
    declared: usize,
}

/// One thing to mend, or one open question.
#[derive(Serialize, JsonSchema)]
struct Finding<'a> {
    /// Its name in this report: `f1`.
    id: String,
    /// The rule's name: `coexist explain RULE`.
    rule: &'a str,
    severity: Severity,
    /// The headline.
    title: &'a str,
    subject: Subject<'a>,
    /// What should be, a line each.
    expected: &'a [String],
    /// What is, a line each.
    seen: &'a [String],
    /// Who suffers and how, a line each.
    hurts: &'a [String],
    remedy: Remedy<'a>,
    /// The place in the plan.
    at: Option<At<'a>>,
    /// Ids of the observations behind it.
    evidence: &'a [String],
    /// Ids of the obligations that it concerns.
    obligations: Vec<&'a str>,
    /// True if something could not be looked at, not that something is wrong.
    open_question: bool,
    /// The waiver that accepts it.
    waived: Option<Waiver<'a>>,
    /// The id of the finding that it follows from.
    caused_by: Option<String>,
}

/// How much a finding weighs.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Severity {
    Error,
    Warning,
    Info,
}

/// Whom something is about; null where it is none or several.
#[derive(Serialize, JsonSchema)]
struct Subject<'a> {
    name: Option<&'a str>,
    view: Option<&'a str>,
    /// Label of a server or pool.
    server: Option<&'a str>,
    address: Option<&'a str>,
    /// `IIS:443`.
    service: Option<&'a str>,
    /// The view in which the run stood.
    vantage: Option<&'a str>,
    /// Label of a certificate.
    certificate: Option<&'a str>,
}

/// What to do, a line each.
#[derive(Serialize, JsonSchema)]
struct Remedy<'a> {
    /// At once, to stop the harm.
    now: &'a [String],
    /// To mend the cause.
    cure: &'a [String],
    /// The next command to type, to learn more.
    next: &'a [String],
}

/// A place in the plan; line and column from 1.
#[derive(Serialize, JsonSchema)]
struct At<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    /// JSON pointer (RFC 6901), for a plan written in JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<&'a str>,
}

/// A waiver of the plan.
#[derive(Serialize, JsonSchema)]
struct Waiver<'a> {
    reason: &'a str,
    /// Its last day, `2027-03-31`.
    until: Option<&'a str>,
}

/// A sentence of the plan, and what is said of it.
#[derive(Serialize, JsonSchema)]
struct Obligation<'a> {
    /// Made of its content: equal on every machine.
    id: &'a str,
    kind: Kind,
    subject: Subject<'a>,
    /// The moments in which it must hold.
    phases: &'a [String],
    /// True if it must hold in the moment that was asked about.
    due: bool,
    verdict: Verdict,
    /// What the matrix shows of it; may be empty.
    cell: &'a str,
}

/// What is claimed.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Kind {
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
enum Verdict {
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

impl<'a> Report<'a> {
    fn of(j: &'a Judgement) -> Self {
        let model::Counts { passed, failed, warned, unobserved, waived } = j.counts;
        Self {
            format: FORMAT,
            tool: concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")),
            outcome: match j.outcome {
                RunOutcome::Pass => Outcome::Pass,
                RunOutcome::Fail => Outcome::Fail,
                RunOutcome::Incomplete => Outcome::Incomplete,
            },
            exit_status: exit_status(j),
            asked: &j.asked,
            now: j.now.to_string(),
            partial: j.partial,
            counts: Counts { passed, failed, warned, unobserved, waived },
            seen_from: SeenFrom::of(&j.seen_from),
            findings: j.findings.iter().enumerate().map(|(i, f)| Finding::of(i, f)).collect(),
            obligations: j.obligations.iter().map(Obligation::of).collect(),
            not_looked_at: &j.not_looked_at,
        }
    }
}

impl<'a> SeenFrom<'a> {
    fn of(s: &'a model::SeenFrom) -> Self {
        let resolvers = |r: &'a model::ResolversSeen| Resolvers {
            view: &r.view,
            answered: r.answered,
            declared: r.declared,
        };
        Self {
            stands_in: &s.stands_in,
            addresses: &s.addresses,
            resolvers: s.resolvers.iter().map(resolvers).collect(),
            paths_not_seen: &s.paths_not_seen,
            detours: s.detours,
            from: s.from.map(|t| t.to_string()),
            to: s.to.map(|t| t.to_string()),
            other_plan: s.other_plan,
        }
    }
}

impl<'a> Finding<'a> {
    fn of(index: usize, f: &'a model::Finding) -> Self {
        let id = |i: usize| format!("f{}", i.saturating_add(1));
        Self {
            id: id(index),
            rule: f.rule,
            severity: match f.severity {
                model::Severity::Error => Severity::Error,
                model::Severity::Warning => Severity::Warning,
                model::Severity::Info => Severity::Info,
            },
            title: &f.title,
            subject: Subject::of(&f.subject),
            expected: &f.expected,
            seen: &f.seen,
            hurts: &f.hurts,
            remedy: Remedy { now: &f.remedy.now, cure: &f.remedy.cure, next: &f.remedy.next },
            at: f.at.as_ref().map(At::of),
            evidence: &f.evidence,
            obligations: f.obligations.iter().map(|id| &**id).collect(),
            open_question: f.open_question,
            waived: f.waived.as_ref().map(|w| Waiver { reason: &w.reason, until: w.until.as_deref() }),
            caused_by: f.caused_by.map(id),
        }
    }
}

impl<'a> Subject<'a> {
    fn of(s: &'a model::Subject) -> Self {
        Self {
            name: s.name.as_deref(),
            view: s.view.as_deref(),
            server: s.server.as_deref(),
            address: s.address.as_deref(),
            service: s.service.as_deref(),
            vantage: s.vantage.as_deref(),
            certificate: s.certificate.as_deref(),
        }
    }
}

impl<'a> At<'a> {
    fn of(p: &'a Place) -> Self {
        Self { file: &p.file, line: p.line, column: p.column, pointer: p.pointer.as_deref() }
    }
}

impl<'a> Obligation<'a> {
    fn of(o: &'a model::Judged) -> Self {
        Self {
            id: &o.id,
            kind: match o.kind {
                ClaimKind::San => Kind::San,
                ClaimKind::Dns => Kind::Dns,
                ClaimKind::Tls => Kind::Tls,
                ClaimKind::Path => Kind::Path,
                ClaimKind::Ttl => Kind::Ttl,
            },
            subject: Subject::of(&o.subject),
            phases: &o.phases,
            due: o.due,
            verdict: match o.verdict {
                model::Verdict::Pass => Verdict::Pass,
                model::Verdict::Fail => Verdict::Fail,
                model::Verdict::Warn => Verdict::Warn,
                model::Verdict::Unobserved => Verdict::Unobserved,
                model::Verdict::Waived => Verdict::Waived,
                model::Verdict::NotApplicable => Verdict::NotApplicable,
                model::Verdict::NotInForce => Verdict::NotInForce,
            },
            cell: &o.cell,
        }
    }
}
