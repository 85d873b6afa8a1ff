//! ProFTPD: AUTH TLS, or TLS from the start.

use std::net::SocketAddr;
use std::process::Command;

use super::Setting;
use crate::daemon::{Daemon, Ready};

/// Where `tests/run` unpacks it: it is not to be installed beside vsftpd.
const BESIDE: &str = "/usr/local/lib/coexist-tests/usr";

/// Starts it; `implicit` lets it begin with TLS, as port 990 does.
pub fn start(setting: &Setting, at: SocketAddr, implicit: bool) -> Daemon {
    let path = setting.folder.display();
    let options = if implicit { "UseImplicitSSL NoSessionReuseRequired" } else { "NoSessionReuseRequired" };
    let tls = setting.either(
        format!(
            "LoadModule mod_tls.c\nTLSEngine on\nTLSRequired off\nTLSProtocol TLSv1.2 TLSv1.3\nTLSOptions {options}\n\
             TLSRSACertificateFile {}\nTLSCertificateChainFile {}\nTLSRSACertificateKeyFile {}\n",
            setting.path("leaf.pem"),
            setting.path("issuers.pem"),
            setting.path("key.pem"),
        ),
        "",
    );
    setting.write(
        "proftpd.conf",
        &format!(
            "ServerType standalone\nServerName interop\nDefaultAddress {}\nSocketBindTight on\nPort {}\nUseIPv6 off\n\
             UseReverseDNS off\nUser root\nGroup root\nPidFile {path}/proftpd.pid\nScoreboardFile none\n\
             ModulePath {BESIDE}/lib/proftpd\nWtmpLog off\nTransferLog none\nDelayEngine off\n{tls}",
            at.ip(),
            at.port()
        ),
    );
    let mut command = Command::new(format!("{BESIDE}/sbin/proftpd"));
    command.args(["--nodaemon", "--config", &setting.path("proftpd.conf")]);
    Daemon::start("proftpd", &mut command, &setting.folder, &Ready::Listens(&[at]))
}
