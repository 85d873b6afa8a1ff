//! What is to be inspected, as it was typed: `host[:port][/service]`, or a file.

use std::net::{IpAddr, Ipv6Addr};
use std::path::{Path, PathBuf};

use crate::model::inspection::Reference;
use crate::model::name::{Name, NameError};
use crate::model::service::{self, Service, WORDS, Way};

/// Something to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A file of certificates.
    File(PathBuf),
    /// A host and its services.
    Host(Reference, Vec<Service>),
}

/// Endings by which a path is told from a host, where no such file is there.
const ENDINGS: &[&str] = &[
    "pem", "cer", "crt", "cert", "der", "p7b", "p7c", "p7s", "pfx", "p12", "key", "csr", "req", "jks", "txt", "bundle",
];

impl Target {
    /// Reads what was typed. A file that is there is a file; so is what can only be a path.
    pub fn parse(text: &str) -> Result<Self, String> {
        let path = Path::new(text);
        if std::fs::metadata(path).is_ok() || is_path(text) {
            return Ok(Self::File(path.to_path_buf()));
        }
        let (scheme, rest) = match text.split_once("://") {
            // As pasted from a browser: what follows the host is of no matter.
            Some((scheme, rest)) => (Some(scheme), rest.split(['/', '?', '#']).next().unwrap_or_default()),
            None => (None, text),
        };
        let (place, word) = match (scheme, rest.split_once('/')) {
            (Some(scheme), _) => (rest, Some(scheme)),
            (None, Some((place, word))) => (place, Some(word).filter(|w| !w.is_empty())),
            (None, None) => (rest, None),
        };
        let (host, port) = host_and_port(place)?;
        Ok(Self::Host(reference(host)?, services(port, word)?))
    }
}

fn is_path(text: &str) -> bool {
    let ending = Path::new(text).extension().and_then(|e| e.to_str()).unwrap_or_default();
    let drive = text.as_bytes().get(1) == Some(&b':') && text.starts_with(|c: char| c.is_ascii_alphabetic());
    text.starts_with(['.', '/', '~'])
        || text.contains('\\')
        || (drive && text.as_bytes().get(2) == Some(&b'/'))
        || ENDINGS.contains(&ending.to_ascii_lowercase().as_str())
}

/// `host`, `host:port`, `[v6]`, `[v6]:port`, or a bare IPv6 address.
fn host_and_port(text: &str) -> Result<(&str, Option<u16>), String> {
    if text.parse::<Ipv6Addr>().is_ok() {
        return Ok((text, None));
    }
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']').ok_or("the bracket of the IPv6 address is not closed")?;
            (host, after.strip_prefix(':').or_else(|| after.is_empty().then_some("")).ok_or("wanted [ADDRESS]:PORT")?)
        }
        None => text.rsplit_once(':').unwrap_or((text, "")),
    };
    let bare = text.strip_suffix(':').is_some();
    match port {
        "" if bare => Err("the port is missing after the colon".into()),
        "" => Ok((host, None)),
        port => match port.parse::<u16>() {
            Ok(number) if number > 0 => Ok((host, Some(number))),
            _ => Err(format!("`{port}` is no port: 1 to 65535")),
        },
    }
}

/// Reads a host or an address.
pub fn reference(text: &str) -> Result<Reference, String> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(Reference::Address(address));
    }
    if text.contains('%') {
        return Err(format!("`{text}`: addresses with a zone are not dialled"));
    }
    match Name::parse(text).or_else(|_| Name::parse_owner(text)) {
        Ok(name) => Ok(Reference::Name(name)),
        Err(NameError::Empty) => Err("the host is missing".into()),
        Err(e) => Err(format!("`{text}` is no host, and no such file: {e}")),
    }
}

/// The services of a word at a port; of a port alone, the one that lives there.
fn services(port: Option<u16>, word: Option<&str>) -> Result<Vec<Service>, String> {
    let of = |text: String| service::services_of(&text);
    let found = match (word, port) {
        (Some(word), Some(port)) => of(format!("{word}:{port}")),
        (Some(word), None) => of(word.to_string()),
        (None, None) => of("https".into()),
        (None, Some(port)) => return Ok(vec![at_home(port)]),
    };
    found.ok_or_else(|| match word {
        Some(service::BARE_TLS) => "tls has no port of its own: HOST:PORT/tls".into(),
        _ => format!("`{}` is no service: {}", word.unwrap_or_default(), words()),
    })
}

/// What lives at a port, else bare TLS.
fn at_home(port: u16) -> Service {
    let home = WORDS.iter().find_map(|(word, ports)| match ports {
        [(p, way)] if *p == port => Some((*word, *way)),
        _ => None,
    });
    let (word, way) = home.unwrap_or((service::BARE_TLS, Way::Implicit));
    Service { word, port, way }
}

fn words() -> String {
    WORDS.iter().map(|(word, _)| *word).chain(["tls"]).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        match Target::parse(text) {
            Ok(Target::File(path)) => format!("file {}", path.display()),
            Ok(Target::Host(host, services)) => {
                let each: Vec<_> = services.iter().map(|s| format!("{}{s}", s.word)).collect();
                format!("{host} {}", each.join(", "))
            }
            Err(why) => format!("! {why}"),
        }
    }

    #[test]
    fn hosts_ports_and_services_are_read_as_people_type_them() {
        for (text, want) in [
            ("Mail.Example.com.", "mail.example.com https:443"),
            ("mail.example.com:8443", "mail.example.com tls:8443"),
            ("mail.example.com:25", "mail.example.com smtp:25 STARTTLS"),
            ("mail.example.com:465", "mail.example.com smtps:465"),
            ("mail.example.com:5061", "mail.example.com sips:5061"),
            ("mail.example.com/smtp", "mail.example.com smtp:25 STARTTLS"),
            ("mail.example.com:2525/smtp", "mail.example.com smtp:2525 STARTTLS"),
            ("ex19-02/IMAP", "ex19-02 IMAP:143 STARTTLS, IMAP:993"),
            ("10.0.0.10:636", "10.0.0.10 ldaps:636"),
            ("2001:db8::1", "2001:db8::1 https:443"),
            ("[2001:db8::1]:993/imaps", "2001:db8::1 imaps:993"),
            ("[::1]", "::1 https:443"),
            ("https://mail.example.com/owa?x=1", "mail.example.com https:443"),
            ("https://mail.example.com:8443/", "mail.example.com https:8443"),
            ("münchen.example/", "xn--mnchen-3ya.example https:443"),
            ("db.example.com:8444/tls", "db.example.com tls:8444"),
            ("./no-such", "file ./no-such"),
            ("C:\\certs\\a.txt", "file C:\\certs\\a.txt"),
            ("no-such.pem", "file no-such.pem"),
        ] {
            assert_eq!(told(text), want, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        for (text, want) in [
            ("mail.example.com:0", "is no port"),
            ("mail.example.com:", "the port is missing"),
            ("mail.example.com/tls", "no port of its own"),
            ("mail.example.com/htps", "is no service"),
            ("[::1", "not closed"),
            (":443", "the host is missing"),
            ("a b", "is no host"),
            ("fe80::1%eth0", "is no port"),
            ("", "the host is missing"),
        ] {
            let said = told(text);
            assert!(said.starts_with('!') && said.contains(want), "{text}: {said}");
        }
    }
}
