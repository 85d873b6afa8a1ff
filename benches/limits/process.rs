//! What the system says of a process, and the built command from its start to its exit.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::measure::{median, row};
use crate::world::{World, itself};

/// The word on the command line that makes this program run another and tell of it. It is small then: the system counts
/// the memory of whoever starts a process as that process's until it has begun.
pub const WORD: &str = "measure";

/// The built command.
const BINARY: &str = env!("CARGO_BIN_EXE_coexist");

/// Runs of what is short.
const RUNS: usize = 20;

/// The command's figures: one endpoint, a plan without a network, and the memory of a run with all names.
pub fn all(world: &World) {
    let folder = tempfile::tempdir().expect("a folder");
    let check =
        ["check", "--quiet", "--from", "internal,external", "--connect-to", &format!(":443:{}", world.tls().address)]
            .map(String::from);
    let lint = ["lint", "--quiet"].map(String::from);
    let (one, all) = (plan(world, &folder, 1), plan(world, &folder, world.names.len()));
    let milliseconds = |m: &Measured| format!("{:.1} ms", m.median.as_secs_f64() * 1e3);
    row("one endpoint, process start to exit", "8 ms", "", &milliseconds(&measured(RUNS, &check, &one)), "");
    row("lint of that plan, start to exit", "20 ms", "", &milliseconds(&measured(RUNS, &lint, &one)), "");
    let run = measured(1, &check, &all);
    row("the whole plan, process start to exit", "", "", &milliseconds(&run), "");
    if let Some(memory) = run.memory {
        let goal = if world.names.len() > 1000 { "40 MB" } else { "16 MB" };
        row("peak memory of that run", goal, "", &format!("{:.1} MB", memory as f64 / 1e6), "");
    }
    let size = fs::metadata(BINARY).expect("a built command").len() as f64 / f64::from(1 << 20);
    row("the built command", "15 MiB", "", &format!("{size:.1} MiB"), "");
    instructions(world, &folder, &check);
}

/// User instructions of a name's questions, its endpoint and its judgement, counted by valgrind if that is there: a run
/// with more names less one with fewer.
fn instructions(world: &World, folder: &tempfile::TempDir, check: &[String]) {
    let more = world.names.len().min(100);
    let counted = |names| counted(check, &plan(world, folder, names));
    if let (Some(many), Some(few)) = (counted(more), counted(more / 2)) {
        let each = many.saturating_sub(few) as f64 / (more - more / 2) as f64 / 1e6;
        row("user instructions of a name (valgrind)", "2.8 M", "", &format!("{each:.2} M"), "");
    }
}

fn counted(check: &[String], plan: &str) -> Option<u64> {
    let valgrind = ["--tool=callgrind", "--callgrind-out-file=/dev/null", BINARY];
    let out = Command::new("valgrind").args(valgrind).args(check).args(["--timeout", "60s", plan]).output().ok()?;
    let text = String::from_utf8_lossy(&out.stderr).into_owned();
    let line = text.lines().find_map(|l| l.split_once("Collected :"))?;
    line.1.trim().parse().ok()
}

/// A plan on disk of the first names, with the bench's root beside it.
fn plan(world: &World, folder: &tempfile::TempDir, names: usize) -> String {
    let pem = data_encoding::BASE64.encode(&world.root);
    let lines = pem.as_bytes().chunks(64).map(String::from_utf8_lossy).collect::<Vec<_>>().join("\n");
    let root = format!("-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n");
    fs::write(folder.path().join("root.pem"), root).expect("a file");
    let path = folder.path().join(format!("plan-{names}.toml"));
    let mut text = world.plan(&world.names[..names]);
    text = text.replace("resolvers", "trust = [\"root.pem\"]\nresolvers");
    fs::write(&path, text).expect("a file");
    path.display().to_string()
}

struct Measured {
    median: Duration,
    /// Bytes, where the system tells.
    memory: Option<u64>,
}

fn measured(runs: usize, command: &[String], plan: &str) -> Measured {
    let command_line = [&[WORD.into(), runs.to_string()], command, &[plan.into()]].concat();
    let out = Command::new(itself()).args(command_line).stderr(Stdio::inherit()).output().expect("this very program");
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let mut numbers = text.split_whitespace().map(|n| n.parse().expect("numbers"));
    let median = Duration::from_micros(numbers.next().expect("a time"));
    Measured { median, memory: numbers.next() }
}

/// Runs the command some times; prints the median in microseconds and the largest memory in bytes.
pub fn run(words: &[String]) {
    let runs = words[0].parse().expect("a number of runs");
    let median = median(runs, || {
        let status = Command::new(BINARY).args(&words[1..]).stdout(Stdio::null()).status();
        assert!(status.expect("a built command").success(), "{words:?}");
    });
    println!("{} {}", median.as_micros(), memory_of_children().map(|b| b.to_string()).unwrap_or_default());
}

/// The CPU time of this process so far, of all its threads.
#[cfg(unix)]
pub fn cpu() -> Duration {
    let usage = usage(libc::RUSAGE_SELF);
    let time = |t: libc::timeval| Duration::new(t.tv_sec as u64, t.tv_usec as u32 * 1000);
    time(usage.ru_utime) + time(usage.ru_stime)
}

/// The CPU time of this process is not asked for here.
#[cfg(not(unix))]
pub fn cpu() -> Duration {
    Duration::ZERO
}

/// The largest memory of a child in bytes.
#[cfg(unix)]
fn memory_of_children() -> Option<u64> {
    // Kilobytes, except where they are bytes.
    let unit = if cfg!(target_vendor = "apple") { 1 } else { 1024 };
    Some(usage(libc::RUSAGE_CHILDREN).ru_maxrss as u64 * unit)
}

#[cfg(not(unix))]
fn memory_of_children() -> Option<u64> {
    None
}

#[cfg(unix)]
#[allow(unsafe_code, reason = "the standard library does not ask the system for this")]
fn usage(whose: libc::c_int) -> libc::rusage {
    // SAFETY: all zeroes is a value of this plain structure, which the call fills in.
    unsafe {
        let mut usage = std::mem::zeroed();
        assert_eq!(libc::getrusage(whose, &mut usage), 0);
        usage
    }
}
