//! Reading a recording, which may come from anybody.

use std::fmt;
use std::io::{BufRead, Read};
use std::sync::Arc;

use data_encoding::BASE64;
use serde::Deserialize;

use super::{Blob, Line};
use crate::model::certificate::BlobId;
use crate::model::observation::{FORMAT, FileOutcome, MINOR, Observation, Outcome, Recording, Run};
use crate::model::tls::TlsOutcome;
use crate::pki;

/// Bytes of one line; the largest that this tool writes has a third of it.
const LINE: usize = 4 * 1024 * 1024;

/// Why a recording could not be read.
#[derive(Debug)]
pub struct RecordError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, lower case, no full stop.
    pub message: String,
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for RecordError {}

/// Reads a recording; a line that is cut off at the end of the file is left out, any other fault is an error. A byte
/// order mark, CRLF and empty lines are read too.
pub fn read(mut input: impl BufRead) -> Result<Recording, RecordError> {
    let mut recording = Recording::default();
    let mut bytes = Vec::new();
    for line in 1.. {
        let fault = |message| RecordError { line, message };
        bytes.clear();
        let limit = u64::try_from(LINE + 1).unwrap_or(u64::MAX);
        let length = input.by_ref().take(limit).read_until(b'\n', &mut bytes).map_err(|e| fault(e.to_string()))?;
        if length > LINE {
            return Err(fault(format!("longer than {} MiB, no line of a recording", LINE / 1024 / 1024)));
        }
        let is_last = bytes.last() != Some(&b'\n');
        match add(&mut recording, text_of(&bytes, line == 1)) {
            Err(Fault::CutOff(_)) if is_last => break,
            Err(Fault::CutOff(message) | Fault::Wrong(message)) => return Err(fault(message)),
            Ok(()) if is_last => break,
            Ok(()) => {}
        }
    }
    Ok(recording)
}

/// What is wrong with a line.
enum Fault {
    /// Its end is missing.
    CutOff(String),
    /// It is no line of a recording, or cannot be true.
    Wrong(String),
}

fn text_of(bytes: &[u8], is_first: bool) -> &[u8] {
    let bytes = match is_first {
        true => bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes),
        false => bytes,
    };
    bytes.trim_ascii()
}

fn add(recording: &mut Recording, text: &[u8]) -> Result<(), Fault> {
    if text.is_empty() {
        return Ok(());
    }
    let line = match serde_json::from_slice(text) {
        Ok(line) => line,
        Err(e) if e.is_eof() => return Err(Fault::CutOff(words(&e))),
        Err(e) => return Err(Fault::Wrong(other_version(text).unwrap_or_else(|| words(&e)))),
    };
    match line {
        Line::Run(run) => add_run(recording, run),
        Line::Blob(blob) => add_blob(recording, &blob),
        Line::Observation(observation) => add_observation(recording, observation),
    }
    .map_err(Fault::Wrong)
}

/// A syntax error without the library's own idea of lines, of which there is one.
fn words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
    format!("not a line of a recording: {what}, in column {}", error.column())
}

/// A run of another version may look otherwise too.
fn other_version(text: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Head {
        run: Format,
    }
    #[derive(Deserialize)]
    struct Format {
        format: u32,
        #[serde(default)]
        minor: u32,
    }
    let head: Head = serde_json::from_slice(text).ok()?;
    version(head.run.format, head.run.minor).err()
}

/// What a newer release recorded beyond this one's knowledge would be passed over, and might be judged as if it were not
/// there.
fn version(format: u32, minor: u32) -> Result<(), String> {
    match (format, minor) {
        (FORMAT, ..=MINOR) => Ok(()),
        (FORMAT, _) => Err(format!(
            "a recording of format {FORMAT}.{minor}; this release reads format {FORMAT} up to {FORMAT}.{MINOR}"
        )),
        (other, _) => Err(format!("a recording of format {other}; this release reads format {FORMAT}")),
    }
}

fn add_run(recording: &mut Recording, run: Run) -> Result<(), String> {
    version(run.format, run.minor)?;
    match recording.runs.get(&run.id) {
        Some(known) if *known != run => Err(format!("the run {} stands here twice, and differs", run.id)),
        _ => {
            recording.runs.insert(run.id.clone(), run);
            Ok(())
        }
    }
}

fn add_blob(recording: &mut Recording, blob: &Blob) -> Result<(), String> {
    let der = BASE64.decode(blob.der.as_bytes()).map_err(|e| format!("a certificate is not base64: {e}"))?;
    let digest = pki::blob_id(&der);
    if digest != blob.sha256 {
        return Err(format!("a certificate has the SHA-256 {digest}, but is said to have {}", blob.sha256));
    }
    recording.blobs.insert(digest, der.into());
    Ok(())
}

fn add_observation(recording: &mut Recording, mut observation: Observation) -> Result<(), String> {
    let Some((id, _)) = recording.runs.get_key_value(&observation.run) else {
        return Err(format!("an observation of the run {}, which does not stand before it", observation.run));
    };
    observation.run = Arc::clone(id);
    if let Outcome::Tls(TlsOutcome::Certificate(served)) = &*observation.outcome
        && matches!(served.declined.as_deref(), Some(TlsOutcome::Certificate(_)))
    {
        return Err("an observation of a client that was declined and served at once".into());
    }
    match certificates(&observation.outcome).iter().find(|id| !recording.blobs.contains_key(*id)) {
        Some(missing) => Err(format!("an observation of the certificate {missing}, which does not stand before it")),
        None => {
            recording.observations.insert(observation);
            Ok(())
        }
    }
}

