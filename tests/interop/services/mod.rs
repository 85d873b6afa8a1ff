//! Servers of every protocol that comes to TLS, each right, with another certificate, and without TLS.

mod capture;
mod cases;
mod postgres;
mod proftpd;
mod prosody;
mod slapd;
mod stunnel;
mod tee;
mod verdicts;
mod vsftpd;
mod xrdp;

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::{fs, thread};

use crate::certificates::Identity;
use crate::daemon::{Daemon, free_port};

/// How a server is set up: in a folder of its own, with this certificate or without TLS.
pub struct Setting<'a> {
    /// Where its files are.
    pub folder: PathBuf,
    /// Its certificate.
    pub identity: Option<&'a Identity>,
}

impl<'a> Setting<'a> {
    /// Makes the folder, with `chain.pem`, `leaf.pem`, `issuers.pem` and `key.pem` if there is a certificate.
    fn new(folder: PathBuf, identity: Option<&'a Identity>) -> Self {
        fs::create_dir_all(&folder).expect("a folder");
        let setting = Self { folder, identity };
        if let Some(identity) = identity {
            setting.write("leaf.pem", &identity.leaf);
            setting.write("chain.pem", &identity.chain);
            setting.write("issuers.pem", identity.chain.strip_prefix(&identity.leaf).unwrap_or_default());
            setting.write("key.pem", &identity.key);
        }
        setting
    }

    /// The path of a file in the folder.
    fn path(&self, file: &str) -> String {
        self.folder.join(file).display().to_string()
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.folder.join(file), text).expect("a file can be written");
    }

    /// These lines if there is a certificate, else those.
    fn either(&self, with: String, without: &str) -> String {
        if self.identity.is_some() { with } else { without.into() }
    }
}

/// A port of 127.0.0.1 at which nobody listens.
fn port() -> SocketAddr {
    let ip = IpAddr::from([127, 0, 0, 1]);
    SocketAddr::new(ip, free_port(ip))
}

/// What starts a server.
type Start<'a> = Box<dyn FnOnce() -> Vec<Daemon> + Send + 'a>;

/// Starts servers side by side: each spends its time waiting.
fn all(starts: Vec<Start>) -> Vec<Daemon> {
    thread::scope(|scope| {
        let running: Vec<_> = starts.into_iter().map(|start| scope.spawn(start)).collect();
        running.into_iter().flat_map(|r| r.join().expect("a server that starts")).collect()
    })
}

/// Gives a file or folder to a user.
fn give(user: &str, path: &Path) {
    let owned = std::process::Command::new("chown").arg("-R").arg(user).arg(path).status();
    assert!(owned.is_ok_and(|s| s.success()), "{user} exists, and this is root: run tests/run");
}
