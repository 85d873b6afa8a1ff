//! Zones that BIND's tools signed, and what is left of them when anything is changed.

use jiff::Timestamp;
use jiff::civil::DateTime;

use super::*;

const VECTORS: &str = include_str!("vectors.zone");
const ZONE: &str = "example.org";
const ALGORITHMS: [u8; 8] = [5, 7, 8, 10, 13, 14, 15, 16];

/// A zone of one algorithm.
struct Vector {
    lines: Vec<Vec<&'static str>>,
}

impl Vector {
    fn of(algorithm: u8) -> Self {
        let head = format!("; {algorithm}");
        let lines = VECTORS.lines().skip_while(|l| *l != head).skip(1).take_while(|l| !l.starts_with(';'));
        Self { lines: lines.map(|l| l.split_ascii_whitespace().collect()).collect() }
    }

    fn of_kind(&self, kind: &str) -> Vec<&[&'static str]> {
        self.lines.iter().filter(|l| l[1] == kind).map(|l| &l[2..]).collect()
    }

    fn key(&self) -> Dnskey {
        Dnskey::parse(&self.of_kind("DNSKEY")[0].join(" ")).unwrap()
    }

    fn rrsig(&self, covers: RecordType) -> Rrsig {
        let words = self.of_kind("RRSIG").into_iter().find(|w| w[0] == covers.word()).unwrap();
        let number = |at: usize| words[at].parse::<u32>().unwrap();
        Rrsig {
            covers,
            algorithm: number(1) as u8,
            labels: number(2) as u8,
            original_ttl: number(3),
            expiration: seconds(words[4]),
            inception: seconds(words[5]),
            key_tag: number(6) as u16,
            signer: words[7].trim_end_matches('.').into(),
            signature: data_encoding::BASE64.decode(words[8].as_bytes()).unwrap(),
        }
    }

    fn rdata(&self, kind: RecordType) -> Vec<Vec<u8>> {
        let of = |words: &[&str]| match kind {
            RecordType::Dnskey => Dnskey::parse(&words.join(" ")).unwrap().octets(),
            RecordType::A => words[0].parse::<std::net::Ipv4Addr>().unwrap().octets().to_vec(),
            _ => {
                let names = words[..2].iter().flat_map(|n| canonical(&Name::parse(n).unwrap()).unwrap());
                let numbers = words[2..].iter().flat_map(|n| n.parse::<u32>().unwrap().to_be_bytes());
                names.chain(numbers).collect()
            }
        };
        self.of_kind(kind.word()).into_iter().map(of).collect()
    }
}

fn seconds(text: &str) -> u32 {
    let time = DateTime::strptime("%Y%m%d%H%M%S", text).unwrap().to_zoned(jiff::tz::TimeZone::UTC).unwrap();
    time.timestamp().as_second() as u32
}

fn name(text: &str) -> Name {
    Name::parse_owner(text).unwrap()
}

fn verified(owner: &str, kind: RecordType, algorithm: u8, change: impl Fn(&mut Rrsig, &mut Dnskey)) -> Verified {
    let vector = Vector::of(algorithm);
    let (mut rrsig, mut key, owner) = (vector.rrsig(kind), vector.key(), name(owner));
    change(&mut rrsig, &mut key);
    Rrset::new(&owner, kind, vector.rdata(kind)).verify(&name(ZONE), &rrsig, &key)
}

#[test]
fn what_bind_signs_verifies_in_every_algorithm_but_one() {
    for algorithm in ALGORITHMS {
        let want = if algorithm == 16 { Verified::Unable } else { Verified::Yes };
        for kind in [RecordType::Dnskey, RecordType::Soa] {
            assert_eq!(verified(ZONE, kind, algorithm, |_, _| {}), want, "{algorithm} {kind}");
            assert_eq!(Vector::of(algorithm).rrsig(kind).key_tag, Vector::of(algorithm).key().tag());
        }
        for owner in ["*.w.example.org", "a.w.example.org", "b.a.w.example.org"] {
            assert_eq!(verified(owner, RecordType::A, algorithm, |_, _| {}), want, "{algorithm} {owner}");
        }
        let now: Timestamp = "2030-01-01T00:00:00Z".parse().unwrap();
        assert_eq!(Vector::of(algorithm).rrsig(RecordType::Soa).span(now), crate::model::rrsig::Span::Within);
    }
}

