//! `coexist schema`: for editors and for programs that read reports.

use super::args::{SchemaArgs, SchemaOf};
use super::{Trouble, output};
use crate::plan;
use crate::report;

/// Prints a JSON Schema.
pub fn run(args: SchemaArgs) -> Result<u8, Trouble> {
    let schema = match args.of {
        SchemaOf::Plan => plan::schema(),
        SchemaOf::Report => report::schema(),
        SchemaOf::Inspect => report::inspect::schema(),
        SchemaOf::Cutover => report::cutover_schema(),
        SchemaOf::Rehearsal => report::rehearsal_schema(),
    };
    output::print(&format!("{schema:#}\n"))?;
    Ok(report::PASS)
}
