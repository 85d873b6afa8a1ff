//! Prosody: XMPP for the domain that its certificate is for.

use std::net::SocketAddr;
use std::process::Command;

use super::Setting;
use crate::daemon::{Daemon, Ready};

/// Starts it for a domain.
pub fn start(setting: &Setting, at: SocketAddr, domain: &str) -> Daemon {
    let path = setting.folder.display();
    let tls = setting.either(
        format!("ssl = {{ key = \"{}\", certificate = \"{}\" }}\n", setting.path("key.pem"), setting.path("chain.pem")),
        "",
    );
    let modules = setting.either("\"tls\", \"saslauth\"".into(), "\"saslauth\"");
    setting.write(
        "prosody.cfg.lua",
        &format!(
            "run_as_root = true\npidfile = \"{path}/prosody.pid\"\ndata_path = \"{path}\"\ninterfaces = {{ \"{}\" }}\n\
             c2s_ports = {{ {} }}\ns2s_ports = {{ }}\nmodules_enabled = {{ {modules} }}\n\
             modules_disabled = {{ \"s2s\", \"offline\" }}\nallow_unencrypted_plain_auth = true\n\
             c2s_require_encryption = false\nlog = {{ info = \"*console\" }}\nVirtualHost \"{domain}\"\n{tls}",
            at.ip(),
            at.port()
        ),
    );
    let mut command = Command::new("prosody");
    command.args(["-F", "--config", &setting.path("prosody.cfg.lua")]);
    Daemon::start("prosody", &mut command, &setting.folder, &Ready::Listens(&[at]))
}
