//! Postfix: SMTP and submission, STARTTLS at both.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use crate::certificates::Identity;
use crate::daemon::{Daemon, Ready};

/// A mail server.
pub struct Postfix<'a> {
    /// Where SMTP and submission are.
    pub at: [SocketAddr; 2],
    /// Its certificate; without one it offers no STARTTLS.
    pub identity: Option<&'a Identity>,
    /// Further lines of its main.cf.
    pub settings: &'a str,
}

/// Starts it.
pub fn start(folder: &Path, server: &Postfix) -> Daemon {
    let folder = folder.join("postfix");
    for part in ["", "queue", "data"] {
        fs::create_dir(folder.join(part)).expect("a folder");
    }
    let owned = Command::new("chown").arg("postfix").arg(folder.join("data")).status();
    assert!(owned.is_ok_and(|s| s.success()), "Postfix is installed, and this is root: run tests/run");
    fs::write(folder.join("main.cf"), main_cf(&folder, server)).expect("main.cf can be written");
    fs::write(folder.join("master.cf"), master_cf(server)).expect("master.cf can be written");
    let mut command = Command::new("postfix");
    command.arg("-c").arg(&folder).arg("start-fg");
    // Its master leads a process group of its own, which the child's end would leave behind.
    Daemon::start("postfix", &mut command, &folder, &Ready::Listens(&server.at))
        .stopped_by(folder.join("queue/pid/master.pid"))
}

fn main_cf(folder: &Path, server: &Postfix) -> String {
    let path = folder.display();
    let tls = match server.identity {
        None => "smtpd_tls_security_level = none\n".to_string(),
        Some(identity) => {
            let file = folder.join("smtpd.pem");
            fs::write(&file, format!("{}{}", identity.key, identity.chain)).expect("a chain can be written");
            format!("smtpd_tls_security_level = may\nsmtpd_tls_chain_files = {}\n", file.display())
        }
    };
    format!(
        "compatibility_level = 3.6\nqueue_directory = {path}/queue\ndata_directory = {path}/data\n\
         maillog_file_prefixes = {path}\nmaillog_file = {path}/postfix.log\nsyslog_name = postfix\n\
         inet_protocols = ipv4\nmyhostname = mail.example.com\nmydestination =\nlocal_recipient_maps =\nalias_maps =\n\
         smtpd_relay_restrictions = reject\n{tls}{}",
        server.settings
    )
}

fn master_cf(server: &Postfix) -> String {
    let [smtp, submission] = server.at;
    format!(
        "{smtp} inet n - n - - smtpd\n{submission} inet n - n - - smtpd\n\
         tlsmgr unix - - n 1000? 1 tlsmgr\nrewrite unix - - n - - trivial-rewrite\nanvil unix - - n - 1 anvil\n\
         proxymap unix - - n - - proxymap\nscache unix - - n - 1 scache\ncleanup unix n - n - 0 cleanup\n\
         pickup unix n - n 60 1 pickup\nqmgr unix n - n 300 1 qmgr\nbounce unix - - n - 0 bounce\n\
         postlog unix-dgram n - n - 1 postlogd\n"
    )
}
