//! How PFX files are encrypted and protected: what an AlgorithmIdentifier says, and what it makes of a password.

use std::num::NonZeroU32;

use ring::hmac;
use x509_parser::asn1_rs::Oid;
use zeroize::Zeroizing;

use super::algorithm::{Cipher, Hash};
use super::derive::{self, Password, Purpose};
use crate::model::pfx::{Age, Protection};
use crate::pki::der::{Element, INTEGER, OCTET_STRING, OID, SEQUENCE, elements};

/// `1.2.840.113549.1.12.1`: PKCS#12's own ways of encrypting; one more part follows.
const PKCS12_PBE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 12, 1];
/// `1.2.840.113549.1.5`: PKCS#5 (RFC 8018 appendix A), and PBMAC1.
const PBKDF2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 12];
const PBES2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 13];
const PBMAC1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 14];

/// Key derivation, salt and rounds.
#[derive(Clone, Debug)]
struct Derivation {
    by: By,
    salt: Vec<u8>,
    rounds: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// PKCS#12's own way.
    Pkcs12(Hash),
    Pbkdf2(Hash),
}

impl Derivation {
    /// Hashes that a key of some length takes.
    fn cost(&self, length: usize) -> u64 {
        let (hash, each) = match self.by {
            By::Pkcs12(hash) => (hash, 1),
            By::Pbkdf2(hash) => (hash, 2),
        };
        let blocks = length.div_ceil(hash.digest().output_len());
        self.rounds.saturating_mul(each * blocks as u64)
    }

    fn derive(&self, password: Password, purpose: Purpose, length: usize) -> Option<Zeroizing<Vec<u8>>> {
        let rounds = NonZeroU32::new(u32::try_from(self.rounds).ok()?)?;
        Some(match self.by {
            By::Pkcs12(hash) => derive::pkcs12(hash.digest(), password, &self.salt, rounds, purpose, length),
            By::Pbkdf2(hash) => derive::pbkdf2(hash.prf(), password, &self.salt, rounds, length),
        })
    }
}

/// A way of encrypting with a password.
#[derive(Clone, Debug)]
pub(super) struct Scheme {
    pub protection: Protection,
    /// `None` if it is not known here.
    how: Option<(Cipher, Derivation, Vector)>,
}

#[derive(Clone, Debug)]
enum Vector {
    Derived,
    Given(Vec<u8>),
}

impl Scheme {
    /// Reads an AlgorithmIdentifier; `None` if it is damaged.
    pub fn read(algorithm: &Element) -> Option<Self> {
        let (oid, parameters) = identifier(algorithm)?;
        if oid == PBES2 {
            return Self::pbes2(&parameters?);
        }
        let cipher = match oid.strip_prefix(PKCS12_PBE) {
            // Readers of all ages have RC4 (RFC 7292 appendix C); here it is not worth its code.
            Some([1 | 2]) => return Some(Self { protection: old("RC4"), how: None }),
            Some([last]) => Cipher::of_pkcs12(*last),
            _ => None,
        };
        let Some(cipher) = cipher else {
            return Some(Self { protection: unknown(oid), how: None });
        };
        let [salt, rounds] = two(&parameters?)?;
        let by = By::Pkcs12(Hash::Sha1);
        let derivation = Derivation { by, salt: octets(&salt)?.to_vec(), rounds: number(&rounds)? };
        Some(Self { protection: old(cipher.words()), how: Some((cipher, derivation, Vector::Derived)) })
    }

    /// RFC 8018 appendix A.4.
    fn pbes2(parameters: &Element) -> Option<Self> {
        let [by, with] = two(parameters)?;
        let (cipher_oid, vector) = identifier(&with)?;
        let derivation = pbkdf2(&by)?.map(|(derivation, _)| derivation);
        let (Some(cipher), Some(derivation)) = (Cipher::of(cipher_oid), derivation) else {
            let odd = if Cipher::of(cipher_oid).is_none() { cipher_oid } else { identifier(&by)?.0 };
            return Some(Self { protection: unknown(odd), how: None });
        };
        let By::Pbkdf2(hash) = derivation.by else { return None };
        let words = format!("{} with PBES2 and {}", cipher.words(), hash.words());
        let vector = Vector::Given(octets(&vector?)?.to_vec());
        Some(Self { protection: Protection { age: Age::Pbes2, words }, how: Some((cipher, derivation, vector)) })
    }

    /// Hashes that opening it takes; `None` if it cannot be opened here.
    pub fn cost(&self) -> Option<u64> {
        let (cipher, derivation, vector) = self.how.as_ref()?;
        let key = derivation.cost(cipher.key_length());
        Some(match vector {
            Vector::Derived => key.saturating_add(derivation.cost(8)),
            Vector::Given(_) => key,
        })
    }

    /// What was encrypted; `None` if the password is visibly another.
    pub fn open(&self, password: Password, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (cipher, derivation, vector) = self.how.as_ref()?;
        let key = derivation.derive(password, Purpose::Key, cipher.key_length())?;
        let vector = match vector {
            Vector::Derived => derivation.derive(password, Purpose::Vector, 8)?,
            Vector::Given(bytes) => Zeroizing::new(bytes.clone()),
        };
        cipher.decrypt(&key, &vector, sealed)
    }
}

