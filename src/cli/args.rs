//! Commands and options.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::Timestamp;

use super::proxies::Override;
use crate::model::finding::Severity;
use crate::model::name::Name;
use crate::model::observation::Detour;
use crate::model::phase::{Moment, Phase};
use crate::report::{CutoverFormat, Format};

/// Checks that names, DNS and certificates agree while old and new servers run side by side.
#[derive(Debug, Parser)]
#[command(name = "coexist", version, max_term_width = 100, after_help = AFTER)]
pub struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

const AFTER: &str = "\
Exit statuses: 0 all that is due passes; 1 something is wrong; 2 the plan or the command line is wrong;
3 nothing is wrong, but something due could not be observed.

Start with:  coexist demo          the main job in an embedded world
             coexist init          a commented plan to fill in";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Look at DNS in every view and at every endpoint over TLS, and judge what is due
    Check(CheckArgs),
    /// Judge the plan and its certificate files alone, without a network
    Lint(LintArgs),
    /// Judge recordings again: offline, on any machine, to the same bytes
    Judge(JudgeArgs),
    /// Plan the steps from one phase to another, and prove that no client is hurt on the way
    Cutover(CutoverArgs),
    /// Play a cutover with real sockets on this machine: servers, and clients with caches, in scaled time
    Rehearse(RehearseArgs),
    /// Show who serves which name, per view and phase
    Show(ShowArgs),
    /// Write a commented plan to start from
    Init(InitArgs),
    /// Look at endpoints and certificate files without a plan
    Inspect(InspectArgs),
    /// Explain a rule; without a rule, list them all
    Explain(ExplainArgs),
    /// Print the JSON Schema of the plan file, or of what is written for programs
    Schema(SchemaArgs),
    /// Run the true check against an embedded world: broken, then mended
    Demo(DemoArgs),
}

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// The plan files (TOML or JSON)
    #[arg(required = true, value_name = "PLAN")]
    pub plans: Vec<PathBuf>,
    #[command(flatten)]
    pub ask: AskArgs,
    #[command(flatten)]
    pub look: LookArgs,
    #[command(flatten)]
    pub output: OutputArgs,
    /// Write what is observed to FILE, for `coexist judge`
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Judge together with an earlier recording, or one made elsewhere
    #[arg(long = "with", value_name = "FILE")]
    pub with: Vec<PathBuf>,
    /// Print every query and connection that the run would make, and make none
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Args)]
pub(super) struct LintArgs {
    /// The plan files (TOML or JSON)
    #[arg(required = true, value_name = "PLAN")]
    pub plans: Vec<PathBuf>,
    #[command(flatten)]
    pub ask: AskArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Args)]
pub(super) struct JudgeArgs {
    /// The plan file (TOML or JSON)
    #[arg(value_name = "PLAN")]
    pub plan: PathBuf,
    /// The recordings; what several saw is judged together
    #[arg(required = true, value_name = "RECORDING")]
    pub recordings: Vec<PathBuf>,
    #[command(flatten)]
    pub ask: AskArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// What is asked.
#[derive(Debug, Args)]
pub(super) struct AskArgs {
    /// Judge this phase, or transition such as before..coexistence, instead of where the plan stands
    #[arg(long, value_name = "PHASE", value_parser = moment, conflicts_with = "ready_for")]
    pub phase: Option<Moment>,
    /// Judge the eve of the flip into this phase: all that must hold before it may happen
    #[arg(long, value_name = "PHASE", value_parser = target_phase)]
    pub ready_for: Option<Phase>,
    /// Judge these views only
    #[arg(long, value_name = "VIEW", value_delimiter = ',')]
    pub view: Vec<String>,
    /// Judge only this name, server, pool, certificate, or kind (san, dns, tls)
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    pub only: Vec<String>,
    /// The least severity of a finding that fails the run
    #[arg(long, value_name = "SEVERITY", default_value = "error", value_parser = severity)]
    pub fail_on: Severity,
    /// Judge as of this time (RFC 3339, or `2026-11-23 20:00` local time) instead of when it was looked at
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub at: Option<Timestamp>,
}

/// How it is looked.
#[derive(Debug, Args)]
pub(super) struct LookArgs {
    /// The views in which this machine stands
    #[arg(long, value_name = "VIEW", value_delimiter = ',')]
    pub from: Vec<String>,
    /// Limit of one query with its retransmissions, or of one connection with its handshake
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration)]
    pub timeout: Duration,
    /// Limit of the whole run; what is not looked at by then is "could not tell"
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub deadline: Option<Duration>,
    /// Queries and connections in flight at once
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u16).range(1..))]
    pub concurrency: u16,
    /// Dial elsewhere, as curl does; an empty HOST or PORT stands for any
    #[arg(long, value_name = "HOST:PORT:ADDR:PORT", value_parser = detour)]
    pub connect_to: Vec<Detour>,
    /// Reach a view through this proxy (socks5://, socks5h:// or http://), or through none, whatever the plan says
    #[arg(long, value_name = "VIEW=URL|VIEW=direct", value_parser = Override::parse)]
    pub proxy: Vec<Override>,
}

