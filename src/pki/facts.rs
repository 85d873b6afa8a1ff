//! A certificate's facts, from its DER.

use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;
use sha1::Digest;
use x509_parser::asn1_rs::{Oid, oid};
use x509_parser::oid_registry::{
    OID_X509_EXT_BASIC_CONSTRAINTS, OID_X509_EXT_EXTENDED_KEY_USAGE, OID_X509_EXT_SUBJECT_ALT_NAME,
};
use x509_parser::prelude::*;

use super::der::{self, Element};
use super::{blob_id, distinguished_name, shape};
use crate::model::certificate::{CertificateFacts, DnsId};

/// Why a certificate cannot be read, lower case, no full stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactsError(pub String);

impl std::fmt::Display for FactsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for FactsError {}

/// Reads a certificate (RFC 5280). Never panics, whatever the bytes.
///
/// # Errors
/// The bytes are not one whole certificate, or an extension that is read here is malformed or stands twice: what other
/// readers make of such a certificate differs, so that it must not be taken for good.
pub fn facts(der: &[u8]) -> Result<CertificateFacts, FactsError> {
    Checked::of(der).map(|checked| checked.facts(der))
}

/// A certificate that can be read, and what had to be looked at to know that.
pub(super) struct Checked<'a> {
    certificate: X509Certificate<'a>,
    has_san: bool,
    names: AlternativeNames,
    is_ca: bool,
    /// Whether it may serve, and be a client.
    usage: Option<(bool, bool)>,
}

impl<'a> Checked<'a> {
    /// Fails where [`facts`] fails.
    pub(super) fn of(der: &'a [u8]) -> Result<Self, FactsError> {
        let (rest, certificate) = parse_x509_certificate(der).map_err(|e| not_a_certificate(&e))?;
        if !rest.is_empty() {
            return Err(FactsError(format!("{} bytes follow the certificate", rest.len())));
        }
        if !shape::is_strict(der) {
            return Err(FactsError("the certificate is damaged".into()));
        }
        let san = extension(&certificate, &OID_X509_EXT_SUBJECT_ALT_NAME, "subjectAltName")?;
        let names = san.map_or(Ok(AlternativeNames::default()), |e| alternative_names(e.value))?;
        let has_san = san.is_some();
        let basic = extension(&certificate, &OID_X509_EXT_BASIC_CONSTRAINTS, "basicConstraints")?;
        let usage = extension(&certificate, &OID_X509_EXT_EXTENDED_KEY_USAGE, "extKeyUsage")?;
        let usage = usage.map(|e| extended_key_usage(e.parsed_extension())).transpose()?;
        let usage = usage.map(|u| (u.server_auth || u.any, u.client_auth || u.any));
        let is_ca = basic.map_or(Ok(false), |e| ca(e.parsed_extension()))?;
        Ok(Self { certificate, has_san, names, is_ca, usage })
    }

    /// DER of the subject name.
    pub(super) fn subject_der(&self) -> &'a [u8] {
        self.certificate.tbs_certificate.subject.as_raw()
    }

    /// Subject as text, not escaped.
    pub(super) fn subject(&self) -> String {
        distinguished_name::render(self.certificate.subject())
    }

    fn facts(self, der: &[u8]) -> CertificateFacts {
        let Self { certificate, has_san, names, is_ca, usage } = self;
        CertificateFacts {
            sha256: blob_id(der),
            sha1: sha1::Sha1::digest(der).into(),
            subject: distinguished_name::render(certificate.subject()).into(),
            common_names: distinguished_name::common_names(certificate.subject()).into(),
            issuer: distinguished_name::render(certificate.issuer()).into(),
            subject_der: certificate.subject().as_raw().into(),
            issuer_der: certificate.issuer().as_raw().into(),
            has_san,
            dns_ids: names.dns.into(),
            ip_ids: names.ip.into(),
            not_before: instant(certificate.validity().not_before),
            not_after: instant(certificate.validity().not_after),
            key: key(certificate.public_key()),
            signature: signature(&certificate.signature_algorithm),
            serial: data_encoding::HEXLOWER.encode(certificate.raw_serial()).into(),
            is_ca,
            server_auth: usage.map(|(server, _)| server),
            client_auth: usage.map(|(_, client)| client),
            spki_sha256: blob_id(certificate.public_key().raw),
        }
    }
}

