//! The built binary, run in a world.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::world::Running;

/// What a run came to.
pub struct Report {
    /// Its exit status.
    pub status: i32,
    /// What it wrote.
    pub text: String,
    /// What it wrote, read.
    pub json: Value,
    /// What it said beside.
    pub errors: String,
}

/// Checks the world from both views at once.
pub fn check(world: &Running, more: &[&str]) -> Report {
    check_as(world, &[], more)
}

/// As [`check`], with these variables in the environment.
pub fn check_as(world: &Running, variables: &[(&str, &str)], more: &[&str]) -> Report {
    let detours: Vec<String> = world.played.iter().map(|((ip, port), to)| format!("{ip}:{port}:{to}")).collect();
    let mut args = vec!["check", "plan.toml", "--from", "internal,external", "--format", "json"];
    for detour in &detours {
        args.extend(["--connect-to", detour]);
    }
    args.extend(more);
    let mut command = command(world.folder.path(), &args);
    Report::of(&command.envs(variables.iter().copied()).output().expect("the binary runs"))
}

/// Runs the binary in a folder.
pub fn coexist(folder: &Path, args: &[impl AsRef<OsStr>]) -> Output {
    command(folder, args).output().expect("the binary runs")
}

fn command(folder: &Path, args: &[impl AsRef<OsStr>]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coexist"));
    command.args(args).current_dir(folder).stdin(Stdio::null());
    command
}

impl Report {
    /// Reads what a run wrote.
    pub fn of(output: &Output) -> Self {
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let json = serde_json::from_str(&text).unwrap_or_else(|e| {
            panic!("no JSON: {e}; {:?}\n{text}\n{}", output.status, String::from_utf8_lossy(&output.stderr))
        });
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        Self { status: output.status.code().unwrap_or(-1), text, json, errors }
    }

    /// The causes, as `RULE SUBJECT`, sorted: what is neither a consequence nor an open question nor waived.
    pub fn causes(&self) -> Vec<String> {
        self.findings(|f| f["caused_by"].is_null() && f["open_question"] == false)
    }

    /// The open questions, as `RULE SUBJECT`, sorted.
    pub fn open_questions(&self) -> Vec<String> {
        self.findings(|f| f["open_question"] == true)
    }

    fn findings(&self, which: impl Fn(&Value) -> bool) -> Vec<String> {
        let findings = self.json["findings"].as_array().expect("findings");
        let counts = |f: &&Value| which(f) && f["severity"] != "info" && f["waived"].is_null();
        let mut out: Vec<String> = findings.iter().filter(counts).map(shown).collect();
        out.sort();
        out
    }
}

/// The rule and whom it is about: its server, else its name, with the view where one is meant.
fn shown(finding: &Value) -> String {
    let subject = &finding["subject"];
    let whom = ["server", "name", "certificate"].into_iter().find_map(|k| subject[k].as_str());
    let parts = [finding["rule"].as_str(), whom, subject["view"].as_str()];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}
