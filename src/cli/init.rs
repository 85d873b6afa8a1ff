//! `coexist init`: a commented plan to start from.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

use super::args::InitArgs;
use super::{Trouble, output};
use crate::model::text::shown;
use crate::plan;
use crate::report;

/// Writes the template; a file that exists is left alone.
pub fn run(args: InitArgs) -> Result<u8, Trouble> {
    if args.file == Path::new("-") {
        output::print(plan::template())?;
        return Ok(report::PASS);
    }
    let shown = shown(&args.file.display().to_string());
    let made = OpenOptions::new().write(true).create_new(true).open(&args.file);
    let mut file = made.map_err(|e| match e.kind() {
        io::ErrorKind::AlreadyExists => {
            Trouble::new(format!("{shown} exists already")).help("give another name: coexist init other.toml")
        }
        _ => Trouble::new(format!("{shown}: {e}")),
    })?;
    file.write_all(plan::template().as_bytes()).map_err(|e| Trouble::new(format!("{shown}: {e}")))?;
    output::print(&format!("wrote {shown}: fill in its TODOs, then: coexist lint {shown}\n"))?;
    Ok(report::PASS)
}
