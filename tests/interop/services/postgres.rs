//! PostgreSQL: a cluster of its own. It refuses to run as root.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Setting, give};
use crate::daemon::{Daemon, Ready};

/// Makes an empty cluster, which every server gets a copy of.
pub fn cluster(folder: &Path) -> PathBuf {
    let cluster = folder.join("cluster");
    fs::create_dir(&cluster).expect("a folder");
    give("postgres", &cluster);
    let out = as_postgres("initdb")
        .args(["--no-sync", "--auth=trust", "--encoding=UTF8", "--no-locale", "--pgdata"])
        .arg(&cluster)
        .output()
        .expect("PostgreSQL is installed: run tests/run");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    cluster
}

/// Starts it on a copy of a cluster.
pub fn start(setting: &Setting, cluster: &Path, at: SocketAddr) -> Daemon {
    let files = setting.folder.join("files");
    let copied = Command::new("cp").arg("-a").args([cluster, &files]).status();
    assert!(copied.is_ok_and(|s| s.success()), "a cluster can be copied");
    give("postgres", &setting.folder);
    let mut command = as_postgres("postgres");
    command.arg("-D").arg(&files).args(["-p", &at.port().to_string(), "-c", "fsync=off"]);
    command.args(["-c", &format!("listen_addresses={}", at.ip()), "-c", "unix_socket_directories="]);
    if setting.identity.is_some() {
        let only_owner = fs::Permissions::from_mode(0o600);
        fs::set_permissions(setting.path("key.pem"), only_owner).expect("a mode can be set");
        command.args(["-c", "ssl=on", "-c", &format!("ssl_cert_file={}", setting.path("chain.pem"))]);
        command.args(["-c", &format!("ssl_key_file={}", setting.path("key.pem"))]);
    }
    Daemon::start("postgres", &mut command, &setting.folder, &Ready::Listens(&[at]))
}

/// A program of PostgreSQL in the place of this process, so that its id is the server's.
fn as_postgres(program: &str) -> Command {
    let versions = fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is installed: run tests/run");
    let newest = versions.filter_map(|v| Some(v.ok()?.path())).max().expect("a version of PostgreSQL");
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"])
        .arg(newest.join("bin").join(program));
    command.current_dir("/");
    command
}