/// How the whole is protected against changes (RFC 7292 section 4, RFC 9579).
#[derive(Clone, Debug)]
pub(super) struct Mac {
    pub protection: Protection,
    /// Hash, derivation and length of the key; `None` if it is not known here.
    how: Option<(Hash, Derivation, usize)>,
    sum: Vec<u8>,
}

impl Mac {
    /// Reads MacData; `None` if it is damaged.
    pub fn read(mac: &Element) -> Option<Self> {
        let parts = sequence(mac)?;
        let [algorithm, sum] = two(parts.first()?)?;
        let sum = octets(&sum)?.to_vec();
        let (oid, parameters) = identifier(&algorithm)?;
        if oid == PBMAC1 {
            return Self::pbmac1(&parameters?, sum);
        }
        let Some(hash) = Hash::of(oid) else {
            return Some(Self { protection: unknown(oid), how: None, sum });
        };
        let rounds = parts.get(2).map_or(Some(1), number)?;
        let derivation = Derivation { by: By::Pkcs12(hash), salt: octets(parts.get(1)?)?.to_vec(), rounds };
        let age = if hash == Hash::Sha1 { Age::Sha1 } else { Age::Pbes2 };
        let length = hash.digest().output_len();
        Some(Self {
            protection: Protection { age, words: hash.words().into() },
            how: Some((hash, derivation, length)),
            sum,
        })
    }

    /// RFC 9579 section 4: salt and rounds of MacData count for nothing, and the length of the key is said.
    fn pbmac1(parameters: &Element, sum: Vec<u8>) -> Option<Self> {
        let [by, with] = two(parameters)?;
        let (oid, _) = identifier(&with)?;
        let how = match (pbkdf2(&by)?, Hash::of_hmac(oid)) {
            (Some((derivation, Some(length))), Some(hash)) => Some((hash, derivation, length)),
            _ => None,
        };
        let words = how.as_ref().map_or("PBMAC1".into(), |(hash, ..)| format!("PBMAC1 with {}", hash.words()));
        Some(Self { protection: Protection { age: Age::Pbmac1, words }, how, sum })
    }

    /// Hashes that checking it takes; `None` if it cannot be checked here.
    pub fn cost(&self) -> Option<u64> {
        self.how.as_ref().map(|(_, derivation, length)| derivation.cost(*length))
    }

    /// True if the password is right and nothing was changed.
    pub fn is_right(&self, password: Password, content: &[u8]) -> bool {
        let Some((hash, derivation, length)) = &self.how else { return false };
        let key = derivation.derive(password, Purpose::Mac, *length);
        key.is_some_and(|key| hmac::verify(&hmac::Key::new(hash.hmac(), &key), content, &self.sum).is_ok())
    }
}

/// The length of a key that no hash has.
const LONGEST_KEY: u64 = 1024;

/// `Some(None)` for another derivation than PBKDF2 with a known hash (RFC 8018 appendix A.2), and the key's length, if said.
fn pbkdf2(algorithm: &Element) -> Option<Option<(Derivation, Option<usize>)>> {
    let (oid, parameters) = identifier(algorithm)?;
    if oid != PBKDF2 {
        return Some(None);
    }
    let parts = sequence(&parameters?)?;
    let (salt, rounds) = (octets(parts.first()?)?.to_vec(), number(parts.get(1)?)?);
    let mut length = None;
    let mut hash = Some(Hash::Sha1);
    for part in parts.get(2..)? {
        match part.tag {
            INTEGER => length = Some(usize::try_from(number(part).filter(|n| *n <= LONGEST_KEY)?).ok()?),
            _ => hash = Hash::of_hmac(identifier(part)?.0),
        }
    }
    Some(hash.map(|hash| (Derivation { by: By::Pbkdf2(hash), salt, rounds }, length)))
}

fn old(cipher: &str) -> Protection {
    Protection { age: Age::Sha1, words: format!("{cipher} with SHA-1") }
}

fn unknown(oid: &[u8]) -> Protection {
    let name = Oid::new(oid.into()).to_id_string();
    Protection { age: Age::Other, words: format!("an unknown way ({})", name.chars().take(60).collect::<String>()) }
}

/// The parts of an AlgorithmIdentifier.
fn identifier<'a>(element: &Element<'a>) -> Option<(&'a [u8], Option<Element<'a>>)> {
    let parts = sequence(element)?;
    let oid = parts.first().filter(|p| p.tag == OID)?;
    Some((oid.content, parts.get(1).copied()))
}

pub(super) fn sequence<'a>(element: &Element<'a>) -> Option<Vec<Element<'a>>> {
    if element.tag != SEQUENCE {
        return None;
    }
    // Nothing that is read part by part here has more; what is longer is cut off unseen.
    elements(element.content).take(8).collect()
}

fn two<'a>(element: &Element<'a>) -> Option<[Element<'a>; 2]> {
    match sequence(element)?.as_slice() {
        [a, b, ..] => Some([*a, *b]),
        _ => None,
    }
}

pub(super) fn octets<'a>(element: &Element<'a>) -> Option<&'a [u8]> {
    (element.tag == OCTET_STRING).then_some(element.content)
}

/// A positive number; what is larger than 64 bits is as large as they are.
fn number(element: &Element) -> Option<u64> {
    let content = if element.tag == INTEGER { element.content } else { return None };
    match content.first()? {
        0x80.. => None,
        _ if content.len() > 8 => Some(u64::MAX),
        _ => Some(content.iter().fold(0, |n, b| (n << 8) | u64::from(*b))).filter(|n| *n > 0),
    }
}
