//! Servers of the time before current clients: OpenSSL, GnuTLS and NSS, told to be old.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::certificates::{Authority, Identity, Leaf};
use crate::daemon::{Daemon, Ready, free_port};
use crate::run::{Report, coexist};

const NAME: &str = "legacy.example.com";
const OTHER: &str = "other.example.com";
const FLOOR: &str = "tls-version-below-floor old";
const SUITES: &str = "modern-clients-cannot-connect old";
/// What OpenSSL needs to be told before it speaks to the past.
const ALL: [&str; 2] = ["-cipher", "ALL:@SECLEVEL=0"];

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

/// A folder with a plan, what it trusts, and a server's certificate.
pub struct Place {
    folder: TempDir,
    /// Whom the plan trusts.
    pub authority: Authority,
}

impl Place {
    fn new(product: &str) -> Self {
        Self::of(&PLAN.replace("PRODUCT", product))
    }

    /// A place with this plan, and a certificate for the first name.
    pub fn of(plan: &str) -> Self {
        let (folder, authority) = (TempDir::new().expect("a folder"), Authority::new("Interop"));
        let place = Self { folder, authority };
        place.write("plan.toml", plan);
        place.write("root.pem", &place.authority.root);
        place.show("", &place.authority.issue_rsa(&Leaf::of(&[NAME])));
        place
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.path().join(file), text).expect("a file can be written");
    }

    /// Writes an identity as `PREFIXleaf.pem`, `PREFIXchain.pem` and `PREFIXkey.pem`.
    pub fn show(&self, prefix: &str, identity: &Identity) {
        self.write(&format!("{prefix}leaf.pem"), &identity.leaf);
        self.write(&format!("{prefix}chain.pem"), &identity.chain);
        self.write(&format!("{prefix}key.pem"), &identity.key);
    }

    fn run(&self, program: &str, args: &[&str]) {
        let mut command = Command::new(program);
        let status = command.current_dir(self.path()).args(args).stdout(Stdio::null()).stderr(Stdio::null()).status();
        assert!(status.is_ok_and(|s| s.success()), "{program} {args:?}: run tests/run");
    }

    /// Looks at OpenSSL that is started with these options.
    pub fn openssl(&self, options: &[&str]) -> Report {
        let ip = Ipv4Addr::LOCALHOST.into();
        let at = SocketAddr::new(ip, free_port(ip));
        let mut command = Command::new("openssl");
        command.current_dir(self.path()).args(["s_server", "-accept", &at.to_string()]);
        command.args(["-key", "key.pem", "-cert", "leaf.pem", "-cert_chain", "chain.pem", "-quiet"]).args(options);
        let _server = Daemon::start("openssl", &mut command, self.path(), &Ready::Listens(&[at]));
        self.check(at)
    }

    /// Looks at a server that listens there.
    pub fn check(&self, at: SocketAddr) -> Report {
        Report::of(&coexist(self.path(), &check(&at.to_string())))
    }

    /// Looks at a server that listens at every address, in a network of its own that has loopback only: nobody else can
    /// reach it. `server` goes on until the shell ends.
    fn apart(&self, server: &str, port: u16) -> Report {
        let quoted = |word: &String| format!("'{word}'");
        let args: Vec<String> = check(&format!("127.0.0.1:{port}"));
        let script = format!(
            "ip link set lo up || exit 97\n{server} >server.log 2>&1 &\n\
             for i in $(seq 200); do grep -q ':{:04X} ' /proc/net/tcp /proc/net/tcp6 && break; sleep 0.05; done\n\
             '{}' {}\nstatus=$?\nkill $!\nexit $status",
            port,
            env!("CARGO_BIN_EXE_coexist"),
            args.iter().map(quoted).collect::<Vec<_>>().join(" ")
        );
        let mut command = Command::new("unshare");
        command.current_dir(self.path()).args(["--net", "sh", "-c", &script]).stdin(Stdio::null());
        let output = command.output().expect("unshare runs: run tests/run");
        assert_ne!(output.status.code(), Some(97), "no network of its own is to be had here; this needs root");
        Report::of(&output)
    }
}

fn check(at: &str) -> Vec<String> {
    let words =
        ["check", "plan.toml", "--only", "tls", "--format", "json", "--from", "internal", "--record", "seen.jsonl"];
    let detour = ["--connect-to".to_string(), format!("10.0.3.10:443:{at}")];
    words.into_iter().map(str::to_string).chain(detour).collect()
}

