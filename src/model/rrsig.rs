//! Signatures of RRsets (RFC 4034 section 3).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::dns::RecordType;
use super::dnssec::canonical;
use super::name::Name;
use super::tls::hex_bytes;

/// An RRSIG record (RFC 4034 section 3.1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Rrsig {
    /// The type that it signs.
    pub covers: RecordType,
    /// Algorithm of the key.
    pub algorithm: u8,
    /// Labels of the owner, without a wildcard's `*`: fewer than the owner has where a wildcard gave the answer.
    pub labels: u8,
    /// TTL of the RRset in its zone, in seconds.
    pub original_ttl: u32,
    /// Its last second, in seconds since 1970, modulo 2^32.
    pub expiration: u32,
    /// Its first second, likewise.
    pub inception: u32,
    /// Tag of the key.
    pub key_tag: u16,
    /// The zone whose key it is, as records have names.
    pub signer: String,
    /// The signature.
    #[serde(with = "hex_bytes")]
    pub signature: Vec<u8>,
}

/// How a signature's times stand to a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Span {
    /// It lies within.
    Within,
    /// They were over at this time.
    Over(Timestamp),
    /// They begin at this time only.
    Ahead(Timestamp),
}

impl Rrsig {
    /// Its RDATA without the signature, as it is signed (RFC 4034 section 3.1.8.1); `None` if the signer is no zone of hosts.
    pub fn head(&self) -> Option<Vec<u8>> {
        let mut out = self.covers.number().to_be_bytes().to_vec();
        out.extend([self.algorithm, self.labels]);
        [self.original_ttl, self.expiration, self.inception].iter().for_each(|n| out.extend(n.to_be_bytes()));
        out.extend(self.key_tag.to_be_bytes());
        out.extend(canonical(&Name::parse_owner(&self.signer).ok()?)?);
        Some(out)
    }

    /// How its times stand to a moment: serial arithmetic, since they go round every 136 years (RFC 4034 section 3.1.5, RFC
    /// 1982).
    pub fn span(&self, now: Timestamp) -> Span {
        let serial = now.as_second().rem_euclid(1 << 32) as u32;
        // Of two serials the nearer way round counts.
        let ahead = |time: u32| i64::from(time.wrapping_sub(serial).cast_signed());
        let at = |time: u32| Timestamp::from_second(now.as_second().saturating_add(ahead(time))).unwrap_or(now);
        match (ahead(self.inception), ahead(self.expiration)) {
            (_, ..0) => Span::Over(at(self.expiration)),
            (1.., _) => Span::Ahead(at(self.inception)),
            _ => Span::Within,
        }
    }
}

/// What came with an RRset from a server that was asked for its signatures and speaks of them (DO, RFC 3225).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Signed {
    /// Its signatures, sorted; empty if it has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signatures: Vec<Rrsig>,
    /// RDATA of an SOA in canonical form (RFC 4034 section 6.2), of which the records hold a part only; else empty.
    #[serde(default, with = "hex_bytes", skip_serializing_if = "Vec::is_empty")]
    pub soa: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rrsig(inception: u32, expiration: u32) -> Rrsig {
        Rrsig {
            covers: RecordType::Soa,
            algorithm: 13,
            labels: 2,
            original_ttl: 300,
            expiration,
            inception,
            key_tag: 1,
            signer: "domain.com".into(),
            signature: Vec::new(),
        }
    }

    #[test]
    fn both_ends_belong_to_it() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let span = |now| rrsig(1000, 2000).span(at(now));
        for (now, want) in
            [(999, Span::Ahead(at(1000))), (1000, Span::Within), (2000, Span::Within), (2001, Span::Over(at(2000)))]
        {
            assert_eq!(span(now), want, "{now}");
        }
        assert_eq!(rrsig(2000, 1000).span(at(1500)), Span::Over(at(1000)), "the wrong way round it holds never");
    }

    #[test]
    fn times_go_round_in_2106() {
        let turn: i64 = 1 << 32;
        let at = |second| Timestamp::from_second(second).unwrap();
        let across = rrsig(u32::MAX - 99, 100);
        for (now, want) in [
            (turn - 101, Span::Ahead(at(turn - 100))),
            (turn - 1, Span::Within),
            (turn + 100, Span::Within),
            (turn + 101, Span::Over(at(turn + 100))),
        ] {
            assert_eq!(across.span(at(now)), want, "{now}");
        }
        for now in [Timestamp::MIN, Timestamp::MAX] {
            assert_ne!(across.span(now), Span::Within);
        }
    }
}
