//! A server with two certificates, of which most clients see one: OpenSSL and nginx with an RSA and an ECDSA key.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;

use crate::certificates::{Authority, Identity, Leaf};
use crate::daemon::{Daemon, Ready, free_port};
use crate::old_tls::Place;
use crate::run::Report;

const NAME: &str = "legacy.example.com";
const OTHER: &str = "other.example.com";

const PLAN: &str = r#"
[views.internal]
resolvers = ["127.0.0.1:9"]
trust = ["root.pem"]
reaches = ["10.0.0.0/8"]
[certificates.rsa]
file = "plan-rsa-leaf.pem"
[certificates.ecdsa]
file = "plan-ecdsa-leaf.pem"
[servers.old]
address = "10.0.3.10"
certificate = ["rsa", "ecdsa"]
[internet]
"legacy.example.com" = "old"
"#;

/// Looks at a server whose RSA certificate, and whose ECDSA certificate if it has one, are for these names.
fn report(rsa: &str, ecdsa: Option<&str>, more: &[&str]) -> Report {
    let place = Place::of(PLAN);
    place.show("plan-rsa-", &place.authority.issue_rsa(&Leaf::of(&[NAME])));
    place.show("plan-ecdsa-", &place.authority.issue(&Leaf::of(&[NAME])));
    place.show("", &place.authority.issue_rsa(&Leaf::of(&[rsa])));
    let second = ["-dcert", "ecdsa-leaf.pem", "-dkey", "ecdsa-key.pem", "-dcert_chain", "ecdsa-chain.pem"];
    if let Some(name) = ecdsa {
        place.show("ecdsa-", &place.authority.issue(&Leaf::of(&[name])));
    }
    let second = if ecdsa.is_some() { &second[..] } else { &[] };
    place.openssl(&[more, second].concat())
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn both_certificates_of_a_server_are_looked_at() {
    for version in ["-tls1_2", "-tls1_3"] {
        let both = report(NAME, Some(NAME), &[version]);
        assert_eq!((both.causes(), both.status), (vec![], 0), "{}", both.text);
        // The one that clients prefer hides the other.
        for (rsa, ecdsa, face) in [(OTHER, NAME, "(RSA)"), (NAME, OTHER, "(ECDSA)")] {
            let wrong = report(rsa, Some(ecdsa), &[version]);
            assert_eq!(wrong.causes(), ["endpoint-serves-wrong-certificate old"], "{}", wrong.text);
            assert!(wrong.text.contains(face), "{}", wrong.text);
        }
    }
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_listed_certificate_that_is_not_served_is_missed() {
    for more in [&["-tls1_2"][..], &["-tls1_3"], &["-tls1", "-cipher", "ALL:@SECLEVEL=0"]] {
        let lacking = report(NAME, None, more);
        let mut want = vec!["endpoint-serves-wrong-certificate old".to_string()];
        want.extend((more.len() > 1).then(|| "tls-version-below-floor old".to_string()));
        assert_eq!((lacking.causes(), lacking.open_questions()), (want, vec![]), "{}", lacking.text);
        assert!(lacking.text.contains("old does not serve its ECDSA certificate"), "{}", lacking.text);
    }
}

/// A plan that knows of no certificates but what the names want.
const BARE: &str = r#"
[views.internal]
resolvers = ["127.0.0.1:9"]
trust = ["root.pem"]
reaches = ["10.0.0.0/8"]
[servers.old]
address = "10.0.3.10"
[internet]
"legacy.example.com" = "old"
"third.example.com" = "old"
"#;

const BOTH: [&str; 2] = [NAME, "third.example.com"];

/// What a server serves: certificates by RSA and ECDSA of this authority.
type Pair = fn(&Authority) -> [Identity; 2];

/// A server's second certificate, wrong in the ways of which nobody hears who is shown the first.
const WRONG: [(&str, Pair); 6] = [
    (NAMES, |a| [a.issue_rsa(&Leaf::of(&[OTHER])), a.issue(&Leaf::of(&BOTH))]),
    (NAMES, |a| [a.issue_rsa(&Leaf::of(&BOTH)), a.issue(&Leaf::of(&[OTHER]))]),
    // The name that is asked for first is on both.
    (NAMES, |a| [a.issue_rsa(&Leaf::of(&BOTH[..1])), a.issue(&Leaf::of(&BOTH))]),
    (NAMES, |a| [a.issue_rsa(&Leaf::of(&BOTH)), a.issue(&Leaf::of(&BOTH[..1]))]),
    (DATES, |a| [a.issue_rsa(&Leaf { days: (-60, -1), ..Leaf::of(&BOTH) }), a.issue(&Leaf::of(&BOTH))]),
    (DATES, |a| [a.issue_rsa(&Leaf::of(&BOTH)), a.issue(&Leaf { days: (-60, -1), ..Leaf::of(&BOTH) })]),
];

const NAMES: &str = "endpoint-serves-wrong-certificate old";
const DATES: &str = "certificate-not-currently-valid old";

/// Looks at OpenSSL with a pair of certificates.
fn openssl(pair: Pair, more: &[&str]) -> Report {
    let place = Place::of(BARE);
    let [rsa, ecdsa] = pair(&place.authority);
    place.show("", &rsa);
    place.show("ecdsa-", &ecdsa);
    let second = ["-dcert", "ecdsa-leaf.pem", "-dkey", "ecdsa-key.pem", "-dcert_chain", "ecdsa-chain.pem"];
    place.openssl(&[more, &second].concat())
}

/// Looks at nginx with a pair of certificates.
fn nginx(pair: Pair) -> Report {
    let place = Place::of(BARE);
    let [rsa, ecdsa] = pair(&place.authority);
    place.show("rsa-", &rsa);
    place.show("ecdsa-", &ecdsa);
    let ip = Ipv4Addr::LOCALHOST.into();
    let at = SocketAddr::new(ip, free_port(ip));
    let path = place.path().display().to_string();
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(|w| format!("{w}_temp_path {path}/{w};"));
    let kinds = ["rsa", "ecdsa"].map(|k| format!("ssl_certificate {k}-chain.pem; ssl_certificate_key {k}-key.pem;"));
    let config = format!(
        "daemon off; worker_processes 1; user root; pid {path}/nginx.pid; error_log stderr;\nevents {{ }}\n\
         http {{ access_log off; {} server {{ listen {at} ssl; {} return 204; }} }}\n",
        temporary.concat(),
        kinds.concat(),
    );
    fs::write(place.path().join("nginx.conf"), config).expect("a configuration can be written");
    let mut command = Command::new("nginx");
    command.arg("-p").arg(place.path()).args(["-e", "stderr", "-c"]).arg(place.path().join("nginx.conf"));
    let _server = Daemon::start("nginx", &mut command, place.path(), &Ready::Listens(&[at]));
    place.check(at)
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_second_certificate_of_which_the_plan_does_not_know_is_looked_at() {
    let right: Pair = |a| [a.issue_rsa(&Leaf::of(&BOTH)), a.issue(&Leaf::of(&BOTH))];
    for version in ["-tls1_2", "-tls1_3"] {
        let clean = openssl(right, &[version]);
        assert_eq!((clean.causes(), clean.open_questions(), clean.status), (vec![], vec![], 0), "{}", clean.text);
    }
    assert_eq!(nginx(right).causes(), [""; 0]);
    // One of each two is what most clients are shown; of the other the report says to whom.
    for pairs in WRONG.chunks(2) {
        let mut hidden = [0; 3];
        for (cause, pair) in pairs {
            let reports = [openssl(*pair, &["-tls1_2"]), openssl(*pair, &["-tls1_3"]), nginx(*pair)];
            for (report, hidden) in reports.iter().zip(&mut hidden) {
                assert_eq!(report.causes(), [*cause], "{}", report.text);
                *hidden += usize::from(report.text.contains("(RSA)") || report.text.contains("(ECDSA)"));
            }
        }
        assert_eq!(hidden, [1; 3], "{:?}", pairs[0].0);
    }
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_server_with_one_certificate_is_not_blamed_for_it() {
    for more in [&["-tls1_2"][..], &["-tls1_3"]] {
        let place = Place::of(BARE);
        place.show("", &place.authority.issue_rsa(&Leaf::of(&BOTH)));
        let report = place.openssl(more);
        assert_eq!((report.causes(), report.open_questions(), report.status), (vec![], vec![], 0), "{}", report.text);
    }
}