/// What was negotiated, as the recording has it.
fn negotiated(place: &Place) -> (String, String, bool) {
    let text = fs::read_to_string(place.path().join("seen.jsonl")).expect("a recording");
    let lines = text.lines().map(|l| serde_json::from_str::<serde_json::Value>(l).expect("a line"));
    let served = lines.map(|l| l["observation"]["outcome"]["tls"]["certificate"].clone()).find(|s| s.is_object());
    let served = served.expect("a certificate");
    let word = |key: &str| served[key].as_str().expect("a word").to_string();
    (word("version"), word("cipher"), served["possession"] == "proved")
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_server_that_speaks_tls_1_0_or_1_1_at_most_is_judged_like_any_other() {
    for (version, words) in [("-tls1", "TLS 1.0"), ("-tls1_1", "TLS 1.1")] {
        let place = Place::new("exchange-2003");
        let report = place.openssl(&[&[version], &ALL[..]].concat());
        assert_eq!((report.causes(), report.status), (vec![FLOOR.to_string()], 1), "{}", report.text);
        assert_eq!(report.open_questions(), [""; 0], "{}", report.text);
        assert_eq!(negotiated(&place).0, words);
        assert!(report.text.contains("whether old holds the key"), "{}", report.text);
    }
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn an_old_servers_wrong_certificate_is_seen() {
    let place = Place::new("exchange-2003");
    place.show("", &place.authority.issue_rsa(&Leaf::of(&[OTHER])));
    let report = place.openssl(&[&["-tls1"], &ALL[..]].concat());
    assert_eq!(report.causes(), ["endpoint-serves-wrong-certificate old", FLOOR], "{}", report.text);
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn an_old_server_is_asked_by_name_and_may_ask_for_a_certificate() {
    let place = Place::new("exchange-2003");
    place.show("second-", &place.authority.issue_rsa(&Leaf::of(&[NAME])));
    place.show("", &place.authority.issue_rsa(&Leaf::of(&[OTHER])));
    let by_name = ["-servername", NAME, "-cert2", "second-leaf.pem", "-key2", "second-key.pem"];
    let report = place.openssl(&[&["-tls1", "-Verify", "1"], &ALL[..], &by_name].concat());
    // OpenSSL sends no intermediate with its second certificate.
    let causes = [FLOOR, "untrusted-issuer-for-view old internal"];
    assert_eq!(
        (report.causes(), report.open_questions()),
        (causes.map(String::from).into(), vec![]),
        "{}",
        report.text
    );
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_chain_in_small_records_is_read() {
    let place = Place::new("exchange-2003");
    let report = place.openssl(&[&["-tls1", "-max_send_frag", "512"], &ALL[..]].concat());
    assert_eq!((report.causes(), report.open_questions()), (vec![FLOOR.to_string()], vec![]), "{}", report.text);
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn old_suites_of_tls_1_2_keep_current_clients_out() {
    for (suite, name, is_proved) in [
        ("AES128-SHA", "TLS_RSA_WITH_AES_128_CBC_SHA", false),
        ("AES128-GCM-SHA256", "TLS_RSA_WITH_AES_128_GCM_SHA256", false),
        ("ECDHE-RSA-AES256-SHA384", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", true),
        ("DHE-RSA-AES128-SHA", "TLS_DHE_RSA_WITH_AES_128_CBC_SHA", true),
    ] {
        let place = Place::new("windows-2012r2");
        let report = place.openssl(&["-tls1_2", "-cipher", suite]);
        assert_eq!((report.causes(), report.status), (vec![SUITES.to_string()], 0), "{}", report.text);
        assert_eq!(report.open_questions(), [""; 0], "{}", report.text);
        assert_eq!(negotiated(&place), ("TLS 1.2".into(), name.into(), is_proved));
    }
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_current_server_is_none_of_these_and_neither_is_one_of_tls_1_3_alone() {
    for options in [&["-tls1_2"][..], &["-tls1_3"]] {
        let report = Place::new("exchange-2003").openssl(options);
        assert_eq!((report.causes(), report.status), (Vec::new(), 0), "{}", report.text);
    }
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn gnutls_of_tls_1_0_is_read() {
    let place = Place::new("exchange-2003");
    let server = "gnutls-serv -q --http --x509keyfile key.pem --x509certfile chain.pem -p 24001 \
                  --priority NORMAL:-VERS-ALL:+VERS-TLS1.0:%COMPAT";
    let report = place.apart(server, 24001);
    assert_eq!((report.causes(), report.open_questions()), (vec![FLOOR.to_string()], vec![]), "{}", report.text);
    assert_eq!(negotiated(&place).0, "TLS 1.0");
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn nss_of_ssl_3_with_rc4_is_read() {
    let place = Place::new("exchange-2003");
    fs::create_dir(place.path().join("nss")).expect("a folder");
    place.run("certutil", &["-N", "-d", "sql:nss", "--empty-password"]);
    let bundle = ["pkcs12", "-export", "-in", "chain.pem", "-inkey", "key.pem", "-name", "old", "-out", "old.p12"];
    place.run("openssl", &[&bundle[..], &["-passout", "pass:x"]].concat());
    place.run("pk12util", &["-i", "old.p12", "-d", "sql:nss", "-W", "x", "-K", ""]);
    let report = place.apart("selfserv -n old -d sql:nss -p 24002 -V ssl3:ssl3 -c :0005", 24002);
    assert_eq!((report.causes(), report.open_questions()), (vec![FLOOR.to_string()], vec![]), "{}", report.text);
    assert_eq!(negotiated(&place), ("SSL 3.0".into(), "TLS_RSA_WITH_RC4_128_SHA".into(), false));
}
