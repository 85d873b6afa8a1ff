//! `coexist check`: look, then judge.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, IsTerminal};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use tokio::runtime::{Builder, Runtime};

use super::args::{CheckArgs, LookArgs};
use super::examine::{Blobs, Place, Sources, gathered, header, keep, look};
use super::output::Screen;
use super::{Trouble, ask, load, output};
use crate::judge;
use crate::model::finding::Judgement;
use crate::model::name::Name;
use crate::model::obligation::Obligation;
use crate::model::observation::{Detour, DialMap, Recording, Run};
use crate::model::plan::Plan;
use crate::model::policy::{Policy, Scope};
use crate::model::probes::{Probes, Vantage};
use crate::observe::Seen;
use crate::plan;
use crate::record::{self, Writer};
use crate::report;

/// The exit status after Ctrl-C, as shells have it: 128 + SIGINT.
const INTERRUPTED: u8 = 130;

/// Checks each plan in turn, then tells all.
pub fn run(args: CheckArgs) -> Result<u8, Trouble> {
    if args.plans.len() > 1 && args.record.is_some() {
        return Err(Trouble::new("--record takes one plan at a time"));
    }
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| Trouble::new(format!("the runtime did not start: {e}")))?;
    let mut read = args.plans.clone();
    read.extend(args.with.iter().cloned());
    output::spare(&[args.output.output.as_deref(), args.record.as_deref()], &read)?;
    let mut judgements = Vec::new();
    let mut statuses = Vec::new();
    for path in &args.plans {
        match one(&args, path, &runtime) {
            Ok(Done::Judged(judgement)) => {
                statuses.push(report::exit_status(&judgement));
                judgements.push(*judgement);
            }
            Ok(Done::DryRun) => {}
            Ok(Done::Interrupted) => return Ok(INTERRUPTED),
            // The other plans still have their say.
            Err(trouble) => {
                anstream::eprintln!("error: {trouble}");
                statuses.push(report::USAGE);
            }
        }
    }
    if !judgements.is_empty() {
        Screen::open(&args.output)?.reports(&judgements, args.plans.len() > 1)?;
    }
    Ok(report::worst(statuses))
}

enum Done {
    Judged(Box<Judgement>),
    DryRun,
    Interrupted,
}

fn one(args: &CheckArgs, path: &Path, runtime: &Runtime) -> Result<Done, Trouble> {
    let plan = load::plan(path)?;
    let policy = ask::policy(&args.ask, &plan, Scope::All)?;
    let vantage = ask::vantage(&args.look, &plan)?;
    let obligations = plan::expand(&plan);
    let probes = plan::probes(&plan, &obligations, &vantage, &policy);
    let sources = Sources::beside(path);
    output::spare(&[args.output.output.as_deref(), args.record.as_deref()], &load::files(&plan, path))?;
    let dial = DialMap(args.look.connect_to.clone());
    idle_detours(&dial, &probes)
        .for_each(|d| anstream::eprintln!("warning: --connect-to {d} fits nothing that is dialled"));
    if args.dry_run {
        return dry_run(&plan, &probes, &dial).map(|()| Done::DryRun);
    }
    let place = place(&args.look, &vantage, &sources, dial);
    let earlier = args.with.iter().map(|p| recording(p)).collect::<Result<Vec<_>, _>>()?;
    let mut recording = match runtime.block_on(watched(args, &plan, &probes, &place))? {
        Some(recording) => recording,
        None => return Ok(Done::Interrupted),
    };
    earlier.into_iter().for_each(|other| recording.merge(other));
    Ok(Done::Judged(Box::new(judge_now(&plan, &obligations, &recording, &policy, args.ask.at))))
}

fn place<'a>(args: &LookArgs, vantage: &'a Vantage, sources: &'a Sources<'a>, dial: DialMap) -> Place<'a> {
    let concurrency = usize::from(args.concurrency);
    Place { vantage, sources, dial, timeout: args.timeout, concurrency, now: Timestamp::now() }
}

/// Judges at the time asked for, else at the time when the evidence was gathered.
pub(super) fn judge_now(
    plan: &Plan,
    obligations: &[Obligation],
    recording: &Recording,
    policy: &Policy,
    at: Option<Timestamp>,
) -> Judgement {
    let now = at.or_else(|| gathered(recording)).unwrap_or(Timestamp::UNIX_EPOCH);
    let mut judgement = judge::judge(plan, obligations, recording, policy, now);
    let digest = crate::pki::blob_id(plan.source.text.as_bytes());
    judgement.seen_from.other_plan = recording.runs.values().any(|r| r.plan != digest);
    judgement
}

/// Looks, with progress on a terminal and the recording growing on disk; `None` after Ctrl-C, with what was seen written.
async fn watched(
    args: &CheckArgs,
    plan: &Plan,
    probes: &Probes,
    place: &Place<'_>,
) -> Result<Option<Recording>, Trouble> {
    let (run, blobs) = header(plan, place)?;
    let mut file = args.record.as_deref().map(|path| Record::create(path, &run, &blobs)).transpose()?;
    let mut recording = Recording { blobs, ..Recording::default() };
    let bar = progress(args, probes);
    let finished = {
        let mut sink = |seen: Seen| {
            if let Some(file) = &mut file {
                file.add(&seen);
            }
            if matches!(seen, Seen::Observation(_)) {
                bar.inc(1);
            }
            keep(&mut recording, seen);
        };
        tokio::select! {
            () = look(plan, probes, place, &run, &mut sink) => true,
            _ = tokio::signal::ctrl_c() => false,
        }
    };
    bar.finish_and_clear();
    file.map(Record::finish).transpose()?;
    recording.runs.insert(run.id.clone(), run);
    Ok(finished.then_some(recording))
}

