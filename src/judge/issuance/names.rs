//! Names that no public authority puts into a certificate.

use crate::model::name::Name;

/// Why no public authority certifies a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::judge) enum Uncertifiable {
    /// A single label.
    SingleLabel,
    /// Below a top-level domain that is reserved for use without the public DNS: which.
    Reserved(&'static str),
    /// A name of the reverse zones.
    Reverse,
    /// A wildcard for everything below a registry's suffix.
    Suffix,
    /// Below a top-level domain that this release does not know.
    Unlisted,
}

/// Top-level domains, and zones, that are set aside and never delegated.
/// Sources: IANA, Special-Use Domain Names (RFC 6761, 6762, 8375, 9476); ICANN Board 2018-02-04 (corp, home, mail) and
/// 2024-07-29 (internal). `lan`, `localdomain`, `intranet`, `private`, `domain`: RFC 6762 appendix G and common use, not
/// delegated. Verified 2026-11-22. `onion` is left out: public authorities certify it (Baseline Requirements appendix B).
const RESERVED: &[&str] = &[
    "local",
    "localhost",
    "localdomain",
    "test",
    "invalid",
    "example",
    "internal",
    "intranet",
    "private",
    "corp",
    "home",
    "mail",
    "lan",
    "domain",
    "alt",
    "home.arpa",
];

/// Zones of reverse names (Baseline Requirements 7.1.2.7.12, from 2026-03-15).
const REVERSE: &[&str] = &["in-addr.arpa", "ip6.arpa"];

/// Why no public authority certifies a name (Baseline Requirements 4.2.2 and 7.1.4.2.1); `None` if one may.
pub(in crate::judge) fn uncertifiable(name: &Name) -> Option<Uncertifiable> {
    let text = name.as_str().strip_prefix("*.").unwrap_or(name.as_str());
    let under = |zone: &str| text == zone || text.strip_suffix(zone).is_some_and(|rest| rest.ends_with('.'));
    if !name.is_wildcard() && !text.contains('.') {
        return Some(Uncertifiable::SingleLabel);
    }
    if let Some(zone) = RESERVED.iter().find(|zone| under(zone)) {
        return Some(Uncertifiable::Reserved(zone));
    }
    if REVERSE.iter().any(|zone| under(zone)) {
        return Some(Uncertifiable::Reverse);
    }
    if !text.contains('.') {
        return Some(Uncertifiable::Suffix);
    }
    if under("onion") {
        return None;
    }
    let suffix = psl::suffix(text.as_bytes())?;
    match suffix.typ() {
        None => Some(Uncertifiable::Unlisted),
        Some(psl::Type::Icann) if name.is_wildcard() && suffix.as_bytes() == text.as_bytes() => {
            Some(Uncertifiable::Suffix)
        }
        Some(_) => None,
    }
}

impl Uncertifiable {
    /// In words that follow a name.
    pub(in crate::judge) fn words(self) -> String {
        match self {
            Self::SingleLabel => "is a single label".into(),
            Self::Reserved(zone) => format!("lies below .{zone}, which is never delegated in the public DNS"),
            Self::Reverse => "is a name of the reverse zones".into(),
            Self::Suffix => "is a wildcard for a whole registry suffix".into(),
            Self::Unlisted => "lies below no top-level domain that this release knows".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_public_authorities_refuse() {
        use Uncertifiable::*;
        for (name, want) in [
            ("mail.domain.com", None),
            ("mail.contoso.co.uk", None),
            ("app.github.io", None),
            ("*.apps.example.com", None),
            ("mail.corp.example.com", None),
            ("x.onion", None),
            ("ex2010", Some(SingleLabel)),
            ("mail", Some(SingleLabel)),
            ("localhost", Some(SingleLabel)),
            ("*.mail", Some(Reserved("mail"))),
            ("portal.corp.local", Some(Reserved("local"))),
            ("*.corp.local", Some(Reserved("local"))),
            ("mail.ad.internal", Some(Reserved("internal"))),
            ("nas.lan", Some(Reserved("lan"))),
            ("router.home.arpa", Some(Reserved("home.arpa"))),
            ("10.in-addr.arpa", Some(Reverse)),
            ("*.com", Some(Suffix)),
            ("*.co.uk", Some(Suffix)),
            ("mail.contoso", Some(Unlisted)),
            ("mail.localhost.com", None),
        ] {
            assert_eq!(uncertifiable(&Name::parse(name).unwrap()), want, "{name}");
        }
    }
}
