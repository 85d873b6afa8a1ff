//! vsftpd: AUTH TLS, or TLS from the start.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;

use super::Setting;
use crate::daemon::{Daemon, Ready};

/// Starts it; `implicit` lets it begin with TLS, as port 990 does. It wants an RSA key.
pub fn start(setting: &Setting, at: SocketAddr, implicit: bool) -> Daemon {
    let empty = setting.folder.join("empty");
    fs::create_dir(&empty).expect("a folder");
    let tls = setting.either(
        format!(
            "ssl_enable=YES\nrsa_cert_file={}\nrsa_private_key_file={}\nimplicit_ssl={}\n",
            setting.path("chain.pem"),
            setting.path("key.pem"),
            if implicit { "YES" } else { "NO" }
        ),
        "ssl_enable=NO\n",
    );
    setting.write(
        "vsftpd.conf",
        &format!(
            "listen=YES\nlisten_address={}\nlisten_port={}\nbackground=NO\nanonymous_enable=YES\nlocal_enable=YES\n\
             seccomp_sandbox=NO\nxferlog_enable=NO\nsecure_chroot_dir={}\n{tls}",
            at.ip(),
            at.port(),
            empty.display()
        ),
    );
    let mut command = Command::new("vsftpd");
    command.arg(setting.path("vsftpd.conf"));
    Daemon::start("vsftpd", &mut command, &setting.folder, &Ready::Listens(&[at]))
}
