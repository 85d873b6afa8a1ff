//! Writing a recording as it grows.

use std::io::{self, Write};

use data_encoding::BASE64;

use super::{Blob, Line};
use crate::model::certificate::BlobId;
use crate::model::observation::{Observation, Run};

/// Writes a recording as it grows, a line at a time.
pub struct Writer<W: Write> {
    out: W,
}

impl<W: Write> Writer<W> {
    /// A recording that begins with a run.
    pub fn new(out: W, run: &Run) -> io::Result<Self> {
        let mut writer = Self { out };
        writer.line(&Line::Run(run.clone()))?;
        Ok(writer)
    }

    /// Adds a blob.
    pub fn blob(&mut self, id: BlobId, der: &[u8]) -> io::Result<()> {
        self.line(&Line::Blob(Blob { sha256: id, der: BASE64.encode(der) }))
    }

    /// Adds an observation.
    pub fn observation(&mut self, observation: &Observation) -> io::Result<()> {
        self.line(&Line::Observation(observation.clone()))
    }

    /// Flushes what is written.
    pub fn finish(mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn line(&mut self, line: &Line) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(line)?;
        bytes.push(b'\n');
        self.out.write_all(&bytes)
    }
}
