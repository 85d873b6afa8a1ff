//! OpenLDAP's slapd: StartTLS and ldaps. It sends the same certificate whatever it is asked for.

use std::net::SocketAddr;
use std::process::Command;

use super::Setting;
use crate::daemon::{Daemon, Ready};

/// Starts it.
pub fn start(setting: &Setting, ldap: SocketAddr, ldaps: Option<SocketAddr>) -> Daemon {
    // Its GnuTLS takes one certificate, and completes the chain from the authorities that it knows.
    let tls = setting.either(
        format!(
            "TLSCertificateFile {}\nTLSCertificateKeyFile {}\nTLSCACertificateFile {}\n",
            setting.path("leaf.pem"),
            setting.path("key.pem"),
            setting.path("issuers.pem")
        ),
        "",
    );
    setting.write("slapd.conf", &format!("pidfile {}\n{tls}", setting.path("slapd.pid")));
    let ldaps_url = ldaps.map(|at| format!(" ldaps://{at}")).unwrap_or_default();
    let mut command = Command::new("slapd");
    command.args(["-d", "0", "-f", &setting.path("slapd.conf"), "-h", &format!("ldap://{ldap}{ldaps_url}")]);
    let listening: Vec<_> = [Some(ldap), ldaps].into_iter().flatten().collect();
    Daemon::start("slapd", &mut command, &setting.folder, &Ready::Listens(&listening))
}
