//! xrdp: a remote desktop; for the negotiation it needs no display.

use std::net::SocketAddr;
use std::process::Command;

use super::Setting;
use crate::daemon::{Daemon, Ready};

/// Starts it.
pub fn start(setting: &Setting, at: SocketAddr) -> Daemon {
    let tls = setting.either(
        format!(
            "security_layer=tls\ncertificate={}\nkey_file={}\nssl_protocols=TLSv1.2, TLSv1.3\n",
            setting.path("chain.pem"),
            setting.path("key.pem")
        ),
        "security_layer=rdp\n",
    );
    setting.write(
        "xrdp.ini",
        &format!(
            "[Globals]\nini_version=1\nfork=true\nport=tcp://{at}\nautorun=\nbitmap_compression=true\n{tls}\
             [Logging]\nLogFile={}\nLogLevel=INFO\nEnableSyslog=false\n[LoggingPerLogger]\n[Channels]\n\
             [Xorg]\nname=Xorg\nlib=libxup.so\nusername=ask\npassword=ask\nport=-1\n",
            setting.path("xrdp-own.log")
        ),
    );
    let mut command = Command::new("xrdp");
    command.args(["--nodaemon", "--config", &setting.path("xrdp.ini")]);
    Daemon::start("xrdp", &mut command, &setting.folder, &Ready::Listens(&[at]))
}