/// The certificates that an outcome refers to.
fn certificates(outcome: &Outcome) -> &[BlobId] {
    match outcome {
        Outcome::File(FileOutcome::Certificates { chain, .. }) => chain,
        Outcome::Tls(TlsOutcome::Certificate(served)) => &served.chain,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: &str = concat!(
        r#"{"run":{"id":"r1","format":1,"tool":"coexist 0.1.0","#,
        r#""plan":"0000000000000000000000000000000000000000000000000000000000000000","#,
        r#""stands_in":["internal"],"started":"2026-11-21T21:04:00Z"}}"#,
    );
    /// The digest is that of the two bytes 30 00.
    const BLOB: &str =
        r#"{"blob":{"sha256":"e4f60d0aa6d7f3d3b6a6494b1c861b99f649c6f9ec51abaf201b20f297327c95","der":"MAA="}}"#;

    fn observation(run: &str, chain: &str) -> String {
        format!(
            r#"{{"observation":{{"probe":{{"file":"a.pem"}},"run":"{run}","at":"2026-11-21T21:04:01Z","outcome":{{"file":{{"certificates":{{"chain":[{chain}]}}}}}}}}}}"#
        )
    }

    fn of(lines: &[&str]) -> Result<Recording, RecordError> {
        read(lines.join("\n").as_bytes())
    }

    fn error(lines: &[&str]) -> String {
        of(lines).unwrap_err().to_string()
    }

    #[test]
    fn a_recording_is_read_whatever_an_editor_did_to_its_lines() {
        let id = r#""e4f60d0aa6d7f3d3b6a6494b1c861b99f649c6f9ec51abaf201b20f297327c95""#;
        let seen = observation("r1", id);
        let plain = of(&[RUN, BLOB, &seen, ""]).unwrap();
        assert_eq!((plain.runs.len(), plain.blobs.len(), plain.observations.len()), (1, 1, 1));
        let dos = format!("\u{feff}{RUN}\r\n\r\n{BLOB}\r\n{seen}");
        assert_eq!(read(dos.as_bytes()).unwrap(), plain);
        assert_eq!(read(&b""[..]).unwrap(), Recording::default());
    }

    #[test]
    fn only_a_last_line_that_is_cut_off_is_left_out() {
        let whole = of(&[RUN, BLOB, ""]).unwrap();
        for cut in 1..RUN.len() {
            assert_eq!(of(&[RUN, BLOB, &RUN[..cut]]).unwrap(), whole);
        }
        assert!(error(&[RUN, &BLOB[..20], RUN]).starts_with("line 2: not a line of a recording: EOF"));
        assert!(error(&[RUN, &BLOB[..20], ""]).starts_with("line 2: "));
        assert!(error(&[RUN, r#"{"note":1}"#]).starts_with("line 2: not a line of a recording: unknown variant"));
    }

    #[test]
    fn another_version_names_both() {
        let want = "line 1: a recording of format 2; this release reads format 1";
        assert_eq!(error(&[&RUN.replace(r#""format":1"#, r#""format":2"#)]), want);
        assert_eq!(error(&[r#"{"run":{"format":2,"new":true}}"#, ""]), want);
    }

    #[test]
    fn an_older_minor_version_is_read_and_a_newer_one_is_not() {
        let minor = |minor: u32| RUN.replace(r#""format":1"#, &format!(r#""format":1,"minor":{minor}"#));
        assert_eq!(of(&[&minor(MINOR)]).unwrap().runs["r1"].minor, MINOR);
        assert_eq!(of(&[RUN]).unwrap().runs["r1"].minor, 0);
        let newer = MINOR + 1;
        let want = format!("line 1: a recording of format 1.{newer}; this release reads format 1 up to 1.{MINOR}");
        assert_eq!(error(&[&minor(newer)]), want);
        assert_eq!(error(&[r#"{"run":{"format":1,"minor":9,"new":true}}"#, ""]), want.replace(&newer.to_string(), "9"));
    }

    #[test]
    fn what_cannot_be_true_is_refused() {
        let forged = BLOB.replace("MAA=", "MAE=");
        assert!(error(&[RUN, &forged]).starts_with("line 2: a certificate has the SHA-256 "));
        assert!(error(&[RUN, &BLOB.replace("MAA=", "?")]).contains("not base64"));
        assert!(error(&[RUN, &observation("r2", "")]).contains("the run r2, which does not stand before it"));
        let missing = format!("\"{}\"", "00".repeat(32));
        assert!(error(&[RUN, &observation("r1", &missing)]).contains("which does not stand before it"));
        assert!(error(&[RUN, &RUN.replace("0.1.0", "0.2.0")]).ends_with("stands here twice, and differs"));
        let both = concat!(
            r#"{"observation":{"probe":{"tls":{"address":"10.0.0.1:443","way":"implicit","sni":null}},"run":"r1","#,
            r#""at":"2026-11-21T21:04:01Z","outcome":{"tls":{"certificate":{"chain":[],"possession":"proved","#,
            r#""declined":{"certificate":{"chain":[],"possession":"proved"}}}}}}}"#,
        );
        assert!(error(&[RUN, both]).ends_with("declined and served at once"), "{}", error(&[RUN, both]));
    }

    #[test]
    fn a_line_is_bounded() {
        let long = vec![b'{'; LINE + 1];
        assert!(read(long.as_slice()).unwrap_err().message.contains("longer than 4 MiB"));
        let endless = std::io::BufReader::new(std::io::repeat(b' '));
        assert!(read(endless).is_err());
    }
}
