//! Where reports go: a file or stdout, with the width and colours of the terminal.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use super::Trouble;
use super::args::{FormatArg, OutputArgs};
use crate::model::finding::Judgement;
use crate::report::{self, Format, Style};

/// Columns where no terminal says otherwise.
const WIDTH: usize = 80;

/// Where a command's reports go: the terminal, or the file that was asked for.
pub struct Screen<'a> {
    args: &'a OutputArgs,
    style: Style,
    out: Box<dyn Write>,
}

impl<'a> Screen<'a> {
    /// Opens it; a file that is there is written anew.
    pub fn open(args: &'a OutputArgs) -> Result<Self, Trouble> {
        let plain = Style { width: WIDTH, colour: false, quiet: args.quiet, verbose: args.verbose };
        let Some(path) = &args.output else {
            let stdout = anstream::stdout();
            let colour = stdout.current_choice() != anstream::ColorChoice::Never && io::stdout().is_terminal();
            let style = Style { width: columns(), colour, ..plain };
            return Ok(Self { args, style, out: Box::new(BufWriter::new(stdout)) });
        };
        let file = File::create(path).map_err(|e| Trouble::new(format!("{}: {e}", path.display())))?;
        Ok(Self { args, style: plain, out: Box::new(BufWriter::new(file)) })
    }

    /// Writes the reports of one plan or, as an array in JSON, of several.
    pub fn reports(&mut self, judgements: &[Judgement], several: bool) -> Result<(), Trouble> {
        let format = self.args.format.into();
        let written = match several {
            true => report::render_all(judgements, format, self.style, &mut self.out),
            false => judgements.iter().try_for_each(|j| report::render(j, format, self.style, &mut self.out)),
        };
        self.done(written)
    }

    /// Writes words between reports; programs do not want them.
    pub fn words(&mut self, text: &str) -> Result<(), Trouble> {
        match Format::from(self.args.format) {
            Format::Json => Ok(()),
            Format::Text => {
                let written = self.out.write_all(text.as_bytes());
                self.done(written)
            }
        }
    }

    /// Writes what a renderer of its own writes.
    pub fn write(
        &mut self,
        renderer: impl FnOnce(Format, Style, &mut dyn Write) -> io::Result<()>,
    ) -> Result<(), Trouble> {
        let written = renderer(self.args.format.into(), self.style, &mut self.out);
        self.done(written)
    }

    /// The width of its lines.
    pub fn width(&self) -> usize {
        self.style.width
    }

    fn done(&mut self, written: io::Result<()>) -> Result<(), Trouble> {
        match written.and_then(|()| self.out.flush()) {
            // Who reads has enough (`| head`): the verdict stands in the exit status.
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe && self.args.output.is_none() => Ok(()),
            other => other.map_err(|e| Trouble::new(format!("the report could not be written: {e}"))),
        }
    }
}

/// Writes one report to a file or, with the width and colours of the terminal, to stdout.
pub fn sheet(
    path: Option<&Path>,
    quiet: bool,
    verbose: bool,
    render: impl FnOnce(Style, &mut dyn Write) -> io::Result<()>,
) -> Result<(), Trouble> {
    let args = OutputArgs { format: FormatArg::Text, output: path.map(Path::to_path_buf), quiet, verbose };
    let mut screen = Screen::open(&args)?;
    let written = render(screen.style, &mut screen.out);
    screen.done(written)
}

/// Fails if a file that is to be written is one that is read, or is to be written twice: nothing of a user's is lost.
pub fn spare(written: &[Option<&Path>], read: &[PathBuf]) -> Result<(), Trouble> {
    let written: Vec<&Path> = written.iter().flatten().copied().collect();
    for (i, path) in written.iter().enumerate() {
        let shown = path.display();
        if read.iter().any(|r| same(r, path)) {
            return Err(Trouble::new(format!("{shown} is read by this command, and would be overwritten"))
                .help("give the output another name"));
        }
        if written[..i].iter().any(|w| same(w, path)) {
            return Err(Trouble::new(format!("{shown} would be written twice")).help("give each output its own name"));
        }
    }
    Ok(())
}

/// True if two paths lead to the same file, as far as the file system can say.
fn same(a: &Path, b: &Path) -> bool {
    let whole = |p: &Path| std::fs::canonicalize(p).or_else(|_| std::path::absolute(p)).unwrap_or(p.to_path_buf());
    whole(a) == whole(b)
}

/// The width of the terminal, or 80 where there is none.
pub fn columns() -> usize {
    match terminal_size::terminal_size() {
        Some((width, _)) if io::stdout().is_terminal() => usize::from(width.0).clamp(40, 200),
        _ => WIDTH,
    }
}

/// Says something on stderr. That nobody can be told, because stderr is closed or its disk full, is no error: the exit
/// status says it too.
pub fn tell(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

/// Writes a text to stdout; a reader that has gone is no error.
pub fn print(text: &str) -> Result<(), Trouble> {
    let mut out = anstream::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => Err(Trouble::new(format!("stdout: {e}"))),
        _ => Ok(()),
    }
}
