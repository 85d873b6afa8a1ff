//! Identity: presented identifiers against a reference identifier (RFC 9525 section 6), with the reason when none
//! matches. Held against rustls-webpki by a property test.

use crate::model::certificate::CertificateFacts;
use crate::model::identity::{Matched, Mismatch};
use crate::model::name::Name;

/// Whether a certificate's presented identifiers match a reference identifier (RFC 9525 section 6).
///
/// A wildcard as reference, which a plan may demand, is matched by that very wildcard only.
///
/// # Errors
/// The most telling reason why none does.
pub fn identify(certificate: &CertificateFacts, reference: &Name) -> Result<Matched, Mismatch> {
    identify_among(certificate.dns_ids.iter().map(String::as_str), reference)
        .map_err(|mismatch| explain(mismatch, &certificate.common_names, reference))
}

/// RFC 9525 section 2: the commonName is no presented identifier; that it would have matched explains a lot.
pub(super) fn explain(mismatch: Mismatch, common_names: &[String], reference: &Name) -> Mismatch {
    match (mismatch, common_names.iter().find(|cn| matches(cn, reference))) {
        (Mismatch::NoDnsId { .. }, cn) => Mismatch::NoDnsId { common_name: cn.is_some() },
        (_, Some(cn)) => Mismatch::CommonNameOnly { common_name: cn.clone() },
        (mismatch, None) => mismatch,
    }
}

/// As [`identify`], for DNS-IDs without a certificate: what is not ordered yet.
///
/// # Errors
/// The most telling reason why none does.
pub fn identify_among<'a>(presented: impl Iterator<Item = &'a str>, reference: &Name) -> Result<Matched, Mismatch> {
    let mut nearest = Mismatch::NoDnsId { common_name: false };
    for id in presented {
        if matches(id, reference) {
            return Ok(Matched { presented: id.to_string(), wildcard: id.starts_with("*.") });
        }
        if !matches!(nearest, Mismatch::WildcardDepth { .. }) {
            nearest = match wrong_depth(id, reference) {
                true => Mismatch::WildcardDepth { presented: id.to_string() },
                false => Mismatch::NotPresented,
            };
        }
    }
    Err(nearest)
}

/// RFC 9525 sections 6.3: A-labels compared without case; a `*` that is the whole left-most label stands for exactly
/// one label.
fn matches(presented: &str, reference: &Name) -> bool {
    let equal = match presented.strip_prefix("*.") {
        Some(base) if !reference.is_wildcard() => reference.parent().is_some_and(|p| p.eq_ignore_ascii_case(base)),
        _ => presented.eq_ignore_ascii_case(reference.as_str()),
    };
    equal && is_dns_id(presented)
}

/// True if the wildcard would match if `*` stood for no label, or for more than one.
fn wrong_depth(presented: &str, reference: &Name) -> bool {
    let Some(base) = presented.strip_prefix("*.").filter(|_| is_dns_id(presented)) else {
        return false;
    };
    let reference = reference.as_str();
    let at = reference.len().checked_sub(base.len());
    let tail = at.and_then(|at| reference.get(at..)).is_some_and(|tail| tail.eq_ignore_ascii_case(base));
    let head = at.and_then(|at| reference.get(..at)).unwrap_or_default();
    tail && (head.is_empty() || head.ends_with('.'))
}

