//! What is captured: servers as they accept, do not offer, refuse, and have no time.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;

use super::prosody::Peers;
use super::{Setting, port, postgres, proftpd, prosody, slapd, vsftpd, xrdp};
use crate::certificates::Identity;
use crate::daemon::Daemon;
use crate::dovecot::{self, Dovecot};
use crate::postfix::{self, Postfix};

/// Whom the transcripts ask for.
pub const NAME: &str = "mail.domain.com";

const GO: &str = "go ahead";
const NOT_OFFERED: &str = "STARTTLS not offered";

/// A server, how it is set up, and how the dialogue has to end.
pub struct Case {
    /// The file's stem, whose first word is the protocol.
    pub stem: &'static str,
    /// The package that it comes from.
    pub package: &'static str,
    /// How it is set up.
    pub how: &'static str,
    /// How the dialogue ends.
    pub end: &'static str,
    /// Starts it in a folder.
    pub start: Start,
}

type Start = Box<dyn Fn(&Path, &Identity) -> Scene + Send>;

/// A server that runs.
pub struct Scene {
    /// Where it listens.
    pub at: SocketAddr,
    _daemon: Daemon,
    /// A client that takes the only place.
    _other: Option<TcpStream>,
}

impl Scene {
    fn of(at: SocketAddr, daemon: Daemon) -> Self {
        Self { at, _daemon: daemon, _other: None }
    }
}

fn case(stem: &'static str, package: &'static str, how: &'static str, end: &'static str, start: Start) -> Case {
    Case { stem, package, how, end, start }
}

/// All of them.
pub fn cases() -> Vec<Case> {
    [post(), boxes(), others()].into_iter().flatten().collect()
}

fn post() -> Vec<Case> {
    let with = |tls: bool, settings: &'static str, crowded: bool| -> Start {
        Box::new(move |folder, identity| {
            let folder = Setting::new(folder.to_path_buf(), None).folder;
            let at = [port(), port()];
            let daemon = postfix::start(&folder, &Postfix { at, identity: tls.then_some(identity), settings });
            let other = crowded.then(|| greeted(at[0]));
            Scene { at: at[0], _daemon: daemon, _other: other }
        })
    };
    let postfix = |stem, how, end, start| case(stem, "postfix", how, end, start);
    vec![
        postfix("smtp-postfix-accepts", "smtpd_tls_security_level = may", GO, with(true, "", false)),
        postfix(
            "smtp-postfix-for-submission-accepts",
            "smtpd_tls_security_level = encrypt",
            GO,
            with(true, "smtpd_tls_security_level = encrypt\n", false),
        ),
        postfix("smtp-postfix-not-offered", "smtpd_tls_security_level = none", NOT_OFFERED, with(false, "", false)),
        postfix(
            "smtp-postfix-crowded-tries-later",
            "smtpd_client_connection_count_limit = 1, and somebody else is there",
            "try later: \"421 4.7.0 mail.example.com Error: too many connections from 127.0.0.1\"",
            with(
                false,
                "smtpd_client_connection_count_limit = 1\nsmtpd_client_event_limit_exceptions =\nsmtpd_peername_lookup = no\n",
                true,
            ),
        ),
        postfix(
            "smtp-postfix-refuses",
            "smtpd_client_restrictions = reject, smtpd_delay_reject = no",
            "STARTTLS refused: \"554 5.7.1 <unknown[127.0.0.1]>: Client host rejected: Access denied\"",
            with(
                true,
                "smtpd_client_restrictions = reject\nsmtpd_delay_reject = no\nsmtpd_peername_lookup = no\n",
                false,
            ),
        ),
    ]
}

/// A connection whose greeting has come.
fn greeted(at: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(at).expect("a server");
    let _ = std::io::Read::read(&mut stream, &mut [0; 512]).expect("a greeting");
    stream
}

fn boxes() -> Vec<Case> {
    let with = |word: &'static str, tls: bool| -> Start {
        Box::new(move |folder, identity| {
            let folder = Setting::new(folder.to_path_buf(), None).folder;
            let at = port();
            let server = Dovecot { at: &[(word, at)], identity: tls.then_some(identity) };
            Scene::of(at, dovecot::start(&folder, "dovecot", &server))
        })
    };
    let (yes, no) = ("ssl = yes", "ssl = no");
    vec![
        case("imap-dovecot-accepts", "dovecot-imapd", yes, GO, with("imap", true)),
        case("imap-dovecot-not-offered", "dovecot-imapd", no, NOT_OFFERED, with("imap", false)),
        case("pop3-dovecot-accepts", "dovecot-pop3d", yes, GO, with("pop3", true)),
        case("pop3-dovecot-not-offered", "dovecot-pop3d", no, NOT_OFFERED, with("pop3", false)),
        case("sieve-dovecot-accepts", "dovecot-managesieved", yes, GO, with("sieve", true)),
        case("sieve-dovecot-not-offered", "dovecot-managesieved", no, NOT_OFFERED, with("sieve", false)),
    ]
}

