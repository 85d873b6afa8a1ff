//! Names on the wire (RFC 1035 sections 3.1 and 4.1.4), compared without case.

/// Octets of a name, its final zero included (RFC 1035 section 2.3.4).
const OCTETS: usize = 255;

/// Pointers of a name that are followed: one for each label at most makes sense. More are a chain that only costs time.
const POINTERS: usize = 127;

/// A name in lower case, as on the wire and without compression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireName(Box<[u8]>);

impl WireName {
    /// Reads a name at a place in a message; the place behind it.
    pub fn read(message: &[u8], at: usize) -> Result<(Self, usize), &'static str> {
        let (mut octets, mut at, mut behind) = (Vec::with_capacity(32), at, None);
        for _ in 0..=POINTERS {
            // Each run of labels stands before the one that led to it, so that nothing goes in circles.
            let start = at;
            at = labels(message, at, &mut octets)?;
            match message.get(at..at + 2) {
                Some(&[high, low]) if high & 0xc0 == 0xc0 => {
                    behind.get_or_insert(at + 2);
                    at = usize::from(u16::from_be_bytes([high & 0x3f, low]));
                    if at >= start {
                        return Err("a name whose pointer does not lead back");
                    }
                }
                _ => return Ok((Self(octets.into()), behind.unwrap_or(at + 1))),
            }
        }
        Err("a name behind more pointers than it can have labels")
    }

    /// Its octets.
    pub fn octets(&self) -> &[u8] {
        &self.0
    }

    /// True if this is that name or one below it; every name is below the root.
    pub fn is_within(&self, zone: &Self) -> bool {
        let mut rest = &*self.0;
        while rest.len() > zone.0.len() {
            let length = rest.first().map_or(0, |n| usize::from(*n));
            rest = rest.get(length + 1..).unwrap_or_default();
        }
        rest == &*zone.0
    }

    /// As text without its final dot; octets that no host name has are written `\DDD` (RFC 1035 section 5.1).
    pub fn text(&self) -> String {
        let mut out = String::with_capacity(self.0.len());
        let mut rest = &*self.0;
        while let Some((&length, behind)) = rest.split_first() {
            let Some((label, next)) = behind.split_at_checked(usize::from(length)).filter(|(l, _)| !l.is_empty())
            else {
                break;
            };
            if !out.is_empty() {
                out.push('.');
            }
            label.iter().for_each(|octet| push(&mut out, *octet));
            rest = next;
        }
        if out.is_empty() { ".".into() } else { out }
    }
}

/// Reads labels up to the final zero, which is taken too, or a pointer; the place of that zero or pointer.
fn labels(message: &[u8], mut at: usize, octets: &mut Vec<u8>) -> Result<usize, &'static str> {
    const SHORT: &str = "a name that goes beyond the message";
    loop {
        let length = *message.get(at).ok_or(SHORT)?;
        match length {
            0xc0.. => return if at + 1 < message.len() { Ok(at) } else { Err(SHORT) },
            0x40..0xc0 => return Err("a label of an unknown kind"),
            _ => {}
        }
        let label = message.get(at..=at + usize::from(length)).ok_or(SHORT)?;
        octets.extend(label.iter().map(u8::to_ascii_lowercase));
        if octets.len() > OCTETS {
            return Err("a name of more than 255 octets");
        }
        if length == 0 {
            return Ok(at);
        }
        at += label.len();
    }
}

fn push(out: &mut String, octet: u8) {
    match octet {
        b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'*' => out.push(char::from(octet)),
        _ => out.push_str(&format!("\\{octet:03}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `b` at 0, `mail` with a pointer to it at 3, and what is asked for behind.
    fn read(rest: &[u8]) -> Result<(String, usize), &'static str> {
        let message = [b"\x01B\x00\x04mail\xc0\x00", rest].concat();
        WireName::read(&message, 10).map(|(name, behind)| (name.text(), behind))
    }

    #[test]
    fn names_are_read_through_their_pointers() {
        assert_eq!(read(b"\x01A\xc0\x03"), Ok(("a.mail.b".into(), 14)));
        assert_eq!(read(b"\xc0\x00x"), Ok(("b".into(), 12)));
        assert_eq!(read(b"\x00"), Ok((".".into(), 11)));
        assert_eq!(read(b"\x03A.\x1b\x00"), Ok(("a\\046\\027".into(), 15)));
    }

    #[test]
    fn names_that_are_none_are_refused() {
        for circle in [&b"\xc0\x0a"[..], b"\xc0\x0c", b"\x01a\xc0\x0a", b"\xff\xff"] {
            assert_eq!(read(circle), Err("a name whose pointer does not lead back"), "{circle:?}");
        }
        for short in [&b""[..], b"\xc0", b"\x05ab", b"\x01a"] {
            assert_eq!(read(short), Err("a name that goes beyond the message"), "{short:?}");
        }
        assert_eq!(read(b"\x40a"), Err("a label of an unknown kind"));
        assert!(read(&[&b"\x3f"[..], &[b'a'; 63]].concat().repeat(4)).is_err());
    }

    #[test]
    fn a_chain_of_pointers_has_its_measure() {
        let chain = |count: u16| -> Vec<u8> {
            let pointers = (0..count).flat_map(|i| (0xc000 | if i == 0 { 0 } else { 1 + 2 * (i - 1) }).to_be_bytes());
            std::iter::once(0).chain(pointers).collect()
        };
        let last = |count: u16| WireName::read(&chain(count), usize::from(1 + 2 * (count - 1)));
        assert!(last(127).is_ok());
        assert_eq!(last(128), Err("a name behind more pointers than it can have labels"));
    }
}
