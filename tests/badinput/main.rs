//! A hostile world, as far as it comes by files, by text and by the machine: each a clear error or a finding, everything
//! else still judged, no panic, bounded time and memory, and nothing that steers a terminal or a build server.
//!
//! What comes by the network is held against hostile resolvers and servers elsewhere.
// Helpers are not marked as tests, so that clippy's exception for tests does not reach them.
#![allow(clippy::unwrap_used, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "a test runs the program, and writes and reads its own files")]

mod certificates;
mod inspect;
mod inventories;
mod places;
mod plans;
mod run;
mod text;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// Longer than anything here may take, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a run of the program said, and how it ended.
struct Said {
    status: Option<i32>,
    out: String,
    err: String,
}

impl Said {
    /// Both outputs.
    fn all(&self) -> String {
        format!("{}{}", self.out, self.err)
    }

    /// Fails unless the status is this, and nothing panicked.
    #[track_caller]
    fn code(self, status: i32) -> Self {
        let Self { out, err, .. } = &self;
        assert_eq!(self.status, Some(status), "stdout:\n{out}\nstderr:\n{err}");
        assert!(!err.contains("panicked"), "{err}");
        self
    }
}

/// A folder of files for one test.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file.
    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> &Self {
        std::fs::write(self.path(name), bytes).unwrap();
        self
    }

    /// A file of so many bytes, none of which takes room on the disk where the file system can help it.
    fn sparse(&self, name: &str, length: u64) -> &Self {
        std::fs::File::create(self.path(name)).unwrap().set_len(length).unwrap();
        self
    }

    #[cfg(unix)]
    fn fifo(&self, name: &str) -> &Self {
        assert!(Command::new("mkfifo").arg(self.path(name)).status().unwrap().success());
        self
    }

    /// The program, to be run in this folder.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coexist"));
        command.args(args).current_dir(self.0.path()).env("NO_COLOR", "1").env("COLUMNS", "100");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// As [`Folder::command`], with words of a shell before it: a limit, a redirection after it.
    #[cfg(unix)]
    fn shell(&self, before: &str, args: &[&str], after: &str) -> Command {
        let mut command = Command::new("sh");
        let program = self.command(args);
        let script = format!("{before}\nexec \"$@\" {after}");
        command.arg("-c").arg(script).arg("sh").arg(program.get_program()).args(args);
        command.current_dir(self.0.path()).env("NO_COLOR", "1").env("COLUMNS", "100");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the program to its end.
    #[track_caller]
    fn run(&self, args: &[&str]) -> Said {
        finish(self.command(args))
    }
}

/// Runs a command to its end; it fails if there is none in time.
#[track_caller]
fn finish(mut command: Command) -> Said {
    let child = command.spawn().unwrap();
    let id = child.id();
    let (done, ended) = mpsc::channel();
    std::thread::spawn(move || done.send(child.wait_with_output()));
    let Ok(output) = ended.recv_timeout(PATIENCE) else {
        let _ = Command::new("kill").arg(id.to_string()).status();
        panic!("it does not end: {command:?}");
    };
    let output = output.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("what is shown is UTF-8");
    Said { status: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// A plan of one name, one server and one certificate.
const PLAN: &str = r#"
title = "a title"

[views.internal]
resolvers = ["127.0.0.1:1"]
trust = ["root.pem"]

[certificates.mail]
file = "mail.pem"

[servers.mail]
address = "127.0.0.1"
certificate = "mail"

[internet]
"mail.example.com" = "mail"
"#;

/// The repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
