//! Each way into TLS against a server of its own: all right together, and with one server changed for one that serves
//! another certificate or speaks no TLS, exactly that is found.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::TempDir;

use super::prosody::Peers;
use super::{Setting, Start, all, port, postgres, proftpd, prosody, slapd, stunnel, vsftpd, xrdp};
use crate::certificates::{Authority, Identity, Leaf};
use crate::daemon::Daemon;
use crate::dovecot::{self, Dovecot};
use crate::postfix::{self, Postfix};
use crate::run::{Report, coexist};

/// The plan's servers, by the last number of their address.
const SERVERS: [&str; 9] = ["post", "boxes", "directory", "database", "files", "chat", "desktop", "phones", "archive"];

/// Every service of the plan: its server, the word, the port.
const SERVICES: [(&str, &str, u16); 20] = [
    ("post", "smtp", 25),
    ("post", "submission", 587),
    ("post", "smtps", 465),
    ("boxes", "imap", 143),
    ("boxes", "pop3", 110),
    ("boxes", "sieve", 4190),
    ("boxes", "imaps", 993),
    ("boxes", "pop3s", 995),
    ("directory", "ldap", 389),
    ("directory", "ldaps", 636),
    ("database", "postgres", 5432),
    ("files", "ftp", 21),
    ("files", "ftps", 990),
    ("chat", "xmpp", 5222),
    ("chat", "xmpp-server", 5269),
    ("desktop", "rdp", 3389),
    ("phones", "sips", 5061),
    ("phones", "tls", 8444),
    // ProFTPD: ports are the key to the rest, and 21 and 990 are taken.
    ("archive", "ftp", 2121),
    ("archive", "ftps", 2990),
];

/// How the servers of a side are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Side {
    /// As the plan says.
    Right,
    /// With a certificate for another name.
    Other,
    /// Without TLS.
    Without,
}

const SIDES: [Side; 3] = [Side::Right, Side::Other, Side::Without];

/// Where each service of each side is.
type Places = BTreeMap<(Side, u16), SocketAddr>;

/// All servers of all sides.
struct World {
    at: Places,
    /// Before the folder, in which they say by what number they are stopped.
    _daemons: Vec<Daemon>,
    folder: TempDir,
}

impl World {
    fn start() -> Self {
        let folder = TempDir::new().expect("a folder");
        // Servers that give up root's rights must be able to search it.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("a mode can be set");
        let authority = Authority::new("Interop");
        let names = SERVERS.map(|server| format!("{server}.example.com"));
        let right = authority.issue_rsa(&Leaf::of(&names.each_ref().map(String::as_str)));
        let other = authority.issue_rsa(&Leaf::of(&["other.example.com"]));
        for (file, text) in
            [("plan.toml", include_str!("plan.toml")), ("root.pem", &authority.root), ("leaf.pem", &right.leaf)]
        {
            fs::write(folder.path().join(file), text).expect("a file can be written");
        }
        let mut at: Places =
            SIDES.iter().flat_map(|side| SERVICES.map(|(_, _, number)| ((*side, number), port()))).collect();
        // Where TLS should begin at once, the same service in the clear answers.
        for (implicit, plain) in
            [(465, 25), (993, 143), (995, 110), (636, 389), (990, 21), (5061, 25), (8444, 25), (2990, 2121)]
        {
            at.insert((Side::Without, implicit), at[&(Side::Without, plain)]);
        }
        let cluster = postgres::cluster(folder.path());
        let identities = [Some(&right), Some(&other), None];
        let sides = SIDES.iter().zip(identities);
        let starts = sides.flat_map(|(side, identity)| side_of(folder.path(), &cluster, *side, identity, &at));
        let daemons = all(starts.collect());
        Self { at, _daemons: daemons, folder }
    }

    /// Looks, with some ports played by another side than the right one.
    fn check(&self, changed: &[u16], side: Side) -> Report {
        let mut args = ["check", "plan.toml", "--only", "tls", "--from", "internal", "--format", "json"]
            .map(String::from)
            .to_vec();
        for (server, _, number) in SERVICES {
            let side = if changed.contains(&number) { side } else { Side::Right };
            let last = SERVERS.iter().position(|s| *s == server).expect("a server") + 1;
            args.extend(["--connect-to".into(), format!("10.0.4.{last}:{number}:{}", self.at[&(side, number)])]);
        }
        args.extend(["--connect-to".into(), format!("10.0.4.8:443:{}", self.at[&(Side::Right, 8444)])]);
        Report::of(&coexist(self.folder.path(), &args))
    }
}

