//! Which addresses a domain's SPF record lets send (RFC 7208 section 4.6), as far as this can be told without asking on.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;

/// The hosts behind `a` and `mx`; `None` where they are not known.
pub(super) trait Hosts {
    /// The addresses of a host, by default the domain itself.
    fn addresses(&self, host: &str) -> Option<BTreeSet<IpAddr>>;
    /// The addresses of a domain's MX hosts.
    fn exchanges(&self, domain: &str) -> Option<BTreeSet<IpAddr>>;
}

/// The one SPF record among texts; none, or several, is no policy (section 4.5).
pub(super) fn record<'a>(texts: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let is_spf = |text: &&str| {
        let head = text.get(..6).unwrap_or_default();
        head.eq_ignore_ascii_case("v=spf1")
            && text.get(6..).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    };
    let mut all = texts.into_iter().filter(is_spf);
    all.next().filter(|_| all.next().is_none())
}

/// True if the record lets an address send, false if it does not; `None` if a term that comes before the answer would have
/// to be asked for, or cannot be read.
pub(super) fn permits(record: &str, domain: &str, address: IpAddr, hosts: &impl Hosts) -> Option<bool> {
    for term in record.split_ascii_whitespace().skip(1) {
        let (sign, mechanism) = match term.as_bytes().first() {
            Some(b'+' | b'-' | b'~' | b'?') => (term.get(..1)?, term.get(1..)?),
            _ => ("+", term),
        };
        let lower = mechanism.to_ascii_lowercase();
        let matched = match lower.split_once([':', '/', '=']).map_or(lower.as_str(), |(word, _)| word) {
            "all" => true,
            "ip4" | "ip6" => network(lower.get(4..)?)?.contains(&address),
            "a" => is_among(&hosts.addresses(target(&lower, domain))?, &lower, address)?,
            "mx" => is_among(&hosts.exchanges(target(&lower, domain))?, &lower, address)?,
            "exp" => false,
            _ => return None,
        };
        if matched {
            return Some(sign == "+");
        }
    }
    // Without a match the result is neutral, as if `?all` stood at the end (section 4.7): nobody is vouched for.
    Some(false)
}

fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

/// `a:host/24` is about the host, `a/24` about the domain.
fn target<'a>(mechanism: &'a str, domain: &'a str) -> &'a str {
    let name = mechanism.split_once(':').map(|(_, rest)| rest.split('/').next().unwrap_or_default());
    name.filter(|n| !n.is_empty()).unwrap_or(domain)
}

/// With the lengths of `a/24//64`, for IPv4 and IPv6 (section 5.6).
fn is_among(hosts: &BTreeSet<IpAddr>, mechanism: &str, address: IpAddr) -> Option<bool> {
    let (four, six) = match mechanism.split_once("//") {
        Some((head, six)) => (head.split_once('/').map(|(_, four)| four), Some(six)),
        None => (mechanism.split_once('/').map(|(_, four)| four), None),
    };
    let length = |text: Option<&str>, whole: u8| text.map_or(Some(whole), |t| t.parse().ok());
    let (four, six) = (length(four, 32)?, length(six, 128)?);
    let holds = |host: &IpAddr| {
        let net = IpNet::new(*host, if host.is_ipv4() { four } else { six }).ok()?;
        Some(net.contains(&address))
    };
    hosts.iter().map(holds).try_fold(false, |any, one| Some(any || one?))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Known;

    impl Hosts for Known {
        fn addresses(&self, host: &str) -> Option<BTreeSet<IpAddr>> {
            (host == "example.org").then(|| BTreeSet::from(["203.0.113.9".parse().unwrap()]))
        }

        fn exchanges(&self, domain: &str) -> Option<BTreeSet<IpAddr>> {
            (domain == "example.org").then(|| BTreeSet::from(["203.0.113.25".parse().unwrap()]))
        }
    }

    /// (record, an address, whether it may send)
    #[test]
    fn who_may_send() {
        for (record, address, may) in [
            ("v=spf1 ip4:198.51.100.7 -all", "198.51.100.7", Some(true)),
            ("v=spf1 ip4:198.51.100.7 -all", "198.51.100.9", Some(false)),
            ("v=spf1 ip4:198.51.100.0/24 ~all", "198.51.100.9", Some(true)),
            ("v=spf1 ip6:2001:db8::/32 -all", "2001:db8:9::9", Some(true)),
            ("v=spf1 ip4:198.51.100.7", "198.51.100.9", Some(false)),
            ("v=spf1 ?all", "198.51.100.9", Some(false)),
            ("V=SPF1 A -ALL", "203.0.113.9", Some(true)),
            ("v=spf1 a/24 -all", "203.0.113.200", Some(true)),
            ("v=spf1 mx -all", "203.0.113.25", Some(true)),
            ("v=spf1 mx:example.org//64 -all", "203.0.113.26", Some(false)),
            ("v=spf1 a:other.example -all", "203.0.113.9", None),
            ("v=spf1 include:_spf.example.net -all", "203.0.113.9", None),
            ("v=spf1 ip4:203.0.113.9 include:_spf.example.net -all", "203.0.113.9", Some(true)),
            ("v=spf1 -ip4:203.0.113.9 +all", "203.0.113.9", Some(false)),
            ("v=spf1 redirect=_spf.example.net", "203.0.113.9", None),
            ("v=spf1 ip4:nonsense -all", "203.0.113.9", None),
            ("v=spf1 a/99 -all", "203.0.113.9", None),
            ("v=spf1 exists:%{i}.example.net -all", "203.0.113.9", None),
        ] {
            assert_eq!(permits(record, "example.org", address.parse().unwrap(), &Known), may, "{record} {address}");
        }
    }

    #[test]
    fn one_record_is_a_policy_and_two_are_none() {
        assert_eq!(record(["x", "v=spf1 -all"]), Some("v=spf1 -all"));
        assert_eq!(record(["v=spf1", "V=SPF1 mx"]), None);
        assert_eq!(record(["v=spf10 -all", "spf1"]), None);
    }
}
