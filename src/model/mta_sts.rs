//! MTA-STS (RFC 8461): the record that says that a domain has a policy, and the policy.

use super::name::Name;

/// Octets of a policy that are read of any server (RFC 8461 section 3.3 suggests this measure).
pub const POLICY: usize = 64 * 1024;

/// Seconds in a year, the longest that a policy may say (RFC 8461 section 3.2).
pub const MAX_AGE: u32 = 31_557_600;

/// Where the record stands; `None` if no name has room for it.
pub fn owner(domain: &Name) -> Option<Name> {
    Name::parse_owner(&format!("_mta-sts.{domain}")).ok()
}

/// Who gives the policy (RFC 8461 section 3.3).
pub fn host(domain: &Name) -> Option<Name> {
    Name::parse(&format!("mta-sts.{domain}")).ok()
}

/// What the texts at the owner come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// None is of MTA-STS: the domain has no policy.
    Nothing,
    /// The one that there is, with its id.
    Id(String),
    /// Senders take it for none: why.
    Void(&'static str),
}

impl Record {
    /// Reads the texts of a TXT RRset (RFC 8461 section 3.1).
    pub fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let is = |text: &&str| text.split(';').next().is_some_and(|first| first.trim_end() == "v=STSv1");
        let mut all = texts.into_iter().filter(is);
        let Some(text) = all.next() else { return Self::Nothing };
        if all.next().is_some() {
            return Self::Void("there are several");
        }
        let id = text.split(';').skip(1).find_map(|field| field.trim().strip_prefix("id="));
        let is_id = |id: &&str| (1..=32).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric());
        match id.filter(is_id) {
            Some(id) => Self::Id(id.to_string()),
            None => Self::Void("it has no id of 1 to 32 letters and digits"),
        }
    }
}

/// What senders do with a host that does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// They do not deliver to it.
    Enforce,
    /// They deliver, and report.
    Testing,
    /// There is no policy any more.
    None,
}

/// A policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// What senders do.
    pub mode: Mode,
    /// Patterns of hosts, in lower case.
    pub mx: Vec<String>,
    /// For how many seconds it may be kept.
    pub max_age: u32,
}

impl Policy {
    /// Reads a policy (RFC 8461 section 3.2); the error says why it is none. Of fields that stand twice the first counts,
    /// all of `mx` do.
    pub fn parse(body: &str) -> Result<Self, &'static str> {
        let fields =
            || body.lines().filter_map(|line| line.split_once(':')).map(|(key, value)| (key.trim(), value.trim()));
        let first = |wanted: &str| fields().find(|(key, _)| *key == wanted).map(|(_, value)| value);
        if first("version") != Some("STSv1") {
            return Err("it has no \"version: STSv1\"");
        }
        let mode = match first("mode") {
            Some("enforce") => Mode::Enforce,
            Some("testing") => Mode::Testing,
            Some("none") => Mode::None,
            _ => return Err("its mode is not enforce, testing or none"),
        };
        let age = first("max_age").and_then(|age| age.parse::<u32>().ok()).filter(|age| *age <= MAX_AGE);
        let max_age = age.ok_or("its max_age is no number of seconds up to a year")?;
        let mx: Vec<String> = fields().filter(|(key, _)| *key == "mx").map(|(_, v)| v.to_ascii_lowercase()).collect();
        match mx.is_empty() && mode != Mode::None {
            true => Err("it lists no mx"),
            false => Ok(Self { mode, mx, max_age }),
        }
    }

    /// True if it lists a host, itself or by `*.` for one label (RFC 8461 section 4.1).
    pub fn lists(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let parent = host.split_once('.').map(|(_, parent)| parent);
        self.mx.iter().any(|pattern| match pattern.strip_prefix("*.") {
            Some(base) => parent == Some(base),
            None => *pattern == host,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_record_with_an_id_is_a_record() {
        let of = |texts: &[&str]| Record::of(texts.iter().copied());
        assert_eq!(of(&["v=STSv1; id=20160831085700Z;"]), Record::Id("20160831085700Z".into()));
        assert_eq!(of(&["other", "v=STSv1;id=1; ext=x"]), Record::Id("1".into()));
        assert_eq!(of(&["v=spf1 -all", "v=STSv10; id=1", "id=1; v=STSv1"]), Record::Nothing);
        for void in [&["v=STSv1; id=1", "v=STSv1; id=2"][..], &["v=STSv1;"], &["v=STSv1; id=a-b"], &["v=STSv1; id="]] {
            assert!(matches!(of(void), Record::Void(_)), "{void:?}");
        }
        assert!(matches!(of(&[&format!("v=STSv1; id={}", "a".repeat(33))]), Record::Void(_)));
    }

    #[test]
    fn a_policy_reads_with_either_end_of_line() {
        let text =
            "version: STSv1\r\nmode: enforce\r\nmx: Mail.Example.com\r\nmx: *.example.net\r\nmax_age: 604800\r\n";
        let policy = Policy::parse(text).unwrap();
        assert_eq!((policy.mode, policy.max_age), (Mode::Enforce, 604_800));
        assert_eq!(Policy::parse(&text.replace("\r\n", "\n")), Ok(policy));
        assert!(Policy::parse("version: STSv1\nmode: none\nmax_age: 0\nnonsense\n").is_ok());
        for bad in [
            "",
            "<html>",
            "version: STSv2\nmode: none\nmax_age: 1",
            "version: STSv1\nmode: on\nmx: a.example\nmax_age: 1",
            "version: STSv1\nmode: enforce\nmax_age: 1",
            "version: STSv1\nmode: enforce\nmx: a.example",
            "version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 31557601",
        ] {
            assert!(Policy::parse(bad).is_err(), "{bad}");
        }
    }

    /// RFC 8461 section 4.1: (pattern, host, whether it is listed)
    #[test]
    fn a_wildcard_is_one_label() {
        for (pattern, host, listed) in [
            ("mail.example.com", "MAIL.example.com.", true),
            ("mail.example.com", "mail.example.net", false),
            ("*.example.com", "mail.example.com", true),
            ("*.example.com", "a.mail.example.com", false),
            ("*.example.com", "example.com", false),
            (".example.com", "mail.example.com", false),
        ] {
            let policy = Policy { mode: Mode::Enforce, mx: vec![pattern.into()], max_age: 1 };
            assert_eq!(policy.lists(host), listed, "{pattern} {host}");
        }
    }
}
