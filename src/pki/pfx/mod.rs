//! PFX files (PKCS#12, RFC 7292): how they are protected, which can be read without their password, and the certificates
//! in them. Keys stay encrypted, but where it is asked whose they are.

mod algorithm;
mod anatomy;
mod derive;
mod scheme;
#[cfg(test)]
mod tests;
mod written;

use std::fmt;

use super::private_key::{self, PrivateKey};
use crate::model::pfx::PfxFacts;
use anatomy::{Bag, Contents, Pfx, Safe};
use derive::Password;
use scheme::Mac;

pub use written::pfx_of;

/// Hashes that one try with one password may take: a second or two. Windows asks for 2,000 rounds, OpenSSL for 2,048, Java
/// for 10,000, NSS for 600,000 and two hashes in each.
const MOST_HASHES: u64 = 5_000_000;

/// Why a PFX file was not opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lock {
    /// It wants a password, and none was given.
    NoPassword,
    /// No password that was given opens it, or it is damaged.
    WrongPassword,
    /// The password is right, and the file was changed or damaged.
    Damaged,
    /// It asks for more work than is done for it.
    TooDear,
    /// It is protected in a way that is not known here.
    Unknown(String),
    /// It is open, and there is no certificate in it.
    Empty,
}

impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPassword => f.write_str("a password locks it"),
            Self::WrongPassword => f.write_str("the password does not open it: it is wrong, or the file is damaged"),
            Self::Damaged => f.write_str("the password is right, and the file is damaged: export it again"),
            Self::TooDear => write!(
                f,
                "it asks for more than {MOST_HASHES} hashes to open it, as no program does: it is damaged or hostile"
            ),
            Self::Unknown(what) => {
                write!(f, "it is encrypted by {what}, which is not read: export it with AES or 3DES")
            }
            Self::Empty => f.write_str("it holds no certificate"),
        }
    }
}

/// What an open file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Opened {
    /// DER of the certificates, in the file's order.
    pub certificates: Vec<Vec<u8>>,
    /// True if a private key is in it that whoever has the file can read.
    pub bares_key: bool,
}

/// How a file is protected; `None` if its structure is damaged.
pub(super) fn facts(bytes: &[u8]) -> Option<PfxFacts> {
    Pfx::read(bytes).map(|pfx| pfx.facts())
}

/// Opens a file with the first of the passwords that fits; an empty one is tried after them.
pub(super) fn open(bytes: &[u8], passwords: &[&str]) -> Result<Opened, Lock> {
    let unlocked = unlock(&Pfx::read(bytes).ok_or(Lock::Damaged)?, passwords)?;
    let mut opened = Opened::default();
    for bag in unlocked.contents.iter().flat_map(Contents::bags) {
        match bag {
            Bag::Certificate(der) => opened.certificates.push(der.to_vec()),
            Bag::Key(_) => opened.bares_key |= unlocked.by != By::Password,
            Bag::LockedKey(..) => opened.bares_key |= unlocked.by == By::Free,
        }
    }
    if opened.certificates.is_empty() { Err(Lock::Empty) } else { Ok(opened) }
}

/// The first private key of a file; `None` if none is seen.
pub(super) fn key(bytes: &[u8], passwords: &[&str]) -> Option<PrivateKey> {
    let pfx = Pfx::read(bytes)?;
    let locked = PrivateKey { kind: None, encrypted: true, spki_sha256: None };
    let Ok(unlocked) = unlock(&pfx, passwords) else {
        let plain =
            |safe: &Safe| matches!(safe, Safe::Plain(c) if c.bags().iter().any(|b| !matches!(b, Bag::Certificate(_))));
        return pfx.safes.iter().any(plain).then_some(locked);
    };
    let is_locked = unlocked.by == By::Password;
    unlocked.contents.iter().flat_map(Contents::bags).find_map(|bag| match bag {
        Bag::Certificate(_) => None,
        Bag::Key(der) => Some(private_key::of_pkcs8(der, is_locked)),
        Bag::LockedKey(scheme, sealed) => {
            let fits = scheme.cost().is_some_and(|cost| cost <= MOST_HASHES);
            let der = unlocked.password.filter(|_| fits).and_then(|password| scheme.open(password, sealed));
            Some(der.map_or(locked.clone(), |der| private_key::of_pkcs8(&der, is_locked)))
        }
    })
}

/// What opened a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Password,
    /// An empty one, or none.
    Free,
    /// Its certificates are not encrypted, and whether its password is right was not asked.
    Clear,
}

struct Unlocked<'a> {
    contents: Vec<Contents>,
    by: By,
    /// The password that was right.
    password: Option<Password<'a>>,
}

fn unlock<'a>(pfx: &Pfx, given: &[&'a str]) -> Result<Unlocked<'a>, Lock> {
    is_payable(pfx)?;
    let is_sealed = pfx.safes.iter().any(|safe| matches!(safe, Safe::Sealed(..)));
    // Where no MAC can be asked, what comes out tells whether the password is right.
    let mac = pfx.mac.as_ref().filter(|mac| mac.cost().is_some());
    let texts = || given.iter().map(|text| Password::Text(text));
    let free = [(Password::Text(""), By::Free), (Password::None, By::Free)];
    for (password, by) in texts().map(|text| (text, By::Password)).chain(free) {
        if mac.is_some_and(|mac| !mac.is_right(password, &pfx.content)) {
            continue;
        }
        match contents(pfx, password) {
            Some(contents) => {
                let by = if mac.is_none() && !is_sealed { By::Clear } else { by };
                return Ok(Unlocked { contents, by, password: Some(password) });
            }
            None if mac.is_some() => return Err(Lock::Damaged),
            None => {}
        }
    }
    match (is_sealed, given.is_empty()) {
        (false, true) => {
            let contents = contents(pfx, Password::None).ok_or(Lock::Damaged)?;
            Ok(Unlocked { contents, by: By::Clear, password: None })
        }
        (true, true) => Err(Lock::NoPassword),
        (true, false) if mac.is_some() && texts().any(|text| contents(pfx, text).is_some()) => Err(Lock::Damaged),
        (_, false) => Err(Lock::WrongPassword),
    }
}

/// Opens every part; `None` if one does not open to bags.
fn contents(pfx: &Pfx, password: Password) -> Option<Vec<Contents>> {
    let open = |safe: &Safe| match safe {
        Safe::Plain(contents) => Some(contents.clone()),
        Safe::Sealed(scheme, sealed) => Contents::read(&scheme.open(password, sealed)?),
        Safe::Foreign => None,
    };
    pfx.safes.iter().map(open).collect()
}

/// What is asked for is added up before anything is done.
fn is_payable(pfx: &Pfx) -> Result<(), Lock> {
    let mut sum = pfx.mac.as_ref().and_then(Mac::cost).unwrap_or(0);
    for safe in &pfx.safes {
        sum = sum.saturating_add(match safe {
            Safe::Plain(_) => 0,
            Safe::Sealed(scheme, _) => scheme.cost().ok_or_else(|| Lock::Unknown(scheme.protection.words.clone()))?,
            Safe::Foreign => return Err(Lock::Unknown("somebody's key or account instead of a password".into())),
        });
    }
    if sum > MOST_HASHES { Err(Lock::TooDear) } else { Ok(()) }
}
