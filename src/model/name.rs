//! Host names in the one form that DNS and certificates compare.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A host name: A-labels in lower case without the final dot (RFC 5890 section 2.3.2.1), at most 253 octets, each label
/// 1 to 63. The left-most label may be a whole `*`, as a plan or a certificate writes a wildcard.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

/// Why a text is not a host name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameError {
    /// Nothing, or only a dot.
    Empty,
    /// An IP literal where a name is wanted.
    IpLiteral,
    /// More than 253 octets.
    TooLong(usize),
    /// A label that is empty, over 63 octets, begins or ends with a hyphen, or holds a character that host names may not.
    BadLabel(String),
    /// A `*` that is not the whole left-most label.
    PartialWildcard,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "the name is empty"),
            Self::IpLiteral => write!(f, "this is an IP address, not a host name"),
            Self::TooLong(n) => write!(f, "the name has {n} octets, at most 253 are allowed"),
            Self::BadLabel(label) => write!(f, "`{label}` cannot be a label of a host name"),
            Self::PartialWildcard => write!(f, "`*` must be the whole left-most label"),
        }
    }
}

impl std::error::Error for NameError {}

impl Name {
    /// Reads a host name as a person writes it: any case, U-labels, one final dot, `*.` in front.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        Self::read(text, false)
    }

    /// As [`Name::parse`], and labels may begin with an underscore, as owners of SRV and TXT records do (RFC 8552).
    pub fn parse_owner(text: &str) -> Result<Self, NameError> {
        Self::read(text, true)
    }

    fn read(text: &str, underscore: bool) -> Result<Self, NameError> {
        let text = text.strip_suffix('.').unwrap_or(text);
        if is_plain(text) {
            return Ok(Self(text.into()));
        }
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if text.len() > 4 * 253 {
            return Err(NameError::TooLong(text.len()));
        }
        if text.parse::<IpAddr>().is_ok() {
            return Err(NameError::IpLiteral);
        }
        let (star, rest) = match text.strip_prefix("*.") {
            Some(rest) => ("*.", rest),
            None => ("", text),
        };
        if rest.contains('*') {
            return Err(NameError::PartialWildcard);
        }
        let mut out = String::with_capacity(text.len());
        out.push_str(star);
        for (i, label) in rest.split('.').enumerate() {
            if i > 0 {
                out.push('.');
            }
            push_label(&mut out, label, underscore)?;
        }
        if out.len() > 253 {
            return Err(NameError::TooLong(out.len()));
        }
        Ok(Self(out.into()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as text that is not copied.
    pub fn shared(&self) -> Arc<str> {
        self.0.clone()
    }

    /// The labels, left-most first.
    pub fn labels(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('.')
    }

    /// True if the left-most label is `*`.
    pub fn is_wildcard(&self) -> bool {
        self.0.starts_with("*.")
    }

    /// Everything after the left-most label; `None` for a single label.
    pub fn parent(&self) -> Option<&str> {
        self.0.split_once('.').map(|(_, rest)| rest)
    }

    /// The name that a probe asks for: itself, or for a wildcard one derived label under it.
    pub fn probe(&self) -> Name {
        match self.0.strip_prefix("*.") {
            Some(rest) => Name(format!("coexist-probe.{rest}").into()),
            None => self.clone(),
        }
    }

    /// True if this name is `zone` or lies below it.
    pub fn is_under(&self, zone: &str) -> bool {
        match self.0.strip_suffix(zone) {
            Some("") => true,
            Some(rest) => rest.ends_with('.'),
            None => false,
        }
    }
}

/// True of most names: no wildcard and no address, and written as it is compared.
fn is_plain(text: &str) -> bool {
    let ldh = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-';
    let label = |l: &[u8]| (1..=63).contains(&l.len()) && l.iter().all(ldh) && l[0] != b'-' && l.last() != Some(&b'-');
    let last = text.rsplit('.').next().unwrap_or_default();
    text.len() <= 253
        && last.bytes().any(|b| b.is_ascii_lowercase())
        && text.as_bytes().split(|b| *b == b'.').all(label)
}

fn push_label(out: &mut String, label: &str, underscore: bool) -> Result<(), NameError> {
    let bad = || NameError::BadLabel(label.to_string());
    let ascii = if label.is_ascii() {
        label.to_ascii_lowercase()
    } else {
        idna::domain_to_ascii_strict(label).map_err(|_| bad())?
    };
    let body = if underscore { ascii.strip_prefix('_').unwrap_or(&ascii) } else { &ascii };
    let ldh = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    if body.is_empty() || ascii.len() > 63 || body.starts_with('-') || body.ends_with('-') || !body.bytes().all(ldh) {
        return Err(bad());
    }
    out.push_str(&ascii);
    Ok(())
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(d)?;
        Self::parse_owner(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_as_a_labels_in_lower_case() {
        for (text, want) in [
            ("Mail.Domain.COM.", "mail.domain.com"),
            ("faß.de", "xn--fa-hia.de"),
            ("münchen.example", "xn--mnchen-3ya.example"),
            ("*.Apps.example.com", "*.apps.example.com"),
            ("localhost", "localhost"),
        ] {
            assert_eq!(Name::parse(text).map(|n| n.to_string()), Ok(want.to_string()), "{text}");
        }
    }

    #[test]
    fn what_is_no_host_name_says_why() {
        let long = format!("{}.example", "a".repeat(64));
        let huge = vec!["abcdefgh"; 40].join(".");
        for (text, want) in [
            ("", NameError::Empty),
            (".", NameError::Empty),
            ("10.0.0.1", NameError::IpLiteral),
            ("::1", NameError::IpLiteral),
            ("a..b", NameError::BadLabel(String::new())),
            ("-a.b", NameError::BadLabel("-a".into())),
            ("a b.c", NameError::BadLabel("a b".into())),
            ("_sip.a", NameError::BadLabel("_sip".into())),
            (long.as_str(), NameError::BadLabel("a".repeat(64))),
            ("f*.example.com", NameError::PartialWildcard),
            ("*.*.example.com", NameError::PartialWildcard),
            (huge.as_str(), NameError::TooLong(359)),
        ] {
            assert_eq!(Name::parse(text), Err(want), "{text}");
        }
        assert!(Name::parse_owner("_autodiscover._tcp.domain.com").is_ok());
    }

    #[test]
    fn what_is_plain_is_read_as_anything_else_is() {
        for plain in ["a", "mail.domain.com", "1.2.3.4a", "xn--fa-hia.de", "a--b.c"] {
            assert!(is_plain(plain), "{plain}");
            // A letter in upper case takes the long way.
            assert_eq!(Name::parse(&plain.to_ascii_uppercase()).unwrap().as_str(), plain);
        }
        let long = vec!["abcdefgh"; 29].join(".");
        for other in ["", "a..b", ".a", "a.", "-a", "a-", "a.b-.c", "10.0.0.1", "1.a.1", "A", "ß", "*.a", "_a", &long]
        {
            assert!(!is_plain(other), "{other}");
        }
        assert!(!is_plain(&"a".repeat(64)) && is_plain(&"a".repeat(63)));
    }

    #[test]
    fn a_zone_holds_itself_and_what_lies_below() {
        let name = Name::parse("a.example.com").unwrap();
        assert!(name.is_under("example.com") && name.is_under("a.example.com"));
        assert!(!name.is_under("le.com") && !name.is_under("b.a.example.com"));
    }
}
