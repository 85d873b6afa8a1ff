//! The `coexist` command: parse, run, exit.

use std::process::ExitCode;

fn main() -> ExitCode {
    coexist::cli::main()
}