fn others() -> Vec<Case> {
    vec![
        case("ldap-slapd-accepts", "slapd", "with a certificate", GO, directory(true)),
        case("ldap-slapd-not-offered", "slapd", "without a certificate", NOT_OFFERED, directory(false)),
        case("ftp-vsftpd-accepts", "vsftpd", "ssl_enable=YES", GO, files(true)),
        case("ftp-vsftpd-not-offered", "vsftpd", "ssl_enable=NO", NOT_OFFERED, files(false)),
        case("ftp-proftpd-accepts", "proftpd-core", "TLSEngine on", GO, other_files(true)),
        case("ftp-proftpd-not-offered", "proftpd-core", "without mod_tls", NOT_OFFERED, other_files(false)),
        case("xmpp-prosody-accepts", "prosody", "with mod_tls", GO, chat(true, NAME)),
        case("xmpp-prosody-not-offered", "prosody", "without mod_tls", NOT_OFFERED, chat(false, NAME)),
        case("xmpp-server-prosody-accepts", "prosody", "with mod_tls", GO, federation(true, NAME)),
        case(
            "xmpp-server-prosody-without-tls-refuses",
            "prosody",
            "without mod_tls",
            "STARTTLS refused: \"undefined-condition: No stream features to offer\"",
            federation(false, NAME),
        ),
        case(
            "xmpp-server-prosody-refuses",
            "prosody",
            "it serves other.example only",
            "STARTTLS refused: \"host-unknown: This host does not serve mail.domain.com\"",
            federation(true, "other.example"),
        ),
        case(
            "xmpp-prosody-refuses",
            "prosody",
            "it serves other.example only",
            "STARTTLS refused: \"host-unknown: This server does not serve mail.domain.com\"",
            chat(true, "other.example"),
        ),
        case("postgres-accepts", "postgresql-15", "ssl = on", GO, database(true)),
        case("postgres-not-offered", "postgresql-15", "ssl = off", NOT_OFFERED, database(false)),
        case("rdp-xrdp-accepts", "xrdp", "security_layer=tls", GO, desktop(true)),
        case("rdp-xrdp-not-offered", "xrdp", "security_layer=rdp", NOT_OFFERED, desktop(false)),
    ]
}

fn directory(tls: bool) -> Start {
    Box::new(move |folder, identity| {
        let (setting, at) = (Setting::new(folder.to_path_buf(), tls.then_some(identity)), port());
        Scene::of(at, slapd::start(&setting, at, None))
    })
}

fn files(tls: bool) -> Start {
    Box::new(move |folder, identity| {
        let (setting, at) = (Setting::new(folder.to_path_buf(), tls.then_some(identity)), port());
        Scene::of(at, vsftpd::start(&setting, at, false))
    })
}

fn other_files(tls: bool) -> Start {
    Box::new(move |folder, identity| {
        let (setting, at) = (Setting::new(folder.to_path_buf(), tls.then_some(identity)), port());
        Scene::of(at, proftpd::start(&setting, at, false))
    })
}

fn chat(tls: bool, domain: &'static str) -> Start {
    spoken_to(tls, domain, Peers::Clients)
}

fn federation(tls: bool, domain: &'static str) -> Start {
    spoken_to(tls, domain, Peers::Servers)
}

fn spoken_to(tls: bool, domain: &'static str, peers: Peers) -> Start {
    Box::new(move |folder, identity| {
        let (setting, at) = (Setting::new(folder.to_path_buf(), tls.then_some(identity)), port());
        Scene::of(at, prosody::start(&setting, at, domain, peers))
    })
}

fn database(tls: bool) -> Start {
    Box::new(move |folder, identity| {
        let (setting, at) = (Setting::new(folder.to_path_buf(), tls.then_some(identity)), port());
        let cluster = postgres::cluster(&setting.folder);
        Scene::of(at, postgres::start(&setting, &cluster, at))
    })
}

fn desktop(tls: bool) -> Start {
    Box::new(move |folder, identity| {
        let (setting, at) = (Setting::new(folder.to_path_buf(), tls.then_some(identity)), port());
        Scene::of(at, xrdp::start(&setting, at))
    })
}
