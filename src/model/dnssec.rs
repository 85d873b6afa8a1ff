//! DS and DNSKEY records (RFC 4034), and whether one is the digest of the other.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::Digest;

use super::name::Name;
use super::tls::hex_bytes;

/// A DS record (RFC 4034 section 5.1): the parent's word for a key of the zone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Ds {
    /// Key tag (RFC 4034 appendix B).
    pub key_tag: u16,
    /// Algorithm of the key.
    pub algorithm: u8,
    /// 1 is SHA-1, 2 is SHA-256 (RFC 4509), 4 is SHA-384 (RFC 6605).
    pub digest_type: u8,
    /// The digest.
    #[serde(with = "hex_bytes")]
    pub digest: Vec<u8>,
}

/// A DNSKEY record (RFC 4034 section 2.1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Dnskey {
    /// 256 is "zone key", 1 "secure entry point", 128 "revoked" (RFC 5011).
    pub flags: u16,
    /// Always 3.
    pub protocol: u8,
    /// Algorithm.
    pub algorithm: u8,
    /// The public key.
    #[serde(with = "hex_bytes")]
    pub key: Vec<u8>,
}

const ZONE_KEY: u16 = 0x0100;
const REVOKED: u16 = 0x0080;
const ENTRY: u16 = 0x0001;

impl Dnskey {
    /// Reads a record as a zone file has it; blanks may part the Base64 (RFC 4034 section 2.2).
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        let (flags, protocol) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        let algorithm = words.next()?.parse().ok()?;
        let key = data_encoding::BASE64.decode(words.collect::<String>().as_bytes()).ok()?;
        (!key.is_empty()).then_some(Self { flags, protocol, algorithm, key })
    }

    /// Its RDATA.
    pub fn octets(&self) -> Vec<u8> {
        [&self.flags.to_be_bytes()[..], &[self.protocol, self.algorithm], &self.key].concat()
    }

    /// Key tag (RFC 4034 appendix B; that of algorithm 1, which nobody uses any more, is another).
    pub fn tag(&self) -> u16 {
        let add = |sum: u32, (at, octet): (usize, u8)| sum + (u32::from(octet) << if at % 2 == 0 { 8 } else { 0 });
        let sum = self.octets().into_iter().take(1 << 16).enumerate().fold(0u32, add);
        (sum + (sum >> 16)) as u16
    }

    /// True of a key that is meant to have a DS (RFC 4034 section 2.1.1).
    pub fn is_entry(&self) -> bool {
        self.flags & ENTRY != 0 && self.may_sign()
    }

    /// True of a key that may sign what the zone has (RFC 4034 section 2.1.1, RFC 5011 section 2.1).
    pub fn may_sign(&self) -> bool {
        self.flags & ZONE_KEY != 0 && self.flags & REVOKED == 0 && self.protocol == 3
    }

    /// The DS record of it, by SHA-256.
    pub fn ds(&self, zone: &Name) -> Option<Ds> {
        let digest = digest(zone, self, 2)?;
        Some(Ds { key_tag: self.tag(), algorithm: self.algorithm, digest_type: 2, digest })
    }
}

impl Ds {
    /// Reads a record as a zone file has it; blanks may part the hex digits (RFC 4034 section 5.3).
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        let (key_tag, algorithm) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        let digest_type = words.next()?.parse().ok()?;
        let digest = data_encoding::HEXLOWER_PERMISSIVE.decode(words.collect::<String>().as_bytes()).ok()?;
        (!digest.is_empty()).then_some(Self { key_tag, algorithm, digest_type, digest })
    }

    /// Its RDATA.
    pub fn octets(&self) -> Vec<u8> {
        [&self.key_tag.to_be_bytes()[..], &[self.algorithm, self.digest_type], &self.digest].concat()
    }

    /// True if it is the digest of a zone's key (RFC 4034 section 5.2).
    pub fn is_of(&self, zone: &Name, key: &Dnskey) -> bool {
        let same = (self.key_tag, self.algorithm) == (key.tag(), key.algorithm);
        same && key.may_sign() && digest(zone, key, self.digest_type).is_some_and(|own| own == self.digest)
    }

    /// True if validating resolvers take it: digests that nobody knows make no zone signed (RFC 4035 section 5.2), and so do
    /// algorithms that were given up (RFC 8624 section 3.1).
    fn is_supported(&self) -> bool {
        matches!(self.digest_type, 1 | 2 | 4) && matches!(self.algorithm, 5 | 7 | 8 | 10 | 13..=16)
    }

    /// Those of a set that count: where a better digest stands, SHA-1 does not (RFC 4509 section 3). Empty: the zone is as
    /// good as unsigned.
    pub fn counting<'a>(set: &[&'a Ds]) -> Vec<&'a Ds> {
        let supported: Vec<&Ds> = set.iter().copied().filter(|ds| ds.is_supported()).collect();
        let better = supported.iter().any(|ds| ds.digest_type != 1);
        supported.into_iter().filter(|ds| !better || ds.digest_type != 1).collect()
    }
}

