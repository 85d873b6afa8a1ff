//! HTTPS records (RFC 9460): other hosts of a web site, hints at addresses, and how to speak there.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::records::escape_octets;

/// Names of parameters by their numbers (RFC 9460 section 14.3.2).
const KEYS: [&str; 7] = ["mandatory", "alpn", "no-default-alpn", "port", "ipv4hint", "ech", "ipv6hint"];
const MANDATORY: u16 = 0;
const ALPN: u16 = 1;
const NO_DEFAULT_ALPN: u16 = 2;
const PORT: u16 = 3;
const IPV4HINT: u16 = 4;
const ECH: u16 = 5;
const IPV6HINT: u16 = 6;

/// What an HTTPS record says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Svcb {
    /// 0 is an alias; of others, lower is tried first.
    pub priority: u16,
    /// The host, in lower case without the final dot; `.` is the owner itself, and of an alias nothing.
    pub target: String,
    /// Parameters by number, ascending, each once; values as a zone file has them, without quotes.
    pub parameters: Vec<(u16, String)>,
}

impl Svcb {
    /// Reads a record as a zone file has it (RFC 9460 section 2.1); `None` if it is none, or says something twice.
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = words(text)?.into_iter();
        let priority = words.next()?.parse().ok()?;
        let target = words.next()?.to_ascii_lowercase();
        let target = if target == "." { target } else { target.trim_end_matches('.').to_string() };
        let parameters = words.map(|word| {
            let (key, value) = word.split_once('=').unwrap_or((&word, ""));
            let key = key_of(key)?;
            Some((key, value_of(key, value)?))
        });
        Self::of(priority, target, parameters.collect::<Option<_>>()?)
    }

    /// Reads the octets of parameters (RFC 9460 section 2.2); `None` if some are none of their kind, or not in order.
    pub fn of_octets(priority: u16, target: String, parameters: &[(u16, &[u8])]) -> Option<Self> {
        let read = |(key, octets): &(u16, &[u8])| Some((*key, text_of(*key, octets)?));
        let all: Option<Vec<(u16, String)>> = parameters.iter().map(read).collect();
        let in_order = parameters.is_sorted_by(|(a, _), (b, _)| a < b);
        Self::of(priority, target, all.filter(|_| in_order)?)
    }

    fn of(priority: u16, target: String, mut parameters: Vec<(u16, String)>) -> Option<Self> {
        parameters.sort();
        let once = parameters.windows(2).all(|pair| pair.first().map(|p| p.0) != pair.last().map(|p| p.0));
        (once && !target.is_empty()).then_some(Self { priority, target, parameters })
    }

    /// The addresses that it hints at.
    pub fn hints(&self) -> impl Iterator<Item = IpAddr> + '_ {
        let hints = self.parameters.iter().filter(|(key, _)| is_hint(*key));
        hints.flat_map(|(_, value)| value.split(',')).filter_map(|a| a.parse().ok())
    }

    /// The same record without its hints, which follow the addresses of its host.
    #[must_use]
    pub fn without_hints(&self) -> Self {
        let mut out = self.clone();
        out.parameters.retain(|(key, _)| !is_hint(*key));
        out
    }

    /// The octets of the parameters; `None` if a value is none of its kind.
    pub fn octets(&self) -> Option<Vec<(u16, Vec<u8>)>> {
        self.parameters.iter().map(|(key, value)| Some((*key, octets_of(*key, value)?))).collect()
    }
}

impl fmt::Display for Svcb {
    /// As a zone file writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.priority, if self.target == "." { "" } else { &self.target })?;
        f.write_str(".")?;
        for (key, value) in &self.parameters {
            write!(f, " {}", name_of(*key))?;
            let plain = |c: char| c.is_ascii_alphanumeric() || ",.:+/=-_".contains(c);
            match value.chars().all(plain) {
                true if value.is_empty() => {}
                true => write!(f, "={value}")?,
                false => write!(f, "=\"{value}\"")?,
            }
        }
        Ok(())
    }
}

fn is_hint(key: u16) -> bool {
    matches!(key, IPV4HINT | IPV6HINT)
}