/// What starts the servers of a side.
fn side_of<'a>(
    folder: &Path,
    cluster: &'a Path,
    side: Side,
    identity: Option<&'a Identity>,
    places: &Places,
) -> Vec<Start<'a>> {
    let folder = folder.join(format!("{side:?}").to_lowercase());
    let at = |number| places[&(side, number)];
    let setting = |name: &str| Setting::new(folder.join(name), identity);
    let (root, behind) = (setting("all").folder, at(25));
    let root = move || root.clone();
    let post = (root(), [at(25), at(587)]);
    let boxes = (root(), [("imap", at(143)), ("pop3", at(110)), ("sieve", at(4190))]);
    let (ldap, ldaps) = ((setting("slapd"), at(389)), identity.map(|_| at(636)));
    let (database, ftp) = ((setting("postgres"), at(5432)), (setting("ftp"), at(21)));
    let ftps = identity.map(|_| (setting("ftps"), at(990)));
    let (chat, desktop) = ((setting("prosody"), at(5222)), (setting("xrdp"), at(3389)));
    let federation = (setting("prosody-s2s"), at(5269));
    let archive = (setting("proftpd"), at(2121));
    let archive_at_once = identity.map(|_| (setting("proftpd-implicit"), at(2990)));
    let implicit = [465, 993, 995, 5061, 8444].map(at);
    let mut starts: Vec<Start> = vec![
        Box::new(move || vec![postfix::start(&post.0, &Postfix { at: post.1, identity, settings: "" })]),
        Box::new(move || vec![dovecot::start(&boxes.0, "dovecot", &Dovecot { at: &boxes.1, identity })]),
        Box::new(move || vec![slapd::start(&ldap.0, ldap.1, ldaps)]),
        Box::new(move || vec![postgres::start(&database.0, cluster, database.1)]),
        Box::new(move || vec![vsftpd::start(&ftp.0, ftp.1, false)]),
        Box::new(move || ftps.map(|(setting, at)| vsftpd::start(&setting, at, true)).into_iter().collect()),
        Box::new(move || vec![prosody::start(&chat.0, chat.1, "chat.example.com", Peers::Clients)]),
        Box::new(move || vec![prosody::start(&federation.0, federation.1, "chat.example.com", Peers::Servers)]),
        Box::new(move || vec![proftpd::start(&archive.0, archive.1, false)]),
        Box::new(move || archive_at_once.map(|(setting, at)| proftpd::start(&setting, at, true)).into_iter().collect()),
        Box::new(move || vec![xrdp::start(&desktop.0, desktop.1)]),
    ];
    if identity.is_some() {
        let tunnel = setting("stunnel");
        starts.push(Box::new(move || vec![stunnel::start(&tunnel, &implicit, behind)]));
    }
    starts
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn each_way_into_tls_is_told_right_and_wrong() {
    let world = World::start();
    let clean = world.check(&[], Side::Right);
    assert_eq!((clean.status, clean.causes()), (0, Vec::new()), "{}", clean.text);
    assert_eq!(clean.open_questions(), Vec::<String>::new(), "{}", clean.text);
    let mut wrong = Vec::new();
    for (server, word, number) in SERVICES {
        for side in [Side::Other, Side::Without] {
            let report = world.check(&[number], side);
            let (rule, words) = expected(number, side);
            let causes = report.causes();
            let is_right = causes == [format!("{rule} {server}")] && report.open_questions().is_empty();
            if !is_right || report.status != 1 || !report.text.contains(words) {
                wrong.push(format!("{word}, {side:?}: {causes:?}\n{}", report.text));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The rule that speaks of a port, and what the report has to say.
fn expected(number: u16, side: Side) -> (&'static str, &'static str) {
    match (number, side) {
        // Beside services of the same server that are right.
        (25 | 587 | 465 | 143 | 110 | 993 | 995, Side::Other) => ("mail-tls-endpoint-wrong", "other.example.com"),
        (25 | 587 | 143 | 110, _) => ("mail-tls-endpoint-wrong", "not offered"),
        (_, Side::Other) => ("endpoint-serves-wrong-certificate", "other.example.com"),
        (465 | 993 | 995 | 990 | 2990 | 5061 | 8444, _) => ("endpoint-unreachable", "not TLS"),
        (636, _) => ("endpoint-unreachable", "closed during the TLS handshake"),
        // A server that has nothing to offer to others ends the stream.
        (5269, _) => ("endpoint-unreachable", "No stream features to offer"),
        _ => ("endpoint-unreachable", "not offered"),
    }
}
