//! Dovecot: IMAP and POP3, each with STARTTLS and with TLS from the start.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use crate::certificates::Identity;
use crate::daemon::{Daemon, Ready};

/// A mailbox server.
pub struct Dovecot<'a> {
    /// Where imap, imaps, pop3 and pop3s are.
    pub at: [SocketAddr; 4],
    /// Its certificate.
    pub identity: &'a Identity,
    /// Another certificate at imaps alone.
    pub imaps: Option<&'a Identity>,
}

/// Starts it; a second instance where imaps differs, since one has one certificate for all its ports.
pub fn start(folder: &Path, server: &Dovecot) -> Vec<Daemon> {
    let [imap, imaps, pop3, pop3s] = server.at;
    match server.imaps {
        None => vec![one(folder, "dovecot", server.identity, [Some(imap), Some(imaps), Some(pop3), Some(pop3s)])],
        Some(other) => vec![
            one(folder, "dovecot", server.identity, [Some(imap), None, Some(pop3), Some(pop3s)]),
            one(folder, "dovecot-old", other, [None, Some(imaps), None, None]),
        ],
    }
}

fn one(folder: &Path, name: &'static str, identity: &Identity, at: [Option<SocketAddr>; 4]) -> Daemon {
    let folder = folder.join(name);
    fs::create_dir(&folder).expect("a folder");
    fs::write(folder.join("chain.pem"), &identity.chain).expect("a chain can be written");
    fs::write(folder.join("key.pem"), &identity.key).expect("a key can be written");
    fs::write(folder.join("dovecot.conf"), config(&folder, at)).expect("a configuration can be written");
    let mut command = Command::new("dovecot");
    command.arg("-F").arg("-c").arg(folder.join("dovecot.conf"));
    let listening: Vec<_> = at.into_iter().flatten().collect();
    Daemon::start(name, &mut command, &folder, &Ready::Listens(&listening))
}

fn config(folder: &Path, at: [Option<SocketAddr>; 4]) -> String {
    let path = folder.display();
    let listener = |name: &str, at: Option<SocketAddr>, ssl: &str| match at {
        Some(at) => {
            format!("inet_listener {name} {{\n address = {}\n port = {}\n ssl = {ssl}\n }}\n", at.ip(), at.port())
        }
        None => format!("inet_listener {name} {{\n port = 0\n }}\n"),
    };
    let [imap, imaps, pop3, pop3s] = at;
    format!(
        "base_dir = {path}/run\nstate_dir = {path}/state\nlog_path = {path}/{name}.log\ninstance_name = {name}\n\
         protocols = imap pop3\nlisten = 127.0.0.1\nssl = yes\nssl_cert = <{path}/chain.pem\nssl_key = <{path}/key.pem\n\
         default_login_user = nobody\ndefault_internal_user = dovecot\n\
         passdb {{\n driver = static\n args = nopassword=y\n}}\n\
         service imap-login {{\n{}{}}}\nservice pop3-login {{\n{}{}}}\n",
        listener("imap", imap, "no"),
        listener("imaps", imaps, "yes"),
        listener("pop3", pop3, "no"),
        listener("pop3s", pop3s, "yes"),
        name = folder.file_name().unwrap_or_default().display(),
    )
}