/// True of a dNSName that clients accept: at most 253 octets; labels of 1 to 63 letters, digits, hyphens inside and (as
/// clients bear them) underscores; no final dot; the last label not all digits, so that no IPv4 literal passes; a `*`
/// only as the whole left-most label, with at least two labels after it, so that `*.com` never matches.
pub(super) fn is_dns_id(presented: &str) -> bool {
    let (wildcard, base) = match presented.strip_prefix("*.") {
        Some(base) => (true, base),
        None => (false, presented),
    };
    let top = base.rsplit('.').next().unwrap_or_default();
    presented.len() <= 253
        && base.split('.').all(is_label)
        && !top.bytes().all(|b| b.is_ascii_digit())
        && (!wildcard || base.contains('.'))
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        && !label.starts_with('-')
        && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `+` matched, `*` matched by wildcard, `d` wildcard depth, `-` not presented.
    fn told(presented: &[&str], reference: &str) -> char {
        match identify_among(presented.iter().copied(), &Name::parse_owner(reference).unwrap()) {
            Ok(Matched { wildcard: false, .. }) => '+',
            Ok(Matched { wildcard: true, .. }) => '*',
            Err(Mismatch::WildcardDepth { .. }) => 'd',
            Err(Mismatch::NotPresented) => '-',
            Err(other) => panic!("{other:?}"),
        }
    }

    fn hold(vectors: &[(&str, &str, char)]) {
        for (presented, reference, want) in vectors {
            assert_eq!(told(&[presented], reference), *want, "{presented:?} for {reference}");
        }
    }

    #[test]
    fn section_6_3_labels_are_compared_as_a_labels_without_case() {
        hold(&[
            ("mail.example.com", "mail.example.com", '+'),
            ("MAIL.Example.COM", "mail.example.com", '+'),
            ("mail.example.com", "example.com", '-'),
            ("example.com", "mail.example.com", '-'),
            ("ail.example.com", "mail.example.com", '-'),
            ("xn--mnchen-3ya.example", "münchen.example", '+'),
            ("münchen.example", "münchen.example", '-'),
            ("localhost", "localhost", '+'),
            ("_srv.example.com", "_srv.example.com", '+'),
        ]);
    }

    #[test]
    fn section_6_3_a_wildcard_is_the_whole_left_most_label_and_one_label() {
        hold(&[
            ("*.example.com", "mail.example.com", '*'),
            ("*.EXAMPLE.com", "mail.example.com", '*'),
            ("*.example.com", "xn--mnchen-3ya.example.com", '*'),
            ("*.example.com", "legacy.mail.example.com", 'd'),
            ("*.example.com", "example.com", 'd'),
            ("*.example.com", "a.badexample.com", '-'),
            ("*.example.com", "badexample.com", '-'),
            ("f*.example.com", "foo.example.com", '-'),
            ("*f.example.com", "f.example.com", '-'),
            ("mail.*.example.com", "mail.a.example.com", '-'),
            ("*.*.example.com", "a.b.example.com", '-'),
            ("xn--*.example.com", "xn--mnchen-3ya.example.com", '-'),
            ("*", "localhost", '-'),
            ("*", "example.com", '-'),
            ("*.com", "example.com", '-'),
            ("*.com.", "example.com", '-'),
            ("*..com", "a.com", '-'),
        ]);
    }

    #[test]
    fn a_wildcard_as_reference_is_matched_by_itself_only() {
        hold(&[
            ("*.apps.example.com", "*.apps.example.com", '*'),
            ("*.Apps.example.com", "*.apps.example.com", '*'),
            ("*.example.com", "*.apps.example.com", 'd'),
            ("a.apps.example.com", "*.apps.example.com", '-'),
            ("*.com", "*.com", '-'),
        ]);
    }

    #[test]
    fn what_is_no_host_name_matches_nothing() {
        hold(&[
            ("mail.example.com.", "mail.example.com", '-'),
            ("*.example.com.", "mail.example.com", '-'),
            ("mail.example.com\0", "mail.example.com", '-'),
            ("mail.example.com\0.evil.example", "mail.example.com", '-'),
            (" mail.example.com", "mail.example.com", '-'),
            ("mail.example.com ", "mail.example.com", '-'),
            (".example.com", "mail.example.com", '-'),
            ("https://mail.example.com", "mail.example.com", '-'),
            ("", "mail.example.com", '-'),
            ("10.0.0.5", "mail.example.com", '-'),
            ("a.123", "a.123", '-'),
        ]);
    }

    #[test]
    fn one_that_matches_is_found_among_those_that_do_not() {
        assert_eq!(told(&["\0", "b.example.com", "mail.example.com"], "mail.example.com"), '+');
        assert_eq!(told(&["b.example.com", "*.example.com", "c.example.com"], "a.b.example.com"), 'd');
    }

    #[test]
    fn section_2_a_common_name_explains_and_never_matches() {
        let certificate = |cn: &str, san: &[&str]| {
            let mut params =
                rcgen::CertificateParams::new(san.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap();
            params.distinguished_name.push(rcgen::DnType::CommonName, cn);
            let key = rcgen::KeyPair::generate().unwrap();
            crate::pki::facts(params.self_signed(&key).unwrap().der()).unwrap()
        };
        let mail = Name::parse("mail.example.com").unwrap();
        let told = |cn: &str, san: &[&str]| identify(&certificate(cn, san), &mail).unwrap_err();
        assert_eq!(told("mail.example.com", &[]), Mismatch::NoDnsId { common_name: true });
        assert_eq!(told("*.example.com", &["10.0.0.1"]), Mismatch::NoDnsId { common_name: true });
        assert_eq!(told("EX19-02", &[]), Mismatch::NoDnsId { common_name: false });
        let only = Mismatch::CommonNameOnly { common_name: "Mail.example.com".into() };
        assert_eq!(told("Mail.example.com", &["a.example.com"]), only);
        assert_eq!(told("other", &["a.example.com"]), Mismatch::NotPresented);
    }

    /// What webpki makes of a certificate with these dNSNames, for a reference that is no wildcard.
    fn webpki_matches(key: &rcgen::KeyPair, presented: &[String], reference: &str) -> bool {
        let certificate = rcgen::CertificateParams::new(presented.to_vec()).unwrap().self_signed(key).unwrap();
        let name = rustls::pki_types::ServerName::try_from(reference).unwrap();
        let end_entity = webpki::EndEntityCert::try_from(certificate.der()).unwrap();
        end_entity.verify_is_valid_for_subject_name(&name).is_ok()
    }

    /// Few labels, so that names often meet; some that no host name may have.
    fn presented() -> impl Strategy<Value = String> {
        let label = prop_oneof![
            8 => "(a|B|a-b|xn--a|_a|a_b|1)",
            1 => Just(String::from("*")),
            1 => "(|-a|a-|a\\*|\\*a| a|a\0|[a-c]{64})",
        ];
        (any::<bool>(), prop::collection::vec(label, 1..4), prop_oneof![9 => Just(""), 1 => Just(".")])
            .prop_map(|(star, labels, dot)| format!("{}{}{dot}", if star { "*." } else { "" }, labels.join(".")))
    }

    fn reference() -> impl Strategy<Value = Name> {
        prop::collection::vec("(a|b|a-b|xn--a|_a|1)", 1..5)
            .prop_filter_map("a name", |labels| Name::parse_owner(&labels.join(".")).ok())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1500))]

        /// No divergence is known.
        #[test]
        fn we_and_webpki_agree(presented in prop::collection::vec(presented(), 1..4), reference in reference()) {
            static KEY: std::sync::LazyLock<rcgen::KeyPair> = std::sync::LazyLock::new(|| rcgen::KeyPair::generate().unwrap());
            // rcgen makes an iPAddress of what is one; a reference that webpki takes for an address is none of ours.
            prop_assume!(rustls::pki_types::DnsName::try_from(reference.as_str()).is_ok());
            let ours = identify_among(presented.iter().map(String::as_str), &reference).is_ok();
            prop_assert_eq!(ours, webpki_matches(&KEY, &presented, reference.as_str()), "{:?} {:?}", presented, reference);
        }
    }
}
