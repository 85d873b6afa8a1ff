//! Where reports go: a file or stdout, with the width and colours of the terminal.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};

use super::Trouble;
use super::args::OutputArgs;
use crate::model::finding::Judgement;
use crate::report::{self, Style};

/// Columns where no terminal says otherwise.
const WIDTH: usize = 80;

/// Writes the reports of one or several plans.
pub fn write(args: &OutputArgs, judgements: &[Judgement]) -> Result<(), Trouble> {
    let trouble = |e: io::Error| Trouble::new(format!("the report could not be written: {e}"));
    match &args.output {
        Some(path) => {
            let shown = path.display();
            let file = File::create(path).map_err(|e| Trouble::new(format!("{shown}: {e}")))?;
            let style = Style { width: WIDTH, colour: false, quiet: args.quiet, verbose: args.verbose };
            render(args, judgements, style, BufWriter::new(file)).map_err(trouble)
        }
        None => {
            let stdout = anstream::stdout();
            let colour = stdout.current_choice() != anstream::ColorChoice::Never && io::stdout().is_terminal();
            let style = Style { width: columns(), colour, quiet: args.quiet, verbose: args.verbose };
            match render(args, judgements, style, BufWriter::new(stdout.lock())) {
                // Who reads has enough (`| head`): the verdict stands in the exit status.
                Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                other => other.map_err(trouble),
            }
        }
    }
}

fn render(args: &OutputArgs, judgements: &[Judgement], style: Style, mut out: impl Write) -> io::Result<()> {
    report::render_all(judgements, args.format.into(), style, &mut out)?;
    out.flush()
}

/// The width of the terminal, or 80 where there is none.
fn columns() -> usize {
    match terminal_size::terminal_size() {
        Some((width, _)) if io::stdout().is_terminal() => usize::from(width.0).clamp(40, 200),
        _ => WIDTH,
    }
}

/// Writes a text to stdout; a reader that has gone is no error.
pub fn print(text: &str) -> Result<(), Trouble> {
    let mut out = anstream::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => Err(Trouble::new(format!("stdout: {e}"))),
        _ => Ok(()),
    }
}
