//! The shape of a certificate (RFC 5280 section 4.1), strictly. Some readers bear a wrong tag or an algorithm that is named
//! in two ways, others refuse the certificate: what they do not agree on must not be taken for good.

use super::der::{self, BIT_STRING, Element, INTEGER, OCTET_STRING, OID, SEQUENCE};

const BOOLEAN: u8 = 0x01;
const VERSION: u8 = 0xa0;
const UNIQUE_IDS: [u8; 2] = [0x81, 0x82];
const EXTENSIONS: u8 = 0xa3;

/// True of what every reader takes apart in the same way.
pub(super) fn is_strict(certificate: &[u8]) -> bool {
    strict(certificate).is_some()
}

fn strict(certificate: &[u8]) -> Option<()> {
    let [tbs, algorithm, signature] = tagged(der::sequence(certificate)?, [SEQUENCE, SEQUENCE, BIT_STRING])?;
    // No bit of the last octet is unused (X.690 section 8.6.2).
    signature.content.starts_with(&[0]).then_some(())?;
    let mut parts = der::sequence(tbs.whole)?;
    if parts.first()?.tag == VERSION {
        let version = der::elements(parts.remove(0).content).collect::<Option<Vec<_>>>()?;
        let [version] = tagged(version, [INTEGER])?;
        matches!(version.content, [0..=2]).then_some(())?;
    }
    let further = parts.split_off(parts.len().min(6));
    let [_, named, issuer, _, subject, _] = tagged(parts, [INTEGER, SEQUENCE, SEQUENCE, SEQUENCE, SEQUENCE, SEQUENCE])?;
    // RFC 5280 section 4.1.1.2: both name the same algorithm.
    (named.whole == algorithm.whole && der::sequence(named.whole)?.first()?.tag == OID).then_some(())?;
    [issuer, subject].iter().try_for_each(|name| der::sequence(name.whole).map(drop))?;
    further.iter().try_for_each(|part| match part.tag {
        EXTENSIONS => extensions(part.content),
        tag => UNIQUE_IDS.contains(&tag).then_some(()),
    })
}

fn extensions(content: &[u8]) -> Option<()> {
    der::sequence(content)?.iter().try_for_each(|extension| {
        let parts = der::sequence(extension.whole)?;
        let [oid, _] = match parts.len() {
            2 => tagged(parts, [OID, OCTET_STRING])?,
            _ => tagged(parts, [OID, BOOLEAN, OCTET_STRING]).map(|[oid, _, value]| [oid, value])?,
        };
        // The last octet of a number is the one without its first bit (X.690 section 8.19.2).
        oid.content.last().filter(|octet| **octet < 0x80).map(drop)
    })
}

/// The elements, if they are of these tags.
fn tagged<'a, const N: usize>(elements: Vec<Element<'a>>, tags: [u8; N]) -> Option<[Element<'a>; N]> {
    let elements = <[Element<'a>; N]>::try_from(elements).ok()?;
    elements.iter().zip(tags).all(|(element, tag)| element.tag == tag).then_some(elements)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_public_anchor_is_strict() {
        for anchor in webpki_root_certs::TLS_SERVER_ROOT_CERTS {
            assert!(is_strict(anchor));
        }
    }

    #[test]
    fn a_wrong_tag_and_two_names_for_one_algorithm_are_not() {
        let key = rcgen::KeyPair::generate().unwrap();
        let made = rcgen::CertificateParams::new(vec!["a.example".to_string()]).unwrap().self_signed(&key).unwrap();
        let der = made.der();
        assert!(is_strict(der));
        let version = der.windows(5).position(|w| w == [0xa0, 3, 2, 1, 2]).unwrap();
        let algorithm = der.windows(4).position(|w| w == [0x2a, 0x86, 0x48, 0xce]).unwrap();
        for (at, mask) in [(version, 0x20), (version + 2, 0x80), (version + 4, 0x20), (algorithm, 0x01)] {
            let mut bytes = der.to_vec();
            bytes[at] ^= mask;
            assert!(!is_strict(&bytes), "{at}");
        }
        assert!(!is_strict(&[]) && !is_strict(&[0x30, 0]) && !is_strict(&der[..der.len() - 1]));
    }
}
