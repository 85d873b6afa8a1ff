//! A PFX file of certificates alone, as the lab lays one out.

use std::num::NonZeroU32;

use ring::{digest, hmac};

use super::derive::{self, Password, Purpose};
use crate::pki::der::written;

const ROUNDS: NonZeroU32 = match NonZeroU32::new(2048) {
    Some(rounds) => rounds,
    None => NonZeroU32::MIN,
};
const SALT: &[u8] = b"coexist.";
/// In DER: data, a bag of a certificate, a certificate of X.509, SHA-256.
const DATA: &[u8] = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1];
const BAG: &[u8] = &[6, 11, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 12, 10, 1, 3];
const X509: &[u8] = &[6, 10, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 22, 1];
const SHA256: &[u8] = &[6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];

/// A PFX file in DER with these certificates, an empty password, and a MAC of SHA-256: what current programs write where no
/// key is to be locked, and what Windows Server 2016 and older do not read.
pub fn pfx_of<'a>(certificates: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let bags: Vec<Vec<u8>> = certificates.into_iter().map(bag).collect();
    let bags: Vec<&[u8]> = bags.iter().map(Vec::as_slice).collect();
    let safe = content_info(&sequence(&bags));
    let content = sequence(&[&safe]);
    sequence(&[&[2, 1, 3], &content_info(&content), &mac(&content)])
}

fn bag(certificate: &[u8]) -> Vec<u8> {
    let value = sequence(&[X509, &written(0xa0, &written(4, certificate))]);
    sequence(&[BAG, &written(0xa0, &value)])
}

fn content_info(content: &[u8]) -> Vec<u8> {
    sequence(&[DATA, &written(0xa0, &written(4, content))])
}

fn mac(content: &[u8]) -> Vec<u8> {
    let key =
        derive::pkcs12(&digest::SHA256, Password::Text(""), SALT, ROUNDS, Purpose::Mac, digest::SHA256_OUTPUT_LEN);
    let sum = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), content);
    let digest = sequence(&[&sequence(&[SHA256, &[5, 0]]), &written(4, sum.as_ref())]);
    let rounds = written(2, &[8, 0]);
    sequence(&[&digest, &written(4, SALT), &rounds])
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    written(0x30, &parts.concat()).to_vec()
}