/// The digest of owner and RDATA (RFC 4034 section 5.1.4); `None` if the digest is not known.
fn digest(zone: &Name, key: &Dnskey, digest_type: u8) -> Option<Vec<u8>> {
    let octets = [canonical(zone)?, key.octets()].concat();
    match digest_type {
        1 => Some(sha1::Sha1::digest(octets).to_vec()),
        2 => Some(sha2::Sha256::digest(octets).to_vec()),
        4 => Some(sha2::Sha384::digest(octets).to_vec()),
        _ => None,
    }
}

/// A name's canonical form on the wire (RFC 4034 section 6.2); names are in lower case already.
pub fn canonical(name: &Name) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    for label in name.labels() {
        out.push(u8::try_from(label.len()).ok()?);
        out.extend_from_slice(label.as_bytes());
    }
    out.push(0);
    Some(out)
}

impl fmt::Display for Ds {
    /// As a zone file writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = data_encoding::HEXLOWER.encode(&self.digest);
        write!(f, "{} {} {} {hex}", self.key_tag, self.algorithm, self.digest_type)
    }
}

impl fmt::Display for Dnskey {
    /// As a zone file writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = data_encoding::BASE64.encode(&self.key);
        write!(f, "{} {} {} {key}", self.flags, self.protocol, self.algorithm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Dnskey {
        let key = data_encoding::BASE64.decode(text.as_bytes()).unwrap();
        Dnskey { flags: 256, protocol: 3, algorithm: 5, key }
    }

    fn ds(key_tag: u16, digest_type: u8, digest: &str) -> Ds {
        let digest = data_encoding::HEXUPPER_PERMISSIVE.decode(digest.as_bytes()).unwrap();
        Ds { key_tag, algorithm: 5, digest_type, digest }
    }

    /// The examples of RFC 4034 section 5.4 and RFC 4509 section 2.3: the same key, by SHA-1 and by SHA-256.
    const KEY: &str = "AQOeiiR0GOMYkDshWoSKz9XzfwJr1AYtsmx3TGkJaNXVbfi/2pHm822aJ5iI9BMzNXxeYCmZDRD99WYwYqUSdjMmmAphXdvx\
        egXd/M5+X7OrzKBaMbCVdFLUUh6DhweJBjEVv5f2wwjM9XzcnOf+EPbtG9DMBmADjFDc2w/rljwvFw==";
    const SHA1: &str = "2BB183AF5F22588179A53B0A98631FAD1A292118";
    const SHA256: &str = "D4B7D520E7BB5F0F67674A0CCEB1E3E0614B93C4F9E99B8383F6A1E4469DA50A";

    #[test]
    fn a_ds_is_the_digest_of_owner_and_key() {
        let (zone, key) = (Name::parse("dskey.example.com").unwrap(), key(KEY));
        assert_eq!(key.tag(), 60485);
        assert!(ds(60485, 1, SHA1).is_of(&zone, &key));
        assert!(ds(60485, 2, SHA256).is_of(&zone, &key));
        assert!(!ds(60484, 2, SHA256).is_of(&zone, &key), "another tag");
        assert!(!ds(60485, 1, SHA256).is_of(&zone, &key), "another digest");
        assert!(!ds(60485, 3, SHA256).is_of(&zone, &key), "an unknown digest");
        assert!(!ds(60485, 2, SHA256).is_of(&Name::parse("example.com").unwrap(), &key), "another zone");
        let mut other = key.clone();
        other.flags = 0;
        assert!(!other.ds(&zone).unwrap().is_of(&zone, &other), "no zone key");
        other.flags = 0x181;
        assert!(!other.ds(&zone).unwrap().is_of(&zone, &other), "revoked");
        assert!(key.ds(&zone).unwrap().is_of(&zone, &key));
    }

    #[test]
    fn sha1_does_not_count_beside_a_better_digest() {
        let (weak, strong) = (ds(60485, 1, SHA1), ds(60485, 2, SHA256));
        let unknown = Ds { digest_type: 200, ..strong.clone() };
        assert_eq!(Ds::counting(&[&weak, &strong]), [&strong]);
        assert_eq!(Ds::counting(&[&weak, &unknown]), [&weak]);
        assert_eq!(Ds::counting(&[&unknown]), Vec::<&Ds>::new());
        assert_eq!(Ds::counting(&[&Ds { algorithm: 1, ..strong }]), Vec::<&Ds>::new());
    }
}
