//! What speaks at a port, by its first words; and what to do where TLS is not begun as the plan says.

use crate::model::service::{Protocol, Way};

/// What the first bytes of a server show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::judge) enum Speaks {
    /// TLS, at once.
    Tls,
    /// A protocol in the clear: its name, and the plan's word if its dialogue leads to TLS.
    Clear(&'static str, Option<&'static str>),
    /// Nothing that is known.
    Unknown,
}

/// What speaks there.
pub(in crate::judge) fn speaks(first: &[u8]) -> Speaks {
    let text = String::from_utf8_lossy(first).to_ascii_uppercase();
    let begins = |words: &[&str]| words.iter().any(|w| text.starts_with(w));
    match first {
        // An alert or a handshake (RFC 8446 section 5.1)
        [21 | 22, 3, 0..=4, ..] => Speaks::Tls,
        [3, 0, 0, ..] => Speaks::Clear("RDP", Some("rdp")),
        [0x30, _, 2, 1, ..] => Speaks::Clear("LDAP", Some("ldap")),
        _ if begins(&["HTTP/", "<!DOCTYPE", "<HTML"]) => Speaks::Clear("HTTP", None),
        _ if begins(&["SSH-"]) => Speaks::Clear("SSH", None),
        _ if begins(&["* OK", "* BYE", "* PREAUTH"]) => Speaks::Clear("IMAP", Some("imap")),
        _ if begins(&["+OK", "-ERR"]) => Speaks::Clear("POP3", Some("pop3")),
        _ if begins(&["\"IMPLEMENTATION\""]) => Speaks::Clear("ManageSieve", Some("sieve")),
        _ if begins(&["<STREAM:", "<?XML"]) && text.contains("STREAM") => Speaks::Clear("XMPP", Some("xmpp")),
        _ if begins(&["220", "421", "554"]) && text.contains("FTP") => Speaks::Clear("FTP", Some("ftp")),
        _ if begins(&["220", "421", "554"]) && text.contains("SMTP") => Speaks::Clear("SMTP", Some("smtp")),
        _ if begins(&["220 ", "220-"]) => Speaks::Clear("SMTP or FTP", None),
        _ => Speaks::Unknown,
    }
}

/// What to do where TLS should begin at once, and clear text came.
pub(in crate::judge) fn cure_clear(who: &str, port: u16, first: &[u8]) -> String {
    match speaks(first) {
        Speaks::Clear(name, Some(word)) => {
            let word = with_port(word, port);
            format!(
                "on {who}, turn TLS on at this port ({name} answers in the clear); or, if clients upgrade there, write {word} in the plan"
            )
        }
        Speaks::Clear(name, None) => {
            format!(
                "on {who}, turn TLS on at this port ({name} answers in the clear); or correct the service in the plan"
            )
        }
        Speaks::Tls | Speaks::Unknown => {
            format!("on {who}, turn TLS on at this port; or correct the service in the plan")
        }
    }
}

/// What to do where something else than a dialogue's protocol speaks.
pub(in crate::judge) fn cure_foreign(who: &str, way: Way, port: u16, first: &[u8]) -> String {
    match (speaks(first), way.other_word(port)) {
        (Speaks::Tls, Some(word)) => format!("TLS begins at once at this port: write {word} in the plan"),
        (Speaks::Clear(name, _), _) => {
            format!("another service answers ({name}): correct what listens there on {who}, or the service in the plan")
        }
        _ => format!("another service answers: correct what listens there on {who}, or the service in the plan"),
    }
}

/// What a dialogue that came to nothing may mean, where TLS at once is as likely: `; if TLS begins at once there, …`.
/// Nothing where a server that greets was refused otherwise.
pub(in crate::judge) fn or_at_once(way: Way, port: u16) -> String {
    let Way::Starttls(_) = way else { return String::new() };
    match way.other_word(port) {
        Some(word) => format!("; if TLS begins at once there, write {word} in the plan"),
        None => String::new(),
    }
}

/// What a handshake that was hung up on may mean at a port where a dialogue is usual.
pub(in crate::judge) fn or_after_dialogue(way: Way, port: u16) -> String {
    match (way, way.other_word(port)) {
        (Way::Implicit, Some(word)) => {
            format!("; or write {word} in the plan, which is usual at this port")
        }
        _ => String::new(),
    }
}