fn key_of(word: &str) -> Option<u16> {
    let known = KEYS.iter().position(|k| *k == word).and_then(|i| u16::try_from(i).ok());
    known.or_else(|| word.strip_prefix("key")?.parse().ok())
}

fn name_of(key: u16) -> String {
    KEYS.get(usize::from(key)).map_or_else(|| format!("key{key}"), ToString::to_string)
}

/// Words that blanks part, unless they stand within quotes, which are taken away. An escape stays as it is.
fn words(text: &str) -> Option<Vec<String>> {
    let (mut out, mut word, mut quoted) = (Vec::new(), String::new(), false);
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => match characters.next()? {
                '"' => word.push_str("\\034"),
                next => word.extend([c, next]),
            },
            '"' => quoted = !quoted,
            c if c.is_ascii_whitespace() && !quoted => out.push(std::mem::take(&mut word)),
            c => word.push(c),
        }
    }
    out.push(word);
    out.retain(|w| !w.is_empty());
    (!quoted).then_some(out)
}

/// A value in the one way in which it is kept.
fn value_of(key: u16, value: &str) -> Option<String> {
    Some(match key {
        MANDATORY => {
            let keys: Option<BTreeSet<u16>> = value.split(',').map(key_of).collect();
            keys?.into_iter().map(name_of).collect::<Vec<_>>().join(",")
        }
        NO_DEFAULT_ALPN if !value.is_empty() => return None,
        PORT => value.parse::<u16>().ok()?.to_string(),
        IPV4HINT => addresses(value.split(',').map(|a| a.parse::<Ipv4Addr>().ok().map(IpAddr::from)))?,
        IPV6HINT => addresses(value.split(',').map(|a| a.parse::<Ipv6Addr>().ok().map(IpAddr::from)))?,
        ALPN | ECH if value.is_empty() => return None,
        _ => value.to_string(),
    })
}

