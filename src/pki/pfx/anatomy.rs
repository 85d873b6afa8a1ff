//! The parts of a PFX file (RFC 7292 section 4), as far as they can be told apart without opening anything.

use zeroize::Zeroizing;

use super::scheme::{Mac, Scheme, octets, sequence};
use crate::model::pfx::{PfxFacts, Protection};
use crate::pki::ber;
use crate::pki::der::{self, Element, OID, SEQUENCE};

/// `1.2.840.113549.1.7`: kinds of content (RFC 5652).
const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1];
const ENCRYPTED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 6];
/// `1.2.840.113549.1.12.10.1`: kinds of bags.
const BAG: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 12, 10, 1];
const KEY: u8 = 1;
const LOCKED_KEY: u8 = 2;
const CERTIFICATE: u8 = 3;
const SAFE_CONTENTS: u8 = 6;
/// `1.2.840.113549.1.9.22.1`: a certificate of X.509.
const X509: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 22, 1];
const CONTEXT_0: u8 = 0x80;
const CONTEXT_0_CONSTRUCTED: u8 = 0xa0;
/// Bags in bags that any honest file has, and more.
const DEPTH: usize = 4;
/// Ways of protecting that are told of one file.
const WAYS: usize = 8;

/// A file.
#[derive(Debug)]
pub(super) struct Pfx {
    pub safes: Vec<Safe>,
    /// What the MAC is over.
    pub content: Zeroizing<Vec<u8>>,
    pub mac: Option<Mac>,
}

/// A part that is encrypted as a whole, or not.
#[derive(Debug)]
pub(super) enum Safe {
    Plain(Contents),
    Sealed(Scheme, Vec<u8>),
    /// For somebody's key instead of a password, or of an unknown kind.
    Foreign,
}

/// Bags, in DER.
#[derive(Clone, Debug)]
pub(super) struct Contents(Zeroizing<Vec<u8>>);

/// What is in a bag.
#[derive(Clone, Debug)]
pub(super) enum Bag<'a> {
    Certificate(&'a [u8]),
    /// PKCS#8, in the clear.
    Key(&'a [u8]),
    LockedKey(Scheme, &'a [u8]),
}

impl Pfx {
    /// Reads DER, or BER as NSS writes it; `None` if it is damaged.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (whole, _) = ber::definite(bytes)?;
        let parts = der::sequence(&whole)?;
        let content = content_of(parts.get(1)?, DATA)?;
        let content = Zeroizing::new(octets(&content)?.to_vec());
        let (safes, _) = ber::definite(&content)?;
        let safes = der::sequence(&safes)?.iter().map(Safe::read).collect::<Option<_>>()?;
        let mac = match parts.get(2) {
            Some(mac) => Some(Mac::read(mac)?),
            None => None,
        };
        Some(Self { safes, content, mac })
    }

    /// How it is protected.
    pub fn facts(&self) -> PfxFacts {
        let mut facts = PfxFacts { encryption: Vec::new(), mac: self.mac.as_ref().map(|m| m.protection.clone()) };
        let mut add = |protection: &Protection| {
            if facts.encryption.len() < WAYS && !facts.encryption.contains(protection) {
                facts.encryption.push(protection.clone());
            }
        };
        for safe in &self.safes {
            match safe {
                Safe::Plain(contents) => contents.bags().iter().for_each(|bag| {
                    if let Bag::LockedKey(scheme, _) = bag {
                        add(&scheme.protection);
                    }
                }),
                Safe::Sealed(scheme, _) => add(&scheme.protection),
                Safe::Foreign => {}
            }
        }
        facts
    }
}

/// What stands in a ContentInfo (RFC 5652 section 3) of a kind; `None` if it is of another.
fn content_of<'a>(info: &Element<'a>, kind: &[u8]) -> Option<Element<'a>> {
    let parts = sequence(info)?;
    let oid = parts.first().filter(|p| p.tag == OID)?;
    let content = parts.get(1).filter(|p| p.tag == CONTEXT_0_CONSTRUCTED && oid.content == kind)?;
    Some(der::first(content.content)?.0)
}

impl Safe {
    fn read(info: &Element) -> Option<Self> {
        if let Some(plain) = content_of(info, DATA) {
            return Contents::read(octets(&plain)?).map(Self::Plain);
        }
        match content_of(info, ENCRYPTED_DATA) {
            Some(data) => Self::sealed(&data),
            None => (info.tag == SEQUENCE).then_some(Self::Foreign),
        }
    }

    /// EncryptedData (RFC 5652 section 8).
    fn sealed(data: &Element) -> Option<Self> {
        let info = sequence(sequence(data)?.get(1)?)?;
        let scheme = Scheme::read(info.get(1)?)?;
        let sealed = info.get(2)?;
        let sealed = match sealed.tag {
            CONTEXT_0 => sealed.content.to_vec(),
            CONTEXT_0_CONSTRUCTED => ber::pieces(sealed.content)?.to_vec(),
            _ => return None,
        };
        Some(Self::Sealed(scheme, sealed))
    }
}

impl Contents {
    /// Reads BER or DER; `None` if these are no bags.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (der, used) = ber::definite(bytes)?;
        let mut bags = Vec::new();
        (used == bytes.len()).then_some(())?;
        add(&der, DEPTH, &mut bags)?;
        Some(Self(der))
    }

    /// The bags of kinds that matter here, in their order.
    pub fn bags(&self) -> Vec<Bag<'_>> {
        let mut bags = Vec::new();
        // It was read before.
        let _ = add(&self.0, DEPTH, &mut bags);
        bags
    }
}

fn add<'a>(contents: &'a [u8], depth: usize, bags: &mut Vec<Bag<'a>>) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    for bag in der::sequence(contents)? {
        let parts = sequence(&bag)?;
        let oid = parts.first().filter(|p| p.tag == OID)?.content;
        let value = parts.get(1).filter(|p| p.tag == CONTEXT_0_CONSTRUCTED)?;
        let (value, _) = der::first(value.content)?;
        match oid.strip_prefix(BAG) {
            Some([KEY]) => bags.push(Bag::Key(value.whole)),
            Some([LOCKED_KEY]) => {
                let parts = sequence(&value)?;
                bags.push(Bag::LockedKey(Scheme::read(parts.first()?)?, octets(parts.get(1)?)?));
            }
            Some([CERTIFICATE]) => bags.extend(certificate(&value)?.map(Bag::Certificate)),
            Some([SAFE_CONTENTS]) => add(value.whole, depth, bags)?,
            // Revocation lists, secrets, and what others invent.
            _ => {}
        }
    }
    Some(())
}

/// `Some(None)` for one that is not of X.509.
fn certificate<'a>(bag: &Element<'a>) -> Option<Option<&'a [u8]>> {
    let parts = sequence(bag)?;
    if parts.first()?.content != X509 {
        return Some(None);
    }
    let (der, _) = der::first(parts.get(1)?.content)?;
    octets(&der).map(Some)
}
