//! Keys out of passwords: PKCS#12's own way (RFC 7292 appendix B) and PBKDF2 (RFC 8018).

use std::num::NonZeroU32;

use ring::{digest, pbkdf2};
use zeroize::Zeroizing;

/// What a key derived by PKCS#12's own way is for (RFC 7292 appendix B.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::pki) enum Purpose {
    Key = 1,
    Vector = 2,
    Mac = 3,
}

/// A password, as somebody may have meant it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::pki) enum Password<'a> {
    /// None at all. Some writers tell it from an empty one.
    None,
    Text(&'a str),
}

impl Password<'_> {
    /// As PKCS#12 derives from it: UTF-16, the high byte first, with two zero bytes at the end (RFC 7292 appendix B.1).
    fn bmp(self) -> Zeroizing<Vec<u8>> {
        let text = match self {
            Self::None => return Zeroizing::default(),
            Self::Text(text) => text,
        };
        Zeroizing::new(text.encode_utf16().chain([0]).flat_map(u16::to_be_bytes).collect())
    }

    /// As PBKDF2 derives from it.
    fn utf8(&self) -> &[u8] {
        match self {
            Self::None => &[],
            Self::Text(text) => text.as_bytes(),
        }
    }
}

/// Derives `length` bytes by PKCS#12's own way.
pub(in crate::pki) fn pkcs12(
    hash: &'static digest::Algorithm,
    password: Password,
    salt: &[u8],
    rounds: NonZeroU32,
    purpose: Purpose,
    length: usize,
) -> Zeroizing<Vec<u8>> {
    let block = hash.block_len();
    let password = password.bmp();
    let mut input = Zeroizing::new(filled(salt, block));
    input.extend(filled(&password, block));
    let diversifier = vec![purpose as u8; block];
    let mut out = Zeroizing::new(Vec::with_capacity(length + hash.output_len()));
    while out.len() < length {
        let mut one = digest::Context::new(hash);
        one.update(&diversifier);
        one.update(&input);
        let mut sum = one.finish();
        for _ in 1..rounds.get() {
            sum = digest::digest(hash, sum.as_ref());
        }
        out.extend_from_slice(sum.as_ref());
        let addend = Zeroizing::new(filled(sum.as_ref(), block));
        input.chunks_exact_mut(block).for_each(|part| add_with_one(part, &addend));
    }
    out.truncate(length);
    out
}

/// Repeats some bytes until whole blocks are full; nothing stays nothing.
fn filled(bytes: &[u8], block: usize) -> Vec<u8> {
    bytes.iter().copied().cycle().take(bytes.len().div_ceil(block) * block).collect()
}

/// Adds two numbers and one, and drops what overflows.
fn add_with_one(number: &mut [u8], addend: &[u8]) {
    let mut carry = 1u16;
    for (digit, other) in number.iter_mut().zip(addend).rev() {
        carry += u16::from(*digit) + u16::from(*other);
        *digit = carry.to_be_bytes()[1];
        carry >>= 8;
    }
}

/// Derives `length` bytes by PBKDF2.
pub(in crate::pki) fn pbkdf2(
    prf: pbkdf2::Algorithm,
    password: Password,
    salt: &[u8],
    rounds: NonZeroU32,
    length: usize,
) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(vec![0; length]);
    pbkdf2::derive(prf, rounds, salt, password.utf8(), &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with OpenSSL 3.0's `EVP_KDF` of the name PKCS12KDF (`openssl kdf -kdfopt id:… PKCS12KDF`).
    #[test]
    fn keys_are_those_of_openssl() {
        let hex = |text: &str| data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap();
        for (hash, password, salt, rounds, purpose, want) in VECTORS {
            let rounds = NonZeroU32::new(*rounds).unwrap();
            let want = hex(want);
            let got = pkcs12(hash, *password, &hex(salt), rounds, *purpose, want.len());
            assert_eq!(*got, want, "{purpose:?} {password:?}");
        }
    }

    type Vector = (&'static digest::Algorithm, Password<'static>, &'static str, u32, Purpose, &'static str);

    const VECTORS: &[Vector] = &[
        (
            &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Password::Text("smeg"),
            "0a58cf64530d823f",
            1,
            Purpose::Key,
            "8aaae6297b6cb04642ab5b077851284eb7128f1a2a7fbca3",
        ),
        (
            &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Password::Text("smeg"),
            "0a58cf64530d823f",
            1,
            Purpose::Vector,
            "79993dfe048d3b76",
        ),
        (
            &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Password::Text("queeg"),
            "05dec959acff72f7",
            1000,
            Purpose::Key,
            "ed2034e36328830ff09df1e1a07dd357185dac0d4f9eb3d4",
        ),
        (
            &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Password::Text("pässwört"),
            "263216fcc2fab31c",
            1000,
            Purpose::Mac,
            "64cf12c8467bfe64a3bb2715b87484ca42ac7196",
        ),
        (
            &digest::SHA256,
            Password::Text("queeg"),
            "05dec959acff72f7",
            1000,
            Purpose::Mac,
            "64bd552bb4ecec8224b888d4fa1dc49c6ff894bfc59b10402d83ad46c0d8da4b",
        ),
        (
            &digest::SHA512,
            Password::Text("queeg"),
            "05dec959acff72f7",
            7,
            Purpose::Mac,
            "0a028995a52a07fa6e22637e2e8fd38fe03c26e1add45c6792d950873e2af7efbe4b8cdb9df470924ed324a88c1d6ba7e051b66a2067b9513cdcf921b82c71d5",
        ),
        (
            &digest::SHA384,
            Password::Text(""),
            "05dec959acff72f7",
            2,
            Purpose::Key,
            "edec1f0386cd282adfd1f65a379ad569c76dc634acd74604f55935fa4f168534a1adee48b47999d968b8d13cbb82e23e5a403f35ed215c77da0d224e4b028c8aa35ca54d9bc4292e687845e0174012e8cffee74d5af26b7f26ddb113f1e63da4477acfbf",
        ),
    ];

    #[test]
    fn a_sum_carries_and_overflows() {
        let mut number = [0x00, 0xff, 0xff];
        add_with_one(&mut number, &[0, 0, 0]);
        assert_eq!(number, [1, 0, 0]);
        let mut number = [0xff, 0xff];
        add_with_one(&mut number, &[0xff, 0xff]);
        assert_eq!(number, [0xff, 0xff]);
    }
}