#[test]
fn nothing_else_verifies() {
    type Change = dyn Fn(&mut Rrsig, &mut Dnskey);
    let changes: [(&str, &Change); 14] = [
        ("a bit of the signature", &|s, _| s.signature[9] ^= 1),
        ("a shorter signature", &|s, _| s.signature.truncate(s.signature.len() - 1)),
        ("none", &|s, _| s.signature.clear()),
        ("a longer one", &|s, _| s.signature.push(0)),
        ("another end", &|s, _| s.expiration += 1),
        ("another beginning", &|s, _| s.inception -= 1),
        ("another TTL", &|s, _| s.original_ttl += 1),
        ("another tag", &|s, _| s.key_tag ^= 1),
        ("another signer", &|s, _| s.signer = "org".into()),
        ("a signer that is no name", &|s, _| s.signer = "a\\046b".into()),
        ("more labels than there are", &|s, _| s.labels = 200),
        ("fewer", &|s, _| s.labels = 1),
        ("another type", &|s, _| s.covers = RecordType::Ns),
        ("a bit of the key", &|_, k| *k.key.last_mut().unwrap() ^= 2),
    ];
    for algorithm in ALGORITHMS.into_iter().filter(|a| *a != 16) {
        for (what, change) in &changes {
            for kind in [RecordType::Dnskey, RecordType::Soa] {
                assert_eq!(verified(ZONE, kind, algorithm, change), Verified::No, "{algorithm} {kind}: {what}");
            }
        }
    }
    for flags in [0, 0x181] {
        assert_eq!(verified(ZONE, RecordType::Soa, 13, |_, k| k.flags = flags), Verified::No, "{flags}");
    }
}

#[test]
fn another_set_or_owner_does_not_verify() {
    let vector = Vector::of(13);
    let verify = |owner: &str, rdata: Vec<Vec<u8>>| {
        Rrset::new(&name(owner), RecordType::A, rdata).verify(&name(ZONE), &vector.rrsig(RecordType::A), &vector.key())
    };
    let all = vector.rdata(RecordType::A);
    let turned: Vec<Vec<u8>> = all.iter().rev().chain(&all).cloned().collect();
    assert_eq!(verify("a.w.example.org", turned), Verified::Yes, "in any order, and twice");
    assert_eq!(verify("a.w.example.org", all[..1].to_vec()), Verified::No, "a record is missing");
    assert_eq!(verify("a.w.example.org", Vec::new()), Verified::No);
    for owner in ["a.v.example.org", "w.example.org", "org", "a.w.other.org"] {
        assert_eq!(verify(owner, all.clone()), Verified::No, "{owner}");
    }
}

/// As hostile zones have them.
#[test]
fn keys_that_are_none_or_beyond_measure_end_at_once() {
    let with =
        |algorithm: u8, octets: &[u8]| verified(ZONE, RecordType::Soa, algorithm, |_, key| key.key = octets.to_vec());
    for algorithm in [8, 13, 14, 15] {
        for short in [&[][..], &[0], &[0, 1], &[0, 0, 0], &[3], &[1, 3], &[255; 7]] {
            assert_eq!(with(algorithm, short), Verified::No, "{algorithm} {short:?}");
        }
    }
    let rsa = |exponent: &[u8], modulus: usize| [&[exponent.len() as u8], exponent, &vec![0xff; modulus]].concat();
    assert_eq!(with(8, &rsa(&[1, 0, 1], 64)), Verified::Unable, "512 bits");
    assert_eq!(with(8, &rsa(&[1, 0, 1], 513)), Verified::Unable);
    assert_eq!(with(8, &rsa(&[0xff; 6], 128)), Verified::Unable);
    assert_eq!(with(8, &rsa(&[1], 128)), Verified::No);
    assert_eq!(with(8, &rsa(&[0, 0, 1, 0, 1], 256)), Verified::No, "zeros in front are nothing");
    assert_eq!(
        with(8, &[&[0, 0xff, 0xff][..], &[1; 300]].concat()),
        Verified::No,
        "an exponent that goes on behind it"
    );
}
