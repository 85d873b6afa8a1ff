//! The command line: the clock, the environment, the terminal and the exit status live here.
#![allow(clippy::disallowed_methods, reason = "the clock, the environment and files belong to the command line")]
#![allow(clippy::disallowed_macros, reason = "only the command line prints")]

mod args;
mod ask;
mod check;
mod cutover;
mod demo;
mod dry_run;
mod examine;
mod explain;
mod init;
mod inspect;
mod judge;
mod limits;
mod lint;
mod load;
mod memory;
mod output;
mod passwords;
mod plans;
mod proxies;
mod recording;
mod rehearse;
mod schema;
mod show;

use std::process::ExitCode;

use clap::Parser;

pub use args::Cli;
pub use examine::{Place, Sources, examine};
pub use proxies::Way;

use crate::model::proxy::without_passwords;
use crate::model::text::shown;
use args::Command;

/// Runs the command and gives its exit status; see `report::exit` for what each means.
pub fn main() -> ExitCode {
    memory::be_frugal();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // Help and the version; a mistake holds what was typed, which in a build may be anybody's.
        Err(e) if !e.use_stderr() => e.exit(),
        Err(e) => {
            without_passwords(&e.to_string()).trim_end().lines().for_each(|line| output::tell(&shown(line)));
            return ExitCode::from(crate::report::USAGE);
        }
    };
    let status = run(cli.command).unwrap_or_else(|trouble| {
        output::tell(&format!("error: {trouble}"));
        crate::report::USAGE
    });
    ExitCode::from(status)
}

fn run(command: Command) -> Result<u8, Trouble> {
    match command {
        Command::Check(args) => check::run(args),
        Command::Lint(args) => lint::run(args),
        Command::Judge(args) => judge::run(args),
        Command::Cutover(args) => cutover::run(args),
        Command::Rehearse(args) => rehearse::run(args),
        Command::Show(args) => show::run(args),
        Command::Init(args) => init::run(args),
        Command::Inspect(args) => inspect::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Schema(args) => schema::run(args),
        Command::Demo(args) => demo::run(args),
    }
}

/// What keeps a command from running at all: said on stderr, exit status 2. It may hold what a file or a path says, and
/// is made fit to be shown.
#[derive(Debug)]
pub struct Trouble {
    message: String,
    help: Option<String>,
}

impl Trouble {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&shown(&self.message))?;
        match &self.help {
            Some(help) => write!(f, "\nhelp: {}", shown(help)),
            None => Ok(()),
        }
    }
}

/// The nearest of some words, for "did you mean".
fn nearest<'a>(word: &str, choices: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let choices: Vec<&str> = choices.into_iter().collect();
    let near = choices.iter().map(|c| (strsim::damerau_levenshtein(word, c), *c)).min()?;
    if near.0 <= 1 + word.chars().count() / 4 {
        return Some(near.1);
    }
    // `mail` is short for `mail.domain.com`, as far as it is for nothing else that is shorter.
    let long = choices.iter().filter(|c| word.chars().count() > 2 && c.starts_with(word));
    long.min_by_key(|c| (c.len(), **c)).copied()
}
