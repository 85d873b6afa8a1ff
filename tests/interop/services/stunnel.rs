//! stunnel: TLS from the start in front of anything.

use std::fmt::Write;
use std::net::SocketAddr;
use std::process::Command;

use super::Setting;
use crate::daemon::{Daemon, Ready};

/// Starts it, at several addresses in front of one server.
pub fn start(setting: &Setting, at: &[SocketAddr], behind: SocketAddr) -> Daemon {
    let mut text = "foreground = yes\npid =\nsyslog = no\n".to_string();
    for (i, at) in at.iter().enumerate() {
        let (chain, key) = (setting.path("chain.pem"), setting.path("key.pem"));
        let _ = write!(text, "[{i}]\naccept = {at}\nconnect = {behind}\ncert = {chain}\nkey = {key}\n");
    }
    setting.write("stunnel.conf", &text);
    let mut command = Command::new("stunnel");
    command.arg(setting.path("stunnel.conf"));
    Daemon::start("stunnel", &mut command, &setting.folder, &Ready::Listens(at))
}
