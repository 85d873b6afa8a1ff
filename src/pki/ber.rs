//! BER (X.690) made definite, as much of it as PFX files of NSS (Firefox) need: lengths that are told by an end marker, and
//! octet strings in pieces. What is DER already comes back as it is.

use zeroize::Zeroizing;

use super::der::{self, OCTET_STRING};

/// Nesting that any honest file has, and more.
const DEPTH: usize = 24;
const CONSTRUCTED: u8 = 0x20;
const INDEFINITE: u8 = 0x80;
const END: [u8; 2] = [0, 0];

/// The first element in definite form, and how many bytes of the input it was; `None` if it is cut short or not BER.
pub(super) fn definite(bytes: &[u8]) -> Option<(Zeroizing<Vec<u8>>, usize)> {
    // A file is copied once for each level of its nesting.
    element(bytes, DEPTH)
}

fn element(bytes: &[u8], depth: usize) -> Option<(Zeroizing<Vec<u8>>, usize)> {
    let depth = depth.checked_sub(1)?;
    let (&tag, rest) = bytes.split_first()?;
    let (content, used) = if rest.first() == Some(&INDEFINITE) && tag & CONSTRUCTED != 0 {
        let (content, used) = until_end(rest.get(1..)?, depth)?;
        (content, used + 2)
    } else {
        let (found, after) = der::first(bytes)?;
        let used = bytes.len() - after.len();
        if tag & CONSTRUCTED == 0 {
            return Some((Zeroizing::new(found.whole.to_vec()), used));
        }
        (all(found.content, depth)?, used)
    };
    let is_in_pieces = tag == OCTET_STRING | CONSTRUCTED;
    Some(match is_in_pieces {
        true => (der::written(OCTET_STRING, &pieces(&content)?), used),
        false => (der::written(tag, &content), used),
    })
}

/// Elements up to the marker of the end, which is no part of them.
fn until_end(bytes: &[u8], depth: usize) -> Option<(Zeroizing<Vec<u8>>, usize)> {
    let mut out = Zeroizing::new(Vec::new());
    let mut at = 0;
    loop {
        let rest = bytes.get(at..)?;
        if rest.starts_with(&END) {
            return Some((out, at + END.len()));
        }
        let (whole, used) = element(rest, depth)?;
        out.extend_from_slice(&whole);
        at += used;
    }
}

fn all(bytes: &[u8], depth: usize) -> Option<Zeroizing<Vec<u8>>> {
    let mut out = Zeroizing::new(Vec::with_capacity(bytes.len()));
    let mut at = 0;
    while at < bytes.len() {
        let (whole, used) = element(bytes.get(at..)?, depth)?;
        out.extend_from_slice(&whole);
        at += used;
    }
    Some(out)
}

/// The content of an octet string that stands in pieces (X.690 section 8.7.3).
pub(super) fn pieces(content: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut out = Zeroizing::new(Vec::with_capacity(content.len()));
    for piece in der::elements(content) {
        let piece = piece.filter(|p| p.tag == OCTET_STRING)?;
        out.extend_from_slice(piece.content);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &[u8]) -> Option<Vec<u8>> {
        definite(bytes).map(|(out, _)| out.to_vec())
    }

    #[test]
    fn lengths_without_end_and_pieces_become_definite() {
        assert_eq!(of(&[0x30, 0x80, 2, 1, 3, 0, 0]), Some(vec![0x30, 3, 2, 1, 3]));
        assert_eq!(of(&[0x30, 0x80, 0x24, 0x80, 4, 1, 7, 4, 2, 8, 9, 0, 0, 0, 0]), Some(vec![0x30, 5, 4, 3, 7, 8, 9]));
        assert_eq!(of(&[0x24, 6, 4, 1, 7, 4, 1, 8]), Some(vec![4, 2, 7, 8]));
        assert_eq!(of(&[0xa0, 0x80, 0x30, 0x80, 0, 0, 0, 0, 9]), Some(vec![0xa0, 2, 0x30, 0]));
        assert_eq!(definite(&[0x30, 0x80, 0, 0, 9]).map(|(_, used)| used), Some(4));
    }

    #[test]
    fn der_stays_as_it_is() {
        let long = [&[0x30, 0x82, 1, 4, 4, 0x82, 1, 0][..], &[7; 256]].concat();
        for der in [&long[..], &[0x30, 0], &[2, 1, 5]] {
            assert_eq!(of(der).as_deref(), Some(der));
        }
    }

    #[test]
    fn what_is_cut_short_or_too_deep_is_none() {
        for bad in
            [&[0x30, 0x80][..], &[0x30, 0x80, 2, 1], &[0x30, 0x80, 0], &[4, 0x80, 0, 0], &[0x24, 3, 2, 1, 1], &[]]
        {
            assert_eq!(of(bad), None, "{bad:?}");
        }
        let deep: Vec<u8> = [0x30, 0x80].repeat(100_000);
        assert_eq!(of(&deep), None);
    }
}
