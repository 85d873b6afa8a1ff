//! Service words: the port and the way into TLS that each stands for.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A protocol whose dialogue upgrades to TLS in the middle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// SMTP and submission (RFC 3207).
    Smtp,
    /// IMAP (RFC 9051 section 6.2.1).
    Imap,
    /// POP3 (RFC 2595 section 4).
    Pop3,
    /// LDAP (RFC 4511 section 4.14).
    Ldap,
    /// FTP (RFC 4217).
    Ftp,
    /// XMPP, as clients speak it (RFC 6120 section 5).
    Xmpp,
    /// XMPP between servers.
    #[serde(rename = "xmpp-server")]
    XmppServer,
    /// ManageSieve (RFC 5804 section 2.2).
    Sieve,
    /// PostgreSQL's SSLRequest.
    Postgres,
    /// RDP's negotiation request (MS-RDPBCGR 2.2.1.1).
    Rdp,
}

/// How TLS begins on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// At once.
    Implicit,
    /// After a dialogue in the clear.
    Starttls(Protocol),
}

impl Way {
    /// What an administrator calls it: nothing for implicit TLS, `STLS` for POP3, `SSLRequest` for PostgreSQL, else
    /// mostly `STARTTLS`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Implicit => "",
            Self::Starttls(Pop3) => "STLS",
            Self::Starttls(Ftp) => "AUTH TLS",
            Self::Starttls(Postgres) => "SSLRequest",
            Self::Starttls(Rdp) => "RDP negotiation",
            Self::Starttls(_) => "STARTTLS",
        }
    }

    /// What a plan says of a port if it is not this way after all: the word whose usual port it is, else, with the port, the
    /// word for TLS at once in place of this dialogue. `None` at a port that is usual for this way.
    pub fn other_word(self, port: u16) -> Option<String> {
        let usual = WORDS.iter().find(|(_, ports)| ports.first().is_some_and(|(p, _)| *p == port));
        match (usual, self) {
            (Some((word, [(_, way), ..])), _) => (*way != self).then(|| (*word).to_string()),
            (_, Self::Implicit) => None,
            (_, Self::Starttls(protocol)) => Some(format!("{}:{port}", at_once(protocol))),
        }
    }
}

/// The word for a protocol in which TLS begins at once.
fn at_once(protocol: Protocol) -> &'static str {
    match protocol {
        Smtp => "smtps",
        Imap => "imaps",
        Pop3 => "pop3s",
        Ldap => "ldaps",
        Ftp => "ftps",
        Xmpp | XmppServer | Sieve | Postgres | Rdp => BARE_TLS,
    }
}

/// One listening service of a server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Service {
    /// The plan's word: `https`, `IIS`, `tls` ...
    pub word: &'static str,
    /// TCP port.
    pub port: u16,
    /// Way into TLS.
    pub way: Way,
}

impl fmt::Display for Service {
    /// `:25 STARTTLS`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, ":{}", self.port)?;
        match self.way.word() {
            "" => Ok(()),
            word => write!(f, " {word}"),
        }
    }
}

use Protocol::{Ftp, Imap, Ldap, Pop3, Postgres, Rdp, Sieve, Smtp, Xmpp, XmppServer};
use Way::{Implicit, Starttls};

/// Every word and the ports that it opens. Ports are IANA's; the words in capitals are Exchange's service assignments,
/// each with the ports that Exchange opens for it.
pub const WORDS: &[(&str, &[(u16, Way)])] = &[
    ("https", &[(443, Implicit)]),
    ("smtp", &[(25, Starttls(Smtp))]),
    ("submission", &[(587, Starttls(Smtp))]),
    ("smtps", &[(465, Implicit)]),
    ("submissions", &[(465, Implicit)]),
    ("imap", &[(143, Starttls(Imap))]),
    ("imaps", &[(993, Implicit)]),
    ("pop3", &[(110, Starttls(Pop3))]),
    ("pop3s", &[(995, Implicit)]),
    ("ldap", &[(389, Starttls(Ldap))]),
    ("ldaps", &[(636, Implicit)]),
    ("ftp", &[(21, Starttls(Ftp))]),
    ("ftps", &[(990, Implicit)]),
    ("xmpp", &[(5222, Starttls(Xmpp))]),
    ("xmpp-server", &[(5269, Starttls(XmppServer))]),
    ("sieve", &[(4190, Starttls(Sieve))]),
    ("postgres", &[(5432, Starttls(Postgres))]),
    ("rdp", &[(3389, Starttls(Rdp))]),
    ("sips", &[(5061, Implicit)]),
    ("IIS", &[(443, Implicit)]),
    ("SMTP", &[(25, Starttls(Smtp)), (587, Starttls(Smtp))]),
    ("IMAP", &[(143, Starttls(Imap)), (993, Implicit)]),
    ("POP", &[(110, Starttls(Pop3)), (995, Implicit)]),
];

/// The word for bare TLS at a given port; it has no port of its own.
pub const BARE_TLS: &str = "tls";

/// The services of `WORD` or `WORD:PORT`; with a port, the word's first way into TLS is taken.
/// `None` if the word is unknown or the port is not 1 to 65535.
pub fn services_of(text: &str) -> Option<Vec<Service>> {
    let (word, port) = match text.split_once(':') {
        Some((word, port)) => (word, Some(port.parse::<u16>().ok().filter(|p| *p > 0)?)),
        None => (text, None),
    };
    match (word, port) {
        (BARE_TLS, Some(port)) => Some(vec![Service { word: BARE_TLS, port, way: Implicit }]),
        _ => {
            let (word, ports) = WORDS.iter().find(|(w, _)| *w == word)?;
            let service = |(port, way): &(u16, Way)| Service { word, port: *port, way: *way };
            match port {
                None => Some(ports.iter().map(service).collect()),
                Some(port) => ports.first().map(|(_, way)| vec![service(&(port, *way))]),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_speaks_for_another_way() {
        for (way, port, word) in [
            (Starttls(Imap), 993, Some("imaps")),
            (Starttls(Smtp), 443, Some("https")),
            (Starttls(Xmpp), 5223, Some("tls:5223")),
            (Starttls(Ldap), 3269, Some("ldaps:3269")),
            (Starttls(Smtp), 25, None),
            (Starttls(Smtp), 2525, Some("smtps:2525")),
            (Implicit, 25, Some("smtp")),
            (Implicit, 443, None),
            (Implicit, 8443, None),
        ] {
            assert_eq!(way.other_word(port).as_deref(), word, "{way:?} {port}");
        }
    }

    #[test]
    fn a_word_stands_for_its_ports() {
        let shown = |text| services_of(text).map(|v| v.iter().map(Service::to_string).collect::<Vec<_>>().join(" "));
        assert_eq!(shown("IIS").as_deref(), Some(":443"));
        assert_eq!(shown("POP").as_deref(), Some(":110 STLS :995"));
        assert_eq!(shown("https:8443").as_deref(), Some(":8443"));
        assert_eq!(shown("smtp:2525").as_deref(), Some(":2525 STARTTLS"));
        assert_eq!(shown("tls:8444").as_deref(), Some(":8444"));
        for bad in ["tls", "https:0", "https:70000", "htps", ""] {
            assert_eq!(shown(bad), None, "{bad}");
        }
    }
}
