//! Recordings on disk: versioned JSON Lines of three kinds: a run, a blob, an observation.

use std::io::{self, BufRead, Write};

use crate::model::certificate::BlobId;
use crate::model::observation::{Observation, Recording, Run};

/// Writes a recording as it grows.
pub struct Writer<W: Write> {
    #[allow(dead_code)]
    out: W,
}

/// Why a recording could not be read.
#[derive(Debug)]
pub struct RecordError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, lower case, no full stop.
    pub message: String,
}

impl<W: Write> Writer<W> {
    /// A recording that begins with a run.
    pub fn new(_out: W, _run: &Run) -> io::Result<Self> {
        todo!()
    }

    /// Adds a blob.
    pub fn blob(&mut self, _id: BlobId, _der: &[u8]) -> io::Result<()> {
        todo!()
    }

    /// Adds an observation.
    pub fn observation(&mut self, _observation: &Observation) -> io::Result<()> {
        todo!()
    }

    /// Flushes what is written.
    pub fn finish(self) -> io::Result<()> {
        todo!()
    }
}

/// Reads a recording; a line that is cut off at the end of the file is left out, any other fault is an error.
pub fn read(_input: impl BufRead) -> Result<Recording, RecordError> {
    todo!()
}