fn not_a_certificate(error: &nom::Err<X509Error>) -> FactsError {
    match error {
        nom::Err::Incomplete(_) => FactsError("the certificate is cut short".into()),
        nom::Err::Error(e) | nom::Err::Failure(e) => FactsError(format!("not a certificate: {e}")),
    }
}

/// The extension by that OID. RFC 5280 section 4.2 allows each once.
fn extension<'a, 'b>(
    certificate: &'b X509Certificate<'a>,
    oid: &Oid<'_>,
    word: &str,
) -> Result<Option<&'b X509Extension<'a>>, FactsError> {
    let mut found = certificate.iter_extensions().filter(|e| e.oid == *oid);
    match (found.next(), found.next()) {
        (first, None) => Ok(first),
        (_, Some(_)) => Err(FactsError(format!("the extension {word} stands twice"))),
    }
}

fn malformed(word: &str) -> FactsError {
    FactsError(format!("the extension {word} cannot be read"))
}

fn ca(extension: &ParsedExtension<'_>) -> Result<bool, FactsError> {
    match extension {
        ParsedExtension::BasicConstraints(b) => Ok(b.ca),
        _ => Err(malformed("basicConstraints")),
    }
}

fn extended_key_usage<'b>(extension: &'b ParsedExtension<'_>) -> Result<&'b ExtendedKeyUsage<'b>, FactsError> {
    match extension {
        ParsedExtension::ExtendedKeyUsage(u) => Ok(u),
        _ => Err(malformed("extKeyUsage")),
    }
}

#[derive(Default)]
struct AlternativeNames {
    dns: Vec<DnsId>,
    ip: Vec<IpAddr>,
}

/// Walks GeneralNames (RFC 5280 section 4.2.1.6). A dNSName keeps whatever it holds, a NUL too; octets that are not
/// UTF-8 become U+FFFD. Neither ever matches.
fn alternative_names(value: &[u8]) -> Result<AlternativeNames, FactsError> {
    let entries = der::sequence(value).ok_or_else(|| malformed("subjectAltName"))?;
    let mut names = AlternativeNames::default();
    for Element { tag, content, .. } in entries {
        match tag {
            0x82 => names.dns.push(String::from_utf8_lossy(content).into_owned()),
            0x87 => names.ip.extend(ip(content)),
            // otherName, rfc822Name, x400Address, directoryName, ediPartyName, URI, registeredID
            0xa0 | 0x81 | 0xa3 | 0xa4 | 0xa5 | 0x86 | 0x88 => {}
            _ => return Err(malformed("subjectAltName")),
        }
    }
    names.dns.shrink_to_fit();
    Ok(names)
}

/// 4 or 16 octets; anything else is no address and matches nothing.
fn ip(content: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(content).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(content).map(IpAddr::from)).ok()
}

/// RFC 5280 section 4.1.2.5 writes "no expiry" as 9999-12-31 23:59:59, a day beyond what a timestamp holds.
fn instant(time: ASN1Time) -> Timestamp {
    let second = time.timestamp();
    let end = if second < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_second(second).unwrap_or(end)
}

fn key(spki: &SubjectPublicKeyInfo<'_>) -> Arc<str> {
    let algorithm = &spki.algorithm.algorithm;
    let bits = || rsa_bits(&spki.subject_public_key.data);
    match word(&KEYS, algorithm) {
        Some(RSA) => format!("{RSA} {}", bits()).into(),
        Some(RSA_PSS) => format!("{RSA_PSS} {}", bits()).into(),
        Some(EC) => curve(spki),
        Some(word) => word.into(),
        None => algorithm.to_id_string().into(),
    }
}

/// Bits of the modulus, leading zeroes left out.
fn rsa_bits(key: &[u8]) -> usize {
    let modulus = der::sequence(key).and_then(|parts| parts.first().copied()).filter(|m| m.tag == der::INTEGER);
    let digits = modulus.map_or(&[][..], |m| m.content);
    let digits = &digits[digits.iter().take_while(|b| **b == 0).count()..];
    digits.first().map_or(0, |b| digits.len() * 8 - b.leading_zeros() as usize)
}

fn curve(spki: &SubjectPublicKeyInfo<'_>) -> Arc<str> {
    match spki.algorithm.parameters.as_ref().and_then(|p| p.as_oid().ok()) {
        Some(oid) => match word(&CURVES, &oid) {
            Some(word) => format!("{EC} {word}").into(),
            None => format!("{EC} {}", oid.to_id_string()).into(),
        },
        None => format!("{EC} with explicit parameters").into(),
    }
}

