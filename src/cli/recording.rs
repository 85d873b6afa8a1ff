//! Recordings on disk.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::examine::Blobs;
use super::{Trouble, output};
use crate::model::observation::{Recording, Run};
use crate::model::text::shown;
use crate::observe::{Seen, file};
use crate::record::{self, Writer};

/// Bytes of a recording that is read: twice what a million observations take.
const LARGEST: u64 = 1 << 30;

/// A recording that grows while a run looks. Its first fault is kept and told at the end: the run goes on, for the verdict
/// does not depend on it.
pub struct Growing {
    path: PathBuf,
    writer: Writer<BufWriter<File>>,
    fault: Option<io::Error>,
}

impl Growing {
    /// Begins one with its runs, the first of which is this machine's own, and their trust anchors.
    pub fn create(path: &Path, (own, through): (&Run, &[Run]), blobs: &Blobs) -> Result<Self, Trouble> {
        let trouble = |e: io::Error| Trouble::new(format!("{}: {e}", path.display()));
        let out = BufWriter::new(File::create(path).map_err(trouble)?);
        let mut writer = Writer::new(out, own).map_err(trouble)?;
        through.iter().try_for_each(|run| writer.run(run)).map_err(trouble)?;
        let mut growing = Self { path: path.to_path_buf(), writer, fault: None };
        for (id, der) in blobs {
            growing.writer.blob(*id, der).map_err(trouble)?;
        }
        Ok(growing)
    }

    /// Adds what was seen.
    pub fn add(&mut self, seen: &Seen) {
        if self.fault.is_none() {
            let written = match seen {
                Seen::Blob(id, der) => self.writer.blob(*id, der),
                Seen::Observation(observation) => self.writer.observation(observation),
            };
            self.fault = written.err();
        }
    }

    /// Ends it; says so if it is not whole.
    pub fn finish(self) -> Result<(), Trouble> {
        let done = match self.fault {
            Some(fault) => Err(fault),
            None => self.writer.finish(),
        };
        done.map_err(|e| Trouble::new(format!("{}: the recording is not whole: {e}", self.path.display())))
    }
}

/// Reads a recording.
pub fn read(path: &Path) -> Result<Recording, Trouble> {
    let name = path.display().to_string();
    let mut file = file::open_bounded(path, LARGEST).map_err(|e| Trouble::new(format!("{name}: {e}")))?;
    if is_cut_off(&mut file) {
        output::tell(&format!(
            "warning: {} ends in the middle of a line, which is left out; what came after it is not known",
            shown(&name)
        ));
    }
    let recording =
        record::read(BufReader::new(file)).map_err(|e| Trouble::new(format!("{name}:{}: {}", e.line, e.message)))?;
    match recording.runs.is_empty() {
        true => Err(Trouble::new(format!("{name}: there is no run in this recording"))),
        false => Ok(recording),
    }
}

/// True if a file does not end with the end of a line, as every recording does that was written to its end.
fn is_cut_off(file: &mut File) -> bool {
    let mut last = [0];
    let read = file.seek(SeekFrom::End(-1)).and_then(|_| file.read_exact(&mut last));
    let _ = file.rewind();
    read.is_ok() && last != *b"\n"
}
