//! As much of DER (X.690) as is needed to take a certificate's parts as they are, byte for byte.

use zeroize::Zeroizing;

/// An element: identifier octet, content, and both with the length between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Element<'a> {
    pub tag: u8,
    pub content: &'a [u8],
    pub whole: &'a [u8],
}

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OID: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;

/// The first element and what follows it; `None` if it is cut short or not DER.
pub(super) fn first(bytes: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let (&tag, after_tag) = bytes.split_first()?;
    let (&short, after_length) = after_tag.split_first()?;
    let (length, rest) = match short {
        0..=0x7f => (usize::from(short), after_length),
        0x81..=0x84 => long_length(after_length, usize::from(short & 0x7f))?,
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    let whole = bytes.get(..bytes.len() - rest.len())?;
    // A tag number over 30 takes further octets (X.690 8.1.2.4); nothing that is read here has one.
    (tag & 0x1f != 0x1f).then_some((Element { tag, content, whole }, rest))
}

fn long_length(bytes: &[u8], octets: usize) -> Option<(usize, &[u8])> {
    let (length, rest) = bytes.split_at_checked(octets)?;
    let length = length.iter().fold(0usize, |n, b| (n << 8) | usize::from(*b));
    Some((length, rest))
}

/// The elements inside some content; the last is `None` if they do not fill it to the end.
pub(super) fn elements(mut content: &[u8]) -> impl Iterator<Item = Option<Element<'_>>> {
    std::iter::from_fn(move || {
        if content.is_empty() {
            return None;
        }
        let read = first(content);
        content = read.map_or(&[], |(_, rest)| rest);
        Some(read.map(|(element, _)| element))
    })
}

/// An element, written. It may be of a key, and does not stay in memory.
pub(super) fn written(tag: u8, content: &[u8]) -> Zeroizing<Vec<u8>> {
    let length = content.len().to_be_bytes();
    let octets = length.iter().position(|b| *b != 0).map_or(&length[length.len() - 1..], |at| &length[at..]);
    let mut out = Zeroizing::new(Vec::with_capacity(content.len() + 10));
    out.push(tag);
    if content.len() > 0x7f {
        out.push(0x80 | octets.len() as u8);
    }
    out.extend_from_slice(octets);
    out.extend_from_slice(content);
    out
}

/// The parts of a SEQUENCE; `None` if it is none, or anything follows it.
pub(super) fn sequence(bytes: &[u8]) -> Option<Vec<Element<'_>>> {
    match first(bytes)? {
        (Element { tag: SEQUENCE, content, .. }, []) => elements(content).collect(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_is_read_whole_or_not_at_all() {
        let (element, rest) = first(&[0x02, 0x01, 0x05, 0xff]).unwrap();
        assert_eq!((element.tag, element.content, element.whole.len(), rest), (INTEGER, &[5u8][..], 3, &[0xffu8][..]));
        let long: Vec<u8> = [0x04, 0x82, 0x01, 0x00].into_iter().chain([7; 256]).collect();
        assert_eq!(first(&long).unwrap().0.content.len(), 256);
        for bad in
            [&[][..], &[0x30], &[0x30, 0x80], &[0x30, 0x85, 0, 0, 0, 0, 0], &[0x30, 2, 1], &[0x1f, 0], &[4, 0x82, 1]]
        {
            assert_eq!(first(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_sequence_is_filled_to_its_end() {
        assert_eq!(sequence(&[0x30, 3, 2, 1, 5]).map(|s| s.len()), Some(1));
        assert_eq!(sequence(&[0x30, 3, 2, 2, 5]), None);
        assert_eq!(sequence(&[0x30, 3, 2, 1, 5, 0]), None);
        assert_eq!(sequence(&[0x31, 0]), None);
    }
}