fn signature(algorithm: &AlgorithmIdentifier<'_>) -> Arc<str> {
    let oid = &algorithm.algorithm;
    word(&SIGNATURES, oid).map_or_else(|| oid.to_id_string().into(), Arc::from)
}

/// An algorithm and the word for it.
type Word = (Oid<'static>, &'static str);

fn word(words: &[Word], oid: &Oid<'_>) -> Option<&'static str> {
    words.iter().find(|(known, _)| known == oid).map(|(_, word)| *word)
}

const RSA: &str = "RSA";
const RSA_PSS: &str = "RSA-PSS";
const EC: &str = "EC";

/// Of keys (RFC 3279 section 2.3, RFC 4055, RFC 5480, RFC 8410).
static KEYS: [Word; 6] = [
    (oid!(1.2.840.113549.1.1.1), RSA),
    (oid!(1.2.840.10045.2.1), EC),
    (oid!(1.2.840.113549.1.1.10), RSA_PSS),
    (oid!(1.2.840.10040.4.1), "DSA"),
    (oid!(1.3.101.112), "Ed25519"),
    (oid!(1.3.101.113), "Ed448"),
];

/// Of curves (RFC 5480 section 2.1.1.1, SEC 2).
static CURVES: [Word; 4] = [
    (oid!(1.2.840.10045.3.1.7), "P-256"),
    (oid!(1.3.132.0.34), "P-384"),
    (oid!(1.3.132.0.35), "P-521"),
    (oid!(1.3.132.0.10), "secp256k1"),
];

/// Of signatures (RFC 3279 section 2.2, RFC 4055, RFC 5758, RFC 8410; 1.3.14.3.2.29 is OIW's, as old Windows CAs write it).
static SIGNATURES: [Word; 15] = [
    (oid!(1.2.840.113549.1.1.11), "sha256WithRSAEncryption"),
    (oid!(1.2.840.10045.4.3.2), "ecdsa-with-SHA256"),
    (oid!(1.2.840.10045.4.3.3), "ecdsa-with-SHA384"),
    (oid!(1.2.840.113549.1.1.12), "sha384WithRSAEncryption"),
    (oid!(1.2.840.113549.1.1.13), "sha512WithRSAEncryption"),
    (oid!(1.2.840.113549.1.1.5), "sha1WithRSAEncryption"),
    (oid!(1.3.14.3.2.29), "sha1WithRSAEncryption"),
    (oid!(1.2.840.113549.1.1.10), "RSASSA-PSS"),
    (oid!(1.2.840.10045.4.3.4), "ecdsa-with-SHA512"),
    (oid!(1.2.840.10045.4.1), "ecdsa-with-SHA1"),
    (oid!(1.2.840.113549.1.1.4), "md5WithRSAEncryption"),
    (oid!(1.2.840.113549.1.1.2), "md2WithRSAEncryption"),
    (oid!(1.2.840.10040.4.3), "dsa-with-SHA1"),
    (oid!(1.3.101.112), "Ed25519"),
    (oid!(1.3.101.113), "Ed448"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{
        BasicConstraints, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, SanType,
    };

    fn params() -> CertificateParams {
        let mut params =
            CertificateParams::new(vec!["*.Example.com".to_string(), "a.example.com".to_string()]).unwrap();
        params.subject_alt_names.push(SanType::IpAddress("10.0.0.1".parse().unwrap()));
        params.subject_alt_names.push(SanType::IpAddress("2001:db8::1".parse().unwrap()));
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, "Domain");
        params.distinguished_name.push(DnType::CommonName, "a.example.com");
        params
    }

    fn der(params: &CertificateParams) -> Vec<u8> {
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    /// With a subjectAltName of these octets.
    fn der_with_san(san: &[u8]) -> Vec<u8> {
        let mut params = CertificateParams::default();
        params.custom_extensions.push(CustomExtension::from_oid_content(&[2, 5, 29, 17], san.to_vec()));
        der(&params)
    }

    #[test]
    fn a_certificate_says_what_it_says() {
        let mut params = params();
        params.not_before = rcgen::date_time_ymd(2026, 1, 2);
        params.not_after = rcgen::date_time_ymd(2027, 3, 4);
        params.serial_number = Some(rcgen::SerialNumber::from(0x1234u64));
        let facts = facts(&der(&params)).unwrap();
        assert_eq!(&*facts.subject, "CN=a.example.com, O=Domain");
        assert_eq!(*facts.common_names, ["a.example.com"]);
        assert_eq!(*facts.dns_ids, ["*.Example.com", "a.example.com"]);
        assert_eq!(*facts.ip_ids, ["10.0.0.1".parse::<IpAddr>().unwrap(), "2001:db8::1".parse().unwrap()]);
        assert_eq!(facts.not_before.to_string(), "2026-01-02T00:00:00Z");
        assert_eq!(facts.not_after.to_string(), "2027-03-04T00:00:00Z");
        assert_eq!((&*facts.key, &*facts.signature), ("EC P-256", "ecdsa-with-SHA256"));
        assert_eq!(&*facts.serial, "1234");
        assert!(facts.has_san && facts.is_self_issued() && !facts.is_ca);
        assert_eq!(facts.server_auth, None);
    }

    #[test]
    fn what_a_certificate_is_for_is_read() {
        let mut params = params();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let client = facts(&der(&params)).unwrap();
        assert_eq!((client.is_ca, client.server_auth, client.client_auth), (true, Some(false), Some(true)));
        params.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
        assert_eq!(facts(&der(&params)).unwrap().server_auth, Some(true));
    }

    #[test]
    fn a_dns_id_is_kept_as_it_is() {
        let facts = facts(&der_with_san(b"\x30\x11\x82\x04a\0.b\x82\x03m\xfcl\x87\x03\x01\x02\x03\x86\x00")[..]);
        let error = facts.unwrap_err();
        assert_eq!(error.0, "the extension subjectAltName cannot be read", "the SEQUENCE is one octet too long");
        let facts =
            super::facts(&der_with_san(b"\x30\x12\x82\x04a\0.b\x82\x03m\xfcl\x87\x03\x01\x02\x03\x86\x00")).unwrap();
        assert_eq!(*facts.dns_ids, ["a\0.b", "m\u{fffd}l"]);
        assert!(facts.ip_ids.is_empty() && facts.has_san);
        assert!(super::facts(&der_with_san(b"\x30\x00")).unwrap().has_san);
    }

    #[test]
    fn an_extension_that_is_malformed_or_stands_twice_is_an_error() {
        for bad in [&b"\x30\x03\xa2\x01a"[..], b"\x30\x02\x82\x05", b"\x31\x00", b""] {
            assert_eq!(facts(&der_with_san(bad)), Err(malformed("subjectAltName")), "{bad:?}");
        }
        let mut params = params();
        params.custom_extensions.push(CustomExtension::from_oid_content(&[2, 5, 29, 17], vec![0x30, 0]));
        assert_eq!(facts(&der(&params)).unwrap_err().0, "the extension subjectAltName stands twice");
        let mut params = CertificateParams::default();
        params.custom_extensions.push(CustomExtension::from_oid_content(&[2, 5, 29, 37], vec![0x31]));
        assert_eq!(facts(&der(&params)), Err(malformed("extKeyUsage")));
    }

    #[test]
    fn no_expiry_is_the_last_instant() {
        let mut params = params();
        params.not_after = rcgen::date_time_ymd(9999, 12, 31);
        assert_eq!(facts(&der(&params)).unwrap().not_after, Timestamp::MAX);
    }

    #[test]
    fn what_follows_a_certificate_is_not_overlooked() {
        let der = der(&params());
        assert_eq!(facts(&[&der[..], &[0, 0]].concat()).unwrap_err().0, "2 bytes follow the certificate");
        assert!(facts(&[]).is_err());
    }

    /// Every byte flipped, every end cut off: an error or facts, and never another panic or digest.
    #[test]
    fn no_bytes_make_it_panic() {
        let der = der(&params());
        for end in 0..der.len() {
            assert!(facts(&der[..end]).is_err(), "{end}");
        }
        for at in 0..der.len() {
            for mask in [0x01, 0x80, 0xff] {
                let mut bytes = der.clone();
                bytes[at] ^= mask;
                if let Ok(facts) = facts(&bytes) {
                    assert_eq!(facts.sha256, blob_id(&bytes));
                }
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn noise_is_an_error(bytes: Vec<u8>) {
            proptest::prop_assert!(facts(&bytes).is_err());
            let _ = crate::pki::read_file(&bytes);
        }

        #[test]
        fn noise_in_a_subject_alternative_name_never_panics(san: Vec<u8>) {
            let _ = facts(&der_with_san(&san));
        }
    }
}
