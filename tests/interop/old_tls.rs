//! OpenSSL as a server of the time before TLS 1.2.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;

use tempfile::TempDir;

use crate::certificates::{Authority, Leaf};
use crate::daemon::{Daemon, Ready, free_port};
use crate::run::{Report, coexist};

const NAME: &str = "legacy.example.com";

const PLAN: &str = r#"
[views.internal]
resolvers = ["127.0.0.1:9"]
trust = ["root.pem"]
reaches = ["10.0.0.0/8"]
[certificates.old]
names = ["legacy.example.com"]
[servers.old]
address = "10.0.3.10"
product = "PRODUCT"
[internet]
"legacy.example.com" = "old"
"#;

/// Looks at a server that is started with these options.
fn report(options: &[&str], product: &str) -> Report {
    let folder = TempDir::new().expect("a folder");
    let (authority, path) = (Authority::new("Interop"), folder.path());
    let identity = authority.issue_rsa(&Leaf::of(&[NAME]));
    let plan = PLAN.replace("PRODUCT", product);
    for (file, text) in [
        ("plan.toml", &plan),
        ("root.pem", &authority.root),
        ("leaf.pem", &identity.leaf),
        ("chain.pem", &identity.chain),
        ("key.pem", &identity.key),
    ] {
        fs::write(path.join(file), text).expect("a file can be written");
    }
    let ip = Ipv4Addr::LOCALHOST.into();
    let at = SocketAddr::new(ip, free_port(ip));
    let mut command = Command::new("openssl");
    command.current_dir(path).args(["s_server", "-accept", &at.to_string(), "-key", "key.pem", "-cert", "leaf.pem"]);
    command.args(["-cert_chain", "chain.pem", "-quiet"]).args(options);
    let _server = Daemon::start("openssl", &mut command, path, &Ready::Listens(&[at]));
    let detour = format!("10.0.3.10:443:{at}");
    let args =
        ["check", "plan.toml", "--only", "tls", "--format", "json", "--from", "internal", "--connect-to", &detour];
    Report::of(&coexist(path, &args))
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_server_that_speaks_tls_1_0_or_1_1_at_most() {
    for version in ["-tls1", "-tls1_1"] {
        let report = report(&[version, "-cipher", "ALL:@SECLEVEL=0"], "exchange-2003");
        assert_eq!(report.causes(), ["tls-version-below-floor old"], "{}", report.text);
        assert_eq!(report.open_questions().len(), 1, "{}", report.text);
        assert_eq!(report.status, 1);
    }
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_server_of_tls_1_2_is_none_of_these() {
    let old_cipher = report(&["-tls1_2", "-cipher", "AES128-SHA"], "windows-2008r2");
    assert_eq!((old_cipher.causes(), old_cipher.status), (Vec::new(), 3), "{}", old_cipher.text);
    let current = report(&["-tls1_2"], "exchange-2003");
    assert_eq!((current.causes(), current.status), (Vec::new(), 0), "{}", current.text);
}
