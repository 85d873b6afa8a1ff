//! A distinguished name as text (RFC 4514), whatever string type its values have.

use std::borrow::Cow;

use x509_parser::asn1_rs::{Any, Oid, Tag, oid};
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

/// Attribute types and the words that people know them by (RFC 4514 section 3, and what CAs add).
static WORDS: [(Oid<'static>, &str); 20] = [
    (oid!(2.5.4.3), "CN"),
    (oid!(2.5.4.4), "SN"),
    (oid!(2.5.4.5), "serialNumber"),
    (oid!(2.5.4.6), "C"),
    (oid!(2.5.4.7), "L"),
    (oid!(2.5.4.8), "ST"),
    (oid!(2.5.4.9), "STREET"),
    (oid!(2.5.4.10), "O"),
    (oid!(2.5.4.11), "OU"),
    (oid!(2.5.4.12), "title"),
    (oid!(2.5.4.15), "businessCategory"),
    (oid!(2.5.4.17), "postalCode"),
    (oid!(2.5.4.42), "GN"),
    (oid!(2.5.4.97), "organizationIdentifier"),
    (oid!(0.9.2342.19200300.100.1.1), "UID"),
    (oid!(0.9.2342.19200300.100.1.25), "DC"),
    (oid!(1.2.840.113549.1.9.1), "E"),
    (oid!(1.3.6.1.4.1.311.60.2.1.1), "jurisdictionL"),
    (oid!(1.3.6.1.4.1.311.60.2.1.2), "jurisdictionST"),
    (oid!(1.3.6.1.4.1.311.60.2.1.3), "jurisdictionC"),
];

/// The name with its last RDN first, as RFC 4514 section 2.1 and Windows show it: `CN=…, O=…, C=…`.
pub(super) fn render(name: &X509Name<'_>) -> String {
    let rdns: Vec<_> = name.iter_rdn().collect();
    let shown = rdns.into_iter().rev().map(|rdn| rdn.iter().map(attribute).collect::<Vec<_>>().join(" + "));
    shown.collect::<Vec<_>>().join(", ")
}

/// The commonName values in their order, not escaped.
pub(super) fn common_names(name: &X509Name<'_>) -> Vec<String> {
    let values = name.iter_common_name().map(|a| value(a.attr_value()).unwrap_or_default());
    let mut all: Vec<String> = values.filter(|v| !v.is_empty()).collect();
    all.shrink_to_fit();
    all
}

fn attribute(a: &AttributeTypeAndValue<'_>) -> String {
    let oid = a.attr_type();
    let known = WORDS.iter().find(|(known, _)| known == oid);
    let word = known.map_or_else(|| oid.to_id_string().into(), |(_, word)| Cow::Borrowed(*word));
    match value(a.attr_value()) {
        Some(text) => format!("{word}={}", escape(&text)),
        // RFC 4514 section 2.4: a value that is no string is shown as its octets.
        None => format!("{word}=#{}", data_encoding::HEXLOWER.encode(a.as_slice())),
    }
}

/// RFC 4514 section 2.4: else a value could pretend to be further attributes.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (i, c) in text.chars().enumerate() {
        if matches!(c, '"' | '+' | ',' | ';' | '<' | '>' | '\\') || (i == 0 && c == '#') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn value(any: &Any<'_>) -> Option<String> {
    let bytes = any.data;
    match any.tag() {
        Tag::Utf8String | Tag::PrintableString | Tag::NumericString | Tag::VisibleString | Tag::Ia5String => {
            Some(String::from_utf8_lossy(bytes).into_owned())
        }
        // T.61 as everybody wrote it: ISO 8859-1.
        Tag::T61String | Tag::GeneralString => Some(bytes.iter().map(|b| char::from(*b)).collect()),
        Tag::BmpString => {
            let units = bytes.chunks_exact(2).map(|c| u16::from_be_bytes([c[0], c[1]]));
            Some(char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
        }
        Tag::UniversalString => {
            let units = bytes.chunks_exact(4).map(|c| u32::from_be_bytes([c[0], c[1], c[2], c[3]]));
            Some(units.map(|u| char::from_u32(u).unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use x509_parser::prelude::FromDer;

    /// A name with one attribute per pair: the last byte of 2.5.4.x, string tag and content.
    fn rendered(attributes: &[(u8, u8, &[u8])]) -> String {
        let element = |tag: u8, content: Vec<u8>| [vec![tag, content.len() as u8], content].concat();
        let rdn = |(x, tag, text): &(u8, u8, &[u8])| {
            let pair = [element(6, vec![0x55, 4, *x]), element(*tag, text.to_vec())].concat();
            element(0x31, element(0x30, pair))
        };
        let der = element(0x30, attributes.iter().flat_map(rdn).collect());
        render(&X509Name::from_der(&der).unwrap().1)
    }

    #[test]
    fn every_string_type_is_shown() {
        for (tag, bytes, want) in [
            (0x0c, "Müller".as_bytes(), "CN=Müller"),
            (0x13, b"*.domain.com", "CN=*.domain.com"),
            (0x14, b"M\xfcller", "CN=Müller"),
            (0x1e, b"\0M\0\xfc", "CN=Mü"),
            (0x1c, b"\0\0\0M\0\0\0\xfc", "CN=Mü"),
            (0x0c, b"a\xff", "CN=a\u{fffd}"),
            (0x04, b"\x01\x02", "CN=#0102"),
        ] {
            assert_eq!(rendered(&[(3, tag, bytes)]), want, "{tag:#x}");
        }
    }

    #[test]
    fn the_common_name_stands_first_and_no_value_forges_another() {
        assert_eq!(
            rendered(&[(6, 0x13, b"US"), (10, 0x0c, b"Foo, Inc."), (3, 0x0c, b"a")]),
            "CN=a, O=Foo\\, Inc., C=US"
        );
        assert_eq!(rendered(&[(3, 0x0c, b"a, O=Bank")]), "CN=a\\, O\u{3d}Bank");
        assert_eq!(rendered(&[]), "");
    }
}