/// How it is told.
#[derive(Debug, Args)]
pub(super) struct OutputArgs {
    /// How the report is written
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub format: FormatArg,
    /// Write the report to FILE instead of the terminal
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// The verdict only
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Everything: each obligation, each consequence, nothing folded
    #[arg(short, long)]
    pub verbose: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum FormatArg {
    /// For people
    #[default]
    Text,
    /// For programs; `coexist schema report` describes it
    Json,
}

/// The same words; what some commands write has a schema of its own.
fn formats(schema: &'static str) -> impl TypedValueParser<Value = FormatArg> {
    let words = FormatArg::value_variants().iter().filter_map(ValueEnum::to_possible_value);
    let told = words.map(|word| match word.get_name() {
        "json" => word.help(format!("For programs; `coexist schema {schema}` describes it")),
        _ => word,
    });
    PossibleValuesParser::new(told).try_map(|word| FormatArg::from_str(&word, false))
}

impl From<FormatArg> for Format {
    fn from(arg: FormatArg) -> Self {
        match arg {
            FormatArg::Text => Self::Text,
            FormatArg::Json => Self::Json,
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct CutoverArgs {
    /// The plan file (TOML or JSON)
    #[arg(value_name = "PLAN")]
    pub plan: PathBuf,
    /// Recordings: what is done already is not planned again; without them, what the plan says of --from counts
    #[arg(value_name = "RECORDING")]
    pub recordings: Vec<PathBuf>,
    /// The phase that is left
    #[arg(long, value_name = "PHASE", value_parser = phase, required_unless_present = "check")]
    pub from: Option<Phase>,
    /// The phase that is wanted
    #[arg(long, value_name = "PHASE", value_parser = phase, required_unless_present = "check")]
    pub to: Option<Phase>,
    /// Check your own steps instead: a runbook, whose steps name things of the plan
    #[arg(long, value_name = "RUNBOOK", conflicts_with_all = ["from", "to", "start"])]
    pub check: Option<PathBuf>,
    /// When to begin: `2026-11-23 20:00` in --time-zone, or RFC 3339; without it, times are offsets
    #[arg(long, value_name = "TIME")]
    pub start: Option<String>,
    /// The clock on your wall: `Europe/Berlin`; default this machine's
    #[arg(long, value_name = "ZONE")]
    pub time_zone: Option<String>,
    /// How the plan is written
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub format: CutoverFormatArg,
    /// Write it to FILE instead of the terminal
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// The verdict only
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Everything: why, what to type, how to see that it is done
    #[arg(short, long)]
    pub verbose: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum CutoverFormatArg {
    /// For people, at a terminal
    #[default]
    Text,
    /// For programs; `coexist schema cutover` describes it
    Json,
    /// For a change ticket, with boxes to tick
    Markdown,
    /// For a browser, with a picture of the time
    Html,
    /// Gates, flips and waits for a calendar; needs --start
    Ical,
}

impl From<CutoverFormatArg> for CutoverFormat {
    fn from(arg: CutoverFormatArg) -> Self {
        match arg {
            CutoverFormatArg::Text => Self::Text,
            CutoverFormatArg::Json => Self::Json,
            CutoverFormatArg::Markdown => Self::Markdown,
            CutoverFormatArg::Html => Self::Html,
            CutoverFormatArg::Ical => Self::Ical,
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct RehearseArgs {
    /// The plan file (TOML or JSON)
    #[arg(value_name = "PLAN")]
    pub plan: PathBuf,
    /// The phase that is left
    #[arg(long, value_name = "PHASE", value_parser = phase, default_value = "before")]
    pub from: Phase,
    /// The phase that is wanted
    #[arg(long, value_name = "PHASE", value_parser = phase, default_value = "coexistence")]
    pub to: Phase,
    /// Break step N, as `coexist cutover` numbers it, and see who is hurt
    #[arg(long, value_name = "N")]
    pub break_step: Option<usize>,
    /// How to break it
    #[arg(long, value_name = "HOW", value_enum, default_value_t, requires = "break_step")]
    pub how: BreakArg,
    /// Turn back after step N: carry out the steps up to it, then undo them, the last one first
    #[arg(long, value_name = "N")]
    pub undo_after: Option<usize>,
    /// How the report is written
    #[arg(long, value_name = "FORMAT", value_parser = formats("rehearsal"), default_value = "text")]
    pub format: FormatArg,
    /// Write it to FILE instead of the terminal
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum BreakArg {
    /// Leave it out
    #[default]
    Skip,
    /// Do the next step before it
    Swap,
}

impl BreakArg {
    /// What became of the step.
    pub fn word(self) -> &'static str {
        match self {
            Self::Skip => "left out",
            Self::Swap => "done after the next",
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// The plan file (TOML or JSON)
    #[arg(value_name = "PLAN")]
    pub plan: PathBuf,
    /// Show this name alone, with services and certificates
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// The file to write; `-` prints it
    #[arg(value_name = "FILE", default_value = "plan.toml")]
    pub file: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = INSPECT, mut_arg("format", |format| format.value_parser(formats("inspect"))))]
pub(super) struct InspectArgs {
    /// Hosts, as HOST[:PORT][/SERVICE], and files of certificates (PEM, DER, PKCS#7, PFX)
    #[arg(required = true, value_name = "WHAT")]
    pub targets: Vec<String>,
    /// A name or address that each certificate must cover
    #[arg(long = "for", value_name = "NAME")]
    pub names: Vec<String>,
    /// Send this name as SNI instead of the host's
    #[arg(long, value_name = "NAME", value_parser = name, conflicts_with = "no_sni")]
    pub sni: Option<Name>,
    /// Send no SNI
    #[arg(long)]
    pub no_sni: bool,
    /// Trust what is in FILE instead of this machine's store; `public` is the public program
    #[arg(long, value_name = "FILE")]
    pub ca: Vec<String>,
    /// The environment variable that holds the password of PFX files
    #[arg(long, value_name = "VARIABLE")]
    pub password_env: Option<String>,
    /// Limit of one look-up, or of one connection with its handshake
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration)]
    pub timeout: Duration,
    /// Dial elsewhere, as curl does; an empty HOST or PORT stands for any
    #[arg(long, value_name = "HOST:PORT:ADDR:PORT", value_parser = detour)]
    pub connect_to: Vec<Detour>,
    /// Judge as of this time (RFC 3339, or `2026-11-23 20:00` local time)
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub at: Option<Timestamp>,
    #[command(flatten)]
    pub output: OutputArgs,
}

const INSPECT: &str = "\
Without a service it is https, or what lives at the port. The words are those of a plan: smtp,
submission, imap, imaps, ldap, postgres, IIS ... and HOST:PORT/tls. Every address is looked at.

Exit statuses: 0 all could be read; 1 a name of --for is not covered; 2 something could not be read.";

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// The rule
    #[arg(value_name = "RULE")]
    pub rule: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct SchemaArgs {
    /// Of what
    #[arg(value_name = "OF", value_enum, default_value_t)]
    pub of: SchemaOf,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum SchemaOf {
    /// The plan file
    #[default]
    Plan,
    /// The JSON report
    Report,
    /// What `coexist inspect --format json` writes
    Inspect,
    /// The JSON of a planned cutover
    Cutover,
    /// The JSON of a rehearsal
    Rehearsal,
}

#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// The scenario; without one, all are played
    #[arg(value_name = "SCENARIO")]
    pub scenario: Option<String>,
    /// Break this instead of the scenario's own fault, e.g. default-certificate:ex19-02
    #[arg(long, value_name = "FAULT")]
    pub fault: Vec<String>,
    /// List scenarios and faults
    #[arg(long)]
    pub list: bool,
    #[command(flatten)]
    pub output: OutputArgs,
}

fn moment(text: &str) -> Result<Moment, String> {
    Moment::parse(text).ok_or_else(|| {
        "a phase is before, coexistence or after; a transition goes forward: before..coexistence".to_string()
    })
}

fn phase(text: &str) -> Result<Phase, String> {
    Phase::of_word(text).ok_or_else(|| "before, coexistence or after".to_string())
}

fn target_phase(text: &str) -> Result<Phase, String> {
    match Phase::of_word(text) {
        Some(Phase::Before) => Err("nothing flips into before: coexistence or after".into()),
        Some(phase) => Ok(phase),
        None => Err("coexistence or after".into()),
    }
}

fn severity(text: &str) -> Result<Severity, String> {
    Severity::of_word(text).ok_or_else(|| "error, warning or info".to_string())
}

fn detour(text: &str) -> Result<Detour, String> {
    Detour::parse(text).ok_or_else(|| {
        "wanted HOST:PORT:ADDR:PORT, e.g. 10.0.0.10:443:127.0.0.1:8443; IPv6 in brackets; ADDR is an IP address".into()
    })
}

fn name(text: &str) -> Result<Name, String> {
    Name::parse(text).or_else(|_| Name::parse_owner(text)).map_err(|e| e.to_string())
}

fn duration(text: &str) -> Result<Duration, String> {
    let wanted = || "a time such as 5s, 500ms or 1m".to_string();
    let millis = match text.parse::<u64>() {
        Ok(seconds) => seconds.checked_mul(1000).ok_or_else(wanted)?,
        Err(_) => {
            let span = text.parse::<jiff::SignedDuration>().map_err(|_| wanted())?;
            u64::try_from(span.as_millis()).map_err(|_| wanted())?
        }
    };
    match millis {
        1..=3_600_000 => Ok(Duration::from_millis(millis)),
        _ => Err("between 1ms and 1h".into()),
    }
}

/// RFC 3339, or a civil time in this machine's zone.
fn time(text: &str) -> Result<Timestamp, String> {
    let civil = |t: &str| {
        let at = t.parse::<jiff::civil::DateTime>().ok()?;
        Some(at.to_zoned(jiff::tz::TimeZone::system()).ok()?.timestamp())
    };
    let at = text.parse::<Timestamp>().ok().or_else(|| civil(text));
    at.ok_or_else(|| "a time such as 2026-11-23T20:00:00Z or '2026-11-23 20:00'".into())
}
