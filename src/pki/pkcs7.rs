//! The certificates of a PKCS#7 bundle (`.p7b`; RFC 5652 section 5.1), in its order. Signatures in it are not looked at: a
//! bundle is a bag.

use super::der::{self, Element, OID, SEQUENCE};

const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];
/// `[0]`, constructed: the content of a ContentInfo, and the certificates of a SignedData.
const CONTEXT_0: u8 = 0xa0;

/// DER of each certificate; `None` if it is no SignedData in DER.
pub(super) fn certificates(bundle: &[u8]) -> Option<Vec<&[u8]>> {
    let (outer, _) = der::first(bundle).filter(|(e, _)| e.tag == SEQUENCE)?;
    let outer: Vec<Element<'_>> = der::elements(outer.content).collect::<Option<_>>()?;
    let (kind, content) = (outer.first()?, outer.get(1)?);
    (kind.tag == OID && kind.content == SIGNED_DATA && content.tag == CONTEXT_0).then_some(())?;
    let (signed, _) = der::first(content.content).filter(|(e, _)| e.tag == SEQUENCE)?;
    let parts: Vec<Element<'_>> = der::elements(signed.content).collect::<Option<_>>()?;
    let Some(bag) = parts.iter().skip(3).find(|p| p.tag == CONTEXT_0) else { return Some(Vec::new()) };
    let each: Vec<Element<'_>> = der::elements(bag.content).collect::<Option<_>>()?;
    // Attribute certificates and other formats are of other tags (section 10.2.2).
    Some(each.into_iter().filter(|e| e.tag == SEQUENCE).map(|e| e.whole).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[tag, 0x82][..], &length, content].concat()
    }

    /// A bundle as `certutil` and `openssl crl2pkcs7 -nocrl` write it.
    fn bundle(certificates: &[u8]) -> Vec<u8> {
        let data = element(SEQUENCE, &element(OID, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1]));
        let signed =
            [&[2, 1, 1, 0x31, 0][..], &data, &element(CONTEXT_0, certificates), &[CONTEXT_0 + 1, 0, 0x31, 0]].concat();
        element(SEQUENCE, &[element(OID, SIGNED_DATA), element(CONTEXT_0, &element(SEQUENCE, &signed))].concat())
    }

    #[test]
    fn certificates_keep_their_order_and_other_things_are_left() {
        let (b, a) = (element(SEQUENCE, &[2, 1, 9]), element(SEQUENCE, &[2, 1, 1]));
        let other = element(0xa1, &[1, 2]);
        let made = bundle(&[b.clone(), other, a.clone()].concat());
        assert_eq!(certificates(&made), Some(vec![&b[..], &a[..]]));
    }

    #[test]
    fn what_is_damaged_is_none_and_never_a_panic() {
        let made = bundle(&element(SEQUENCE, &[2, 1, 9]));
        for cut in 0..made.len() {
            assert_eq!(certificates(&made[..cut]), None, "{cut}");
        }
        for at in 0..made.len() {
            let mut bytes = made.clone();
            bytes[at] ^= 0xff;
            let _ = certificates(&bytes);
        }
    }
}
