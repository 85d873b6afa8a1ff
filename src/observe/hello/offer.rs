//! A ClientHello of our own, for versions and suites that no library speaks any more (RFC 5246 section 7.4.1.2, RFC 6101).

use super::suites::{SUITES, Suite};
use crate::model::tls::Face;

/// A version of the protocol, as it stands in a hello.
pub type Version = u16;

/// SSL 3.0.
pub const SSL3: Version = 0x0300;
/// TLS 1.0.
pub const TLS10: Version = 0x0301;
/// TLS 1.2.
pub const TLS12: Version = 0x0303;

/// No renegotiation is offered, in the way that extension-shy servers bear (RFC 5746 section 3.3).
const NO_RENEGOTIATION: u16 = 0x00ff;

/// Lengths of a hello's message at which an old balancer hangs, since it takes them for an SSL 2.0 header (RFC 7685
/// section 1), and the length to which it is padded.
const AWKWARD: std::ops::Range<usize> = 256..512;

/// secp256r1, secp384r1, secp521r1, x25519.
const GROUPS: [u16; 4] = [23, 24, 25, 29];

/// Signature schemes, those that can be checked first; SHA-1 for servers that have nothing else.
const SCHEMES: [(u16, Face); 13] = [
    (0x0403, Face::Ecdsa),
    (0x0503, Face::Ecdsa),
    (0x0603, Face::Ecdsa),
    (0x0401, Face::Rsa),
    (0x0501, Face::Rsa),
    (0x0601, Face::Rsa),
    (0x0804, Face::Rsa),
    (0x0805, Face::Rsa),
    (0x0806, Face::Rsa),
    (0x0303, Face::Ecdsa),
    (0x0301, Face::Rsa),
    (0x0203, Face::Ecdsa),
    (0x0201, Face::Rsa),
];

/// What is offered.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The best version.
    pub version: Version,
    /// The name asked for.
    pub sni: Option<String>,
    /// The only kind of certificate that is taken.
    pub face: Option<Face>,
    /// The random number of the hello; a signature covers it.
    pub random: [u8; 32],
}

impl Offer {
    /// True if this suite is offered.
    pub fn has(&self, suite: &Suite) -> bool {
        (self.version >= TLS12 || !suite.is_new) && self.face.is_none_or(|f| suite.face == Some(f))
    }

    /// The record with the hello in it.
    pub fn record(&self) -> Vec<u8> {
        let mut hello = self.hello(0);
        if AWKWARD.contains(&hello.len()) {
            hello = self.hello(AWKWARD.end - hello.len());
        }
        // Old servers want the record's version to be one that they know (RFC 5246 appendix E.1).
        let version = self.version.min(TLS10).to_be_bytes();
        let mut record = vec![22, version[0], version[1]];
        block(&mut record, |r| r.extend(&hello));
        record
    }

    fn hello(&self, padding: usize) -> Vec<u8> {
        let mut body = self.version.to_be_bytes().to_vec();
        body.extend(self.random);
        // No session.
        body.push(0);
        block(&mut body, |b| {
            for suite in SUITES.iter().filter(|s| self.has(s)) {
                b.extend(suite.id.to_be_bytes());
            }
            b.extend(NO_RENEGOTIATION.to_be_bytes());
        });
        // No compression, the only method.
        body.extend([1, 0]);
        if self.version > SSL3 {
            block(&mut body, |b| self.extensions(b, padding));
        }
        let [_, length @ ..] = u32::try_from(body.len()).unwrap_or_default().to_be_bytes();
        let mut message = vec![1];
        message.extend(length);
        message.extend(body);
        message
    }

    fn extensions(&self, out: &mut Vec<u8>, padding: usize) {
        if let Some(name) = &self.sni {
            extension(out, 0, |b| {
                block(b, |b| {
                    b.push(0);
                    block(b, |b| b.extend(name.as_bytes()));
                });
            });
        }
        // A stapled response, as other clients ask for (RFC 6066 section 8).
        extension(out, 5, |b| b.extend([1, 0, 0, 0, 0]));
        extension(out, 10, |b| numbers(b, GROUPS));
        // Points are not compressed.
        extension(out, 11, |b| b.extend([1, 0]));
        if self.version >= TLS12 {
            let taken = SCHEMES.into_iter().filter(|(_, face)| self.face.is_none_or(|f| f == *face));
            extension(out, 13, |b| numbers(b, taken.map(|(scheme, _)| scheme)));
        }
        if padding > 0 {
            // RFC 7685: its own header is four bytes of it.
            extension(out, 21, |b| b.resize(b.len() + padding.saturating_sub(4), 0));
        }
    }
}