fn addresses(all: impl Iterator<Item = Option<IpAddr>>) -> Option<String> {
    let all: BTreeSet<IpAddr> = all.collect::<Option<_>>()?;
    Some(all.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
}

fn text_of(key: u16, octets: &[u8]) -> Option<String> {
    let value = match key {
        MANDATORY => {
            let (pairs, rest) = octets.as_chunks::<2>();
            let keys: Vec<String> = pairs.iter().map(|pair| name_of(u16::from_be_bytes(*pair))).collect();
            rest.is_empty().then(|| keys.join(","))?
        }
        ALPN => strings(octets)?,
        PORT => u16::from_be_bytes(octets.try_into().ok()?).to_string(),
        IPV4HINT => {
            let (all, rest) = octets.as_chunks::<4>();
            addresses(all.iter().map(|a| Some(Ipv4Addr::from(*a).into()))).filter(|_| rest.is_empty())?
        }
        IPV6HINT => {
            let (all, rest) = octets.as_chunks::<16>();
            addresses(all.iter().map(|a| Some(Ipv6Addr::from(*a).into()))).filter(|_| rest.is_empty())?
        }
        ECH => BASE64.encode(octets),
        _ => escape_octets(octets).replace('"', "\\034"),
    };
    value_of(key, &value)
}

/// Strings, each behind its length.
fn strings(mut octets: &[u8]) -> Option<String> {
    let mut out = Vec::new();
    while let Some((length, rest)) = octets.split_first() {
        let (string, rest) = rest.split_at_checked(usize::from(*length))?;
        out.push(escape_octets(string).replace(',', "\\,"));
        octets = rest;
    }
    (!out.is_empty()).then(|| out.join(","))
}

fn octets_of(key: u16, value: &str) -> Option<Vec<u8>> {
    let addresses = || value.split(',').map(|a| a.parse::<IpAddr>().ok());
    Some(match key {
        MANDATORY => {
            let keys: Option<Vec<[u8; 2]>> = value.split(',').map(|k| Some(key_of(k)?.to_be_bytes())).collect();
            keys?.concat()
        }
        ALPN => {
            let each = value.split(',').map(|id| Some([&[u8::try_from(id.len()).ok()?], id.as_bytes()].concat()));
            each.collect::<Option<Vec<_>>>()?.concat()
        }
        PORT => value.parse::<u16>().ok()?.to_be_bytes().to_vec(),
        IPV4HINT | IPV6HINT => {
            let octets = |a: IpAddr| match a {
                IpAddr::V4(a) => a.octets().to_vec(),
                IpAddr::V6(a) => a.octets().to_vec(),
            };
            addresses().map(|a| a.map(octets)).collect::<Option<Vec<_>>>()?.concat()
        }
        ECH => BASE64.decode(value.as_bytes()).ok()?,
        _ => value.as_bytes().to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9460 appendix D, and section 2.1.
    #[test]
    fn a_record_reads_as_a_zone_file_writes_it() {
        for (text, want) in [
            ("0 foo.example.com.", "0 foo.example.com."),
            ("1 .", "1 ."),
            ("16 foo.example.com. port=53", "16 foo.example.com. port=53"),
            ("1 foo.example.com. key667=hello", "1 foo.example.com. key667=hello"),
            ("1 . ipv6hint=\"2001:db8::1,2001:DB8::53:1\"", "1 . ipv6hint=2001:db8::1,2001:db8::53:1"),
            ("1 . ipv4hint=192.0.2.2,192.0.2.1 alpn=\"h2,h3\"", "1 . alpn=h2,h3 ipv4hint=192.0.2.1,192.0.2.2"),
            (
                "16 Foo.example.org alpn=h2,h3-19 mandatory=ipv4hint,alpn ipv4hint=192.0.2.1",
                "16 foo.example.org. mandatory=alpn,ipv4hint alpn=h2,h3-19 ipv4hint=192.0.2.1",
            ),
            ("1 . no-default-alpn alpn=h3", "1 . alpn=h3 no-default-alpn"),
            ("1 . key700=\"a b\"", "1 . key700=\"a b\""),
            ("1 . key700=\"a\\\"b\"", "1 . key700=\"a\\034b\""),
        ] {
            let read = Svcb::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(read.to_string(), want, "{text}");
            assert_eq!(Svcb::parse(want), Some(read), "{text}");
        }
        for none in [
            "",
            "1",
            "x .",
            "1 . port=x",
            "1 . port=65536",
            "1 . ipv4hint=2001:db8::1",
            "1 . ipv4hint=",
            "1 . alpn=h2 alpn=h3",
            "1 . alpn",
            "1 . no-default-alpn=x",
            "1 . colour=red",
            "1 . key1=\"a",
            "1 . \\",
        ] {
            assert_eq!(Svcb::parse(none), None, "{none}");
        }
    }

    #[test]
    fn octets_read_as_they_were_written() {
        for text in [
            "1 . alpn=h2,h3 port=8443 ipv4hint=192.0.2.1 ech=AAEC ipv6hint=2001:db8::1",
            "1 . mandatory=alpn,port alpn=h2 no-default-alpn port=443",
            "0 foo.example.com.",
        ] {
            let record = Svcb::parse(text).unwrap();
            let octets = record.octets().unwrap();
            let parts: Vec<(u16, &[u8])> = octets.iter().map(|(key, o)| (*key, o.as_slice())).collect();
            assert_eq!(Svcb::of_octets(record.priority, record.target.clone(), &parts), Some(record), "{text}");
        }
        for bad in [
            &[(4, &[192u8, 0, 2][..])][..],
            &[(4, &[])],
            &[(3, &[1])],
            &[(1, &[3, b'h', b'2'])],
            &[(1, &[])],
            &[(0, &[0])],
            &[(6, &[0; 15])],
            &[(4, &[192, 0, 2, 1]), (1, &[2, b'h', b'2'])],
            &[(3, &[0, 1]), (3, &[0, 1])],
        ] {
            assert_eq!(Svcb::of_octets(1, ".".into(), bad), None, "{bad:?}");
        }
        assert_eq!(
            Svcb::of_octets(1, ".".into(), &[(900, &[0, b'\\', 0xff])]).unwrap().to_string(),
            "1 . key900=\"\\000\\092\\255\""
        );
    }

    #[test]
    fn hints_are_told_apart() {
        let record = Svcb::parse("1 . alpn=h2 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1").unwrap();
        assert_eq!(record.hints().map(|a| a.to_string()).collect::<Vec<_>>(), ["192.0.2.1", "2001:db8::1"]);
        assert_eq!(record.without_hints().to_string(), "1 . alpn=h2");
    }
}