fn progress(args: &CheckArgs, probes: &Probes) -> indicatif::ProgressBar {
    if args.output.quiet || !io::stderr().is_terminal() {
        return indicatif::ProgressBar::hidden();
    }
    let known = probes.dns.len() + probes.files.len() + probes.tls.iter().map(|t| t.samples as usize).sum::<usize>();
    let style = indicatif::ProgressStyle::with_template("looking {pos}/{len} {wide_bar} {elapsed}");
    let bar = indicatif::ProgressBar::new(known as u64);
    style.map(|s| bar.clone().with_style(s)).unwrap_or(bar)
}

/// The recording on disk. Its first fault is kept and told at the end: the run goes on, the verdict does not depend on it.
struct Record {
    path: PathBuf,
    writer: Writer<BufWriter<File>>,
    fault: Option<io::Error>,
}

impl Record {
    fn create(path: &Path, run: &Run, blobs: &Blobs) -> Result<Self, Trouble> {
        let trouble = |e: io::Error| Trouble::new(format!("{}: {e}", path.display()));
        let out = BufWriter::new(File::create(path).map_err(trouble)?);
        let writer = Writer::new(out, run).map_err(trouble)?;
        let mut record = Self { path: path.to_path_buf(), writer, fault: None };
        for (id, der) in blobs {
            record.writer.blob(*id, der).map_err(trouble)?;
        }
        Ok(record)
    }

    fn add(&mut self, seen: &Seen) {
        if self.fault.is_none() {
            let written = match seen {
                Seen::Blob(id, der) => self.writer.blob(*id, der),
                Seen::Observation(observation) => self.writer.observation(observation),
            };
            self.fault = written.err();
        }
    }

    fn finish(self) -> Result<(), Trouble> {
        let done = match self.fault {
            Some(fault) => Err(fault),
            None => self.writer.finish(),
        };
        done.map_err(|e| Trouble::new(format!("{}: the recording is not whole: {e}", self.path.display())))
    }
}

/// Reads a recording.
pub(super) fn recording(path: &Path) -> Result<Recording, Trouble> {
    let shown = path.display();
    let file = File::open(path).map_err(|e| Trouble::new(format!("{shown}: {e}")))?;
    let recording =
        record::read(BufReader::new(file)).map_err(|e| Trouble::new(format!("{shown}:{}: {}", e.line, e.message)))?;
    match recording.runs.is_empty() {
        true => Err(Trouble::new(format!("{shown}: there is no run in this recording"))),
        false => Ok(recording),
    }
}

/// Every query and connection that the run would make.
fn dry_run(plan: &Plan, probes: &Probes, dial: &DialMap) -> Result<(), Trouble> {
    let mut text = String::new();
    let mut line = |l: String| {
        text.push_str(&crate::model::text::escape(&l));
        text.push('\n');
    };
    line(format!("would look, and does not: {}", plan.source.file));
    probes.files.iter().for_each(|f| line(format!("file  {f}")));
    for ask in &probes.dns {
        let p = &ask.probe;
        let to = detour(dial, p.resolver.addr, None);
        line(format!("dns   {} {} {} @{}{to}", p.view, p.name, p.kind, p.resolver));
    }
    for ask in &probes.tls {
        let p = &ask.probe;
        let sni = p.sni.as_ref().map_or("no SNI".to_string(), |n| format!("SNI {n}"));
        let times = if ask.samples > 1 { format!(" x {}", ask.samples) } else { String::new() };
        let to = detour(dial, p.address, p.sni.as_ref());
        line(format!("tls   {} {} {sni}{times}{to}", p.address, p.way.word()).replace("  SNI", " SNI"));
    }
    for t in &probes.templates {
        let way = t.way.word();
        line(
            format!("tls   each address that {} gives for {}, port {} {way}", t.view, t.name, t.port).trim_end().into(),
        );
    }
    probes.skipped.iter().for_each(|s| line(format!("not   {s}")));
    output::print(&text)
}

/// Detours that no query and no connection to a declared address takes. Addresses that DNS will give may take any, if a
/// template has their port.
fn idle_detours<'a>(dial: &'a DialMap, probes: &'a Probes) -> impl Iterator<Item = &'a Detour> {
    let fits = |d: &Detour| {
        let one = DialMap(vec![d.clone()]);
        let moves = |to: SocketAddr, name: Option<&Name>| one.resolve(to, name) != to;
        probes.dns.iter().any(|a| moves(a.probe.resolver.addr, None))
            || probes.tls.iter().any(|a| moves(a.probe.address, a.probe.sni.as_ref()))
            || probes.templates.iter().any(|t| {
                let port = d.port.is_none_or(|p| p == t.port);
                port && d.host.as_deref().is_none_or(|h| h.parse::<IpAddr>().is_ok() || t.name.as_str() == h)
            })
    };
    dial.0.iter().filter(move |d| !fits(d))
}

fn detour(dial: &DialMap, logical: SocketAddr, name: Option<&Name>) -> String {
    match dial.resolve(logical, name) {
        to if to == logical => String::new(),
        to => format!(" -> {to}"),
    }
}