fn extension(out: &mut Vec<u8>, kind: u16, fill: impl FnOnce(&mut Vec<u8>)) {
    out.extend(kind.to_be_bytes());
    block(out, fill);
}

fn numbers(out: &mut Vec<u8>, all: impl IntoIterator<Item = u16>) {
    block(out, |b| all.into_iter().for_each(|n| b.extend(n.to_be_bytes())));
}

/// Bytes with their length in front, in two bytes. What is written here is far below their limit.
fn block(out: &mut Vec<u8>, fill: impl FnOnce(&mut Vec<u8>)) {
    let mut inner = Vec::new();
    fill(&mut inner);
    out.extend(u16::try_from(inner.len()).unwrap_or(u16::MAX).to_be_bytes());
    out.append(&mut inner);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(version: Version, sni: Option<&str>, face: Option<Face>) -> Offer {
        Offer { version, sni: sni.map(str::to_string), face, random: [7; 32] }
    }

    /// Another's reader takes it: the library's own server side, in so far as it knows the version.
    #[test]
    fn the_library_reads_the_hello_and_finds_in_it_what_was_meant() {
        for face in [None, Some(Face::Rsa), Some(Face::Ecdsa)] {
            let suites = 1 + SUITES.iter().filter(|s| face.is_none() || s.face == face).count();
            for name in ["mail.domain.com".to_string(), format!("{}.domain.com", "a".repeat(60))] {
                let record = offer(TLS12, Some(&name), face).record();
                let mut acceptor = rustls::server::Acceptor::default();
                acceptor.read_tls(&mut record.as_slice()).unwrap();
                let accepted = acceptor.accept().map_err(|(e, _)| e).unwrap().expect("a whole hello");
                let hello = accepted.client_hello();
                assert_eq!(hello.server_name(), Some(name.as_str()));
                assert_eq!(hello.cipher_suites().len(), suites, "{face:?}");
                let schemes = hello.signature_schemes().iter().map(|s| u16::from(*s)).collect::<Vec<_>>();
                assert_eq!(schemes.contains(&0x0401), face != Some(Face::Ecdsa));
                assert_eq!(schemes.contains(&0x0403), face != Some(Face::Rsa));
            }
        }
    }

    #[test]
    fn no_hello_has_a_length_that_old_balancers_choke_on() {
        for version in [SSL3, TLS10, TLS12] {
            for length in [0, 1, 20, 40, 60, 61, 62, 63] {
                for labels in [1, 2, 3] {
                    let name = vec!["a".repeat(length); labels].join(".");
                    let sni = (length > 0).then_some(name.as_str());
                    let record = offer(version, sni, None).record();
                    let message = record.len() - 5;
                    assert!(!AWKWARD.contains(&message), "{version:x} {length} {labels}: {message}");
                    assert_eq!(usize::from(u16::from_be_bytes([record[3], record[4]])), message);
                    assert!(message < 600, "{message}");
                }
            }
        }
    }

    #[test]
    fn an_old_hello_has_neither_new_suites_nor_extensions_that_it_cannot_have() {
        let old = offer(SSL3, Some("mail.domain.com"), None).record();
        assert_eq!(old[..3], [22, 3, 0]);
        assert_eq!(old.len(), 5 + 4 + 2 + 32 + 1 + 2 + 2 * (SUITES.iter().filter(|s| !s.is_new).count() + 1) + 2);
        let ten = offer(TLS10, Some("mail.domain.com"), None).record();
        assert_eq!((&ten[..3], &ten[9..11]), (&[22, 3, 1][..], &[3, 1][..]));
        assert!(ten.windows(15).any(|w| w == b"mail.domain.com"));
        assert!(!old.windows(15).any(|w| w == b"mail.domain.com"));
        let twelve = offer(TLS12, None, None).record();
        assert_eq!((&twelve[..3], &twelve[9..11]), (&[22, 3, 1][..], &[3, 3][..]));
    }
}
