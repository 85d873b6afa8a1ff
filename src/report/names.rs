//! Names shortened by the domain that they share, so that the matrix has room.

use std::collections::HashMap;

/// The longest domain of at least two labels under which the most names lie, if that is more than half of them.
pub(super) fn common_domain<'a>(names: &[&'a str]) -> Option<&'a str> {
    let mut under: HashMap<&str, usize> = HashMap::new();
    for domain in names.iter().flat_map(|name| domains(name)) {
        *under.entry(domain).or_default() += 1;
    }
    let most = under.into_iter().max_by_key(|(domain, n)| (*n, domain.len(), *domain));
    most.filter(|(_, n)| 2 * n > names.len()).map(|(domain, _)| domain)
}

/// The domains above a name that have at least two labels.
fn domains(name: &str) -> impl Iterator<Item = &str> {
    let above = name.match_indices('.').map(|(i, _)| &name[i + 1..]);
    above.filter(|domain| domain.split('.').filter(|label| !label.is_empty()).count() > 1)
}

/// The name below the common domain; a name that is not below it in full, with the final dot of RFC 1035 section 5.1,
/// so that it cannot be taken for one.
pub(super) fn short(name: &str, domain: Option<&str>) -> String {
    let below = |domain: &str| name.strip_suffix(domain)?.strip_suffix('.').map(str::to_string);
    match domain {
        None => name.to_string(),
        Some(domain) => below(domain).unwrap_or_else(|| format!("{name}.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shortened_by_the_domain_that_most_share() {
        for (names, want) in [
            (vec!["mail.domain.com", "legacy.mail.domain.com"], Some("domain.com")),
            (vec!["mail.domain.com"], Some("domain.com")),
            (vec!["a.domain.com", "b.domain.com", "mail.example.org"], Some("domain.com")),
            (vec!["a.domain.com", "b.example.org"], None),
            (vec!["a.com", "b.com"], None),
            (vec!["a..", ".", ""], None),
        ] {
            assert_eq!(common_domain(&names), want, "{names:?}");
        }
        assert_eq!(short("legacy.mail.domain.com", Some("domain.com")), "legacy.mail");
        assert_eq!(short("domain.com", Some("domain.com")), "domain.com.");
        assert_eq!(short("notdomain.com", Some("domain.com")), "notdomain.com.");
        assert_eq!(short("a.b", None), "a.b");
    }
}
