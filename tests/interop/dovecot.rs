//! Dovecot: IMAP, POP3 and ManageSieve, with STARTTLS, with TLS from the start, or without TLS.

use std::fmt::Write;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use crate::certificates::Identity;
use crate::daemon::{Daemon, Ready};

/// A mailbox server.
pub struct Dovecot<'a> {
    /// Where it listens, by the plan's service words: `imap`, `imaps`, `pop3`, `pop3s`, `sieve`.
    pub at: &'a [(&'a str, SocketAddr)],
    /// Its certificate, one for all its ports; without one it speaks no TLS.
    pub identity: Option<&'a Identity>,
}

/// Starts it in a folder of its own.
pub fn start(folder: &Path, name: &'static str, server: &Dovecot) -> Daemon {
    let folder = folder.join(name);
    fs::create_dir(&folder).expect("a folder");
    if let Some(identity) = server.identity {
        fs::write(folder.join("chain.pem"), &identity.chain).expect("a chain can be written");
        fs::write(folder.join("key.pem"), &identity.key).expect("a key can be written");
    }
    fs::write(folder.join("dovecot.conf"), config(&folder, name, server)).expect("a configuration can be written");
    let mut command = Command::new("dovecot");
    command.arg("-F").arg("-c").arg(folder.join("dovecot.conf"));
    let listening: Vec<_> = server.at.iter().map(|(_, at)| *at).collect();
    Daemon::start(name, &mut command, &folder, &Ready::Listens(&listening))
}

fn config(folder: &Path, name: &str, server: &Dovecot) -> String {
    let path = folder.display();
    let tls = match server.identity {
        Some(_) => format!("ssl = yes\nssl_cert = <{path}/chain.pem\nssl_key = <{path}/key.pem"),
        None => "ssl = no".into(),
    };
    let listener = |word: &str| match server.at.iter().find(|(w, _)| *w == word) {
        Some((_, at)) => {
            let implicit = if word.ends_with('s') { "yes" } else { "no" };
            format!("inet_listener {word} {{\n address = {}\n port = {}\n ssl = {implicit}\n }}\n", at.ip(), at.port())
        }
        None => format!("inet_listener {word} {{\n port = 0\n }}\n"),
    };
    let (mut protocols, mut services) = (Vec::new(), String::new());
    for (protocol, service) in [("imap", "imap-login"), ("pop3", "pop3-login"), ("sieve", "managesieve-login")] {
        if server.at.iter().any(|(word, _)| word.starts_with(protocol)) {
            protocols.push(protocol);
            let (plain, secure) = (listener(protocol), listener(&format!("{protocol}s")));
            let _ = writeln!(services, "service {service} {{\n{plain}{secure}}}");
        }
    }
    format!(
        "base_dir = {path}/run\nstate_dir = {path}/state\nlog_path = {path}/{name}.log\ninstance_name = {name}\n\
         protocols = {}\nlisten = 127.0.0.1\n{tls}\n\
         default_login_user = nobody\ndefault_internal_user = dovecot\n\
         passdb {{\n driver = static\n args = nopassword=y\n}}\n{services}",
        protocols.join(" "),
    )
}
