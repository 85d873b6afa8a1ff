//! Who signed what, dates and purposes left aside; and the algorithms that clients no longer accept, only to tell "signed
//! by the right CA, but weakly" from "not signed by it".

use ring::signature as rsa;
use rustls::pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id};

use crate::pki::der::{self, BIT_STRING, Element};

type Algorithm = &'static dyn SignatureVerificationAlgorithm;

#[derive(Debug)]
struct Legacy {
    parameters: &'static rsa::RsaParameters,
    signature: AlgorithmIdentifier,
}

impl SignatureVerificationAlgorithm for Legacy {
    fn verify_signature(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        rsa::UnparsedPublicKey::new(self.parameters, key).verify(message, signature).map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::RSA_ENCRYPTION
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.signature
    }
}

/// sha1WithRSAEncryption (RFC 3279 section 2.2.1).
const SHA1_RSA: AlgorithmIdentifier =
    AlgorithmIdentifier::from_slice(&[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05, 0x05, 0x00]);

static LEGACY_SHA1: Legacy =
    Legacy { parameters: &rsa::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, signature: SHA1_RSA };
static LEGACY_SHA256: Legacy =
    Legacy { parameters: &rsa::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, signature: alg_id::RSA_PKCS1_SHA256 };
static LEGACY_SHA512: Legacy =
    Legacy { parameters: &rsa::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY, signature: alg_id::RSA_PKCS1_SHA512 };

/// What clients accept today.
pub(super) fn accepted() -> &'static [Algorithm] {
    webpki::ALL_VERIFICATION_ALGS
}

/// Those and the legacy ones. The legacy ones stand first: webpki stops at the first algorithm of an identifier whose
/// check fails.
pub(super) fn with_legacy() -> Vec<Algorithm> {
    let legacy: [Algorithm; 3] = [&LEGACY_SHA1, &LEGACY_SHA256, &LEGACY_SHA512];
    [&legacy[..], accepted()].concat()
}

/// Whether the certificate's signature is by the issuer's key, legacy algorithms included; `None` if it cannot be told.
pub fn is_signed_by(certificate: &[u8], issuer: &[u8]) -> Option<bool> {
    let [tbs, algorithm, signature] = parts(certificate)?;
    let [key_algorithm, key] = key_of(issuer)?;
    let fits = |a: &Algorithm| {
        a.signature_alg_id().as_ref() == algorithm.content && a.public_key_alg_id().as_ref() == key_algorithm.content
    };
    let fitting: Vec<Algorithm> = with_legacy().into_iter().filter(fits).collect();
    if fitting.is_empty() {
        return None;
    }
    let (key, signature) = (bits(&key)?, bits(&signature)?);
    Some(fitting.iter().any(|a| a.verify_signature(key, tbs.whole, signature).is_ok()))
}

/// RFC 5280 section 4.1: what is signed, how, and the signature.
fn parts(certificate: &[u8]) -> Option<[Element<'_>; 3]> {
    der::sequence(certificate)?.try_into().ok()
}

fn key_of(certificate: &[u8]) -> Option<[Element<'_>; 2]> {
    der::sequence(spki_of(certificate)?)?.try_into().ok()
}

/// The algorithm and the key of the subject, as they are: the sixth field after the version, which version 1 leaves out.
pub fn spki_of(certificate: &[u8]) -> Option<&[u8]> {
    let [tbs, ..] = parts(certificate)?;
    let fields = der::elements(tbs.content).filter(|e| e.is_none_or(|e| e.tag != 0xa0));
    let spki = { fields }.nth(5)??;
    Some(spki.whole)
}

fn bits<'a>(string: &Element<'a>) -> Option<&'a [u8]> {
    string.content.strip_prefix(&[0]).filter(|_| string.tag == BIT_STRING)
}
