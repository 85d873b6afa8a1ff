//! A real server: started in the foreground, waited for, stopped by its process id, its log shown when a test fails.

use std::fs;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How long a server may take to start or to stop.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running server; it is stopped when this is dropped.
pub struct Daemon {
    name: &'static str,
    child: Child,
    log: PathBuf,
    /// Where the process id stands that has to be told to stop, if it is not the child's.
    pid_file: Option<PathBuf>,
}

/// What shows that a server has started.
pub enum Ready<'a> {
    /// It listens at all of these.
    Listens(&'a [SocketAddr]),
    /// Its log says so.
    Says(&'a str),
}

/// Starts a process. A program that was just copied is busy while a child that another test forks at that moment still
/// holds the copy open; it lets go when it runs its own program.
fn spawn(command: &mut Command) -> io::Result<Child> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match command.spawn() {
            Err(e) if e.kind() == ErrorKind::ExecutableFileBusy && Instant::now() < deadline => {
                thread::sleep(Duration::from_millis(10));
            }
            other => return other,
        }
    }
}

impl Daemon {
    /// Starts a server whose standard output and error go to `FOLDER/NAME.log`.
    pub fn start(name: &'static str, command: &mut Command, folder: &Path, ready: &Ready) -> Self {
        let log = folder.join(format!("{name}.log"));
        let out = fs::OpenOptions::new().create(true).append(true).open(&log).expect("a log can be opened");
        command.stdin(Stdio::null()).stdout(out.try_clone().expect("a handle")).stderr(out);
        let child = spawn(command).unwrap_or_else(|e| panic!("{name} does not start: {e}; run tests/run"));
        let mut daemon = Self { name, child, log, pid_file: None };
        daemon.wait(ready);
        daemon
    }

    /// Tells the process in this file to stop, where the child does not pass the word on.
    pub fn stopped_by(mut self, pid_file: PathBuf) -> Self {
        self.pid_file = Some(pid_file);
        self
    }

    fn wait(&mut self, ready: &Ready) {
        let deadline = Instant::now() + PATIENCE;
        while !self.is(ready) {
            let ended = self.child.try_wait().expect("the child can be asked");
            assert!(ended.is_none(), "{} ended with {ended:?}:\n{}", self.name, self.log());
            assert!(Instant::now() < deadline, "{} is not ready in {PATIENCE:?}:\n{}", self.name, self.log());
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn is(&self, ready: &Ready) -> bool {
        match ready {
            Ready::Listens(at) => at.iter().all(|a| TcpStream::connect_timeout(a, PATIENCE).is_ok()),
            Ready::Says(words) => self.log().contains(words),
        }
    }

    fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    fn pid(&self) -> String {
        let from_file = self.pid_file.as_ref().and_then(|f| fs::read_to_string(f).ok());
        from_file.map_or(self.child.id().to_string(), |t| t.trim().to_string())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-TERM", &self.pid()]).stderr(Stdio::null()).status();
        let deadline = Instant::now() + PATIENCE;
        while matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() > deadline {
                let _ = self.child.kill();
            }
            thread::sleep(Duration::from_millis(10));
        }
        if thread::panicking() {
            eprintln!("--- {}\n{}", self.name, self.log());
        }
    }
}

/// A port of this address at which nobody listens, TCP or UDP. None is given twice, and all lie below those that the
/// system hands out to others by itself.
pub fn free_port(address: IpAddr) -> u16 {
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    let first = 20_000 + std::process::id() as u16 % 8_000;
    let mut ports = std::iter::repeat_with(|| first + GIVEN.fetch_add(1, Ordering::Relaxed) % 4_000);
    let is_free = |port: &u16| TcpListener::bind((address, *port)).is_ok() && UdpSocket::bind((address, *port)).is_ok();
    ports.find(is_free).expect("ports do not run out")
}
