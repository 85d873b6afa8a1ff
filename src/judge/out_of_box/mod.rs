//! Certificates that products come with, or make for themselves when they are set up.

mod table;

use crate::model::certificate::CertificateFacts;
use table::{Mark, TABLE};

/// A certificate that was recognised as an out-of-box one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct OutOfBox {
    /// Whose it is; `None` for one that some setup made for the bare host name.
    pub(super) product: Option<&'static str>,
    /// By what it was recognised.
    pub(super) mark: String,
}

impl OutOfBox {
    /// Whose it is and how that was seen, in words.
    pub(super) fn words(&self) -> String {
        match self.product {
            Some(product) => format!("the default of {product}: {}", self.mark),
            None => format!("made by the server's setup: {}", self.mark),
        }
    }
}

/// What out-of-box certificate this is, on a host whose first label is `label`. All rows demand that nobody whom clients
/// could trust signed it: a certificate of an authority is never a default, whatever its names say.
pub(super) fn recognise(facts: &CertificateFacts, label: &str) -> Option<OutOfBox> {
    listed(facts).or_else(|| host(facts, label))
}

fn listed(facts: &CertificateFacts) -> Option<OutOfBox> {
    TABLE.iter().find_map(|row| {
        let mark = row.marks.iter().map(|mark| seen(facts, mark)).collect::<Option<Vec<_>>>()?;
        Some(OutOfBox { product: Some(row.product), mark: mark.join(", ") })
    })
}

/// What of a certificate bears a mark, in words.
fn seen(facts: &CertificateFacts, mark: &Mark) -> Option<String> {
    let cn = |test: &dyn Fn(&str) -> bool| facts.common_names.iter().find(|c| test(c)).map(|c| format!("CN={c}"));
    match mark {
        Mark::SelfIssued => facts.is_self_issued().then(|| "self-signed".to_string()),
        Mark::Cn(want) => cn(&|c| c.eq_ignore_ascii_case(want)),
        Mark::CnPrefix(want) => cn(&|c| c.get(..want.len()).is_some_and(|p| p.eq_ignore_ascii_case(want))),
        Mark::Subject(want) => attribute(&facts.subject, |a| a == *want),
        Mark::SubjectPrefix(want) => attribute(&facts.subject, |a| a.starts_with(want)),
        Mark::SubjectOfCn(want) => {
            let of = |a: &str| a.strip_prefix(want).is_some_and(|rest| facts.common_names.iter().any(|cn| cn == rest));
            attribute(&facts.subject, of)
        }
        Mark::Issuer(want) => attribute(&facts.issuer, |a| a == *want).map(by),
        Mark::IssuerPrefix(want) => attribute(&facts.issuer, |a| a.starts_with(want)).map(by),
    }
}

fn by(attribute: String) -> String {
    format!("issued by {attribute}")
}

/// The first attribute of a name, as text, that is wanted. A comma inside a value is escaped by the text, so that no value
/// passes for an attribute of its own.
fn attribute(name: &str, wanted: impl Fn(&str) -> bool) -> Option<String> {
    let mut rest = name;
    loop {
        let end =
            rest.match_indices([',', '+']).map(|(i, _)| i).find(|i| !rest[..*i].ends_with('\\')).unwrap_or(rest.len());
        let (one, after) = rest.split_at(end);
        if wanted(one.trim_matches(' ')) {
            return Some(one.trim_matches(' ').to_string());
        }
        rest = after.get(1..)?;
    }
}

/// Self-signed for the bare host name: what Exchange, Windows, Debian's ssl-cert ("snakeoil") and cPanel make by
/// themselves. Every name on it must be the host's: one that somebody made for a service is no default.
fn host(facts: &CertificateFacts, label: &str) -> Option<OutOfBox> {
    let is_host = |name: &str| {
        let first = name.split('.').next().unwrap_or_default();
        !name.is_empty() && !name.contains('*') && (!name.contains('.') || first.eq_ignore_ascii_case(label))
    };
    let names: Vec<&str> = facts.common_names.iter().chain(&facts.dns_ids).map(String::as_str).collect();
    let first = names.first().filter(|_| facts.is_self_issued())?;
    let short = first.split('.').next().unwrap_or_default();
    let same = |name: &&str| name.split('.').next().unwrap_or_default().eq_ignore_ascii_case(short);
    (is_host(first) && names.iter().all(same))
        .then(|| OutOfBox { product: None, mark: format!("self-signed for {first} alone") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki;

    /// A certificate with this subject, as text, issued by itself or by `CN=Some CA`.
    fn facts(cn: &str, organisation: Option<&str>, names: &[&str], own: bool) -> CertificateFacts {
        let mut params =
            rcgen::CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(rcgen::DnType::CommonName, cn);
        organisation.iter().for_each(|o| params.distinguished_name.push(rcgen::DnType::OrganizationName, *o));
        let key = rcgen::KeyPair::generate().unwrap();
        let made = match own {
            true => params.self_signed(&key).unwrap(),
            false => {
                let mut ca = rcgen::CertificateParams::default();
                ca.distinguished_name.push(rcgen::DnType::CommonName, "Some CA");
                let issuer = rcgen::Issuer::new(ca, rcgen::KeyPair::generate().unwrap());
                params.signed_by(&key, &issuer).unwrap()
            }
        };
        pki::facts(made.der()).unwrap()
    }

    #[test]
    fn products_are_told_by_their_marks() {
        for (cn, organisation, names, product) in [
            ("WMSvc-SHA2-EX19-02", None, &[][..], "IIS Web Management Service"),
            ("WMSVC-EX10", None, &[], "IIS Web Management Service"),
            ("Microsoft Exchange Server Auth Certificate", None, &[], "Exchange (OAuth, not for clients)"),
            ("Kubernetes Ingress Controller Fake Certificate", Some("Acme Co"), &["ingress.local"], "ingress-nginx"),
            ("TRAEFIK DEFAULT CERT", None, &["1f2e.0a.traefik.default"], "Traefik"),
            ("Plesk", Some("Plesk"), &[], "Plesk"),
        ] {
            let found = recognise(&facts(cn, organisation, names, true), "x").map(|d| d.product);
            assert_eq!(found, Some(Some(product)), "{cn}");
            assert_eq!(recognise(&facts(cn, organisation, names, false), "x"), None, "{cn} by an authority");
        }
    }

    #[test]
    fn one_for_the_bare_host_is_the_setups_and_one_for_a_service_is_not() {
        let told = |cn: &str, names: &[&str], label| recognise(&facts(cn, None, names, true), label).map(|d| d.product);
        assert_eq!(told("EX19-02", &["ex19-02", "ex19-02.corp.example"], "ex19-02"), Some(None));
        assert_eq!(told("web1", &["web1"], "other"), Some(None));
        assert_eq!(told("srv.example.com", &["srv.example.com"], "srv"), Some(None));
        assert_eq!(told("mail.example.com", &["mail.example.com"], "srv"), None);
        assert_eq!(told("srv.example.com", &["srv.example.com", "mail.example.com"], "srv"), None);
        assert_eq!(told("*.example.com", &["*.example.com"], "*"), None);
    }

    #[test]
    fn every_row_says_where_it_is_written_and_is_recognised_by_more_than_nothing() {
        for row in TABLE {
            assert!(!row.source.is_empty() && !row.marks.is_empty(), "{}", row.product);
            let by_authority =
                row.marks.iter().any(|m| matches!(m, Mark::SelfIssued | Mark::Issuer(_) | Mark::IssuerPrefix(_)));
            assert!(by_authority, "{} could be a certificate of an authority", row.product);
        }
    }
}
