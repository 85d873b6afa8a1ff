//! Prosody: XMPP for the domain that its certificate is for.

use std::net::SocketAddr;
use std::process::Command;

use super::Setting;
use crate::daemon::{Daemon, Ready};

/// Who speaks to it there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Peers {
    /// Clients.
    Clients,
    /// Other servers.
    Servers,
}

/// Starts it for a domain.
pub fn start(setting: &Setting, at: SocketAddr, domain: &str, peers: Peers) -> Daemon {
    let path = setting.folder.display();
    let tls = setting.either(
        format!("ssl = {{ key = \"{}\", certificate = \"{}\" }}\n", setting.path("key.pem"), setting.path("chain.pem")),
        "",
    );
    let modules = setting.either("\"tls\", \"saslauth\"".into(), "\"saslauth\"");
    let (ports, without) = match peers {
        Peers::Clients => (format!("c2s_ports = {{ {} }}\ns2s_ports = {{ }}", at.port()), "\"s2s\", "),
        Peers::Servers => (format!("c2s_ports = {{ }}\ns2s_ports = {{ {} }}", at.port()), ""),
    };
    setting.write(
        "prosody.cfg.lua",
        &format!(
            "run_as_root = true\npidfile = \"{path}/prosody.pid\"\ndata_path = \"{path}\"\ninterfaces = {{ \"{}\" }}\n\
             {ports}\nmodules_enabled = {{ {modules} }}\n\
             modules_disabled = {{ {without}\"offline\" }}\nallow_unencrypted_plain_auth = true\n\
             c2s_require_encryption = false\ns2s_require_encryption = false\nlog = {{ info = \"*console\" }}\n\
             VirtualHost \"{domain}\"\n{tls}",
            at.ip(),
        ),
    );
    let mut command = Command::new("prosody");
    command.args(["-F", "--config", &setting.path("prosody.cfg.lua")]);
    Daemon::start("prosody", &mut command, &setting.folder, &Ready::Listens(&[at]))
}
