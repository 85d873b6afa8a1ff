//! Hashes and ciphers of PFX files, by their object identifiers.

use aes::{Aes128, Aes192, Aes256};
use cbc::Decryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockCipherDecrypt, BlockModeDecrypt, InnerIvInit, KeyInit};
use des::{TdesEde2, TdesEde3};
use rc2::Rc2;
use ring::{digest, hmac, pbkdf2};
use zeroize::Zeroizing;

/// `1.2.840.113549.2`: HMAC with a hash.
const HMAC: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2];
/// `1.2.840.113549.3.7`: 3DES.
const DES_EDE3_CBC: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 3, 7];
/// `2.16.840.1.101.3.4.1`: AES.
const AES: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1];
/// `2.16.840.1.101.3.4.2`: SHA-2.
const SHA2: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2];
const SHA1: &[u8] = &[0x2b, 0x0e, 3, 2, 0x1a];

/// A hash that PFX files are made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    /// Of HMAC, by its identifier.
    pub fn of_hmac(oid: &[u8]) -> Option<Self> {
        Some(match oid.strip_prefix(HMAC)? {
            [7] => Self::Sha1,
            [9] => Self::Sha256,
            [10] => Self::Sha384,
            [11] => Self::Sha512,
            _ => return None,
        })
    }

    /// By its identifier.
    pub fn of(oid: &[u8]) -> Option<Self> {
        if oid == SHA1 {
            return Some(Self::Sha1);
        }
        Some(match oid.strip_prefix(SHA2)? {
            [1] => Self::Sha256,
            [2] => Self::Sha384,
            [3] => Self::Sha512,
            _ => return None,
        })
    }

    pub fn words(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA-1",
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        }
    }

    pub fn digest(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        }
    }

    pub fn hmac(self) -> hmac::Algorithm {
        match self {
            Self::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => hmac::HMAC_SHA256,
            Self::Sha384 => hmac::HMAC_SHA384,
            Self::Sha512 => hmac::HMAC_SHA512,
        }
    }

    pub fn prf(self) -> pbkdf2::Algorithm {
        match self {
            Self::Sha1 => pbkdf2::PBKDF2_HMAC_SHA1,
            Self::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
            Self::Sha384 => pbkdf2::PBKDF2_HMAC_SHA384,
            Self::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cipher {
    TripleDes,
    TripleDesOfTwoKeys,
    Rc2Of128,
    Rc2Of40,
    Aes128,
    Aes192,
    Aes256,
}

impl Cipher {
    /// Of PKCS#12's own ways of encrypting (RFC 7292 appendix C), by the last part of the identifier.
    pub fn of_pkcs12(last: u8) -> Option<Self> {
        Some(match last {
            3 => Self::TripleDes,
            4 => Self::TripleDesOfTwoKeys,
            5 => Self::Rc2Of128,
            6 => Self::Rc2Of40,
            _ => return None,
        })
    }

    /// By its identifier.
    pub fn of(oid: &[u8]) -> Option<Self> {
        if oid == DES_EDE3_CBC {
            return Some(Self::TripleDes);
        }
        Some(match oid.strip_prefix(AES)? {
            [2] => Self::Aes128,
            [22] => Self::Aes192,
            [42] => Self::Aes256,
            _ => return None,
        })
    }

    pub fn words(self) -> &'static str {
        match self {
            Self::TripleDes => "3DES",
            Self::TripleDesOfTwoKeys => "3DES of two keys",
            Self::Rc2Of128 => "RC2-128",
            Self::Rc2Of40 => "RC2-40",
            Self::Aes128 => "AES-128",
            Self::Aes192 => "AES-192",
            Self::Aes256 => "AES-256",
        }
    }

    pub fn key_length(self) -> usize {
        match self {
            Self::TripleDes | Self::Aes192 => 24,
            Self::TripleDesOfTwoKeys | Self::Rc2Of128 | Self::Aes128 => 16,
            Self::Rc2Of40 => 5,
            Self::Aes256 => 32,
        }
    }

    /// `None` if there is no padding at the end, as with a wrong key.
    pub fn decrypt(self, key: &[u8], vector: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        match self {
            Self::TripleDes => cbc::<TdesEde3>(key, vector, sealed),
            Self::TripleDesOfTwoKeys => cbc::<TdesEde2>(key, vector, sealed),
            // As many bits as the key has (RFC 7292 appendix C).
            Self::Rc2Of128 | Self::Rc2Of40 => cbc::<Rc2>(key, vector, sealed),
            Self::Aes128 => cbc::<Aes128>(key, vector, sealed),
            Self::Aes192 => cbc::<Aes192>(key, vector, sealed),
            Self::Aes256 => cbc::<Aes256>(key, vector, sealed),
        }
    }
}

fn cbc<C: KeyInit + BlockCipherDecrypt>(key: &[u8], vector: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let cipher = C::new_from_slice(key).ok()?;
    let mut open = Zeroizing::new(sealed.to_vec());
    let decryptor = Decryptor::<C>::inner_iv_slice_init(cipher, vector).ok()?;
    let length = decryptor.decrypt_padded::<Pkcs7>(&mut open).ok()?.len();
    open.truncate(length);
    Some(open)
}
