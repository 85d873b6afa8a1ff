//! Whether the server holds the certificate's key, as far as a handshake shows it that is not finished.

use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::CertificateDer;
use rustls::{CertificateError, Error};

use super::message::{Rest, ServerHello};
use super::offer::{Offer, TLS12};
use super::reader::{Read, suite, version_name};
use super::suites::Exchange;
use crate::model::tls::Possession;
use crate::observe::tls::unproved;

/// A curve by its number (RFC 8422 section 5.4).
const NAMED_CURVE: u8 = 3;

/// Signed parameters of a key exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed<'a> {
    /// The curve, where it is one.
    pub group: Option<u16>,
    /// The parameters, as they stand in the message.
    parameters: &'a [u8],
    /// The scheme and the signature.
    pub scheme: u16,
    signature: &'a [u8],
}

/// Reads a ServerKeyExchange of TLS 1.2 (RFC 5246 section 7.4.3, RFC 8422 section 5.4).
pub fn signed(body: &[u8], exchange: Exchange) -> Option<Signed<'_>> {
    let mut rest = Rest(body);
    let group = match exchange {
        Exchange::Ecdhe => {
            rest.take(1).filter(|kind| *kind == [NAMED_CURVE])?;
            let group = rest.u16()?;
            rest.block(1)?;
            Some(group)
        }
        Exchange::Dhe => {
            (0..3).try_for_each(|_| rest.block(2).map(|_| ()))?;
            None
        }
        Exchange::Rsa | Exchange::Export => return None,
    };
    let parameters = body.get(..body.len() - rest.0.len())?;
    let (scheme, signature) = (rest.u16()?, rest.block(2)?);
    rest.0.is_empty().then_some(Signed { group, parameters, scheme, signature })
}

/// What is known of the key: in TLS 1.2 a signature over both random numbers and the parameters tells it. Before, it is of
/// MD5 and SHA-1 together; without such parameters, only the rest of the handshake would tell.
pub fn of(offer: &Offer, read: &Read, algorithms: &WebPkiSupportedAlgorithms) -> Possession {
    let (Some(hello), Some(leaf)) = (&read.hello, read.chain.first()) else {
        return Possession::NotProved("the handshake ended before".into());
    };
    let version = version_name(hello.version).unwrap_or("an unknown version");
    let exchange = suite(hello.suite).map_or(Exchange::Rsa, |s| s.exchange);
    match (exchange, &read.key_exchange) {
        (Exchange::Rsa, _) => not_proved("RSA key exchange signs nothing"),
        (Exchange::Export, _) => not_proved("keys for export are not checked"),
        (_, None) => not_proved("the handshake ended before"),
        (_, Some(_)) if hello.version < TLS12 => {
            Possession::NotProved(format!("{version} signs with MD5 and SHA-1, which is not checked"))
        }
        (_, Some(body)) => match signed(body, exchange) {
            Some(signed) => verified(offer, hello, &signed, leaf, algorithms),
            None => not_proved("the signed parameters cannot be read"),
        },
    }
}

fn not_proved(why: &str) -> Possession {
    Possession::NotProved(why.into())
}

fn verified(
    offer: &Offer,
    hello: &ServerHello,
    signed: &Signed<'_>,
    leaf: &[u8],
    algorithms: &WebPkiSupportedAlgorithms,
) -> Possession {
    let Some((_, checks)) = algorithms.mapping.iter().find(|(s, _)| u16::from(*s) == signed.scheme) else {
        return Possession::NotProved(format!("the signature scheme {:#06x} is not checked", signed.scheme));
    };
    let der = CertificateDer::from(leaf);
    let Ok(certificate) = webpki::EndEntityCert::try_from(&der) else {
        return not_proved("the certificate's key cannot be read");
    };
    let message = [&offer.random[..], &hello.random, signed.parameters].concat();
    match checks.iter().any(|a| certificate.verify_signature(*a, &message, signed.signature).is_ok()) {
        true => Possession::Proved,
        false => unproved(&der, &Error::InvalidCertificate(CertificateError::BadSignature)),
    }
}