/// What to do where a server does not offer to upgrade.
pub(in crate::judge) fn cure_not_offered(who: &str, way: Way) -> String {
    let what = match way {
        Way::Starttls(Protocol::Smtp) => {
            "give the listener or connector a certificate, so that it offers STARTTLS (Exchange: event 12014); a firewall \
             that inspects SMTP on the way may hide the offer"
        }
        Way::Starttls(Protocol::Pop3) => "give the service a certificate, so that it offers STLS",
        Way::Starttls(Protocol::Ldap) => {
            "give the directory server a certificate with its key (slapd: TLSCertificateFile, TLSCertificateKeyFile)"
        }
        Way::Starttls(Protocol::Ftp) => {
            "turn TLS on and give it a certificate (vsftpd: ssl_enable; IIS: FTP SSL Settings)"
        }
        Way::Starttls(Protocol::Postgres) => {
            "set ssl = on, ssl_cert_file and ssl_key_file in postgresql.conf, and reload"
        }
        Way::Starttls(Protocol::Rdp) => {
            "let it negotiate TLS (Windows: SecurityLayer 2; xrdp: security_layer=tls) and give it a certificate"
        }
        Way::Starttls(Protocol::Xmpp | Protocol::XmppServer) => {
            "turn TLS on and give this domain a certificate, so that it offers STARTTLS"
        }
        _ => "give the service a certificate, so that it offers STARTTLS",
    };
    format!("on {who}, {what}")
}

/// What to do where a server refuses to upgrade, or refuses us before.
pub(in crate::judge) fn cure_refused(who: &str, way: Way, said: &str) -> String {
    match way {
        Way::Starttls(Protocol::Smtp) if said.starts_with("550") || said.starts_with("554") => format!(
            "on {who}, see why it turns this machine, or the name that it gives in EHLO (`ehlo` in the plan), away"
        ),
        Way::Starttls(Protocol::Xmpp | Protocol::XmppServer) if said.starts_with("host-unknown") => {
            format!("on {who}, serve this name as a domain (a virtual host); it knows others only")
        }
        Way::Starttls(Protocol::Rdp) if said.starts_with("SSL_CERT") => {
            format!("on {who}, give the remote desktop a certificate with its key")
        }
        Way::Starttls(Protocol::Ldap) if said.contains("initializing SSL/TLS") => format!(
            "on {who}, put a certificate for server authentication, with its key, into the machine's store, and start it again"
        ),
        _ => format!("on {who}, see why TLS cannot start: mostly the key cannot be read"),
    }
}

fn with_port(word: &str, port: u16) -> String {
    let usual = crate::model::service::services_of(word).is_some_and(|s| s.first().is_some_and(|s| s.port == port));
    if usual { word.to_string() } else { format!("{word}:{port}") }
}

/// What was refused or not offered, by the dialogue's own word: `STLS not offered`.
pub(in crate::judge) fn by_its_word(way: Way, words: String) -> String {
    let own = match way {
        Way::Starttls(Protocol::Postgres | Protocol::Rdp) => "TLS",
        way => way.word(),
    };
    match words.strip_prefix("STARTTLS ") {
        Some(rest) => format!("{own} {rest}"),
        None => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_words_show_who_speaks() {
        let name = |bytes: &[u8]| match speaks(bytes) {
            Speaks::Tls => "TLS",
            Speaks::Clear(name, _) => name,
            Speaks::Unknown => "",
        };
        for (bytes, who) in [
            (&b"\x15\x03\x03\x00\x02\x02\x0a"[..], "TLS"),
            (b"220 mail.domain.com ESMTP Postfix", "SMTP"),
            (b"220 (vsFTPd 3.0.3)", "FTP"),
            (b"220 ready", "SMTP or FTP"),
            (b"* OK [CAPABILITY IMAP4rev1] ready", "IMAP"),
            (b"+OK ready", "POP3"),
            (b"HTTP/1.1 400 Bad Request", "HTTP"),
            (b"<html><head>", "HTTP"),
            (b"<?xml version='1.0'?><stream:error>", "XMPP"),
            (b"\"IMPLEMENTATION\" \"Dovecot\"", "ManageSieve"),
            (b"\x30\x0c\x02\x01\x00x", "LDAP"),
            (b"SSH-2.0-OpenSSH", "SSH"),
            (b"\xff\xfe", ""),
            (b"", ""),
        ] {
            assert_eq!(name(bytes), who, "{bytes:?}");
        }
    }

    #[test]
    fn what_is_not_offered_has_the_dialogues_own_word() {
        let said = |protocol| by_its_word(Way::Starttls(protocol), "STARTTLS not offered".into());
        assert_eq!(said(Protocol::Pop3), "STLS not offered");
        assert_eq!(said(Protocol::Ftp), "AUTH TLS not offered");
        assert_eq!(said(Protocol::Postgres), "TLS not offered");
        assert_eq!(said(Protocol::Ldap), "STARTTLS not offered");
    }
}
