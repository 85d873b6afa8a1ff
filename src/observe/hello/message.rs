//! Messages of the clear part of a handshake (RFC 5246 section 7.4), cut by a reader that never looks beyond their end.

/// What is left of a message.
#[derive(Clone, Copy, Debug)]
pub struct Rest<'a>(pub &'a [u8]);

impl<'a> Rest<'a> {
    /// So many bytes.
    pub fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(taken)
    }

    /// A number of so many bytes.
    fn number(&mut self, bytes: usize) -> Option<usize> {
        Some(self.take(bytes)?.iter().fold(0, |n, byte| n << 8 | usize::from(*byte)))
    }

    /// A number of two bytes.
    pub fn u16(&mut self) -> Option<u16> {
        u16::try_from(self.number(2)?).ok()
    }

    /// Bytes with their length in front, which has so many bytes.
    pub fn block(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let length = self.number(bytes)?;
        self.take(length)
    }
}

/// What a server chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerHello {
    pub version: u16,
    pub random: [u8; 32],
    pub suite: u16,
    pub compression: u8,
}

/// Reads a ServerHello (section 7.4.1.3). What its extensions say does not matter here; that they end where the message
/// ends does.
pub fn server_hello(body: &[u8]) -> Option<ServerHello> {
    let mut rest = Rest(body);
    let version = rest.u16()?;
    let random = rest.take(32)?.try_into().ok()?;
    rest.block(1).filter(|session| session.len() <= 32)?;
    let suite = rest.u16()?;
    let compression = *rest.take(1)?.first()?;
    if !rest.0.is_empty() {
        rest.block(2)?;
    }
    rest.0.is_empty().then_some(ServerHello { version, random, suite, compression })
}

/// Reads a Certificate (section 7.4.2): the chain in its order, at most `most` and one; whoever wants to know whether there
/// are more counts them.
pub fn certificate(body: &[u8], most: usize) -> Option<Vec<&[u8]>> {
    let mut rest = Rest(body);
    let mut list = Rest(rest.block(3)?);
    let mut chain = Vec::new();
    while !list.0.is_empty() && chain.len() <= most {
        chain.push(list.block(3).filter(|der| !der.is_empty())?);
    }
    rest.0.is_empty().then_some(chain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_hello_is_read_with_and_without_extensions() {
        let mut body = vec![3, 1];
        body.extend([9; 32]);
        body.extend([2, 1, 1, 0, 0x2f, 0]);
        let plain = ServerHello { version: 0x0301, random: [9; 32], suite: 0x2f, compression: 0 };
        assert_eq!(server_hello(&body), Some(plain));
        for cut in 0..body.len() {
            assert_eq!(server_hello(&body[..cut]), None, "{cut}");
        }
        let extended = [&body[..], &[0, 5, 0xff, 1, 0, 1, 0]].concat();
        assert_eq!(server_hello(&extended), Some(plain));
        assert_eq!(server_hello(&[&extended[..], &[0]].concat()), None, "bytes behind it");
        let long_session = [&body[..34], &[33], &[0; 33][..], &[0, 0x2f, 0]].concat();
        assert_eq!(server_hello(&long_session), None);
    }

    #[test]
    fn a_chain_is_read_in_its_order_and_no_further_than_wanted() {
        let two = [0, 0, 9, 0, 0, 2, 0x30, 0, 0, 0, 1, 0x30];
        assert_eq!(certificate(&two, 9), Some(vec![&[0x30, 0][..], &[0x30]]));
        assert_eq!(certificate(&two, 0).map(|c| c.len()), Some(1));
        assert_eq!(certificate(&[0, 0, 0], 9), Some(vec![]));
        for bad in [&two[..11], &[0, 0, 3, 0, 0, 0], &[0, 0, 0, 1], &[0, 0], &[0, 0, 4, 0, 0, 5, 1]] {
            assert_eq!(certificate(bad, 9), None, "{bad:?}");
        }
    }
}
