//! A certificate verifier that accepts everything and keeps what it saw: path and names are judged later, from the record.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use x509_parser::public_key::PublicKey;

use super::faces;
use crate::model::tls::{ClientAuth, Face, Possession};

/// Bits of an RSA modulus for which the library checks signatures.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// What a handshake showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The chain as served, DER; empty if none came.
    pub chain: Vec<Vec<u8>>,
    /// Whether the server proved that it holds the key; `None` if the handshake ended before.
    pub possession: Option<Possession>,
    /// Whether the server asked for a client certificate.
    pub client: Option<ClientAuth>,
    /// The protocol version, where the handshake came far enough to tell.
    pub version: Option<&'static str>,
}

/// The verifier of one connection.
#[derive(Debug)]
pub struct Capture {
    seen: Mutex<Seen>,
    algorithms: WebPkiSupportedAlgorithms,
    face: Option<Face>,
    /// What is shown if a certificate is asked for.
    client: Option<Arc<CertifiedKey>>,
}

impl Capture {
    /// Checks handshake signatures by these algorithms, asks for those that fit the face, and shows this to who asks.
    pub fn new(algorithms: WebPkiSupportedAlgorithms, face: Option<Face>, client: Option<Arc<CertifiedKey>>) -> Self {
        Self { seen: Mutex::default(), algorithms, face, client }
    }

    /// What was seen so far.
    pub fn take(&self) -> Seen {
        std::mem::take(&mut *self.lock())
    }

    /// True if the server asked for a client certificate.
    pub fn is_asked(&self) -> bool {
        self.lock().client.is_some()
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the result and lets the handshake go on, so that version and suite are learned too. Nothing is sent over
    /// the connection that a false server could use.
    fn note(
        &self,
        version: &'static str,
        certificate: &CertificateDer<'_>,
        result: Result<HandshakeSignatureValid, Error>,
    ) -> Result<HandshakeSignatureValid, Error> {
        let mut seen = self.lock();
        seen.version = Some(version);
        seen.possession = Some(match result {
            Ok(_) => Possession::Proved,
            Err(e) => unproved(certificate, &e),
        });
        Ok(HandshakeSignatureValid::assertion())
    }
}

/// A signature that cannot be checked is told from one that is wrong: the library calls both bad where the key is small.
pub fn unproved(certificate: &CertificateDer<'_>, error: &Error) -> Possession {
    match (error, rsa_bits(certificate)) {
        (_, Some(bits)) if bits < *RSA_BITS.start() => {
            Possession::NotProved(format!("the key is too small to check (RSA {bits})"))
        }
        (_, Some(bits)) if bits > *RSA_BITS.end() => {
            Possession::NotProved(format!("the key is too large to check (RSA {bits})"))
        }
        (Error::InvalidCertificate(CertificateError::BadSignature), _) => {
            Possession::Failed("the handshake was signed with another key".into())
        }
        (e, _) => Possession::NotProved(e.to_string()),
    }
}

fn rsa_bits(certificate: &CertificateDer<'_>) -> Option<usize> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
    match parsed.public_key().parsed().ok()? {
        PublicKey::RSA(rsa) => Some(rsa.key_size()),
        _ => None,
    }
}

impl ServerCertVerifier for Capture {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.lock().chain = std::iter::once(end_entity).chain(intermediates).map(|c| c.to_vec()).collect();
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.note("TLS 1.2", certificate, verify_tls12_signature(message, certificate, signed, &self.algorithms))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.note("TLS 1.3", certificate, verify_tls13_signature(message, certificate, signed, &self.algorithms))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let schemes = self.algorithms.supported_schemes().into_iter();
        schemes.filter(|s| self.face.is_none_or(|face| faces::may_be_signed(face, *s))).collect()
    }
}

/// Called only if the server asks.
impl ResolvesClientCert for Capture {
    fn resolve(&self, _authorities: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.lock().client = Some(match self.client {
            Some(_) => ClientAuth::Shown,
            None => ClientAuth::Asked,
        });
        self.client.clone()
    }

    fn has_certs(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A self-signed certificate for an RSA key of 1024 bits, by OpenSSL.
    const RSA_1024: &str = concat!(
        "MIICDjCCAXegAwIBAgIUUlz6QgQC/T81RcreYd1d/ev0FGYwDQYJKoZIhvcNAQELBQAwGTEXMBUGA1UEAwwOb2xk",
        "LmRvbWFpbi5jb20wHhcNMjYxMTIyMTA0MzUyWhcNMzYxMTE5MTA0MzUyWjAZMRcwFQYDVQQDDA5vbGQuZG9tYWlu",
        "LmNvbTCBnzANBgkqhkiG9w0BAQEFAAOBjQAwgYkCgYEAx1/gQplJR3dlsQeSm8tjcIdXAYFxtgeWEc8pAtQel5Ez",
        "OIYM1VPQDEtbbMyFtFGk5Uop2YLPSgaP9oI7w98XhtjyO5td2icrjCvUfxfHadd9zzzlg4eYKbA6XTVwoMsurOfy",
        "K5Y5IGO6vUyJKprC/zEmHltufa09JixV5TPdx10CAwEAAaNTMFEwHQYDVR0OBBYEFP7lTVa/uApx1hWqZBGrdEiq",
        "MhtmMB8GA1UdIwQYMBaAFP7lTVa/uApx1hWqZBGrdEiqMhtmMA8GA1UdEwEB/wQFMAMBAf8wDQYJKoZIhvcNAQEL",
        "BQADgYEAf+4z2UPc/FKGXUs1+OCxsAzl5DMhROIMIw+WPeBNza//iUWSqofQt8GajFChH4Xqr7AZ7WRRyOFJR7vG",
        "X+1jC0M7+louVnmgnDZ0QwrUUDqqQCV8Ux+fnt6WfrER0gxXjsEr7X+CpiVIItqXS45wCdtG8dOq+RdHnaPCALG8",
        "q04=",
    );

    #[test]
    fn a_key_too_small_to_check_is_not_called_wrong() {
        let bad = Error::InvalidCertificate(CertificateError::BadSignature);
        let old = CertificateDer::from(data_encoding::BASE64.decode(RSA_1024.as_bytes()).unwrap());
        let small = Possession::NotProved("the key is too small to check (RSA 1024)".into());
        assert_eq!(unproved(&old, &bad), small);
        let rubbish = CertificateDer::from(vec![0x30]);
        assert!(matches!(unproved(&rubbish, &bad), Possession::Failed(_)));
        let unknown = Error::InvalidCertificate(CertificateError::BadEncoding);
        assert!(matches!(unproved(&rubbish, &unknown), Possession::NotProved(_)));
    }
}
